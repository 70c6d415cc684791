"""Making a database with its two roles, on any PostgreSQL from 15 on."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import asyncpg

from crm_api.embedded.errors import EmbeddedError

OWNER_ROLE = "crm_owner"
APP_ROLE = "crm_app"

_EXISTS = (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError)  # the second when two processes make one role at once


@dataclass(frozen=True)
class DatabaseUrls:
    """The same database as the application's role and as the owner of its tables."""

    database_url: str
    database_owner_url: str


def database_urls(
    admin_url: str,
    name: str,
    owner_role: str = OWNER_ROLE,
    app_role: str = APP_ROLE,
    owner_password: str | None = None,
    app_password: str | None = None,
) -> DatabaseUrls:
    """The addresses of database `name` on the server of `admin_url`, as both roles."""

    def address(role: str, password: str | None) -> str:
        parts = urlsplit(admin_url)
        host = parts.netloc.rpartition("@")[2]
        user = quote(role, safe="") + (f":{quote(password, safe='')}" if password else "")
        return f"postgresql+asyncpg://{user}@{host}/{quote(name, safe='')}" + (f"?{parts.query}" if parts.query else "")

    return DatabaseUrls(address(app_role, app_password), address(owner_role, owner_password))


async def prepare_database(
    admin_url: str,
    name: str,
    owner_role: str = OWNER_ROLE,
    app_role: str = APP_ROLE,
    *,
    owner_password: str | None = None,
    app_password: str | None = None,
    template: str = "template0",
) -> DatabaseUrls:
    """Make database `name` and both roles where they are missing; harmless to repeat.

    `admin_url` (`postgresql://`) connects to a maintenance database as a role that may make roles and databases.
    The owner owns the database and its schema and runs migrations; the application's role owns nothing and gets its
    privileges table by table from the migrations. `template` clones another database of the same server, which
    nobody may be connected to.
    """
    admin = await asyncpg.connect(admin_url)
    try:
        version: int = admin.get_server_version().major
        if version < 15:
            raise EmbeddedError(f"PostgreSQL 15 or newer is needed; this server is version {version}.")
        for role, password in ((owner_role, owner_password), (app_role, app_password)):
            await _make_role(admin, role, password)
        if not await admin.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
            # Managed servers: only a member of a role may make a database that the role owns.
            await admin.execute(f"GRANT {_identifier(owner_role)} TO current_user")
        if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await _create_database(admin, name, owner_role, template, version)
        database, application = _identifier(name), _identifier(app_role)
        await admin.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
        await admin.execute(f"GRANT CONNECT ON DATABASE {database} TO {application}")
    finally:
        await admin.close()
    await _let_indexes_serve(admin_url, name)
    return database_urls(admin_url, name, owner_role, app_role, owner_password, app_password)


LEAKPROOF = (
    "ts_match_vq(tsvector, tsquery)",
    "arraycontains(anyarray, anyarray)",
    "arrayoverlap(anyarray, anyarray)",
    *(f"numeric_{comparison}(numeric, numeric)" for comparison in ("eq", "ne", "lt", "le", "gt", "ge")),
)
"""What full text, substrings, tags and amounts are compared by.

Under row-level security PostgreSQL lets an index serve a condition only if its function is marked as keeping what it sees to
itself. That guards against users who write SQL; ours don't. Without the marks everything works, but those conditions read
all of an organisation's rows (see docs/decisions/0009-indexes-under-row-security.md).
"""


async def _let_indexes_serve(admin_url: str, name: str) -> None:
    """Marks these functions in one database, where the server lets us: only superusers may."""
    admin = await asyncpg.connect(admin_url, database=name)
    try:
        if await admin.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
            for function in LEAKPROOF:
                signature = await admin.fetchval("SELECT $1::regprocedure::oid", f"pg_catalog.{function}")
                if not await admin.fetchval("SELECT proleakproof FROM pg_proc WHERE oid = $1", signature):
                    await admin.execute(f"ALTER FUNCTION pg_catalog.{function} LEAKPROOF")
    finally:
        await admin.close()


async def drop_database(admin_url: str, name: str) -> None:
    """Drop a database if it exists, ending its sessions."""
    admin = await asyncpg.connect(admin_url)
    try:
        await admin.execute(f"DROP DATABASE IF EXISTS {_identifier(name)} WITH (FORCE)")
    finally:
        await admin.close()


async def _make_role(admin: "asyncpg.Connection[asyncpg.Record]", role: str, password: str | None) -> None:
    exists = await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
    with suppress(*_EXISTS):
        if not exists:
            await admin.execute(f"CREATE ROLE {_identifier(role)} LOGIN NOCREATEDB NOCREATEROLE")
    if password is not None:
        await admin.execute(f"ALTER ROLE {_identifier(role)} PASSWORD {_literal(password)}")


async def _create_database(admin: "asyncpg.Connection[asyncpg.Record]", name: str, owner: str, template: str, version: int) -> None:
    statement = f"CREATE DATABASE {_identifier(name)} OWNER {_identifier(owner)} TEMPLATE {_identifier(template)}"
    if template == "template0":
        builtin = "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'" if version >= 17 else "LOCALE 'C.UTF-8'"
        statement += f" ENCODING 'UTF8' {builtin}"
    for attempt in range(50):
        try:
            await admin.execute(statement)
            return
        except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
            return
        except asyncpg.ObjectInUseError:  # another process is cloning the same template this moment
            if attempt == 49:
                raise
            await asyncio.sleep(0.1)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: str) -> str:
    return "E'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
