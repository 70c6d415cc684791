"""Storing drafts: one INSERT or UPDATE for all of them, and what is to be done about those that are in conflict.

Inserts skip conflicting rows instead of failing, so the transaction goes on; updates that touch a unique value run inside a
savepoint. Either way the conflicting item ends with a `duplicate` that names the record in its way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from crm_api.core.errors import Conflict, Duplicate
from crm_api.db.errors import classify
from crm_api.db.statement import Statement
from crm_api.kernel.context import Context
from crm_api.kernel.fields import Field
from crm_api.kernel.values import derive, key_of, locale_of
from crm_api.kernel.writes import external
from crm_api.kernel.writes.in_the_way import entry, seen_of
from crm_api.kernel.writes.prepare import complete
from crm_api.kernel.writes.shape import Shape, encode
from crm_api.kernel.writes.statements import find_existing, insert_records, remove_records, update_records
from crm_api.kernel.writes.types import Work

ATTEMPTS = 4
"""How often a write is tried when the record in its way vanishes between the conflict and the look-up."""


async def store_new(context: Context, shape: Shape, works: Sequence[Work], events: str | None = None) -> None:
    """Inserts the drafts, and their events if these are settled; those that could not be stored have a problem afterwards."""
    locale = locale_of(context)
    for attempt in range(ATTEMPTS):
        waiting = [work for work in works if not work.record and not work.failed]
        if not waiting:
            break
        # Two batches with the same unique values in different orders would wait for each other.
        waiting.sort(key=lambda work: [str(field.get(work.draft.new) or "").casefold() for field in shape.unique])
        rows = [complete(shape, locale, work) for work in waiting]
        client_ids = any(work.client_id for work in waiting)
        statement = insert_records(context, shape, client_ids=client_ids, with_events=events is not None)
        stored = await _written(context, statement, rows, events)
        for work in waiting:
            work.record = stored.get(work.draft.id, "")
            work.outcome = "created"
        left = [work for work in waiting if not work.record]
        if left:
            await explain(context, shape, left, last=attempt == ATTEMPTS - 1)
    kept = [(work, work.draft.new["external_ids"]) for work in works if work.record and work.draft.new["external_ids"]]
    if kept:
        losers = await external.take(context, shape, kept)
        if losers:
            values = {"org_id": context.uow.org_id, "ids": [work.draft.id for work in losers]}
            await context.uow.fetch(remove_records(context, shape), values)
            for work in losers:
                work.record = ""


async def explain(context: Context, shape: Shape, works: Sequence[Work], *, last: bool) -> None:
    """Finds the records in the way of these drafts. A draft with none in its way any more is left for another attempt."""
    region = context.principal.organization.region
    fields = [field for field in shape.unique if any(field.get(work.draft.new) is not None for work in works)]
    values: dict[str, Any] = {"org_id": context.uow.org_id, "ids": [work.draft.id for work in works]}
    keys: dict[str, dict[int, Any]] = {}
    for number, field in enumerate(fields):
        keys[field.name] = {work.index: key_of(field, field.get(work.draft.new), region) for work in works}
        values[f"k{number}"] = [key for key in keys[field.name].values() if key is not None]
    statement = find_existing(context, shape, [field.name for field in fields])
    found = {(name, key): record_id for name, key, record_id in await context.uow.fetch(statement, values)}
    seen = await seen_of(context, shape.resource, found.values())
    for work in works:
        asked = [(field.name, keys[field.name][work.index]) for field in fields]
        if work.draft.old is None:
            asked.insert(0, ("id", str(work.draft.id)))
        existing = []
        for name, key in asked:
            holder = found.get((name, key))
            if holder is None or (holder == work.draft.id and name != "id"):
                continue
            existing.append(entry(context, shape.resource, holder, name, seen))
        if existing:
            work.draft.problem = Duplicate(existing)
        elif last:
            work.draft.problem = Conflict("Another record stands in the way.")


async def store_changes(context: Context, shape: Shape, works: Sequence[Work], events: str | None = None) -> None:
    """Updates the locked rows of drafts that have `changed` columns, and writes their events if these are settled."""
    live = [work for work in works if work.changed and not work.failed]
    if not live:
        return
    guarded = [field for field in shape.unique if any(_claims(work, field) for work in live)]
    moved = [work for work in live if "external_ids" in work.changed or "deleted_at" in work.changed]
    if not guarded and not any(_taken(work) or _given_back(work) for work in moved):
        await _update(context, shape, live, events)
        return
    if guarded:
        _clashes(context, shape, guarded, live)
    for attempt in range(ATTEMPTS):
        live = [work for work in live if not work.failed]
        if not live:
            return
        try:
            async with context.uow.savepoint():
                moving = [(work, ids) for work in live if (ids := _taken(work))]
                if await external.take(context, shape, moving):
                    live = [work for work in live if not work.failed]
                back = [entry for work in live for entry in external.entries(work.draft.id, _given_back(work))]
                await external.drop(context, shape, back)
                if live:
                    await _update(context, shape, live, events)
            return
        except asyncpg.PostgresError as error:
            if classify(error).kind != "unique":
                raise
        claiming = [work for work in live if any(_claims(work, field) for field in guarded)]
        await explain(context, shape, claiming, last=attempt == ATTEMPTS - 1)


def _claims(work: Work, field: Field) -> bool:
    """Whether the update takes a unique value that the live record did not hold before."""
    old, new = work.draft.old, work.draft.new
    if old is None or field.get(new) is None or new["deleted_at"] is not None:
        return False
    return old["deleted_at"] is not None or field.get(old) != field.get(new)


def _clashes(context: Context, shape: Shape, fields: Sequence[Field], works: Sequence[Work]) -> None:
    """Two items of one call that want the same value: the first gets it."""
    region = context.principal.organization.region
    for field in fields:
        takers: dict[Any, Work] = {}
        for work in works:
            if work.failed or not _claims(work, field):
                continue
            first = takers.setdefault(key_of(field, field.get(work.draft.new), region), work)
            if first is not work:
                work.draft.problem = Duplicate([{"object": shape.resource.name, "id": str(first.draft.id), "field": field.name}])


def _held(row: dict[str, Any] | None) -> dict[str, str]:
    """The external ids that a row in this state holds: only live records do."""
    return {} if row is None or row["deleted_at"] is not None else row["external_ids"]


def _taken(work: Work) -> dict[str, str]:
    old, new = _held(work.draft.old), _held(work.draft.new)
    return {system: value for system, value in new.items() if old.get(system) != value}


def _given_back(work: Work) -> dict[str, str]:
    old, new = _held(work.draft.old), _held(work.draft.new)
    return {system: value for system, value in old.items() if new.get(system) != value}


async def store_renewed(context: Context, shape: Shape, works: Sequence[Work]) -> None:
    """Updates the locked rows of drafts in which nothing but custom fields without unique values has changed; nobody asks for them."""
    if any(_claims(work, field) for field in shape.unique for work in works):
        await store_changes(context, shape, works)
    elif works:
        await _update(context, shape, works, None, shown=False)


async def _update(context: Context, shape: Shape, works: Sequence[Work], events: str | None, *, shown: bool = True) -> None:
    columns = frozenset().union(*(work.changed for work in works))
    region = context.principal.organization.region
    rows = []
    for work in works:
        row = {"id": work.draft.id}
        for name in columns:
            value = work.derived[name] if name in work.derived else _value(shape, work, name, region)
            if value is not None:
                row[name] = value
        rows.append(row)
    statement = update_records(context, shape, columns, with_events=events is not None, shown=shown)
    stored = await _written(context, statement, rows, events)
    for work in works if shown else ():
        work.record = stored[work.draft.id]


async def _written(context: Context, statement: Statement, rows: Sequence[dict[str, Any]], events: str | None) -> dict[UUID, str]:
    try:
        return dict(await context.uow.fetch(statement, {"org_id": context.uow.org_id, "rows": encode(rows), "events": events}))
    except asyncpg.ForeignKeyViolationError as error:  # looked up before, purged meanwhile
        raise Conflict("A record that it refers to was removed meanwhile.") from error


def _value(shape: Shape, work: Work, name: str, region: str) -> Any:
    """A column's value for an item that does not change it itself: another item of the same statement does."""
    if name in work.draft.new:
        return work.draft.new[name]
    work.derived = derive(shape, region, dict(work.draft.new))
    return work.derived.get(name)
