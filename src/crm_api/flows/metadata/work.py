"""What jobs do after a change of the schema, one step in each transaction. Any step may be cut off and done again.

Slots are filled and emptied in sets, without versions and events, since nobody sees them. Values that callers see (numbers,
replaced options) are ordinary updates. A step that changes the schema does so like every other change.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import cache
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import asyncpg

from crm_api.core.errors import FieldError
from crm_api.db.errors import classify
from crm_api.db.statement import Statement
from crm_api.flows.metadata import requests
from crm_api.flows.metadata.changes import Schema, begin, changed
from crm_api.flows.metadata.options import replaced
from crm_api.flows.metadata.purging import purge_field, purge_object
from crm_api.flows.metadata.steps import CHUNK, END, FIRST, Step, Work, resource_for
from crm_api.flows.metadata.stored import holding, where
from crm_api.kernel.context import Context
from crm_api.kernel.custom.definitions import CustomField
from crm_api.kernel.custom.values import slot_value
from crm_api.kernel.custom.writing import number_text
from crm_api.kernel.locks import take_numbers
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.writes.backfill import backfill_chunk
from crm_api.kernel.writes.locked import lock
from crm_api.kernel.writes.shape import encode, shape_of
from crm_api.kernel.writes.types import WriteOptions
from crm_api.models import slots
from crm_api.models.columns import FieldType


async def step(work: Work) -> Step:
    """Does the next step of a job."""
    return await _ACTIONS[str(work.request["action"])](work)


# --- slots -----------------------------------------------------------------------------------------------------------------


async def _slots(work: Work) -> Step:
    """begin: fill what is being built. settle: it counts, or is given up. clear: empty what nobody writes any more."""
    definition = await work.definition()
    resource = resource_for(work.context, work.request["object"])
    if definition is None or resource is None:
        return END
    match work.phase:
        case "begin":
            if definition.state != "building":
                return work.into("settle")
            try:
                async with work.context.uow.savepoint():
                    last, done = await _fill(work.context, resource, definition, work.after)
            except asyncpg.PostgresError as error:
                if classify(error).kind != "unique":
                    raise
                return await _not_unique(work)
            return work.on(last, "settle", done)
        case "settle":
            return await _settle(work)
        case _:
            done = await _clear(work.context, resource, definition.properties.get("freeing", ()))
            if done == CHUNK:
                return Step(work.state, done)
            return await _freed(work, done)


async def _settle(work: Work) -> Step:
    """Every record has its slot by now, or no reader looks at it any more."""
    schema = await begin(work.context)
    definition = work.mine(schema.fields)
    if definition is None:
        return END
    properties = {name: value for name, value in definition.properties.items() if name != "checking"}
    slot = definition.slot
    if definition.state == "dropping" and slot is not None:
        properties["freeing"] = [*properties.get("freeing", ()), slot]
        slot = None
    freeing = bool(properties.get("freeing"))
    if not freeing:
        del properties["job_id"]
    new = await schema.put(definition, properties=properties, slot=slot, state="active")
    await _told(schema, new, {"state": {"old": definition.state, "new": "active"}})
    if not freeing:
        return END
    return Step({"phase": "clear"}, wait_s=float(work.request["grace_s"]))


async def _not_unique(work: Work) -> Step:
    """Two records had the same value before the index could forbid it: the field stays as it was."""
    schema = await begin(work.context)
    definition = work.mine(schema.fields)
    if definition is None or definition.unique_slot is None:
        return END
    properties = {name: value for name, value in definition.properties.items() if name != "checking"}
    properties["freeing"] = [*properties.get("freeing", ()), definition.unique_slot]
    new = await schema.put(definition, properties=properties, unique_slot=None)
    await _told(schema, new, {"unique": {"old": True, "new": False}})
    return Step({"phase": "begin"}, errors=[FieldError("not_unique", pointer="/unique").to_dict()])


async def _freed(work: Work, done: int) -> Step:
    schema = await begin(work.context)
    definition = work.mine(schema.fields)
    if definition is not None:
        properties = {name: value for name, value in definition.properties.items() if name not in ("freeing", "job_id")}
        await _told(schema, await schema.put(definition, properties=properties), {"state": {"old": "active", "new": "active"}})
    return replace(END, done=done)


async def _told(schema: Schema, field_: CustomField, change: Mapping[str, Mapping[str, Any]]) -> None:
    sides = {side: {name: pair[side] for name, pair in change.items()} for side in ("old", "new")}
    await changed(schema.context, {f"{field_.object}.{field_.api_name}": sides}, "meta.settle_field")


async def _fill(context: Context, resource: AnyResource, definition: CustomField, after: UUID) -> tuple[UUID | None, int]:
    """Fills the slots of the next records that have a value; the last one's id, None behind the last."""
    names = [name for name in (definition.slot, definition.unique_slot) if name is not None]
    if not names:
        return None, 0
    values = {"org_id": context.uow.org_id, "after": after, "name": definition.api_name, "limit": CHUNK}
    rows = await context.uow.fetch(_with_value(where(resource)), values)
    region = context.principal.organization.region
    filled = []
    for row in rows:
        value = _plain(definition, row["value"])
        found = {name: slot_value(slots.KIND_OF[name], definition, value, region) for name in names}
        filled.append({"id": row["id"], **found})
    if filled:
        await context.uow.fetch(_set_slots(resource.table.name, tuple(names)), {"org_id": context.uow.org_id, "rows": encode(filled)})
    return (rows[-1]["id"] if len(rows) == CHUNK else None), len(rows)


def _plain(definition: CustomField, text: str) -> Any:
    return int(text) if definition.value_type is FieldType.INTEGER else text


@cache
def _with_value(rows: str) -> Statement:
    return Statement(
        f"SELECT id, custom_fields ->> $3 AS value {rows} AND id > $2 AND custom_fields ->> $3 IS NOT NULL"
        " ORDER BY id LIMIT $4 FOR NO KEY UPDATE",
        ("org_id", "after", "name", "limit"),
    )


@cache
def _set_slots(table: str, names: tuple[str, ...]) -> Statement:
    types = {slots.TEXT: "text", slots.UNIQUE: "text", slots.NUMBER: "numeric", slots.DATE: "date", slots.TIME: "timestamptz"}
    given = ", ".join(f"{name} {types.get(slots.KIND_OF[name], 'uuid')}" for name in names)
    return Statement(
        f"UPDATE {table} t SET {', '.join(f'{name} = u.{name}' for name in names)}"
        f" FROM json_to_recordset($2::json) AS u (id uuid, {given}) WHERE t.org_id = $1 AND t.id = u.id",
        ("org_id", "rows"),
    )


async def _clear(context: Context, resource: AnyResource, names: tuple[str, ...] | list[str]) -> int:
    """Empties slots of some records; how many there were."""
    if not names:
        return 0
    values = {"org_id": context.uow.org_id, "limit": CHUNK}
    ids = [row["id"] for row in await context.uow.fetch(_held(where(resource), tuple(names)), values)]
    await context.uow.fetch(_unset(resource.table.name, tuple(names)), {"org_id": context.uow.org_id, "ids": ids})
    return len(ids)


@cache
def _held(rows: str, names: tuple[str, ...]) -> Statement:
    held = " OR ".join(f"{name} IS NOT NULL" for name in names)
    return Statement(f"SELECT id {rows} AND ({held}) ORDER BY id LIMIT $2 FOR NO KEY UPDATE", ("org_id", "limit"))


@cache
def _unset(table: str, names: tuple[str, ...]) -> Statement:
    return Statement(
        f"UPDATE {table} SET {', '.join(f'{name} = NULL' for name in names)} WHERE org_id = $1 AND id = ANY($2)", ("org_id", "ids")
    )


# --- values ----------------------------------------------------------------------------------------------------------------


async def _compute(work: Work) -> Step:
    """Stores the values of formulas and roll-ups: of the field's own object, then of those that follow from it."""
    context = work.context
    definition = await work.definition()
    computations = context.whole.computations
    if definition is None:
        return END
    key = (definition.object, definition.api_name)
    names = [] if computations is None else [name for name, _ in groupby(computations.after(key), key=lambda item: item[0])]
    index = int(work.state.get("object", 0))
    if index < len(names):
        resource = context.whole[names[index]]
        after = None if work.after == FIRST else work.after
        last, _ = await backfill_chunk(context, resource, after, CHUNK)
        state = {"phase": "begin", "object": index if last is not None else index + 1}
        return Step(state if last is None else {**state, "after": str(last)}, CHUNK if last is not None else 0)
    return await _activate(work)


async def _derive(work: Work) -> Step:
    """Brings what follows from values (names to show, what `q` finds) of all records of an object to the rules of the schema."""
    resource = resource_for(work.context, work.request["object"])
    if resource is None:
        return END
    last, done = await backfill_chunk(work.context, resource, None if work.after == FIRST else work.after, CHUNK, derived=True)
    return replace(END, done=done) if last is None else work.on(last, "begin", done)


async def _activate(work: Work) -> Step:
    """The values of all records are there."""
    schema = await begin(work.context)
    definition = work.mine(schema.fields)
    if definition is not None:
        properties = {name: value for name, value in definition.properties.items() if name != "job_id"}
        new = await schema.put(definition, properties=properties, state="active")
        await _told(schema, new, {"state": {"old": definition.state, "new": "active"}})
    return END


async def _number(work: Work) -> Step:
    """Gives numbers to live records without one, in the order in which they were made: ordinary updates."""
    context, resource = work.context, resource_for(work.context, work.request["object"])
    definition = await work.definition()
    if definition is None or resource is None or definition.archived:
        return END
    values = {"org_id": context.uow.org_id, "after": work.after, "name": definition.api_name, "limit": CHUNK}
    ids = [row["id"] for row in await context.uow.fetch(_without(where(resource)), values)]
    if not ids:
        return await _activate(work)
    rows = await lock(context, shape_of(context, resource), ids)
    # who came first to the lock may have been deleted, or numbered, meanwhile
    bare = [id_ for id_ in ids if id_ in rows and rows[id_]["deleted_at"] is None and definition.api_name not in rows[id_]["custom_fields"]]
    address = f"custom_fields.{definition.api_name}"
    if bare:
        first = await take_numbers(context, f"field:{definition.id}", len(bare))
        given = {id_: {address: number_text(definition, number)} for number, id_ in enumerate(bare, first)}
        await work.engine.writer.update_rows(context, resource, given)
    return work.on(ids[-1], "begin", len(bare))


@cache
def _without(rows: str) -> Statement:
    return Statement(
        f"SELECT id {rows} AND id > $2 AND deleted_at IS NULL AND custom_fields ->> $3 IS NULL ORDER BY id LIMIT $4",
        ("org_id", "after", "name", "limit"),
    )


async def _replace(work: Work) -> Step:
    """Puts an option in the place of another: ordinary updates."""
    context, resource = work.context, resource_for(work.context, work.request["object"])
    definition = await work.definition()
    if definition is None or resource is None or definition.archived:
        return END
    old, new = work.request["from"], work.request["to"]
    values = {"org_id": context.uow.org_id, "name": definition.api_name, "keys": [old], "after": work.after, "limit": CHUNK}
    ids = [row["id"] for row in await context.uow.fetch(_holders(f"{where(resource)} AND {holding(definition)}"), values)]
    if not ids:
        return await _activate(work)
    rows = await lock(context, shape_of(context, resource), ids)
    address = f"custom_fields.{definition.api_name}"
    given = {}
    for id_, row in rows.items():
        value = row["custom_fields"].get(definition.api_name)
        if row["deleted_at"] is None and value is not None:
            wanted = replaced(value, old, new) if isinstance(value, list) else new if value == old else value
            if wanted != value:
                given[id_] = {address: wanted}
    outcomes = await work.engine.writer.update_rows(context, resource, given, options=WriteOptions(atomic=False))
    problems = {outcome.id: outcome.problem for outcome in outcomes if outcome.problem is not None and outcome.id}
    return replace(work.on(ids[-1], "begin", len(ids)), problems=problems)


@cache
def _holders(rows: str) -> Statement:
    text = f"SELECT id {rows} AND deleted_at IS NULL AND id > $4 ORDER BY id LIMIT $5"
    return Statement(text, ("org_id", "name", "keys", "after", "limit"))


_ACTIONS: Final[Mapping[str, Callable[[Work], Awaitable[Step]]]] = {
    requests.SLOTS: _slots,
    requests.COMPUTE: _compute,
    requests.DERIVE: _derive,
    requests.NUMBER: _number,
    requests.REPLACE: _replace,
    requests.PURGE_FIELD: purge_field,
    requests.PURGE_OBJECT: purge_object,
}

__all__ = ["CHUNK", "Step", "Work", "step"]
