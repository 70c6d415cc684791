"""Walks through lists: any sort, any page size, both directions; each record once, in the model's order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from anyio import from_thread, to_thread
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_api.http.app import Application
from tests.api import Api, new_organization
from tests.examples import examples
from tests.query.model import World
from tests.query.worlds import make_world

pytestmark = pytest.mark.anyio
SORTS = {
    "contacts": ["id", "created_at", "updated_at", "display_name", "first_name", "last_name", "email", "phone", "title", "account_id",
                 "lifecycle_stage",
                 "rating", "birthdate", "email_opt_out", "kind", "version"],
    "deals": ["name", "amount", "close_date", "stage_id", "status", "probability", "closed_at", "next_step", "opened_at",
              "account_id"],
    "accounts": ["name", "domain", "industry", "employees", "annual_revenue", "parent_id", "type", "website", "created_at"],
}  # fmt: skip
EASY = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", params=(11, 12))
async def world(app: Application, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Api, World]]:
    async with new_organization(app, region="DE", time_zone="Europe/Berlin") as api:
        yield api, await make_world(api, request.param)


@st.composite
def sorts(draw: st.DrawFn, name: str) -> list[str]:
    fields = draw(st.lists(st.sampled_from(SORTS[name]), min_size=1, max_size=3, unique=True))
    return [("-" if draw(st.booleans()) else "") + field for field in fields]


async def walk(api: Api, path: str, params: dict[str, Any], limits: list[int]) -> tuple[list[str], list[str]]:
    """The ids met on the way forwards, and on the way back from the last page."""
    forwards: list[str] = []
    cursor, step = None, 0
    while True:
        page = await api.ok("GET", path, params={**params, "limit": limits[step % len(limits)], **({"cursor": cursor} if cursor else {})})
        ids = [record["id"] for record in page["data"]]
        forwards += ids
        step += 1
        assert page["page"]["has_more"] == (page["page"]["next_cursor"] is not None)
        assert (page["page"]["prev_cursor"] is None) == (step == 1 or not ids)
        if page["page"]["next_cursor"] is None:
            break
        cursor = page["page"]["next_cursor"]
    backwards = list(reversed(ids))
    cursor = page["page"]["prev_cursor"]
    while cursor is not None:
        page = await api.ok("GET", path, params={**params, "limit": limits[step % len(limits)], "cursor": cursor})
        backwards += reversed([record["id"] for record in page["data"]])
        assert page["page"]["next_cursor"] is not None
        step += 1
        cursor = page["page"]["prev_cursor"]
    return forwards, backwards


@examples(8, 100)
@pytest.mark.parametrize("name", sorted(SORTS))
async def test_pages_follow_any_order_both_ways(world: tuple[Api, World], name: str, examples: int) -> None:
    api, model = world

    async def compare(sort: list[str], limits: list[int]) -> None:
        forwards, backwards = await walk(api, f"/v1/{name}", {"sort": ",".join(sort), "fields": "id"}, limits)
        expected = [record["id"] for record in model.ordered(name, model.of(name), sort)]
        assert forwards == expected, (sort, [[model.records[name][i][s.removeprefix("-")] for s in sort] for i in forwards])
        assert backwards == expected[::-1], sort

    @given(sort=sorts(name), limits=st.lists(st.integers(1, 12), min_size=1, max_size=4))
    @settings(EASY, max_examples=examples)
    def check(sort: list[str], limits: list[int]) -> None:
        from_thread.run(compare, sort, limits)

    await to_thread.run_sync(check)


async def test_expanded_lists_go_on_at_their_own_route(world: tuple[Api, World]) -> None:
    api, model = world
    for relation, target, sort in (
        ("contacts", "contacts", "title"),
        ("contacts", "contacts", "-birthdate"),
        ("deals", "deals", "-amount"),
    ):
        first = await api.all("/v1/accounts", expand=relation, **{f"expand[{relation}][limit]": 2, f"expand[{relation}][sort]": sort})
        for account in first:
            inside = account[relation]
            expected = model.ordered(target, [r for r, _ in model.related("accounts", account, relation)], [sort])
            ids = [record["id"] for record in inside["data"]]
            assert inside["page"]["has_more"] == (len(expected) > 2)
            assert inside["page"]["prev_cursor"] is None
            cursor = inside["page"]["next_cursor"]
            while cursor is not None:
                page = await api.ok("GET", f"/v1/accounts/{account['id']}/{relation}", params={"sort": sort, "limit": 1, "cursor": cursor})
                ids += [record["id"] for record in page["data"]]
                cursor = page["page"]["next_cursor"]
            assert ids == [record["id"] for record in expected]


async def test_many_to_many_lists_carry_their_links(world: tuple[Api, World]) -> None:
    api, model = world
    deals = await api.all("/v1/deals", expand="contacts", sort="name")
    seen = 0
    for deal in deals:
        expected = {record["id"]: link for record, link in model.related("deals", deal, "contacts") if link is not None}
        for record in deal["contacts"]["data"]:
            assert record["link"] == expected[record["id"]]
            seen += 1
        listed = await api.all(f"/v1/deals/{deal['id']}/contacts")
        assert {record["id"]: record["link"] for record in listed} == expected
        users = await api.all(f"/v1/deals/{deal['id']}/contacts", **{"link.roles": "user"})
        assert {record["id"] for record in users} == {i for i, link in expected.items() if "user" in link["attributes"]["roles"]}
        others = await api.all(f"/v1/deals/{deal['id']}/contacts", **{"link.roles[none_of]": ["user", "influencer"]})
        assert {r["id"] for r in others} == {
            i for i, link in expected.items() if not {"user", "influencer"} & set(link["attributes"]["roles"])
        }
    assert seen
    contact = (await api.all("/v1/contacts", expand="deals.account,account"))[0]
    assert contact["deals"]["page"].keys() == {"next_cursor", "prev_cursor", "has_more"}


async def test_a_cursor_belongs_to_its_question(world: tuple[Api, World], app: Application) -> None:
    api, _ = world
    first = await api.ok("GET", "/v1/contacts", params={"sort": "last_name", "limit": 2, "kind": "person"})
    cursor = first["page"]["next_cursor"]
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("/v1/contacts", {"sort": "-last_name", "kind": "person"}),
        ("/v1/contacts", {"sort": "last_name"}),
        ("/v1/contacts", {"sort": "last_name", "kind": "organization"}),
        ("/v1/contacts", {"sort": "last_name", "kind": "person", "deleted": "include"}),
        ("/v1/contacts", {"sort": "last_name", "kind": "person", "q": "a"}),
        ("/v1/deals", {}),
        ("/v1/events", {}),
    ]
    for path, params in wrong:
        await api.fails("GET", path, 400, "invalid_cursor", params={**params, "cursor": cursor})
    for damaged in ("", "x", cursor[:-2], cursor[:-6] + "AAAAAA", "é", cursor + "A", "A" * 7000):
        problem = await api.fails(
            "GET", "/v1/contacts", 400, "invalid_cursor", params={"sort": "last_name", "kind": "person", "cursor": damaged}
        )
        assert problem["errors"][0]["parameter"] == "cursor"
    # other page sizes and other fields are the same question
    await api.ok("GET", "/v1/contacts", params={"sort": "last_name", "kind": "person", "cursor": cursor, "limit": 7, "fields": "email"})
    body = {"filter": {"field": "kind", "value": "person"}, "sort": ["last_name"], "cursor": cursor}
    again = await api.ok("POST", "/v1/contacts/search", json=body)
    assert again["data"][0]["id"] not in {record["id"] for record in first["data"]}
    problem = await api.fails("POST", "/v1/contacts/search", 400, "invalid_cursor", json={"cursor": cursor})
    assert problem["errors"][0]["pointer"] == "/cursor"
    async with new_organization(app) as other:
        await other.fails("GET", "/v1/contacts", 400, "invalid_cursor", params={"sort": "last_name", "kind": "person", "cursor": cursor})


async def test_a_cursor_of_one_parent_means_nothing_at_another(world: tuple[Api, World]) -> None:
    api, _ = world
    accounts = await api.all("/v1/accounts", expand="contacts", **{"expand[contacts][limit]": 1})
    full = [account for account in accounts if account["contacts"]["page"]["has_more"]]
    assert len(full) > 1
    cursor = full[0]["contacts"]["page"]["next_cursor"]
    await api.fails("GET", f"/v1/accounts/{full[1]['id']}/contacts", 400, "invalid_cursor", params={"cursor": cursor})
    await api.ok("GET", f"/v1/accounts/{full[0]['id']}/contacts", params={"cursor": cursor})
