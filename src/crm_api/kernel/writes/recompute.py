"""Computed fields in writes: a record's own before it is stored, then those of related records that follow from the change.

Both happen in the writer's transaction. Values are worked out by the database in one statement for any number of records, stored
like any other member of `custom_fields`, and only what comes out different is a change, with a version and an event. Records are
locked before their values are worked out, so that of two writers the second sees what the first one stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import FromClause

from crm_api.core.errors import TooExpensive
from crm_api.core.ids import parse_uuid
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel import events
from crm_api.kernel.context import Context
from crm_api.kernel.resource import AnyResource, Draft, Row
from crm_api.kernel.values import derive
from crm_api.kernel.writes.locked import lock
from crm_api.kernel.writes.shape import Shape, encode, json_columns, plain_type, shape_of
from crm_api.kernel.writes.statements import IDS, ORG
from crm_api.kernel.writes.store import store_changes
from crm_api.kernel.writes.types import Work

if TYPE_CHECKING:
    from crm_api.kernel.formula.graph import Computation, Computations, Trigger

MAX_DEPENDANTS: Final = 10_000
"""Related records whose values one transaction may work out anew."""

CHUNK: Final = 1_000
COLUMN: Final = "custom_fields"
_STATE: Final = "kernel.recompute"
_PAIRS: Final = 50
"""PostgreSQL's functions take 100 arguments."""


def computations_of(context: Context) -> Computations | None:
    """The organisation's computed fields; None where there are none, which is all that other organisations pay."""
    return context.registry.computations


# --- a record's own values ---------------------------------------------------------------------------------------------


async def compute_own(context: Context, shape: Shape, drafts: Sequence[Draft]) -> None:
    """Puts the values of computed fields into drafts that are about to be stored."""
    computations = computations_of(context)
    if computations is None:
        return
    drafts = [draft for draft in drafts if not draft.failed and draft.new.get("deleted_at") is None]
    if not drafts:
        return
    await _hold(context, computations, shape, drafts)
    own = computations.stored.get(shape.resource.name)
    if own:
        _put(own, drafts, await _values(context, shape, own, [draft.new for draft in drafts]))


async def compute_changed(context: Context, shape: Shape, works: Sequence[Work]) -> None:
    """The same for updates whose changed columns are known already."""
    if computations_of(context) is None:
        return
    kept = {work.draft.id: work.draft.new[COLUMN] for work in works}
    await compute_own(context, shape, [work.draft for work in works])
    for work in works:
        if work.draft.new[COLUMN] != kept[work.draft.id]:
            _settle(context, shape, work)


def _put(own: Sequence[Computation], drafts: Iterable[Draft], values: Mapping[UUID, Mapping[str, Any]]) -> None:
    for draft in drafts:
        found = values[draft.id]
        for item in own:
            value = found.get(item.member)
            if item.field.get(draft.new) != value:
                item.field.put(draft.new, value)


def _settle(context: Context, shape: Shape, work: Work) -> None:
    """Notes what follows from changed custom fields."""
    display = work.draft.new["display_name"]
    derived = derive(shape, context.principal.organization.region, work.draft.new, {COLUMN})
    work.derived = {**work.derived, **derived}
    named = {"display_name"} if work.draft.new["display_name"] != display else set()
    work.changed |= frozenset({COLUMN, *derived, *named})


async def _values(context: Context, shape: Shape, own: Sequence[Computation], rows: Sequence[Row]) -> dict[UUID, dict[str, Any]]:
    """What computed fields are worth in these rows, as JSON, by record."""
    columns = _needed(shape, own)
    key = ("computed", context.registry.key, shape.resource.name, tuple(item.member for item in own))
    statement = context.statements.get(key, lambda: _statement(shape, own, columns))
    given = [{name: row[name] for name in columns} for row in rows]
    found = await context.uow.fetch(statement, {"org_id": context.uow.org_id, "rows": encode(given)})
    return {row["id"]: orjson.loads(row["found"]) for row in found}


def _needed(shape: Shape, own: Sequence[Computation]) -> list[str]:
    """The columns that computations read in their own record."""
    names = {"id", COLUMN}
    if "currency" in shape.table.c:
        names.add("currency")
    for item in own:
        for dependency in item.computed.dependencies:
            field = shape.resource.field_named(dependency.field)
            if not dependency.steps and field is not None:
                names.add(field.column)
    return sorted(names)


def _statement(shape: Shape, own: Sequence[Computation], columns: Sequence[str]) -> Statement:
    """Each level is a sub-select whose row holds the values of those below it."""
    given = json_columns("u", "rows", {name: plain_type(shape.table.c[name]) for name in columns})
    row: FromClause = sa.select(ORG.label("org_id"), *given.c).offset(sa.literal_column("0")).subquery("r0")
    for number, level in enumerate(sorted({item.level for item in own}), 1):
        here = [item for item in own if item.level == level]
        without = row.c[COLUMN].op("-", return_type=JSONB())(_array([item.member for item in here]))
        pairs = _objects([(item.member, item.computed.json(row, stored=True)) for item in here])
        members = without.op("||", return_type=JSONB())(sa.func.jsonb_strip_nulls(pairs, type_=JSONB()))
        kept = [column for column in row.c if column.name != COLUMN]
        row = sa.select(*kept, members.label(COLUMN)).select_from(row).offset(sa.literal_column("0")).subquery(f"r{number}")
    found = _objects([(item.member, row.c[COLUMN].op("->", return_type=JSONB())(_name(item.member))) for item in own])
    return compile_statement(sa.select(row.c.id, sa.cast(found, sa.Text).label("found")))


def _objects(pairs: Sequence[tuple[str, sa.ColumnElement[Any]]]) -> sa.ColumnElement[Any]:
    parts: list[sa.ColumnElement[Any]] = []
    for start in range(0, len(pairs), _PAIRS):
        flat = [part for name, value in pairs[start : start + _PAIRS] for part in (_name(name), value)]
        parts.append(sa.func.jsonb_build_object(*flat, type_=JSONB()))
    found = parts[0]
    for part in parts[1:]:
        found = found.op("||", return_type=JSONB())(part)
    return found


def _name(member: str) -> sa.ColumnElement[Any]:
    return sa.literal_column(f"'{member}'")


def _array(members: Sequence[str]) -> sa.ColumnElement[Any]:
    return sa.literal_column("ARRAY[" + ", ".join(f"'{member}'" for member in members) + "]::text[]")


# --- what a new reference leads to ---------------------------------------------------------------------------------------


async def _hold(context: Context, computations: Computations, shape: Shape, drafts: Sequence[Draft]) -> None:
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
    if not ids or target not in context.registry:
        return
    resource = context.registry[target]
    names = sorted(onward)
    # What this write will itself change later is locked for that at once: two writers holding shares would block each other.
    exclusive = target in computations.reach.get(origin.name, ())

    def build() -> Statement:
        table = resource.table
        references = [resource.all_fields[name].value(table).label(f"c{index}") for index, name in enumerate(names)]
        query = sa.select(table.c.id, *references).where(table.c.org_id == ORG, table.c.id == sa.any_(IDS)).order_by(table.c.id)
        return compile_statement(query.with_for_update(key_share=True) if exclusive else query.with_for_update(read=True))

    key = ("hold", context.registry.key, target, tuple(names), exclusive)
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
        await lock(context, shape_of(context, context.registry[name]), sorted(held[name]))


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

    key = ("parents", context.registry.key, resource.name)
    rows = await context.uow.fetch(context.statements.get(key, build), {"org_id": context.uow.org_id, "ids": sorted(ids)})
    for index, (_, parent) in enumerate(uplinks):
        found = ({row[f"c{index}"] for row in rows} - {None}) | set(known.get(parent, ()))
        fresh = found - held.get(parent, set())
        held[parent] = held.pop(parent, set()) | found
        if fresh:
            await _climb(context, computations, context.registry[parent], fresh, {}, held)


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
    changed: set[UUID] = set()
    while pending:
        rank = min(pending)
        for name, ids in sorted(pending.pop(rank).items()):
            _count(context, ids)
            ordered = sorted(ids)
            for start in range(0, len(ordered), CHUNK):
                resource = context.registry[name]
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
    _put(own, drafts, await _values(context, shape, own, rows))
    works = []
    for index, draft in enumerate(drafts):
        assert draft.old is not None
        if draft.new[COLUMN] == draft.old[COLUMN]:
            continue
        risen = 0 if events.touched(context.uow, draft.id) else 1
        draft.new.update(version=draft.old["version"] + risen, updated_at=context.uow.now, updated_by=context.uow.actor.json())
        work = Work(index, draft, changed=frozenset({"version", "updated_at", "updated_by"}))
        _settle(context, shape, work)
        works.append(work)
    await store_changes(context, shape, works)
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
            if trigger.steps[-1].kind == "to_many":
                pending[item.rank][item.object] |= _parents(trigger, draft)
            else:
                way = (item.rank, item.object, *(step.name for step in trigger.steps))
                ways.setdefault(way, (trigger, set()))[1].add(draft.id)
    for trigger, ids in ways.values():
        found = await _referring(context, trigger, ids)
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


async def _referring(context: Context, trigger: Trigger, ids: set[UUID]) -> set[UUID]:
    """The live records that lead to these by the trigger's steps."""
    registry = context.registry

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


# --- records that were there before the definition ----------------------------------------------------------------------


async def backfill_chunk(context: Context, resource: AnyResource, after: UUID | None, limit: int = CHUNK) -> UUID | None:
    """Stores the values of all computed fields of the next `limit` records after an id, deleted ones too; the last id, or None at the end.

    No versions and no events: a field that is being built is worked out on reading, so nothing changes for anybody.
    """
    computations = computations_of(context)
    own = () if computations is None else computations.stored.get(resource.name, ())
    shape = shape_of(context, resource)
    ids = [
        row["id"]
        for row in await context.uow.fetch(_next(context, resource), {"org_id": context.uow.org_id, "after": after, "limit": limit})
    ]
    if not ids or not own:
        return None
    rows = list((await lock(context, shape, ids)).values())
    drafts = [Draft(row["id"], "update", row, dict(row)) for row in rows]
    _put(own, drafts, await _values(context, shape, own, rows))
    works = []
    for index, draft in enumerate(drafts):
        if draft.old is not None and draft.new[COLUMN] != draft.old[COLUMN]:
            works.append(Work(index, draft))
            _settle(context, shape, works[-1])
    await store_changes(context, shape, works)
    return ids[-1] if len(ids) == limit else None


def _next(context: Context, resource: AnyResource) -> Statement:
    def build() -> Statement:
        table = resource.table
        after = sa.bindparam("after", type_=sa.Uuid())
        query = sa.select(table.c.id).where(table.c.org_id == ORG, *resource.scope(table), sa.or_(after.is_(None), table.c.id > after))
        return compile_statement(query.order_by(table.c.id).limit(sa.bindparam("limit", type_=sa.BigInteger())))

    return context.statements.get(("backfill", resource.key), build)
