"""Resuming without a gap: readers that break off at any moment, several writers, two processes of which one is killed and started again."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
import orjson
import pytest

from crm_api.embedded import DatabaseUrls
from crm_api.flows.organizations import create_organization
from crm_api.http.app import Application
from crm_api.settings import Settings
from tests.chaos.test_killed_api import api_process, free_port

pytestmark = [pytest.mark.anyio, pytest.mark.chaos]

WRITERS, READERS, EACH = 3, 4, 60


@dataclass
class Processes:
    """Two API processes; the first may be killed and started again on its port."""

    urls: DatabaseUrls
    redis_url: str | None
    ports: list[int]
    stacks: list[ExitStack]
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, index: int) -> None:
        process = self.stacks[index].enter_context(api_process(self.urls, self.redis_url, self.ports[index]))
        self.running[index : index + 1] = [process]

    def base(self, index: int) -> str:
        return f"http://127.0.0.1:{self.ports[index]}"


@pytest.fixture
def processes(urls: DatabaseUrls, settings: Settings) -> Iterator[Processes]:
    with ExitStack() as all_stacks:
        stacks = [all_stacks.enter_context(ExitStack()) for _ in range(2)]
        found = Processes(urls, settings.redis_url, [free_port(), free_port()], stacks)
        for index in range(2):
            found.start(index)
        yield found


@dataclass
class Reader:
    """Follows the stream, breaks off at random, resumes where it was; keeps the numbers of events in the order in which they came."""

    processes: Processes
    token: str
    cursor: str
    chance: random.Random
    until: int = -1
    seen: list[int] = field(default_factory=list)
    connections: int = 0

    async def run(self) -> None:
        last: str | None = None
        async with httpx.AsyncClient(timeout=httpx.Timeout(5, read=30)) as http:
            while self.until < 0 or not self.seen or self.seen[-1] < self.until:
                headers = {"authorization": f"Bearer {self.token}", **({} if last is None else {"last-event-id": last})}
                url = f"{self.processes.base(self.chance.randrange(2))}/v1/events/stream?cursor={self.cursor}"
                with suppress(httpx.TransportError, TimeoutError):
                    async with (
                        asyncio.timeout(self.chance.choice([0.02, 0.1, 0.3, 1, 3])),
                        http.stream("GET", url, headers=headers) as answer,
                    ):
                        assert answer.status_code in (200, 503), await answer.aread()
                        self.connections += 1
                        fields: dict[str, str] = {}
                        async for line in answer.aiter_lines():
                            if line:
                                name, _, value = line.partition(":")
                                fields[name] = value.removeprefix(" ")
                                continue
                            # as a browser does: what was not ended by an empty line never came
                            last = fields.get("id", last)
                            if "event" not in fields and "data" in fields:
                                self.seen.append(orjson.loads(fields["data"])["seq"])
                                if self.seen[-1] == self.until:
                                    return
                            fields = {}
                await asyncio.sleep(self.chance.random() * 0.05)


async def write(processes: Processes, token: str, number: int) -> None:
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=10) as http:
        for index in range(EACH):
            with suppress(httpx.TransportError):
                answer = await http.post(f"{processes.base(index % 2)}/v1/accounts", json={"name": f"{number}-{index}"})
                assert answer.status_code in (201, 503), answer.text
            await asyncio.sleep(0.01)


async def test_every_event_once_and_in_order(app: Application, processes: Processes) -> None:
    seed = int(os.environ.get("STREAM_SEED", "7"))
    made = await create_organization(
        app.state.services.database, name="Resumed", admin_email=f"admin-{uuid4().hex}@corp.example", admin_name="Ada Admin"
    )
    token = made["token"]
    async with httpx.AsyncClient(base_url=processes.base(1), headers={"authorization": f"Bearer {token}"}, timeout=30) as http:
        cursor = (await http.get("/v1/events", params={"cursor": "now"})).json()["page"]["next_cursor"]
        tokens = [
            (await http.post("/v1/tokens", json={"name": f"reader {number}", "scopes": ["*:read"]})).json()["token"]
            for number in range(READERS)
        ]
        readers = [Reader(processes, one, cursor, random.Random(seed + index)) for index, one in enumerate(tokens)]
        reading = [asyncio.create_task(reader.run()) for reader in readers]
        writing = [asyncio.create_task(write(processes, token, number)) for number in range(WRITERS)]
        await asyncio.sleep(0.7)
        processes.running[0].send_signal(signal.SIGKILL)
        await asyncio.to_thread(processes.running[0].wait)
        await asyncio.to_thread(processes.start, 0)
        await asyncio.gather(*writing)
        expected: list[int] = []
        page_cursor, more = cursor, True
        while more:
            page = (await http.get("/v1/events", params={"cursor": page_cursor, "limit": 1000})).json()
            expected += [event["seq"] for event in page["data"]]
            page_cursor, more = page["page"]["next_cursor"], page["page"]["has_more"]
        for reader in readers:
            reader.until = expected[-1]
        async with asyncio.timeout(60):
            await asyncio.gather(*reading)
    assert len(expected) > WRITERS * EACH / 2
    for reader in readers:
        assert reader.seen == expected
        assert reader.connections > 3
