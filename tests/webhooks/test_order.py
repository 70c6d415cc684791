"""Endpoints that want everything in order, one after the other or several at a time."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from tests.webhooks.conftest import Hooks
from tests.webhooks.receiver import Received, Reply
from tests.webhooks.states import deliveries, queued, time_passes

pytestmark = pytest.mark.anyio


async def contacts(hooks: Hooks, count: int) -> None:
    for number in range(count):
        await hooks.api.make("contacts", last_name=str(number))


def names(hooks: Hooks) -> list[int]:
    return [int(event["record"]["last_name"]) for event in hooks.receiver.events]


def batches(hooks: Hooks) -> list[tuple[str, list[int]]]:
    return [(one.id, [int(event["record"]["last_name"]) for event in one.event["events"]]) for one in hooks.receiver.received]


async def test_order_holds_through_failures(hooks: Hooks, other_hooks: Hooks) -> None:
    arrived: list[int] = []
    turned_away: set[str] = set()

    async def answer(received: Received) -> Reply:
        number = int(received.event["record"]["last_name"])
        await asyncio.sleep(0.002)
        if number % 3 == 0 and received.id not in turned_away:
            turned_away.add(received.id)
            return Reply(500)
        arrived.append(number)
        return Reply()

    hooks.receiver.answer = answer
    await hooks.endpoint("contact.*", ordering="fifo", max_concurrency=10)
    await hooks.endpoint("contact.*", url=other_hooks.receiver.url)
    await contacts(hooks, 10)
    await hooks.run()
    # The first was turned away: the others of this endpoint wait, those of the other one don't.
    assert arrived == []
    assert sorted(names(other_hooks)) == list(range(10))
    for _ in range(4):
        await time_passes(hooks.api)
        await hooks.run()
    assert arrived == list(range(10))
    assert hooks.receiver.most == 1
    assert await queued(hooks.api) == []


async def test_the_one_in_front_waits_alone(hooks: Hooks) -> None:
    hooks.receiver.answer = lambda _: Reply(500)
    endpoint = await hooks.endpoint("contact.*", ordering="fifo")
    await contacts(hooks, 3)
    await hooks.run()
    await hooks.run()
    assert names(hooks) == [0]
    rows = await queued(hooks.api, endpoint)
    assert [(row["attempts"], row["wait"] > 0) for row in rows] == [(1, True), (0, False), (0, False)]
    # No try is the last one.
    for _ in range(11):
        await time_passes(hooks.api)
        await hooks.run()
    assert set(names(hooks)) == {0}
    assert (await deliveries(hooks.api, endpoint))[0]["attempts"] == 12
    assert 86_395 < (await queued(hooks.api, endpoint))[0]["wait"] <= 86_400 * 1.2


async def test_many_are_sent_under_one_lease(hooks: Hooks) -> None:
    await hooks.endpoint("contact.*", ordering="fifo")
    await contacts(hooks, 120)
    await hooks.relay.step()
    await hooks.dispatcher.step()
    await hooks.sender.step()
    await hooks.sender.idle()
    assert names(hooks) == list(range(120))


async def test_a_batch_stays_what_it_is(hooks: Hooks) -> None:
    hooks.receiver.answer = lambda _: Reply(500)
    endpoint = await hooks.endpoint("contact.*", ordering="fifo", batch={"size": 4, "wait_s": 0})
    await contacts(hooks, 6)
    await hooks.run()
    [(id, first)] = batches(hooks)
    assert first == [0, 1, 2, 3]
    # More has come, and the endpoint asks for other sizes: this batch was seen already.
    await contacts(hooks, 1)
    await hooks.api.change(endpoint, batch={"size": 2, "wait_s": 0})
    await time_passes(hooks.api)
    await hooks.run()
    assert batches(hooks)[1] == (id, first)
    assert hooks.receiver.received[0].body == hooks.receiver.received[1].body
    hooks.receiver.answer = lambda _: Reply()
    await time_passes(hooks.api)
    await hooks.run()
    assert [found for _, found in batches(hooks)[2:]] == [[0, 1, 2, 3], [4, 5], [0]]
    assert len({id for id, _ in batches(hooks)}) == 3
    assert {one["status"] for one in await deliveries(hooks.api, endpoint)} == {"succeeded"}


async def test_a_batch_outlives_the_worker_that_made_it(hooks: Hooks) -> None:
    stuck = asyncio.Event()

    async def answer(_: Received) -> Reply:
        await stuck.wait()
        return Reply()

    hooks.receiver.answer = answer
    await hooks.endpoint("contact.*", ordering="fifo", batch={"size": 10, "wait_s": 0})
    await contacts(hooks, 3)
    await hooks.relay.step()
    await hooks.dispatcher.step()
    running = asyncio.create_task(hooks.sender.run())
    async with asyncio.timeout(10):
        while hooks.receiver.most == 0:
            await asyncio.sleep(0.01)
    running.cancel()  # it stops with the request under way
    with suppress(asyncio.CancelledError):
        await running
    stuck.set()
    await contacts(hooks, 2)
    hooks.receiver.answer = lambda _: Reply()
    await hooks.run()
    found = batches(hooks)
    assert [numbers for _, numbers in found[-2:]] == [[0, 1, 2], [0, 1]]
    first = {id for id, numbers in found if numbers == [0, 1, 2]}
    assert len(first) == 1


async def test_a_batch_waits_for_others(hooks: Hooks) -> None:
    await hooks.endpoint("contact.*", ordering="fifo", batch={"size": 3, "wait_s": 60})
    await contacts(hooks, 2)
    await hooks.run()
    assert hooks.receiver.received == []
    await contacts(hooks, 1)
    await hooks.run()
    assert [found for _, found in batches(hooks)] == [[0, 1, 0]]
    await contacts(hooks, 1)
    await hooks.run()
    assert len(batches(hooks)) == 1
    await time_passes(hooks.api)
    await hooks.run()
    assert [found for _, found in batches(hooks)] == [[0, 1, 0], [0]]


async def test_a_batch_has_a_largest_size(hooks: Hooks) -> None:
    await hooks.endpoint("contact.*", ordering="fifo", batch={"size": 20, "wait_s": 0})
    for number in range(40):
        await hooks.api.make("contacts", last_name=str(number), description="x" * 30_000)
    await hooks.run()
    assert [number for _, found in batches(hooks) for number in found] == list(range(40))
    assert all(len(one.body) < 1_100_000 for one in hooks.receiver.received)
