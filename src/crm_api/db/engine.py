"""The database, and the one class through which statements run.

Statements are compiled by SQLAlchemy and run on asyncpg connections; transactions are opened and ended by `Uow` with plain
BEGIN and COMMIT. JSON comes back as the text PostgreSQL made: most of it goes to the client as it is.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import UUID

import asyncpg

from crm_api.db.pool import Busy, Driver, Pool
from crm_api.db.statement import Statement

if TYPE_CHECKING:
    from crm_api.settings import Settings

Observer = Callable[[str], None]
_POOL_WAIT_S: Final = 10.0
"""How long anyone waits for a connection of the whole pool; an organisation's own limit is reached long before."""


class Connection:
    """A checked-out driver connection. Every statement of the product passes here, so that tests can record them."""

    __slots__ = ("_observers", "driver")

    def __init__(self, driver: Driver, observers: Sequence[Observer]) -> None:
        self.driver = driver
        self._observers = observers

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> list[asyncpg.Record]:
        """All rows of a compiled statement."""
        for observe in self._observers:
            observe(statement.sql)
        rows: list[asyncpg.Record] = await self.driver.fetch(statement.sql, *statement.arguments(values))
        return rows

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
        status: str = await self.driver.execute(sql)
        return status


class Checkout:
    """A connection for the length of an `async with` block."""

    __slots__ = ("_driver", "_observers", "_pool")

    def __init__(self, pool: Pool, observers: Sequence[Observer]) -> None:
        self._pool = pool
        self._observers = observers

    async def __aenter__(self) -> Connection:
        self._driver = await self._pool.take()
        return Connection(self._driver, self._observers)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if isinstance(error, asyncio.CancelledError):
                await asyncio.shield(_settle(self._driver))
        finally:
            self._pool.give(self._driver)


class Database:
    """One PostgreSQL database and the pool to it.

    `org_connections` caps how many connections one organisation may hold at once, so that one tenant's batches cannot take
    the whole pool; a caller beyond it waits `wait_seconds`, then gets `Busy`. PostgreSQL ends a transaction in which nothing was asked
    for `idle_transaction_ms` (0: never), so that a process that froze in the middle of one gives up its locks;
    `transaction_ms` bounds whole transactions, also one that froze while a statement was on its way (PostgreSQL 17 or newer).
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        org_connections: int = 6,
        wait_seconds: float = 1.0,
        statement_timeout_ms: int = 20_000,
        idle_transaction_ms: int = 0,
        transaction_ms: int = 0,
    ) -> None:
        self.url = _driver_url(url)
        self._idle_transaction_ms = idle_transaction_ms
        self._transaction_ms = transaction_ms
        self.statement_timeout_ms = statement_timeout_ms
        self.observers: list[Observer] = []
        self._wait_seconds = wait_seconds
        self._org_connections = org_connections
        self._held: defaultdict[UUID, int] = defaultdict(int)
        self._waiting: defaultdict[UUID, list[asyncio.Future[None]]] = defaultdict(list)
        self.pool = Pool(self._connect, pool_size, _POOL_WAIT_S)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The database of an API process or a command, as it is configured."""
        return cls(
            settings.database_url,
            pool_size=settings.db_pool_size,
            org_connections=settings.db_org_connections,
            wait_seconds=settings.db_wait_s,
            statement_timeout_ms=settings.statement_timeout_ms,
        )

    async def _connect(self) -> Driver:
        driver: Driver = await asyncpg.connect(
            self.url,
            # Statements are few and looked up by every request: none is dropped for its age or its length.
            statement_cache_size=1000,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=0,
            server_settings={
                "application_name": "crm_api",
                "jit": "off",
                **({"idle_in_transaction_session_timeout": str(self._idle_transaction_ms)} if self._idle_transaction_ms else {}),
            },
        )
        if self._transaction_ms and driver.get_server_version() >= (17,):
            await driver.execute(f"SET transaction_timeout = {int(self._transaction_ms)}")
        return driver

    async def close(self) -> None:
        """Closes every connection."""
        await self.pool.close()

    def connection(self) -> Checkout:
        """`async with`: a connection outside any transaction; one that ends inside a transaction, or broken, is thrown away."""
        return Checkout(self.pool, self.observers)

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


async def _settle(driver: Driver) -> None:
    """Ends whatever a cancelled statement left open.

    The driver does not know yet: it learns the transaction's state from the server's answer, which is still to come (a BEGIN
    that was cancelled looks like none). A round trip waits for that answer and ends the transaction.
    """
    try:
        async with asyncio.timeout(2):
            await driver.execute("ROLLBACK")
    except Exception:
        driver.terminate()


def _driver_url(url: str) -> str:
    for prefix in ("postgresql+asyncpg://", "postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql://" + url.removeprefix(prefix)
    raise ValueError("DATABASE_URL must start with postgresql://")


__all__ = ["Busy", "Checkout", "Connection", "Database", "Driver", "Observer"]
