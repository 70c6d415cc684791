"""The pool: sharing, waiting, giving up, and connections that are not fit to be given out again."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from crm_api.core.clock import SystemClock
from crm_api.core.ids import uuid7
from crm_api.db import engine
from crm_api.db.engine import Busy, Connection, Database
from crm_api.db.pool import Pool
from crm_api.db.uow import unit_of_work
from crm_api.embedded import DatabaseUrls
from tests.databases import migrated, server

pytestmark = pytest.mark.anyio
SIZE = 3


@pytest.fixture(scope="module")
def own() -> Iterator[DatabaseUrls]:
    with server() as admin_url, migrated(admin_url) as found:
        yield found


@pytest.fixture
async def database(own: DatabaseUrls, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    monkeypatch.setattr(engine, "_POOL_WAIT_S", 0.3)
    database = Database(own.database_url, pool_size=SIZE)
    yield database
    await database.close()


async def pid(connection: Connection) -> int:
    return int(connection.driver.get_server_pid())


async def test_connections_are_made_when_needed_and_used_again(database: Database) -> None:
    assert (database.pool.in_use, database.pool.idle) == (0, 0)
    async with database.connection() as connection:
        first = await pid(connection)
        assert (database.pool.in_use, database.pool.idle) == (1, 0)
    async with database.connection() as connection:
        assert await pid(connection) == first
    assert (database.pool.in_use, database.pool.idle) == (0, 1)


async def test_the_size_is_never_exceeded_and_everyone_gets_a_turn(database: Database) -> None:
    seen, most = set(), 0

    async def work() -> None:
        nonlocal most
        async with database.connection() as connection:
            most = max(most, database.pool.in_use)
            await connection.run("SELECT 1")
            seen.add(await pid(connection))

    await asyncio.gather(*(work() for _ in range(50)))
    assert most <= SIZE
    assert len(seen) <= SIZE
    assert database.pool.in_use == 0


async def test_who_waits_too_long_is_told_so_and_loses_nothing(database: Database) -> None:
    async with database.connection(), database.connection(), database.connection():
        with pytest.raises(Busy):
            await database.pool.take()
    async with database.connection(), database.connection(), database.connection():
        assert database.pool.in_use == SIZE
    assert database.pool.in_use == 0


async def test_a_cancelled_waiter_leaves_its_place_to_others(database: Database) -> None:
    held = [await database.pool.take() for _ in range(SIZE)]
    waiters = [asyncio.create_task(database.pool.take()) for _ in range(3)]
    await asyncio.sleep(0.01)
    waiters[0].cancel()
    database.pool.give(held.pop())
    waiters[1].cancel()  # may have been given a connection in this very moment
    assert isinstance(await waiters[2] if not held else await asyncio.wait_for(waiters[2], 1), object)
    await asyncio.gather(*waiters, return_exceptions=True)
    for driver in held:
        database.pool.give(driver)
    database.pool.give(waiters[2].result())
    assert database.pool.in_use == 0
    assert database.pool.idle == SIZE


async def test_a_connection_in_a_transaction_is_thrown_away(database: Database) -> None:
    async with database.connection() as connection:
        first = await pid(connection)
        await connection.run("BEGIN")
    assert database.pool.idle == 0
    async with database.connection() as connection:
        assert await pid(connection) != first
        assert not connection.driver.is_in_transaction()


async def test_a_connection_that_the_server_ended_is_replaced(database: Database) -> None:
    async with database.connection() as one, database.connection() as other:
        ended = await pid(one)
        await other.driver.fetchval("SELECT pg_terminate_backend($1)", ended)
        await asyncio.sleep(0.1)
    async with database.connection() as one, database.connection() as other:
        assert ended not in (await pid(one), await pid(other))


async def test_a_cancelled_statement_leaves_no_transaction_behind(database: Database) -> None:
    clock = SystemClock()

    async def sleep() -> None:
        async with unit_of_work(database, uuid7(clock), clock) as uow:
            await uow.begin()
            await uow.connection.run("SELECT pg_sleep(5)")

    task = asyncio.create_task(sleep())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.connection() as connection:
        assert not connection.driver.is_in_transaction()
        assert await connection.driver.fetchval("SELECT current_setting('app.org_id', true)") in (None, "")


async def test_failing_to_connect_gives_the_place_back() -> None:
    async def refuse() -> engine.Driver:
        raise ConnectionRefusedError

    pool = Pool(refuse, 1, 0.2)
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            await pool.take()
    results = await asyncio.gather(*(pool.take() for _ in range(4)), return_exceptions=True)
    assert all(isinstance(result, ConnectionRefusedError) for result in results)
    assert pool.in_use == 0


async def test_closing_ends_also_what_is_given_back_later(database: Database) -> None:
    driver = await database.pool.take()
    await database.close()
    database.pool.give(driver)
    assert driver.is_closed()
    assert database.pool.in_use == 0
