"""Rows that are about to change: locked in the order of their ids, and what to say where that can't be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import Deleted, Forbidden, Merged, NotFound, Problem, VersionConflict
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.access.rights import FULL, READ, WRITE
from crm_api.kernel.context import Context
from crm_api.kernel.custom import writing as custom
from crm_api.kernel.fields import to_json
from crm_api.kernel.resource import AnyResource, Row
from crm_api.kernel.writes.shape import Shape
from crm_api.kernel.writes.statements import LEVEL, ORG, UUID_TYPE, lock_records, read_records
from crm_api.kernel.writes.types import Work, WriteOptions
from crm_api.models.base import table as table_of
from crm_api.models.events import Event


async def lock(
    context: Context, shape: Shape, ids: Iterable[UUID], *, going: bool = False, levels: dict[UUID, int] | None = None
) -> dict[UUID, Row]:
    """The stored rows, deleted ones too, locked against other writers until the transaction ends.

    `going`: they are about to be deleted, so nobody may begin to refer to them either. `levels` is filled with how far the caller
    reaches each of them, which is decided by the row as it is once it is locked.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    leveled = levels is not None and context.policy.closed(shape.resource)
    values = {"org_id": context.uow.org_id, "ids": wanted}
    if leveled:
        values.update(context.policy.values)
    found = await context.uow.fetch(lock_records(context, shape, going=going, leveled=leveled), values)
    rows = {record["id"]: shape.row(record) for record in found}
    if levels is not None:
        levels.update({id: row.pop(LEVEL) if leveled else FULL for id, row in rows.items()})
    return rows


async def lock_reached(context: Context, shape: Shape, ids: Iterable[UUID], needed: int = WRITE, *, going: bool = False) -> dict[UUID, Row]:
    """The same, of records that the caller reaches at the level `needed`. Raises NotFound or Forbidden for others; those that aren't there
    are absent."""
    levels: dict[UUID, int] = {}
    rows = await lock(context, shape, ids, going=going, levels=levels)
    for level in levels.values():
        if level < needed:
            raise out_of_reach(level)
    return rows


async def records(context: Context, resource: AnyResource, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The canonical JSON of records, deleted ones too."""
    wanted = list(ids)
    if not wanted:
        return {}
    return dict(await context.uow.fetch(read_records(context, resource), {"org_id": context.uow.org_id, "ids": wanted}))


async def fill_unchanged(context: Context, shape: Shape, works: Sequence[Work]) -> None:
    """Gives items that changed nothing their record as it is."""
    bare = [work for work in works if not work.failed and not work.record]
    if bare:
        found = await records(context, shape.resource, [work.draft.id for work in bare])
        for work in bare:
            work.record = found[work.draft.id]


def unavailable(resource: AnyResource, row: Row) -> Problem | None:
    """Why a stored record can't be changed: it was merged away, or deleted."""
    if row.get("merged_into") is not None:
        return Merged(str(row["merged_into"]), f"/v1/{resource.name}/{row['merged_into']}")
    if row["deleted_at"] is not None:
        return Deleted(restorable=True)
    return None


def out_of_reach(level: int) -> Problem:
    """Why a record can't be changed like this by a caller who reaches it at `level`: it is not there, or not theirs to change."""
    if level < READ:
        return NotFound()
    if level < WRITE:
        return Forbidden("You may read this record but not change it.")
    return Forbidden(
        "You may change this record, but only its owner, who stands above them, and co-owners may delete, transfer or share it."
    )


def refuse_transfers(context: Context, shape: Shape, works: Sequence[Work]) -> None:
    """Marks changes of the owner by those who may change a record but not give it away."""
    for work in works:
        draft = work.draft
        if work.failed or work.level is None or "owner_id" not in draft.given or not draft.changed("owner_id"):
            continue
        if work.level < FULL:
            draft.problem = out_of_reach(work.level)
        elif not context.principal.rights.allows(shape.resource.name, "transfer"):
            draft.problem = Forbidden(f"Your profile does not allow to transfer {shape.resource.name}.")


async def check_versions(context: Context, shape: Shape, works: Sequence[Work], options: WriteOptions) -> None:
    """Marks items whose `if_match` is stale, with the changes that they collide with."""
    stale = [
        work
        for work in works
        if not work.failed and work.if_match is not None and work.draft.old is not None and work.draft.old["version"] != work.if_match
    ]
    if not stale:
        return
    current = await records(context, shape.resource, [work.draft.id for work in stale])
    for work in stale:
        assert work.if_match is not None
        assert work.draft.old is not None
        conflicts, missing = await _conflicts(context, shape, work)
        # Without every event since, nobody can tell that the sent fields are untouched.
        if options.conflict == "fields" and not missing and not conflicts:
            continue
        record = orjson.Fragment(current[work.draft.id])
        work.draft.problem = VersionConflict(work.draft.old["version"], conflicts, record)


async def _conflicts(context: Context, shape: Shape, work: Work) -> tuple[list[dict[str, Any]], bool]:
    """The sent fields that were changed since the caller's version, and whether events are missing in between."""
    assert work.if_match is not None
    assert work.draft.old is not None
    values = {"org_id": context.uow.org_id, "record_id": work.draft.id, "version": work.if_match}
    rows = await context.uow.fetch(_events_since(context), values)
    sent = sent_names(shape, work.sent)
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        for name, change in orjson.loads(row["changes"]).items():
            if name not in sent:
                continue
            entry = found.setdefault(name, {"field": name, "base": change["old"], "yours": sent[name]})
            entry.update(theirs=change["new"], actor=orjson.loads(row["actor"]), occurred_at=format_timestamp(row["occurred_at"]))
    expected = work.draft.old["version"] - work.if_match
    return list(found.values()), expected < 0 or len(rows) < expected


def sent_names(shape: Shape, sent: Mapping[str, Any]) -> dict[str, Any]:
    """The sent values as events name and show them."""
    names: dict[str, Any] = {}
    for name, value in sent.items():
        if name == custom.COLUMN and shape.resource.made is not None:
            names.update(value)
            continue
        field = shape.resource.fields.get(name)
        if field is None:
            continue
        if name in ("external_ids", custom.COLUMN) and isinstance(value, dict):
            names.update({f"{name}.{key}": item for key, item in value.items()})
        else:
            names[name] = to_json(field, value)
    return names


def _events_since(context: Context) -> Statement:
    def build() -> Statement:
        events = table_of(Event)
        query = (
            sa.select(events.c.changes, events.c.actor, events.c.occurred_at)
            .where(
                events.c.org_id == ORG,
                events.c.record_id == sa.bindparam("record_id", type_=UUID_TYPE),
                events.c.version > sa.bindparam("version", type_=sa.BigInteger),
            )
            .order_by(events.c.version, events.c.id)
        )
        return compile_statement(query)

    return context.statements.get("events_since", build)
