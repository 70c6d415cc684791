"""Taking the values out of one event: gone wherever events are shown, while everything around it stays as it was."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import orjson
import pytest

from crm_api.http.app import Application, create_app
from crm_api.settings import Settings
from tests.access.people import colleague, share_out
from tests.api import Api, Record, new_organization
from tests.http.support import served

pytestmark = pytest.mark.anyio

SECRET = "hunter2-AKIA-9f8e7d"
GONE = {"old": None, "new": None}


async def cursor_of(api: Api) -> str:
    return str((await api.ok("GET", "/v1/me"))["events_cursor"])


async def since(api: Api, cursor: str, **params: Any) -> list[Record]:
    found: list[Record] = (await api.ok("GET", "/v1/events", params={"cursor": cursor, "limit": 1000, **params}))["data"]
    return found


async def remove(api: Api, event: Record) -> None:
    await api.ok("DELETE", f"/v1/events/{event['id']}/payload", status=204)


async def test_a_secret_in_the_wrong_field_is_gone_for_good(api: Api) -> None:
    start = await cursor_of(api)
    contact = await api.make("contacts", last_name="King", title="Boss")
    leaked = await api.change(contact, description=SECRET, title="Chief")
    between = await api.change(contact, department="Sales")
    clean = await api.change(contact, description=None)
    events = await since(api, start)
    assert [SECRET in str(event) for event in events] == [False, True, True, True]
    for event in events[1:]:
        await remove(api, event)
        await remove(api, event)  # once more changes nothing
    after = await since(api, start)
    assert SECRET not in str(after)
    history = (await api.ok("GET", f"/v1/contacts/{contact['id']}/history"))["data"]
    assert SECRET not in str(history)
    assert [sorted(entry["changes"]) for entry in history[::-1][1:]] == [["description", "title"], ["department"], ["description"]]
    for old, new in zip(events[1:], after[1:], strict=True):
        assert new["record"] is None
        assert set(new["changes"]) == set(old["changes"])
        assert all(change == GONE for change in new["changes"].values())
        cause = {name: value for name, value in old["cause"].items() if name not in ("request_id", "idempotency_key")}
        assert new == {**old, "record": None, "changes": new["changes"], "cause": cause}
        assert await api.ok("GET", f"/v1/events/{old['id']}") == new
    assert after[0] == events[0]
    # the past is read as far as it is known, and nothing of it fails
    assert (await api.get(contact, as_of=contact["updated_at"]))["title"] == "Boss"
    for was in (leaked, between, clean):
        told = await api.get(contact, as_of=was["updated_at"])
        assert (told["version"], told["last_name"], told["description"]) == (was["version"], "King", None)
        found = await api.ok("POST", "/v1/contacts/search", json={"as_of": was["updated_at"]})
        assert [row["version"] for row in found["data"]] == [was["version"]]
    assert await api.get(contact) == clean
    log = (await api.ok("GET", "/v1/audit", params={"action": "event.payload_removed"}))["data"]
    assert sorted(entry["details"]["event_id"] for entry in log) == sorted(event["id"] for event in events[1:])
    assert {entry["record_id"] for entry in log} == {contact["id"]}


async def test_links_deleted_records_and_what_is_not_there(api: Api, other_api: Api) -> None:
    start = await cursor_of(api)
    deal, contact = await api.make("deals", name="One"), await api.make("contacts", last_name="King")
    await api.ok("PUT", f"/v1/deals/{deal['id']}/links/contacts/{contact['id']}", json={"roles": ["decision_maker"]})
    await api.ok("DELETE", f"/v1/deals/{deal['id']}")
    link, gone = (await since(api, start))[-2:]
    for event in (link, gone):
        await remove(api, event)
        assert (await api.ok("GET", f"/v1/events/{event['id']}"))["record"] is None
    assert [entry["type"] for entry in await since(api, start)][-2:] == ["link.created", "deal.deleted"]
    restored = await api.ok("POST", f"/v1/deals/{deal['id']}/restore")
    assert restored["name"] == "One"
    await other_api.fails("DELETE", f"/v1/events/{link['id']}/payload", 404, "not_found")
    await api.fails("DELETE", f"/v1/events/{deal['id']}/payload", 404, "not_found")
    await api.fails("DELETE", "/v1/events/nothing/payload", 404, "not_found")
    await api.ok("DELETE", f"/v1/events/{gone['id']}/payload", params={"dry_run": "true"})


async def test_only_administrators_may(api: Api) -> None:
    start = await cursor_of(api)
    await api.make("contacts", last_name="King")
    [event] = await since(api, start)
    bob = await colleague(api)
    await bob.fails("DELETE", f"/v1/events/{event['id']}/payload", 403, "forbidden")
    narrow = await api.with_scopes("events:read", "contacts:write")
    await narrow.fails("DELETE", f"/v1/events/{event['id']}/payload", 403, "insufficient_scope")
    await api.ok("DELETE", f"/v1/events/{event['id']}/payload", params={"dry_run": "true"})
    assert (await since(api, start))[0] == event


async def test_nobody_takes_an_emptied_event_for_a_record_out_of_sight(api: Api) -> None:
    """Where rules look at values, those of an emptied event are unknown: it is not told of as `hidden`, and what follows is as ever."""
    await share_out(api, contacts="private", deals="private")
    grace = await colleague(api)
    user = {"type": "user", "id": str(grace.user_id)}
    await api.make(
        "sharing_rules", name="Berlin", applies_to="contacts", criteria={"field": "address.city", "value": "Berlin"}, share_with=user
    )
    start = await cursor_of(api)
    contact = await api.make("contacts", last_name="King", address={"city": "Berlin"})
    await api.change(contact, title=SECRET)
    await api.change(contact, title="Boss")
    own = await grace.make("deals", name="Hers")
    await api.change(own, next_step=SECRET)
    events = await since(api, start)
    for event in events:
        if SECRET in str(event["record"]):
            await remove(api, event)
    told = await since(grace, start)
    assert [(event["type"], event["version"]) for event in told] == [
        ("contact.created", 1),
        ("contact.updated", 3),
        ("deal.created", 1),
        ("deal.updated", 2),  # who owns it stands in the event itself
    ]
    assert (told[-1]["changes"], told[-1]["record"]) == ({"next_step": GONE}, None)
    await api.change(contact, address={"city": "Bonn"})
    assert (await since(grace, start))[-1]["type"] == "contact.hidden"


async def test_streams_forget_it_too(settings: Settings) -> None:
    """What a process keeps of the latest events for streams that resume is dropped, in every process."""
    apps = [create_app(settings.model_copy(update={"db_pool_size": 6})) for _ in range(2)]
    first, second = apps
    assert isinstance(first, Application)
    assert isinstance(second, Application)
    async with served(first) as port, served(second) as other, new_organization(first) as api:
        start = await cursor_of(api)

        async def follow(port: int, cursor: str, count: int, by: str = "cursor") -> list[Record]:
            """The next events of a stream."""
            found: list[Record] = []
            headers = {"authorization": f"Bearer {api.token}"}
            url = f"http://127.0.0.1:{port}/v1/events/stream?{by}={cursor}"
            async with httpx.AsyncClient(timeout=20) as http, http.stream("GET", url, headers=headers) as answer:
                event = False
                async for line in answer.aiter_lines():
                    event = event or line.startswith("event:")
                    if line.startswith("data:") and not event:
                        found.append(orjson.loads(line.removeprefix("data:")))
                        if len(found) == count:
                            break
                    elif not line:
                        event = False
            return found

        last = await cursor_of(api)
        # one stream stays open in each process, so that both keep what comes
        waiting = [asyncio.create_task(follow(one, last, 4)) for one in (port, other)]
        await asyncio.sleep(0.3)
        contact = await api.make("contacts", last_name="King", description=SECRET)
        await api.change(contact, description=None)
        for one in (port, other):
            assert SECRET in str(await follow(one, start, 2))
        await api.ok("POST", "/v1/event_consumers/follower/seek", json={"cursor": start})
        assert await follow(port, "follower", 2, by="consumer") == await since(api, start)
        for event in await since(api, start):
            await remove(api, event)
        for _ in range(40):
            shown = [str(await follow(one, start, 2)) for one in (port, other)]
            if not any(SECRET in text for text in shown):
                break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError("a stream still shows it")
        await api.change(contact, title="A")
        await api.change(contact, title="B")
        seen = await asyncio.gather(*waiting)
        assert [event["type"] for event in seen[0]] == ["contact.created"] + ["contact.updated"] * 3
