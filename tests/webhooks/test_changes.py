"""Endpoints that are changed, paused, switched off or deleted while deliveries wait or are under way."""

from __future__ import annotations

import asyncio

import pytest

from crm_api.resources.webhook_endpoints.rules import MAX_ENDPOINTS
from tests.access.people import colleague
from tests.webhooks.conftest import Hooks
from tests.webhooks.receiver import Received, Reply
from tests.webhooks.states import deliveries, queued, sql, state, time_passes

pytestmark = pytest.mark.anyio


class Door:
    """Requests wait before it until it opens."""

    def __init__(self) -> None:
        self.open = asyncio.Event()

    async def __call__(self, _: Received) -> Reply:
        await self.open.wait()
        return Reply()


async def under_way(hooks: Hooks, count: int = 1) -> Door:
    """Requests of `contact.created` that are under way; more wait behind them."""
    hooks.receiver.answer = door = Door()
    for number in range(6):
        await hooks.api.make("contacts", last_name=str(number))
    await hooks.relay.step()
    await hooks.dispatcher.step()
    await hooks.sender.step()
    async with asyncio.timeout(10):
        while hooks.receiver.most < count:
            await asyncio.sleep(0.01)
    return door


async def finish(hooks: Hooks, door: Door) -> None:
    await hooks.sender.step()  # the service is told that there is something new
    await asyncio.sleep(0.15)
    door.open.set()
    await hooks.sender.idle()
    await hooks.run()


async def test_another_address_counts_from_the_next_request_on(hooks: Hooks, other_hooks: Hooks) -> None:
    endpoint = await hooks.endpoint("contact.*", max_concurrency=1)
    door = await under_way(hooks)
    await hooks.api.change(endpoint, url=other_hooks.receiver.url, payload="thin")
    await finish(hooks, door)
    assert len(hooks.receiver.received) == 1
    assert len(other_hooks.receiver.received) == 5
    assert all("record" not in event for event in other_hooks.receiver.events)
    assert await queued(hooks.api) == []


async def test_a_pause_keeps_what_waits(hooks: Hooks) -> None:
    endpoint = await hooks.endpoint("contact.*", max_concurrency=1)
    door = await under_way(hooks)
    await hooks.api.change(endpoint, status="paused")
    await finish(hooks, door)
    assert len(hooks.receiver.received) == 1
    assert len(await queued(hooks.api)) == 5
    await hooks.api.make("contacts", last_name="later")
    await hooks.run()
    assert len(await queued(hooks.api)) == 6
    assert len(hooks.receiver.received) == 1
    await hooks.api.change(endpoint, status="enabled")
    await hooks.run()
    assert len(hooks.receiver.received) == 7
    assert {one["status"] for one in await deliveries(hooks.api)} == {"succeeded"}


@pytest.mark.parametrize("how", ["disabled", "deleted"])
async def test_what_waits_is_cancelled(hooks: Hooks, how: str) -> None:
    endpoint = await hooks.endpoint("contact.*", max_concurrency=1)
    door = await under_way(hooks)
    if how == "deleted":
        await hooks.api.ok("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")
    else:
        await hooks.api.change(endpoint, status="disabled")
    await hooks.api.make("contacts", last_name="later")
    await finish(hooks, door)
    assert len(hooks.receiver.received) == 1
    assert await queued(hooks.api) == []
    found = sorted((one["status"], one["reason"]) for one in await deliveries(hooks.api))
    # What was under way counts, unless it was cancelled before its answer came.
    assert found[:5] == [("cancelled", f"endpoint_{how}")] * 5
    assert len(found) == 6
    assert (await state(hooks.api, endpoint))["lease_id"] is None


async def test_types_that_are_not_asked_for_any_more(hooks: Hooks) -> None:
    endpoint = await hooks.endpoint("contact.*")
    await hooks.api.change(endpoint, event_types=["account.*"])
    await hooks.api.make("contacts", last_name="a")
    await hooks.api.make("accounts", name="b")
    await hooks.run()
    assert [event["type"] for event in hooks.receiver.events] == ["account.created"]


async def test_what_was_before_an_endpoint_is_not_for_it(hooks: Hooks) -> None:
    await hooks.api.make("contacts", last_name="before")
    await hooks.endpoint("contact.*")
    made = await hooks.api.make("contacts", last_name="after")
    await hooks.run()
    assert [event["record_id"] for event in hooks.receiver.events] == [made["id"]]


async def test_writing_and_serving_at_one_time_never_deadlock(hooks: Hooks) -> None:
    endpoints = [await hooks.endpoint("contact.*", description="0") for _ in range(3)]
    stop = asyncio.Event()

    async def serve() -> None:
        while not stop.is_set():
            await hooks.run()
            await time_passes(hooks.api)

    async def write(number: int) -> None:
        for turn in range(3):
            await hooks.api.make("contacts", last_name=f"{number} {turn}")
            await hooks.api.change(endpoints[(number + turn) % 3], description=f"{number} {turn}")

    before = (await sql(hooks.api, "SELECT deadlocks, $1::uuid FROM pg_stat_database WHERE datname = current_database()"))[0]["deadlocks"]
    serving = asyncio.create_task(serve())
    await asyncio.gather(*(write(number) for number in range(20)))
    stop.set()
    await serving
    await hooks.run()
    assert len({one.id for one in hooks.receiver.received}) == 60
    assert len(hooks.receiver.received) == 180
    assert await queued(hooks.api) == []
    assert await sql(hooks.api, "SELECT * FROM webhook_due WHERE org_id = $1") == []
    after = (await sql(hooks.api, "SELECT deadlocks, $1::uuid FROM pg_stat_database WHERE datname = current_database()"))[0]["deadlocks"]
    assert after == before


async def test_cancelling_while_answers_come(hooks: Hooks) -> None:
    endpoint = await hooks.endpoint("contact.*")
    door = await under_way(hooks, 6)
    rows = await queued(hooks.api)
    gone = [row["id"] for row in rows[:3]]
    await sql(hooks.api, "DELETE FROM webhook_queue WHERE org_id = $1 AND id = ANY($2::uuid[])", gone)
    await sql(hooks.api, "UPDATE webhook_deliveries SET status = 'cancelled' WHERE org_id = $1 AND id = ANY($2::uuid[])", gone)
    await finish(hooks, door)
    found = await deliveries(hooks.api, endpoint)
    assert [one["status"] for one in found] == ["cancelled"] * 3 + ["succeeded"] * 3


async def test_nobody_with_fewer_rights_aims_it_elsewhere(hooks: Hooks) -> None:
    endpoint = await hooks.endpoint("contact.*")
    fewer = await colleague(hooks.api, "webhooks:write", "contacts:read")
    own_token = await hooks.api.with_scopes("webhooks:write")
    for caller in (fewer, own_token):
        path = f"/v1/webhook_endpoints/{endpoint['id']}"
        bodies: list[dict[str, object]] = [{"url": "https://elsewhere.example/x"}, {"event_types": ["*"]}, {"status": "paused"}]
        for body in bodies:
            answer = await caller.http.patch(path, json=body)
            assert answer.status_code in (403, 404), (body, answer.text)
    assert (await hooks.api.get(endpoint))["version"] == endpoint["version"]


async def test_an_organisation_has_so_many_and_no_more(hooks: Hooks) -> None:
    first = await hooks.endpoint("contact.*")
    made = await hooks.api.ok(
        "POST", "/v1/webhook_endpoints/batch/create",
        status=207, json={"items": [{"url": hooks.receiver.url, "event_types": ["*"]}] * (MAX_ENDPOINTS - 2)},
    )  # fmt: skip
    assert made
    body = {"url": hooks.receiver.url, "event_types": ["*"]}
    answers = await asyncio.gather(*(hooks.api.http.post("/v1/webhook_endpoints", json=body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 403, 403, 403, 403]
    problem = await hooks.api.fails("POST", "/v1/webhook_endpoints", 403, "limit_exceeded", json=body)
    assert problem["max"] == MAX_ENDPOINTS
    await hooks.api.ok("DELETE", f"/v1/webhook_endpoints/{first['id']}")
    await hooks.endpoint("contact.*")
    await hooks.api.fails("POST", f"/v1/webhook_endpoints/{first['id']}/restore", 403, "limit_exceeded")
