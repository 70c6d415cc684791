"""Reading a board: its columns with counts, sums and the first page of cards each, in one statement.

Cards that were put somewhere by hand come first, by rank, then all others as they were made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement, FromClause, Select

from crm_api.core.cursor import CursorValue, decode_cursor, encode_cursor, query_digest
from crm_api.core.errors import InvalidCursor
from crm_api.core.money import decimal_text, money_text
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.board import BoardColumns, column_rows, own_rank, position_join
from crm_api.kernel.context import Context
from crm_api.kernel.fields import Field
from crm_api.kernel.history import table_as_of
from crm_api.kernel.labels import Labeller
from crm_api.kernel.query.abilities import Abilities
from crm_api.kernel.query.compiler import ReadCompiler, journal_head
from crm_api.kernel.query.filters import ORG
from crm_api.kernel.query.plan import Plan
from crm_api.kernel.query.projection import as_text, stored_columns
from crm_api.kernel.query.request import ReadRequest
from crm_api.kernel.reader import Reader
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

KIND: Final = "board"
NONE: Final = "null"
"""How the column of records without a value is named in parameters."""


@dataclass(frozen=True, slots=True)
class BoardQuery:
    """What is asked for. `request` is the list that the board shows, `column` the key of the only column wanted (`null` for the
    one of records without a value), `parent` the record whose columns are shown, `sums` the figures above each."""

    request: ReadRequest
    columns: BoardColumns
    sums: dict[str, Field]
    parent: UUID | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `data` is the inside of a JSON array."""

    key: str | None
    label: str | None
    count: int
    sums: dict[str, Any]
    data: bytes
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class _Shape:
    """What of a board's query changes the text of its statement."""

    plan: Plan
    field: str
    sums: tuple[str, ...]
    of_default: bool
    only: str | None
    seek: str | None


async def read_board(
    context: Context, reader: Reader, resource: AnyResource, query: BoardQuery, *, labels: Labeller | None = None
) -> tuple[list[Column], int]:
    """The columns, and the journal's number that they contain. No columns: there is no such parent, or no such column.

    Raises InvalidCursor.
    """
    request, columns = query.request, query.columns
    who = {"org_id": context.uow.org_id, **context.policy.values}
    values: dict[str, Any] = {**who, **{f"v{slot}": value for slot, value in enumerate(request.values)}}
    values.update(keys=[key for key, _ in columns.options], labels=[label for _, label in columns.options])
    values.update(parent=query.parent, column=query.column, currency=context.principal.organization.currency)
    seek = None
    if request.cursor is not None:
        seek = _seek(reader.signing_key(context), _digest(resource, query, query.column), request.cursor, values)
    only = None if query.column is None else "none" if query.column == NONE else "one"
    plan = request.plan
    kept = Plan(plan.object, plan.fields, plan.expand, plan.filter, limit=plan.limit, labels=labels is not None, abilities=plan.abilities)
    shape = _Shape(kept, columns.field.name, tuple(query.sums), query.parent is None, only, seek)
    policy = context.policy
    context.plan_by_values(resource)
    named = frozenset() if labels is None else policy.readable(context.registry)
    abilities = Abilities.of(policy, context.registry) if plan.abilities else None
    sums = tuple(found.name for found in query.sums.values())
    key = ("board", context.registry.key, policy.shape, shape, sums, named, abilities and abilities.key)
    statement, marked = context.statements.get(key, lambda: _statement(context, resource, query, shape, named, abilities))
    rows = await context.uow.fetch(statement, values)
    shown = [_column(context, reader, resource, query, row, marked=marked, labels=labels) for row in rows]
    return shown, min((row["head"] or 0 for row in rows), default=0)


def _digest(resource: AnyResource, query: BoardQuery, column: str | None) -> str:
    """What the cursor of one column belongs to."""
    return query_digest(KIND, resource.name, query.columns.field.name, column or NONE, query.request.digest)


def _seek(key: bytes, digest: str, cursor: str, values: dict[str, Any]) -> str:
    rank, made, last = _three(decode_cursor(key, KIND, digest, cursor))
    if not isinstance(last, UUID) or not (isinstance(rank, str) or isinstance(made, datetime)):
        raise InvalidCursor("mismatch")
    values.update(rank=rank, made=made, last=last)
    return "ranked" if rank is not None else "unranked"


def _three(values: Sequence[CursorValue]) -> Sequence[CursorValue]:
    if len(values) != 3:
        raise InvalidCursor("mismatch")
    return values


def _column(
    context: Context,
    reader: Reader,
    resource: AnyResource,
    query: BoardQuery,
    row: asyncpg.Record,
    *,
    marked: bool,
    labels: Labeller | None,
) -> Column:
    limit = query.request.plan.limit
    cards: list[str] = row["data"] or []
    more = len(cards) > limit
    cursor = None
    if more:
        values = [row["l_rank"], row["l_made"] if row["l_rank"] is None else None, row["l_id"]]
        cursor = encode_cursor(reader.signing_key(context), KIND, _digest(resource, query, row["key"]), values)
    currency = context.principal.organization.currency
    sums = {name: _sum(found, row[f"s{i}"], row[f"x{i}"], currency) for i, (name, found) in enumerate(query.sums.items())}
    data = reader.finished(context, ",".join(cards[:limit]).encode(), marked=marked, labels=labels)
    return Column(row["key"], row["label"], row["count"], sums, data, cursor)


def _sum(found: Field, value: Decimal | None, foreign: int, currency: str) -> Any:
    """A sum; null where amounts are in several currencies."""
    if foreign:
        return None
    number = Decimal(value or 0)
    if found.type is FieldType.CURRENCY:
        return money_text(number, currency)
    if found.type in (FieldType.INTEGER, FieldType.NUMBER):
        return int(number) if number == number.to_integral_value() else float(number)
    return decimal_text(number)


# --- the statement -----------------------------------------------------------------------------------------------------


def _statement(
    context: Context, resource: AnyResource, query: BoardQuery, shape: _Shape, named: frozenset[str], abilities: Abilities | None
) -> tuple[Statement, bool]:
    compiler = ReadCompiler(context.registry, context.policy, table_as_of, named, abilities)
    columns = query.columns
    given = column_rows(columns, resource.name, of_default=shape.of_default).cte("given")
    parts: list[Select[Any]] = []
    marked = False
    if shape.only != "none":
        shown = sa.select(given).where(given.c.key == sa.bindparam("column", type_=sa.Text)) if shape.only == "one" else sa.select(given)
        part, marked = _part(compiler, resource, query, shape, shown.subquery("col"), blank=False)
        parts.append(part)
    if columns.field.nullable and shape.only != "one":
        nothing = sa.select(
            sa.cast(sa.null(), sa.Text).label("key"), sa.cast(sa.null(), sa.Text).label("label"),
            sa.cast(sa.null(), columns.type).label("value"), sa.literal_column("9999999999", sa.BigInteger).label("place"),
        )  # fmt: skip
        part, marks = _part(compiler, resource, query, shape, nothing.subquery("col"), blank=True)
        parts.append(part)
        marked = marked or marks
    whole = parts[0].subquery("b") if len(parts) == 1 else sa.union_all(*parts).subquery("b")
    return compile_statement(sa.select(whole).order_by(whole.c.place, whole.c.key)), marked


def _part(
    compiler: ReadCompiler, resource: AnyResource, query: BoardQuery, shape: _Shape, col: sa.Subquery, *, blank: bool
) -> tuple[Select[Any], bool]:
    """Some of the columns with everything about them."""
    columns = query.columns
    # By name: deep inside, SQLAlchemy would take a column of `col` for another table to read.
    key, value = sa.literal_column(f"{col.name}.key", sa.Text()), sa.literal_column(f"{col.name}.value", columns.type)

    def here(row: FromClause) -> ColumnElement[bool]:
        return columns.value(row).is_(None) if blank else columns.value(row) == value

    figures = _figures(compiler, resource, query, shape, here).lateral("f")
    cards, marked = _cards(compiler, resource, query, shape, here, key)
    page = cards.lateral("p")
    totals = [figures.c.count, *(figures.c[f"{kind}{i}"] for i in range(len(query.sums)) for kind in "sx")]
    last = [page.c.data, page.c.l_rank, page.c.l_made, page.c.l_id]
    rows = col.join(figures, sa.true()).join(page, sa.true())
    return sa.select(col.c.key, col.c.label, col.c.place, journal_head().label("head"), *totals, *last).select_from(rows), marked


def _figures(compiler: ReadCompiler, resource: AnyResource, query: BoardQuery, shape: _Shape, here: Any) -> Select[Any]:
    """How many cards a column has, and the sums of their values; `x…` counts the amounts in another currency."""
    source, where, _ = compiler.parts(shape.plan)
    row = source.row
    shown: list[ColumnElement[Any]] = [sa.func.count().label("count")]
    for index, found in enumerate(query.sums.values()):
        value = found.value(row)
        foreign: ColumnElement[Any] = sa.literal_column("0", sa.BigInteger)
        if found.spec.base_of is not None:  # an amount without a rate
            foreign = sa.func.count().filter(row.c[found.spec.base_of].is_not(None), value.is_(None))
        elif found.type is FieldType.CURRENCY and "currency" in resource.fields:
            other = resource.fields["currency"].value(row) != sa.bindparam("currency", type_=sa.Text)
            foreign = sa.func.count().filter(value.is_not(None), other)
        shown += [sa.cast(sa.func.sum(value), sa.Numeric).label(f"s{index}"), foreign.label(f"x{index}")]
    return sa.select(*shown).select_from(source.whole).where(*where, here(row))


def _cards(
    compiler: ReadCompiler, resource: AnyResource, query: BoardQuery, shape: _Shape, here: Any, key: ColumnElement[Any]
) -> tuple[Select[Any], bool]:
    """The first page of a column's cards, one more than is shown, and what its cursor holds."""
    source, where, expander = compiler.parts(shape.plan)
    row, own = source.row, own_rank(resource, query.columns.field.name)
    condition, tables = here(row), source.whole
    if own is not None:
        rank: ColumnElement[Any] = row.c[own]
        order = [rank, row.c.id]
    else:
        placed, on = position_join(query.columns, resource.name, row, sa.func.coalesce(key, sa.literal_column("''")))
        tables, rank = tables.outerjoin(placed, on), placed.c.rank
        order = [rank.asc().nulls_last(), row.c.created_at, row.c.id]
    if shape.seek is not None:
        where = [*where, _after(rank, row, shape.seek, ranked_only=own is not None)]
    picked = (
        sa.select(*stored_columns(row), rank.label("_rank"))
        .select_from(tables)
        .where(*where, condition)
        .order_by(*order)
        .limit(sa.literal_column(str(shape.plan.limit + 1)))
        .subquery("c")
    )
    columns = expander.columns(resource, picked, shape.plan.fields, shape.plan.expand)
    lists = sa.select(
        sa.func.array_agg(as_text(columns, picked)).label("data"),
        sa.func.array_agg(picked.c["_rank"]).label("ranks"),
        sa.func.array_agg(picked.c.created_at).label("made"),
        sa.func.array_agg(picked.c.id).label("ids"),
    ).select_from(picked)
    found = lists.subquery("g")
    ends: list[ColumnElement[Any]] = [sa.literal_column(f"g.{name}[{shape.plan.limit}]").label(label) for name, label in _ENDS]
    return sa.select(found.c.data, *ends).select_from(found), expander.marked


_ENDS: Final = (("ranks", "l_rank"), ("made", "l_made"), ("ids", "l_id"))


def _after(rank: ColumnElement[Any], row: FromClause, seek: str, *, ranked_only: bool) -> ColumnElement[bool]:
    """What comes after the last card shown."""
    last = sa.bindparam("last", type_=sa.Uuid())
    if seek == "ranked":
        further = sa.tuple_(rank, row.c.id) > sa.tuple_(sa.bindparam("rank", type_=sa.Text), last)
        return further if ranked_only else sa.or_(further, rank.is_(None))
    made = sa.tuple_(row.c.created_at, row.c.id) > sa.tuple_(sa.bindparam("made", type_=sa.DateTime(timezone=True)), last)
    return sa.and_(rank.is_(None), made)


__all__ = ["NONE", "ORG", "BoardQuery", "Column", "read_board"]
