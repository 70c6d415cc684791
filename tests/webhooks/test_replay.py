"""Sending again: only what is asked for, under the same id, once; and not sending what waits."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from crm_api.db.engine import Database
from crm_api.db.uow import unit_of_work
from crm_api.jobs.runner import Runner
from tests.api import Record
from tests.webhooks.conftest import Hooks
from tests.webhooks.receiver import Reply

pytestmark = pytest.mark.anyio

EVER = {"since": "2026-01-01T00:00:00Z"}


def path(endpoint: Record, verb: str) -> str:
    return f"/v1/webhook_endpoints/{endpoint['id']}/{verb}"


@asynccontextmanager
async def worker(hooks: Hooks) -> AsyncIterator[Runner]:
    """What runs jobs."""
    services = hooks.api.app.state.services
    database = Database(services.settings.database_url)
    try:
        yield Runner(database, services.clock, services.engine, services.settings.data_dir)
    finally:
        await database.close()


async def replayed(hooks: Hooks, endpoint: Record, **body: Any) -> Record:
    """The job, once it has run."""
    job = await hooks.api.ok("POST", path(endpoint, "replay"), json={**EVER, **body}, status=202)
    async with worker(hooks) as runner:
        await runner.step()
        await runner.settle()
    found: Record = await hooks.api.ok("GET", f"/v1/jobs/{job['id']}")
    assert found["status"] == "succeeded", found
    return found


async def counted(hooks: Hooks, endpoint: Record, **body: Any) -> int:
    answer = await hooks.api.ok("POST", path(endpoint, "replay"), json={**EVER, "dry_run": True, **body}, status=200)
    assert answer["complete"]
    return int(answer["count"])


async def contacts(hooks: Hooks, count: int) -> list[Record]:
    made = await hooks.api.ok("POST", "/v1/contacts/batch/create", json={"items": [{"last_name": f"C{n}"} for n in range(count)]})
    return [result["record"] for result in made["results"]]


async def statuses(hooks: Hooks, endpoint: Record) -> Counter[str]:
    found = await hooks.api.all("/v1/webhook_deliveries", endpoint_id=endpoint["id"])
    return Counter(one["status"] for one in found)


def ids(hooks: Hooks) -> list[str]:
    return [received.id for received in hooks.receiver.received]


def names(events: Iterable[Record]) -> set[str]:
    return {event["record"]["last_name"] for event in events}


async def test_what_failed_is_sent_again_and_nothing_else(hooks: Hooks) -> None:
    """Under the same id; what has arrived is left alone, and a second replay finds nothing."""
    endpoint = await hooks.endpoint("contact.created")
    await contacts(hooks, 4)
    hooks.receiver.answer = lambda received: Reply(500 if received.event["record"]["last_name"] in ("C1", "C3") else 200)
    await hooks.run()
    assert await hooks.api.ok("POST", path(endpoint, "cancel-pending"), json={}) == {"cancelled": 2}
    assert await statuses(hooks, endpoint) == {"succeeded": 2, "cancelled": 2}
    before = ids(hooks)
    hooks.receiver.received.clear()
    hooks.receiver.answer = lambda _: Reply()
    assert await counted(hooks, endpoint) == 2
    assert await counted(hooks, endpoint, only="missing") == 0
    assert await counted(hooks, endpoint, only="all") == 4
    assert await counted(hooks, endpoint, event_types=["contact.deleted"]) == 0
    assert (await replayed(hooks, endpoint))["result"] == {"deliveries": 2}
    await hooks.run()
    assert names(hooks.receiver.events) == {"C1", "C3"}
    assert set(ids(hooks)) < set(before)
    assert await statuses(hooks, endpoint) == {"succeeded": 4}
    assert (await replayed(hooks, endpoint))["result"] == {"deliveries": 0}
    [manual] = [one for one in (await hooks.api.ok("GET", path(endpoint, "attempts")))["data"] if one["trigger"] == "manual"][:1]
    assert manual["succeeded"]


async def test_what_was_never_meant_for_it_is_sent(hooks: Hooks) -> None:
    """To an endpoint that is younger than the events, by its types and filters."""
    await contacts(hooks, 5)
    await hooks.api.make("accounts", name="Not asked for")
    tree = {"field": "last_name", "op": "in", "value": ["C1", "C2", "C3"]}
    endpoint = await hooks.endpoint("contact.*", "account.*", filters=[{"object": "contacts", "filter": tree}])
    await hooks.run()
    assert hooks.receiver.received == []
    assert await counted(hooks, endpoint, only="failed") == 0
    assert await counted(hooks, endpoint, only="missing", event_types=["contact.*"]) == 3
    await replayed(hooks, endpoint, only="missing", event_types=["contact.*"])
    await hooks.run()
    assert names(hooks.receiver.events) == {"C1", "C2", "C3"}
    assert await counted(hooks, endpoint, only="missing") == 1


async def test_all_sends_what_has_arrived_too(hooks: Hooks) -> None:
    endpoint = await hooks.endpoint("contact.created")
    await contacts(hooks, 3)
    await hooks.run()
    first = ids(hooks)
    middle = await hooks.api.ok("GET", "/v1/events", params={**EVER, "event_types": "contact.created", "limit": 2})
    await replayed(hooks, endpoint, only="all", until=middle["page"]["next_cursor"])
    await hooks.run()
    assert Counter(ids(hooks)) == Counter(first) + Counter(event["id"] for event in middle["data"])
    found = await hooks.api.all("/v1/webhook_deliveries", endpoint_id=endpoint["id"])
    assert sorted(one["attempts"] for one in found) == [1, 2, 2]


async def test_gathered_changes_go_again_together(hooks: Hooks) -> None:
    endpoint = await hooks.endpoint("contact.updated", debounce_s=60)
    [contact] = await contacts(hooks, 1)
    for title in ("a", "b", "c"):
        await hooks.api.change(contact, title=title)
    await hooks.run()
    assert (await hooks.api.ok("POST", path(endpoint, "cancel-pending"), json={}))["cancelled"] == 1
    await replayed(hooks, endpoint)
    await hooks.run()
    [event] = hooks.receiver.events
    assert (event["changes"]["title"], len(event["coalesced"])) == ({"old": None, "new": "c"}, 2)


async def test_where_a_replay_can_begin(hooks: Hooks) -> None:
    api = hooks.api
    endpoint = await hooks.endpoint("contact.created")
    url = path(endpoint, "replay")
    await api.fails("POST", url, 422, "validation_failed", json={})
    await api.fails("POST", url, 422, "validation_failed", json={**EVER, "cursor": "x"})
    await api.fails("POST", url, 422, "validation_failed", json={"cursor": "x"})
    await api.fails("POST", url, 422, "validation_failed", json={**EVER, "until": "soon"})
    await api.fails("POST", url, 422, "validation_failed", json={**EVER, "event_types": ["dragon.created"]})
    await api.fails("POST", url, 422, "validation_failed", json={**EVER, "only": "some"})
    await api.change(endpoint, status="disabled")
    await api.fails("POST", url, 409, "conflict", json=EVER)
    await api.fails("POST", url, 409, "conflict", json={**EVER, "dry_run": True})


async def test_twenty_replays_send_once(hooks: Hooks) -> None:
    """Jobs that run beside each other and beside the sender put each event back once."""
    endpoint = await hooks.endpoint("contact.created")
    await contacts(hooks, 10)
    hooks.receiver.answer = lambda _: Reply(410)
    await hooks.run()
    await hooks.api.change(endpoint, status="enabled")
    assert (await statuses(hooks, endpoint))["succeeded"] == 0
    failed = await counted(hooks, endpoint)
    assert failed > 0
    hooks.receiver.received.clear()
    hooks.receiver.answer = lambda _: Reply()
    [event, *_] = await hooks.api.all("/v1/webhook_deliveries", endpoint_id=endpoint["id"])
    job = await hooks.api.ok("POST", path(endpoint, "replay"), json=EVER, status=202)
    resend = f"/v1/events/{event['event_id']}/deliveries/{endpoint['id']}/resend"
    async with worker(hooks) as runner:
        await asyncio.gather(runner.step(), *(hooks.api.ok("POST", resend, status=202) for _ in range(20)))
        await runner.settle()
    assert (await hooks.api.ok("GET", f"/v1/jobs/{job['id']}"))["status"] == "succeeded"
    await hooks.run()
    assert len(ids(hooks)) == len(set(ids(hooks))) == failed


async def test_one_event_is_resent(hooks: Hooks) -> None:
    """Whether it has arrived, waits, or was never meant for the endpoint."""
    endpoint = await hooks.endpoint("contact.updated")
    [contact] = await contacts(hooks, 1)
    await hooks.run()
    [event] = (await hooks.api.ok("GET", "/v1/events", params={**EVER, "event_types": "contact.created"}))["data"]
    url = f"/v1/events/{event['id']}/deliveries/{endpoint['id']}/resend"
    delivery = await hooks.api.ok("POST", url, status=202)
    assert (delivery["status"], delivery["event_id"], delivery["endpoint_id"]) == ("pending", event["id"], endpoint["id"])
    hooks.receiver.answer = lambda _: Reply(500)
    await hooks.run()
    assert (await hooks.api.ok("GET", f"/v1/webhook_deliveries/{delivery['id']}"))["status"] == "retrying"
    hooks.receiver.answer = lambda _: Reply()
    await hooks.api.ok("POST", url, status=202)
    await hooks.run()
    assert (await hooks.api.ok("GET", f"/v1/webhook_deliveries/{delivery['id']}"))["status"] == "succeeded"
    assert ids(hooks) == [event["id"]] * 2
    await hooks.api.fails("POST", f"/v1/events/{contact['id']}/deliveries/{endpoint['id']}/resend", 404, "not_found")
    await hooks.api.fails("POST", f"/v1/events/{event['id']}/deliveries/{contact['id']}/resend", 404, "not_found")


async def test_what_holds_up_an_ordered_endpoint_is_skipped(hooks: Hooks) -> None:
    endpoint = await hooks.endpoint("contact.created", ordering="fifo")
    await hooks.api.fails("POST", path(endpoint, "skip"), 409, "conflict")
    await contacts(hooks, 3)
    hooks.receiver.answer = lambda received: Reply(500 if received.event["record"]["last_name"] == "C0" else 200)
    await hooks.run()
    assert names(hooks.receiver.events) == {"C0"}
    [skipped] = (await hooks.api.ok("POST", path(endpoint, "skip")))["skipped"]
    assert (skipped["status"], skipped["reason"]) == ("skipped", "skipped")
    await hooks.run()
    assert names(hooks.receiver.events[1:]) == {"C1", "C2"}
    other = await hooks.endpoint("contact.created")
    await hooks.api.fails("POST", path(other, "skip"), 409, "conflict")


async def test_a_long_backlog_is_cancelled_in_parts(hooks: Hooks) -> None:
    """5,000 rows in several transactions; those before an instant alone if one is named."""
    endpoint = await hooks.endpoint("contact.created", status="paused")
    await contacts(hooks, 2)
    await hooks.run()
    services = hooks.api.app.state.services
    async with unit_of_work(services.database, hooks.api.org_id, services.clock) as uow:
        await uow.begin()
        await uow.connection.run(
            "INSERT INTO webhook_queue (org_id, id, endpoint_id, seq, events, record_id, due_at)"
            " SELECT org_id, (substr(id::text, 1, 24) || lpad(to_hex(g), 12, '0'))::uuid, endpoint_id, seq, events, record_id, due_at"
            f" FROM webhook_queue, generate_series(1, 2500) AS g WHERE org_id = '{hooks.api.org_id}'"
            f" AND endpoint_id = '{UUID(endpoint['id'])}'"
        )
    early = await hooks.api.ok("POST", path(endpoint, "cancel-pending"), json={"before": endpoint["created_at"]})
    assert early == {"cancelled": 0}
    assert await hooks.api.ok("POST", path(endpoint, "cancel-pending")) == {"cancelled": 5_002}
    assert await hooks.api.ok("POST", path(endpoint, "cancel-pending")) == {"cancelled": 0}
    assert (await hooks.api.ok("GET", path(endpoint, "health")))["backlog"] == {"pending": 0, "retrying": 0}
    assert await statuses(hooks, endpoint) == {"cancelled": 2}
