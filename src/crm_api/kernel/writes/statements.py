"""The writer's statements, each compiled once per table (and set of columns)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.event_rows import kept_columns, parts
from crm_api.kernel.fields import fields_of
from crm_api.kernel.query.projection import UNSHOWN, record_json
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.writes.shape import Shape, json_columns, plain_type
from crm_api.models.base import table as table_of
from crm_api.models.platform import ExternalId, Tombstone

UUID_TYPE = PgUUID(as_uuid=True)
ORG = sa.bindparam("org_id", type_=UUID_TYPE)
IDS = sa.bindparam("ids", type_=ARRAY(UUID_TYPE))


EXTERNAL_IDS = table_of(ExternalId)
TOMBSTONES = table_of(Tombstone)


def insert_records(context: Context, shape: Shape, *, client_ids: bool, with_events: bool) -> Statement:
    """Inserts rows, skips those in conflict, and returns id and canonical JSON of the inserted ones."""

    def build() -> Statement:
        table = shape.table
        given = json_columns("u", "rows", {name: plain_type(table.c[name]) for name in shape.stored})
        source = sa.select(ORG, *(given.c[name] for name in shape.stored))
        if client_ids:  # a purged record's id never comes back
            gone: sa.Select[Any] = sa.select(sa.literal_column("1")).where(TOMBSTONES.c.org_id == ORG, TOMBSTONES.c.id == given.c.id)
            source = source.where(~sa.exists(gone))
        written = (
            insert(table)
            .from_select(["org_id", *shape.stored], source, include_defaults=False)
            .on_conflict_do_nothing()
            .returning(*_returned(shape, with_events))
            .cte("w")
        )
        return compile_statement(_answer(seen, written, with_events))

    seen = context.seen(shape.resource)
    return context.statements.get(("insert", seen.key, client_ids, with_events), build)


def update_records(context: Context, shape: Shape, columns: frozenset[str], *, with_events: bool, shown: bool = True) -> Statement:
    """Sets the given columns of each row, and returns id and canonical JSON; with `shown` False neither."""

    def build() -> Statement:
        table = shape.table
        names = sorted(columns)
        given = json_columns("u", "rows", {"id": UUID_TYPE, **{name: plain_type(table.c[name]) for name in names}})
        changed = (
            sa.update(table).values({name: given.c[name] for name in names}).where(table.c.org_id == ORG, table.c.id == given.c.id)
        )
        if not shown:
            return compile_statement(changed)
        written = changed.returning(*_returned(shape, with_events)).cte("w")
        return compile_statement(_answer(seen, written, with_events))

    seen = context.seen(shape.resource)
    return context.statements.get(("update", seen.key, columns, with_events, shown), build)


def _returned(shape: Shape, with_events: bool) -> list[sa.ColumnElement[Any]]:
    if with_events:
        return kept_columns(shape.table)
    names = {field.column: None for field in fields_of(shape.table).values()}
    return [shape.table.c[name] for name in names]


def _answer(seen: AnyResource, written: sa.CTE, with_events: bool) -> sa.Select[Any]:
    """Id and JSON of what was written, as the caller may see it; `with_events` the statement writes their events too, given as `events`."""
    found = sa.select(written.c.id, record_json(seen, written))
    return found.add_cte(*parts(seen.name, written)) if with_events else found


LEVEL = "_level"
"""The column that tells how far a caller reaches a locked record."""


def lock_records(context: Context, shape: Shape, *, going: bool, leveled: bool = False) -> Statement:
    """The rows of the given ids, locked against other writers in the order of ids; deleted ones too. `leveled`: with `LEVEL`.

    `going` locks out those too who are about to refer to the rows: who changes a record doesn't disturb them, who deletes
    it has to see what they write (`Lookup.hold` is the other half).
    """

    def build() -> Statement:
        table = shape.table
        columns: list[sa.ColumnElement[Any]] = [table.c[name] for name in shape.columns]
        level = policy.level(shape.resource, table) if leveled else None
        if level is not None:
            columns.append(level.label(LEVEL))
        return compile_statement(
            sa.select(*columns)
            .where(table.c.org_id == ORG, table.c.id == sa.any_(IDS), *shape.resource.scope(table))
            .order_by(table.c.id)
            .with_for_update(key_share=not going)
        )

    policy = context.policy
    return context.statements.get(("lock", going, shape.key, (policy.shape, context.whole.key) if leveled else None), build)


def read_records(context: Context, resource: AnyResource) -> Statement:
    """Id and canonical JSON of the given ids."""

    def build() -> Statement:
        table = resource.table
        mine = (table.c.org_id == ORG, table.c.id == sa.any_(IDS), *resource.scope(table))
        rows = sa.select(*(c for c in table.c if c.name not in UNSHOWN)).where(*mine).subquery("w")
        return compile_statement(sa.select(rows.c.id, record_json(seen, rows)))

    seen = context.seen(resource)
    return context.statements.get(("read", seen.key), build)


def remove_records(context: Context, shape: Shape) -> Statement:
    """Deletes rows for good."""

    def build() -> Statement:
        table = shape.table
        return compile_statement(sa.delete(table).where(table.c.org_id == ORG, table.c.id == sa.any_(IDS)))

    return context.statements.get(("remove", shape.key), build)


def find_existing(context: Context, shape: Shape, fields: Sequence[str]) -> Statement:
    """Which live records hold the keys given as `k<number of the field>`, and which ids exist at all (`ids`, tombstones included)."""

    def build() -> Statement:
        table = shape.table
        parts: list[sa.Select[Any]] = [
            sa.select(sa.literal_column("'id'").label("field"), sa.cast(table.c.id, sa.Text).label("key"), table.c.id).where(
                table.c.org_id == ORG, table.c.id == sa.any_(IDS)
            ),
            sa.select(sa.literal_column("'id'"), sa.cast(TOMBSTONES.c.id, sa.Text), TOMBSTONES.c.id).where(
                TOMBSTONES.c.org_id == ORG, TOMBSTONES.c.id == sa.any_(IDS)
            ),
        ]
        for index, name in enumerate(fields):
            key = shape.resource.all_fields[name].unique_key(table)
            wanted = sa.bindparam(f"k{index}", type_=ARRAY(sa.Text))
            parts.append(
                sa.select(sa.literal_column(f"'{name}'"), sa.cast(key, sa.Text), table.c.id).where(
                    table.c.org_id == ORG, table.c.deleted_at.is_(None), key == sa.any_(wanted), *shape.resource.scope(table)
                )
            )
        return compile_statement(sa.union_all(*parts))

    return context.statements.get(("existing", shape.key, tuple(fields)), build)


def _external_columns() -> dict[str, sa.types.TypeEngine[Any]]:
    return {"system": sa.Text(), "value": sa.Text(), "record_id": UUID_TYPE}


def insert_external_ids(context: Context) -> Statement:
    """Takes external ids; answers with those that could be taken."""

    def build() -> Statement:
        given = json_columns("u", "rows", _external_columns())
        kind = sa.bindparam("object", type_=sa.Text)
        source = sa.select(ORG, kind, given.c.system, given.c.value, given.c.record_id).order_by(given.c.system, given.c.value)
        statement = insert(EXTERNAL_IDS).from_select(["org_id", "object", "system", "value", "record_id"], source, include_defaults=False)
        return compile_statement(
            statement.on_conflict_do_nothing().returning(EXTERNAL_IDS.c.record_id, EXTERNAL_IDS.c.system, EXTERNAL_IDS.c.value)
        )

    return context.statements.get(("external", "insert"), build)


def holders_of_external_ids(context: Context) -> Statement:
    """Who holds the given external ids."""

    def build() -> Statement:
        given = json_columns("u", "rows", _external_columns())
        ids = EXTERNAL_IDS
        return compile_statement(
            sa.select(ids.c.system, ids.c.value, ids.c.record_id)
            .select_from(ids.join(given, sa.and_(ids.c.system == given.c.system, ids.c.value == given.c.value)))
            .where(ids.c.org_id == ORG, ids.c.object == sa.bindparam("object", type_=sa.Text))
        )

    return context.statements.get(("external", "holders"), build)


def drop_external_ids(context: Context) -> Statement:
    """Gives back the given external ids of their records."""

    def build() -> Statement:
        given = json_columns("u", "rows", _external_columns())
        ids = EXTERNAL_IDS
        return compile_statement(
            sa.delete(ids).where(
                ids.c.org_id == ORG,
                ids.c.object == sa.bindparam("object", type_=sa.Text),
                ids.c.system == given.c.system,
                ids.c.value == given.c.value,
                ids.c.record_id == given.c.record_id,
            )
        )

    return context.statements.get(("external", "drop"), build)
