"""What is rolled back has no event; what is committed has one for each change, which names the fields that changed and no others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import Api, Record

pytestmark = pytest.mark.anyio

TABLES = ("events", "event_snapshots")


async def cursor_of(api: Api) -> str:
    return str((await api.ok("GET", "/v1/me"))["events_cursor"])


async def since(api: Api, cursor: str) -> list[Record]:
    found: list[Record] = (await api.ok("GET", "/v1/events", params={"cursor": cursor, "limit": 1000}))["data"]
    return found


async def rows(api: Api) -> list[int]:
    """What is in the tables themselves: a row that never got a number would not show in the journal."""
    async with api.app.state.services.database.connection() as connection, connection.driver.transaction():
        await connection.driver.execute(f"SET LOCAL app.org_id = '{api.org_id}'")
        counts = [await connection.driver.fetchval(f"SELECT count(*) FROM {table} WHERE org_id = $1", api.org_id) for table in TABLES]
        waiting = await connection.driver.fetchval("SELECT count(*) FROM outbox WHERE org_id = $1", api.org_id)
        numbered = await connection.driver.fetchval("SELECT count(*) FROM journal WHERE org_id = $1", api.org_id)
    return [*counts, waiting + numbered]


def told(events: list[Record]) -> list[tuple[str, str, list[str]]]:
    return [(event["type"], event["record_id"], sorted(event["changes"])) for event in events]


async def test_what_is_rolled_back_has_no_event(api: Api) -> None:
    held = await api.make("contacts", last_name="Held", email="one@acme.example")
    other = await api.make("contacts", last_name="Other")
    cursor, before = await cursor_of(api), await rows(api)

    new, taken = {"last_name": "New"}, {"last_name": "New", "email": "one@acme.example"}
    await api.fails("POST", "/v1/contacts", 409, "duplicate", json=taken)
    await api.fails("PATCH", f"/v1/contacts/{other['id']}", 412, "version_conflict", json=new, headers={"if-match": '"7"'})
    items = [new, {**new, "title": "x"}, taken]
    await api.fails("POST", "/v1/contacts/batch/create", 409, "duplicate", json={"mode": "atomic", "items": items})
    operations: list[dict[str, Any]] = [
        {"ref": "a", "method": "POST", "path": "/v1/accounts", "body": {"name": "Acme"}},
        {"method": "PATCH", "path": f"/v1/contacts/{other['id']}", "body": {"account_id": "$a.id"}},
        {"method": "POST", "path": "/v1/contacts", "body": taken},
    ]
    answer = await api.http.post("/v1/composite", json={"atomic": True, "operations": operations})
    assert answer.status_code == 409, answer.text
    for method, path, body in (
        ("POST", "/v1/contacts", new),
        ("PATCH", f"/v1/contacts/{other['id']}", new),
        ("POST", "/v1/contacts/merge", {"winner_id": held["id"], "loser_ids": [other["id"]]}),
    ):
        await api.ok(method, path, params={"dry_run": "true"}, json=body)
    await api.ok("DELETE", f"/v1/contacts/{other['id']}", params={"dry_run": "true"})
    await api.change(other, last_name="Other")  # changes nothing

    assert await since(api, cursor) == []
    assert await rows(api) == before
    result = await api.ok("POST", "/v1/contacts/batch/create", json={"mode": "partial", "items": items[1:]}, status=207)
    assert [one["status"] for one in result["results"]] == [201, 409]
    assert [event["record_id"] for event in await since(api, cursor)] == [result["results"][0]["id"]]
    assert await rows(api) == [count + 1 for count in before]


async def test_an_update_names_what_has_changed(api: Api) -> None:
    await api.ok("POST", "/v1/meta/accounts/fields", json={"api_name": "tier", "label": "Tier", "type": "text"}, status=201)
    account = await api.make("accounts", name="Acme", industry="steel", external_ids={"erp": "1"}, custom_fields={"tier": "gold"})
    cursor, before = await cursor_of(api), await rows(api)
    body = {
        "name": "Acme",
        "industry": "software",
        "employees": 5,
        "custom_fields": {"tier": "silver"},
        "external_ids": {"erp": None, "crm": "7"},
    }
    changed = await api.change(account, **body)
    [event] = await since(api, cursor)
    assert event["changes"] == {
        "industry": {"old": "steel", "new": "software"},
        "employees": {"old": None, "new": 5},
        "custom_fields.tier": {"old": "gold", "new": "silver"},
        "external_ids.erp": {"old": "1", "new": None},
        "external_ids.crm": {"old": None, "new": "7"},
    }
    assert (event["type"], event["version"], event["record"]) == ("account.updated", changed["version"], changed)
    assert await rows(api) == [count + 1 for count in before]


async def test_one_transaction_makes_one_event_of_each_record(api: Api) -> None:
    """However often it was written: from what it was before to what it is after."""
    deal = await api.make("deals", name="Robots", amount="1.00")
    cursor = await cursor_of(api)
    path = f"/v1/deals/{deal['id']}"
    operations: list[dict[str, Any]] = [
        {"method": "PATCH", "path": path, "body": {"amount": "2.00", "next_step": "Call"}},
        {"ref": "n", "method": "POST", "path": "/v1/accounts", "body": {"name": "Acme"}},
        {"method": "PATCH", "path": path, "body": {"amount": "3.00", "account_id": "$n.id"}},
    ]
    answer = await api.ok("POST", "/v1/composite", json={"atomic": True, "operations": operations})
    events = {event["record_id"]: event for event in await since(api, cursor)}
    made = answer["results"][1]["body"]["id"]
    assert set(events) == {deal["id"], made}
    assert events[deal["id"]]["changes"]["amount"] == {"old": "1.00", "new": "3.00"}
    assert {"next_step", "account_id"} <= set(events[deal["id"]]["changes"])
    assert events[deal["id"]]["record"] == await api.get(deal)
    transactions = [event["transaction"] for event in events.values()]
    assert len({one["id"] for one in transactions}) == 1
    assert sorted((one["index"], one["last"]) for one in transactions) == [(0, False), (1, True)]


async def test_a_merge_tells_of_winner_and_losers(api: Api) -> None:
    winner = await api.make("contacts", last_name="King", title="Boss")
    losers = [await api.make("contacts", last_name=f"King {n}", phone=f"+4930123456{n}", department="Sales") for n in range(2)]
    cursor, before = await cursor_of(api), await rows(api)
    body = {"winner_id": winner["id"], "loser_ids": [one["id"] for one in losers], "field_choices": {"department": losers[0]["id"]}}
    await api.ok("POST", "/v1/contacts/merge", json=body)
    events = await since(api, cursor)
    by_record = {event["record_id"]: event for event in events}
    assert len(events) == len(by_record) == 3
    assert by_record[winner["id"]]["type"] == "contact.merged"
    now = await api.get(winner)
    changed = {name for name in now if name not in ("version", "updated_at", "updated_by", "display_name") and now[name] != winner[name]}
    assert "department" in changed
    assert "title" not in by_record[winner["id"]]["changes"]
    assert {name.partition(".")[0] for name in by_record[winner["id"]]["changes"]} == changed
    for loser in losers:
        event = by_record[loser["id"]]
        assert (event["type"], event["cause"]["action"]) == ("contact.merged", "contacts.merge")
        assert list(event["changes"]) == ["deleted_at"]
    assert (await rows(api))[0] == before[0] + 3


async def test_batches_tell_of_each_record_apart(api: Api) -> None:
    made = [await api.make("contacts", last_name=f"Person {n}", title="A") for n in range(3)]
    cursor, before = await cursor_of(api), await rows(api)
    items = [{"id": made[0]["id"], "title": "B"}, {"id": made[1]["id"], "title": "A"}, {"id": made[2]["id"], "department": "Sales"}]
    answer = await api.ok("POST", "/v1/contacts/batch/update", json={"items": items}, status=207)
    assert [one["outcome"] for one in answer["results"]] == ["updated", "unchanged", "updated"]
    assert told(await since(api, cursor)) == [
        ("contact.updated", made[0]["id"], ["title"]),
        ("contact.updated", made[2]["id"], ["department"]),
    ]
    deleted = [{"id": one["id"]} for one in made]
    cursor = await cursor_of(api)
    await api.ok("POST", "/v1/contacts/batch/delete", json={"items": deleted}, status=207)
    await api.ok("POST", "/v1/contacts/batch/delete", json={"items": deleted}, status=207)
    assert [(event["type"], event["record_id"]) for event in await since(api, cursor)] == [("contact.deleted", one["id"]) for one in made]
    assert await rows(api) == [count + 5 for count in before]
