"""The timeline of a record: its own changes and everything around it in one list, newest first, by one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.sql import ColumnElement, FromClause, Select

from crm_api.core.cursor import decode_cursor, encode_cursor, query_digest
from crm_api.core.errors import BadRequest, InvalidCursor, InvalidValue
from crm_api.core.json import dumps
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel import event_reach
from crm_api.kernel.context import Context
from crm_api.kernel.event_json import LINKS
from crm_api.kernel.fields import timestamp_text
from crm_api.kernel.policy import Policy
from crm_api.kernel.query.projection import record_columns
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource
from crm_api.models.events import Event
from crm_api.models.platform import Link

CHANGES: Final = "changes"
AROUND: Final = ("notes", "tasks", "deals", "cases", "case_comments")
"""Objects whose records appear in the timeline of what they belong to."""

_KEY: Final = b"timeline"
_KIND: Final = "timeline"
_EVENTS, _LINKS = Event.__table__, Link.__table__
_ORG: Final[sa.BindParameter[Any]] = sa.bindparam("org_id", type_=sa.Uuid())
_ID: Final[sa.BindParameter[Any]] = sa.bindparam("record_id", type_=sa.Uuid())
_KEYED: Final[sa.BindParameter[Any]] = sa.bindparam("record_key", type_=JSONB())
_LIMIT: Final[sa.BindParameter[Any]] = sa.bindparam("limit", type_=sa.Integer())
_AT: Final[sa.BindParameter[Any]] = sa.bindparam("at", type_=TIMESTAMP(timezone=True))
_LAST: Final[sa.BindParameter[Any]] = sa.bindparam("last", type_=sa.Uuid())


def types_of(registry: Registry, resource: AnyResource) -> tuple[str, ...]:
    """What a timeline of this object can hold, by the names that `types` takes."""
    return (CHANGES, LINKS, *(name for name in AROUND if name in registry and _ways(registry, resource, name)))


async def timeline(
    context: Context,
    resource: AnyResource,
    record_id: UUID,
    *,
    types: Sequence[str] | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[list[bytes], str | None]:
    """One page of a record's timeline as JSON, newest first, and the next page's cursor.

    The caller sees the record, which is for the route to find out. Objects and records that the caller may not read are
    absent, deleted records too. Raises BadRequest for an unknown type, InvalidCursor.
    """
    known = types_of(context.registry, resource)
    for name in types or ():
        if name not in known:
            raise BadRequest(errors=[InvalidValue("enum", allowed=list(known)).at(parameter="types")])
    policy = context.policy
    chosen = tuple(
        name for name in known if (types is None or name in types) and (name in (CHANGES, LINKS) or policy.principal.may(name, "read"))
    )
    digest = query_digest(record_id.hex, sorted(types or known))
    at, last = None, None
    if cursor is not None:
        at, last = decode_cursor(_KEY, _KIND, digest, cursor)
        if not isinstance(at, datetime) or not isinstance(last, UUID):
            raise InvalidCursor("malformed")
    if not chosen:
        return [], None
    ends = _readable_links(context) if LINKS in chosen else ()
    shape = ("timeline", context.registry.key, policy.shape, resource.name, chosen, cursor is None)
    statement = context.statements.get(shape, lambda: _statement(context.registry, policy, resource, chosen, cursor is not None))
    values = {
        "org_id": context.principal.org_id, **policy.values, "record_id": record_id, "record_key": dumps([str(record_id)]).decode(),
        "limit": limit + 1, "at": at, "last": last, "relations": list(ends),
        **(event_reach.unknown_values(context.registry, (resource.name,)) if resource.untold else {}),
    }  # fmt: skip
    rows = await context.uow.fetch(statement, values)
    more = len(rows) > limit
    rows = rows[:limit]
    following = encode_cursor(_KEY, _KIND, digest, [rows[-1]["at"], rows[-1]["id"]]) if more else None
    return [row["json"].encode() for row in rows], following


def _readable_links(context: Context) -> Iterable[str]:
    """The many-to-many relations whose both ends the caller may read."""
    may = context.principal.may
    for found in context.registry.edges.values():
        for relation in found.values():
            if relation.forward and may(relation.source, "read") and may(relation.target, "read"):
                yield str(relation.link_name)


def _statement(registry: Registry, policy: Policy, resource: AnyResource, chosen: Sequence[str], paged: bool) -> Statement:
    branches: list[Select[Any]] = []
    for name in chosen:
        if name == CHANGES:
            branches.append(_own_changes(registry, resource, paged))
        elif name == LINKS:
            branches.append(_link_changes(registry, policy, paged))
        else:
            branches.append(_around(registry, policy, resource, registry[name], paged))
    union = sa.union_all(*(sa.select(branch.subquery()) for branch in branches)).subquery("u")
    return compile_statement(sa.select(union).order_by(union.c.at.desc(), union.c.id.desc()).limit(_LIMIT))


def _page(rows: Select[Any], at: ColumnElement[Any], id_: ColumnElement[Any], paged: bool) -> Select[Any]:
    if paged:
        rows = rows.where(sa.tuple_(at, id_) < sa.tuple_(_AT, _LAST))
    return rows.order_by(at.desc(), id_.desc()).limit(_LIMIT)


def _entry(kind: str, row: FromClause, **members: ColumnElement[Any] | None) -> ColumnElement[str]:
    """An entry as JSON text; every entry has the same members."""
    names = ("type", "id", "occurred_at", "actor", "event", "object", "record_id", "version", "changes", "record")
    values = {"type": sa.literal_column(f"'{kind}'"), **members}
    parts: list[Any] = []
    for name in names:
        parts += [sa.literal_column(f"'{name}'"), values.get(name) if values.get(name) is not None else sa.null()]
    return sa.cast(sa.func.json_build_object(*parts), sa.Text())


def _of_event(kind: str, picked: FromClause) -> Select[Any]:
    entry = _entry(
        kind, picked, id=picked.c.id, occurred_at=timestamp_text(picked.c.occurred_at), actor=picked.c.actor, event=picked.c.type,
        object=picked.c.object, record_id=picked.c.record_id, version=picked.c.version, changes=picked.c.changes,
    )  # fmt: skip
    return sa.select(picked.c.occurred_at.label("at"), picked.c.id, entry.label("json"))


def _own_changes(registry: Registry, resource: AnyResource, paged: bool) -> Select[Any]:
    e = _EVENTS.alias("e")
    rows = sa.select(e).where(e.c.org_id == _ORG, e.c.record_id == _ID)
    if resource.untold:
        known = event_reach.known_changes(registry, e, (resource.name,))
        columns = (*(column for column in e.c if column.name != "changes"), known.label("changes"))
        rows = sa.select(*columns).where(e.c.org_id == _ORG, e.c.record_id == _ID)
        rows = rows.where(~event_reach.tells_nothing(e, known, (resource.name,)))
    return _of_event(CHANGES, _page(rows, e.c.occurred_at, e.c.id, paged).subquery("p"))


def _link_changes(registry: Registry, policy: Policy, paged: bool) -> Select[Any]:
    """Links made, changed and removed at this record. The relation of an edge stands in the event that made it."""
    e, first = _EVENTS.alias("e"), _EVENTS.alias("f")
    relation = first.c.changes.op("#>>", return_type=sa.Text())(sa.literal_column("'{relation,new}'"))
    made = sa.exists(
        sa.select(sa.literal_column("1")).where(
            first.c.org_id == _ORG,
            first.c.record_id == e.c.record_id,
            relation == sa.func.any(sa.bindparam("relations", type_=sa.ARRAY(sa.Text()))),
        )
    ).correlate(e)
    rows = sa.select(e).where(
        e.c.org_id == _ORG,
        e.c.object == sa.literal_column(f"'{LINKS}'"),
        e.c.related != sa.literal_column("'[]'::jsonb"),
        e.c.related.op("@>", return_type=sa.Boolean())(_KEYED),
        made,
    )
    seen = event_reach.link_seen(policy, registry, e)
    if seen is not None:
        rows = rows.where(seen)
    return _of_event(LINKS, _page(rows, e.c.occurred_at, e.c.id, paged).subquery("p"))


def _ways(registry: Registry, resource: AnyResource, name: str) -> list[tuple[Relation, ...]]:
    """How records of an object belong to the resource's: by a link or a reference; comments also through the cases."""
    edges = [r for r in registry.edges[resource.name].values() if r.target == name]
    if edges:
        return [(edges[0],)]
    direct = [r for r in registry.relations[resource.name].values() if r.target == name and r.kind == "to_many" and name != resource.name]
    if direct:
        return [(direct[0],)]
    if name == "case_comments" and resource.name != "cases" and "cases" in registry:
        first = _ways(registry, resource, "cases")
        second = next((r for r in registry.relations["cases"].values() if r.target == name and r.kind == "to_many"), None)
        if first and second is not None:
            return [(*first[0], second)]
    return []


def _around(registry: Registry, policy: Policy, resource: AnyResource, target: AnyResource, paged: bool) -> Select[Any]:
    """Records that belong to the record, as they are now, at the time they were made."""
    (way,) = _ways(registry, resource, target.name)
    row = target.table.alias("t")
    where = [row.c.org_id == _ORG, row.c.deleted_at.is_(None), _belongs(registry, policy, way, row)]
    seen = policy.predicate(target, row)
    if seen is not None:
        where.append(seen)
    columns = [column for column in row.c if column.name not in ("search", "search_text", "trigrams")]
    picked = _page(sa.select(*columns).where(*where), row.c.created_at, row.c.id, paged).subquery("p")
    inner = sa.select(*record_columns(target, picked)).correlate(picked).subquery("_r")
    record = sa.select(sa.func.row_to_json(sa.literal_column("_r"))).select_from(inner).scalar_subquery()
    name: ColumnElement[Any] = sa.literal_column(f"'{target.name}'")
    entry = _entry(
        target.name, picked, id=picked.c.id, occurred_at=timestamp_text(picked.c.created_at), actor=picked.c.created_by, object=name,
        record_id=picked.c.id, version=picked.c.version, record=record,
    )  # fmt: skip
    return sa.select(picked.c.created_at.label("at"), picked.c.id, entry.label("json"))


def _belongs(registry: Registry, policy: Policy, way: tuple[Relation, ...], row: FromClause) -> ColumnElement[bool]:
    """That `row` is at the end of the relations that start at the record."""
    relation = way[-1]
    if len(way) == 1:
        return _reached(relation, row, _ID)
    between = registry[relation.source]
    middle = between.table.alias("m")
    assert relation.field is not None
    where = [middle.c.org_id == _ORG, middle.c.id == relation.field.value(row), middle.c.deleted_at.is_(None)]
    seen = policy.predicate(between, middle)
    if seen is not None:
        where.append(seen)
    where.append(_belongs(registry, policy, way[:-1], middle))
    return sa.exists(sa.select(sa.literal_column("1")).select_from(middle).where(*where)).correlate(row)


def _reached(relation: Relation, row: FromClause, source: ColumnElement[Any]) -> ColumnElement[bool]:
    if relation.kind == "to_many":
        assert relation.field is not None
        return relation.field.value(row) == source
    link = _LINKS.alias("l")
    here, there = (link.c.from_id, link.c.to_id) if relation.forward else (link.c.to_id, link.c.from_id)
    name: ColumnElement[Any] = sa.literal_column(f"'{relation.link_name}'")
    return sa.exists(
        sa.select(sa.literal_column("1"))
        .select_from(link)
        .where(link.c.org_id == _ORG, link.c.relation == name, here == source, there == row.c.id)
    ).correlate(row)
