"""Which events get to a caller who may not see every record and every field, and how much of them.

An event is for those who could see the record before or after it. Who sees it after gets the whole event, cut to the fields that
they may know of; who saw it only before is told that it is `hidden`, with id and version, and nothing of what it has become.

What the record was after an event is the row that is kept beside it. What it was before is the row beside the event before that, or, where
that one is no longer kept, the row after with the old values of this event put back. Where owners alone decide, both stand in the
event itself. Records shared one by one, and the records that others hang on, count as they are now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.kernel.event_catalog import APPS, DELIVERIES, ENDPOINTS, GRANTS
from crm_api.kernel.event_json import LINKS, row_of
from crm_api.kernel.fields import name_of
from crm_api.kernel.history import row_before
from crm_api.kernel.job_json import JOBS
from crm_api.kernel.link_reach import both_ends, edges_of, reached_now
from crm_api.kernel.memberships import ADDED, REMOVED, SEGMENTS
from crm_api.kernel.policy import CALLER, Policy
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource
from crm_api.models.events import Event, EventSnapshot

NOWHERE, HIDDEN, SHOWN = 0, 1, 2
"""How an event reaches a caller: not at all, as one that tells of a record gone out of sight, or in full."""

SCHEMA: Final = "schema"
GONE: Final = ("purged", "erased")
"""Verbs of events that carry nothing but ids."""

_EVENTS, _SNAPSHOTS = Event.__table__, EventSnapshot.__table__
_ORG: Final[sa.BindParameter[Any]] = sa.bindparam("org_id", type_=sa.Uuid())
_ONE: Final[ColumnElement[Any]] = sa.literal_column("1")


def _text(value: str) -> ColumnElement[str]:
    return sa.literal_column("'" + value.replace("'", "''") + "'", type_=sa.Text())


def _number(value: int) -> ColumnElement[int]:
    return sa.literal_column(str(value), type_=sa.Integer())


def _one_of(value: ColumnElement[Any], names: Iterable[str]) -> ColumnElement[bool]:
    return sa.or_(*(value == _text(name) for name in names))


def closed_objects(policy: Policy, objects: Iterable[str]) -> tuple[str, ...]:
    """Those of the objects of whose records the caller may not see all."""
    return tuple(sorted(name for name in objects if name in policy.whole and policy.looks_at(policy.whole[name]) != "nothing"))


def cut_objects(registry: Registry, whole: Registry) -> tuple[str, ...]:
    """The objects with fields that the caller may not know of, `schema` among them: it tells of all fields."""
    if registry is whole:
        return ()
    return (SCHEMA, *sorted(resource.name for resource in registry if resource.untold))


def personal(policy: Policy, objects: Iterable[str]) -> tuple[str, ...]:
    """The objects whose records are some single person's own: their events can't be read once for many readers."""
    private = sorted(name for name in objects if name in policy.whole and policy.whole[name].private is not None)
    return (JOBS, APPS, GRANTS, DELIVERIES, *private)


def instead(event: FromClause) -> dict[str, ColumnElement[Any]]:
    """What is told in place of an event's columns where its record is out of sight: nothing but that it is."""
    singular = sa.func.split_part(event.c.type, _text("."), _number(1))
    return {
        "type": singular.op("||", return_type=sa.Text())(_text(".hidden")),
        "actor": sa.literal_column("""'{"type": "system", "id": null}'::jsonb""", type_=JSONB()),
        "cause": sa.literal_column("""'{"action": "access.hide"}'::jsonb""", type_=JSONB()),
        "changes": sa.literal_column("'{}'::jsonb", type_=JSONB()),
    }


# --- records ---------------------------------------------------------------------------------------------------------------


def reach(policy: Policy, registry: Registry, event: FromClause, closed: Iterable[str], *, own_jobs: bool) -> ColumnElement[int]:
    """`NOWHERE`, `HIDDEN` or `SHOWN` for an event's row. `own_jobs`: of jobs and of what apps were allowed, only the caller's are shown."""
    names = tuple(closed)
    branches: list[tuple[ColumnElement[bool], ColumnElement[int]]] = []
    for name in names:
        if name == SEGMENTS:  # memberships come under the segments' name
            branches.append((_one_of(event.c.type, (ADDED, REMOVED)), _membership(policy, event, names)))
        branches.append((event.c.object == _text(name), _of_record(policy, policy.whole[name], event)))
    if SEGMENTS not in names and names:
        branches.append((_one_of(event.c.type, (ADDED, REMOVED)), _membership(policy, event, names)))
    link = link_seen(policy, registry, event) if names else None
    if link is not None:
        branches.append((event.c.object == _text(LINKS), sa.case((link, _number(SHOWN)), else_=_number(NOWHERE))))
    if own_jobs:
        branches.append((event.c.object == _text(JOBS), sa.case((_own_job(event), _number(SHOWN)), else_=_number(NOWHERE))))
        branches.append((_one_of(event.c.object, (APPS, GRANTS)), sa.case((_own_grant(event), _number(SHOWN)), else_=_number(NOWHERE))))
    if ENDPOINTS in names:
        endpoint = sa.cast(event.c.changes.op("#>>", return_type=sa.Text())(_text("{endpoint_id,new}")), sa.Uuid())
        known = reached_now(policy, policy.whole[ENDPOINTS], endpoint, "re")
        branches.append((event.c.object == _text(DELIVERIES), sa.case((known, _number(SHOWN)), else_=_number(NOWHERE))))
    if not branches:
        return _number(SHOWN)
    return sa.case(*branches, else_=_number(SHOWN))


def _of_record(policy: Policy, resource: AnyResource, event: FromClause) -> ColumnElement[int]:
    by_owner = policy.looks_at(resource) == "owner"
    sides: dict[str, ColumnElement[bool]] = {}
    for side in ("after", "before"):
        if by_owner:
            row: FromClause = _owned(event, side)
        else:
            row = row_after(resource, event) if side == "after" else row_before_it(resource, event)
        condition = policy.predicate(resource, row)
        assert condition is not None
        sides[side] = sa.exists(sa.select(_ONE).select_from(row).where(condition)).correlate(event)
    # The values that rules look at are gone with a purged record; its id says nothing to those who never saw it.
    verb = sa.func.split_part(event.c.type, _text("."), _number(2))
    known = sides["before"] if by_owner else sa.true()
    gone = sa.and_(_one_of(verb, GONE), known)
    lost = sides["before"]
    if not by_owner:
        # Of an event whose payload was removed nobody knows what the record was after it: that it is out of sight would be a guess.
        lost = sa.and_(lost, sa.exists(sa.select(_ONE).select_from(_kept(event))).correlate(event))
    return sa.case((sides["after"], _number(SHOWN)), (gone, _number(SHOWN)), (lost, _number(HIDDEN)), else_=_number(NOWHERE))


def _owned(event: FromClause, side: str) -> FromClause:
    """A row that has what decides where owners do: the record's id and who owned it."""
    owner = event.c.visibility.op("#>>", return_type=sa.Text())(sa.literal_column(f"'{{{side},owner_id}}'"))
    there = event.c.visibility.op("->>", return_type=sa.Text())(_text(side)).is_not(None)
    columns = (event.c.record_id.label("id"), sa.cast(owner, sa.Uuid()).label("owner_id"))
    return sa.select(*columns).where(there).correlate(event).lateral("r")


def _kept(event: FromClause) -> FromClause:
    kept = _SNAPSHOTS.alias("ra")
    return sa.select(kept.c.row).where(kept.c.org_id == _ORG, kept.c.event_id == event.c.id).correlate(event).lateral("rk")


def row_after(resource: AnyResource, event: FromClause) -> FromClause:
    """The record after an event, as a row of its table."""
    kept = _kept(event)
    row = row_of(resource.table, kept.c.row, "r")
    columns = [row.c[column.name] for column in resource.table.columns]
    return sa.select(*columns).select_from(kept.join(row, sa.true())).correlate(event).lateral("ar")


def row_before_it(resource: AnyResource, event: FromClause) -> FromClause:
    """The record before an event; no row for one that was made by it."""
    earlier, kept = _EVENTS.alias("rp"), _SNAPSHOTS.alias("rs")
    last = (
        sa.select(kept.c.row)
        .select_from(earlier.outerjoin(kept, sa.and_(kept.c.org_id == _ORG, kept.c.event_id == earlier.c.id)))
        .where(earlier.c.org_id == _ORG, earlier.c.record_id == event.c.record_id, earlier.c.version < event.c.version)
        .order_by(earlier.c.version.desc(), earlier.c.id.desc())
        .limit(_ONE)
        .correlate(event)
        .scalar_subquery()
    )
    present = _kept(event)
    old = row_before(resource.whole, f"{name_of(present)}.row", f"{name_of(event)}.changes")
    rebuilt = sa.select(old).select_from(present).correlate(event).scalar_subquery()
    there = event.c.visibility.op("->>", return_type=sa.Text())(_text("before")).is_not(None)
    found = sa.select(sa.func.coalesce(last, rebuilt).label("row")).where(there).correlate(event).lateral("rb")
    row = row_of(resource.table, found.c.row, "r")
    columns = [row.c[column.name] for column in resource.table.columns]
    return sa.select(*columns).select_from(found.join(row, sa.true())).correlate(event).lateral("br")


# --- what is no record ------------------------------------------------------------------------------------------------------


def _end(event: FromClause, index: int) -> ColumnElement[Any]:
    return sa.cast(event.c.related.op("->>", return_type=sa.Text())(sa.literal_column(str(index))), sa.Uuid())


def link_seen(policy: Policy, registry: Registry, event: FromClause) -> ColumnElement[bool] | None:
    """Whether the caller sees both ends of the link that an event is about; None where that is so of all."""
    kept = _kept(event)
    named: list[Any] = [
        event.c.changes.op("#>>", return_type=sa.Text())(sa.literal_column(f"'{{relation,{side}}}'")) for side in ("new", "old")
    ]
    stored = sa.select(kept.c.row.op("->>", return_type=sa.Text())(_text("relation"))).select_from(kept).correlate(event).scalar_subquery()
    return both_ends(policy, edges_of(registry), sa.func.coalesce(*named, stored), _end(event, 0), _end(event, 1))


def _membership(policy: Policy, event: FromClause, closed: Iterable[str]) -> ColumnElement[int]:
    """That a record came into a segment, or left it, is for those who see the record."""
    sides = [event.c.changes.op("#>>", return_type=sa.Text())(sa.literal_column(f"'{{object,{side}}}'")) for side in ("new", "old")]
    name = sa.func.coalesce(*sides)
    branches = [(name == _text(one), reached_now(policy, policy.whole[one], _end(event, 1), "rm")) for one in closed if one != SEGMENTS]
    unseen = sorted(policy.principal.rights.unseen)
    hidden = [(name == _text(one), sa.false()) for one in unseen]
    if not branches and not hidden:
        return _number(SHOWN)
    return sa.case((sa.case(*branches, *hidden, else_=sa.true()), _number(SHOWN)), else_=_number(NOWHERE))


def _own_job(event: FromClause) -> ColumnElement[bool]:
    kept = _kept(event)
    whose = kept.c.row.op("->>", return_type=sa.Text())(_text("user_id"))
    return sa.exists(sa.select(_ONE).select_from(kept).where(whose == sa.cast(CALLER, sa.Text()))).correlate(event)


def _own_grant(event: FromClause) -> ColumnElement[bool]:
    """Whether what an app was allowed, or has lost, is the caller's. Nobody but administrators is told of the apps themselves."""
    whose = event.c.visibility.op("#>>", return_type=sa.Text())(_text("{after,user_id}"))
    return sa.func.coalesce(whose == sa.cast(CALLER, sa.Text()), sa.false())


# --- fields -----------------------------------------------------------------------------------------------------------------


def unknown_parameter(name: str) -> str:
    """The parameter with the fields of an object that the caller may not know of."""
    return f"unknown_{name}"


def unknown_values(registry: Registry, cut: Iterable[str]) -> Mapping[str, list[str]]:
    """The values of these parameters."""
    return {unknown_parameter(name): _unknown(registry, name) for name in cut}


def _unknown(registry: Registry, name: str) -> list[str]:
    if name != SCHEMA:
        return sorted(registry[name].untold)
    found = []
    for resource in registry:
        prefix = "" if resource.made is not None else "custom_fields."
        found += [f"{resource.name}.{field.removeprefix(prefix)}" for field in resource.hidden]
    return sorted(found)


def known_changes(registry: Registry, event: FromClause, cut: Iterable[str]) -> ColumnElement[Any]:
    """An event's changes without the fields that the caller may not know of."""
    names = tuple(cut)
    if not names:
        return event.c.changes
    branches = [(event.c.object == _text(name), _without(registry, event, name)) for name in names]
    return sa.case(*branches, else_=event.c.changes)


def _without(registry: Registry, event: FromClause, name: str) -> ColumnElement[Any]:
    member = sa.func.jsonb_each(event.c.changes).table_valued(sa.column("key", sa.Text()), sa.column("value", JSONB())).alias("m")
    key = member.c.key
    unknown = sa.all_(sa.bindparam(unknown_parameter(name), type_=ARRAY(sa.Text())))
    head = sa.func.split_part(key, _text("."), _number(1))
    # of a list of ids outside, and the like, the members come one by one: `external_ids.hubspot`
    keep = [key != unknown]
    if name == SCHEMA:
        known = sa.bindparam(SEEN_OBJECTS, type_=ARRAY(sa.Text()))
        keep.append(head == sa.any_(known))
    else:
        keep.append(head != unknown)
    nothing = sa.literal_column("'{}'::jsonb", type_=JSONB())
    kept = sa.func.coalesce(sa.func.jsonb_object_agg(key, member.c.value), nothing)
    return sa.select(kept).select_from(member).where(*keep).correlate(event).scalar_subquery()


SEEN_OBJECTS: Final = "seen_objects"
"""The parameter with the objects that the caller may know of."""


def tells_nothing(event: FromClause, changes: ColumnElement[Any], cut: Iterable[str]) -> ColumnElement[bool]:
    """Whether nothing is left of an update's changes once they are cut."""
    empty = sa.literal_column("'{}'::jsonb", type_=JSONB())
    updated = sa.func.split_part(event.c.type, _text("."), _number(2)) == _text("updated")
    about = _one_of(event.c.object, cut)
    return sa.and_(about, updated, event.c.changes != empty, changes == empty)
