"""A query sent ahead of the driver's next one, so that BEGIN costs no round trip of its own.

The server works through what it is sent in order, so BEGIN and the first statement can travel together. The driver sends one
query at a time; this stands between its protocol and the socket, writes BEGIN before the driver writes its statement, and
takes the answer to BEGIN out of the stream, so the driver sees only what it asked for. The transaction's state reaches the
driver with its own answer (`ReadyForQuery` carries it).

Should BEGIN fail, the statement behind it has run outside a transaction and without a tenant, and row-level security has
shown it nothing and let it write nothing; the connection is then cut, and the caller is told that the database is away.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import asyncpg

_HEAD: Final = 5  # a message's type, one byte, and its length, four bytes that count themselves
_TAKEN: Final = {"BEGIN": b"C\x00\x00\x00\x0aBEGIN\x00", "SET": b"C\x00\x00\x00\x08SET\x00"}
_READY_IN_TRANSACTION: Final = b"Z\x00\x00\x00\x05T"
_FOR_THE_DRIVER: Final = frozenset(b"NSA")  # notices, changed settings, notifications may come at any time


class Ahead(asyncio.Protocol):
    """Stands before one connection's protocol for as long as the connection lives."""

    def __init__(self, driver: Any) -> None:
        # Neither has a public name. Whoever updates asyncpg is told by tests/db/test_ahead.py if they are gone.
        self._inner: Any = driver._protocol
        self._transport: Any = driver._transport
        self._expected = b""
        self._held = b""
        self._failed = False
        self._transport.set_protocol(self)

    def send(self, sql: str) -> None:
        """Writes a simple query of BEGIN and SETs; its answer will be taken out of the stream."""
        text = sql.encode()
        self._transport.write(b"Q" + (len(text) + 5).to_bytes(4, "big") + text + b"\x00")
        self._expected = b"".join(_TAKEN[part.split(None, 1)[0]] for part in sql.split("; ")) + _READY_IN_TRANSACTION

    def data_received(self, data: bytes) -> None:
        """From the socket."""
        if not self._expected:
            self._inner.data_received(data)
            return
        if self._held:
            data, self._held = self._held + data, b""
        if data.startswith(self._expected):
            rest = data[len(self._expected) :]
            self._expected = b""
        else:
            rest = self._take(data)
        if rest:
            self._inner.data_received(rest)

    def _take(self, data: bytes) -> bytes:
        """Message by message, for an answer that is cut in pieces or not the usual one; returns what lies behind it."""
        at = 0
        while at + _HEAD <= len(data):
            end = at + 1 + int.from_bytes(data[at + 1 : at + _HEAD], "big")
            if end > len(data):
                break
            kind, message = data[at], data[at:end]
            at = end
            if kind in _FOR_THE_DRIVER:
                self._inner.data_received(message)
            elif kind == ord("E"):
                self._failed = True
            elif kind == ord("Z"):
                self._expected = b""
                if self._failed or message != _READY_IN_TRANSACTION:
                    self._transport.abort()
                    return b""
                return data[at:]
        self._held = data[at:]
        return b""

    def connection_lost(self, exc: Exception | None) -> None:
        """From the transport."""
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        """From the transport."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """From the transport."""
        self._inner.resume_writing()

    def eof_received(self) -> bool | None:
        """From the transport."""
        found: bool | None = self._inner.eof_received()
        return found


class DriverConnection(asyncpg.Connection):  # type: ignore[misc]  # the driver has no types
    """The driver's connection with a place for what stands before it."""

    __slots__ = ("ahead",)

    ahead: Ahead
