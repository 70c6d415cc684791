"""The way of records through the stages of their pipelines: each move of a deal, or of a record of an organisation's own object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from crm_api.core.cursor import decode_cursor, encode_cursor, query_digest
from crm_api.core.errors import InvalidCursor
from crm_api.db.statement import Statement
from crm_api.kernel.context import Context
from crm_api.kernel.fields import TIMESTAMP_FORMAT
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.writes.shape import encode

_KEY: Final = b"stage_history"
_KIND: Final = "stage_history"

# Where nobody says how long a record was where it was, it was there since its last move.
_REMEMBER: Final = Statement(
    """
    INSERT INTO stage_changes (org_id, id, object, record_id, pipeline_id, from_stage_id, to_stage_id, at, seconds, actor)
    SELECT $1, u.id, $2, u.record_id, u.pipeline_id, u.from_stage_id, u.to_stage_id, u.at,
           coalesce(u.seconds, CASE WHEN u.at > last.at THEN floor(extract(epoch FROM u.at - last.at))::bigint
                                    WHEN last.at IS NOT NULL THEN 0 END),
           $4::jsonb
      FROM json_to_recordset($3::json) AS u (id uuid, record_id uuid, pipeline_id uuid, from_stage_id uuid, to_stage_id uuid,
                                             at timestamptz, seconds bigint)
      LEFT JOIN LATERAL (SELECT s.at FROM stage_changes s WHERE s.org_id = $1 AND s.object = $2 AND s.record_id = u.record_id
                            AND u.from_stage_id IS NOT NULL ORDER BY s.at DESC, s.id DESC LIMIT 1) last ON true
    """,
    ("org_id", "object", "rows", "actor"),
)
_MOVES: Final = Statement(
    f"""
    SELECT x.at_time, x.id, row_to_json(x.shown)::text AS json
      FROM (SELECT s.at AS at_time, s.id, shown
              FROM stage_changes s
             CROSS JOIN LATERAL (SELECT s.id, s.pipeline_id, s.from_stage_id, s.to_stage_id,
                                        to_char(s.at AT TIME ZONE 'UTC', '{TIMESTAMP_FORMAT}') AS at, s.seconds, s.actor) shown
             WHERE s.org_id = $1 AND s.object = $2 AND s.record_id = $3
               AND ($4::timestamptz IS NULL OR (s.at, s.id) < ($4::timestamptz, $5::uuid))
             ORDER BY s.at DESC, s.id DESC LIMIT $6) x
     ORDER BY x.at_time DESC, x.id DESC
    """,
    ("org_id", "object", "record_id", "at", "id", "limit"),
)
_LEFT: Final = Statement(
    "SELECT from_stage_id FROM stage_changes WHERE org_id = $1 AND object = $2 AND record_id = $3 AND from_stage_id IS NOT NULL"
    " ORDER BY at DESC, id DESC",
    ("org_id", "object", "record_id"),
)


@dataclass(frozen=True, slots=True)
class StageMove:
    """One move. `seconds` is how long the record had been in the stage that it left, None to go by its last move."""

    record_id: UUID
    pipeline_id: UUID
    from_stage_id: UUID | None
    to_stage_id: UUID
    at: datetime
    seconds: int | None = None


def staged(resource: AnyResource) -> bool:
    """Whether an object's records move through pipelines."""
    if resource.made is not None:
        return bool(resource.made.properties.get("has_pipeline"))
    stage = resource.fields.get("stage_id")
    return stage is not None and stage.spec.target == "stages"


async def remember_moves(context: Context, object_name: str, moves: Iterable[StageMove]) -> None:
    """Stores moves of records of one object, made by whoever acts now."""
    uow = context.uow
    rows = [{"id": uow.new_id(), **{name: getattr(move, name) for name in StageMove.__slots__}} for move in moves]
    if rows:
        values = {"org_id": uow.org_id, "object": object_name, "rows": encode(rows), "actor": encode(uow.actor.json())}
        await uow.fetch(_REMEMBER, values)


async def stages_left(context: Context, object_name: str, record_id: UUID) -> list[UUID]:
    """The stages that a record has left, the last one first."""
    values = {"org_id": context.uow.org_id, "object": object_name, "record_id": record_id}
    return [row["from_stage_id"] for row in await context.uow.fetch(_LEFT, values)]


async def stage_history(
    context: Context, resource: AnyResource, record_id: UUID, *, cursor: str | None = None, limit: int = 50
) -> tuple[list[bytes], str | None]:
    """The moves of one record, newest first, as JSON, and the cursor of the next page. Raises InvalidCursor."""
    digest = query_digest(resource.name, record_id.hex)
    at, last = None, None
    if cursor is not None:
        at, last = decode_cursor(_KEY, _KIND, digest, cursor)
        if not isinstance(at, datetime) or not isinstance(last, UUID):
            raise InvalidCursor("malformed")
    about = {"org_id": context.uow.org_id, "object": resource.name, "record_id": record_id}
    rows = await context.uow.fetch(_MOVES, {**about, "at": at, "id": last, "limit": limit + 1})
    more = len(rows) > limit
    rows = rows[:limit]
    following = encode_cursor(_KEY, _KIND, digest, [rows[-1]["at_time"], rows[-1]["id"]]) if more else None
    return [row["json"].encode() for row in rows], following
