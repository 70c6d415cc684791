"""Events as rows: the statement that stores them, with their outbox rows and snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.writes.shape import SEARCH_COLUMNS, json_columns
from crm_api.models.base import table as table_of
from crm_api.models.events import Event, EventSnapshot, OutboxRow

_ORG: Final = sa.bindparam("org_id", type_=PgUUID(as_uuid=True))

_COLUMNS: Final[dict[str, sa.types.TypeEngine[Any]]] = {
    "id": PgUUID(as_uuid=True),
    "type": sa.Text(),
    "object": sa.Text(),
    "record_id": PgUUID(as_uuid=True),
    "version": sa.BigInteger(),
    "occurred_at": TIMESTAMP(timezone=True),
    "actor": JSONB(),
    "cause": JSONB(),
    "changes": JSONB(),
    "visibility": JSONB(),
    "transaction_id": PgUUID(as_uuid=True),
    "transaction_index": sa.Integer(),
    "transaction_last": sa.Boolean(),
    "related": JSONB(),
}


def statement(tables: Sequence[tuple[str, sa.Table]]) -> Statement:
    """Inserts events, outbox rows and the rows of the named tables as they are now, in one round trip."""
    given = sa.select(*json_columns("u", "events", _COLUMNS).c).cte("given")
    return compile_statement(sa.select(sa.literal_column("1")).add_cte(*_parts(given, tables)))


def parts(name: str, stored: sa.CTE) -> list[sa.CTE]:
    """What a statement that stores records of an object does beside: inserts the events given as `events`, with outbox rows and
    snapshots, of those records that it has stored, whose rows `stored` returns (`kept_columns`)."""
    u = json_columns("u", "events", _COLUMNS)
    given = sa.select(*u.c).select_from(u.join(stored, stored.c.id == u.c.record_id)).cte("given")
    return _parts(given, [(name, stored)])


def kept_columns(table: sa.FromClause) -> list[sa.ColumnElement[Any]]:
    """The columns of a snapshot."""
    return [c for c in table.c if c.name not in SEARCH_COLUMNS]


def _parts(given: sa.CTE, tables: Sequence[tuple[str, sa.FromClause]]) -> list[sa.CTE]:
    events, outbox, snapshots = table_of(Event), table_of(OutboxRow), table_of(EventSnapshot)
    found = [
        sa.insert(events).from_select(["org_id", *_COLUMNS], sa.select(_ORG, *given.c), include_defaults=False).cte("written"),
        sa.insert(outbox).from_select(["org_id", "event_id"], sa.select(_ORG, given.c.id)).cte("queued"),
    ]
    for name, table in tables:
        columns = sa.select(*kept_columns(table)).correlate(table).subquery("_s")
        row = sa.select(sa.func.to_jsonb(sa.literal_column("_s"))).select_from(columns).scalar_subquery()
        kept = (
            sa.select(_ORG, given.c.id, row)
            .select_from(given.join(table, table.c.id == given.c.record_id))
            .where(table.c.org_id == _ORG, given.c.object == sa.literal_column(f"'{name}'"))
        )
        found.append(sa.insert(snapshots).from_select(["org_id", "event_id", "row"], kept).cte(f"kept_{len(found)}"))
    return found
