"""Deleting: what refers to a record first, then the record, softly or for good.

Children are the records that refer to it by a reference with a name for the way back. Links are no children: those of a
softly deleted record stay and come back with it, those of a purged one go.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa

from crm_api.core.errors import Conflict, FieldError, Problem
from crm_api.db.statement import compile_statement
from crm_api.kernel import events
from crm_api.kernel.context import Context
from crm_api.kernel.fields import Field
from crm_api.kernel.registry import Relation
from crm_api.kernel.resource import AnyResource, Draft
from crm_api.kernel.values import derive
from crm_api.kernel.writes import erasure, recompute
from crm_api.kernel.writes.locked import lock
from crm_api.kernel.writes.shape import Shape, changed_columns, shape_of
from crm_api.kernel.writes.statements import IDS, ORG
from crm_api.kernel.writes.types import OutcomeName, Target, Work, WriteOptions

if TYPE_CHECKING:
    from crm_api.kernel.writer import Writer

DELETE: Final[Literal["delete"]] = "delete"
PURGE: Final[Literal["purge"]] = "purge"
OUTCOMES: Final[Mapping[str, OutcomeName]] = {"update": "updated", "delete": "deleted", "restore": "restored"}

CHUNK: Final = 500
"""Children changed by one statement."""

PEOPLE: Final = "users"
"""The object whose records are people; what they belong to may go, they stay."""


def mark_deleted(context: Context, shape: Shape, works: Sequence[Work]) -> None:
    """The row of a softly deleted record."""
    for work in works:
        if not work.failed:
            work.draft.new.update(deleted_at=context.uow.now, updated_at=context.uow.now, updated_by=context.uow.actor.json())
            rest = () if work.draft.old is None else changed_columns(shape, work.draft.old, work.draft.new)  # by `before_delete`
            work.changed = frozenset({"deleted_at", "version", "updated_at", "updated_by", *rest})


def children_of(context: Context, resource: AnyResource) -> list[Relation]:
    """The relations whose far side refers to this object."""
    return [relation for relation in context.whole.relations[resource.name].values() if relation.kind == "to_many"]


async def release_children(writer: Writer, context: Context, shape: Shape, works: Sequence[Work], options: WriteOptions) -> None:
    """Does with the live children what the caller asked for; items that can't go are marked `conflict`."""
    relations = children_of(context, shape.resource)
    if not relations or not works:
        return
    if options.on_children == "block":
        await _block(context, shape, relations, works)
    elif options.atomic:
        await _release(writer, context, shape, relations, works, options)
    else:
        for work in works:  # a child that can't go must not undo what became of the other items
            try:
                async with context.uow.savepoint():
                    await _release(writer, context, shape, relations, [work], options)
            except Problem as problem:
                work.draft.problem = problem


async def _block(context: Context, shape: Shape, relations: Sequence[Relation], works: Sequence[Work]) -> None:
    found: defaultdict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for relation, (parent, count) in await _counts(context, shape, relations, [work.draft.id for work in works]):
        found[parent].append({"relation": relation.name, "object": relation.target, "count": count})
    for work in works:
        if work.draft.id in found:
            relating = found[work.draft.id]
            named = ", ".join(f"{entry['count']} {entry['relation']}" for entry in relating)
            work.draft.problem = Conflict(
                f"It still has {named}. Pass on_children=detach or on_children=cascade, or move them first.",
                errors=[FieldError("has_children", pointer="", params={"relations": [entry["relation"] for entry in relating]})],
                extra={"relations": relating},
            )


async def _counts(
    context: Context, shape: Shape, relations: Sequence[Relation], ids: Sequence[UUID]
) -> list[tuple[Relation, tuple[UUID, int]]]:
    def build() -> Any:
        parts = []
        for index, relation in enumerate(relations):
            table, column = _child_column(context, relation)
            query = sa.select(sa.literal_column(str(index)).label("number"), column.label("parent"), sa.func.count().label("count"))
            scope = context.whole[relation.target].scope(table)
            query = query.where(table.c.org_id == ORG, column == sa.any_(IDS), table.c.deleted_at.is_(None), *scope).group_by(column)
            if table is shape.table:
                query = query.where(~(table.c.id == sa.any_(IDS)))
            parts.append(query)
        return compile_statement(sa.union_all(*parts) if len(parts) > 1 else parts[0])

    key = ("children", context.whole.key, shape.resource.name)
    rows = await context.uow.fetch(context.statements.get(key, build), {"org_id": context.uow.org_id, "ids": list(ids)})
    return [(relations[number], (parent, count)) for number, parent, count in rows]


def _child_column(context: Context, relation: Relation) -> tuple[sa.Table, sa.ColumnElement[Any]]:
    table = context.whole[relation.target].table
    assert relation.field is not None
    return table, relation.field.comparable(table)


async def _release(
    writer: Writer, context: Context, shape: Shape, relations: Sequence[Relation], works: Sequence[Work], options: WriteOptions
) -> None:
    going = [work.draft.id for work in works]
    nested = WriteOptions(on_children=options.on_children, purge=options.purge)
    for relation in relations:
        assert relation.field is not None
        child = context.whole[relation.target]
        ids = await referring(context, child, relation.field, going, deleted=False)
        if child.name == shape.resource.name:
            ids = [id for id in ids if id not in going]
        if ids and options.on_children == "detach" and not relation.field.nullable:
            detail = f"{len(ids)} {relation.name} can't be without it; pass on_children=cascade, or move them first."
            raise Conflict(detail, extra={"relations": [{"relation": relation.name, "object": child.name, "count": len(ids)}]})
        detached = options.on_children == "detach" or child.name == PEOPLE  # who are never deleted along
        if ids and detached and not relation.field.nullable:
            detail = f"{len(ids)} {relation.name} can't be without it; move them first."
            raise Conflict(detail, extra={"relations": [{"relation": relation.name, "object": child.name, "count": len(ids)}]})
        for start in range(0, len(ids), CHUNK):
            part = ids[start : start + CHUNK]
            if detached:
                await writer.update_rows(context, child, {id: {relation.field.address: None} for id in part})
            else:
                await writer.delete(context, child, [Target(id) for id in part], options=nested)


async def referring(context: Context, child: AnyResource, field: Field, ids: Sequence[UUID], *, deleted: bool) -> list[UUID]:
    """The records whose `field` holds one of the ids; with `deleted` the deleted ones too."""

    def build() -> Any:
        table = child.table
        mine = (table.c.org_id == ORG, field.comparable(table) == sa.any_(IDS), *child.scope(table))
        query = sa.select(table.c.id).where(*mine).order_by(table.c.id)
        return compile_statement(query if deleted else query.where(table.c.deleted_at.is_(None)))

    statement = context.statements.get(("referring", child.key, field.address, deleted), build)
    return [row["id"] for row in await context.uow.fetch(statement, {"org_id": context.uow.org_id, "ids": list(ids)})]


async def purge(writer: Writer, context: Context, shape: Shape, works: Sequence[Work]) -> None:
    """Removes records for good: what still points to them, their rows, and the values in their history."""
    works = [work for work in works if not work.failed]
    if not works:
        return
    await _clear_references(writer, context, shape, [work.draft.id for work in works])
    await erasure.erase(context, shape, [work.draft for work in works])
    for work in works:
        draft = work.draft
        work.outcome = "purged"
        events.collect(context, shape.resource, draft.id, draft.old, None, draft.new["version"])
    await shape.resource.rules.after_write(context, [work.draft for work in works])
    await recompute.follow(context, shape, [work.draft for work in works])


async def _clear_references(writer: Writer, context: Context, shape: Shape, ids: list[UUID]) -> None:
    """Live children are gone by now; deleted ones, and references without a way back, must not keep pointing to nothing."""
    for child in context.whole:
        child_shape = shape_of(context, child)
        for field in child_shape.references:
            if field.spec.target != shape.resource.name:
                continue
            found = await referring(context, child, field, ids, deleted=True)
            if child.name == shape.resource.name:
                found = [id for id in found if id not in ids]
            if found and field.nullable and not field.spec.owned:
                await point(writer, context, child_shape, field, found, None)
            elif found:
                await writer.delete(context, child, [Target(id) for id in found], options=WriteOptions(on_children="cascade", purge=True))


async def point(writer: Writer, context: Context, shape: Shape, field: Field, ids: Sequence[UUID], target: UUID | None) -> None:
    """Sets a reference of records that may be deleted, whatever their rules say: with version and event."""
    works = []
    for index, row in enumerate((await lock(context, shape, ids)).values()):
        new = {**row, "updated_at": context.uow.now, "updated_by": context.uow.actor.json()}
        field.put(new, target)
        draft = Draft(row["id"], "update", row, new, frozenset({field.name}))
        work = Work(index, draft)
        changed = {field.column, "version", "updated_at", "updated_by"}
        if field.member is not None:
            work.derived = derive(shape, context.principal.organization.region, new, {field.column})
            changed |= set(work.derived)
        work.changed = frozenset(changed)
        works.append(work)
    await writer.write_changes(context, shape, works, WriteOptions())
