"""The past: history, `as_of`, and the timeline."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from crm_api.core.clock import format_timestamp, parse_timestamp
from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work
from tests.api import Api
from tests.journal.events import CLOCK

pytestmark = pytest.mark.anyio


def just_after(record: dict[str, Any]) -> str:
    return format_timestamp(parse_timestamp(record["updated_at"]) + timedelta(microseconds=1))


async def test_history_newest_first_page_by_page(api: Api) -> None:
    deal = await api.make("deals", name="One", amount="1")
    for amount in range(2, 8):
        await api.change(deal, amount=str(amount))
    await api.change(deal, name="Two")
    entries = await api.all(f"/v1/deals/{deal['id']}/history")
    assert [entry["version"] for entry in entries] == list(range(8, 0, -1))
    assert set(entries[0]) == {"id", "version", "occurred_at", "actor", "cause", "type", "changes"}
    assert entries[0]["changes"] == {"name": {"old": "One", "new": "Two"}}
    assert entries[-1]["type"] == "deal.created"
    path = f"/v1/deals/{deal['id']}/history?field=amount&limit=3"
    page = await api.ok("GET", path)
    assert [entry["changes"] for entry in page["data"]] == [{"amount": {"old": f"{n - 1}.00", "new": f"{n}.00"}} for n in (7, 6, 5)]
    page = await api.ok("GET", f"{path}&cursor={page['page']['next_cursor']}")
    assert [entry["version"] for entry in page["data"]] == [4, 3, 2]
    await api.fails("GET", f"/v1/deals/{deal['id']}/history?cursor={page['page']['next_cursor']}", 400, "invalid_cursor")
    await api.fails("GET", f"/v1/deals/{deal['id']}/history?field=ghost", 400, "bad_request")


async def test_history_outlives_the_record_and_stays_at_home(api: Api, other_api: Api) -> None:
    account = await api.make("accounts", name="Acme")
    path = f"/v1/accounts/{account['id']}/history"
    await api.ok("DELETE", f"/v1/accounts/{account['id']}")
    assert [entry["type"] for entry in await api.all(path)] == ["account.deleted", "account.created"]
    await api.ok("DELETE", f"/v1/accounts/{account['id']}?purge=true")
    found = await api.all(path)
    assert [entry["type"] for entry in found] == ["account.purged", "account.deleted", "account.created"]
    assert "Acme" not in str(found)
    await other_api.fails("GET", path, 404, "not_found")
    await api.fails("GET", f"/v1/deals/{account['id']}/history", 404, "not_found")


async def test_a_record_as_it_was(api: Api) -> None:
    first = await api.make(
        "accounts", name="Acme", industry="Steel", billing_address={"city": "Köln"}, external_ids={"erp": "1"}, tags=["a"]
    )
    moments = [(first, just_after(first))]
    bodies: list[dict[str, Any]] = [
        {"name": "Acme Two"},
        {"industry": None, "tags": []},
        {"external_ids": {"erp": None, "crm": "9"}},
        {"billing_address": {"city": "Bonn"}},
    ]
    for body in bodies:
        await asyncio.sleep(0.002)
        record = await api.change(first, **body)
        moments.append((record, just_after(record)))
    for record, moment in moments:
        assert await api.get(first, as_of=moment) == record
    before = format_timestamp(parse_timestamp(first["created_at"]) - timedelta(seconds=1))
    await api.fails("GET", f"/v1/accounts/{first['id']}", 404, "not_found", params={"as_of": before})


async def test_a_table_as_it_was(api: Api) -> None:
    one, two = await api.make("accounts", name="One", industry="Steel"), await api.make("accounts", name="Zwölf")
    gone = await api.make("accounts", name="Gone")
    moment = just_after(gone)
    await asyncio.sleep(0.002)
    changed = await api.change(one, name="Eins", industry="Wood")
    await api.change(two, name="Two")
    await api.ok("DELETE", f"/v1/accounts/{gone['id']}")
    await api.make("accounts", name="New")

    async def names(at: str, **body: Any) -> list[str]:
        page = await api.ok("POST", "/v1/accounts/search", json={"as_of": at, "sort": ["name"], **body})
        return [record["name"] for record in page["data"]]

    assert await names(moment) == ["Gone", "One", "Zwölf"]
    assert await names(moment, filter={"field": "name", "value": "ZWOLF"}) == ["Zwölf"]
    assert await names(moment, filter={"field": "industry", "value": "wood"}) == []
    assert await names(format_timestamp(CLOCK.now()), filter={"field": "industry", "value": "wood"}) == ["Eins"]
    assert await names(just_after(changed)) == ["Eins", "Gone", "Zwölf"]


async def test_without_snapshots_the_events_tell(api: Api) -> None:
    """What is older than snapshots are kept is made from the present record and the old values in the events since."""
    account = await api.make("accounts", name="Grün & Co", industry="Steel", external_ids={"erp": "1"}, employees=5)
    moment = just_after(account)
    await asyncio.sleep(0.002)
    await api.change(account, name="Blau", employees=6)
    await api.change(account, name="Rot", external_ids={"erp": None, "crm": "7"}, annual_revenue="10.00")
    services = api.app.state.services
    async with unit_of_work(services.database, api.org_id, CLOCK) as uow:
        await uow.fetch(Statement("DELETE FROM event_snapshots WHERE org_id = $1", ("org_id",)), {"org_id": api.org_id})
    assert await api.get(account, as_of=moment) == account
    found = await api.ok("POST", "/v1/accounts/search", json={"as_of": moment, "filter": {"field": "name", "value": "grun & co"}})
    assert [record["id"] for record in found["data"]] == [account["id"]]


async def test_limits_of_looking_back(api: Api) -> None:
    long_ago = format_timestamp(CLOCK.now() - timedelta(days=31))
    await api.fails("POST", "/v1/accounts/search", 422, "too_expensive", json={"as_of": long_ago})
    future = format_timestamp(CLOCK.now() + timedelta(days=1))
    await api.fails("GET", "/v1/accounts", 400, "bad_request", params={"as_of": future})


async def test_the_timeline_of_an_account(api: Api) -> None:
    account = await api.make("accounts", name="Acme")
    contact = await api.make("contacts", last_name="King")
    deal = await api.make("deals", name="Big", account_id=account["id"])
    case = await api.make("cases", subject="Broken", account_id=account["id"])
    comment = await api.make("case_comments", case_id=case["id"], body={"format": "text", "content": "Sorry"})
    note = await api.make("notes", body={"format": "text", "content": "Called"})
    task = await api.make("tasks", subject="Call back")
    for kind, record in (("notes", note), ("tasks", task)):
        await api.ok("PUT", f"/v1/accounts/{account['id']}/links/{kind}/{record['id']}", json={})
    await api.ok("PUT", f"/v1/accounts/{account['id']}/links/contacts/{contact['id']}", json={})
    await api.change(account, name="Acme Corp")
    path = f"/v1/accounts/{account['id']}/timeline"
    entries = await api.all(path)
    assert entries == sorted(entries, key=lambda entry: (entry["occurred_at"], entry["id"]), reverse=True)
    kinds = [entry["type"] for entry in entries]
    assert sorted(kinds) == sorted(["changes"] * 2 + ["links"] * 3 + ["deals", "cases", "case_comments", "notes", "tasks"])
    records = {entry["type"]: entry["record"] for entry in entries if entry["record"]}
    assert records["deals"]["id"] == deal["id"]
    assert records["case_comments"] == await api.get(comment)
    assert entries[0]["changes"] == {"name": {"old": "Acme", "new": "Acme Corp"}}
    assert [entry["type"] for entry in await api.all(path, types="notes,tasks")] == ["tasks", "notes"]
    paged: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await api.ok("GET", path, params={"limit": 3, **({"cursor": cursor} if cursor else {})})
        paged += page["data"]
        cursor = page["page"]["next_cursor"]
        if cursor is None:
            break
    assert paged == entries
    await api.fails("GET", f"{path}?types=ghosts", 400, "bad_request")
    narrow = await api.with_scopes("accounts:read", "notes:read")
    assert {entry["type"] for entry in await narrow.all(path)} == {"changes", "links", "notes"}
    await api.ok("DELETE", f"/v1/notes/{note['id']}")
    assert "notes" not in {entry["type"] for entry in await api.all(path)}


async def test_timelines_of_contacts_and_deals(api: Api) -> None:
    contact, deal = await api.make("contacts", last_name="King"), await api.make("deals", name="Big")
    await api.ok("PUT", f"/v1/deals/{deal['id']}/links/contacts/{contact['id']}", json={"roles": ["decision_maker"]})
    case = await api.make("cases", subject="Broken", contact_id=contact["id"])
    await api.make("case_comments", case_id=case["id"], body={"format": "text", "content": "Sorry"})
    found = {entry["type"] for entry in await api.all(f"/v1/contacts/{contact['id']}/timeline")}
    assert found == {"changes", "links", "deals", "cases", "case_comments"}
    assert {entry["type"] for entry in await api.all(f"/v1/deals/{deal['id']}/timeline")} == {"changes", "links"}


async def test_timelines_belong_to_visible_records(api: Api, other_api: Api) -> None:
    account = await api.make("accounts", name="Acme")
    path = f"/v1/accounts/{account['id']}/timeline"
    await other_api.fails("GET", path, 404, "not_found")
    await api.ok("DELETE", f"/v1/accounts/{account['id']}")
    await api.fails("GET", path, 410, "deleted")
