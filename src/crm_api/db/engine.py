"""The pool of connections, and the one class through which statements run.

The SQLAlchemy engine owns the connections (pooling, URL handling, driver set-up) in AUTOCOMMIT mode; statements run on the
asyncpg connection below it, and transactions are opened and ended by `Uow` with plain BEGIN and COMMIT, so everything that
uses the connection shares one transaction.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from crm_api.db.statement import Statement

Observer = Callable[[str], None]


class Connection:
    """A checked-out driver connection. Every statement of the product passes here, so that tests can record them."""

    __slots__ = ("_observers", "driver")

    def __init__(self, driver: asyncpg.Connection[asyncpg.Record], observers: Sequence[Observer]) -> None:
        self.driver = driver
        self._observers = observers

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> list[asyncpg.Record]:
        """All rows of a compiled statement."""
        for observe in self._observers:
            observe(statement.sql)
        return await self.driver.fetch(statement.sql, *statement.arguments(values))

    async def fetch_row(self, statement: Statement, values: Mapping[str, Any]) -> asyncpg.Record | None:
        """The first row, or None."""
        for observe in self._observers:
            observe(statement.sql)
        return await self.driver.fetchrow(statement.sql, *statement.arguments(values))

    async def stream(self, statement: Statement, values: Mapping[str, Any], batch: int) -> AsyncIterator[asyncpg.Record]:
        """All rows through a server-side cursor, `batch` per round trip; inside a transaction only."""
        for observe in self._observers:
            observe(statement.sql)
        async for row in self.driver.cursor(statement.sql, *statement.arguments(values), prefetch=batch):
            yield row

    async def run(self, sql: str) -> str:
        """A simple query (BEGIN, COMMIT, SET LOCAL, SAVEPOINT): several statements in one round trip, no parameters."""
        for observe in self._observers:
            observe(sql)
        return await self.driver.execute(sql)


class Busy(Exception):
    """No connection became free for this organisation in time."""


class Database:
    """One PostgreSQL database and the pool to it.

    `org_connections` caps how many connections one organisation may hold at once, so that one tenant's batches cannot take
    the whole pool; a caller beyond it waits `wait_seconds`, then gets `Busy`.
    """

    def __init__(
        self, url: str, *, pool_size: int = 10, org_connections: int = 6, wait_seconds: float = 1.0, statement_timeout_ms: int = 20_000
    ) -> None:
        self.url = _async_url(url)
        self.statement_timeout_ms = statement_timeout_ms
        self.observers: list[Observer] = []
        self._wait_seconds = wait_seconds
        self._org_connections = org_connections
        self._held: defaultdict[UUID, int] = defaultdict(int)
        self._waiting: defaultdict[UUID, list[asyncio.Future[None]]] = defaultdict(list)
        self.engine: AsyncEngine = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=False,
            isolation_level="AUTOCOMMIT",
            pool_reset_on_return=None,
            # JSON comes back as the text PostgreSQL made: most of it goes to the client as it is
            json_deserializer=_as_is,
            connect_args={
                "statement_cache_size": 1000,
                "command_timeout": None,
                "server_settings": {"application_name": "crm_api", "jit": "off"},
            },
        )

    async def close(self) -> None:
        """Closes every connection."""
        await self.engine.dispose()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection outside any transaction; one that comes back inside a transaction, or broken, is thrown away."""
        async with self.engine.connect() as held:
            raw = await held.get_raw_connection()
            driver: asyncpg.Connection[asyncpg.Record] = raw.driver_connection  # type: ignore[assignment]
            if driver.is_closed() or driver.is_in_transaction():
                await held.invalidate()
                raw = await held.get_raw_connection()
                driver = raw.driver_connection  # type: ignore[assignment]
            try:
                yield Connection(driver, self.observers)
            except asyncio.CancelledError:
                await asyncio.shield(_settle(driver))
                if driver.is_closed():
                    await asyncio.shield(held.invalidate())
                raise
            except BaseException:
                if driver.is_closed() or driver.is_in_transaction():
                    await asyncio.shield(held.invalidate())
                raise

    def try_hold(self, org_id: UUID) -> bool:
        """Takes one of the organisation's places, if one is free."""
        if self._held[org_id] >= self._org_connections:
            return False
        self._held[org_id] += 1
        return True

    async def hold(self, org_id: UUID) -> None:
        """Waits for one of the organisation's places; raises `Busy` after `wait_seconds`."""
        if self.try_hold(org_id):
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[org_id].append(future)
        try:
            await asyncio.wait_for(future, self._wait_seconds)
        except TimeoutError:
            if future in self._waiting[org_id]:
                self._waiting[org_id].remove(future)
            raise Busy from None

    def release(self, org_id: UUID) -> None:
        """Gives a place back, to whoever waits first."""
        waiting = self._waiting.get(org_id)
        while waiting:
            future = waiting.pop(0)
            if not future.done():
                future.set_result(None)
                return
        self._held[org_id] -= 1
        if self._held[org_id] <= 0:
            del self._held[org_id]
            self._waiting.pop(org_id, None)


def _as_is(text: str) -> str:
    return text


async def _settle(driver: asyncpg.Connection[asyncpg.Record]) -> None:
    """Ends whatever a cancelled statement left open.

    The driver does not know yet: it learns the transaction's state from the server's answer, which is still to come (a BEGIN
    that was cancelled looks like none). A round trip waits for that answer and ends the transaction.
    """
    try:
        async with asyncio.timeout(2):
            await driver.execute("ROLLBACK")
    except Exception:
        driver.terminate()


def _async_url(url: str) -> str:
    for prefix in ("postgresql+asyncpg://", "postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+asyncpg://" + url.removeprefix(prefix)
    raise ValueError("DATABASE_URL must start with postgresql://")
