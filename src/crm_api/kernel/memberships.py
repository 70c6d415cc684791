"""Who belongs to a segment: rows of `links`, each with an event of its own when it comes and when it goes.

A membership is written only where it was not there, and removed only where it was, by the very statement whose rows become the
events; so whoever refreshes or edits a segment at the same time, each change is told exactly once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg

from crm_api.db.statement import Statement
from crm_api.kernel import events
from crm_api.kernel.context import Context

SEGMENTS: Final = "segments"
ADDED: Final = "segment.member_added"
REMOVED: Final = "segment.member_removed"

_ADD: Final = Statement(
    "INSERT INTO links (org_id, id, relation, from_object, from_id, to_object, to_id, version, created_at, updated_at)"
    " SELECT $1, u.id, $2, 'segments', $3, $4, u.to_id, 1, $5, $5 FROM unnest($6::uuid[], $7::uuid[]) AS u (id, to_id)"
    " ON CONFLICT (org_id, relation, from_id, to_id) DO NOTHING RETURNING id, to_id",
    ("org_id", "relation", "segment", "object", "now", "ids", "records"),
)
_REMOVE: Final = Statement(
    "DELETE FROM links WHERE org_id = $1 AND relation = $2 AND from_id = $3 AND to_id = ANY($4::uuid[]) RETURNING id, to_id",
    ("org_id", "relation", "segment", "records"),
)
_MEMBERS: Final = Statement(
    "SELECT to_id FROM links WHERE org_id = $1 AND relation = $2 AND from_id = $3", ("org_id", "relation", "segment")
)
_COUNT: Final = Statement(
    "SELECT count(*) FROM links WHERE org_id = $1 AND relation = $2 AND from_id = $3", ("org_id", "relation", "segment")
)


def relation_of(object_name: str) -> str:
    """The relation by which an object's records belong to segments."""
    return f"{SEGMENTS}.{object_name}"


def _values(context: Context, object_name: str, segment_id: UUID) -> dict[str, object]:
    return {"org_id": context.uow.org_id, "relation": relation_of(object_name), "segment": segment_id, "object": object_name}


async def members(context: Context, object_name: str, segment_id: UUID) -> set[UUID]:
    """The records that belong to a segment, live or not."""
    return {row["to_id"] for row in await context.uow.fetch(_MEMBERS, _values(context, object_name, segment_id))}


async def count(context: Context, object_name: str, segment_id: UUID) -> int:
    """How many there are."""
    found: int = await context.uow.fetch_value(_COUNT, _values(context, object_name, segment_id))
    return found


async def add(context: Context, object_name: str, segment_id: UUID, records: Sequence[UUID]) -> list[UUID]:
    """Makes records members; gives those that were none."""
    ids = [context.uow.new_id() for _ in records]
    values = {**_values(context, object_name, segment_id), "now": context.uow.now, "ids": ids, "records": list(records)}
    rows = await context.uow.fetch(_ADD, values)
    for row in rows:
        _tell(context, ADDED, object_name, segment_id, row, 1)
    return [row["to_id"] for row in rows]


async def remove(context: Context, object_name: str, segment_id: UUID, records: Sequence[UUID]) -> list[UUID]:
    """Ends the membership of records; gives those that were members."""
    rows = await context.uow.fetch(_REMOVE, {**_values(context, object_name, segment_id), "records": list(records)})
    for row in rows:
        _tell(context, REMOVED, object_name, segment_id, row, 2)
    return [row["to_id"] for row in rows]


def _tell(context: Context, kind: str, object_name: str, segment_id: UUID, row: asyncpg.Record, version: int) -> None:
    about = {"segment_id": str(segment_id), "object": object_name, "record_id": str(row["to_id"])}
    added = kind == ADDED
    changes = {name: {"old": None if added else value, "new": value if added else None} for name, value in about.items()}
    related = (str(segment_id), str(row["to_id"]))
    events.emit(context, events.PlainEvent(kind, SEGMENTS, row["id"], version, changes, related))
