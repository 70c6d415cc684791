"""Migrations: there and back, equal to the models, and what the application's role may do afterwards."""

import asyncio
import subprocess
import sys

import asyncpg
import pytest
from alembic.util import CommandError
from sqlalchemy.ext.asyncio import create_async_engine

from crm_api.db import migrate
from crm_api.db.ddl import PRIVILEGES, fence_table, place_table
from crm_api.embedded import DatabaseUrls, EmbeddedServers, prepare_database
from crm_api.settings import driver_url

pytestmark = pytest.mark.anyio


async def connect(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(driver_url(url))


@pytest.fixture(scope="module")
def database(servers: EmbeddedServers) -> DatabaseUrls:
    urls = asyncio.run(prepare_database(servers.admin_url, "migrated"))
    migrate.upgrade(urls.database_owner_url)
    return urls


def test_models_and_migrations_agree(database: DatabaseUrls) -> None:
    migrate.check(database.database_owner_url)


async def test_the_newest_revision_is_reached_and_can_be_read_by_the_application(database: DatabaseUrls) -> None:
    assert migrate.head_revision() is not None
    assert await migrate.database_revision(driver_url(database.database_url)) == migrate.head_revision()


async def test_a_database_without_migrations_has_no_revision(servers: EmbeddedServers) -> None:
    assert await migrate.database_revision(servers.admin_url) is None


async def test_down_and_up_again(servers: EmbeddedServers) -> None:
    urls = await prepare_database(servers.admin_url, "updown")
    migrate.upgrade(urls.database_owner_url)
    migrate.downgrade(urls.database_owner_url, "base")
    owner = await connect(urls.database_owner_url)
    left = await owner.fetch("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S')")
    await owner.close()
    assert [row["relname"] for row in left] == ["alembic_version"]
    migrate.upgrade(urls.database_owner_url)
    migrate.upgrade(urls.database_owner_url)
    migrate.check(urls.database_owner_url)


async def test_several_that_migrate_at_once_wait_for_each_other(servers: EmbeddedServers, plain_environment: dict[str, str]) -> None:
    urls = await prepare_database(servers.admin_url, "twice")
    environment = {**plain_environment, "DATABASE_URL": urls.database_url, "DATABASE_OWNER_URL": urls.database_owner_url}
    command = [sys.executable, "-m", "crm_api.cli", "migrate", "--json"]
    running = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for process in running:
        _, messages = process.communicate(timeout=180)
        assert process.returncode == 0, messages
    migrate.check(urls.database_owner_url)
    await asyncio.gather(*(asyncio.to_thread(migrate.upgrade, urls.database_owner_url) for _ in range(3)))


async def test_partitions_are_not_taken_for_strange_tables(database: DatabaseUrls) -> None:
    owner = await connect(database.database_owner_url)
    found = await owner.fetchval("SELECT count(*) FROM pg_class WHERE relispartition")
    await owner.close()
    assert found > 0
    migrate.check(database.database_owner_url)


async def test_a_table_that_the_models_lack_is_noticed(servers: EmbeddedServers) -> None:
    urls = await prepare_database(servers.admin_url, "strange")
    migrate.upgrade(urls.database_owner_url)
    owner = await connect(urls.database_owner_url)
    await owner.execute("CREATE TABLE strange (id int)")
    await owner.close()
    with pytest.raises(CommandError, match="strange"):
        migrate.check(urls.database_owner_url)


async def test_the_application_may_use_every_table_but_not_rewrite_the_log(database: DatabaseUrls) -> None:
    owner = await connect(database.database_owner_url)
    rows = await owner.fetch(
        "SELECT c.relname AS name, array_agg(p ORDER BY p) FILTER (WHERE has_table_privilege('crm_app', c.oid, p)) AS held"
        " FROM pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p"
        " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace GROUP BY c.relname"
    )
    rewritable = await owner.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'events'::regclass AND attnum > 0"
        " AND has_column_privilege('crm_app', attrelid, attnum, 'UPDATE')"
    )
    await owner.close()
    held = {row["name"]: row["held"] for row in rows}
    assert held["alembic_version"] == ["SELECT"]
    assert held["events"] == ["DELETE", "INSERT", "SELECT"], "a policy lets nothing be deleted but what belongs to a sandbox"
    assert {row["attname"] for row in rewritable} == {"cause", "changes", "visibility"}, "erasing blanks values, nothing else is rewritten"
    usual = {name: privileges for name, privileges in held.items() if name not in PRIVILEGES}
    assert usual
    assert all(privileges == ["DELETE", "INSERT", "SELECT", "UPDATE"] for privileges in usual.values()), usual


async def test_privileges_come_back_with_the_next_upgrade(database: DatabaseUrls) -> None:
    owner = await connect(database.database_owner_url)
    await owner.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM crm_app; GRANT UPDATE ON events TO crm_app")
    migrate.upgrade(database.database_owner_url)
    assert await owner.fetchval("SELECT has_table_privilege('crm_app', 'contacts', 'INSERT')")
    assert not await owner.fetchval("SELECT has_table_privilege('crm_app', 'events', 'UPDATE')")
    await owner.close()


async def test_a_missing_application_role_is_named(servers: EmbeddedServers, database: DatabaseUrls) -> None:
    with pytest.raises(LookupError, match="nobody_here"):
        migrate.upgrade(database.database_owner_url, app_role="nobody_here")


class Recorded:
    """Takes statements as Alembic's `op` does, to run them in order."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def execute(self, sqltext: str) -> None:
        self.statements.append(sqltext)


async def test_placing_does_nothing_on_a_plain_server_and_a_fence_hides_other_tenants(database: DatabaseUrls) -> None:
    op = Recorded()
    place_table(op, "fenced")
    place_table(op, "fenced", None)
    place_table(op, "fenced", "org_id", colocate=False)
    fence_table(op, "fenced")
    engine = create_async_engine(database.database_owner_url)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("CREATE TABLE fenced (org_id uuid NOT NULL)")
        for statement in op.statements:
            await connection.exec_driver_sql(statement)
    mine, theirs = "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002"
    async with engine.connect() as connection:
        # Even for the owner: the table's row security is forced.
        for org in (mine, theirs):
            await connection.exec_driver_sql(f"SET LOCAL app.org_id = '{org}'")
            await connection.exec_driver_sql(f"INSERT INTO fenced VALUES ('{org}')")
        assert (await connection.exec_driver_sql("SELECT count(*) FROM fenced")).scalar() == 1
        await connection.exec_driver_sql("SET LOCAL app.org_id = ''")
        assert (await connection.exec_driver_sql("SELECT count(*) FROM fenced")).scalar() == 0
        await connection.rollback()
    async with engine.begin() as connection:
        await connection.exec_driver_sql("DROP TABLE fenced")
    await engine.dispose()


def test_only_plain_names_are_taken() -> None:
    with pytest.raises(ValueError, match="plain name"):
        place_table(Recorded(), "contacts; DROP TABLE events")
