"""One HTTP/1.1 connection as a client (RFC 9112), with limits on everything that the other side sends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import Final, cast

import h11

from crm_api.core.egress.answers import Answer, EgressFailed
from crm_api.core.egress.dialer import Marks

MAX_HEAD_BYTES: Final = 32_768
"""Largest head of an answer, and largest line of its framing; beyond it the connection is given up."""

KEPT_HEADERS: Final = 50
KEPT_HEADER_BYTES: Final = 8_192
MOST_INTERIM: Final = 8
"""Interim answers (1xx) that are waited through."""

_CHUNK: Final = 16_384
_UNREAD: Final = 65_536


class Connection(asyncio.Protocol):
    """A connection that carries one request after the other.

    Nothing is read ahead of what is asked for but one buffer, so that memory stays flat however much is sent.
    """

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._transport: asyncio.Transport | None = None
        self._unread = bytearray()
        self._ended = False
        self._broken = False
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self.used = 0
        self.idle_since = 0.0
        self.heard = False
        self.address: str | None = None

    # --- what the transport says ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by their classes

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if len(self._unread) > _UNREAD and not self._paused and self._transport is not None:
            self._transport.pause_reading()
            self._paused = True
        self._wake()

    def eof_received(self) -> bool:
        self._ended = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._broken = exc is not None
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # --- what the pool asks ---

    @property
    def reusable(self) -> bool:
        """Whether another request may go over it: the last one is through, and the other side neither went away nor said anything."""
        return (
            not self._ended
            and not self._unread
            and self._transport is not None
            and not self._transport.is_closing()
            and self._http.our_state is h11.IDLE
        )

    def close(self) -> None:
        """Ends it at once, without waiting for the other side."""
        if self._transport is not None:
            self._transport.abort()

    # --- one request ---

    async def exchange(self, method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes, keep: int, marks: Marks) -> Answer:
        """Sends a request and reads its answer. Raises EgressFailed; then, or if it was cancelled, the connection is of no more use."""
        assert self._transport is not None
        self.heard = False
        try:
            request = self._http.send(h11.Request(method=method, target=path, headers=list(headers)))
            sent = [request, self._http.send(h11.Data(data=body)) if body else None, self._http.send(h11.EndOfMessage())]
        except (h11.LocalProtocolError, UnicodeError) as error:
            raise EgressFailed("protocol", f"The request can't be sent: {error}.") from None
        # In one piece, and without waiting until it is through: a server may answer before it has read everything.
        self._transport.write(b"".join(part for part in sent if part))
        marks.sent = perf_counter()
        head = await self._head()
        marks.headed = perf_counter()
        kept, truncated = await self._body(keep)
        self.used += 1
        if not truncated and self._http.our_state is h11.DONE and self._http.their_state is h11.DONE and not self._http.trailing_data[0]:
            self._http.start_next_cycle()
        return Answer(head.status_code, _kept(head.headers), kept, truncated, self.address, marks.timings())

    async def _head(self) -> h11.Response:
        for _ in range(MOST_INTERIM + 1):
            event = await self._event()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise EgressFailed("protocol", "The answer has no head.")
        raise EgressFailed("protocol", "The server sent too many interim answers.")

    async def _body(self, keep: int) -> tuple[bytes, bool]:
        """What is kept of the body, and whether there is more."""
        kept = bytearray()
        while True:
            event = await self._event()
            if isinstance(event, h11.Data):
                kept += event.data
                if len(kept) > keep:
                    return bytes(kept[:keep]), True
            elif isinstance(event, h11.EndOfMessage):
                return bytes(kept), False
            else:
                raise _closed(self.heard)

    async def _event(self) -> h11.Event:
        at_end = False
        try:
            while not isinstance(event := self._http.next_event(), h11.Event):
                data = await self._read()
                at_end = not data
                self._http.receive_data(data)
        except h11.RemoteProtocolError as error:
            if at_end:
                raise _closed(self.heard) from None
            raise EgressFailed("protocol", f"The answer is not HTTP/1.1: {error}.") from None
        if isinstance(event, h11.ConnectionClosed):
            raise _closed(self.heard)
        return event

    async def _read(self) -> bytes:
        """Some of what came; empty at the end."""
        while not self._unread and not self._ended:
            if self._paused and self._transport is not None:
                self._transport.resume_reading()
                self._paused = False
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if not self._unread and self._broken:  # not the end of an answer that lasts until the end of its connection
            raise _closed(self.heard)
        data = bytes(self._unread[:_CHUNK])
        del self._unread[:_CHUNK]
        self.heard = self.heard or bool(data)
        return data


def _closed(heard: bool) -> EgressFailed:
    return EgressFailed("closed", f"The connection was closed {'within the answer' if heard else 'before an answer came'}.")


def _kept(headers: h11._headers.Headers) -> tuple[tuple[str, str], ...]:
    kept: list[tuple[str, str]] = []
    left = KEPT_HEADER_BYTES
    for name, value in headers:
        left -= len(name) + len(value)
        if left < 0 or len(kept) == KEPT_HEADERS:
            break
        kept.append((name.decode("ascii"), value.decode("latin-1")))
    return tuple(kept)
