"""What jobs do after a change of the schema, one step in each transaction. Any step may be cut off and done again.

Slots are filled and emptied in sets, without versions and events, since nobody sees them. Values that callers see (numbers,
replaced options) are ordinary updates. A step that changes the schema does so like every other change.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from crm_api.flows.metadata.stored import holding, where
from crm_api.kernel.catalog import load
from crm_api.kernel.context import Context
from crm_api.kernel.custom.definitions import CustomField
from crm_api.kernel.custom.values import slot_value
from crm_api.kernel.custom.writing import number_text
from crm_api.kernel.engine import Engine
from crm_api.kernel.locks import take_numbers
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.writes.backfill import backfill_chunk
from crm_api.kernel.writes.locked import lock
from crm_api.kernel.writes.shape import encode, shape_of
from crm_api.kernel.writes.types import Target, WriteOptions
from crm_api.models import slots
from crm_api.models.columns import FieldType

CHUNK: Final = 500
"""Records of one transaction."""

_FIRST: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Step:
    """How a job stands after a step. `wait_s`: nothing more may happen for so long. `errors` are why it failed in the end, `problems`
    those of single records."""

    state: Mapping[str, Any]
    done: int = 0
    wait_s: float = 0
    finished: bool = False
    errors: Sequence[Mapping[str, Any]] = ()
    problems: Mapping[UUID, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """One job: what was asked, and how far it has come (`state`: `phase` and where its next records begin)."""

    context: Context
    engine: Engine
    job_id: UUID
    request: Mapping[str, Any]
    state: Mapping[str, Any]

    @property
    def phase(self) -> str:
        """What is to be done next."""
        return str(self.state.get("phase", "begin"))

    @property
    def after(self) -> UUID:
        """The last record that is done."""
        return UUID(self.state["after"]) if "after" in self.state else _FIRST

    def into(self, phase: str, **more: Any) -> Step:
        """The next phase."""
        return Step({"phase": phase, **more})

    def on(self, after: UUID | None, following: str, done: int = 0) -> Step:
        """The same phase with the next records, or the following one where there are none left."""
        if after is None:
            return replace(self.into(following), done=done)
        return Step({**self.state, "phase": self.phase, "after": str(after)}, done)

    async def definition(self) -> CustomField | None:
        """The field, if it still waits for this job."""
        _, fields = await load(self.context.uow, self.context.uow.org_id)
        return self.mine(fields)

    def mine(self, fields: list[CustomField]) -> CustomField | None:
        """The job's field among the organisation's, unless another job has taken over."""
        wanted = (self.request["object"], self.request["field"])
        found = next((f for f in fields if (f.object, f.api_name) == wanted and not f.standard), None)
        return found if found is not None and found.properties.get("job_id") == str(self.job_id) else None


_END: Final = Step({}, finished=True)


async def step(work: Work) -> Step:
    """Does the next step of a job."""
    return await _ACTIONS[str(work.request["action"])](work)


def resource_for(context: Context, name: str) -> AnyResource | None:
    """The object as it is now; None if it is archived."""
    return context.registry.get(name)


# --- slots -----------------------------------------------------------------------------------------------------------------


async def _slots(work: Work) -> Step:
    """begin: fill what is being built. settle: it counts, or is given up. clear: empty what nobody writes any more."""
    definition = await work.definition()
    resource = resource_for(work.context, work.request["object"])
    if definition is None or resource is None:
        return _END
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
        return _END
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
        return _END
    return Step({"phase": "clear"}, wait_s=float(work.request["grace_s"]))


async def _not_unique(work: Work) -> Step:
    """Two records had the same value before the index could forbid it: the field stays as it was."""
    schema = await begin(work.context)
    definition = work.mine(schema.fields)
    if definition is None or definition.unique_slot is None:
        return _END
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
    return replace(_END, done=done)


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
    computations = context.registry.computations
    if definition is None:
        return _END
    key = (definition.object, definition.api_name)
    names = [] if computations is None else [name for name, _ in groupby(computations.after(key), key=lambda item: item[0])]
    index = int(work.state.get("object", 0))
    if index < len(names):
        resource = context.registry[names[index]]
        after = None if work.after == _FIRST else work.after
        last = await backfill_chunk(context, resource, after, CHUNK)
        state = {"phase": "begin", "object": index if last is not None else index + 1}
        return Step(state if last is None else {**state, "after": str(last)}, CHUNK if last is not None else 0)
    return await _activate(work)


async def _activate(work: Work) -> Step:
    """The values of all records are there."""
    schema = await begin(work.context)
    definition = work.mine(schema.fields)
    if definition is not None:
        properties = {name: value for name, value in definition.properties.items() if name != "job_id"}
        new = await schema.put(definition, properties=properties, state="active")
        await _told(schema, new, {"state": {"old": definition.state, "new": "active"}})
    return _END


async def _number(work: Work) -> Step:
    """Gives numbers to live records without one, in the order in which they were made: ordinary updates."""
    context, resource = work.context, resource_for(work.context, work.request["object"])
    definition = await work.definition()
    if definition is None or resource is None or definition.archived:
        return _END
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
        return _END
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


# --- for good --------------------------------------------------------------------------------------------------------------


async def _purge_field(work: Work) -> Step:
    """Takes the field's values and slots out of all records, then the definition. No versions, no events: it was out of sight."""
    context = work.context
    definition = await work.definition()
    if definition is None or not definition.archived:
        return _END
    # of an archived object too
    resource = resource_for(context, definition.object)
    table = "custom_records" if resource is None else resource.table.name
    mine = f" AND object = '{definition.object}'" if resource is None or resource.made is not None else ""
    if definition.multiple:
        values = {"org_id": context.uow.org_id, "name": f"{definition.object}.{definition.api_name}", "limit": CHUNK}
        done = int(await context.uow.fetch_value(_UNLINK, values))
    else:
        names = [name for name in (definition.slot, definition.unique_slot, *definition.properties.get("freeing", ())) if name is not None]
        rows = f"FROM {table} WHERE org_id = $1{mine}"
        values = {"org_id": context.uow.org_id, "name": definition.api_name, "limit": CHUNK, "after": work.after}
        ids = [row["id"] for row in await context.uow.fetch(_having(rows, tuple(names)), values)]
        values = {"org_id": context.uow.org_id, "name": definition.api_name, "ids": ids}
        await context.uow.fetch(_strip(table, tuple(names)), values)
        done = len(ids)
        if done == CHUNK:
            return Step({"after": str(ids[-1])}, done)
    if done == CHUNK:
        return Step(work.state, done)
    schema = await begin(context)
    found = work.mine(schema.fields)
    if found is not None:
        await schema.drop(found)
        await context.uow.fetch(_UNCOUNT, {"org_id": context.uow.org_id, "name": f"field:{found.id}"})
        name = f"{found.object}.{found.api_name}"
        await changed(context, {name: {"old": {"type": found.type.value}, "new": None}}, "meta.purge_field")
    return replace(_END, done=done)


_UNCOUNT: Final = Statement("DELETE FROM counters WHERE org_id = $1 AND name = $2", ("org_id", "name"))
_UNLINK: Final = Statement(
    "WITH gone AS (DELETE FROM links WHERE org_id = $1 AND id = ANY(ARRAY(SELECT l.id FROM links l WHERE l.org_id = $1 AND l.relation = $2"
    " LIMIT $3)) RETURNING 1) SELECT count(*) FROM gone",
    ("org_id", "name", "limit"),
)


@cache
def _having(rows: str, names: tuple[str, ...]) -> Statement:
    held = "".join(f" OR {name} IS NOT NULL" for name in names)
    text = f"SELECT id {rows} AND (custom_fields ? $2{held}) AND id > $4 ORDER BY id LIMIT $3 FOR NO KEY UPDATE"
    return Statement(text, ("org_id", "name", "limit", "after"))


@cache
def _strip(table: str, names: tuple[str, ...]) -> Statement:
    emptied = "".join(f", {name} = NULL" for name in names)
    return Statement(
        f"UPDATE {table} SET custom_fields = custom_fields - $2, custom_fields_key = custom_fields_key - $2{emptied}"
        " WHERE org_id = $1 AND id = ANY($3)",
        ("org_id", "name", "ids"),
    )


async def _purge_object(work: Work) -> Step:
    """Purges the records as anybody would, then the fields that refer to the object, its own, and the object."""
    context = work.context
    schema = Schema(context, *await load(context.uow, context.uow.org_id))
    made = schema.object(work.request["object"])
    if made is None or not made.archived or made.properties.get("job_id") != str(work.job_id):
        return _END
    # For the job alone the object is there once more.
    schema.objects[schema.objects.index(made)] = replace(made, archived=False)
    inside = replace(context, registry=schema.registry())
    resource = inside.registry[made.api_name]
    ids = [row["id"] for row in await context.uow.fetch(_next(where(resource)), {"org_id": context.uow.org_id, "limit": CHUNK})]
    if ids:
        options = WriteOptions(atomic=True, purge=True, on_children="detach")
        await work.engine.writer.delete(inside, resource, [Target(id_) for id_ in ids], options=options)
        return Step(work.state, len(ids))
    schema = await begin(context)
    for definition in [f for f in schema.fields if made.api_name in (f.object, f.target)]:
        if definition.object == made.api_name:
            await schema.drop(definition)
            await context.uow.fetch(_UNCOUNT, {"org_id": context.uow.org_id, "name": f"field:{definition.id}"})
        else:
            purging = await schema.put(definition, archived=True, properties={**definition.properties, "purging": True})
            await requests.ask_for(schema, purging, requests.PURGE_FIELD, float(work.request["grace_s"]))
    await schema.drop_object(next(o for o in schema.objects if o.id == made.id))
    await changed(context, {made.api_name: {"old": {"label": made.label}, "new": None}}, "meta.purge_object")
    return _END


@cache
def _next(rows: str) -> Statement:
    return Statement(f"SELECT id {rows} ORDER BY id LIMIT $2", ("org_id", "limit"))


_ACTIONS: Final[Mapping[str, Callable[[Work], Awaitable[Step]]]] = {
    requests.SLOTS: _slots,
    requests.COMPUTE: _compute,
    requests.NUMBER: _number,
    requests.REPLACE: _replace,
    requests.PURGE_FIELD: _purge_field,
    requests.PURGE_OBJECT: _purge_object,
}

__all__ = ["CHUNK", "Step", "Work", "step"]
