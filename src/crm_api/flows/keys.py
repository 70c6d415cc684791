"""Changing encryption keys: values sealed with an old key are opened and sealed again with the one that seals now.

What has to be done is found by each value's key id, so any part of it may be cut off, repeated, or done by two at once. Rows are
locked while they are sealed again: a writer who sets another secret meanwhile comes before or after, and its value stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from uuid import UUID

import crm_api.models  # noqa: F401  lets all models register their sealed columns
from crm_api.core.clock import Clock
from crm_api.core.sealed import Keyring, Unreadable
from crm_api.db.engine import Database
from crm_api.db.statement import DIALECT, Statement
from crm_api.db.uow import Uow, unit_of_work
from crm_api.models.sealed import SealedColumn, sealed_columns

CHUNK: Final = 200
"""Values of one transaction."""

NOBODY: Final = UUID(int=0)
"""The tenant of transactions over tables that belong to no organisation."""

_ORGANIZATIONS: Final = Statement("SELECT id FROM organizations WHERE id > $1 ORDER BY id LIMIT 1000", ("after",))
_KNOWN: Final = Statement("SELECT id, fingerprint FROM encryption_keys ORDER BY id", ())
_NOTE: Final = Statement(
    "INSERT INTO encryption_keys (id, fingerprint, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING",
    ("id", "fingerprint", "now"),
)
_FORGET: Final = Statement("DELETE FROM encryption_keys WHERE id = ANY($1::int[])", ("ids",))


class KeysMissing(LookupError):
    """The server's keys are not those with which the database's secrets were sealed. The message says which, and what to do."""


async def refuse_missing_keys(database: Database, clock: Clock, keys: Keyring) -> None:
    """Raises KeysMissing unless all keys in use are in the ring and are the same as when they were first used; notes a new one."""
    async with database.connection() as connection:
        known: dict[int, bytes] = {row["id"]: row["fingerprint"] for row in await connection.fetch(_KNOWN, {})}
        absent = [id for id in known if id not in keys.ids]
        if absent:
            raise KeysMissing(
                f"Secrets in the database are sealed with {_named(absent)}, which CRM_ENCRYPTION_KEYS does not hold. Set it to the keys "
                "that this database was used with before; a key may leave the list after `crm-api keys rotate`."
            )
        other = [id for id, fingerprint in known.items() if keys.fingerprint(id) != fingerprint]
        if other:
            raise KeysMissing(
                f"CRM_ENCRYPTION_KEYS holds another {_named(other)} than the one that secrets in the database are sealed with. "
                "Restore that key, and give a new key an id of its own."
            )
        if keys and keys.sealing_id not in known:
            values = {"id": keys.sealing_id, "fingerprint": keys.fingerprint(keys.sealing_id), "now": clock.now()}
            await connection.fetch(_NOTE, values)


def _named(ids: Sequence[int]) -> str:
    return f"{'key' if len(ids) == 1 else 'the keys'} {', '.join(map(str, ids))}"


# --- one chunk -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one transaction did: how many values were sealed again, the rows whose values don't open, and where to go on (None: done)."""

    sealed: int
    unreadable: list[str]
    after: list[str] | None


@dataclass(frozen=True, slots=True)
class _Statements:
    find: Statement
    write: Statement
    count: Statement


@cache
def _statements(column: SealedColumn) -> _Statements:
    table, name = column.table.name, column.column.name
    keys = [key.name for key in column.keys]
    types = [key.type.compile(dialect=DIALECT) for key in column.keys]
    tenant = "t.org_id = $1" if column.tenant else "$1::uuid IS NOT NULL"
    row = f"({', '.join(f't.{key}' for key in keys)})"
    last = f"({', '.join(f'($3::text[]){subscript}::{kind}' for subscript, kind in zip(_subscripts(keys), types, strict=True))})"
    find = Statement(
        f"SELECT {', '.join(f't.{key}' for key in keys)}, t.{name} AS value FROM {table} t"
        f" WHERE {tenant} AND substring(t.{name} FROM 1 FOR 1) <> $2 AND ($3::text[] IS NULL OR {row} > {last})"
        f" ORDER BY {row} LIMIT $4 FOR NO KEY UPDATE",
        ("org_id", "sealing", "after", "limit"),
    )
    arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(types, 3))
    write = Statement(
        f"UPDATE {table} t SET {name} = n.value FROM unnest($2::bytea[], {arrays}) AS n (value, {', '.join(keys)})"
        f" WHERE {tenant} AND {row} = ({', '.join(f'n.{key}' for key in keys)})",
        ("org_id", "values", *keys),
    )
    count = Statement(
        f"SELECT get_byte(t.{name}, 0) AS key, count(*) AS values FROM {table} t WHERE {tenant} AND length(t.{name}) > 0 GROUP BY 1",
        ("org_id",),
    )
    return _Statements(find, write, count)


def _subscripts(keys: Sequence[str]) -> list[str]:
    return [f"[{place}]" for place in range(1, len(keys) + 1)]


async def seal_again(uow: Uow, keys: Keyring, column: SealedColumn, after: Sequence[str] | None = None, *, limit: int = CHUNK) -> Chunk:
    """Seals the next values of a column that an old key sealed. Values that don't open stay as they are and are reported."""
    statements = _statements(column)
    rows = await uow.fetch(
        statements.find,
        {"org_id": uow.org_id, "sealing": bytes((keys.sealing_id,)), "after": None if after is None else list(after), "limit": limit},
    )
    done: list[tuple[Any, bytes]] = []
    unreadable: list[str] = []
    for row in rows:
        place = column.place({"org_id": uow.org_id, **{key.name: row[key.name] for key in column.keys}})
        try:
            done.append((row, keys.seal(keys.open(row["value"], place), place)))
        except Unreadable:
            unreadable.append(str(place.row))
    if done:
        values: dict[str, Any] = {"org_id": uow.org_id, "values": [value for _, value in done]}
        values |= {key.name: [row[key.name] for row, _ in done] for key in column.keys}
        await uow.fetch(statements.write, values)
    following = [str(rows[-1][key.name]) for key in column.keys] if len(rows) == limit else None
    return Chunk(len(done), unreadable, following)


async def in_use(uow: Uow, columns: Sequence[SealedColumn]) -> dict[int, int]:
    """How many values each key has sealed, in the uow's organisation (or in the tables that belong to none)."""
    found: dict[int, int] = {}
    for column in columns:
        for row in await uow.fetch(_statements(column).count, {"org_id": uow.org_id}):
            found[row["key"]] = found.get(row["key"], 0) + row["values"]
    return found


def tenant_columns() -> list[SealedColumn]:
    """The sealed columns of organisations."""
    return [column for column in sealed_columns() if column.tenant]


def global_columns() -> list[SealedColumn]:
    """The sealed columns of tables that belong to no organisation."""
    return [column for column in sealed_columns() if not column.tenant]


# --- everything ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Rotation:
    """What became of a whole rotation."""

    sealed: int = 0
    unreadable: int = 0
    retired: tuple[int, ...] = ()

    def json(self, keys: Keyring) -> Mapping[str, Any]:
        """As the command line prints it."""
        return {"key_id": keys.sealing_id, "sealed": self.sealed, "unreadable": self.unreadable, "retired": list(self.retired)}


async def rotate_everything(database: Database, clock: Clock, keys: Keyring) -> Rotation:
    """Seals every value of the database anew that an old key sealed; keys that seal nothing afterwards are no longer asked for.

    To be run once all processes seal with the new key: one that still seals with an old key would go on making such values.
    """
    done = Rotation()
    left: set[int] = set()
    await _rotate(database, clock, keys, NOBODY, global_columns(), done, left)
    after = NOBODY
    while True:
        async with database.connection() as connection:
            found = [row["id"] for row in await connection.fetch(_ORGANIZATIONS, {"after": after})]
        if not found:
            break
        for org_id in found:
            await _rotate(database, clock, keys, org_id, tenant_columns(), done, left)
        after = found[-1]
    async with database.connection() as connection:
        known = [row["id"] for row in await connection.fetch(_KNOWN, {})]
        done.retired = tuple(id for id in known if id != keys.sealing_id and id not in left)
        await connection.fetch(_FORGET, {"ids": list(done.retired)})
    return done


async def _rotate(
    database: Database, clock: Clock, keys: Keyring, org_id: UUID, columns: Sequence[SealedColumn], done: Rotation, left: set[int]
) -> None:
    for column in columns:
        after: list[str] | None = None
        while True:
            async with unit_of_work(database, org_id, clock) as uow:
                chunk = await seal_again(uow, keys, column, after)
            done.sealed += chunk.sealed
            done.unreadable += len(chunk.unreadable)
            after = chunk.after
            if after is None:
                break
    async with unit_of_work(database, org_id, clock, read_only=True) as uow:
        left |= (await in_use(uow, columns)).keys()
