"""A receiver of webhooks: a real HTTP server on this machine that keeps what it gets and answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.event_validation import wrong


@dataclass(frozen=True, slots=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The body, parsed."""
        found: dict[str, Any] = orjson.loads(self.body)
        return found

    @property
    def id(self) -> str:
        """`webhook-id`."""
        return self.headers["webhook-id"]


@dataclass(frozen=True, slots=True)
class Reply:
    """How a request is answered."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b"ok"


Answer = Callable[[Received], Reply | Awaitable[Reply]]


@dataclass
class Receiver:
    """`received` in the order of arrival; `answer` decides what is said to each. `most` is how many were under way at one time."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    answer: Answer = lambda _: Reply()
    most: int = 0
    _now: int = 0
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def events(self) -> list[dict[str, Any]]:
        """The bodies, parsed."""
        return [one.event for one in self.received]

    async def wait_for(self, count: int, seconds: float = 20) -> list[Received]:
        """Waits until so many requests have come."""
        async with asyncio.timeout(seconds):
            while len(self.received) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.received

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, kept alive."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while head := await _head(reader):
                line, *lines = head.decode("latin-1").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (text.partition(":") for text in lines if text)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                found = Received(line.split(" ")[1], headers, body)
                self._now += 1
                self.most = max(self.most, self._now)
                try:
                    reply = self.answer(found)
                    said = reply if isinstance(reply, Reply) else await reply
                finally:
                    self._now -= 1
                    self.received.append(found)
                    self._arrived.set()
                fields = "".join(f"{name}: {value}\r\n" for name, value in said.headers)
                writer.write(f"HTTP/1.1 {said.status} Said\r\ncontent-length: {len(said.body)}\r\n{fields}\r\n".encode() + said.body)
                await writer.drain()
        writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return (await reader.readuntil(b"\r\n\r\n"))[:-4]
    except asyncio.IncompleteReadError:
        return b""


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver that listens until the block ends."""
    found = Receiver()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
        # every body is one that the catalogue describes
        told = [one.event for one in found.received if "webhook-id" in one.headers]
        assert [problem for event in told for problem in wrong(event)] == []
    finally:
        server.close()
        server.close_clients() if hasattr(server, "close_clients") else None
