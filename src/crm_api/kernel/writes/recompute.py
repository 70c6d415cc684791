"""Computed fields in writes: a record's own before it is stored, then those of related records that follow from the change.

Both happen in the writer's transaction. Values are stored like any other member of `custom_fields`, and only what comes out
different is a change, with a version and an event. Records are locked before their values are worked out, so that of two writers
the second sees what the first one stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import sqlalchemy as sa

from crm_api.core.errors import TooExpensive
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel import events
from crm_api.kernel.context import Context
from crm_api.kernel.resource import AnyResource, Draft, Row
from crm_api.kernel.writes import edges
from crm_api.kernel.writes.computed import COLUMN, computations_of, put, settle, values_of
from crm_api.kernel.writes.held import hold_references
from crm_api.kernel.writes.locked import lock
from crm_api.kernel.writes.shape import Shape, shape_of
from crm_api.kernel.writes.statements import IDS, ORG
from crm_api.kernel.writes.store import store_renewed
from crm_api.kernel.writes.types import Work

if TYPE_CHECKING:
    from crm_api.kernel.formula.graph import Computation, Computations, Trigger
    from crm_api.kernel.registry import Relation
    from crm_api.kernel.writes.edges import Edge

MAX_DEPENDANTS: Final = 10_000
"""Related records whose values one transaction may work out anew."""

CHUNK: Final = 1_000
_STATE: Final = "kernel.recompute"


async def compute_own(context: Context, shape: Shape, drafts: Sequence[Draft]) -> None:
    """Puts the values of computed fields into drafts that are about to be stored."""
    computations = computations_of(context)
    if computations is None:
        return
    drafts = [draft for draft in drafts if not draft.failed and draft.new.get("deleted_at") is None]
    if not drafts:
        return
    await hold_references(context, computations, shape, drafts)
    own = computations.stored.get(shape.resource.name)
    if own:
        put(own, drafts, await values_of(context, shape, own, [draft.new for draft in drafts]))


async def compute_changed(context: Context, shape: Shape, works: Sequence[Work]) -> None:
    """The same for updates whose changed columns are known already."""
    if computations_of(context) is None:
        return
    kept = {work.draft.id: work.draft.new[COLUMN] for work in works}
    await compute_own(context, shape, [work.draft for work in works])
    for work in works:
        if work.draft.new[COLUMN] != kept[work.draft.id]:
            settle(context, shape, work)


# --- related records ---------------------------------------------------------------------------------------------------

Pending = defaultdict[int, defaultdict[str, set[UUID]]]
"""By rank and object: the records whose values have to be worked out."""


async def follow(context: Context, shape: Shape, drafts: Sequence[Draft]) -> set[UUID]:
    """Works out what follows from stored drafts in other records, and stores what comes out different. The ids of those changed.

    Raises TooExpensive `formula_dependants`.
    """
    computations = computations_of(context)
    if computations is None or not computations.triggers:
        return set()
    pending: Pending = defaultdict(lambda: defaultdict(set))
    await _find(context, computations, shape.resource, drafts, pending)
    await _find_linked(context, computations, pending)
    return await _work_off(context, computations, pending)


async def follow_links(context: Context) -> set[UUID]:
    """The same for edges that came or went without a record of their ends being written."""
    computations = computations_of(context)
    if computations is None or not computations.triggers:
        return set()
    pending: Pending = defaultdict(lambda: defaultdict(set))
    await _find_linked(context, computations, pending)
    return await _work_off(context, computations, pending)


async def _work_off(context: Context, computations: Computations, pending: Pending) -> set[UUID]:
    changed: set[UUID] = set()
    while pending:
        rank = min(pending)
        for name, ids in sorted(pending.pop(rank).items()):
            _count(context, ids)
            ordered = sorted(ids)
            for start in range(0, len(ordered), CHUNK):
                resource = context.whole[name]
                # those of lower ranks too: where a field is still being built, the row may not have its value yet
                own = [item for item in computations.stored[name] if item.rank <= rank]
                done = await _renew(context, shape_of(context, resource), own, ordered[start : start + CHUNK])
                changed.update(draft.id for draft in done)
                await _find(context, computations, resource, done, pending, above=rank)
    return changed


def _count(context: Context, ids: set[UUID]) -> None:
    seen: set[UUID] = context.uow.state.setdefault(_STATE, set())
    seen |= ids
    if len(seen) > MAX_DEPENDANTS:
        raise TooExpensive("formula_dependants", MAX_DEPENDANTS, len(seen))


async def _renew(context: Context, shape: Shape, own: Sequence[Computation], ids: Sequence[UUID]) -> list[Draft]:
    """Works out the values of these live records and stores those that differ."""
    rows = [row for row in (await lock(context, shape, ids)).values() if row["deleted_at"] is None]
    if not rows:
        return []
    drafts = [Draft(row["id"], "update", row, dict(row)) for row in rows]
    put(own, drafts, await values_of(context, shape, own, rows))
    works = []
    for index, draft in enumerate(drafts):
        assert draft.old is not None
        if draft.new[COLUMN] == draft.old[COLUMN]:
            continue
        risen = 0 if events.touched(context.uow, draft.id) else 1
        draft.new.update(version=draft.old["version"] + risen, updated_at=context.uow.now, updated_by=context.uow.actor.json())
        work = Work(index, draft, changed=frozenset({"version", "updated_at", "updated_by"}))
        settle(context, shape, work)
        works.append(work)
    await store_renewed(context, shape, works)
    for work in works:
        events.collect(context, shape.resource, work.draft.id, work.draft.old, work.draft.new, work.draft.new["version"])
    return [work.draft for work in works]


async def _find(
    context: Context, computations: Computations, resource: AnyResource, drafts: Sequence[Draft], pending: Pending, *, above: int = -1
) -> None:
    """Notes the records that follow these changes."""
    ways: dict[tuple[Any, ...], tuple[Trigger, set[UUID]]] = {}
    for trigger in computations.triggers.get(resource.name, ()):
        item = trigger.computation
        if item.rank <= above:
            continue
        for draft in drafts:
            if not _concerns(trigger, draft):
                continue
            if trigger.steps[-1].kind == "to_many" and trigger.steps[-1].field is not None:
                pending[item.rank][item.object] |= _parents(trigger, draft)
            else:
                way = (item.rank, item.object, *(step.name for step in trigger.steps))
                ways.setdefault(way, (trigger, set()))[1].add(draft.id)
    for trigger, ids in ways.values():
        linked = trigger.steps[-1].kind == "many_to_many"
        found = await _linked_to(context, trigger.steps[-1], ids) if linked else await _referring(context, trigger, ids)
        if found:
            pending[trigger.computation.rank][trigger.computation.object] |= found


def _live(row: Row | None) -> bool:
    return row is not None and row["deleted_at"] is None


def _concerns(trigger: Trigger, draft: Draft) -> bool:
    """Whether a change is one that the trigger's computation looks at."""
    new = None if draft.operation == "purge" else draft.new
    before, after = _live(draft.old), _live(new)
    if not before and not after:
        return False
    if before != after:  # nobody refers to a record that is only being made
        return draft.old is not None or trigger.steps[-1].kind == "to_many"
    assert draft.old is not None
    return bool(trigger.field.get(draft.old) != trigger.field.get(draft.new))


def _parents(trigger: Trigger, draft: Draft) -> set[UUID]:
    """The records that a child belonged or belongs to."""
    reference = trigger.steps[-1].field
    assert reference is not None
    rows = (draft.old, None if draft.operation == "purge" else draft.new)
    return {found for row in rows if row is not None and (found := reference.get(row)) is not None}


async def _find_linked(context: Context, computations: Computations, pending: Pending) -> None:
    """Notes the records whose roll-ups follow edges that came or went.

    The records at the other ends are held until the end: who changes one of them can't see an edge that isn't committed. Objects
    whose records this write will change itself are locked for that at once: of two writers that share a record, neither could go on.
    """
    moved: list[Edge] = context.uow.state.pop(edges.MOVED, [])
    held: defaultdict[str, set[UUID]] = defaultdict(set)
    for name in {name for edge in moved for name in (edge.from_object, edge.to_object)}:
        for trigger in computations.triggers.get(name, ()):
            step, item = trigger.steps[-1], trigger.computation
            if step.kind != "many_to_many":
                continue
            for edge in moved:
                if edge.relation == step.link_name:
                    near, there = (edge.from_id, edge.to_id) if step.forward else (edge.to_id, edge.from_id)
                    pending[item.rank][item.object].add(near)
                    held[name].add(there)
    for name, ids in sorted(held.items()):
        renewed = {id_ for objects in pending.values() for id_ in objects.get(name, ())}
        await _hold_linked(context, name, ids | renewed, exclusive=bool(renewed))


async def _hold_linked(context: Context, name: str, ids: set[UUID], *, exclusive: bool) -> None:
    table = context.whole[name].table
    query = sa.select(table.c.id).where(table.c.org_id == ORG, table.c.id == sa.any_(IDS)).order_by(table.c.id)
    locked = query.with_for_update(key_share=True) if exclusive else query.with_for_update(read=True)
    statement = context.statements.get(("hold_linked", table.name, exclusive), partial(compile_statement, locked))
    await context.uow.fetch(statement, {"org_id": context.uow.org_id, "ids": sorted(ids)})


async def hold_far_ends(context: Context, near: str, far: str, ids: Iterable[UUID]) -> None:
    """Holds the far ends of edges before their near ends are locked, where changes flow from there to here: who changes such a
    record locks it and then the ones that follow it, and the other order would have each wait for the other.
    """
    computations = computations_of(context)
    if computations is None or near == far:
        return
    reach = computations.reach
    if near in reach.get(far, ()) and far not in reach.get(near, ()):
        await _hold_linked(context, far, set(ids), exclusive=False)


async def _linked_to(context: Context, step: Relation, ids: set[UUID]) -> set[UUID]:
    """The records that edges of a relation lead from to these."""
    table = edges.TABLE
    near, there = (table.c.from_id, table.c.to_id) if step.forward else (table.c.to_id, table.c.from_id)
    query = sa.select(near.label("id")).distinct().where(table.c.org_id == ORG, table.c.relation == edges.RELATION, there == sa.any_(IDS))
    limited = query.limit(sa.literal_column(str(MAX_DEPENDANTS + 1)))
    statement = context.statements.get(("linked_to", step.forward), partial(compile_statement, limited))
    values = {"org_id": context.uow.org_id, "relation": step.link_name, "ids": sorted(ids)}
    return {row["id"] for row in await context.uow.fetch(statement, values)}


async def _referring(context: Context, trigger: Trigger, ids: set[UUID]) -> set[UUID]:
    """The live records that lead to these by the trigger's steps."""
    registry = context.whole

    def build() -> Statement:
        wanted: Any = None
        for step in reversed(trigger.steps):
            table = registry[step.source].table.alias()
            assert step.field is not None
            reference = step.field.comparable(table)
            query = sa.select(table.c.id).where(table.c.org_id == ORG, table.c.deleted_at.is_(None), *registry[step.source].scope(table))
            wanted = query.where(reference == (sa.any_(IDS) if wanted is None else sa.any_(sa.func.array(wanted.scalar_subquery()))))
        return compile_statement(wanted.limit(sa.literal_column(str(MAX_DEPENDANTS + 1))))

    key = ("referring", registry.key, trigger.computation.object, tuple(step.name for step in trigger.steps))
    rows = await context.uow.fetch(context.statements.get(key, build), {"org_id": context.uow.org_id, "ids": sorted(ids)})
    return {row["id"] for row in rows}
