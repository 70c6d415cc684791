"""Many-to-many links: `PUT`, `DELETE`, reading and batches of edges, from either end.

A link is a thing of its own, with a version and events; its ends stay as they are. At most one edge of a record and relation
is primary: making another one primary ends it. Where a reference field mirrors the primary edge, the field follows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic_core import ValidationError

from crm_api.core.errors import FieldError, NotFound, Problem, RepeatedItem, ValidationFailed, join_pointer
from crm_api.db.statement import compile_statement
from crm_api.kernel.access.rights import READ, WRITE
from crm_api.kernel.context import Context
from crm_api.kernel.event_json import LINKS
from crm_api.kernel.events import touched
from crm_api.kernel.link_reach import visible_links
from crm_api.kernel.mistakes import field_errors
from crm_api.kernel.query.projection import record_json
from crm_api.kernel.references import Lookup
from crm_api.kernel.registry import Relation
from crm_api.kernel.resource import AnyResource, Row
from crm_api.kernel.writer import Writer
from crm_api.kernel.writes import edges, recompute
from crm_api.kernel.writes.edges import TABLE, Edge, link_json
from crm_api.kernel.writes.locked import lock, out_of_reach
from crm_api.kernel.writes.shape import shape_of
from crm_api.kernel.writes.statements import ORG, UUID_TYPE
from crm_api.kernel.writes.types import WriteOptions, single_problem

ROLES: Final = "contact_roles"
"""The object whose keys an edge's `roles` are."""

__all__ = ["LINKS", "LinkOutcome", "LinkPut", "Links"]


@dataclass(frozen=True, slots=True)
class LinkPut:
    """The other end of an edge, and all of the edge's attributes."""

    other_id: UUID
    attributes: Mapping[str, Any]


@dataclass(slots=True)
class LinkOutcome:
    """What became of one edge. `link` is its JSON (as it was, if it was deleted)."""

    index: int
    id: UUID | None = None
    version: int | None = None
    status: int = 200
    outcome: Literal["created", "updated", "unchanged", "deleted"] = "unchanged"
    link: str = ""
    problem: Problem | None = None


@dataclass(slots=True)
class _Item:
    index: int
    other_id: UUID
    attributes: dict[str, Any]
    outcome: LinkOutcome


class Links:
    """Stateless; `writer` changes the reference fields that mirror primary edges."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def put(
        self, context: Context, relation: Relation, record_id: UUID, items: Sequence[LinkPut], *, options: WriteOptions | None = None
    ) -> list[LinkOutcome]:
        """Makes or replaces the edges between a record and others. `relation` is seen from the record.

        Raises NotFound if the record is not there, and in an atomic call the first failing item's problem.
        """
        options = options or WriteOptions()
        link = _link(relation)
        work = [_Item(index, item.other_id, {}, LinkOutcome(index)) for index, item in enumerate(items)]
        for item, given in zip(work, items, strict=True):
            try:
                item.attributes = link.attributes.model_validate(dict(given.attributes)).model_dump(mode="json")
            except ValidationError as error:
                item.outcome.problem = ValidationFailed(field_errors(error, given.attributes, link.attributes.model_fields))
        await _check_roles(context, work)
        stored = await self._begin(context, relation, record_id, work, options)
        new: list[Edge] = []
        changed: list[tuple[Edge, Edge]] = []
        primary: dict[UUID, UUID | None] = {}
        for item in _good(work, options):
            source, target = _ends(relation, record_id, item.other_id)
            edge = stored[source].get(target)
            if edge is None:
                edge = edges.new_edge(context, _name(relation), *_from(relation, source), *_to(relation, target), item.attributes)
                new.append(edge)
                item.outcome.outcome, item.outcome.status = "created", 201
            elif edge.attributes != item.attributes:
                was_primary = edge.is_primary
                after = edge.with_attributes(context, item.attributes)
                changed.append((edge, after))
                item.outcome.outcome = "updated"
                edge = after
                if was_primary and not edge.is_primary:
                    primary.setdefault(source, None)
            item.outcome.id, item.outcome.version = edge.id, edge.version
            stored[source][target] = edge
            if edge.is_primary and item.outcome.outcome != "unchanged":
                primary[source] = target
        for source, main in primary.items():
            _demote(context, stored[source], main, new, changed)
        shown = await edges.store(context, new=new, changed=changed)
        await recompute.follow_links(context)
        await self._mirror(context, relation, primary)
        quiet = [item.outcome.id for item in work if item.outcome.id is not None and item.outcome.id not in shown]
        shown.update(await edges.shown(context, quiet))
        for item in work:
            if item.outcome.id is not None:
                item.outcome.link = shown[item.outcome.id]
        return [item.outcome for item in work]

    async def delete(
        self, context: Context, relation: Relation, record_id: UUID, others: Sequence[UUID], *, options: WriteOptions | None = None
    ) -> list[LinkOutcome]:
        """Removes edges; one that is not there is NotFound."""
        options = options or WriteOptions()
        work = [_Item(index, other, {}, LinkOutcome(index)) for index, other in enumerate(others)]
        stored = await self._begin(context, relation, record_id, work, options, deleted=True)
        removed: list[Edge] = []
        primary: dict[UUID, UUID | None] = {}
        for item in work:
            if item.outcome.problem is not None:
                continue
            source, target = _ends(relation, record_id, item.other_id)
            edge = stored[source].get(target)
            if edge is None:
                item.outcome.problem = NotFound()
                continue
            removed.append(edge)
            if edge.is_primary:
                primary[source] = None
            version = edge.version + (0 if touched(context.uow, edge.id) else 1)
            item.outcome.id, item.outcome.version, item.outcome.outcome = edge.id, version, "deleted"
        _good(work, options)
        shown = await edges.shown(context, [edge.id for edge in removed])
        await edges.store(context, removed=removed)
        await recompute.follow_links(context)
        await self._mirror(context, relation, primary)
        for item in work:
            if item.outcome.id is not None:
                item.outcome.link = shown[item.outcome.id]
        return [item.outcome for item in work]

    async def page(
        self, context: Context, relation: Relation, record_id: UUID, *, limit: int, after: UUID | None = None
    ) -> list[tuple[UUID, str, str]]:
        """The edges of a record with the live records at their other ends, oldest edge first: (link id, link, record)."""
        link = _link(relation)
        other, policy = context.seen(context.whole[relation.target]), context.policy

        def build() -> Any:
            mine, theirs = (TABLE.c.from_id, TABLE.c.to_id) if relation.forward else (TABLE.c.to_id, TABLE.c.from_id)
            table = other.table
            seen = policy.predicate(other, table)
            rows = (
                sa.select(TABLE.c.id, link_json(TABLE).label("link"), record_json(other, table).label("record"))
                .select_from(TABLE.join(table, sa.and_(table.c.org_id == TABLE.c.org_id, table.c.id == theirs)))
                .where(TABLE.c.org_id == ORG, TABLE.c.relation == sa.bindparam("relation", type_=sa.Text))
                .where(mine == sa.bindparam("record", type_=UUID_TYPE), table.c.deleted_at.is_(None), table.c.org_id == ORG)
                .where(TABLE.c.id > sa.bindparam("after", type_=UUID_TYPE), *([] if seen is None else [seen]))
                .order_by(TABLE.c.id)
                .limit(sa.bindparam("limit", type_=sa.BigInteger))
            )
            return compile_statement(rows)

        statement = context.statements.get(("links", link, relation.forward, context.registry.key, other.key, policy.shape), build)
        values = {
            "org_id": context.uow.org_id,
            **policy.values,
            "relation": _name(relation),
            "record": record_id,
            "after": after or UUID(int=0),
            "limit": limit,
        }
        return [(row["id"], row["link"], row["record"]) for row in await context.uow.fetch(statement, values)]

    async def of_relation(self, context: Context, relation: str | None, *, limit: int, after: UUID | None = None) -> list[tuple[UUID, str]]:
        """All edges of a relation by its full name (`deals.contacts`), or of all relations, oldest first: those with both ends seen."""
        policy = context.policy

        def build() -> Any:
            rows = sa.select(TABLE.c.id, link_json(TABLE)).where(TABLE.c.org_id == ORG, TABLE.c.id > sa.bindparam("after", type_=UUID_TYPE))
            rows = rows.where(*visible_links(policy, context.registry, TABLE))
            if relation is not None:
                rows = rows.where(TABLE.c.relation == sa.bindparam("relation", type_=sa.Text))
            return compile_statement(rows.order_by(TABLE.c.id).limit(sa.bindparam("limit", type_=sa.BigInteger)))

        statement = context.statements.get(("links_of_relation", relation is None, context.registry.key, policy.shape), build)
        values = {"org_id": context.uow.org_id, **policy.values, "relation": relation, "after": after or UUID(int=0), "limit": limit}
        return [(row[0], row[1]) for row in await context.uow.fetch(statement, values)]

    async def read(self, context: Context, ids: Sequence[UUID]) -> dict[UUID, str]:
        """Edges by id; unknown ones, and those with an end that the caller doesn't see, are absent."""
        return await edges.shown(context, ids, seen=True)

    async def _begin(
        self, context: Context, relation: Relation, record_id: UUID, work: list[_Item], options: WriteOptions, *, deleted: bool = False
    ) -> dict[UUID, dict[UUID, Edge]]:
        """Locks the `from` ends, checks that both ends are live, and gives the stored edges: source → target → edge."""
        seen: set[UUID] = set()
        for item in work:
            if item.other_id in seen and item.outcome.problem is None:
                item.outcome.problem = RepeatedItem(errors=[FieldError("repeated_item", pointer="/id")])
            seen.add(item.other_id)
        good = _good(work, options)
        source, target = (relation.source, relation.target) if relation.forward else (relation.target, relation.source)
        sources, targets = ([record_id], [item.other_id for item in good])
        if not relation.forward:
            sources, targets = targets, sources
        await recompute.hold_far_ends(context, source, target, targets)
        rows = await self._lock(context, context.whole[source], sources)
        live_sources = {id for id, row in rows.items() if row["deleted_at"] is None}
        lookup = Lookup(context, hold=True, reach=True)
        for id in targets:
            lookup.ask(target, "id", id)
        await lookup.run()
        live_targets = {id for id in targets if lookup.id_of(target, "id", id) is not None}
        here, there = (live_sources, live_targets) if relation.forward else (live_targets, live_sources)
        if record_id not in here:
            raise NotFound()
        for item in good:
            if item.other_id not in there and not deleted:
                item.outcome.problem = NotFound()
        _good(work, options)
        stored: defaultdict[UUID, dict[UUID, Edge]] = defaultdict(dict)
        for edge in await edges.of_sources(context, _name(relation), sources):
            stored[edge.from_id][edge.to_id] = edge
        return stored

    async def _lock(self, context: Context, source: AnyResource, ids: Sequence[UUID]) -> dict[UUID, Row]:
        """The `from` ends that the caller reaches, locked; those that the caller may only read can't be changed in their links either."""
        levels: dict[UUID, int] = {}
        rows = await lock(context, shape_of(context, source), ids, levels=levels)
        for id, level in levels.items():
            if level < READ:
                del rows[id]
            elif level < WRITE:
                raise out_of_reach(level)
        return rows

    async def _mirror(self, context: Context, relation: Relation, primary: Mapping[UUID, UUID | None]) -> None:
        link = _link(relation)
        if link.primary_field is None or not primary:
            return
        resource = context.whole[relation.source if relation.forward else relation.target]
        column = resource.fields[link.primary_field].column
        await self._writer.update_rows(context, resource, {source: {column: target} for source, target in primary.items()})


def _link(relation: Relation) -> Any:
    assert relation.link is not None
    return relation.link


def _name(relation: Relation) -> str:
    assert relation.link_name is not None
    return relation.link_name


def _ends(relation: Relation, record_id: UUID, other_id: UUID) -> tuple[UUID, UUID]:
    return (record_id, other_id) if relation.forward else (other_id, record_id)


def _from(relation: Relation, id: UUID) -> tuple[str, UUID]:
    return (relation.source if relation.forward else relation.target), id


def _to(relation: Relation, id: UUID) -> tuple[str, UUID]:
    return (relation.target if relation.forward else relation.source), id


def _demote(context: Context, stored: Mapping[UUID, Edge], target: UUID | None, new: list[Edge], changed: list[tuple[Edge, Edge]]) -> None:
    """Ends the primary edges of a record other than the one to `target`, those of this call included."""
    for edge in stored.values():
        if not edge.is_primary or edge.to_id == target:
            continue
        ordinary = {**edge.attributes, "is_primary": False}
        for index, fresh in enumerate(new):
            if fresh.id == edge.id:
                new[index] = fresh.with_attributes(context, ordinary)
                break
        else:
            for index, (before, after) in enumerate(changed):
                if after.id == edge.id:
                    changed[index] = (before, before.with_attributes(context, ordinary))
                    break
            else:
                changed.append((edge, edge.with_attributes(context, ordinary)))


def _good(work: list[_Item], options: WriteOptions) -> list[_Item]:
    good = [item for item in work if item.outcome.problem is None]
    if options.atomic and len(good) < len(work):
        failed = next(item for item in work if item.outcome.problem is not None)
        assert failed.outcome.problem is not None
        raise single_problem(failed.outcome.problem, failed.index, options)
    return good


async def _check_roles(context: Context, work: Sequence[_Item]) -> None:
    """Roles are keys of the organisation's contact roles."""
    if ROLES not in context.whole or not any(item.attributes.get("roles") for item in work):
        return
    lookup = Lookup(context)
    lookup.ask(ROLES, "*", "")
    await lookup.run()
    keys = lookup.keys(ROLES)
    for item in work:
        errors = [
            FieldError("enum", pointer=join_pointer("roles", index), allowed=keys)
            for index, key in enumerate(item.attributes.get("roles") or ())
            if key not in keys
        ]
        if errors and item.outcome.problem is None:
            item.outcome.problem = ValidationFailed(errors)
