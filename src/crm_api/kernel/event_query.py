"""Reading the journal: which events a reader gets, and the one statement that fetches a page of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.core.errors import InvalidValue
from crm_api.core.json import dumps
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.event_json import LINKS, as_json, event_columns, row_of
from crm_api.kernel.fields import Field
from crm_api.kernel.query.filters import FilterCompiler, Source, Visibility, bind
from crm_api.kernel.query.parse import Place, QueryParser
from crm_api.kernel.query.paths import resolve
from crm_api.kernel.query.plan import Condition, Node
from crm_api.kernel.query.values import compare_value
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType
from crm_api.models.events import Event, EventSnapshot, JournalEntry

JOURNAL, EVENTS, SNAPSHOTS = JournalEntry.__table__, Event.__table__, EventSnapshot.__table__

WINDOW: Final = 10_000
"""How many numbers one statement looks at when most events may not match."""

VERBS: Final = ("created", "updated", "deleted", "restored", "purged", "merged", "unmerged", "erased", "hidden")
OWN_VERBS: Final = ("finished", "member_added", "member_removed")
"""Verbs that single kinds of things have."""

SYSTEM_OBJECTS: Final = {LINKS: "link", "schema": "schema", "jobs": "job"}
"""Objects of events that are not records of the registry, and their singular names."""

CHANGE_OPS: Final = ("changed", "changed_from", "changed_to")


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events are asked for. `values` holds the filter's values by slot; `types` are LIKE patterns."""

    types: tuple[str, ...] | None = None
    object: str | None = None
    record_id: UUID | None = None
    filter: Node | None = None
    values: tuple[Any, ...] = ()
    exclude_own: bool = False

    @property
    def sparse(self) -> bool:
        """Whether a page may have to look at many more events than it gives."""
        return self.types is not None or self.object is not None or self.filter is not None or self.exclude_own


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event of a page: its number and what is sent."""

    seq: int
    json: bytes


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in order, and the number up to which the journal has been looked at."""

    rows: list[EventRow] = field(default_factory=list)
    last: int = 0


@dataclass(frozen=True, slots=True)
class Reader:
    """What decides which events a caller gets and how they look: callers with equal readers may share pages."""

    objects: frozenset[str]
    relations: tuple[str, ...] | None
    api_version: str
    test: bool


def reader_of(context: Context, api_version: str) -> Reader:
    """The caller's view of the journal: records of the objects it may read, links whose both ends it may read."""
    principal, registry = context.principal, context.registry
    objects = {resource.name for resource in registry if principal.may(resource.name, "read")}
    links = [r for found in registry.relations.values() for r in found.values() if r.kind == "many_to_many" and r.forward]
    visible = [r for r in links if r.source in objects and r.target in objects]
    relations = None if len(visible) == len(links) else tuple(sorted(str(r.link_name) for r in visible))
    return Reader(frozenset({*objects, *SYSTEM_OBJECTS}), relations, api_version, principal.organization.environment != "production")


def type_patterns(registry: Registry, names: Sequence[str]) -> tuple[str, ...]:
    """Event types with wildcards (`deal.*`, `*.deleted`, `*`) as LIKE patterns. Raises InvalidValue for unknown ones."""
    singulars = sorted({*(resource.singular for resource in registry), *SYSTEM_OBJECTS.values()})
    patterns = []
    for name in names:
        head, dot, verb = name.partition(".")
        if name != "*" and (not dot or (head != "*" and head not in singulars) or (verb != "*" and verb not in (*VERBS, *OWN_VERBS))):
            raise InvalidValue("enum", allowed=["*", *(f"{singular}.*" for singular in singulars), *(f"*.{verb}" for verb in VERBS)])
        patterns.append(name.replace("_", "\\_").replace("*", "%"))
    return tuple(dict.fromkeys(patterns))


async def read_events(context: Context, reader: Reader, query: EventQuery, after: int, head: int, limit: int) -> EventPage:
    """The next events after number `after`, at most `limit`, looking no further than `head` and at a bounded number of events.

    With a filter that few events pass the page may be empty although more would match further on: go on from `last`.
    """
    until = min(head, after + max(WINDOW, limit)) if query.sparse and query.record_id is None else head
    if until <= after:
        return EventPage([], max(after, head))
    rows = await context.uow.fetch(statement(context, reader, query), _values(context, reader, query, after, until, limit))
    found = [EventRow(row["seq"], row["json"].encode()) for row in rows]
    return EventPage(found, found[-1].seq if len(found) == limit else until)


async def read_event(context: Context, reader: Reader, event_id: UUID) -> bytes | None:
    """One event by id, or None. Without a number and a record if it is older than the journal goes back."""
    shape = ("event", context.registry.key, reader.objects, reader.relations)
    found = context.statements.get(shape, lambda: _one(context.registry, reader))
    value: str | None = await context.uow.fetch_value(found, {**_values(context, reader, EventQuery(), 0, 0, 1), "event_id": event_id})
    return None if value is None else value.encode()


def statement(context: Context, reader: Reader, query: EventQuery) -> Statement:
    """The statement of a page, compiled once per shape."""
    shape = (
        "events", context.registry.key, reader.objects, reader.relations, query.types is None, query.object is None,
        query.record_id is None, query.exclude_own, query.object if query.filter is not None else None, query.filter,
    )  # fmt: skip
    return context.statements.get(shape, lambda: _page(context.registry, reader, query))


def _values(context: Context, reader: Reader, query: EventQuery, after: int, until: int, limit: int) -> dict[str, Any]:
    principal = context.principal
    return {
        "org_id": principal.org_id,
        "after": after,
        "until": until,
        "limit": limit,
        "objects": [query.object] if query.object is not None else sorted(reader.objects),
        "relations": list(reader.relations or ()),
        "types": list(query.types or ()),
        "record_id": query.record_id,
        "record_key": dumps([query.record_id]).decode(),
        "token_id": str(principal.token_id),
        "app_id": None if principal.app_id is None else str(principal.app_id),
        "api_version": reader.api_version,
        "test": reader.test,
        **{f"v{index}": value for index, value in enumerate(query.values)},
    }


def _bind(name: str, type_: Any) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=type_)


def _page(registry: Registry, reader: Reader, query: EventQuery) -> Statement:
    org = _bind("org_id", sa.Uuid())
    events = _beside(EVENTS, "id")
    journal: FromClause
    if query.record_id is None:
        journal = JOURNAL.alias("j")
        source = journal.join(events(journal.c.event_id, "e"), sa.true())
        where = [journal.c.org_id == org]
    else:
        about = _about(org)
        journal = _beside(JOURNAL, "event_id")(about.c.id, "j")
        source = about.join(journal, sa.true()).join(events(about.c.id, "e"), sa.true())
        where = []
    event = source.right
    where += [
        journal.c.seq > _bind("after", sa.BigInteger()),
        journal.c.seq <= _bind("until", sa.BigInteger()),
        *_permitted(event, reader, org),
    ]
    if query.types is not None:
        where.append(event.c.type.like(sa.func.any(_bind("types", ARRAY(sa.Text())))))
    if query.exclude_own:
        for name in ("token_id", "app_id"):
            where.append(sa.func.coalesce(event.c.cause.op("->>")(sa.literal_column(f"'{name}'")) != _bind(name, sa.Text()), sa.true()))
    if query.filter is not None:
        assert query.object is not None
        resource = registry[query.object]
        stored = _beside(SNAPSHOTS, "event_id")(event.c.id, "fs")
        row = row_of(resource.table, stored.c.row, "r")
        compiler = _EventFilter(registry, _Everything(), lambda target, name: target.table.alias(name), event)
        record = compiler.source(resource, row)
        where.append(compiler.node(query.filter, record))
        source = source.outerjoin(stored, sa.true()).join(record.clause, sa.true())
    limit = _bind("limit", sa.Integer())
    picked = sa.select(journal.c.seq, *event.c).select_from(source).where(*where).order_by(journal.c.seq).limit(limit).subquery("p")
    snapshot = _beside(SNAPSHOTS, "event_id")(picked.c.id, "s")
    columns = event_columns(registry, picked, picked.c.seq, snapshot.c.row, reader.objects)
    shown = sa.select(*columns).select_from(picked.outerjoin(snapshot, sa.true())).subquery("x")
    return compile_statement(sa.select(shown.c.seq, as_json(shown).label("json")).order_by(shown.c.seq))


def _one(registry: Registry, reader: Reader) -> Statement:
    org = _bind("org_id", sa.Uuid())
    events = EVENTS.alias("e")
    journal, snapshot = _beside(JOURNAL, "event_id")(events.c.id, "j"), _beside(SNAPSHOTS, "event_id")(events.c.id, "s")
    where = [events.c.org_id == org, events.c.id == _bind("event_id", sa.Uuid()), *_permitted(events, reader, org)]
    columns = event_columns(registry, events, journal.c.seq, snapshot.c.row, reader.objects)
    shown = sa.select(*columns).select_from(events.outerjoin(journal, sa.true()).outerjoin(snapshot, sa.true())).where(*where).subquery("x")
    return compile_statement(sa.select(as_json(shown).label("json")).select_from(shown))


def _beside(table: FromClause, column: str) -> Callable[[ColumnElement[Any], str], FromClause]:
    """The one row of a partitioned table that belongs to an event's id, fetched for each row by itself.

    As a plain join the planner reads all partitions whole, once there are many; so each id finds its one partition.
    """

    def lookup(event_id: ColumnElement[Any], name: str) -> FromClause:
        inner = table.alias(f"{name}_")
        found = sa.select(*inner.c).where(inner.c.org_id == _bind("org_id", sa.Uuid()), inner.c[column] == event_id)
        return found.limit(sa.literal_column("1")).lateral(name)

    return lookup


def _about(org: ColumnElement[Any]) -> FromClause:
    """The ids of one record's events: its own, and those of links at whose ends it is."""
    own, linked = EVENTS.alias("eo"), EVENTS.alias("el")
    at_an_end = linked.c.related.op("@>", return_type=sa.Boolean())(_bind("record_key", JSONB()))
    return sa.union(
        sa.select(own.c.id).where(own.c.org_id == org, own.c.record_id == _bind("record_id", sa.Uuid())),
        sa.select(linked.c.id).where(linked.c.org_id == org, linked.c.related != sa.literal_column("'[]'::jsonb"), at_an_end),
    ).subquery("about")


def _permitted(events: FromClause, reader: Reader, org: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [events.c.object == sa.func.any(_bind("objects", ARRAY(sa.Text())))]
    if reader.relations is not None:
        ends = SNAPSHOTS.alias("ls")
        allowed = sa.func.any(_bind("relations", ARRAY(sa.Text())))
        kept = sa.exists(
            sa.select(sa.literal_column("1"))
            .select_from(ends)
            .where(ends.c.org_id == org, ends.c.event_id == events.c.id, ends.c.row.op("->>")(sa.literal_column("'relation'")) == allowed)
        ).correlate(events)
        # A link's first and last event name its relation; those between have a snapshot that does.
        named = [events.c.changes.op("#>>")(sa.literal_column(f"'{{relation,{side}}}'")) == allowed for side in ("new", "old")]
        conditions.append(sa.or_(events.c.object != sa.literal_column(f"'{LINKS}'"), *named, kept))
    return conditions


class _Everything(Visibility):
    """No records of other objects are hidden from a filter that crosses relations: scopes were checked before."""

    def predicate(self, resource: AnyResource, row: FromClause) -> ColumnElement[bool] | None:
        return None


class EventFilterParser(QueryParser):
    """The search tree of an event filter: conditions on the record after the event, and on what the event changed."""

    def condition(
        self, resource: AnyResource, path: tuple[str, ...], op: str, raw: Any, given: bool,
        at_field: Place, at_op: Place, at_value: Place, link: Relation | None = None,
    ) -> Node | None:  # fmt: skip
        """One comparison, or one of `changed`, `changed_from`, `changed_to`."""
        if op not in CHANGE_OPS:
            return super().condition(resource, path, op, raw, given, at_field, at_op, at_value, link)
        resolved = self._resolve(resource, path, at_field, link)
        if resolved is None:
            return None
        if resolved.steps or resolved.field is None:
            self.wrong(InvalidValue("unknown_field", allowed=list(resource.fields)), at_field)
            return None
        if op == "changed":
            return Condition(path, op)
        if not given:
            self.wrong(InvalidValue("required"), at_value)
            return None
        try:
            return Condition(path, op, self.slot(_change_value(resolved.field, raw, self)), shape="null" if raw is None else "")
        except InvalidValue as error:
            self.wrong(error, at_value)
            return None


_CAST: Final[dict[FieldType, Any]] = {
    FieldType.CURRENCY: sa.Numeric(), FieldType.DECIMAL: sa.Numeric(), FieldType.NUMBER: sa.Numeric(),
    FieldType.DATETIME: TIMESTAMP(timezone=True),
}  # fmt: skip
"""Types whose values have several spellings, so that comparing their JSON would not do."""


def _change_value(field_: Field, raw: Any, parser: QueryParser) -> Any:
    if raw is None:
        return None
    if field_.type in _CAST:
        return compare_value(field_, raw, parser.locale, from_text=False)
    return dumps(raw).decode()


class _EventFilter(FilterCompiler):
    """Compiles an event filter; `event` is the event's row, the source's row is the record after it."""

    def __init__(self, registry: Registry, visibility: Visibility, tables: Any, event: FromClause) -> None:
        super().__init__(registry, visibility, tables)
        self._event = event

    def _condition(self, node: Condition, source: Source) -> ColumnElement[bool]:
        if node.op not in CHANGE_OPS:
            return super()._condition(node, source)
        field_ = resolve(self.registry, source.resource, node.path).field
        assert field_ is not None
        # The path was checked against the fields, so it holds no quote; external ids may be called anything.
        name = ".".join(node.path).replace("'", "''")
        change = self._event.c.changes.op("->", return_type=JSONB())(sa.literal_column(f"'{name}'"))
        if node.op == "changed":
            return change.is_not(None)
        assert isinstance(node.value, int)
        side: ColumnElement[Any] = sa.literal_column("'old'" if node.op == "changed_from" else "'new'")
        if node.shape == "null":
            # The parameter has to stand in the statement; a null of any type will do.
            return sa.and_(change.op("->>")(side).is_(None), change.is_not(None), bind(node.value, sa.Text()).is_(None))
        cast = _CAST.get(field_.type)
        if cast is not None:
            return sa.cast(change.op("->>", return_type=sa.Text())(side), cast) == bind(node.value, cast)
        return change.op("->", return_type=JSONB())(side) == bind(node.value, JSONB())
