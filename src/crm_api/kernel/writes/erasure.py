"""Purging: a record's row, links, external ids and the values in its history go; id and last version stay as a tombstone."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, insert

from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.access import shares
from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft
from crm_api.kernel.writes import edges
from crm_api.kernel.writes.shape import Shape, encode, json_columns
from crm_api.kernel.writes.statements import EXTERNAL_IDS, IDS, ORG, TOMBSTONES, UUID_TYPE, remove_records
from crm_api.models.base import table as table_of
from crm_api.models.events import Event, EventSnapshot
from crm_api.models.presentation import BoardPosition
from crm_api.models.sales import StageChange


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


def _external_ids() -> Statement:
    return compile_statement(sa.delete(EXTERNAL_IDS).where(EXTERNAL_IDS.c.org_id == ORG, EXTERNAL_IDS.c.record_id == sa.any_(IDS)))


def _beside() -> Statement:
    """Where the records stood on boards, and their ways through stages."""
    mine = [
        (kept.c.org_id == ORG, kept.c.object == sa.bindparam("object", type_=sa.Text), kept.c.record_id == sa.any_(IDS))
        for kept in (table_of(BoardPosition), table_of(StageChange))
    ]
    positions = sa.delete(BoardPosition).where(*mine[0]).returning(BoardPosition.record_id).cte("positions")
    return compile_statement(sa.delete(StageChange).where(*mine[1]).add_cte(positions))


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
