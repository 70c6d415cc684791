"""Events made by hand, for tests of what happens to them later."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from crm_api.core.clock import SystemClock
from crm_api.core.ids import uuid7
from crm_api.db.engine import Database
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow, unit_of_work

CLOCK = SystemClock()

_INSERT = Statement(
    "INSERT INTO events (org_id, id, type, object, record_id, version, occurred_at, actor, cause, changes, visibility,"
    " transaction_id, transaction_index, transaction_last, related)"
    ' VALUES ($1, $2, $3, $4, $5, $6, $7, \'{"type":"system","id":null}\', $8, $9, \'{}\', $10, 0, true, $11)',
    ("org_id", "id", "type", "object", "record_id", "version", "at", "cause", "changes", "transaction_id", "related"),
)
_QUEUE = Statement("INSERT INTO outbox (org_id, event_id) VALUES ($1, $2)", ("org_id", "id"))
_SNAPSHOT = Statement("INSERT INTO event_snapshots (org_id, event_id, row) VALUES ($1, $2, $3)", ("org_id", "id", "row"))


@dataclass
class Made:
    """What to write as an event."""

    record_id: UUID
    version: int = 1
    type: str = "contact.created"
    object: str = "contacts"
    changes: dict[str, Any] = field(default_factory=dict)
    cause: dict[str, Any] = field(default_factory=dict)
    related: list[str] = field(default_factory=list)
    row: dict[str, Any] | None = None
    id: UUID | None = None


async def put(uow: Uow, made: Made) -> UUID:
    """Writes an event and its outbox row, and the snapshot if a row is given."""
    event_id = made.id or uow.new_id()
    values = {
        "org_id": uow.org_id, "id": event_id, "type": made.type, "object": made.object, "record_id": made.record_id,
        "version": made.version,
        "at": uow.now, "cause": orjson.dumps(made.cause).decode(), "changes": orjson.dumps(made.changes).decode(),
        "transaction_id": uow.transaction_id, "related": orjson.dumps(made.related).decode(),
    }  # fmt: skip
    await uow.fetch(_INSERT, values)
    await uow.fetch(_QUEUE, values)
    if made.row is not None:
        await uow.fetch(_SNAPSHOT, {**values, "row": orjson.dumps(made.row).decode()})
    return event_id


async def write(database: Database, org_id: UUID, *events: Made) -> list[UUID]:
    """Events in a transaction of their own."""
    async with unit_of_work(database, org_id, CLOCK) as uow:
        return [await put(uow, made) for made in events]


def new_id() -> UUID:
    return uuid7(CLOCK)
