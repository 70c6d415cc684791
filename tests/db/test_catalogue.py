"""The rules for tables that let one code base run on one server and on a cluster, read off the migrated database's catalogue."""

from typing import Any

import asyncpg
import pytest

from crm_api.core.clock import SystemClock
from crm_api.core.ids import uuid7
from crm_api.db.partitions import TABLES
from crm_api.embedded import DatabaseUrls
from crm_api.models import Base
from crm_api.models.identity import PERSONAL
from crm_api.models.oauth import OAUTH
from crm_api.models.tickets import TICKETS
from crm_api.settings import driver_url

pytestmark = pytest.mark.anyio

GLOBAL = {"organizations", "users", "credentials", "encryption_keys", "oauth_clients"}
"""Belong to no organisation; copied to every node of a cluster, and written almost never."""

UNFENCED = {"tokens", "outbox", "job_due", "timers", "journal_heads", "journal_consumers", "webhook_due", *PERSONAL, *OAUTH, *TICKETS}
"""Looked at before an organisation is known: hold ids, hashes and times only, and have no row-level security."""

LOOKED_UP_BY = {"tokens": "hash", **PERSONAL, **OAUTH, **TICKETS}
"""Found by this column, before the organisation is known."""

OURS = "c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version'"
PARENTS = f"{OURS} AND c.relkind IN ('r', 'p') AND NOT c.relispartition"


async def rows(urls: DatabaseUrls, sql: str, *, owner: bool = True) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(driver_url(urls.database_owner_url if owner else urls.database_url))
    try:
        return [dict(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def tenant_tables(urls: DatabaseUrls) -> set[str]:
    found = {row["relname"] for row in await rows(urls, f"SELECT c.relname FROM pg_class c WHERE {PARENTS}")}
    assert found == {table.name for table in Base.metadata.sorted_tables}
    return found - GLOBAL - set(LOOKED_UP_BY)


async def test_every_tenant_table_starts_with_its_organisation(urls: DatabaseUrls) -> None:
    tables = await tenant_tables(urls)
    columns = await rows(
        urls,
        f"SELECT c.relname, a.attname, a.attnum, a.attnotnull, format_type(a.atttypid, a.atttypmod) AS type FROM pg_class c"
        f" JOIN pg_attribute a ON a.attrelid = c.oid WHERE {PARENTS} AND a.attname = 'org_id'",
    )
    with_org = {row["relname"]: row for row in columns}
    for table in tables:
        row = with_org[table]
        assert (row["attnum"], row["attnotnull"], row["type"]) == (1, True, "uuid"), row
    assert not GLOBAL & set(with_org)


async def test_keys_and_indexes_start_with_it(urls: DatabaseUrls) -> None:
    indexes = await rows(
        urls,
        f"SELECT c.relname AS table, i.relname AS index, x.indisunique, am.amname, a.attname AS first"
        f" FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am am ON am.oid = i.relam"
        f" LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[0] WHERE {PARENTS}",
    )
    tables = await tenant_tables(urls)
    for row in indexes:
        if row["table"] not in tables:
            continue
        if row["amname"] == "gin":  # inverted indexes hold words and keys, which are no prefix of anything
            assert not row["indisunique"]
        else:
            assert row["first"] == "org_id", row


async def test_foreign_keys_stay_inside_the_organisation(urls: DatabaseUrls) -> None:
    keys = await rows(
        urls,
        f"SELECT k.conname, c.relname AS source, f.relname AS target, k.confdeltype::text, k.confupdtype::text,"
        f" k.condeferrable,"
        f" (SELECT array_agg(a.attname::text ORDER BY o) FROM unnest(k.conkey) WITH ORDINALITY u(n, o)"
        f"    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n) AS here,"
        f" (SELECT array_agg(a.attname::text ORDER BY o) FROM unnest(k.confkey) WITH ORDINALITY u(n, o)"
        f"    JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n) AS there"
        f" FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class f ON f.oid = k.confrelid"
        f" WHERE k.contype = 'f' AND {PARENTS}",
    )
    assert keys
    edges: dict[str, set[str]] = {}
    for key in keys:
        assert key["source"] not in GLOBAL | set(LOOKED_UP_BY), key
        assert key["target"] not in GLOBAL, key
        assert len(key["here"]) == 2, key
        assert key["here"][0] == "org_id", key
        assert key["there"] == ["org_id", "id"], key
        assert key["confdeltype"] in "arc", f"{key['conname']}: SET NULL and SET DEFAULT can't be distributed"
        assert key["confupdtype"] == "a", key
        assert not key["condeferrable"], key
        if key["source"] != key["target"]:
            edges.setdefault(key["source"], set()).add(key["target"])
    assert not _cycle(edges), _cycle(edges)


def _cycle(edges: dict[str, set[str]]) -> list[str]:
    done: set[str] = set()

    def walk(table: str, path: list[str]) -> list[str]:
        if table in path:
            return [*path, table]
        if table in done:
            return []
        for target in edges.get(table, ()):
            found = walk(target, [*path, table])
            if found:
                return found
        done.add(table)
        return []

    return next((found for table in edges if (found := walk(table, []))), [])


async def test_names_are_short_and_unique(urls: DatabaseUrls) -> None:
    names = await rows(
        urls,
        f"SELECT i.relname AS name FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid"
        f" WHERE {PARENTS} UNION ALL SELECT k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
        f" WHERE {PARENTS} AND k.contype NOT IN ('p', 'u', 'n')",
    )
    found = [row["name"] for row in names]
    assert not [name for name in found if len(name) > 50]
    assert len(found) == len(set(found))


async def test_nothing_runs_behind_the_back(urls: DatabaseUrls) -> None:
    assert not await rows(
        urls, f"SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND {OURS}"
    )
    assert not await rows(urls, f"SELECT r.rulename FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE {OURS}")
    assert not await rows(urls, f"SELECT c.relname FROM pg_class c WHERE {OURS} AND c.relkind = 'S'"), (
        "no sequences: ids are made by clients"
    )
    assert not await rows(
        urls, f"SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE {OURS} AND a.attidentity <> ''"
    )
    volatile = await rows(
        urls,
        f"SELECT c.relname, pg_get_expr(d.adbin, d.adrelid) AS text FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid WHERE {PARENTS}",
    )
    assert not [row for row in volatile if any(word in row["text"] for word in ("random", "nextval", "clock_timestamp", "gen_"))]


async def test_row_level_security_is_forced_everywhere(urls: DatabaseUrls) -> None:
    found = await rows(
        urls,
        f"SELECT c.relname, c.relispartition, c.relrowsecurity AND c.relforcerowsecurity AS forced,"
        f" (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid"
        f" AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL AND p.polcmd = '*') AS policies"
        f" FROM pg_class c WHERE {OURS} AND c.relkind IN ('r', 'p')",
    )
    for row in found:
        if row["relname"] in GLOBAL | UNFENCED:
            assert not row["policies"], row
        else:
            assert row["forced"], row
            assert row["policies"] == (0 if row["relispartition"] else 1), row


async def test_what_has_no_fence_holds_no_secrets_of_tenants(urls: DatabaseUrls) -> None:
    allowed = {"uuid", "bytea", "timestamp with time zone", "boolean", "integer", "text", "text[]", "jsonb"}  # names of fields
    found = await rows(
        urls,
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid "
        " WHERE c.relname IN ('tokens', 'outbox', 'job_due') AND a.attnum > 0 AND NOT a.attisdropped",
    )
    assert {row["type"] for row in found} <= allowed
    assert {row["attname"] for row in found if row["relname"] == "outbox"} == {"org_id", "event_id"}


async def test_the_application_owns_nothing_and_may_do_little(urls: DatabaseUrls) -> None:
    (role,) = await rows(urls, "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user", owner=False)
    assert role == {"rolsuper": False, "rolbypassrls": False}
    assert not await rows(
        urls, f"SELECT c.relname FROM pg_class c WHERE {OURS} AND pg_has_role(current_user, c.relowner, 'MEMBER')", owner=False
    )
    for table, privilege, expected in (
        ("events", "DELETE", True),  # of a sandbox only, see below
        ("events", "TRUNCATE", False),
        ("events", "UPDATE", False),
        ("events", "INSERT", True),
        ("journal", "UPDATE", False),
        ("event_snapshots", "UPDATE", False),
        ("organizations", "DELETE", True),  # when a sandbox goes
        ("alembic_version", "UPDATE", False),
    ):
        (row,) = await rows(urls, f"SELECT has_table_privilege('{table}', '{privilege}') AS may", owner=False)
        assert row["may"] is expected, (table, privilege)
    (policy,) = await rows(urls, "SELECT permissive, cmd, qual FROM pg_policies WHERE tablename = 'events' AND policyname = 'kept'")
    assert (policy["permissive"], policy["cmd"]) == ("RESTRICTIVE", "DELETE")
    assert "environment = 'sandbox'" in policy["qual"]
    (row,) = await rows(
        urls,
        "SELECT array_agg(a.attname::text ORDER BY a.attname) AS columns FROM pg_attribute a"
        " WHERE a.attrelid = 'events'::regclass AND a.attnum > 0"
        " AND has_column_privilege('events', a.attname, 'UPDATE')",
        owner=False,
    )
    assert row["columns"] == ["cause", "changes", "visibility"]
    reachable = await rows(
        urls, f"SELECT c.relname FROM pg_class c WHERE {OURS} AND c.relispartition AND has_table_privilege(c.oid, 'SELECT')", owner=False
    )
    assert not reachable, "partitions are reached through their parents"


async def test_without_an_organisation_there_are_no_rows(urls: DatabaseUrls) -> None:
    """Also for the owner, and also through a setting that is empty, foreign or left over."""
    mine, foreign = uuid7(SystemClock()), uuid7(SystemClock())
    application = await asyncpg.connect(driver_url(urls.database_url))
    owner = await asyncpg.connect(driver_url(urls.database_owner_url))
    try:
        async with application.transaction():
            await application.execute(f"SET LOCAL app.org_id = '{mine}'")
            await application.execute(f"INSERT INTO counters VALUES ('{mine}', 'fence', 1)")
            assert await application.fetchval("SELECT count(*) FROM counters") == 1
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with application.transaction():
                    await application.execute(f"INSERT INTO counters VALUES ('{foreign}', 'fence', 1)")
        for connection in (application, owner):
            assert await connection.fetchval("SELECT count(*) FROM counters") == 0
            async with connection.transaction():
                await connection.execute(f"SET LOCAL app.org_id = '{foreign}'")
                assert await connection.fetchval("SELECT count(*) FROM counters") == 0
                assert await connection.execute("UPDATE counters SET value = 2") == "UPDATE 0"
    finally:
        await application.close()
        await owner.close()


async def test_partitioned_tables_are_those_we_keep(urls: DatabaseUrls) -> None:
    found = await rows(urls, f"SELECT c.relname FROM pg_class c WHERE {PARENTS} AND c.relkind = 'p'")
    assert {row["relname"] for row in found} == {table.name for table in TABLES}
