"""Reading the journal: which events a reader gets, and the one statement that fetches a page of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.core.json import dumps
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel import event_catalog, event_live, event_reach
from crm_api.kernel.context import Context
from crm_api.kernel.event_json import LINKS, SHARES, as_json, event_columns
from crm_api.kernel.link_reach import edges_of
from crm_api.kernel.query.plan import Node
from crm_api.kernel.registry import Registry
from crm_api.models.events import Event, EventSnapshot, JournalEntry

JOURNAL, EVENTS, SNAPSHOTS = JournalEntry.__table__, Event.__table__, EventSnapshot.__table__

WINDOW: Final = 10_000
"""How many numbers one statement looks at when most events may not match."""


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events are asked for. `values` holds the filter's values by slot; `types` are LIKE patterns.

    Without `live` the filter is about the record after the event; with it, it asks as `kernel/event_live.py` has it.
    """

    types: tuple[str, ...] | None = None
    object: str | None = None
    record_id: UUID | None = None
    filter: Node | None = None
    values: tuple[Any, ...] = ()
    exclude_own: bool = False
    live: bool = False

    @property
    def sparse(self) -> bool:
        """Whether a page may have to look at many more events than it gives."""
        return self.types is not None or self.object is not None or self.filter is not None or self.exclude_own


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event of a page: its number and what is sent; nothing for one that each reader has to look for."""

    seq: int
    json: bytes | None


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in order, and the number up to which the journal has been looked at."""

    rows: list[EventRow] = field(default_factory=list)
    last: int = 0


@dataclass(frozen=True, slots=True)
class Reader:
    """What decides which events a caller gets and how they look: callers with equal `shared_by` may share pages.

    `known` tells apart what callers may know of. Of the records of `closed` objects the caller may not see all, of `cut` ones not all
    fields. `people` are the ids that stand for the caller where records are shared, None for one who is told of all shares;
    `own_jobs`: of jobs the caller is told of their own only. `rights` tells apart whose records are reached, where pages are shared.

    A page for many readers doesn't show the events of objects in `apart`, it only tells that there is one.
    """

    objects: frozenset[str]
    relations: tuple[str, ...] | None
    api_version: str
    test: bool
    people: tuple[str, ...] | None = None
    known: Hashable = None
    closed: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    own_jobs: bool = False
    apart: tuple[str, ...] = ()
    rights: Hashable = None

    @property
    def limited(self) -> bool:
        """Whether single events, or parts of them, may not be for the caller."""
        return bool(self.closed or self.cut or self.own_jobs)

    @property
    def shape(self) -> Hashable:
        """What of it shows in the text of statements."""
        return (self.known, self.objects, self.relations, self.people is None, self.closed, self.cut, self.own_jobs, bool(self.apart))


def reader_of(context: Context, api_version: str) -> Reader:
    """The caller's view of the journal: records of the objects it may read, links whose both ends it may read."""
    principal, registry = context.principal, context.registry
    objects = {resource.name for resource in registry if principal.may(resource.name, "read")}
    visible = [r for r in edges_of(registry) if r.source in objects and r.target in objects]
    relations = None if len(visible) == len(edges_of(context.whole)) else tuple(sorted(str(r.link_name) for r in visible))
    rights = principal.rights
    people = None if rights.everything else tuple(sorted(map(str, {principal.user_id, *rights.grantees, *rights.trees})))
    test = principal.organization.environment != "production"
    return Reader(
        frozenset({*objects, *_beside_records(context)}), relations, api_version, test, people,
        known=registry.key, closed=event_reach.closed_objects(context.policy, objects),
        cut=event_reach.cut_objects(registry, context.whole), own_jobs=not principal.administers,
    )  # fmt: skip


def type_patterns(registry: Registry, names: Sequence[str]) -> tuple[str, ...]:
    """Event types with wildcards (`deal.*`, `*.deleted`, `*`) as LIKE patterns. Raises InvalidValue for those that there can't be."""
    return event_catalog.patterns(registry, names)


def _beside_records(context: Context) -> list[str]:
    """The objects of events that are no records and that the caller is told of."""
    may, governed = context.principal.may, event_catalog.GOVERNED
    return [name for name in event_catalog.SYSTEM_OBJECTS if name not in governed or may(name, "read")]


async def read_events(context: Context, reader: Reader, query: EventQuery, after: int, head: int, limit: int) -> EventPage:
    """The next events after number `after`, at most `limit`, looking no further than `head` and at a bounded number of events.

    With a filter that few events pass the page may be empty although more would match further on: go on from `last`.
    """
    sparse = (query.sparse or reader.closed) and query.record_id is None
    until = min(head, after + max(WINDOW, limit)) if sparse else head
    if until <= after:
        return EventPage([], max(after, head))
    rows = await context.uow.fetch(statement(context, reader, query), _values(context, reader, query, after, until, limit))
    found = [EventRow(row["seq"], None if row["json"] is None else row["json"].encode()) for row in rows]
    return EventPage(found, found[-1].seq if len(found) == limit else until)


async def read_event(context: Context, reader: Reader, event_id: UUID) -> bytes | None:
    """One event by id, or None. Without a number and a record if it is older than the journal goes back."""
    return (await read_chosen(context, reader, [event_id])).get(event_id)


async def read_chosen(context: Context, reader: Reader, event_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """Events by their ids, those that the reader is told of; see `read_event`."""
    shape = ("event", context.policy.shape, reader.shape)
    found = context.statements.get(shape, lambda: _chosen(context, reader))
    rows = await context.uow.fetch(found, {**_values(context, reader, EventQuery(), 0, 0, 1), "event_ids": list(event_ids)})
    return {row["id"]: row["json"].encode() for row in rows}


@dataclass(frozen=True, slots=True)
class EventMatch:
    """An event that a reader is told of, without the record. `cause` and `changes` are JSON."""

    seq: int
    id: UUID
    type: str
    object: str
    record_id: UUID
    cause: str
    changes: str


async def match_events(context: Context, reader: Reader, query: EventQuery, after: int, until: int, limit: int) -> list[EventMatch]:
    """Which events with numbers in (after, until] a query finds, at most `limit`, in order: `read_events` for those who send them later."""
    if until <= after:
        return []
    shape = ("matches", *_shape(context, reader, query))
    found = context.statements.get(shape, lambda: _matches(context, reader, query))
    rows = await context.uow.fetch(found, _values(context, reader, query, after, until, limit))
    return [EventMatch(*row.values()) for row in rows]


def statement(context: Context, reader: Reader, query: EventQuery) -> Statement:
    """The statement of a page, compiled once per shape."""
    return context.statements.get(("events", *_shape(context, reader, query)), lambda: _page(context, reader, query))


def _shape(context: Context, reader: Reader, query: EventQuery) -> tuple[Hashable, ...]:
    return (
        context.policy.shape, reader.shape, query.types is None, query.object is None, query.record_id is None,
        query.exclude_own, query.object if query.filter is not None else None, query.filter, query.live,
    )  # fmt: skip


def _values(context: Context, reader: Reader, query: EventQuery, after: int, until: int, limit: int) -> dict[str, Any]:
    principal = context.principal
    return {
        "org_id": principal.org_id,
        "after": after,
        "until": until,
        "limit": limit,
        "objects": [query.object] if query.object is not None else sorted(reader.objects),
        "relations": list(reader.relations or ()),
        "readable": sorted(reader.objects),
        "people": list(reader.people or ()),
        "types": list(query.types or ()),
        "record_id": query.record_id,
        "record_key": dumps([query.record_id]).decode(),
        "token_id": str(principal.token_id),
        "app_id": None if principal.app_id is None else str(principal.app_id),
        "api_version": reader.api_version,
        "test": reader.test,
        "apart": list(reader.apart),
        event_reach.SEEN_OBJECTS: sorted(reader.objects),
        **(event_reach.unknown_values(context.registry, reader.cut) if reader.cut else {}),
        **context.policy.values,
        **{f"v{index}": value for index, value in enumerate(query.values)},
    }


def _bind(name: str, type_: Any) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=type_)


def _page(context: Context, reader: Reader, query: EventQuery) -> Statement:
    registry = context.registry
    picked = _picked(context, reader, query)
    snapshot = _beside(SNAPSHOTS, "event_id")(picked.c.id, "s")
    shown = sa.select(*event_columns(registry, picked, picked.c.seq, snapshot.c.row, reader.objects))
    shown_from = shown.select_from(picked.outerjoin(snapshot, _whole(picked))).subquery("x")
    json: ColumnElement[Any] = as_json(shown_from)
    if reader.apart:
        json = sa.case((shown_from.c.object != sa.func.all(_bind("apart", ARRAY(sa.Text()))), json))
    return compile_statement(sa.select(shown_from.c.seq, json.label("json")).order_by(shown_from.c.seq))


def _matches(context: Context, reader: Reader, query: EventQuery) -> Statement:
    picked = _picked(context, reader, query)
    names = ("seq", "id", "type", "object", "record_id", "cause", "changes")
    return compile_statement(sa.select(*(picked.c[name] for name in names)).order_by(picked.c.seq))


def _picked(context: Context, reader: Reader, query: EventQuery) -> FromClause:
    """The rows of events, with their numbers, that a query finds, as the reader is told of them."""
    registry = context.registry
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
    told = _Told(context, reader, event)
    if told.look is not None:
        source = source.join(told.look, sa.true())
        where += told.conditions
    if query.filter is not None:
        resource = registry[query.object or ""]
        if query.live:
            matched = event_live.Matched(context, resource, query.filter, event)
            source = source.join(matched.look, sa.true())
            condition = matched.told
            told.leave(matched.left, event)
        else:
            stored = _beside(SNAPSHOTS, "event_id")(event.c.id, "fs")
            record, condition = event_live.after_event(context, resource, query.filter, event, stored.c.row)
            source = source.outerjoin(stored, sa.true()).join(record, sa.true())
        # What a record has become, out of sight, decides nothing: whoever followed it is told that it is gone.
        where.append(sa.or_(told.hidden, condition))
    if query.types is not None:
        where.append(told.columns["type"].like(sa.func.any(_bind("types", ARRAY(sa.Text())))))
    if query.exclude_own:
        for name in ("token_id", "app_id"):
            cause = told.columns["cause"].op("->>")(sa.literal_column(f"'{name}'"))
            where.append(sa.func.coalesce(cause != _bind(name, sa.Text()), sa.true()))
    limit = _bind("limit", sa.Integer())
    columns = [journal.c.seq, *(column.label(name) for name, column in told.columns.items())]
    return sa.select(*columns).select_from(source).where(*where).order_by(journal.c.seq).limit(limit).subquery("p")


def _chosen(context: Context, reader: Reader) -> Statement:
    org = _bind("org_id", sa.Uuid())
    given = sa.func.unnest(_bind("event_ids", ARRAY(sa.Uuid()))).table_valued(sa.column("id", sa.Uuid())).render_derived("g")
    events = _beside(EVENTS, "id")(given.c.id, "e")
    told = _Told(context, reader, events)
    source: FromClause = given.join(events, sa.true())
    if told.look is not None:
        source = source.join(told.look, sa.true())
    columns = [column.label(name) for name, column in told.columns.items()]
    picked = sa.select(*columns).select_from(source).where(*_permitted(events, reader, org), *told.conditions).subquery("p")
    journal, snapshot = _beside(JOURNAL, "event_id")(picked.c.id, "j"), _beside(SNAPSHOTS, "event_id")(picked.c.id, "s")
    shown = sa.select(*event_columns(context.registry, picked, journal.c.seq, snapshot.c.row, reader.objects))
    found = shown.select_from(picked.outerjoin(journal, sa.true()).outerjoin(snapshot, _whole(picked))).subquery("x")
    return compile_statement(sa.select(found.c.id, as_json(found).label("json")).select_from(found))


def _whole(picked: FromClause) -> ColumnElement[bool]:
    """That the reader is shown the record."""
    found: list[ColumnElement[bool]] = []
    if "reach" in picked.c:
        found.append(picked.c.reach == sa.literal_column(str(event_reach.SHOWN)))
    if "left" in picked.c:
        found.append(~picked.c.left)
    return sa.and_(*found) if found else sa.true()


class _Told:
    """What of an event's row a reader is told. `look` works out how it reaches them, once for each row; `conditions` leave out what
    doesn't; `columns` are those of the row as they are told; `hidden`: whether it only tells of a record gone out of sight."""

    def __init__(self, context: Context, reader: Reader, event: FromClause) -> None:
        self.columns: dict[str, ColumnElement[Any]] = dict(event.c.items())
        self.look: FromClause | None = None
        self.conditions: list[ColumnElement[bool]] = []
        self.hidden: ColumnElement[bool] = sa.false()
        if not reader.limited:
            return
        registry, policy = context.registry, context.policy
        reach = event_reach.reach(policy, registry, event, reader.closed, own_jobs=reader.own_jobs)
        known = event_reach.known_changes(registry, event, reader.cut)
        # a sub-select of its own, so that it is worked out once, however often it is named
        found = sa.select(reach.label("reach"), known.label("changes")).correlate(event).offset(sa.literal_column("0"))
        look = self.look = found.lateral("told")
        self.conditions.append(look.c.reach > sa.literal_column(str(event_reach.NOWHERE)))
        if reader.cut:
            self.conditions.append(~event_reach.tells_nothing(event, look.c.changes, reader.cut))
        self.hidden = look.c.reach == sa.literal_column(str(event_reach.HIDDEN))
        self.columns |= {
            name: sa.case((self.hidden, instead), else_=look.c.changes if name == "changes" else event.c[name])
            for name, instead in event_reach.instead(event).items()
        }
        self.columns["reach"] = look.c.reach

    def leave(self, left: ColumnElement[bool], event: FromClause) -> None:
        """Has these events told as those of records that no longer match."""
        for name, instead in event_live.instead(event).items():
            self.columns[name] = sa.case((sa.and_(left, ~self.hidden), instead), else_=self.columns[name])
        self.columns["left"] = left


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
    conditions.append(sa.or_(events.c.object != sa.literal_column(f"'{SHARES}'"), _told_of_share(events, reader)))
    return conditions


def _told_of_share(events: FromClause, reader: Reader) -> ColumnElement[bool]:
    """Who may read the record's object is told of a share that is for them, of their own record, or made or ended by them."""
    readable, people = (sa.func.any(_bind(name, ARRAY(sa.Text()))) for name in ("readable", "people"))

    def said(path: str) -> ColumnElement[Any]:
        at = events.c.visibility.op("#>>", return_type=sa.Text())
        return sa.func.coalesce(*(at(sa.literal_column(f"'{{{side},{path}}}'")) for side in ("after", "before")))

    known: ColumnElement[bool] = said("object") == readable
    if reader.people is None:
        return known
    actor = events.c.actor.op("->>", return_type=sa.Text())(sa.literal_column("'id'"))
    return sa.and_(known, sa.or_(said("grantee,id") == people, said("owner_id") == people, actor == people))
