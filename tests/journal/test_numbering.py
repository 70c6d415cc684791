"""Numbers: none left out, each event once, no version before an earlier one, whoever writes, numbers or dies meanwhile."""

import asyncio
import random
from contextlib import suppress
from uuid import UUID

import asyncpg
import pytest

from crm_api.core.errors import InvalidCursor
from crm_api.db.engine import Database
from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work
from crm_api.embedded import DatabaseUrls
from crm_api.kernel.journal import decode_events_cursor, encode_events_cursor, number, oldest, organizations_waiting, since
from tests.journal.events import CLOCK, Made, new_id, put, write

pytestmark = pytest.mark.anyio

_JOURNAL = Statement(
    "SELECT j.seq, e.id, e.record_id, e.version, e.type FROM journal j JOIN events e ON e.org_id = $1 AND e.id = j.event_id"
    " WHERE j.org_id = $1 ORDER BY j.seq",
    ("org_id",),
)

_KILL = Statement("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND query LIKE '%counters%'", ("pid",))


async def journal(database: Database, org_id: UUID) -> list[dict[str, object]]:
    async with unit_of_work(database, org_id, CLOCK) as uow:
        return [dict(row) for row in await uow.fetch(_JOURNAL, {"org_id": org_id})]


async def number_once(database: Database, org_id: UUID) -> int:
    async with unit_of_work(database, org_id, CLOCK) as uow:
        return (await number(uow)).new


async def test_a_reader_numbers_what_it_wrote(database: Database) -> None:
    org = new_id()
    ids = await write(database, org, Made(new_id()), Made(new_id()))
    async with unit_of_work(database, org, CLOCK) as uow:
        numbered = await number(uow)
        assert (numbered.head, numbered.new) == (2, 2)
        assert (await number(uow)).new == 0
    assert [row["id"] for row in await journal(database, org)] == ids


async def test_schema_events_come_first_and_versions_in_order(database: Database) -> None:
    org, record, other = new_id(), new_id(), new_id()
    later, sooner = sorted([new_id(), new_id()], reverse=True)
    # the clock of the machine that wrote version 1 was ahead
    await write(database, org, Made(record, 1, id=later))
    await write(database, org, Made(record, 2, "contact.updated", id=sooner), Made(other))
    await write(database, org, Made(new_id(), 1, "schema.updated", "schema"))
    await number_once(database, org)
    rows = await journal(database, org)
    assert rows[0]["type"] == "schema.updated"
    assert [row["version"] for row in rows if row["record_id"] == record] == [1, 2]
    assert [row["seq"] for row in rows] == [1, 2, 3, 4]


async def test_nothing_uncommitted_gets_a_number(database: Database) -> None:
    org = new_id()
    async with unit_of_work(database, org, CLOCK) as open_uow:
        await put(open_uow, Made(new_id()))
        await write(database, org, Made(new_id()))
        assert await number_once(database, org) == 1
    assert await number_once(database, org) == 1
    assert [row["seq"] for row in await journal(database, org)] == [1, 2]


async def test_waiting_organisations_are_found(database: Database) -> None:
    org = new_id()
    await write(database, org, Made(new_id()))
    async with database.connection() as connection:
        assert org in await organizations_waiting(connection)
    await number_once(database, org)
    async with database.connection() as connection:
        assert org not in await organizations_waiting(connection)


async def test_ends_of_the_journal(database: Database) -> None:
    org = new_id()
    before = CLOCK.now()
    async with unit_of_work(database, org, CLOCK) as uow:
        assert await oldest(uow, 0) == 0
    await write(database, org, Made(new_id()), Made(new_id()))
    async with unit_of_work(database, org, CLOCK) as uow:
        head = (await number(uow)).head
        assert (head, await oldest(uow, head), await since(uow, before, head)) == (2, 0, 0)
        assert await since(uow, CLOCK.now(), head) == 2


def test_a_cursor_belongs_to_its_organisation() -> None:
    org = new_id()
    cursor = encode_events_cursor(org, 48_211)
    assert decode_events_cursor(org, cursor) == 48_211
    with pytest.raises(InvalidCursor):
        decode_events_cursor(new_id(), cursor)
    with pytest.raises(InvalidCursor):
        decode_events_cursor(org, cursor[:-1])


async def test_many_writers_and_dying_numberers(database: Database, urls: DatabaseUrls) -> None:
    """200 writers commit in random order, six numberers compete, some of them are cut off in the middle."""
    org, chance = new_id(), random.Random(7)
    records = [new_id() for _ in range(40)]
    locks = {record: asyncio.Lock() for record in records}
    versions = dict.fromkeys(records, 0)
    written: list[UUID] = []
    done = asyncio.Event()
    kills: set[asyncio.Task[None]] = set()
    doomed = Database(urls.database_url, pool_size=8)  # connections of their own, so that a late kill hits nobody else

    def kill(pid: int) -> None:
        """Ends a session the hard way, as a killed worker would."""

        async def end() -> None:
            async with database.connection() as connection:
                await connection.fetch(_KILL, {"pid": pid})

        kills.add(asyncio.ensure_future(end()))

    async def writer() -> None:
        record = chance.choice(records)
        await asyncio.sleep(chance.random() * 0.5)
        async with locks[record]:  # stands for the row lock that a record's writers wait for
            async with unit_of_work(database, org, CLOCK) as uow:
                ids = [await put(uow, Made(record, versions[record] + 1, "contact.updated")), await put(uow, Made(new_id()))]
                await asyncio.sleep(chance.random() * 0.02)
            versions[record] += 1
            written.extend(ids)

    async def numberer() -> None:
        while not done.is_set():
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, ConnectionError):
                async with unit_of_work(doomed, org, CLOCK) as uow:
                    if chance.random() < 0.3:
                        asyncio.get_running_loop().call_later(chance.random() * 0.004, kill, uow.connection.driver.get_server_pid())
                    await number(uow)
            await asyncio.sleep(chance.random() * 0.01)

    async def reader() -> None:
        """Follows the numbers and must never have to go back."""
        seen = 0
        while not done.is_set():
            rows = await journal(database, org)
            assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
            assert len(rows) >= seen
            seen = len(rows)
            await asyncio.sleep(0.05)

    others = [asyncio.create_task(numberer()) for _ in range(6)] + [asyncio.create_task(reader())]
    await asyncio.gather(*(writer() for _ in range(200)))
    done.set()
    await asyncio.gather(*others)
    await asyncio.gather(*kills)
    await doomed.close()
    assert len(kills) > 5
    await number_once(database, org)
    rows = await journal(database, org)
    assert [row["seq"] for row in rows] == list(range(1, 401))
    assert sorted(str(row["id"]) for row in rows) == sorted(map(str, written))
    for record in records:
        found = [row["version"] for row in rows if row["record_id"] == record]
        assert found == list(range(1, versions[record] + 1))
