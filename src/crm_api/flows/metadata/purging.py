"""Removing fields and objects for good: values first, step by step, then the definition."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Final

from crm_api.db.statement import Statement
from crm_api.flows.metadata import requests
from crm_api.flows.metadata.changes import Schema, begin, changed
from crm_api.flows.metadata.steps import CHUNK, END, Step, Work, resource_for
from crm_api.flows.metadata.stored import where
from crm_api.kernel.catalog import load
from crm_api.kernel.writes.types import Target, WriteOptions


async def purge_field(work: Work) -> Step:
    """Takes the field's values and slots out of all records, then the definition. No versions, no events: it was out of sight."""
    context = work.context
    definition = await work.definition()
    if definition is None or not definition.archived:
        return END
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
        members = list(definition.members)
        values = {"org_id": context.uow.org_id, "members": members, "limit": CHUNK, "after": work.after}
        ids = [row["id"] for row in await context.uow.fetch(_having(rows, tuple(names)), values)]
        values = {"org_id": context.uow.org_id, "members": members, "ids": ids}
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
    return replace(END, done=done)


_UNCOUNT: Final = Statement("DELETE FROM counters WHERE org_id = $1 AND name = $2", ("org_id", "name"))
_UNLINK: Final = Statement(
    "WITH gone AS (DELETE FROM links WHERE org_id = $1 AND id = ANY(ARRAY(SELECT l.id FROM links l WHERE l.org_id = $1 AND l.relation = $2"
    " LIMIT $3)) RETURNING 1) SELECT count(*) FROM gone",
    ("org_id", "name", "limit"),
)


@cache
def _having(rows: str, names: tuple[str, ...]) -> Statement:
    held = "".join(f" OR {name} IS NOT NULL" for name in names)
    text = f"SELECT id {rows} AND (custom_fields ?| $2::text[]{held}) AND id > $4 ORDER BY id LIMIT $3 FOR NO KEY UPDATE"
    return Statement(text, ("org_id", "members", "limit", "after"))


@cache
def _strip(table: str, names: tuple[str, ...]) -> Statement:
    emptied = "".join(f", {name} = NULL" for name in names)
    return Statement(
        f"UPDATE {table} SET custom_fields = custom_fields - $2::text[], custom_fields_key = custom_fields_key - $2::text[]{emptied}"
        " WHERE org_id = $1 AND id = ANY($3)",
        ("org_id", "members", "ids"),
    )


async def purge_object(work: Work) -> Step:
    """Purges the records as anybody would, then the fields that refer to the object, its own, and the object."""
    context = work.context
    schema = Schema(context, *await load(context.uow, context.uow.org_id))
    made = schema.object(work.request["object"])
    if made is None or not made.archived or made.properties.get("job_id") != str(work.job_id):
        return END
    # For the job alone the object is there once more.
    schema.objects[schema.objects.index(made)] = replace(made, archived=False)
    registry = schema.registry()
    inside = replace(context, registry=registry, unnarrowed=None)
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
    return END


@cache
def _next(rows: str) -> Statement:
    return Statement(f"SELECT id {rows} ORDER BY id LIMIT $2", ("org_id", "limit"))
