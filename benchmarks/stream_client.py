"""Many subscribers of the event stream in one process: `python -m benchmarks.stream_client`, a job as one line of JSON on standard input.

It says `ready` once every subscriber is connected. For each line on standard input (a marker) it then waits until every subscriber has
been sent an event that holds it, and prints when the first, the median, 95 % and the last had it (seconds of the monotonic clock).
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any, cast

import orjson
import uvloop

AT_ONCE = 200


class Subscriber(asyncio.Protocol):
    """One stream. Keeps nothing but the end of what came."""

    def __init__(self, crowd: Crowd, request: bytes) -> None:
        self.crowd = crowd
        self.request = request
        self.tail = b""
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self.request)

    def data_received(self, data: bytes) -> None:
        seen = self.tail + data
        if not self.ready.done():
            if b"event: ready" in seen:
                self.ready.set_result(None)
            elif b"HTTP/1.1 200" not in seen[:20] and len(seen) > 20:
                self.ready.set_exception(RuntimeError(seen.decode("latin-1")[:2000]))
        crowd = self.crowd
        if crowd.marker and crowd.marker in seen:
            crowd.times.append(time.monotonic())
            self.tail = b""
            if len(crowd.times) == crowd.count:
                crowd.all_told.set()
            return
        self.tail = seen[-64:]

    def connection_lost(self, exc: Exception | None) -> None:
        self.crowd.lost += 1
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("the server closed the connection"))


class Crowd:
    """All subscribers."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.marker = b""
        self.times: list[float] = []
        self.all_told = asyncio.Event()
        self.lost = 0


async def lines() -> asyncio.StreamReader:
    """Standard input."""
    reader = asyncio.StreamReader(limit=16 << 20)  # a job names thousands of tokens
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def say(what: Any) -> None:
    sys.stdout.buffer.write(orjson.dumps(what) + b"\n")
    sys.stdout.buffer.flush()


async def main() -> None:
    """Runs one job: `port, tokens, per_token, path`."""
    loop, source = asyncio.get_running_loop(), await lines()
    job = orjson.loads(await source.readline())
    tokens = [token for token in job["tokens"] for _ in range(job["per_token"])]
    crowd = Crowd(len(tokens))
    for start in range(0, len(tokens), AT_ONCE):
        opened = []
        for token in tokens[start : start + AT_ONCE]:
            request = f"GET {job['path']} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n".encode()
            _, subscriber = await loop.create_connection(lambda request=request: Subscriber(crowd, request), "127.0.0.1", job["port"])  # type: ignore[misc]
            opened.append(subscriber)
        await asyncio.gather(*(subscriber.ready for subscriber in opened))
    say("ready")
    while marker := (await source.readline()).strip():
        crowd.times.clear()
        crowd.all_told.clear()
        crowd.marker = marker
        say("waiting")
        async with asyncio.timeout(120):
            await crowd.all_told.wait()
        times = sorted(crowd.times)
        say({"first": times[0], "p50": times[len(times) // 2], "p95": times[int(len(times) * 0.95)], "last": times[-1], "lost": crowd.lost})


if __name__ == "__main__":
    uvloop.run(main())
