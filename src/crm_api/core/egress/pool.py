"""Connections that wait for another request to the same host."""

from __future__ import annotations

import asyncio
from collections import deque
from time import perf_counter
from typing import Final

from crm_api.core.egress.connection import Connection

Origin = tuple[str, str, int]
"""Scheme, host and port."""

EXPIRY_S: Final = 4.0
"""Seconds that a connection waits. Many servers end theirs after five: whoever is later meets a closed door."""


class Pool:
    """Idle connections by origin, the last one used first. At most `most` in all."""

    def __init__(self, most: int, expiry_s: float = EXPIRY_S) -> None:
        self._most = most
        self._expiry_s = expiry_s
        self._idle: dict[Origin, deque[Connection]] = {}
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return self._count

    def take(self, origin: Origin, now: float) -> Connection | None:
        """A connection that is still good, if there is one."""
        waiting = self._idle.get(origin)
        while waiting:
            connection = waiting.pop()
            self._count -= 1
            if connection.reusable and now - connection.idle_since < self._expiry_s:
                return connection
            connection.close()
        self._idle.pop(origin, None)
        return None

    def give(self, origin: Origin, connection: Connection, now: float) -> None:
        """Keeps a connection for later; closes one that can't be used again, or for which there is no room."""
        if self._count >= self._most or not connection.reusable:
            connection.close()
            return
        connection.idle_since = now
        self._idle.setdefault(origin, deque()).append(connection)
        self._count += 1
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._expiry_s, self._sweep)

    def _sweep(self) -> None:
        oldest = perf_counter() - self._expiry_s
        for origin, waiting in list(self._idle.items()):
            while waiting and (waiting[0].idle_since <= oldest or not waiting[0].reusable):
                waiting.popleft().close()
                self._count -= 1
            if not waiting:
                del self._idle[origin]
        self._timer = asyncio.get_running_loop().call_later(self._expiry_s / 2, self._sweep) if self._count else None

    def close(self) -> None:
        """Closes all that wait, and those that come back later."""
        self._most = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for waiting in self._idle.values():
            for connection in waiting:
                connection.close()
        self._idle.clear()
        self._count = 0
