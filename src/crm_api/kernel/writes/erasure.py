"""Purging and erasing: a record's row, links, external ids, what is kept beside it and the values in its history go; id and last
version stay as a tombstone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, insert

from crm_api.db.statement import Statement, compile_statement
from crm_api.db.uow import Uow
from crm_api.kernel.access import shares
from crm_api.kernel.context import Context
from crm_api.kernel.locks import take_numbers
from crm_api.kernel.memberships import ADDED, REMOVED
from crm_api.kernel.resource import Draft
from crm_api.kernel.writes import edges
from crm_api.kernel.writes.shape import Shape, encode, json_columns
from crm_api.kernel.writes.statements import EXTERNAL_IDS, IDS, ORG, TOMBSTONES, UUID_TYPE, remove_records
from crm_api.models.base import table as table_of
from crm_api.models.events import Event, EventSnapshot
from crm_api.models.presentation import BoardPosition, RecentItem
from crm_api.models.sales import StageChange

_BLANK: Final = Statement(
    """
    UPDATE events e SET changes = (
        SELECT coalesce(jsonb_object_agg(c.key, CASE WHEN $3::text[] IS NULL OR c.key = ANY($3) OR split_part(c.key, '.', 1) = ANY($3)
                                                THEN '{"old": null, "new": null}'::jsonb ELSE c.value END), '{}'::jsonb)
          FROM jsonb_each(e.changes) c),
           cause = e.cause - 'idempotency_key' - 'request_id'
     WHERE e.org_id = $1 AND e.record_id = ANY($2::uuid[])
    """,
    ("org_id", "ids", "names"),
)
_ABOUT: Final = Statement(
    """
    WITH mine AS (SELECT id FROM events WHERE org_id = $1 AND related <> '[]'::jsonb AND related @> $2::jsonb AND object = 'links'),
         gone AS (DELETE FROM event_snapshots s USING mine WHERE s.org_id = $1 AND s.event_id = mine.id)
    UPDATE events e SET changes = (
        SELECT coalesce(jsonb_object_agg(k, '{"old": null, "new": null}'::jsonb), '{}'::jsonb) FROM jsonb_object_keys(e.changes) k),
           cause = e.cause - 'idempotency_key' - 'request_id'
      FROM mine WHERE e.org_id = $1 AND e.id = mine.id
    """,
    ("org_id", "related"),
)

# A secret may stand in any value, so all of them go; who keeps a copy knows from the names what to read again.
_FORGET_PAYLOAD: Final = Statement(
    """
    WITH gone AS (DELETE FROM event_snapshots s WHERE s.org_id = $1 AND s.event_id = $2),
         blank AS (UPDATE events e SET changes = (
                       SELECT coalesce(jsonb_object_agg(k, '{"old": null, "new": null}'::jsonb), '{}'::jsonb)
                         FROM jsonb_object_keys(e.changes) k),
                          cause = e.cause - 'idempotency_key' - 'request_id'
                    WHERE e.org_id = $1 AND e.id = $2 AND e.type <> ALL($3::text[]))
    SELECT e.object, e.record_id, EXISTS (SELECT FROM event_snapshots s WHERE s.org_id = $1 AND s.event_id = $2)
           OR EXISTS (SELECT FROM jsonb_each(e.changes) c WHERE c.value <> '{"old": null, "new": null}'::jsonb)
           OR e.cause ?| ARRAY['idempotency_key', 'request_id'] AS had
      FROM events e WHERE e.org_id = $1 AND e.id = $2
    """,
    ("org_id", "event_id", "kept"),
)


REMOVED_PAYLOADS: Final = "removed_payloads"
"""The counter by which all processes learn that events they keep in memory are no longer what they were."""

_NOTED: Final = "kernel.erasure.noted"


def note_removed(context: Context) -> None:
    """Has the counter raised, once, at the end of the transaction: whoever else removes waits for no longer than that."""
    uow = context.uow
    if _NOTED in uow.state:
        return
    uow.state[_NOTED] = True

    async def count(_: Uow) -> None:
        await take_numbers(context, REMOVED_PAYLOADS, 1)

    uow.before_commit.append(count)


@dataclass(frozen=True, slots=True)
class Emptied:
    """What event was emptied: of which record, and whether there was anything left in it."""

    object: str
    record_id: UUID
    had: bool


async def forget_payload(context: Context, event_id: UUID) -> Emptied | None:
    """Takes the values and the snapshot out of one event; None if there is no such event.

    What tells who came into a segment, or left it, has nothing but ids, by which its readers are found; it stays as it is.
    """
    row = await context.uow.fetch_row(_FORGET_PAYLOAD, {"org_id": context.uow.org_id, "event_id": event_id, "kept": [ADDED, REMOVED]})
    return None if row is None else Emptied(row["object"], row["record_id"], row["had"])


async def erase(context: Context, shape: Shape, drafts: Sequence[Draft]) -> None:
    """Removes the rows of locked records and everything kept beside them."""
    uow = context.uow
    ids = [draft.id for draft in drafts]
    rows = [{"id": draft.id, "version": draft.new["version"]} for draft in drafts]
    values = {"org_id": uow.org_id, "ids": ids}
    await edges.store(context, removed=await edges.of_records(context, shape.resource.name, ids))
    await uow.fetch(context.statements.get("erase_external_ids", _external_ids), values)
    await uow.fetch(context.statements.get("erase_beside", _beside), {**values, "object": shape.resource.name})
    await uow.fetch(remove_records(context, shape), values)
    await shares.forget(context, shape.resource, ids)
    await uow.fetch(
        context.statements.get("tombstone", _tombstones), {**values, "object": shape.resource.name, "now": uow.now, "rows": encode(rows)}
    )
    await uow.fetch(context.statements.get("erase_snapshots", _snapshots), values)
    await uow.fetch(context.statements.get("blank_events", _blank_events), values)
    note_removed(context)


async def forget(context: Context, ids: Sequence[UUID], names: Sequence[str] | None = None) -> None:
    """Takes values out of the history of records whose events are all written: those of the named fields, or all of them.

    What callers may have chosen themselves (request ids, idempotency keys) goes too, and so do the snapshots.
    """
    values = {"org_id": context.uow.org_id, "ids": list(ids), "names": None if names is None else list(names)}
    await context.uow.fetch(_BLANK, values)
    await context.uow.fetch(context.statements.get("erase_snapshots", _snapshots), values)
    note_removed(context)


async def forget_links(context: Context, ids: Sequence[UUID]) -> None:
    """Takes the values out of the events of all links that these records ever had."""
    for id_ in ids:
        await context.uow.fetch(_ABOUT, {"org_id": context.uow.org_id, "related": encode([str(id_)])})


def _external_ids() -> Statement:
    return compile_statement(sa.delete(EXTERNAL_IDS).where(EXTERNAL_IDS.c.org_id == ORG, EXTERNAL_IDS.c.record_id == sa.any_(IDS)))


def _beside() -> Statement:
    """Where the records stood on boards, their ways through stages, and who looked at them."""
    mine = [
        (kept.c.org_id == ORG, kept.c.object == sa.bindparam("object", type_=sa.Text), kept.c.record_id == sa.any_(IDS))
        for kept in (table_of(BoardPosition), table_of(StageChange), table_of(RecentItem))
    ]
    positions = sa.delete(BoardPosition).where(*mine[0]).returning(BoardPosition.record_id).cte("positions")
    looked_at = sa.delete(RecentItem).where(*mine[2]).returning(RecentItem.record_id).cte("looked_at")
    return compile_statement(sa.delete(StageChange).where(*mine[1]).add_cte(positions, looked_at))


def _tombstones() -> Statement:
    given = json_columns("u", "rows", {"id": UUID_TYPE, "version": sa.BigInteger()})
    source = sa.select(
        ORG, given.c.id, sa.bindparam("object", type_=sa.Text), given.c.version, sa.bindparam("now", type_=TIMESTAMP(timezone=True))
    )
    names = ["org_id", "id", "object", "version", "purged_at"]
    return compile_statement(insert(TOMBSTONES).from_select(names, source, include_defaults=False).on_conflict_do_nothing())


def _snapshots() -> Statement:
    events, snapshots = table_of(Event), table_of(EventSnapshot)
    theirs = sa.select(events.c.id).where(events.c.org_id == ORG, events.c.record_id == sa.any_(IDS))
    return compile_statement(sa.delete(snapshots).where(snapshots.c.org_id == ORG, snapshots.c.event_id.in_(theirs)))


def _blank_events() -> Statement:
    """The names of changed fields stay, so that the history still tells what happened and when."""
    events = table_of(Event)
    names = sa.func.jsonb_object_keys(events.c.changes).table_valued("name").render_derived(name="k")
    empty = sa.literal_column("""'{"old": null, "new": null}'::jsonb""", type_=JSONB)
    nothing = sa.literal_column("'{}'::jsonb", type_=JSONB)
    blank = sa.select(sa.func.coalesce(sa.func.jsonb_object_agg(names.c.name, empty), nothing)).select_from(names).scalar_subquery()
    return compile_statement(sa.update(events).values(changes=blank).where(events.c.org_id == ORG, events.c.record_id == sa.any_(IDS)))
