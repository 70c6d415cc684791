"""Partitions by time of the tables whose key is a UUIDv7: making them ahead, and letting go of the old.

A UUIDv7 begins with its millisecond, so a range of ids is a range of time. Each table also has a DEFAULT partition: a row
whose time nobody foresaw (a worker that was down for weeks, a clock set to another year) is stored there instead of being
refused, and moves out when its range gets a partition of its own.

Partitions are made by the role that owns the tables. The application's role reaches them through their parents only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias

import asyncpg

from crm_api.core.ids import uuid7_floor

Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
"""A connection as the role that owns the tables."""


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A table partitioned by ranges of the UUIDv7 in `column`; `keep_days` is None for what is kept for ever."""

    name: str
    column: str
    span: Literal["day", "month"]
    keep_days: int | None
    fenced: bool = True


TABLES: Final = (
    Partitioned("events", "id", "month", None),
    Partitioned("journal", "event_id", "day", 35),
    Partitioned("event_snapshots", "event_id", "day", 35),
    Partitioned("webhook_deliveries", "id", "day", 35),
    Partitioned("webhook_attempts", "id", "day", 30),
)

AHEAD: Final = timedelta(days=14)
"""How far ahead partitions are made: the time that the worker may be down without rows going to the DEFAULT partitions."""

BEHIND: Final = timedelta(days=2)
"""How far back partitions are made: transactions under way, and machines whose clocks are a little slow."""


LOCK_TIMEOUT_MS: Final = 100
LOCK_PAUSE_S: Final = 0.4
LOCK_TRIES: Final = 50
"""How long DDL holds up others while it waits for a lock, how long it lets them go before it asks again, and how often."""


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition: rows with `start` <= time < `end`."""

    table: Partitioned
    start: datetime
    end: datetime

    @property
    def name(self) -> str:
        """`journal_20261122`, `events_202611`."""
        return f"{self.table.name}_{self.start:%Y%m%d}" if self.table.span == "day" else f"{self.table.name}_{self.start:%Y%m}"

    @property
    def bounds(self) -> str:
        """The range of ids as DDL writes it."""
        return f"FOR VALUES FROM ('{uuid7_floor(self.start)}') TO ('{uuid7_floor(self.end)}')"


def needed(table: Partitioned, now: datetime, ahead: timedelta) -> Iterator[Partition]:
    """The partitions that cover [now - 2 days, now + ahead], oldest first."""
    start = _floor(now - BEHIND, table.span)
    while start <= now + ahead:
        end = _next(start, table.span)
        yield Partition(table, start, end)
        start = end


def expired(table: Partitioned, names: Collection[str], now: datetime) -> list[str]:
    """Those of a table's partitions whose every row is older than the table keeps rows."""
    if table.keep_days is None:
        return []
    limit = now - timedelta(days=table.keep_days)
    found = []
    for name in sorted(names):
        start = _start(table, name)
        if start is not None and _next(start, table.span) <= limit:
            found.append(name)
    return found


def creation(partition: Partition) -> list[str]:
    """The statements that make a partition, one DDL each."""
    return [
        f"CREATE TABLE {partition.name} PARTITION OF {partition.table.name} {partition.bounds}",
        *_fence(partition.table, partition.name),
    ]


def default_creation(table: Partitioned) -> list[str]:
    """The statements that make a table's DEFAULT partition."""
    name = f"{table.name}_default"
    return [f"CREATE TABLE {name} PARTITION OF {table.name} DEFAULT", *_fence(table, name)]


def rescue(partition: Partition) -> list[str]:
    """The statements that make a partition whose rows already wait in the DEFAULT one; to be run in one transaction.

    The owner is subject to the row-level fence like everybody else and would see nothing to move, so the fence of the
    DEFAULT partition is open to its owner, and to nobody else, until the transaction ends.
    """
    table, name = partition.table, partition.name
    waiting = f"{table.name}_default"
    low, high = uuid7_floor(partition.start), uuid7_floor(partition.end)
    moved = f"DELETE FROM {waiting} WHERE {table.column} >= '{low}' AND {table.column} < '{high}' RETURNING *"
    return [
        f"LOCK TABLE {table.name} IN ACCESS EXCLUSIVE MODE",
        f"CREATE TABLE {name} (LIKE {table.name} INCLUDING ALL)",
        f"ALTER TABLE {waiting} NO FORCE ROW LEVEL SECURITY",
        f"WITH moved AS ({moved}) INSERT INTO {name} SELECT * FROM moved",
        f"ALTER TABLE {waiting} FORCE ROW LEVEL SECURITY",
        f"ALTER TABLE {table.name} ATTACH PARTITION {name} {partition.bounds}",
        *_fence(table, name),
    ]


async def partition_names(connection: Owner, table: Partitioned) -> set[str]:
    """The names of a table's partitions."""
    rows = await connection.fetch(
        "SELECT c.relname::text AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass($1)",
        table.name,
    )
    return {row["name"] for row in rows}


async def maintain(connection: Owner, now: datetime, ahead: timedelta = AHEAD, *, report: Callable[[str], None] = lambda _: None) -> None:
    """Makes the partitions that are missing up to `now + ahead` and drops the expired ones.

    `connection` is the owner's, outside a transaction. Harmless to repeat, and in two processes at once: one waits, then finds
    the work done. `report` is told of each partition that came or went.
    """
    for table in TABLES:
        for partition in needed(table, now, ahead):
            if partition.name not in await partition_names(connection, table):
                await _make(connection, partition)
                report(f"made {partition.name}")
        for name in expired(table, await partition_names(connection, table), now):
            await _patiently(connection, [f"DROP TABLE IF EXISTS {name}"])
            report(f"dropped {name}")


async def _patiently(connection: Owner, statements: Sequence[str]) -> None:
    """Runs DDL in one transaction that waits for locks only a moment, and comes back: while it waits for a long reader, everybody else who
    wants the table waits behind it. Raises LockNotAvailableError once it has tried long enough; the next sweep goes on."""
    for attempt in range(LOCK_TRIES):
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
                for statement in statements:
                    await connection.execute(statement)
            return
        except asyncpg.LockNotAvailableError:
            if attempt == LOCK_TRIES - 1:
                raise
            await asyncio.sleep(LOCK_PAUSE_S)


async def _make(connection: Owner, partition: Partition) -> None:
    for statements in (creation(partition), rescue(partition)):
        try:
            await _patiently(connection, statements)
            return
        except asyncpg.DuplicateTableError:
            return  # another process was faster
        except asyncpg.CheckViolationError:
            continue  # rows of this range wait in the DEFAULT partition


def _fence(table: Partitioned, name: str) -> list[str]:
    if not table.fenced:
        return []
    # Reached only by its owner, who must not see through the fence either; it needs no policy, since nothing passes.
    return [f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY", f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY"]


def _floor(at: datetime, span: Literal["day", "month"]) -> datetime:
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day if span == "day" else day.replace(day=1)


def _next(start: datetime, span: Literal["day", "month"]) -> datetime:
    if span == "day":
        return start + timedelta(days=1)
    return (start.replace(day=1) + timedelta(days=32)).replace(day=1)


def _start(table: Partitioned, name: str) -> datetime | None:
    text = name.removeprefix(f"{table.name}_")
    pattern = "%Y%m%d" if table.span == "day" else "%Y%m"
    try:
        return datetime.strptime(text, pattern).replace(tzinfo=UTC)
    except ValueError:
        return None  # the DEFAULT partition, or one that somebody made by hand
