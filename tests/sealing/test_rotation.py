"""Keys change while everybody goes on working, and whoever is killed in the middle has harmed nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from uuid import UUID

import pytest
import structlog
from pydantic import SecretStr

from crm_api.core.clock import SystemClock
from crm_api.core.ids import uuid7
from crm_api.core.sealed import Keyring, Place, Unreadable
from crm_api.db.engine import Database
from crm_api.embedded import DatabaseUrls
from crm_api.flows.keys import KeysMissing, in_use, refuse_missing_keys, rotate_everything, tenant_columns
from crm_api.http.app import Application, create_app
from crm_api.jobs.runner import Runner
from crm_api.models import Base
from crm_api.models.sealed import sealed_columns
from crm_api.settings import Settings, driver_url
from tests import databases
from tests.api import Api, client
from tests.jobs.support import finished
from tests.sealing.conftest import NEW, OLD
from tests.sealing.support import connected, context_with, key_of, revealed, superuser

pytestmark = pytest.mark.anyio

CLOCK = SystemClock()
NOT_SEALED = {
    "audit_checkpoints.hash", "audit_checkpoints.signature", "audit_heads.hash", "audit_log.commitment", "audit_log.hash",
    "audit_log.prev_hash", "audit_log.salt", "encryption_keys.fingerprint", "event_tickets.hash", "event_tickets.token_hash",
    "failed_attempts.subject", "idempotency_keys.body",
    "idempotency_keys.body_hash", "mail_links.hash", "oauth_clients.previous_secret_hash", "oauth_clients.secret_hash",
    "oauth_codes.hash", "oauth_device_codes.hash", "oauth_device_codes.user_code_hash", "oauth_requests.hash",
    "organizations.suppression_key", "recovery_codes.hash", "sandboxes.secret", "sessions.hash", "suppressions.digest", "tokens.hash",
    "tokens.parent",
}  # fmt: skip
"""Hashes, salts, signatures, stored answers, and keys of digests that nobody else could use."""


def test_every_column_of_bytes_was_thought_of() -> None:
    found = {f"{t.name}.{c.name}" for t in Base.metadata.sorted_tables for c in t.columns if str(c.type) in ("BLOB", "BYTEA")}
    sealed = {column.name for column in sealed_columns()}
    assert {"connection_secrets.secret", "second_factors.secret"} <= sealed <= found
    assert found - sealed <= NOT_SEALED


async def _counts(database: Database, api: Api) -> dict[int, int]:
    async with context_with(database, api, Keyring.parse(OLD)) as context:
        return await in_use(context.uow, tenant_columns())


async def test_a_job_rotates_under_readers_and_writers(crm: Api, new_app: Application, own_database: Database) -> None:
    made = await connected(crm, 60)
    http = client(new_app, crm.token)
    http.event_hooks = {}
    new = Api(http, new_app, crm.org_id, crm.user_id, crm.token)
    assert (await new.ok("GET", "/v1/encryption"))["keys"] == [
        {"id": 2, "seals": True, "values": 0},
        {"id": 1, "seals": False, "values": 60},
    ]
    ring, stop = Keyring.parse(NEW), asyncio.Event()
    latest = {record["id"]: key_of(record) for record in made}

    async def read() -> int:
        found = 0
        while not stop.is_set():
            for record in made[20:]:  # those that nobody writes
                assert await revealed(own_database, crm, record, ring) == key_of(record)
                found += 1
        return found

    async def write(server: Api, records: slice) -> int:
        turn = 0
        while not stop.is_set():
            for record in made[records]:
                turn += 1
                latest[record["id"]] = f"{key_of(record)}-{turn}"
                await server.ok("PUT", f"/v1/connections/{record['id']}/secret", json={"api_key": latest[record["id"]]})
        return turn

    others = [asyncio.create_task(work) for work in (read(), read(), write(crm, slice(0, 10)), write(new, slice(10, 20)))]
    services = new_app.state.services
    runner = asyncio.create_task(Runner(own_database, services.clock, services.engine, services.settings.data_dir).run())
    try:
        await asyncio.sleep(0.3)
        for _ in range(3):
            job = await finished(new, await new.ok("POST", "/v1/encryption/rotate", status=202))
            assert job["status"] == "succeeded", job
        stop.set()
        turns = await asyncio.gather(*others)
        assert all(turns), turns
        last = await finished(new, await new.ok("POST", "/v1/encryption/rotate", status=202))
    finally:
        stop.set()
        runner.cancel()
        with suppress(asyncio.CancelledError):
            await runner
        await http.aclose()
    assert last["result"]["unreadable"] == 0
    assert await _counts(own_database, crm) == {2: 60}
    only_new = Keyring.parse(NEW.partition(",")[0])
    for record in made:
        assert await revealed(own_database, crm, record, only_new) == latest[record["id"]]


async def test_a_rotation_that_is_killed_goes_on(crm: Api, own_urls: DatabaseUrls, own_database: Database) -> None:
    made = await connected(crm, 450)
    middle = sorted(UUID(record["id"]) for record in made)[250]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CRM_", "DATABASE_", "REDIS_"))}
    environment |= {"DATABASE_URL": own_urls.database_url, "CRM_ENCRYPTION_KEYS": NEW}
    command = [sys.executable, "-m", "crm_api.cli", "keys", "rotate", "--json"]
    async with context_with(own_database, crm, Keyring.parse(OLD)) as context:
        # Its second chunk waits for this row.
        await context.uow.connection.driver.execute(
            "SELECT 1 FROM connection_secrets WHERE org_id = $1 AND connection_id = $2 FOR NO KEY UPDATE", crm.org_id, middle
        )
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(300):
            counts = await _counts(own_database, crm)
            if counts.get(2):
                break
            assert process.poll() is None, process.communicate()
            await asyncio.sleep(0.1)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert counts == {1: 250, 2: 200}
    for record in made:
        assert await revealed(own_database, crm, record, Keyring.parse(NEW)) == key_of(record)
    again = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert again.returncode == 0, again.stderr
    assert '"unreadable":0' in again.stdout.replace(" ", "")
    assert await _counts(own_database, crm) == {2: 450}
    for record in made[::50]:
        assert await revealed(own_database, crm, record, Keyring.parse(NEW.partition(",")[0])) == key_of(record)


async def test_what_belongs_to_people_is_rotated_too(own_database: Database) -> None:
    user_id = uuid7(CLOCK)
    place = Place("second_factors", "secret", None, user_id)
    async with own_database.connection() as connection:
        await connection.driver.execute(
            "INSERT INTO second_factors (user_id, secret, created_at) VALUES ($1, $2, now())",
            user_id,
            Keyring.parse(OLD).seal(b"seed", place),
        )
        done = await rotate_everything(own_database, CLOCK, Keyring.parse(NEW))
        assert done.sealed >= 1
        stored = await connection.driver.fetchval("SELECT secret FROM second_factors WHERE user_id = $1", user_id)
    assert Keyring.parse(NEW.partition(",")[0]).open(stored, place) == b"seed"


async def test_swapped_values_do_not_open(crm: Api, own_database: Database) -> None:
    one, two = await connected(crm, 2)
    ring = Keyring.parse(NEW)
    async with context_with(own_database, crm, ring) as context:
        await context.uow.connection.driver.execute(
            "UPDATE connection_secrets s SET secret = o.secret FROM connection_secrets o"
            " WHERE s.org_id = $1 AND o.org_id = $1 AND s.connection_id <> o.connection_id",
            crm.org_id,
        )
    for record in (one, two):
        with structlog.testing.capture_logs() as logs, pytest.raises(Unreadable):
            await revealed(own_database, crm, record, ring)
        assert [(line["event"], line["row"], line["reason"]) for line in logs] == [
            ("sealed_value_unreadable", record["id"], "altered_or_wrong_key")
        ]
    # A rotation reports them and leaves them as they are.
    done = await rotate_everything(own_database, CLOCK, Keyring.parse(f"{Keyring.new_key(3)},{NEW}"))
    assert done.unreadable == 2
    assert 1 not in done.retired
    assert await _counts(own_database, crm) == {1: 2}


async def test_a_wrong_key_is_a_bare_500(crm: Api, own_database: Database, own_settings: Settings) -> None:
    [record] = await connected(crm, 1)
    wrong = Keyring.parse(Keyring.new_key(1))
    with pytest.raises(Unreadable) as raised:
        await revealed(own_database, crm, record, wrong)
    body = raised.value.to_dict()
    assert (body["status"], body["code"]) == (500, "internal_error")
    assert "connection_secrets" not in str(body)
    keyless = create_app(own_settings.model_copy(update={"encryption_keys": None}))
    assert isinstance(keyless, Application)
    async with keyless.router.lifespan_context(keyless), client(keyless, crm.token) as http:
        http.event_hooks = {}
        answer = await http.put(f"/v1/connections/{record['id']}/secret", json={"api_key": "x-marker"})
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert (await http.get(f"/v1/connections/{record['id']}")).json()["secret_set_at"] is not None
        assert (await http.post("/v1/encryption/rotate")).status_code == 503
        assert (await http.get("/v1/encryption")).json()["keys"] == [{"id": 1, "seals": False, "values": 1}]


async def test_the_whole_database_holds_no_secret(crm: Api, own_urls: DatabaseUrls) -> None:
    [record] = await connected(crm, 1)
    await crm.http.put(
        f"/v1/connections/{record['id']}/secret",
        json={"api_key": f"{key_of(record)}-2"},
        headers={"idempotency-key": "k-marker-is-allowed-here"},
    )
    made = await crm.ok("POST", "/v1/tokens", json={"name": "dumped", "scopes": ["*:read"]}, headers={"idempotency-key": "t"}, status=201)
    needles = [b"k-marker-" + record["id"].encode(), made["token"].encode(), crm.token.encode(), OLD.partition(":")[2].encode()]
    needles += [needle.hex().encode() for needle in needles]  # COPY writes bytes as hex
    seen = 0
    with databases.server() as admin_url:
        async with superuser(own_urls, admin_url) as connection:
            tables = await connection.fetch(
                "SELECT c.oid::regclass::text AS name FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
            )
            for table in tables:
                found = bytearray()

                async def keep(data: bytes, found: bytearray = found) -> None:
                    found.extend(data)

                await connection.copy_from_query(f"SELECT * FROM {table['name']}", output=keep)
                seen += len(found)
                for needle in needles:
                    assert needle not in found, table["name"]
    assert seen > 10_000


async def test_servers_without_the_keys_do_not_start(fresh_urls: DatabaseUrls) -> None:
    database = Database(fresh_urls.database_url, pool_size=2)
    try:
        await refuse_missing_keys(database, CLOCK, Keyring(()))  # nothing was sealed yet
        await refuse_missing_keys(database, CLOCK, Keyring.parse(OLD))
        await refuse_missing_keys(database, CLOCK, Keyring.parse(NEW))
        for ring, message in (
            (Keyring(()), "the keys 1, 2"),
            (Keyring.parse(OLD), "key 2"),
            (Keyring.parse(f"{Keyring.new_key(1)},{NEW.partition(',')[0]}"), "another key 1"),
        ):
            with pytest.raises(KeysMissing, match=message):
                await refuse_missing_keys(database, CLOCK, ring)
        done = await rotate_everything(database, CLOCK, Keyring.parse(NEW))
        assert (done.sealed, done.retired) == (0, (1,))
        await refuse_missing_keys(database, CLOCK, Keyring.parse(NEW.partition(",")[0]))
    finally:
        await database.close()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CRM_", "DATABASE_", "REDIS_"))}
    environment |= {"DATABASE_URL": driver_url(fresh_urls.database_url)}
    for command in ("serve", "worker"):
        ended = subprocess.run(
            [sys.executable, "-m", "crm_api.cli", command], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert ended.returncode == 1, ended
        assert "sealed with key 2, which CRM_ENCRYPTION_KEYS does not hold" in " ".join(ended.stderr.split()), ended.stderr
        assert "Traceback" not in ended.stderr


async def test_a_new_key_on_the_command_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "crm_api.cli", "keys", "new", "--id", "7"], capture_output=True, text=True, timeout=60, check=True
    )
    assert Keyring.parse(done.stdout.strip()).ids == (7,)
    assert SecretStr(done.stdout)
