"""The unit of work: one transaction of one organisation. This module alone opens and ends transactions.

BEGIN and the tenant travel as one simple query with a literal, because a distributed PostgreSQL does not pass `set_config()`
on, and a session-level setting would survive in the pool for the next user. The transaction opens with the first statement,
so a request that is refused before costs none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from crm_api.core.clock import REAL_TIME, BusinessTime, Clock
from crm_api.core.ids import uuid7
from crm_api.db.engine import Connection, Database
from crm_api.db.statement import NOW, TODAY, Statement


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user, a token, an app, a workflow or the system itself."""

    type: str
    id: UUID | None = None

    def json(self) -> dict[str, str | None]:
        """The actor as records and events show it."""
        return {"type": self.type, "id": None if self.id is None else str(self.id)}


SYSTEM = Actor("system")


@dataclass(slots=True)
class Cause:
    """Why a change happens, as its event tells: the domain action and where it came from. `ip` is for the audit log alone."""

    action: str | None = None
    request_id: str | None = None
    idempotency_key: str | None = None
    app_id: UUID | None = None
    token_id: UUID | None = None
    job_id: UUID | None = None
    rule_id: UUID | None = None
    event_id: UUID | None = None
    ip: str | None = None


Hook = Callable[["Uow"], Awaitable[None]]


@dataclass(slots=True)
class Uow:
    """One transaction.

    `now` is the business time of everything in it, `clock` tells real time, by which ids are made. `state` lets the kernel
    keep what it collects until the commit (changed records, taken numbers) under a key of its own. Hooks in `before_commit`
    run in order inside the transaction, those in
    `after_commit` only once it is durable. With `dry_run` the commit rolls back instead. With `snapshot` all its statements
    see the database as it was when the first one ran. With `plan_by_values` (set before the first statement) PostgreSQL plans each
    statement for its values instead of keeping one plan for all. `zone` is the organisation's time zone, which says what day it is.
    """

    connection: Connection
    org_id: UUID
    now: datetime
    clock: Clock
    actor: Actor = SYSTEM
    cause: Cause = field(default_factory=Cause)
    read_only: bool = False
    dry_run: bool = False
    statement_timeout_ms: int = 20_000
    lock_timeout_ms: int | None = None
    snapshot: bool = False
    time: BusinessTime = REAL_TIME
    zone: str = "UTC"
    plan_by_values: bool = False
    state: dict[str, Any] = field(default_factory=dict)
    before_commit: list[Hook] = field(default_factory=list)
    after_commit: list[Hook] = field(default_factory=list)
    _open: bool = False
    _savepoints: int = 0
    _transaction_id: UUID | None = None

    def keep_time(self, time: BusinessTime) -> None:
        """Sets `now` by the organisation's own time, where that wasn't known when the unit of work was made."""
        self.time = time
        self.now = time.at(self.clock.now())

    @property
    def transaction_id(self) -> UUID:
        """What the events of this transaction have in common."""
        if self._transaction_id is None:
            self._transaction_id = uuid7(self.clock)
        return self._transaction_id

    def new_id(self) -> UUID:
        """A fresh UUIDv7."""
        return uuid7(self.clock)

    async def begin(self) -> None:
        """Opens the transaction, if it isn't open yet."""
        if self._open:
            return
        mode = (" ISOLATION LEVEL REPEATABLE READ" if self.snapshot else "") + (" READ ONLY" if self.read_only else "")
        lock = "" if self.lock_timeout_ms is None else f"; SET LOCAL lock_timeout = {int(self.lock_timeout_ms)}"
        lock += "; SET LOCAL plan_cache_mode = force_custom_plan" if self.plan_by_values else ""
        self._open = True
        tenant = f"SET LOCAL app.org_id = '{UUID(bytes=self.org_id.bytes)}'"
        await self.connection.run(f"BEGIN{mode}; {tenant}; SET LOCAL statement_timeout = {int(self.statement_timeout_ms)}{lock}")

    def _now_in(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The values with the present moment."""
        return {NOW: self.now, TODAY: self.now.astimezone(ZoneInfo(self.zone)).date(), **values}

    async def writable(self) -> None:
        """Lets what follows write: a transaction that has only read so far ends, and the next statement opens another."""
        if self.read_only:
            await self.rollback()
            self.read_only = False

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> list[asyncpg.Record]:
        """All rows."""
        if not self._open:
            await self.begin()
        return await self.connection.fetch(statement, self._now_in(values) if statement.momentary else values)

    async def fetch_row(self, statement: Statement, values: Mapping[str, Any]) -> asyncpg.Record | None:
        """The first row, or None."""
        if not self._open:
            await self.begin()
        return await self.connection.fetch_row(statement, self._now_in(values) if statement.momentary else values)

    async def fetch_value(self, statement: Statement, values: Mapping[str, Any]) -> Any:
        """The first column of the first row, or None."""
        row = await self.fetch_row(statement, values)
        return None if row is None else row[0]

    async def stream(self, statement: Statement, values: Mapping[str, Any], batch: int) -> AsyncIterator[asyncpg.Record]:
        """All rows, `batch` at a time through a cursor of the server, so that any number of them fits into memory."""
        if not self._open:
            await self.begin()
        async for row in self.connection.stream(statement, self._now_in(values) if statement.momentary else values, batch):
            yield row

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Statements inside are undone if an exception leaves the block; what the kernel had collected is restored too."""
        await self.begin()
        self._savepoints += 1
        name = f"s{self._savepoints}"
        await self.connection.run(f"SAVEPOINT {name}")
        kept = {key: value.copy() if hasattr(value, "copy") else value for key, value in self.state.items()}
        hooks = (list(self.before_commit), list(self.after_commit))
        try:
            yield
        except BaseException:
            self.state = kept
            self.before_commit, self.after_commit = hooks
            if not self.connection.driver.is_closed():
                await self.connection.run(f"ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}")
            raise
        await self.connection.run(f"RELEASE SAVEPOINT {name}")

    async def commit(self) -> None:
        """Runs what waits for the end, then makes it durable (or undoes it, in a dry run)."""
        while self.before_commit:
            await self.before_commit.pop(0)(self)
        if not self._open:
            return
        if self.dry_run:
            await self.rollback()
            return
        await self.connection.run("COMMIT")
        self._open = False
        for hook in self.after_commit:
            await hook(self)

    async def rollback(self) -> None:
        """Undoes everything; safe to call at any time, also on a broken connection."""
        if not self._open:
            return
        self._open = False
        driver = self.connection.driver
        if not driver.is_closed() and driver.is_in_transaction():
            await asyncio.shield(self._undo())

    async def _undo(self) -> None:
        # A caller that is cancelled once more doesn't wait for this, and its connection is thrown away under the statement.
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
            await self.connection.run("ROLLBACK")


@asynccontextmanager
async def unit_of_work(
    database: Database,
    org_id: UUID,
    clock: Clock,
    *,
    actor: Actor = SYSTEM,
    cause: Cause | None = None,
    read_only: bool = False,
    dry_run: bool = False,
    snapshot: bool = False,
    time: BusinessTime = REAL_TIME,
) -> AsyncIterator[Uow]:
    """A unit of work on a connection of its own, committed when the block ends and rolled back when an exception leaves it."""
    async with database.connection() as connection:
        uow = Uow(
            connection,
            org_id,
            time.at(clock.now()),
            clock,
            actor,
            cause or Cause(),
            read_only,
            dry_run,
            database.statement_timeout_ms,
            snapshot=snapshot,
            time=time,
        )
        try:
            yield uow
            await uow.commit()
        finally:
            await uow.rollback()
