"""A receiver of webhooks in a process of its own, which writes down every request before it answers.

Each line of its log is one request: when (the machine's monotonic clock, which all processes share), at which path, under which
`webhook-id`, with which events, and what it was answered. A few requests are refused, a few are answered late.
"""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Manners:
    """How it behaves: shares of requests that it refuses (500) and that it answers late, and how late at most, in seconds."""

    seed: int = 0
    refused: float = 0.03
    late: float = 0.03
    late_s: float = 0.8


@dataclass(frozen=True, slots=True)
class Told:
    """One event in a request."""

    id: str
    seq: int
    record_id: str
    version: int
    coalesced: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One line of the log."""

    at: float
    path: str
    id: str
    status: int
    batch: bool
    events: tuple[Told, ...]

    @property
    def taken(self) -> bool:
        """Whether it was answered 200."""
        return self.status == 200


def receive(port: int, log: str, manners: Manners) -> None:
    """Listens until it is killed."""
    asyncio.run(_receive(port, log, manners))


async def _receive(port: int, log: str, manners: Manners) -> None:
    chance = random.Random(manners.seed)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                status = 500 if chance.random() < manners.refused else 200
                os.write(file, _line(head[0].split(" ")[1].strip("/"), headers["webhook-id"], status, orjson.loads(body)))
                if chance.random() < manners.late:
                    await asyncio.sleep(chance.random() * manners.late_s)
                writer.write(f"HTTP/1.1 {status} Said\r\ncontent-length: 0\r\n\r\n".encode())
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", port) as server:
        await server.serve_forever()


def _line(path: str, id: str, status: int, body: dict[str, Any]) -> bytes:
    events = body.get("events", [body])
    told = [[event["id"], event["seq"], event["record_id"], event["version"], event.get("coalesced", [])] for event in events]
    return orjson.dumps([monotonic(), path, id, status, "events" in body, told]) + b"\n"


def read_log(log: Path) -> list[Request]:
    """What was received so far, in the order of arrival."""
    if not log.exists():
        return []
    lines = log.read_bytes().splitlines(keepends=True)
    return [_request(*orjson.loads(line)) for line in lines if line.endswith(b"\n")]


def _request(at: float, path: str, id: str, status: int, batch: bool, events: list[Any]) -> Request:
    return Request(at, path, id, status, batch, tuple(Told(e[0], e[1], e[2], e[3], tuple(e[4])) for e in events))
