"""An event as the contract shows it, built by PostgreSQL: one shape for journal, stream and webhooks.

`record` is made from the snapshot beside the event by the same projection that reads use, so a consumer sees what a GET gave
at that version. Without a snapshot (purged, or older than snapshots are kept) it is null.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.db.statement import compile_statement
from crm_api.kernel.fields import name_of, timestamp_text
from crm_api.kernel.job_json import JOBS, job_columns
from crm_api.kernel.query.projection import record_columns
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource
from crm_api.models.base import table
from crm_api.models.jobs import Job
from crm_api.models.platform import Link

LINKS = "links"
SHARES = "shares"
"""The object of events about single shares of records, see `kernel/access/shares.py`."""


def row_of(table: sa.Table, stored: ColumnElement[Any], name: str) -> FromClause:
    """A stored row as a row of its table again. Columns that the table got since are null."""
    null_row: ColumnElement[Any] = sa.literal_column(f"null::{table.name}")
    columns = [sa.column(column.name, column.type) for column in table.columns]
    return sa.func.jsonb_populate_record(null_row, stored).table_valued(*columns).alias(name)


def event_columns(
    registry: Registry, event: FromClause, seq: ColumnElement[Any], snapshot: ColumnElement[Any], objects: Iterable[str]
) -> list[ColumnElement[Any]]:
    """The members of the event, in order. `snapshot` is the stored row or null; `objects` are those whose records the reader may see.

    The statement's parameters `api_version` and `test` are what the reader is bound to and whether this is a sandbox.
    """
    return [
        event.c.id,
        seq.label("seq"),
        event.c.type,
        event.c.org_id,
        event.c.object,
        event.c.record_id,
        event.c.version,
        timestamp_text(event.c.occurred_at).label("occurred_at"),
        sa.bindparam("api_version", type_=sa.Text()).label("api_version"),
        event.c.actor,
        event.c.cause,
        _object(id=event.c.transaction_id, index=event.c.transaction_index, last=event.c.transaction_last).label("transaction"),
        event.c.changes,
        _record(registry, event.c.object, snapshot, sorted(objects)).label("record"),
        sa.bindparam("test", type_=sa.Boolean()).label("test"),
    ]


def as_json(row: FromClause) -> ColumnElement[str]:
    """A whole row of a sub-select as JSON text."""
    return sa.cast(sa.func.row_to_json(sa.literal_column(name_of(row))), sa.Text())


def _record(registry: Registry, object_name: ColumnElement[Any], snapshot: ColumnElement[Any], objects: list[str]) -> ColumnElement[Any]:
    branches = []
    for name in objects:
        resource = registry.get(name)
        if resource is not None:
            branches.append((name, _record_of(resource, snapshot)))
        elif name == LINKS:
            branches.append((name, _link_of(snapshot)))
        elif name == JOBS:
            branches.append((name, _job_of(snapshot)))
    if not branches:
        return sa.cast(sa.null(), sa.JSON())
    chosen = sa.case(*((object_name == sa.literal_column(f"'{name}'"), record) for name, record in branches))
    return sa.case((snapshot.is_not(None), chosen))


def _record_of(resource: AnyResource, snapshot: ColumnElement[Any]) -> ColumnElement[Any]:
    """The record that a snapshot is of. Its text is kept with the object, since a statement about events has every object's, and
    each organisation with fields of its own, each reader with rights of their own has statements of their own.
    """
    place = compile_statement(snapshot).sql
    kept = resource.texts.get(("event", place))
    if kept is not None:
        return sa.literal_column(kept, sa.JSON())
    row = row_of(resource.table, sa.literal_column(place, JSONB()), "w")
    inner = sa.select(*record_columns(resource, row)).select_from(row).subquery("_r")
    record = sa.select(sa.func.row_to_json(sa.literal_column("_r"))).select_from(inner).scalar_subquery()
    compiled = compile_statement(record)
    if not compiled.names:  # a text can't carry parameters, such as the present moment
        resource.texts["event", place] = compiled.sql
    return record


def _link_of(snapshot: ColumnElement[Any]) -> ColumnElement[Any]:
    link = row_of(table(Link), snapshot, "w")
    columns = link_columns(link)
    inner = sa.select(*columns).select_from(link).subquery("_r")
    return sa.select(sa.func.row_to_json(sa.literal_column("_r"))).select_from(inner).scalar_subquery()


def _job_of(snapshot: ColumnElement[Any]) -> ColumnElement[Any]:
    job = row_of(table(Job), snapshot, "w")
    # What was asked for may name records of objects that the reader may not read.
    columns = [column for column in job_columns(job) if column.key != "request"]
    inner = sa.select(*columns).select_from(job).subquery("_r")
    return sa.select(sa.func.row_to_json(sa.literal_column("_r"))).select_from(inner).scalar_subquery()


def link_columns(link: FromClause) -> list[ColumnElement[Any]]:
    """The select list of a link as the contract shows it."""
    return [
        link.c.id,
        link.c.relation,
        _object(object=link.c.from_object, id=link.c.from_id).label("from"),
        _object(object=link.c.to_object, id=link.c.to_id).label("to"),
        link.c.attributes,
        link.c.version,
    ]


def _object(**members: ColumnElement[Any]) -> ColumnElement[Any]:
    parts: list[Any] = []
    for name, value in members.items():
        parts += [sa.literal_column(f"'{name}'"), value]
    return sa.func.json_build_object(*parts, type_=JSONB())
