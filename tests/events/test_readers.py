"""Writers that commit in random order, and readers who follow meanwhile, each in its own way: all see every event once, in one order."""

from __future__ import annotations

import asyncio
import random
from typing import Any
from uuid import UUID

import pytest

from crm_api.db.uow import unit_of_work
from tests.api import Api
from tests.journal.events import CLOCK, Made, new_id, put

pytestmark = pytest.mark.anyio

WRITERS = 60
EACH = 3


async def test_readers_see_every_event_once_in_cursor_order(api: Api) -> None:
    chance = random.Random(20)
    services = api.app.state.services
    start = str((await api.ok("GET", "/v1/me"))["events_cursor"])
    written: list[UUID] = []
    overtaken = 0
    done = asyncio.Event()

    async def writer() -> None:
        nonlocal overtaken
        await asyncio.sleep(chance.random() * 0.4)
        async with unit_of_work(services.database, api.org_id, CLOCK) as uow:
            ids = []
            for _ in range(EACH):
                ids.append(await put(uow, Made(new_id())))
                await asyncio.sleep(chance.random() * 0.05)
            if chance.random() < 0.2:
                uow.dry_run = True  # rolled back: nobody may ever see these
                return
        overtaken += any(id > ids[0] for id in written)
        written.extend(ids)

    async def follow(**params: Any) -> list[dict[str, Any]]:
        """By cursor, pages of random sizes, with and without waiting."""
        cursor, seen = start, []
        while True:
            last = done.is_set()
            asked = {"cursor": cursor, "limit": chance.randint(1, 40), **params}
            page = await api.ok("GET", "/v1/events", params=asked)
            seen += page["data"]
            cursor = page["page"]["next_cursor"]
            if last and not page["page"]["has_more"]:
                return seen
            await asyncio.sleep(chance.random() * 0.02)

    async def consume() -> list[dict[str, Any]]:
        """By a named consumer that often dies before it has committed: it repeats what it had, and skips nothing."""
        await api.ok("POST", "/v1/event_consumers/follower/seek", json={"cursor": start})
        seen: list[dict[str, Any]] = []
        while True:
            last = done.is_set()
            page = await api.ok("GET", "/v1/events", params={"consumer": "follower", "limit": chance.randint(1, 40)})
            if chance.random() < 0.3 and page["data"]:
                continue
            seen += page["data"]
            body = {"cursor": page["page"]["next_cursor"]}
            await api.ok("POST", "/v1/event_consumers/follower/commit", json=body)
            if last and not page["page"]["has_more"]:
                return seen
            await asyncio.sleep(chance.random() * 0.02)

    readers = [asyncio.create_task(one) for one in (follow(), follow(), follow(wait=1), consume())]
    await asyncio.gather(*(writer() for _ in range(WRITERS)))
    done.set()
    journals = await asyncio.gather(*readers)
    assert overtaken > WRITERS / 4, "the order of commits was another than that of ids"
    first = journals[0]
    assert sorted(event["id"] for event in first) == sorted(map(str, written))
    assert [event["seq"] for event in first] == list(range(first[0]["seq"], first[0]["seq"] + len(written)))
    for other in journals[1:]:
        assert other == first
