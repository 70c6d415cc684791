"""One worker serves an endpoint at a time; what one endpoint suffers from is not others' trouble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from time import monotonic
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from crm_api.core.egress import Egress
from crm_api.http.app import Application
from crm_api.settings import Settings
from tests.webhooks.conftest import Hooks, hooks_of
from tests.webhooks.receiver import Received, Reply
from tests.webhooks.states import attempts, deliveries, lose_lease, queued, sql, state, time_passes, wake

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def another_worker(app: Application, settings: Settings, hooks: Hooks) -> AsyncIterator[Hooks]:
    egress = Egress(settings.egress)
    try:
        yield hooks_of(app, settings, hooks.api, hooks.receiver, egress)
    finally:
        await egress.aclose()


async def until(hooks: Hooks, most: int) -> None:
    async with asyncio.timeout(20):
        while hooks.receiver.most < most:
            await asyncio.sleep(0.005)


async def test_who_was_frozen_past_its_lease_changes_nothing(app: Application, settings: Settings, hooks: Hooks) -> None:
    thaw, calls = asyncio.Event(), 0

    async def answer(_: Received) -> Reply:
        nonlocal calls
        calls += 1
        if calls == 1:
            await thaw.wait()
            return Reply(500)
        return Reply()

    hooks.receiver.answer = answer
    endpoint = await hooks.endpoint("contact.*")
    await hooks.api.make("contacts", first_name="Ada")
    await hooks.relay.step()
    await hooks.dispatcher.step()
    await hooks.sender.step()
    await until(hooks, 1)
    first = (await state(hooks.api, endpoint))["lease_id"]
    await lose_lease(hooks.api, endpoint)
    async with another_worker(app, settings, hooks) as second:
        assert await second.sender.step() >= 1
        await second.sender.idle()
    assert (await state(hooks.api, endpoint))["lease_id"] is None
    with capture_logs() as logs:
        thaw.set()
        await hooks.sender.idle()
    assert [one["event"] for one in logs if one["event"] == "webhook_lease_lost"] == ["webhook_lease_lost"]
    [told] = await deliveries(hooks.api, endpoint)
    assert (told["status"], told["attempts"], first is not None) == ("succeeded", 1, True)
    assert [one["succeeded"] for one in await attempts(hooks.api)] == [True]
    assert len({one.id for one in hooks.receiver.received}) == 1
    assert (await state(hooks.api, endpoint))["window_total"] == 1


async def test_twenty_workers_send_each_once(app: Application, settings: Settings, hooks: Hooks) -> None:
    endpoints = [await hooks.endpoint("contact.*", max_concurrency=3) for _ in range(4)]
    for number in range(10):
        await hooks.api.make("contacts", last_name=str(number))
    await hooks.relay.step()
    egress = Egress(settings.egress)
    try:
        workers = [hooks_of(app, settings, hooks.api, hooks.receiver, egress) for _ in range(20)]
        await asyncio.gather(*(worker.dispatcher.step() for worker in workers))
        while await queued(hooks.api):
            await asyncio.gather(*(worker.sender.step() for worker in workers))
            await asyncio.gather(*(worker.sender.idle() for worker in workers))
    finally:
        await egress.aclose()
    assert len(hooks.receiver.received) == len({(one.id, one.headers["webhook-signature"]) for one in hooks.receiver.received}) == 40
    assert all(one["attempts"] == 1 for one in await deliveries(hooks.api))
    assert len(await deliveries(hooks.api)) == 10 * len(endpoints)
    assert await sql(hooks.api, "SELECT * FROM webhook_due WHERE org_id = $1") == []


async def test_no_more_at_one_time_than_it_allows(hooks: Hooks) -> None:
    async def answer(_: Received) -> Reply:
        await asyncio.sleep(0.02)
        return Reply()

    hooks.receiver.answer = answer
    endpoint = await hooks.endpoint("contact.*", max_concurrency=7)
    for number in range(40):
        await hooks.api.make("contacts", last_name=str(number))
    await hooks.relay.step()
    await hooks.dispatcher.step()
    await hooks.sender.step()
    await until(hooks, 7)
    await hooks.api.change(endpoint, max_concurrency=2)
    hooks.sender.wake()
    for _ in range(20):
        await hooks.sender.step()
        await asyncio.sleep(0.02)
    await hooks.sender.idle()
    await hooks.run()
    assert hooks.receiver.most == 7
    assert len(hooks.receiver.received) == 40


async def test_no_faster_than_it_allows(hooks: Hooks) -> None:
    times: list[float] = []

    def answer(_: Received) -> Reply:
        times.append(monotonic())
        return Reply()

    hooks.receiver.answer = answer
    await hooks.endpoint("contact.*", rate_per_s=10)
    # One after the other: each is served under a lease of its own, and still they keep their distance.
    for number in range(3):
        await hooks.api.make("contacts", last_name=str(number))
        await hooks.run()
    for number in range(3, 8):
        await hooks.api.make("contacts", last_name=str(number))
    await hooks.run()
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(times) == 8
    assert all(gap > 0.08 for gap in gaps), gaps


async def test_what_is_tried_again_holds_up_nothing(hooks: Hooks, other_hooks: Hooks) -> None:
    dead: set[str] = set()

    def answer(received: Received) -> Reply:
        return Reply(500 if received.id in dead else 200)

    hooks.receiver.answer = answer
    endpoint = await hooks.endpoint("contact.*", max_concurrency=2)
    watched = await hooks.endpoint("contact.*", url=other_hooks.receiver.url)
    for number in range(5):
        await hooks.api.make("contacts", last_name=str(number))
    await hooks.relay.step()
    await hooks.dispatcher.step()
    await hooks.sender.step()
    await hooks.sender.idle()
    # Two thousand deliveries of earlier days are to be tried again, all of them now.
    [event] = (await deliveries(hooks.api, watched))[:1]
    await sql(
        hooks.api,
        "INSERT INTO webhook_queue (org_id, id, endpoint_id, seq, events, record_id, due_at, attempts)"
        " SELECT $1, gen_random_uuid(), $2, n, ARRAY[$3::uuid], $3, now() - interval '1 hour', 3 FROM generate_series(1, 2000) n",
        UUID(endpoint["id"]), event["event_id"],
    )  # fmt: skip
    dead.add(str(event["event_id"]))
    hooks.receiver.received.clear()
    other_hooks.receiver.received.clear()
    fresh = await hooks.api.make("contacts", last_name="fresh")
    await wake(hooks.api)
    await hooks.relay.step()
    await hooks.dispatcher.step()
    await hooks.sender.step()
    await asyncio.wait_for(other_hooks.receiver.wait_for(1), 5)
    await hooks.sender.idle()
    place = [index for index, one in enumerate(hooks.receiver.received) if one.event["record_id"] == fresh["id"]]
    assert place
    assert place[0] < 8  # among the first, although two thousand were due before
    await sql(hooks.api, "DELETE FROM webhook_queue WHERE org_id = $1")


async def test_an_endpoint_that_cannot_be_served_rests_alone(hooks: Hooks, other_hooks: Hooks) -> None:
    broken = await hooks.endpoint("contact.*")
    await hooks.endpoint("contact.*", url=other_hooks.receiver.url)
    await sql(
        hooks.api, "UPDATE webhook_secrets SET secret = 'x'::bytea || secret WHERE org_id = $1 AND endpoint_id = $2", UUID(broken["id"])
    )
    with capture_logs() as logs:
        for number in range(3):
            await hooks.api.make("contacts", last_name=str(number))
            began = monotonic()
            await hooks.run()
            assert monotonic() - began < 5
    assert len(other_hooks.receiver.received) == 3
    assert hooks.receiver.received == []
    assert len([one for one in logs if one["event"] == "webhook_turn_failed" and one["log_level"] == "warning"]) == 1
    assert (await state(hooks.api, broken))["lease_id"] is None
    assert len(await queued(hooks.api, broken)) == 3
    [due] = await sql(hooks.api, "SELECT due_at > now() - interval '1 minute' AS later FROM webhook_due WHERE org_id = $1")
    assert due["later"]
    # Once its secrets can be read again, all is sent.
    await sql(hooks.api, "UPDATE webhook_secrets SET secret = substr(secret, 2) WHERE org_id = $1 AND endpoint_id = $2", UUID(broken["id"]))
    async with asyncio.timeout(15):
        while await queued(hooks.api, broken):
            await time_passes(hooks.api)
            await hooks.run()
            await asyncio.sleep(0.1)
    assert len(hooks.receiver.received) == 3


async def test_who_stops_gives_back_what_it_served(hooks: Hooks) -> None:
    never = asyncio.Event()

    async def answer(_: Received) -> Reply:
        await never.wait()
        return Reply()

    hooks.receiver.answer = answer
    endpoint = await hooks.endpoint("contact.*")
    await hooks.api.make("contacts", first_name="Ada")
    await hooks.relay.step()
    await hooks.dispatcher.step()
    running = asyncio.create_task(hooks.sender.run())
    await until(hooks, 1)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    never.set()
    assert (await state(hooks.api, endpoint))["lease_id"] is None
    hooks.receiver.answer = lambda _: Reply()
    await hooks.run()
    [told] = await deliveries(hooks.api, endpoint)
    assert (told["status"], told["attempts"]) == ("succeeded", 1)


async def test_what_is_left_of_an_endpoint_that_is_no_more_is_forgotten(hooks: Hooks) -> None:
    await sql(hooks.api, "INSERT INTO webhook_due (org_id, endpoint_id, due_at) VALUES ($1, $2, now())", uuid4())
    await hooks.run()
    assert await sql(hooks.api, "SELECT * FROM webhook_due WHERE org_id = $1") == []
