"""Databases to measure on: one organisation each, with so many contacts, a tenth as many accounts and a fifth as many deals.

They are made once and kept in the data folder; a change of the migrations, or of this file, makes them anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID

import asyncpg

from benchmarks import rows
from benchmarks.rows import CHOICES, CUSTOM_CONTACTS, MEMBERS, OWNED_CONTACTS, STATEMENTS
from crm_api.db import migrate
from crm_api.db.engine import Database
from crm_api.embedded import drop_database, prepare_database
from crm_api.flows.organizations import create_organization
from crm_api.settings import driver_url

Kind = Literal["plain", "custom", "access"]
CONTACTS = {"custom": CUSTOM_CONTACTS, "access": OWNED_CONTACTS}


@dataclass(frozen=True)
class Prepared:
    """A database that is ready, and how to reach it."""

    contacts: int
    database_url: str
    """As the application's role."""
    admin_url: str
    """As a role that row-level security does not bind: the floor has no tenants."""
    org_id: str
    token: str
    fingerprint: str


def fingerprint() -> str:
    """Of everything that decides what is in the databases."""
    digest = hashlib.sha256(Path(rows.__file__).read_bytes())
    for path in sorted((migrate.migrations_folder() / "versions").glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def prepare(
    admin_url: str, folder: Path, contacts: int, say: Callable[[str], None], *, keep: bool = False, kind: Kind = "plain"
) -> Prepared:
    """The database with so many contacts, made if it is not there. `keep` takes one made by an earlier version as it is.

    `custom`: one whose contacts have values of custom fields too, without deals. `access`: one of a thousand members in a tree of
    roles, who own the contacts in turn, see benchmarks/access.py.
    """
    name = f"crm_bench_{contacts}" if kind == "plain" else f"crm_bench_{kind}_{contacts}"
    note = folder / f"{name}.json"
    if note.exists():
        found = Prepared(**json.loads(note.read_text()))
        if (keep or found.fingerprint == fingerprint()) and asyncio.run(_answers(admin_url, name)):
            urls = asyncio.run(prepare_database(admin_url, name))
            return Prepared(**{**asdict(found), "database_url": urls.database_url, "admin_url": on(admin_url, name)})
        note.unlink()
    say(f"making a database with {contacts:,} contacts; it is kept for the next run")
    asyncio.run(drop_database(admin_url, name))
    urls = asyncio.run(prepare_database(admin_url, name))
    migrate.upgrade(urls.database_owner_url)
    made = asyncio.run(_fill(urls.database_url, driver_url(urls.database_owner_url), contacts, say, kind))
    prepared = Prepared(contacts, urls.database_url, on(admin_url, name), made[0], made[1], fingerprint())
    note.write_text(json.dumps(asdict(prepared)))
    return prepared


async def _answers(admin_url: str, name: str) -> bool:
    connection = await asyncpg.connect(admin_url)
    try:
        return bool(await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name))
    finally:
        await connection.close()


def on(url: str, database: str) -> str:
    """The address of another database of the same server."""
    head, _, query = url.partition("?")
    return head.rpartition("/")[0] + "/" + database + (f"?{query}" if query else "")


async def _fill(app_url: str, owner_url: str, contacts: int, say: Callable[[str], None], kind: Kind) -> tuple[str, str]:
    database = Database(app_url)
    try:
        made = await create_organization(database, name="Benchmark", admin_email="admin@bench.example", region="DE", currency="EUR")
    finally:
        await database.close()
    connections = [await asyncpg.connect(owner_url) for _ in range(2)]
    for connection in connections:
        # The owner is bound by row-level security too.
        await connection.execute(
            f"SET app.org_id = '{UUID(made['org_id'])}'; SET synchronous_commit = off; SET maintenance_work_mem = '512MB'"
        )
    first = connections[0]
    definitions = {}
    for table in ("accounts", "contacts", "deals"):
        for row in await first.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = $1 AND indexname NOT LIKE 'pk%'",
            table,
        ):
            definitions[row["indexname"]] = row["indexdef"]
    for name in definitions:
        await first.execute(f'DROP INDEX "{name}"')
    if kind == "access":
        for statement in MEMBERS:
            await first.execute(statement.format(org=made["org_id"], user=made["user_id"]))
    values = {"org": made["org_id"], "user": made["user_id"], "contacts": contacts, "accounts": max(1, contacts // 10)}
    for table, count in (("accounts", contacts // 10), ("contacts", contacts), ("deals", contacts // 5 if kind == "plain" else 0)):
        say(f"  {count:,} {table}")
        step = 50_000
        chunks = [(low, min(count, low + step - 1)) for low in range(1, count + 1, step)]

        async def work(
            connection: asyncpg.Connection, table: str = table, chunks: list[tuple[int, int]] = chunks, count: int = count
        ) -> None:
            while chunks:
                low, high = chunks.pop(0)
                statement = CONTACTS.get(kind, STATEMENTS[table]) if table == "contacts" else STATEMENTS[table]
                await connection.execute(statement.format(**values, rows=count, low=low, high=high, **CHOICES))

        await asyncio.gather(*(work(connection) for connection in connections))
    say("  indexes")
    left = list(definitions.values())

    async def index(connection: asyncpg.Connection) -> None:
        while left:
            await connection.execute(left.pop(0))

    await asyncio.gather(*(index(connection) for connection in connections))
    say("  statistics")
    await first.execute("VACUUM (ANALYZE)")
    for connection in connections:
        await connection.close()
    return made["org_id"], made["token"]


async def forget_writes(prepared: Prepared) -> None:
    """Takes away what measuring writes has left, so that the next run finds the same rows."""
    connection = await asyncpg.connect(prepared.admin_url)
    try:
        await connection.execute("TRUNCATE events, outbox, journal, event_snapshots")
        await connection.execute("DELETE FROM links")
        await connection.execute("DELETE FROM contacts WHERE email_key LIKE '%@made.bench.example'")
        await connection.execute("VACUUM (ANALYZE) contacts")
    finally:
        await connection.close()
