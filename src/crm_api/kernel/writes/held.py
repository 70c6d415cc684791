"""Locks that computed fields need beside those of the records written: no writer may miss what another is about to change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from crm_api.core.ids import parse_uuid
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.resource import AnyResource, Draft
from crm_api.kernel.writes.computed import COLUMN, computations_of
from crm_api.kernel.writes.locked import lock
from crm_api.kernel.writes.shape import Shape, shape_of
from crm_api.kernel.writes.statements import IDS, ORG
from crm_api.kernel.writes.types import Work

if TYPE_CHECKING:
    from crm_api.kernel.formula.graph import Computations


async def hold_references(context: Context, computations: Computations, shape: Shape, drafts: Sequence[Draft]) -> None:
    """Locks the records that drafts newly refer to and whose values something follows.

    Who changes one of those can't see this record as a dependant before it is committed, so one of the two has to wait.
    Records that refer to it already will be found by their change.
    """
    for name, onward in computations.ways.get(shape.resource.name, {}).items():
        field = shape.resource.field_named(name)
        if field is None:
            continue
        fresh = {
            field.get(draft.new)
            for draft in drafts
            if draft.old is None or _came_back(draft) or field.get(draft.old) != field.get(draft.new)
        }
        await _hold_rows(context, computations, shape.resource, str(field.spec.target), fresh - {None}, onward)


def _came_back(draft: Draft) -> bool:
    return draft.old is not None and draft.old["deleted_at"] is not None


async def _hold_rows(
    context: Context, computations: Computations, origin: AnyResource, target: str, ids: set[UUID], onward: Iterable[str]
) -> None:
    """Locks rows against changes, and those that they refer to by the fields `onward`."""
    if not ids or target not in context.whole:
        return
    resource = context.whole[target]
    names = sorted(onward)
    # What this write will itself change later is locked for that at once: two writers holding shares would block each other.
    exclusive = target in computations.reach.get(origin.name, ())

    def build() -> Statement:
        table = resource.table
        references = [resource.all_fields[name].value(table).label(f"c{index}") for index, name in enumerate(names)]
        query = sa.select(table.c.id, *references).where(table.c.org_id == ORG, table.c.id == sa.any_(IDS)).order_by(table.c.id)
        return compile_statement(query.with_for_update(key_share=True) if exclusive else query.with_for_update(read=True))

    key = ("hold", context.whole.key, target, tuple(names), exclusive)
    rows = await context.uow.fetch(context.statements.get(key, build), {"org_id": context.uow.org_id, "ids": sorted(ids)})
    for index, name in enumerate(names):
        further = resource.all_fields[name].spec.target
        found = {row[f"c{index}"] for row in rows} - {None}
        await _hold_rows(context, computations, origin, str(further), found, ())


async def hold_parents(context: Context, shape: Shape, works: Sequence[Work]) -> None:
    """Locks the records that roll up these, before these are locked themselves.

    Who changes a parent locks it and then the children that follow it; if a child's writer did the opposite, each would wait for
    the other. Only where changes flow both ways; what is missed here (a reference that changes at this moment) ends as a deadlock
    that the database resolves and the request survives by being run again.
    """
    computations = computations_of(context)
    if computations is None or shape.resource.name not in computations.uplinks:
        return
    held: dict[str, set[UUID]] = {}
    start: defaultdict[str, set[UUID]] = defaultdict(set)
    for field, parent in computations.uplinks[shape.resource.name]:
        for work in works:
            value = work.sent.get(field.name) if field.member is None else (work.sent.get(COLUMN) or {}).get(field.member)
            found = parse_uuid(value) if isinstance(value, str) else value
            if isinstance(found, UUID):
                start[parent].add(found)
    await _climb(context, computations, shape.resource, {work.draft.id for work in works}, start, held)
    for name in reversed(held):
        await lock(context, shape_of(context, context.whole[name]), sorted(held[name]))


async def _climb(
    context: Context,
    computations: Computations,
    resource: AnyResource,
    ids: set[UUID],
    known: Mapping[str, set[UUID]],
    held: dict[str, set[UUID]],
) -> None:
    """Collects the parents of records, level by level, the nearest object first."""
    uplinks = computations.uplinks.get(resource.name, ())
    if not uplinks or not ids:
        return

    def build() -> Statement:
        table = resource.table
        references = [field.value(table).label(f"c{index}") for index, (field, _) in enumerate(uplinks)]
        return compile_statement(sa.select(*references).where(table.c.org_id == ORG, table.c.id == sa.any_(IDS)))

    key = ("parents", context.whole.key, resource.name)
    rows = await context.uow.fetch(context.statements.get(key, build), {"org_id": context.uow.org_id, "ids": sorted(ids)})
    for index, (_, parent) in enumerate(uplinks):
        found = ({row[f"c{index}"] for row in rows} - {None}) | set(known.get(parent, ()))
        fresh = found - held.get(parent, set())
        held[parent] = held.pop(parent, set()) | found
        if fresh:
            await _climb(context, computations, context.whole[parent], fresh, {}, held)
