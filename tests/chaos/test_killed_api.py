"""Processes killed on purpose: what was acknowledged is there, and every change has its event."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from uuid import UUID, uuid4

import httpx
import pytest

from crm_api.core.clock import SystemClock
from crm_api.core.ids import uuid7
from crm_api.db.engine import Database
from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work
from crm_api.embedded import DatabaseUrls
from crm_api.flows.organizations import create_organization
from crm_api.kernel.journal import number
from tests.http.support import ValkeyProcess, running_valkey

pytestmark = [pytest.mark.anyio, pytest.mark.chaos]

CLOCK = SystemClock()

_BROKEN = Statement(
    """
    SELECT a.id, a.version, count(e.id) AS events, max(e.version) AS last FROM accounts a
      LEFT JOIN events e ON e.org_id = a.org_id AND e.record_id = a.id
     WHERE a.org_id = $1 GROUP BY a.id, a.version HAVING count(e.id) <> a.version OR max(e.version) <> a.version
    """,
    ("org_id",),
)
_ORPHANS = Statement(
    """
    SELECT e.id FROM events e LEFT JOIN accounts a ON a.org_id = e.org_id AND a.id = e.record_id
     WHERE e.org_id = $1 AND e.object = 'accounts' AND a.id IS NULL
    """,
    ("org_id",),
)
_UNPAIRED = Statement(
    """
    SELECT e.id FROM events e LEFT JOIN journal j ON j.org_id = e.org_id AND j.event_id = e.id
      LEFT JOIN event_snapshots s ON s.org_id = e.org_id AND s.event_id = e.id
     WHERE e.org_id = $1 AND e.object = 'accounts' AND (j.seq IS NULL OR s.row IS NULL)
    """,
    ("org_id",),
)
_NUMBERS = Statement("SELECT array_agg(seq ORDER BY seq) FROM journal WHERE org_id = $1", ("org_id",))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def api_process(urls: DatabaseUrls, redis_url: str | None, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`crm-api serve`, ready to answer; killed at the end."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CRM_", "DATABASE_", "REDIS_"))}
    environment |= {"DATABASE_URL": urls.database_url, "CRM_RATE_LIMIT": "off", "CRM_LOG_LEVEL": "warning"}
    environment |= {"CRM_DB_ORG_CONNECTIONS": "10", "CRM_DB_WAIT_S": "30"}
    if redis_url is not None:
        environment["REDIS_URL"] = redis_url
    process = subprocess.Popen([sys.executable, "-m", "crm_api.cli", "serve", "--port", str(port)], env=environment)
    try:
        for _ in range(600):
            assert process.poll() is None, "serve ended at its start"
            with suppress(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=1)
                break
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
async def database(urls: DatabaseUrls) -> AsyncIterator[Database]:
    database = Database(urls.database_url)
    yield database
    await database.close()


@pytest.fixture
async def account(database: Database) -> tuple[UUID, str]:
    """An organisation of its own and its token."""
    made = await create_organization(database, name="Chaos", admin_email=f"admin-{uuid4().hex}@corp.example", admin_name="Ada Admin")
    return UUID(made["org_id"]), made["token"]


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyProcess]:
    with running_valkey() as server:
        yield server


def client(port: int, token: str, connections: int = 64) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=connections)
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"authorization": f"Bearer {token}"}, timeout=60, limits=limits)


async def test_a_kill_in_the_middle_of_a_thousand_writes(urls: DatabaseUrls, database: Database, account: tuple[UUID, str]) -> None:
    org_id, token = account
    port = free_port()
    creates = [str(uuid7(CLOCK)) for _ in range(500)]
    acknowledged: dict[str, int] = {}
    patched: dict[str, str] = {}

    with api_process(urls, None, port) as process:
        async with client(port, token) as http:
            old = [(await http.post("/v1/accounts", json={"name": f"Old {n}"})).json()["id"] for n in range(25)]

            async def create(id_: str) -> None:
                answer = await http.post("/v1/accounts", json={"id": id_, "name": f"New {id_}"})
                if answer.status_code == 201:
                    acknowledged[id_] = 1

            async def patch(turn: int) -> None:
                id_ = old[turn % len(old)]
                answer = await http.patch(f"/v1/accounts/{id_}", json={"industry": f"turn {turn}"})
                if answer.status_code == 200:
                    acknowledged[id_] = max(acknowledged.get(id_, 1), answer.json()["version"])
                    patched[f"turn {turn}"] = id_

            async def kill() -> None:
                while len(acknowledged) < 150:
                    await asyncio.sleep(0.005)
                process.send_signal(signal.SIGKILL)

            writes = [create(id_) for id_ in creates] + [patch(turn) for turn in range(500)]
            killing = asyncio.create_task(kill())
            outcomes = await asyncio.gather(*writes, return_exceptions=True)
            await killing
    failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert failed, "the kill came too late to hit anything"
    assert all(isinstance(outcome, httpx.TransportError) for outcome in failed)

    with api_process(urls, None, port):
        async with client(port, token) as http:
            for id_, version in acknowledged.items():
                answer = await http.get(f"/v1/accounts/{id_}")
                assert answer.status_code == 200
                assert answer.json()["version"] >= version
            for turn, id_ in patched.items():
                history = (await http.get(f"/v1/accounts/{id_}/history", params={"field": "industry", "limit": 200})).json()["data"]
                assert turn in [entry["changes"]["industry"]["new"] for entry in history]
            for id_ in creates:  # a retry with the client's own id is safe
                answer = await http.post("/v1/accounts", json={"id": id_, "name": f"New {id_}"})
                assert answer.status_code in (201, 409)
            seen: list[int] = []
            cursor = "oldest"
            while True:
                page = (await http.get("/v1/events", params={"cursor": cursor, "limit": 1000})).json()
                seen += [event["seq"] for event in page["data"]]
                cursor = page["page"]["next_cursor"]
                if not page["page"]["has_more"]:
                    break
            assert seen == list(range(1, len(seen) + 1))

    async with unit_of_work(database, org_id, CLOCK) as uow:
        await number(uow)
        values = {"org_id": org_id}
        assert [dict(row) for row in await uow.fetch(_BROKEN, values)] == []
        assert await uow.fetch(_ORPHANS, values) == []
        assert await uow.fetch(_UNPAIRED, values) == []
        numbers = await uow.fetch_value(_NUMBERS, values)
        assert numbers == list(range(1, len(numbers) + 1))


async def test_without_valkey_reads_and_writes_go_on(urls: DatabaseUrls, account: tuple[UUID, str], valkey: ValkeyProcess) -> None:
    _, token = account
    port = free_port()
    with api_process(urls, valkey.url, port):
        async with client(port, token) as http:
            first = (await http.post("/v1/accounts", json={"name": "Before"})).json()
            valkey.stop()
            slowest = 0.0
            for number_ in range(30):
                started = monotonic()
                made = await http.post("/v1/accounts", json={"name": f"During {number_}"}, headers={"idempotency-key": uuid4().hex})
                assert made.status_code == 201
                assert (await http.get(f"/v1/accounts/{made.json()['id']}")).status_code == 200
                slowest = max(slowest, monotonic() - started)
            assert slowest < 3
            cursor = (await http.get("/v1/events", params={"cursor": "now"})).json()["page"]["next_cursor"]
            waiting = asyncio.create_task(http.get("/v1/events", params={"cursor": cursor, "wait": 15}))
            await asyncio.sleep(0.3)
            await http.patch(f"/v1/accounts/{first['id']}", json={"name": "Changed"})
            started = monotonic()
            assert len((await waiting).json()["data"]) == 1
            assert monotonic() - started < 2
            ready = await http.get("/readyz")
            assert ready.status_code == 200
            valkey.start()
            for _ in range(100):
                if (await http.get("/readyz")).json().get("checks", {}) and (await http.get("/v1/accounts")).status_code == 200:
                    break
                await asyncio.sleep(0.1)
            assert (await http.post("/v1/accounts", json={"name": "After"})).status_code == 201


async def test_a_frozen_valkey_is_no_worse(urls: DatabaseUrls, account: tuple[UUID, str], valkey: ValkeyProcess) -> None:
    _, token = account
    port = free_port()
    with api_process(urls, valkey.url, port):
        async with client(port, token) as http:
            await http.post("/v1/accounts", json={"name": "Before"})
            valkey.signal(signal.SIGSTOP)
            try:
                started = monotonic()
                for number_ in range(20):
                    assert (await http.post("/v1/accounts", json={"name": f"During {number_}"})).status_code == 201
                assert monotonic() - started < 10
            finally:
                valkey.signal(signal.SIGCONT)
