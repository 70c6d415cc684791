"""BEGIN that travels with the first statement: what the driver sees, and what is left when something goes wrong."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from crm_api.core.clock import SystemClock
from crm_api.core.ids import uuid7
from crm_api.db.ahead import Ahead
from crm_api.db.engine import Database
from crm_api.db.errors import classify
from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work
from crm_api.embedded import DatabaseUrls
from tests.databases import migrated, server

pytestmark = pytest.mark.anyio
CLOCK = SystemClock()
WHERE = Statement("SELECT current_setting('app.org_id', true) AS org, pg_current_xact_id()::text AS transaction, $1::int AS given", ("n",))
BEGIN = "BEGIN; SET LOCAL app.org_id = '0197f000-0000-7000-8000-000000000001'; SET LOCAL statement_timeout = 1000"


@pytest.fixture(scope="module")
def own() -> Iterator[DatabaseUrls]:
    with server() as admin_url, migrated(admin_url) as found:
        yield found


@pytest.fixture
async def database(own: DatabaseUrls) -> AsyncIterator[Database]:
    database = Database(own.database_url, pool_size=1)
    yield database
    await database.close()


class Pieces(asyncio.Protocol):
    """Hands on what the server sends byte by byte."""

    def __init__(self, inner: Ahead) -> None:
        self.inner = inner

    def data_received(self, data: bytes) -> None:
        for byte in data:
            self.inner.data_received(bytes([byte]))

    def connection_lost(self, exc: Exception | None) -> None:
        self.inner.connection_lost(exc)


async def clean(database: Database, pid: int | None = None) -> None:
    """The pool's only connection is outside any transaction, as the server sees it too; and the same one, if `pid` says so."""
    async with database.connection() as connection:
        assert pid is None or connection.driver.get_server_pid() == pid
        assert not connection.driver.is_in_transaction()
        first = await connection.fetch_row(WHERE, {"n": 1})
        second = await connection.fetch_row(WHERE, {"n": 2})
        assert first is not None
        assert second is not None
        assert first["transaction"] != second["transaction"]
        assert first["org"] in (None, "")


async def test_the_first_statement_runs_inside_the_transaction(database: Database) -> None:
    org = uuid7(CLOCK)
    async with unit_of_work(database, org, CLOCK) as uow:
        rows = [await uow.fetch_row(WHERE, {"n": n}) for n in range(3)]
        assert [row["org"] for row in rows if row is not None] == [str(org)] * 3
        assert len({row["transaction"] for row in rows if row is not None}) == 1
        assert uow.connection.driver.is_in_transaction()
    await clean(database)


async def test_an_answer_cut_into_single_bytes_is_taken_out_whole(database: Database) -> None:
    async with database.connection() as connection:
        transport: Any = connection.driver.ahead._transport
        transport.set_protocol(Pieces(connection.driver.ahead))
    for n in range(3):
        org = uuid7(CLOCK)
        async with unit_of_work(database, org, CLOCK) as uow:
            row = await uow.fetch_row(WHERE, {"n": n})
            assert row is not None
            assert (row["org"], row["given"]) == (str(org), n)
    await clean(database)


async def test_a_warning_in_between_reaches_the_driver(database: Database) -> None:
    heard: list[str] = []
    async with database.connection() as connection:
        connection.driver.add_log_listener(lambda _, message: heard.append(message.message))
        await connection.run("BEGIN")
        connection.send_ahead(BEGIN)  # warns that there is a transaction already
        row = await connection.fetch_row(WHERE, {"n": 7})
        assert row is not None
        assert row["given"] == 7
        await connection.run("ROLLBACK")
        await asyncio.sleep(0)
        assert any("already a transaction" in text for text in heard)
        connection.driver._log_listeners.clear()
    await clean(database)


async def test_a_failing_begin_cuts_the_connection(database: Database) -> None:
    async with database.connection() as connection:
        connection.send_ahead("BEGIN; SET LOCAL statement_timeout = nonsense")
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)) as raised:
            await connection.fetch(WHERE, {"n": 1})
        assert classify(raised.value).kind == "unavailable"
    await clean(database)


async def test_a_value_that_cannot_be_sent_leaves_no_transaction(database: Database) -> None:
    async with unit_of_work(database, uuid7(CLOCK), CLOCK) as uow:  # prepares the statement
        await uow.fetch(WHERE, {"n": 1})
        pid = uow.connection.driver.get_server_pid()
    with pytest.raises(asyncpg.DataError):
        async with unit_of_work(database, uuid7(CLOCK), CLOCK) as uow:
            await uow.fetch(WHERE, {"n": "no number"})
    await clean(database, pid)


async def test_a_missing_value_leaves_no_transaction(database: Database) -> None:
    with pytest.raises(KeyError):
        async with unit_of_work(database, uuid7(CLOCK), CLOCK) as uow:
            await uow.fetch(WHERE, {})
    await clean(database)


async def test_a_failing_statement_is_rolled_back(database: Database) -> None:
    async with database.connection() as connection:
        pid = connection.driver.get_server_pid()
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with unit_of_work(database, uuid7(CLOCK), CLOCK) as uow:
            await uow.fetch(Statement("SELECT 1 / $1::int", ("n",)), {"n": 0})
    await clean(database, pid)


async def test_a_statement_that_does_not_parse_is_rolled_back(database: Database) -> None:
    with pytest.raises(asyncpg.PostgresSyntaxError):
        async with unit_of_work(database, uuid7(CLOCK), CLOCK) as uow:
            await uow.fetch(Statement("SELEC $1::int", ("n",)), {"n": 0})
    await clean(database)


@pytest.mark.parametrize("after", [0.0, 0.001, 0.1])
async def test_a_cancelled_first_statement_leaves_no_transaction(database: Database, after: float) -> None:
    async def sleep() -> None:
        async with unit_of_work(database, uuid7(CLOCK), CLOCK) as uow:
            await uow.fetch(Statement("SELECT pg_sleep($1::float8)", ("seconds",)), {"seconds": 5.0})

    task = asyncio.create_task(sleep())
    await asyncio.sleep(after)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await clean(database)


async def test_a_large_answer_passes_unchanged(database: Database) -> None:
    async with unit_of_work(database, uuid7(CLOCK), CLOCK) as uow:
        rows = await uow.fetch(Statement("SELECT repeat('x', $1::int) AS text FROM generate_series(1, 200)", ("n",)), {"n": 5_000})
        assert sum(len(row["text"]) for row in rows) == 1_000_000


async def test_many_at_once_get_their_own_answers(own: DatabaseUrls) -> None:
    database = Database(own.database_url, pool_size=5)

    async def ask(n: int) -> None:
        org = uuid7(CLOCK)
        async with unit_of_work(database, org, CLOCK) as uow:
            row = await uow.fetch_row(WHERE, {"n": n})
            assert row is not None
            assert (row["org"], row["given"]) == (str(org), n)

    await asyncio.gather(*(ask(n) for n in range(200)))
    await database.close()
