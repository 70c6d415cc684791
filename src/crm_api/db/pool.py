"""The pool: driver connections that are waiting, and those who wait for one.

It does what SQLAlchemy's pool did here, in a twentieth of the time: that one passes through a greenlet and four objects on
each checkout, which cost more than any of our statements. The driver's own pool sends a reset on each release, a round trip
for nothing: no setting of ours outlives its transaction, since all are LOCAL.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import asyncpg

Driver: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class Busy(Exception):
    """No connection became free in time, for this organisation or for anyone."""


class Pool:
    """At most `size` connections, made when they are first needed. The one given back last is taken first: its caches are warm."""

    def __init__(self, connect: Callable[[], Awaitable[Driver]], size: int, wait_seconds: float) -> None:
        self._connect = connect
        self._size = size
        self._wait_seconds = wait_seconds
        self._idle: list[Driver] = []
        self._waiting: deque[asyncio.Future[Driver | None]] = deque()
        self._made = 0
        self._closed = False

    @property
    def idle(self) -> int:
        """Connections waiting for work."""
        return len(self._idle)

    @property
    def in_use(self) -> int:
        """Connections at work."""
        return self._made - len(self._idle)

    async def take(self) -> Driver:
        """A connection outside any transaction. Raises `Busy`, or what connecting raises."""
        while self._idle:
            driver = self._idle.pop()
            if self._fit(driver):
                return driver
            self._discard(driver)
        if self._made < self._size:
            return await self._make()
        future: asyncio.Future[Driver | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            async with asyncio.timeout(self._wait_seconds):
                given = await future
        except BaseException as error:
            if future.done() and not future.cancelled():  # given in the very moment in which we gave up
                self._pass_on(future.result())
            elif future in self._waiting:
                self._waiting.remove(future)
            if isinstance(error, TimeoutError):
                raise Busy from None
            raise
        return given if given is not None else await self._make(counted=True)

    def give(self, driver: Driver) -> None:
        """Takes a connection back; one that is broken, or still in a transaction, is thrown away."""
        if self._fit(driver) and not self._closed:
            self._pass_on(driver)
        else:
            self._discard(driver)

    async def close(self) -> None:
        """Closes the idle connections; those at work are closed when they are given back."""
        self._closed = True
        while self._idle:
            driver = self._idle.pop()
            self._made -= 1
            try:
                await driver.close(timeout=2)
            except Exception:
                driver.terminate()

    @staticmethod
    def _fit(driver: Driver) -> bool:
        return not driver.is_closed() and not driver.is_in_transaction()

    async def _make(self, *, counted: bool = False) -> Driver:
        if not counted:
            self._made += 1
        try:
            return await self._connect()
        except BaseException:
            self._pass_on(None)
            raise

    def _discard(self, driver: Driver) -> None:
        if not driver.is_closed():
            driver.terminate()
        self._pass_on(None)

    def _pass_on(self, driver: Driver | None) -> None:
        """Hands a connection, or the place of one that is no more, to who waits first."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(driver)
                return
        if driver is None:
            self._made -= 1
        else:
            self._idle.append(driver)
