"""Segments: members, filters by them, previews that keep their word, and one event for each who comes or goes."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest

from crm_api.core.clock import SystemClock
from crm_api.db.engine import Database
from crm_api.flows import segments
from crm_api.flows.organizations import system_context
from crm_api.jobs.runner import Runner
from crm_api.jobs.timers import Timers
from tests.api import Api, Record
from tests.jobs.support import finished

pytestmark = pytest.mark.anyio

HOT = {"field": "rating", "value": "hot"}


async def _contacts(api: Api, count: int, **more: Any) -> list[Record]:
    return [await api.make("contacts", last_name=f"{n}", **more) for n in range(count)]


async def _members(api: Api, segment: Record, **params: Any) -> list[str]:
    path = f"/v1/segments/{segment['id']}/members"
    return [row["id"] for row in await api.all(path, sort="created_at", **params)]


async def _events(api: Api, segment: Record) -> Counter[tuple[str, str]]:
    found = (
        await api.ok("GET", "/v1/events", params={"record_id": segment["id"], "event_types": "segment.member_added,segment.member_removed"})
    )["data"]
    return Counter((event["type"], (event["changes"]["record_id"]["new"] or event["changes"]["record_id"]["old"])) for event in found)


async def _refresh(api: Api, segment: Record) -> None:
    job = await api.ok("POST", f"/v1/segments/{segment['id']}/refresh", status=202)
    services = api.app.state.services
    database = Database(services.settings.database_url, pool_size=4)  # a worker's own; it also looks across organisations
    runner = asyncio.create_task(Runner(database, services.clock, services.engine, services.settings.data_dir).run())
    try:
        done = await finished(api, job)
    finally:
        runner.cancel()
        with suppress(asyncio.CancelledError):
            await runner
        await database.close()
    assert done["status"] == "succeeded", done


async def test_static_members(api: Api) -> None:
    contacts = await _contacts(api, 3)
    segment = await api.make("segments", name="Invited", applies_to="contacts")
    path = f"/v1/segments/{segment['id']}/members"
    for contact in contacts[:2]:
        for _ in range(2):  # again changes nothing
            await api.ok("PUT", f"{path}/{contact['id']}")
    assert await _members(api, segment) == [contacts[0]["id"], contacts[1]["id"]]
    assert (await api.get(segment))["member_count"] == 2
    await api.ok("DELETE", f"{path}/{contacts[0]['id']}")
    await api.fails("DELETE", f"{path}/{contacts[0]['id']}", 404, "not_found")
    assert await _members(api, segment) == [contacts[1]["id"]]
    assert await _events(api, segment) == {
        ("segment.member_added", contacts[0]["id"]): 1,
        ("segment.member_added", contacts[1]["id"]): 1,
        ("segment.member_removed", contacts[0]["id"]): 1,
    }
    of_record = (await api.ok("GET", "/v1/events", params={"record_id": contacts[0]["id"]}))["data"]
    assert [event["type"] for event in of_record] == ["contact.created", "segment.member_added", "segment.member_removed"]


async def test_batches_of_members(api: Api) -> None:
    contacts = await _contacts(api, 3)
    lead = await api.make("leads", last_name="King")
    segment = await api.make("segments", name="Invited", applies_to="contacts")
    path = f"/v1/segments/{segment['id']}/members/batch"
    items = [{"id": contacts[0]["id"]}, {"id": lead["id"]}, {"id": contacts[1]["id"]}, {"id": contacts[0]["id"]}]
    results = (await api.ok("POST", f"{path}/put", json={"items": items}, status=207))["results"]
    assert [result["status"] for result in results] == [200, 404, 200, 422]
    results = (await api.ok("POST", f"{path}/delete", json={"items": [{"id": contacts[1]["id"]}, {"id": contacts[2]["id"]}]}, status=207))[
        "results"
    ]
    assert [result["status"] for result in results] == [200, 404]
    assert await _members(api, segment) == [contacts[0]["id"]]
    await api.fails("POST", f"{path}/put", 422, "validation_failed", json={"items": []})


async def test_filters_and_expansions_by_segment(api: Api) -> None:
    contacts = await _contacts(api, 3)
    segment = await api.make("segments", name="Invited", applies_to="contacts")
    await api.ok("PUT", f"/v1/segments/{segment['id']}/members/{contacts[1]['id']}")
    tree = {"field": "segments", "any": {"field": "id", "value": segment["id"]}}
    found = await api.ok("POST", "/v1/contacts/search", json={"filter": tree, "expand": ["segments"]})
    assert [row["id"] for row in found["data"]] == [contacts[1]["id"]]
    assert found["data"][0]["segments"]["data"][0]["name"] == "Invited"
    outside = await api.ok("POST", "/v1/contacts/search", json={"filter": {"not": tree}})
    assert len(outside["data"]) == 2
    await api.fails("PUT", f"/v1/segments/{segment['id']}/links/contacts/{contacts[0]['id']}", 404, "not_found", json={})


async def test_dynamic_members_and_their_events(api: Api) -> None:
    contacts = await _contacts(api, 3, rating="hot")
    cold = await api.make("contacts", last_name="cold", rating="cold")
    segment = await api.make("segments", name="Hot", applies_to="contacts", kind="dynamic", filter=HOT)
    path = f"/v1/segments/{segment['id']}"
    assert await _members(api, segment) == [contact["id"] for contact in contacts]
    assert await api.ok("POST", f"{path}/preview") == {"count": 3, "added": 3, "removed": 0}
    await _refresh(api, segment)
    assert (await api.get(segment))["member_count"] == 3
    assert await api.ok("POST", f"{path}/preview") == {"count": 3, "added": 0, "removed": 0}
    await _refresh(api, segment)
    await api.change(contacts[0], rating="cold")
    await api.change(cold, rating="hot")
    await api.ok("DELETE", f"/v1/contacts/{contacts[1]['id']}")
    preview = await api.ok("POST", f"{path}/preview")
    assert preview == {"count": 2, "added": 1, "removed": 2}
    await _refresh(api, segment)
    assert await _members(api, segment) == [contacts[2]["id"], cold["id"]]
    assert (await api.get(segment))["member_count"] == preview["count"]
    assert await _events(api, segment) == {
        **{("segment.member_added", contact["id"]): 1 for contact in (*contacts, cold)},
        **{("segment.member_removed", contact["id"]): 1 for contact in contacts[:2]},
    }
    tried = await api.ok("POST", f"{path}/preview", json={"filter": {"field": "rating", "value": "cold"}})
    assert tried == {"count": 1, "added": 1, "removed": 2}
    problem = await api.fails("POST", f"{path}/preview", 422, "validation_failed", json={"filter": {"field": "nonsense", "value": 1}})
    assert problem["errors"][0]["pointer"] == "/filter/field"
    await api.fails("PUT", f"{path}/members/{cold['id']}", 409, "conflict")


async def test_each_change_is_told_once_whoever_refreshes(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "STEP", 7)
    contacts = await _contacts(api, 20, rating="hot")
    segment = await api.make("segments", name="Hot", applies_to="contacts", kind="dynamic", filter=HOT)
    database = api.app.state.services.database

    async def refresh() -> None:
        while True:
            async with system_context(database, api.org_id, SystemClock(), user_id=api.user_id) as context:
                left = await segments.refresh(context, UUID(segment["id"]))
            if left is None or not (left.added or left.removed):
                return

    await asyncio.gather(*(refresh() for _ in range(5)))
    assert await _events(api, segment) == {("segment.member_added", contact["id"]): 1 for contact in contacts}


async def test_dynamic_segments_follow_by_themselves(api: Api) -> None:
    await _contacts(api, 2, rating="hot")
    segment = await api.make("segments", name="Hot", applies_to="contacts", kind="dynamic", filter=HOT)
    services = api.app.state.services
    database = Database(services.settings.database_url, pool_size=4)
    timers = Timers(database, services.clock, services.engine, services.settings.data_dir)
    while await timers.fire(api.org_id):
        pass
    assert (await api.get(segment))["member_count"] == 2
    assert sum((await _events(api, segment)).values()) == 2
    await api.change(segment, filter={"field": "rating", "value": "cold"})
    while await timers.fire(api.org_id):
        pass
    await database.close()
    assert (await api.get(segment))["member_count"] == 0
    assert sum((await _events(api, segment)).values()) == 4


async def test_members_need_both_scopes(api: Api, other_api: Api) -> None:
    [contact] = await _contacts(api, 1)
    segment = await api.make("segments", name="Invited", applies_to="contacts")
    path = f"/v1/segments/{segment['id']}/members"
    narrow = await api.with_scopes("segments:write")
    await narrow.fails("GET", path, 403, "insufficient_scope")
    await narrow.fails("PUT", f"{path}/{contact['id']}", 403, "insufficient_scope")
    reader = await api.with_scopes("segments:read", "contacts:read")
    await reader.ok("GET", path)
    await reader.fails("PUT", f"{path}/{contact['id']}", 403, "insufficient_scope")
    for method, at in (("GET", path), ("PUT", f"{path}/{contact['id']}"), ("POST", f"/v1/segments/{segment['id']}/preview")):
        await other_api.fails(method, at, 404, "not_found")
    stranger = (await _contacts(other_api, 1))[0]
    await api.fails("PUT", f"{path}/{stranger['id']}", 404, "not_found")


async def test_segments_of_an_organisations_own_objects(api: Api) -> None:
    body = {"api_name": "visits", "singular": "visit", "label": "Visit", "plural_label": "Visits"}
    await api.ok("POST", "/v1/meta/objects", json=body, status=201)
    visits = [await api.make("visits", name=f"{n}") for n in range(2)]
    segment = await api.make("segments", name="Some", applies_to="visits")
    await api.ok("PUT", f"/v1/segments/{segment['id']}/members/{visits[1]['id']}")
    assert await _members(api, segment) == [visits[1]["id"]]
    tree = {"field": "segments", "any": {"field": "name", "value": "Some"}}
    assert len((await api.ok("POST", "/v1/visits/search", json={"filter": tree}))["data"]) == 1
