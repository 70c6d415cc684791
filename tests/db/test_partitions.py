"""Partitions: made ahead, dropped behind, and no row is ever refused for want of one."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from crm_api.core.clock import FixedClock, SystemClock
from crm_api.core.ids import uuid7, uuid7_floor, uuid7_time
from crm_api.db.partitions import TABLES, Partitioned, creation, expired, maintain, needed, partition_names
from crm_api.embedded import DatabaseUrls
from crm_api.settings import driver_url
from tests.databases import migrated, server

pytestmark = pytest.mark.anyio

EVENTS, JOURNAL, SNAPSHOTS, DELIVERIES, ATTEMPTS = TABLES


@pytest.fixture(scope="module")
def own() -> Iterator[DatabaseUrls]:
    with server() as admin_url, migrated(admin_url) as found:
        yield found


@pytest.fixture
async def owner(own: DatabaseUrls) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(driver_url(own.database_owner_url))
    yield connection
    await connection.close()


@pytest.fixture
async def application(own: DatabaseUrls) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(driver_url(own.database_url))
    yield connection
    await connection.close()


def test_bounds_touch_and_follow_the_calendar() -> None:
    now = datetime(2027, 2, 27, 13, 30, tzinfo=UTC)
    days = list(needed(JOURNAL, now, timedelta(days=3)))
    assert [part.name for part in days] == [f"journal_202702{day}" for day in (25, 26, 27, 28)] + ["journal_20270301", "journal_20270302"]
    assert all(one.end == two.start for one, two in itertools.pairwise(days))
    assert [part.name for part in needed(EVENTS, now, timedelta(days=3))] == ["events_202702", "events_202703"]
    assert uuid7_time(uuid7_floor(days[0].start)) == days[0].start
    assert str(uuid7_floor(days[0].end)) in creation(days[0])[0]


def test_what_expires() -> None:
    now = datetime(2027, 2, 27, 13, 30, tzinfo=UTC)
    names = {"journal_20270122", "journal_20270123", "journal_20270124", "journal_default", "journal_by_hand"}
    assert expired(JOURNAL, names, now) == ["journal_20270122"]
    assert expired(EVENTS, {"events_202001"}, now) == []


async def test_a_row_nobody_foresaw_is_kept_and_moves_home_later(
    owner: "asyncpg.Connection[asyncpg.Record]", application: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    org, clock = uuid7(SystemClock()), FixedClock(datetime(2031, 5, 6, 7, tzinfo=UTC))
    event = uuid7(clock)
    async with application.transaction():
        await application.execute(f"SET LOCAL app.org_id = '{org}'")
        await application.execute(f"INSERT INTO journal VALUES ('{org}', 1, '{event}')")
        assert await application.fetchval("SELECT tableoid::regclass::text FROM journal") == "journal_default"
    told: list[str] = []
    await maintain(owner, clock.now(), timedelta(days=1), report=told.append)
    assert "made journal_20310506" in told
    async with application.transaction():
        await application.execute(f"SET LOCAL app.org_id = '{org}'")
        assert await application.fetchval("SELECT tableoid::regclass::text FROM journal") == "journal_20310506"
    fences = await owner.fetch(
        "SELECT relname, relforcerowsecurity AS forced FROM pg_class WHERE relname ~ '^journal_(2|default)' AND relkind = 'r'"
    )
    assert all(row["forced"] for row in fences)
    await maintain(owner, clock.now() + timedelta(days=40), timedelta(days=1))
    assert "journal_20310506" not in await partition_names(owner, JOURNAL)
    assert "journal_default" in await partition_names(owner, JOURNAL)


async def test_two_at_once_and_again(own: DatabaseUrls) -> None:
    at = datetime(2033, 1, 1, tzinfo=UTC)

    async def once() -> None:
        connection = await asyncpg.connect(driver_url(own.database_owner_url))
        try:
            await maintain(connection, at, timedelta(days=5))
        finally:
            await connection.close()

    await asyncio.gather(once(), once(), once())
    await once()
    connection = await asyncpg.connect(driver_url(own.database_owner_url))
    assert {part.name for part in needed(SNAPSHOTS, at, timedelta(days=5))} <= await partition_names(connection, SNAPSHOTS)
    await connection.close()


@pytest.mark.parametrize("table", [DELIVERIES, ATTEMPTS], ids=lambda table: table.name)
async def test_dropping_lets_others_work_while_it_waits(
    own: DatabaseUrls, owner: "asyncpg.Connection[asyncpg.Record]", application: "asyncpg.Connection[asyncpg.Record]", table: Partitioned
) -> None:
    """A long reader keeps an expired day; those who come meanwhile are not held up behind the drop for long, and nothing is stuck."""
    now = SystemClock().now()
    old = next(needed(table, now - timedelta(days=60), timedelta()))
    for statement in creation(old):
        await owner.execute(statement)
    reader = application.transaction()
    await reader.start()
    await application.fetch(f"SELECT count(*) FROM {table.name}")
    dropping = asyncio.create_task(maintain(owner, now))
    other = await asyncpg.connect(driver_url(own.database_url))
    try:
        for _ in range(20):
            await other.execute("SET lock_timeout = '2s'")  # far more than the drop may hold on
            await other.fetch(f"SELECT count(*) FROM {table.name}")
            await asyncio.sleep(0.02)
        assert old.name in await partition_names(other, table)
        assert not dropping.done()
    finally:
        await other.close()
        await reader.rollback()
    await dropping
    assert old.name not in await partition_names(owner, table)
