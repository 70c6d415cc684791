"""Many callers at once: what may happen once happens once, what was written is found."""

import asyncio
from uuid import uuid4

import pytest

from tests.api import Api

pytestmark = pytest.mark.anyio


async def test_of_twenty_calls_with_one_key_one_takes_effect(api: Api) -> None:
    key = {"idempotency-key": uuid4().hex}
    answers = await asyncio.gather(*(api.http.post("/v1/accounts", json={"name": "Once"}, headers=key) for _ in range(20)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.json()["id"] for answer in made}) == 1
    assert all(answer.json()["code"] == "in_flight" and "retry-after" in answer.headers for answer in answers if answer.status_code == 409)
    assert len(await api.all("/v1/accounts", name="Once")) == 1


async def test_case_numbers_have_no_gaps_and_no_doubles(api: Api) -> None:
    async def one(number: int) -> None:
        await api.http.post("/v1/cases", json={"subject": f"C{number}", **({"priority": "nonsense"} if number % 5 == 0 else {})})

    await asyncio.gather(*(one(number) for number in range(40)))
    items = [{"subject": f"B{number}"} for number in range(50)]
    await asyncio.gather(*(api.http.post("/v1/cases/batch/create", json={"items": items}) for _ in range(3)))
    numbers = sorted(case["number"] for case in await api.all("/v1/cases", fields="number"))
    assert numbers == list(range(1, 32 + 150 + 1))


async def test_a_thousand_times_created_a_thousand_times_found(api: Api) -> None:
    async def create_then_search(worker: int) -> int:
        misses = 0
        for number in range(50):
            email = f"p{worker}-{number}@corp.example"
            await api.make("contacts", email=email, last_name=f"Word{worker}x{number}")
            body = {"filter": {"field": "email", "value": email}, "fields": ["id"]}
            by_filter = await api.ok("POST", "/v1/contacts/search", json=body)
            by_text = await api.ok("GET", "/v1/contacts", params={"q": f"word{worker}x{number}", "fields": "id"})
            misses += (len(by_filter["data"]) != 1) + (not by_text["data"])
        return misses

    assert sum(await asyncio.gather(*(create_then_search(worker) for worker in range(20)))) == 0


@pytest.mark.parametrize("by", ["id", "external_ids.erp"])
async def test_no_live_child_is_left_under_a_deleted_parent(api: Api, by: str) -> None:
    for turn in range(5):
        parent = await api.make("accounts", name=f"P{turn}", external_ids={"erp": f"{turn}"})
        named = parent["id"] if by == "id" else {"by": by, "value": f"{turn}"}
        calls = [api.http.post("/v1/contacts", json={"last_name": f"C{n}", "account_id": named}) for n in range(20)]
        calls.insert(5 * turn, api.http.delete(f"/v1/accounts/{parent['id']}"))
        answers = await asyncio.gather(*calls)
        deleted = answers.pop(5 * turn)
        assert {answer.status_code for answer in answers} <= {201, 422}
        live = await api.all("/v1/contacts", account_id=parent["id"])
        assert len(live) == sum(answer.status_code == 201 for answer in answers)
        assert deleted.status_code == (409 if live else 200)


async def test_no_live_child_is_left_under_a_record_that_was_merged_away(api: Api) -> None:
    for turn in range(3):
        winner, loser = await api.make("accounts", name="W"), await api.make("accounts", name="L")
        calls = [api.http.post("/v1/contacts", json={"last_name": f"C{n}", "account_id": loser["id"]}) for n in range(20)]
        calls.insert(10 * turn, api.http.post("/v1/accounts/merge", json={"winner_id": winner["id"], "loser_ids": [loser["id"]]}))
        answers = await asyncio.gather(*calls)
        assert answers.pop(10 * turn).status_code == 200
        assert {answer.status_code for answer in answers} <= {201, 422}
        assert await api.all("/v1/contacts", account_id=loser["id"]) == []
        assert len(await api.all("/v1/contacts", account_id=winner["id"])) == sum(answer.status_code == 201 for answer in answers)
