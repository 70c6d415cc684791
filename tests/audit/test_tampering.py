"""Rows changed behind the application's back, as the role that owns the tables: verifying names the first entry that is wrong."""

from __future__ import annotations

from hashlib import sha256

import asyncpg
import pytest

from crm_api.core.clock import SystemClock
from crm_api.core.ids import uuid7
from crm_api.core.signing import Signer
from crm_api.db.uow import unit_of_work
from crm_api.embedded import DatabaseUrls
from crm_api.flows.organizations import create_organization
from crm_api.kernel.audit_chain import GENESIS, HASHED, body, entry_hash
from crm_api.kernel.audit_verify import Kept
from crm_api.settings import driver_url
from tests.audit.conftest import SIGNER, Log

pytestmark = pytest.mark.anyio


async def ten(log: Log) -> None:
    """Ten entries, each with something personal, in four transactions."""
    for sizes in (1, 4, 2, 3):
        await log.write(*("thing.done" for _ in range(sizes)), personal={"name": "Ada"})
    assert await log.wrong() is None


FORGED = {
    "occurred_at": "now()",
    "actor_type": "'system_'",
    "actor_id": "'01a201b3-fa6b-7331-a786-3bbfe1908256'",
    "action": "'thing.else'",
    "object": "NULL",
    "record_id": "NULL",
    "request_id": "'req_2'",
    "cause": """'{"job_id":null}'""",
    "details": """'{"said":"nothing"}'""",
    "commitment": "NULL",
    "id": "'01a201b3-fa6b-7331-a786-3bbfe1908256'",
    "hash": "sha256('x')",
}


@pytest.mark.parametrize("column", FORGED)
async def test_a_changed_column(log: Log, column: str) -> None:
    await ten(log)
    await log.spoil(f"UPDATE audit_log SET {column} = {FORGED[column]} WHERE seq = 6")
    assert await log.wrong() == (6, "altered")
    found = await log.verify()
    assert found.entries == 5
    assert await log.wrong(from_seq=1, to_seq=5) is None
    assert await log.wrong(from_seq=7) == ((7, "unlinked") if column == "hash" else None)


async def test_every_column_is_looked_at(log: Log) -> None:
    """One that is neither hashed nor tested here would be one that can be changed unnoticed."""
    await log.write("thing.done")
    (row,) = await log.rows()
    assert set(row.keys()) - {"org_id", "seq", "prev_hash", "salt", "personal", "erased_at"} == {*HASHED, "hash"} == set(FORGED)


async def test_a_changed_link(log: Log) -> None:
    await ten(log)
    await log.spoil("UPDATE audit_log SET prev_hash = sha256('x') WHERE seq = 4")
    assert await log.wrong() == (4, "altered")
    # also where the entry's own hash was made anew
    row = (await log.rows())[3]
    forged = entry_hash(log.org_id, row["prev_hash"], 4, body(row[name] for name in HASHED)).hex()
    await log.spoil(f"UPDATE audit_log SET hash = '\\x{forged}' WHERE seq = 4")
    assert await log.wrong() == (4, "unlinked")


async def test_personal_details_that_were_replaced(log: Log) -> None:
    """The application's role may blank them, and that is all: what else it writes there is noticed."""
    await ten(log)
    async with unit_of_work(log.database, log.org_id, SystemClock()) as uow:
        await uow.begin()
        await uow.connection.driver.execute("UPDATE audit_log SET personal = '{}' WHERE org_id = $1 AND seq = 3", log.org_id)
    assert await log.wrong() == (3, "personal_altered")
    await log.spoil("UPDATE audit_log SET personal = NULL, salt = NULL WHERE seq = 3")
    assert await log.wrong() == (3, "personal_altered"), "erasing says when"
    await log.spoil("UPDATE audit_log SET erased_at = now() WHERE seq = 3")
    assert await log.wrong() is None
    await log.write("thing.impersonal")
    await log.spoil("UPDATE audit_log SET personal = '{}', salt = 'x' WHERE seq = 11")
    assert await log.wrong() == (11, "personal_altered")


async def test_a_removed_entry(log: Log) -> None:
    await ten(log)
    await log.spoil("DELETE FROM audit_log WHERE seq = 5")
    assert await log.wrong() == (5, "missing")
    assert await log.wrong(from_seq=6) == (5, "missing")
    assert await log.wrong(from_seq=7) is None
    await log.spoil("DELETE FROM audit_log WHERE seq = 1")
    assert await log.wrong() == (1, "missing")


async def test_exchanged_entries(log: Log) -> None:
    await ten(log)
    await log.spoil(
        "UPDATE audit_log SET seq = 1000 WHERE seq = 3",
        "UPDATE audit_log SET seq = 3 WHERE seq = 8",
        "UPDATE audit_log SET seq = 8 WHERE seq = 1000",
    )
    assert await log.wrong() == (3, "altered")


async def test_the_end_cut_off(log: Log) -> None:
    await ten(log)
    await log.spoil("DELETE FROM audit_log WHERE seq > 7")
    assert await log.wrong() == (8, "missing")
    await log.spoil("UPDATE audit_heads SET seq = 7 WHERE seq = 10")
    assert await log.wrong() == (7, "unlike_head")
    kept = (await log.rows())[-1]["hash"].hex()
    await log.spoil(f"UPDATE audit_heads SET hash = '\\x{kept}' WHERE seq = 7")
    assert await log.wrong() is None, "without checkpoints, a chain that was cut with its end is a whole one"


async def test_the_head_set_back_or_removed(log: Log) -> None:
    await ten(log)
    await log.spoil("UPDATE audit_heads SET seq = 8 WHERE seq = 10")
    assert (await log.verify()).broken is not None
    await log.spoil("DELETE FROM audit_heads WHERE true")
    assert await log.wrong() == (1, "beyond_head")


async def test_a_checkpoint_tells_of_a_cut_end(log: Log) -> None:
    await ten(log)
    made = await log.sign()
    assert made is not None
    assert (made.number, made.seq) == (1, 10)
    assert await log.sign() is None, "nothing was added since"
    await log.write("thing.done")
    assert (await log.verify()).json()["checkpoints"] == 1
    kept = (await log.rows())[6]["hash"].hex()
    await log.spoil("DELETE FROM audit_log WHERE seq > 7", f"UPDATE audit_heads SET seq = 7, hash = '\\x{kept}' WHERE true")
    assert await log.wrong() == (8, "missing")
    assert await log.sign() is None, "a broken chain is not signed"


async def rewrite(log: Log, *, first: int) -> None:
    """A chain made anew from an entry on, as somebody would who knows how hashes are made."""
    rows = await log.rows()
    hash = rows[first - 2]["hash"] if first > 1 else GENESIS
    statements = []
    for row in rows[first - 1 :]:
        values = {**row, "details": '{"said":"nothing"}'}
        made = entry_hash(log.org_id, hash, row["seq"], body(values[name] for name in HASHED))
        change = f"details = '{values['details']}', prev_hash = '\\x{hash.hex()}', hash = '\\x{made.hex()}'"
        statements.append(f"UPDATE audit_log SET {change} WHERE seq = {row['seq']}")
        hash = made
    await log.spoil(*statements, f"UPDATE audit_heads SET hash = '\\x{hash.hex()}' WHERE true")


async def test_a_chain_made_anew(log: Log) -> None:
    """It is whole in itself; what it can't have are the signed hashes."""
    await ten(log)
    await rewrite(log, first=9)
    assert await log.wrong() is None
    await log.sign()
    await log.write("thing.done", "thing.done")
    await rewrite(log, first=11)
    assert await log.wrong() is None, "after the last checkpoint nobody can tell yet"
    await rewrite(log, first=4)
    assert await log.wrong() == (10, "unlike_checkpoint")
    assert await log.wrong(to_seq=9) is None


async def test_checkpoints_that_were_forged_or_removed(log: Log) -> None:
    for _ in range(3):
        await log.write("thing.done")
        assert await log.sign() is not None
    assert await log.wrong() is None
    assert await log.wrong(signer=Signer([b"x" * 32])) == (1, "checkpoint_forged")
    assert await log.wrong(signer=Signer([b"x" * 32, bytes(32)])) is None, "earlier keys stay good"
    await log.spoil("UPDATE audit_checkpoints SET signed_at = signed_at + interval '1 s' WHERE number = 2")
    assert await log.wrong() == (2, "checkpoint_forged")
    await log.spoil("DELETE FROM audit_checkpoints WHERE number = 2")
    assert await log.wrong() == (3, "checkpoint_missing")


async def test_a_checkpoint_of_ones_own(log: Log) -> None:
    """Against somebody who has the server's keys too, a checkpoint helps that was kept elsewhere."""
    await ten(log)
    made = await log.sign()
    assert made is not None
    kept = Kept(made.seq, made.hash)
    assert await log.wrong(kept=kept) is None
    await rewrite(log, first=2)
    await log.spoil("DELETE FROM audit_checkpoints WHERE true")
    await log.sign(SIGNER)
    assert await log.wrong() is None
    assert await log.wrong(kept=kept) == (10, "unlike_kept")
    assert await log.wrong(kept=Kept(11, sha256().digest())) == (11, "missing")


async def test_a_long_log_in_parts(log: Log) -> None:
    await ten(log)
    first = await log.verify(limit=4)
    assert (first.entries, first.to_seq, first.next_seq, first.head_seq) == (4, 4, 5, 10)
    last = await log.verify(from_seq=5, limit=6)
    assert (last.entries, last.next_seq, last.broken) == (6, None, None)
    beyond = await log.verify(from_seq=12)
    assert (beyond.entries, beyond.broken) == (0, None)


async def test_the_application_may_only_add(log: Log, urls: DatabaseUrls) -> None:
    """Proved as its own role, for every column and all three tables."""
    await ten(log)
    await log.sign()
    application = await asyncpg.connect(driver_url(urls.database_url))
    try:
        for table in ("audit_log", "audit_checkpoints"):
            columns = await application.fetch(
                "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped", table
            )
            for (column,) in columns:
                change = application.execute(f"UPDATE {table} SET {column} = {column} WHERE org_id = '{log.org_id}'")
                if table == "audit_log" and column in ("salt", "personal", "erased_at"):
                    await change
                else:
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await change
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await application.execute(f"TRUNCATE {table}")
        for table in ("audit_log", "audit_heads", "audit_checkpoints"):
            async with application.transaction():
                await application.execute(f"SET LOCAL app.org_id = '{log.org_id}'")
                assert await application.fetchval(f"SELECT count(*) FROM {table} WHERE org_id = '{log.org_id}'") > 0
                assert await application.execute(f"DELETE FROM {table} WHERE org_id = '{log.org_id}'") == "DELETE 0"
    finally:
        await application.close()
    assert await log.wrong() is None


async def test_whose_the_rows_are(log: Log, urls: DatabaseUrls) -> None:
    """Another organisation's transaction sees none of them, and can't add to them."""
    await ten(log)
    foreign = uuid7(SystemClock())
    application = await asyncpg.connect(driver_url(urls.database_url))
    try:
        async with application.transaction():
            await application.execute(f"SET LOCAL app.org_id = '{foreign}'")
            assert await application.fetchval("SELECT count(*) FROM audit_log") == 0
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await application.execute("INSERT INTO audit_heads (org_id, seq, hash) VALUES ($1, 1, '')", uuid7(SystemClock()))
    finally:
        await application.close()


async def test_no_organization_becomes_a_sandbox(log: Log, urls: DatabaseUrls) -> None:
    """Only a sandbox's rows may be deleted, so the application's role can't make one of an organisation, nor make the organisation anew."""
    made = await create_organization(log.database, name="Acme", admin_email=f"{log.org_id}@acme.example")
    sandbox = await create_organization(log.database, name="Trial", admin_email=f"{log.org_id}@acme.example", environment="sandbox")
    application = await asyncpg.connect(driver_url(urls.database_url))
    try:
        for column in ("environment", "id", "parent_id", "created_at"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await application.execute(f"UPDATE organizations SET {column} = {column} WHERE id = '{made['org_id']}'")
        assert await application.execute(f"UPDATE organizations SET name = 'Acme 2' WHERE id = '{made['org_id']}'") == "UPDATE 1"
        assert await application.execute(f"DELETE FROM organizations WHERE id = '{made['org_id']}'") == "DELETE 0"
        assert await application.execute(f"DELETE FROM organizations WHERE id = '{sandbox['org_id']}'") == "DELETE 1"
    finally:
        await application.close()
