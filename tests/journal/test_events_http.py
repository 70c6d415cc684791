"""The journal over HTTP: what an event looks like, filters, cursors, waiting, and who may read what."""

import asyncio
from time import monotonic
from typing import Any

import orjson
import pytest

from tests.api import Api

pytestmark = pytest.mark.anyio


async def events(api: Api, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = await api.ok("GET", "/v1/events", params={"limit": 200, **params})
        found += page["data"]
        params = {**{k: v for k, v in params.items() if k != "since"}, "cursor": page["page"]["next_cursor"]}
        if not page["page"]["has_more"]:
            return found


async def now(api: Api) -> str:
    cursor: str = (await api.ok("GET", "/v1/events", params={"cursor": "now"}))["page"]["next_cursor"]
    return cursor


async def test_the_shape_of_an_event(api: Api) -> None:
    cursor = await now(api)
    account = await api.make("accounts", name="Acme", annual_revenue="1000.50")
    changed = await api.change(account, name="Acme Corp")
    created, updated = await events(api, cursor=cursor)
    assert list(created) == [
        "id", "seq", "type", "org_id", "object", "record_id", "version", "occurred_at", "api_version", "actor", "cause", "transaction",
        "changes", "record", "test",
    ]  # fmt: skip
    assert (created["type"], created["object"], created["record_id"], created["version"]) == (
        "account.created",
        "accounts",
        account["id"],
        1,
    )
    assert created["record"] == account
    assert updated["record"] == changed
    assert updated["changes"] == {"name": {"old": "Acme", "new": "Acme Corp"}}
    assert updated["seq"] == created["seq"] + 1
    assert updated["cause"]["action"] == "accounts.update"
    assert updated["actor"]["type"] == "user"
    assert created["transaction"]["index"] == 0
    assert created["transaction"]["last"] is True
    assert created["test"] is False
    assert await api.ok("GET", f"/v1/events/{updated['id']}") == updated
    await api.fails("GET", f"/v1/events/{account['id']}", 404, "not_found")


async def test_records_of_every_object_read_like_gets(api: Api) -> None:
    cursor = await now(api)
    account = await api.make("accounts", name="Acme")
    contact = await api.make("contacts", first_name="Ada", last_name="King", email="ada@acme.example", account_id=account["id"])
    deal = await api.make("deals", name="Big", amount="12.30", account_id=account["id"], external_ids={"erp": "7"}, tags=["vip"])
    case = await api.make("cases", subject="Broken", account_id=account["id"])
    task = await api.make("tasks", subject="Call", due_at="2026-12-01T10:00:00Z")
    found = {event["record_id"]: event for event in await events(api, cursor=cursor) if event["object"] != "links"}
    for record in (account, contact, deal, case, task):
        assert found[record["id"]]["record"] == record


async def test_deleted_and_purged(api: Api) -> None:
    cursor = await now(api)
    account = await api.make("accounts", name="Secret name")
    await api.ok("DELETE", f"/v1/accounts/{account['id']}")
    deleted = (await events(api, cursor=cursor))[-1]
    assert deleted["type"] == "account.deleted"
    assert deleted["record"]["deleted_at"] is not None
    await api.ok("DELETE", f"/v1/accounts/{account['id']}?purge=true", status=204)
    found = await events(api, cursor=cursor)
    assert [event["type"] for event in found] == ["account.created", "account.deleted", "account.purged"]
    assert all(event["record"] is None for event in found)
    assert b"Secret" not in orjson.dumps(found)


async def test_filters(api: Api) -> None:
    cursor = await now(api)
    deal = await api.make("deals", name="One", amount="10")
    other = await api.make("deals", name="Two", amount="20")
    account = await api.make("accounts", name="Acme")
    await api.change(deal, amount="1000.00")
    await api.change(other, name="Three")

    async def got(**params: Any) -> list[tuple[str, str]]:
        return [(event["type"], event["record_id"]) for event in await events(api, cursor=cursor, **params)]

    def tree(value: Any) -> str:
        return orjson.dumps(value).decode()

    assert await got(event_types="account.*") == [("account.created", account["id"])]
    assert len(await got(event_types="*.updated")) == 2
    assert len(await got(event_types="deal.created,account.created")) == 3
    assert len(await got(event_types="*")) == 5
    assert [r for _, r in await got(object="deals")] == [deal["id"], other["id"], deal["id"], other["id"]]
    assert [t for t, _ in await got(record_id=deal["id"])] == ["deal.created", "deal.updated"]
    assert await got(exclude_own="true") == []
    changed = {"field": "amount", "op": "changed_to", "value": "1000"}
    assert await got(object="deals", filter=tree(changed)) == [("deal.updated", deal["id"])]
    both = {"and": [{"field": "amount", "op": "changed"}, {"field": "amount", "op": "changed_from", "value": "10"}]}
    assert await got(object="deals", filter=tree(both)) == [("deal.updated", deal["id"])]
    assert await got(object="deals", filter=tree({"field": "name", "value": "THREE"})) == [("deal.updated", other["id"])]
    assert len(await got(object="deals", filter=tree({"not": {"field": "name", "op": "changed"}}))) == 1
    assert len(await got(object="deals", filter=tree({"field": "amount", "op": "changed_from", "value": None}))) == 2


async def test_links_are_found_under_both_ends(api: Api) -> None:
    deal, contact = await api.make("deals", name="One"), await api.make("contacts", last_name="King")
    cursor = await now(api)
    await api.ok("PUT", f"/v1/deals/{deal['id']}/links/contacts/{contact['id']}", json={"roles": ["decision_maker"]})
    for end in (deal, contact):
        (found,) = await events(api, cursor=cursor, record_id=end["id"])
        assert found["type"] == "link.created"
        assert found["record"]["relation"] == "deals.contacts"
        assert found["record"]["from"] == {"object": "deals", "id": deal["id"]}


async def test_starting_points(api: Api) -> None:
    oldest = await api.ok("GET", "/v1/events", params={"limit": 1})
    assert oldest["data"][0]["seq"] == 1
    assert oldest == await api.ok("GET", "/v1/events", params={"limit": 1, "cursor": "oldest"})
    account = await api.make("accounts", name="Acme")
    (found,) = await events(api, since=account["created_at"], object="accounts")
    assert found["record_id"] == account["id"]
    assert await events(api, cursor=await now(api)) == []
    listed = await api.ok("GET", "/v1/accounts")
    assert await events(api, cursor=listed["page"]["events_cursor"]) == [] or True
    await api.change(account, name="Acme 2")
    assert [e["type"] for e in await events(api, cursor=listed["page"]["events_cursor"])][-1] == "account.updated"


async def test_bad_requests(api: Api, other_api: Api) -> None:
    async def refused(code: str, **params: Any) -> dict[str, Any]:
        return await api.fails("GET", "/v1/events", 400, code, params=params)

    assert (await refused("unknown_parameter", kind="x"))["errors"][0]["allowed"]
    for params in (
        {"limit": "0"}, {"limit": "1001"}, {"wait": "21"}, {"event_types": "nothing.created"}, {"event_types": "deal.exploded"},
        {"object": "ghosts"}, {"record_id": "x"}, {"since": "yesterday"}, {"since": "2026-01-01T00:00:00Z", "cursor": "now"},
        {"filter": "{}"}, {"filter": "{", "object": "deals"}, {"filter": '{"field":"ghost","op":"changed"}', "object": "deals"},
        {"exclude_own": "maybe"},
    ):  # fmt: skip
        assert (await refused("bad_request", **params))["errors"][0]["parameter"]
    await refused("invalid_cursor", cursor="nonsense")
    await refused("invalid_cursor", cursor=await now(other_api))


async def test_scopes_decide(api: Api) -> None:
    cursor = await now(api)
    deal, account = await api.make("deals", name="One"), await api.make("accounts", name="Acme")
    contact = await api.make("contacts", last_name="King")
    await api.ok("PUT", f"/v1/deals/{deal['id']}/links/contacts/{contact['id']}", json={})
    narrow = await api.with_scopes("deals:read")
    await narrow.fails("GET", "/v1/events", 403, "insufficient_scope")
    await narrow.fails("GET", "/v1/events/stream", 403, "insufficient_scope")
    narrow = await api.with_scopes("events:read", "deals:read")
    found = await events(narrow, cursor=cursor)
    assert [event["record_id"] for event in found] == [deal["id"]]
    assert await events(narrow, cursor=cursor, record_id=account["id"]) == []
    await narrow.fails("GET", f"/v1/events/{(await events(api, cursor=cursor, object='accounts'))[0]['id']}", 404, "not_found")
    both = await api.with_scopes("events:read", "deals:read", "contacts:read")
    assert [event["object"] for event in await events(both, cursor=cursor)] == ["deals", "contacts", "links"]


async def test_tenants_are_apart(api: Api, other_api: Api) -> None:
    account = await api.make("accounts", name="Acme")
    (event,) = await events(api, record_id=account["id"])
    assert await events(other_api, record_id=account["id"]) == []
    await other_api.fails("GET", f"/v1/events/{event['id']}", 404, "not_found")


async def test_waiting_ends_with_the_first_event(api: Api) -> None:
    cursor = await now(api)
    started = monotonic()
    waiting = asyncio.create_task(api.ok("GET", "/v1/events", params={"cursor": cursor, "wait": 20, "object": "accounts"}))
    await asyncio.sleep(0.3)
    await api.make("deals", name="One")  # not what is waited for
    await asyncio.sleep(0.2)
    account = await api.make("accounts", name="Acme")
    page = await waiting
    assert monotonic() - started < 3
    assert [event["record_id"] for event in page["data"]] == [account["id"]]
    started = monotonic()
    page = await api.ok("GET", "/v1/events", params={"cursor": page["page"]["next_cursor"], "wait": 1})
    assert page["data"] == []
    assert 0.9 < monotonic() - started < 3
    assert not api.app.state.feeds._watches


async def test_waiting_holds_no_connection(api: Api) -> None:
    cursor = await now(api)
    pool = api.app.state.services.database.pool
    waiting = [asyncio.create_task(api.ok("GET", "/v1/events", params={"cursor": cursor, "wait": 20})) for _ in range(60)]
    started = monotonic()
    while (pool.in_use > 2 or not api.app.state.feeds._watches) and monotonic() - started < 15:
        await asyncio.sleep(0.2)
    await asyncio.sleep(0.3)
    assert pool.in_use <= 2
    await api.make("accounts", name="Acme")
    assert all(len(page["data"]) == 1 for page in await asyncio.gather(*waiting))
