"""Roll-ups over many-to-many relations follow their edges and the records at the other ends."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from tests.api import Api, Record
from tests.meta.work import done, field, make_object

pytestmark = pytest.mark.anyio


async def rollup(api: Api, of: str, name: str, relation: str, function: str, **more: Any) -> None:
    made = await field(api, of, name, "rollup", relation=relation, function=function, **more)
    if made["job_id"]:
        await done(api, made["job_id"])


async def value(api: Api, record: Record, name: str) -> Any:
    return (await api.get(record))["custom_fields"][name]


async def events_of(api: Api, record: Record) -> list[Record]:
    found: list[Record] = (await api.ok("GET", "/v1/events", params={"record_id": record["id"], "limit": 1000}))["data"]
    return [event for event in found if event["object"] != "links"]


async def test_links_come_and_go(api: Api) -> None:
    await rollup(api, "deals", "people", "contacts", "count")
    await rollup(api, "contacts", "worth", "deals", "sum", field="amount_base")
    await rollup(api, "contacts", "best", "deals", "max", field="amount_base", filter={"field": "status", "value": "open"})
    deals = [await api.make("deals", name=str(n), amount=f"{10 * n}.00") for n in (1, 2, 3)]
    ada, bob = [await api.make("contacts", first_name=name) for name in ("Ada", "Bob")]
    assert ada["custom_fields"] == {"worth": "0", "best": None}
    for deal in deals:
        await api.ok("PUT", f"/v1/deals/{deal['id']}/links/contacts/{ada['id']}", json={})
    await api.ok("PUT", f"/v1/contacts/{bob['id']}/links/deals/{deals[0]['id']}", json={"roles": ["decision_maker"]})
    assert [await value(api, deal, "people") for deal in deals] == [2, 1, 1]
    assert (await api.get(ada))["custom_fields"] == {"worth": "60", "best": "30"}
    last = (await events_of(api, ada))[-1]
    assert (last["type"], last["changes"]["custom_fields.worth"]) == ("contact.updated", {"old": "30", "new": "60"})
    assert last["version"] == (await api.get(ada))["version"] == 4
    # attributes of an edge count for nothing
    await api.ok("PUT", f"/v1/deals/{deals[0]['id']}/links/contacts/{ada['id']}", json={"is_primary": True})
    assert (await api.get(ada))["version"] == 4
    # the records at the other ends
    await api.change(deals[0], amount="15.00")
    assert [await value(api, one, "worth") for one in (ada, bob)] == ["65", "15"]
    await api.ok("POST", f"/v1/deals/{deals[2]['id']}/win")
    assert (await api.get(ada))["custom_fields"] == {"worth": "65", "best": "20"}
    await api.ok("DELETE", f"/v1/deals/{deals[1]['id']}")
    assert (await api.get(ada))["custom_fields"] == {"worth": "45", "best": "15"}
    await api.ok("POST", f"/v1/deals/{deals[1]['id']}/restore")
    assert await value(api, ada, "worth") == "65"
    await api.ok("DELETE", f"/v1/deals/{deals[1]['id']}", params={"purge": "true"})
    assert await value(api, ada, "worth") == "45"
    await api.ok("DELETE", f"/v1/deals/{deals[2]['id']}/links/contacts/{ada['id']}")
    assert await value(api, ada, "worth") == "15"
    items = [{"id": deal["id"]} for deal in (deals[0], deals[2])]
    await api.ok("POST", f"/v1/contacts/{bob['id']}/links/deals/batch/put", json={"items": items}, status=207)
    assert await value(api, bob, "worth") == "45"
    assert [await value(api, deal, "people") for deal in (deals[0], deals[2])] == [2, 1]
    # filtered and sorted like any field
    found = await api.ok("GET", "/v1/contacts", params={"custom_fields.worth[gte]": "15", "sort": "-custom_fields.worth"})
    assert [row["first_name"] for row in found["data"]] == ["Bob", "Ada"]
    merged = await api.ok("POST", "/v1/contacts/merge", json={"winner_id": ada["id"], "loser_ids": [bob["id"]]})
    assert merged["custom_fields"]["worth"] == await value(api, ada, "worth") == "45"
    assert await value(api, deals[0], "people") == 1


async def test_records_from_before_and_own_relations(api: Api) -> None:
    await make_object(api, "vessels", "vessel", fields=[{"api_name": "price", "type": "currency"}])
    await field(api, "accounts", "fleet", "reference", target="vessels", inverse="owners", multiple=True)
    account = await api.make("accounts", name="Acme")
    vessels = [await api.make("vessels", name=str(n), price=f"{n}.50") for n in (1, 2)]
    for vessel in vessels:
        await api.ok("PUT", f"/v1/accounts/{account['id']}/links/fleet/{vessel['id']}", json={})
    await rollup(api, "accounts", "price", "fleet", "avg", field="price")
    assert await value(api, account, "price") == "2.00"
    made = await field(api, "vessels", "owned", "rollup", relation="owners", function="count")
    assert (await api.get(vessels[0]))["owned"] == 1  # worked out until the job is through
    await done(api, made["job_id"])
    assert (await api.get(vessels[0]))["owned"] == 1
    await api.change(vessels[0], price="3.50")
    assert await value(api, account, "price") == "3.00"
    used = (await api.ok("GET", "/v1/meta/accounts/fields/fleet/impact"))["data"]
    assert {use["name"] for use in used} == {"accounts.price", "vessels.owned"}
    body = {"api_name": "n", "type": "rollup", "relation": "segments", "function": "count"}
    problem = await api.fails("POST", "/v1/meta/accounts/fields", 422, "validation_failed", json=body)
    assert problem["errors"][0]["pointer"] == "/relation"
    assert {"fleet", "contacts", "deals"} <= set(problem["errors"][0]["allowed"])
    assert "segments" not in problem["errors"][0]["allowed"]


async def test_the_primary_link_of_a_new_record(api: Api) -> None:
    await rollup(api, "contacts", "revenue", "accounts", "sum", field="annual_revenue_base")
    account = await api.make("accounts", name="Acme", annual_revenue="7.00")
    ada = await api.make("contacts", first_name="Ada", account_id=account["id"])
    assert ada["custom_fields"]["revenue"] == await value(api, ada, "revenue") == "7"
    assert ada["version"] == 1
    assert [event["type"] for event in await events_of(api, ada)] == ["contact.created"]
    ada = await api.change(ada, account_id=None)
    assert ada["custom_fields"]["revenue"] == "0"


async def test_links_and_amounts_changed_at_once(api: Api) -> None:
    await rollup(api, "contacts", "worth", "deals", "sum", field="amount_base")
    await rollup(api, "deals", "people", "contacts", "count")
    contacts = [await api.make("contacts", first_name=str(n)) for n in range(3)]
    deals = [await api.make("deals", name=str(n), amount="1.00") for n in range(4)]
    pick = random.Random(4)

    async def link(method: str) -> None:
        deal, contact = pick.choice(deals), pick.choice(contacts)
        more: dict[str, Any] = {"json": {}} if method == "PUT" else {}
        answer = await api.http.request(method, f"/v1/deals/{deal['id']}/links/contacts/{contact['id']}", **more)
        assert answer.status_code in (200, 201, 404), answer.text

    async def price() -> None:
        await api.change(pick.choice(deals), amount=f"{pick.randrange(100)}.00")

    for _ in range(5):
        await asyncio.gather(*(link("PUT") for _ in range(5)), *(link("DELETE") for _ in range(2)), *(price() for _ in range(5)))
    people: dict[str, int] = {deal["id"]: 0 for deal in deals}
    for contact in contacts:
        linked = (await api.ok("GET", f"/v1/contacts/{contact['id']}/links/deals"))["data"]
        for one in linked:
            people[one["record"]["id"]] += 1
        total = sum(float(one["record"]["amount"]) for one in linked)
        assert float(await value(api, contact, "worth")) == total
    assert [await value(api, deal, "people") for deal in deals] == list(people.values())


async def test_links_and_what_they_count_changed_at_once(api: Api) -> None:
    """The other direction: what is counted stands at the edges' far ends."""
    await field(api, "contacts", "points", "integer")
    await rollup(api, "deals", "points", "contacts", "sum", field="custom_fields.points")
    contacts = [await api.make("contacts", first_name=str(n), custom_fields={"points": n}) for n in range(3)]
    deals = [await api.make("deals", name=str(n)) for n in range(3)]
    pick = random.Random(5)

    async def link(method: str) -> None:
        deal, contact = pick.choice(deals), pick.choice(contacts)
        more: dict[str, Any] = {"json": {}} if method == "PUT" else {}
        answer = await api.http.request(method, f"/v1/contacts/{contact['id']}/links/deals/{deal['id']}", **more)
        assert answer.status_code in (200, 201, 404), answer.text

    async def score() -> None:
        await api.change(pick.choice(contacts), custom_fields={"points": pick.randrange(100)})

    for _ in range(5):
        await asyncio.gather(*(link("PUT") for _ in range(4)), *(link("DELETE") for _ in range(3)), *(score() for _ in range(4)))
    for deal in deals:
        linked = (await api.ok("GET", f"/v1/deals/{deal['id']}/links/contacts"))["data"]
        assert int(await value(api, deal, "points")) == sum(one["record"]["custom_fields"]["points"] for one in linked)
