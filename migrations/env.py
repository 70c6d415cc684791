"""How Alembic connects and compares.

The address is, in this order: a connection handed over in `config.attributes["connection"]`, `-x url=…`, the address that
`crm_api.db.migrate` sets, DATABASE_OWNER_URL, the database of a running `make run`. The role must own the tables. On a
cluster, connect to the coordinator, and never through a transaction-mode pooler.
"""

import asyncio
import os
from collections.abc import MutableMapping
from typing import Literal

from alembic import context
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

from crm_api.db.ddl import APP_ROLE, grant_to_application, partitions
from crm_api.db.generate import placed
from crm_api.embedded import NotRunning, running_servers
from crm_api.models import Base
from crm_api.settings import asyncpg_url

Kind = Literal["schema", "table", "column", "index", "unique_constraint", "foreign_key_constraint"]

# Two processes that migrate at once wait for each other here; the number is the house's, the migrations' alone.
_MIGRATION_LOCK = 7_267_001

_SESSION = (
    # Plain PostgreSQL takes these two as unknown placeholders; Citus needs them to change tables with foreign keys.
    "SET citus.enable_local_reference_table_foreign_keys = off",
    "SET citus.multi_shard_modify_mode TO 'sequential'",
    "SET statement_timeout = 0",
    # Whoever else is migrating takes as long as it takes.
    "SET lock_timeout = 0",
    f"SELECT pg_advisory_lock({_MIGRATION_LOCK})",
    # A change that can't get its lock fails and is tried again, instead of stopping all traffic behind it.
    "SET lock_timeout = '5s'",
)


def _url() -> str:
    url = context.get_x_argument(as_dictionary=True).get("url") or context.config.get_main_option("sqlalchemy.url")
    url = url or os.environ.get("DATABASE_OWNER_URL")
    if not url:
        try:
            url = running_servers(os.environ.get("CRM_DATA_DIR", ".crm")).urls.database_owner_url
        except NotRunning:
            raise SystemExit("Set DATABASE_OWNER_URL to the database as the role that owns its tables, or start `make run`.") from None
    return asyncpg_url(url)


def _migrate(connection: Connection) -> None:
    for statement in _SESSION:
        connection.exec_driver_sql(statement)
    hidden = partitions(connection)
    connection.commit()

    def include(name: str | None, kind: Kind, _: MutableMapping[str, str | None]) -> bool:
        # Partitions come and go with the calendar; the models know their parents only.
        return not (kind == "table" and name in hidden)

    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=include,  # type: ignore[arg-type]  # alembic's literal of kinds is wider than what it passes
        compare_type=True,
        process_revision_directives=placed,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    if _is_upgrade():
        grant_to_application(connection, context.config.get_main_option("app_role") or APP_ROLE)
    connection.commit()


def _is_upgrade() -> bool:
    try:
        context.get_revision_argument()
    except KeyError:  # check, revision: nothing is applied
        return False
    return True


async def _connect_and_migrate() -> None:
    engine = create_async_engine(_url(), poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_migrate)
    await engine.dispose()


if context.is_offline_mode():
    context.configure(url=_url(), target_metadata=Base.metadata, literal_binds=True, dialect_opts={"paramstyle": "named"})
    with context.begin_transaction():
        context.run_migrations()
elif (given := context.config.attributes.get("connection")) is not None:
    _migrate(given)
else:
    asyncio.run(_connect_and_migrate())
