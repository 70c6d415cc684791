"""The load generator, a process of its own: `python -m benchmarks.client`, a job as JSON on standard input, figures on standard output.

It writes prepared bytes to keep-alive connections and reads no more of an answer than its status and length, so that it takes
little of the machine from the servers it measures.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, cast

import orjson
import uvloop

UNIQUE = b"0BENCHUNIQ00"
"""Stands in a request where each sending puts a number of its own (twelve hexadecimal digits)."""


@dataclass
class Run:
    """One measurement: what is sent, and what came of it."""

    requests: list[bytes]
    expected: bytes
    seed: int
    index: int = 0
    total: int = 0
    until: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    measuring: bool = False
    bytes_received: int = 0

    def next(self) -> bytes:
        """The next request."""
        self.index += 1
        request = self.requests[self.index % len(self.requests)]
        return request.replace(UNIQUE, b"%012x" % (self.seed + self.index)) if UNIQUE in request else request


class Connection(asyncio.Protocol):
    """One keep-alive connection that always has one request under way."""

    def __init__(self, run: Run, done: asyncio.Future[None]) -> None:
        self.run = run
        self.done = done
        self.buffer = bytearray()
        self.sent = 0.0
        self.missing = -1
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.send()

    def send(self) -> None:
        assert self.transport is not None
        request = self.run.next()
        self.sent = perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self.missing < 0:
            self.buffer += data
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self.buffer[:end]).lower()
            at = head.find(b"content-length:")
            length = 0 if at < 0 else int(head[at + 15 :].split(b"\r\n", 1)[0])
            if head[9:12] != self.run.expected and len(self.run.failures) < 5:
                self.run.failures.append(bytes(self.buffer[: end + 400]).decode("latin-1"))
            self.run.bytes_received += end + 4 + length
            self.missing = end + 4 + length - len(self.buffer)
        else:
            self.missing -= len(data)
        if self.missing <= 0:
            self.finished()

    def finished(self) -> None:
        """An answer is complete: note its time and send the next request."""
        now = perf_counter()
        run = self.run
        run.total += 1
        if run.measuring:
            run.latencies.append(now - self.sent)
        self.buffer.clear()
        self.missing = -1
        if now < run.until:
            self.send()
        elif not self.done.done():
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the server closed the connection"))


async def measure(job: dict[str, Any]) -> dict[str, Any]:
    """Runs one job: `port, requests (texts in Latin-1), expected status, connections, seconds, warm (seconds), seed`."""
    run = Run([text.encode("latin-1") for text in job["requests"]], str(job["expected"]).encode(), job["seed"])
    loop = asyncio.get_running_loop()
    start = perf_counter()
    run.until = start + job["warm"] + job["seconds"]
    waiting = []
    for _ in range(job["connections"]):
        done: asyncio.Future[None] = loop.create_future()
        await loop.create_connection(lambda done=done: Connection(run, done), "127.0.0.1", job["port"])  # type: ignore[misc]
        waiting.append(done)
    await asyncio.sleep(job["warm"])
    run.measuring, began = True, perf_counter()
    await asyncio.gather(*waiting)
    seconds = perf_counter() - began
    times = sorted(run.latencies) or [0.0]
    return {
        "count": len(run.latencies),
        "total": run.total,
        "seconds": seconds,
        "per_second": len(run.latencies) / seconds,
        "p50_ms": times[len(times) // 2] * 1000,
        "p95_ms": times[min(len(times) - 1, int(len(times) * 0.95))] * 1000,
        "bytes": run.bytes_received / max(1, run.total),
        "failures": run.failures,
    }


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(uvloop.run(measure(orjson.loads(sys.stdin.buffer.read())))))
