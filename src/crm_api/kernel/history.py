"""The past, read from the event log: one record's history, and whole tables as they were at an instant."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.core.clock import format_timestamp
from crm_api.core.cursor import decode_cursor, encode_cursor, query_digest
from crm_api.core.errors import BadRequest, FieldError, InvalidCursor, InvalidValue, NotFound, TooExpensive
from crm_api.db.statement import Statement
from crm_api.kernel.context import Context
from crm_api.kernel.fields import TIMESTAMP_FORMAT, fields_of
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

SEARCHABLE: Final = timedelta(days=30)
"""How far back a whole table can be read."""

MAX_CHANGED: Final = 100_000
"""How many records may have changed since the instant that a whole table is read at."""

_KEY: Final = b"history"
_KIND: Final = "history"

# `changes` of one field only, if one is asked for, and without `unknown` ones, which the caller may not know of.
_KNOWN_NAME: Final = "NOT (m.k = ANY ($8::text[]) OR split_part(m.k, '.', 1) = ANY ($8::text[]))"
_HISTORY: Final = Statement(
    f"""
    SELECT x.version, x.id, row_to_json(x)::text AS json
      FROM (SELECT e.id, e.version, to_char(e.occurred_at AT TIME ZONE 'UTC', '{TIMESTAMP_FORMAT}') AS occurred_at,
                   e.actor, e.cause, e.type,
                   CASE WHEN $3::text IS NOT NULL THEN jsonb_build_object($3::text, e.changes -> $3::text)
                        WHEN $8::text[] IS NULL THEN e.changes
                        ELSE (SELECT coalesce(jsonb_object_agg(m.k, m.v), '{{}}') FROM jsonb_each(e.changes) AS m (k, v)
                               WHERE {_KNOWN_NAME}) END AS changes
              FROM events e
             WHERE e.org_id = $1 AND e.record_id = $2 AND e.object = $4
               AND ($3::text IS NULL OR e.changes ? $3::text)
               AND ($8::text[] IS NULL OR e.type NOT LIKE '%.updated' OR e.changes = '{{}}'
                    OR EXISTS (SELECT FROM jsonb_object_keys(e.changes) AS m (k) WHERE {_KNOWN_NAME}))
               AND ($5::bigint IS NULL OR (e.version, e.id) < ($5::bigint, $6::uuid))
             ORDER BY e.version DESC, e.id DESC LIMIT $7) x
     ORDER BY x.version DESC, x.id DESC
    """,
    ("org_id", "record_id", "field", "object", "version", "id", "limit", "unknown"),
)

_KNOWN: Final = Statement(
    "SELECT EXISTS (SELECT FROM events WHERE org_id = $1 AND record_id = $2 AND object = $3)", ("org_id", "record_id", "object")
)


async def history(
    context: Context, resource: AnyResource, record_id: UUID, *, field: str | None = None, cursor: str | None = None, limit: int = 50
) -> tuple[list[bytes], str | None]:
    """The events of one record, newest first, as JSON, and the cursor of the next page.

    With `field` only the events that changed it, showing no other. Deleted and purged records keep their history. Raises
    NotFound for a record that never was, BadRequest for an unknown field, InvalidCursor.
    """
    if field is not None and not _may_ask_for(resource, field):
        raise BadRequest(errors=[FieldError("unknown_field", parameter="field", allowed=list(resource.all_fields))])
    digest = query_digest(record_id.hex, field)
    version, last = None, None
    if cursor is not None:
        version, last = decode_cursor(_KEY, _KIND, digest, cursor)
        if not isinstance(version, int) or not isinstance(last, UUID):
            raise InvalidCursor("malformed")
    about = {"org_id": context.principal.org_id, "record_id": record_id, "object": resource.name}
    unknown = sorted(resource.untold) or None
    values = {**about, "field": field, "version": version, "id": last, "limit": limit + 1, "unknown": unknown}
    rows = await context.uow.fetch(_HISTORY, values)
    if not rows and cursor is None and not await context.uow.fetch_value(_KNOWN, about):
        raise NotFound()
    more = len(rows) > limit
    rows = rows[:limit]
    following = encode_cursor(_KEY, _KIND, digest, [rows[-1]["version"], rows[-1]["id"]]) if more else None
    return [row["json"].encode() for row in rows], following


def _may_ask_for(resource: AnyResource, field: str) -> bool:
    """Whether a field is one of the object's. Of what was archived the past can be asked for by name, but not by those from whom
    something is hidden: they couldn't be told apart."""
    head = field.partition(".")[0]
    if resource.hidden and head == "custom_fields":
        return field in resource.all_fields
    return head in resource.fields and head not in resource.masked


# --- whole tables ------------------------------------------------------------------------------------------------------


def table_as_of(resource: AnyResource, parameter: str) -> FromClause:
    """What stands for the resource's table at an instant, which is the statement's value `parameter`.

    Rows not changed since are the present ones. Of each of the others: the snapshot beside its last event before the
    instant; where that event is older than snapshots are kept, the present row with the old values of the events since. Its
    search columns are empty, its folded keys (in that last case) those that PostgreSQL can make. Records made since are
    absent, purged ones too.
    """
    table = resource.table
    columns = ", ".join(_quoted(column.name) for column in table.columns)
    bindings = (sa.bindparam("org_id", type_=sa.Uuid()), sa.bindparam(parameter, type_=TIMESTAMP(timezone=True)))
    text = sa.text(_table_text(resource, columns, parameter)).bindparams(*bindings)
    return text.columns(*(sa.column(column.name, column.type) for column in table.columns)).subquery()


def _table_text(resource: AnyResource, columns: str, at: str) -> str:
    name = resource.table.name
    here = ", ".join(f"t.{column}" for column in columns.split(", "))
    past = ", ".join(f"r.{column}" for column in columns.split(", "))
    return f"""
    SELECT {here} FROM {name} t WHERE t.org_id = :org_id AND t.updated_at <= :{at}
    UNION ALL
    SELECT {past}
      FROM {name} t
     CROSS JOIN LATERAL (
           SELECT e.id, e.version, e.occurred_at, e.actor FROM events e
            WHERE e.org_id = :org_id AND e.record_id = t.id AND e.occurred_at <= :{at} ORDER BY e.id DESC LIMIT 1) b
      LEFT JOIN event_snapshots s ON s.org_id = :org_id AND s.event_id = b.id
     CROSS JOIN LATERAL jsonb_populate_record(null::{name}, coalesce(s.row, {_rebuilt(resource, at)})) r
     WHERE t.org_id = :org_id AND t.updated_at > :{at}
    """


def _rebuilt(resource: AnyResource, at: str) -> str:
    """The row before the events since, from the present one; each field's value is the `old` of the first event that changed it."""
    parts = [*_put_back(resource), "jsonb_build_object('version', b.version, 'updated_at', b.occurred_at, 'updated_by', b.actor)"]
    return f"""(
        SELECT {" || ".join(parts)}
          FROM (SELECT {_olds("e.id DESC")}
                  FROM events e CROSS JOIN LATERAL jsonb_each(e.changes) c
                 WHERE e.org_id = :org_id AND e.record_id = t.id AND e.occurred_at > :{at}) o)"""


def row_before(resource: AnyResource, row: str, changes: str) -> ColumnElement[Any]:
    """A record's row before one event, from the one after it: `row` and `changes` are columns, in SQL."""
    name = resource.table.name
    return sa.literal_column(
        f"""(
        SELECT {" || ".join(_put_back(resource))}
          FROM jsonb_populate_record(null::{name}, {row}) t
         CROSS JOIN LATERAL (SELECT {_olds("c.key")} FROM jsonb_each({changes}) c) o)""",
        type_=JSONB(),
    )


def _olds(order: str) -> str:
    """The old values of changes `c`: of fields, and of the members of fields that are told apart."""
    chosen = f"coalesce(jsonb_object_agg(c.key, c.value -> 'old' ORDER BY {order})"
    return f"{chosen} FILTER (WHERE c.key NOT LIKE '%.%'), '{{}}') AS plain, {chosen} FILTER (WHERE c.key LIKE '%.%'), '{{}}') AS members"


def _put_back(resource: AnyResource) -> list[str]:
    """The parts of a row `t` with old values `o` put back, later ones over earlier ones."""
    stored = fields_of(resource.table)
    members = [name for name, f in stored.items() if f.type in (FieldType.EXTERNAL_IDS, FieldType.CUSTOM_FIELDS)]
    parts = ["to_jsonb(t)", "o.plain"]
    if resource.made is not None:
        own = ", ".join(f"'{name}'" for name in resource.custom)
        mine = f"FROM jsonb_each(o.plain) AS m(k, v) WHERE k = ANY (ARRAY[{own}]::text[])"
        replaced = f"SELECT coalesce(jsonb_object_agg(k, v), '{{}}') {mine}"
        parts.append(f"jsonb_build_object('custom_fields', jsonb_strip_nulls(t.custom_fields || ({replaced})))")
        members.remove("custom_fields")
    for member in members:
        replaced = f"SELECT coalesce(jsonb_object_agg(substr(k, {len(member) + 2}), v), '{{}}') FROM jsonb_each(o.members) AS m(k, v)"
        inside = f"jsonb_strip_nulls(t.{member} || ({replaced}"
        parts.append(f"jsonb_build_object('{member}', {inside} WHERE k LIKE '{member}.%')))")
    twins = [f for f in stored.values() if f.key != f.column and f.name != "display_name" and f.type is not FieldType.CUSTOM_FIELDS]
    keys = [f"'{f.key}', {_key(f.name, f.type)}" for f in twins]
    parts.append("jsonb_build_object('custom_fields_key', NULL)")
    parts += [f"jsonb_build_object({', '.join(keys[i : i + 40])})" for i in range(0, len(keys), 40)]
    return [*parts, _display(resource)]


def _key(field: str, kind: FieldType) -> str:
    """The folded twin of an old value, near enough: what Python folds beyond this (ß to ss) is rare."""
    old = f"o.plain ->> '{field}'"
    if kind is FieldType.PHONE:
        folded = f"to_jsonb(regexp_replace({old}, '[^0-9+]', '', 'g'))"
    elif kind is FieldType.ADDRESS:
        folded = f"lower({old})::jsonb"
    else:
        folded = f"to_jsonb({_folded(old)})"
    return f"CASE WHEN o.plain ? '{field}' THEN {folded} ELSE to_jsonb(t.{field}_key) END"


def _folded(text: str) -> str:
    return rf"lower(regexp_replace(normalize({text}, NFKD), '[\u0300-\u036f]', '', 'g'))"


def _display(resource: AnyResource) -> str:
    """The display name follows from other fields, so no event tells its old value; it is made again from those that usually hold it."""
    fields = resource.fields
    if "first_name" in fields:
        old = "nullif(concat_ws(' ', coalesce(o.plain ->> 'first_name', CASE WHEN o.plain ? 'first_name' THEN NULL ELSE t.first_name END), "
        old += "coalesce(o.plain ->> 'last_name', CASE WHEN o.plain ? 'last_name' THEN NULL ELSE t.last_name END)), '')"
    else:
        source = next((name for name in ("name", "subject", "title", "label", "email") if name in fields), None)
        if source is None:
            return "'{}'::jsonb"
        old = f"o.plain ->> '{source}'"
    name = f"coalesce({old}, t.display_name)"
    return f"jsonb_build_object('display_name', {name}, 'display_name_key', {_folded(name)})"


def _quoted(name: str) -> str:
    return '"' + name + '"'


async def check_as_of(context: Context, resource: AnyResource, at: datetime, *, parameter: str = "as_of") -> None:
    """Whether a whole table can be read as it was at `at`.

    Raises BadRequest for an instant in the future, TooExpensive for one too long ago or with too many changes since.
    """
    now = context.uow.now
    if at > now:
        raise BadRequest(errors=[InvalidValue("max", max=format_timestamp(now)).at(parameter=parameter)])
    if now - at > SEARCHABLE:
        raise TooExpensive("as_of_days", SEARCHABLE.days, (now - at).days)
    changed = await context.uow.fetch_value(_changed_count(context, resource), {"org_id": context.principal.org_id, "at": at})
    if changed > MAX_CHANGED:
        raise TooExpensive("as_of_changed_records", MAX_CHANGED)


def _changed_count(context: Context, resource: AnyResource) -> Statement:
    name = resource.table.name
    text = f"SELECT count(*) FROM (SELECT FROM {name} WHERE org_id = $1 AND updated_at > $2 LIMIT {MAX_CHANGED + 1}) x"
    return context.statements.get(("changed_count", name), lambda: Statement(text, ("org_id", "at")))


__all__ = ["MAX_CHANGED", "SEARCHABLE", "check_as_of", "history", "row_before", "table_as_of"]
