"""Edges of many-to-many relations: reading, storing and removing rows of `links`, with their events.

Whoever changes the edges of a record holds the lock of the edge's `from` end, so that two writers never make two primaries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel import events
from crm_api.kernel.context import Context
from crm_api.kernel.event_json import LINKS, link_columns
from crm_api.kernel.link_reach import visible_links
from crm_api.kernel.writes.shape import encode, json_columns, plain_type
from crm_api.kernel.writes.statements import IDS, ORG
from crm_api.models.base import table as table_of
from crm_api.models.platform import Link

TABLE: Final = table_of(Link)
COLUMNS: Final = tuple(c.name for c in TABLE.c if c.name != "org_id")
MOVED: Final = "kernel.edges"
"""In the state of a unit of work: edges that came or went, and that computed fields have yet to follow."""

CHANGING: Final = ("attributes", "version", "updated_at")


@dataclass(frozen=True, slots=True)
class Edge:
    """A row of `links`."""

    id: UUID
    relation: str
    from_object: str
    from_id: UUID
    to_object: str
    to_id: UUID
    attributes: Mapping[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def is_primary(self) -> bool:
        """Whether it is the main one of its `from` end."""
        return bool(self.attributes.get("is_primary"))

    def with_attributes(self, context: Context, attributes: Mapping[str, Any]) -> Edge:
        """The edge after a change in this transaction."""
        version = self.version + (0 if events.touched(context.uow, self.id) else 1)
        return replace(self, attributes=dict(attributes), version=version, updated_at=context.uow.now)


def new_edge(
    context: Context, relation: str, from_object: str, from_id: UUID, to_object: str, to_id: UUID, attributes: Mapping[str, Any]
) -> Edge:
    """An edge that is not there yet."""
    uow = context.uow
    return Edge(uow.new_id(), relation, from_object, from_id, to_object, to_id, dict(attributes), 1, uow.now, uow.now)


async def of_sources(context: Context, relation: str, ids: Iterable[UUID]) -> list[Edge]:
    """The edges of one relation that start at these records."""
    wanted = list(ids)
    if not wanted:
        return []
    statement = context.statements.get("edges_of_sources", lambda: _select(TABLE.c.relation == RELATION, TABLE.c.from_id == sa.any_(IDS)))
    return _edges(await context.uow.fetch(statement, {"org_id": context.uow.org_id, "relation": relation, "ids": wanted}))


async def of_targets(context: Context, relation: str, ids: Iterable[UUID]) -> list[Edge]:
    """The edges of one relation that end at these records."""
    wanted = list(ids)
    if not wanted:
        return []
    statement = context.statements.get("edges_of_targets", lambda: _select(TABLE.c.relation == RELATION, TABLE.c.to_id == sa.any_(IDS)))
    return _edges(await context.uow.fetch(statement, {"org_id": context.uow.org_id, "relation": relation, "ids": wanted}))


async def of_records(context: Context, object_name: str, ids: Sequence[UUID]) -> list[Edge]:
    """All edges that start or end at these records of one object."""
    found: dict[UUID, Edge] = {}
    for relation in context.whole.relations[object_name].values():
        if relation.kind != "many_to_many" or relation.link_name is None:
            continue
        read = of_sources if relation.forward else of_targets
        found.update({edge.id: edge for edge in await read(context, relation.link_name, ids)})
    return list(found.values())


async def store(
    context: Context, *, new: Sequence[Edge] = (), changed: Sequence[tuple[Edge, Edge]] = (), removed: Sequence[Edge] = ()
) -> dict[UUID, str]:
    """Writes edges and notes their events; gives the JSON of those that are there afterwards.

    What roll-ups make of them follows with `recompute.follow`, which is the caller's to call.
    """
    uow = context.uow
    stored: dict[UUID, str] = {}
    if removed:
        ids = [edge.id for edge in removed]
        await uow.fetch(context.statements.get("remove_edges", _delete), {"org_id": uow.org_id, "ids": ids})
    if changed:
        rows = encode([{"id": edge.id, **{name: getattr(edge, name) for name in CHANGING}} for _, edge in changed])
        stored.update(await uow.fetch(context.statements.get("change_edges", _update), {"org_id": uow.org_id, "rows": rows}))
    if new:
        rows = encode([{name: getattr(edge, name) for name in COLUMNS} for edge in new])
        stored.update(await uow.fetch(context.statements.get("add_edges", _insert), {"org_id": uow.org_id, "rows": rows}))
    if context.whole.computations is not None:
        moved: list[Edge] = uow.state.setdefault(MOVED, [])
        moved += [*removed, *new]
    for edge in removed:
        version = edge.version + (0 if events.touched(uow, edge.id) else 1)
        _emit(context, "deleted", edge, version, changes_of(edge, None), None)
    for old, edge in changed:
        _emit(context, "updated", edge, edge.version, changes_of(old, edge), TABLE)
    for edge in new:
        _emit(context, "created", edge, edge.version, changes_of(None, edge), TABLE)
    return stored


def _emit(context: Context, verb: str, edge: Edge, version: int, changes: Mapping[str, Any], snapshot: sa.Table | None) -> None:
    related = (str(edge.from_id), str(edge.to_id))
    events.emit(context, events.PlainEvent(f"link.{verb}", LINKS, edge.id, version, changes, related, snapshot=snapshot))


def changes_of(old: Edge | None, new: Edge | None) -> dict[str, dict[str, Any]]:
    """The difference of two states of an edge; attributes member by member."""
    before, after = _shown(old), _shown(new)
    names = [*before, *(name for name in after if name not in before)]
    return {name: {"old": before.get(name), "new": after.get(name)} for name in names if before.get(name) != after.get(name)}


def _shown(edge: Edge | None) -> dict[str, Any]:
    if edge is None:
        return {}
    return {
        "relation": edge.relation,
        "from": {"object": edge.from_object, "id": str(edge.from_id)},
        "to": {"object": edge.to_object, "id": str(edge.to_id)},
        **{f"attributes.{name}": value for name, value in edge.attributes.items()},
    }


async def shown(context: Context, ids: Sequence[UUID], *, seen: bool = False) -> dict[UUID, str]:
    """The JSON of edges by id; `seen`: of those whose both ends the caller sees."""
    if not ids:
        return {}
    policy = context.policy
    key = ("read_edges", (context.registry.key, policy.shape) if seen else None)
    statement = context.statements.get(key, lambda: _read(visible_links(policy, context.registry, TABLE) if seen else ()))
    return dict(await context.uow.fetch(statement, {"org_id": context.uow.org_id, "ids": list(ids), **(policy.values if seen else {})}))


RELATION: Final = sa.bindparam("relation", type_=sa.Text)


def link_json(row: sa.FromClause) -> sa.ColumnElement[str]:
    """An edge's row as the contract shows it."""
    inner = sa.select(*link_columns(row)).correlate(row).subquery("_l")
    return sa.cast(sa.select(sa.func.row_to_json(sa.literal_column("_l"))).select_from(inner).scalar_subquery(), sa.Text)


def _edges(rows: Iterable[Any]) -> list[Edge]:
    found = []
    for row in rows:
        values = dict(row.items())
        values["attributes"] = orjson.loads(values["attributes"])
        found.append(Edge(**values))
    return found


def _select(*where: sa.ColumnElement[bool]) -> Statement:
    columns = [TABLE.c[name] for name in COLUMNS]
    return compile_statement(sa.select(*columns).where(TABLE.c.org_id == ORG, *where).order_by(TABLE.c.id))


def _read(seen: Iterable[sa.ColumnElement[bool]]) -> Statement:
    row = sa.select(TABLE).where(TABLE.c.org_id == ORG, TABLE.c.id == sa.any_(IDS), *seen).subquery("w")
    return compile_statement(sa.select(row.c.id, link_json(row)))


def _delete() -> Statement:
    return compile_statement(sa.delete(TABLE).where(TABLE.c.org_id == ORG, TABLE.c.id == sa.any_(IDS)))


def _insert() -> Statement:
    given = json_columns("u", "rows", {name: plain_type(TABLE.c[name]) for name in COLUMNS})
    source = sa.select(ORG, *(given.c[name] for name in COLUMNS))
    written = insert(TABLE).from_select(["org_id", *COLUMNS], source, include_defaults=False).returning(*TABLE.c).cte("w")
    return compile_statement(sa.select(written.c.id, link_json(written)))


def _update() -> Statement:
    given = json_columns("u", "rows", {name: plain_type(TABLE.c[name]) for name in ("id", *CHANGING)})
    written = (
        sa.update(TABLE)
        .values({name: given.c[name] for name in CHANGING})
        .where(TABLE.c.org_id == ORG, TABLE.c.id == given.c.id)
        .returning(*TABLE.c)
        .cte("w")
    )
    return compile_statement(sa.select(written.c.id, link_json(written)))
