"""Moving a card: the record's value changes like any other, and its rank says where it stands among the cards of its column.

Ranks are texts with room between any two (`core/fractions.py`), so a move touches one card. Moves into one column wait for each
other, so that two of them never find the same room. Cards that nobody has moved have no rank; one that is to stand in front of
or behind another gives ranks to those above it first, up to `MAX_RANKED`. A column whose ranks have grown long gets new ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from crm_api.core.errors import Conflict, FieldError, Moved, ValidationFailed, join_pointer
from crm_api.core.fractions import place_after, place_between
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.board import POSITIONS, BoardColumns, position_join
from crm_api.kernel.context import Context
from crm_api.kernel.locks import ORG, serialize
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.writer import Outcome, Patch, Writer
from crm_api.kernel.writes.locked import lock_reached, records
from crm_api.kernel.writes.shape import encode, json_columns, shape_of

MAX_RANKED: Final = 10_000
MAX_RANK: Final = 60
"""Characters of a rank before its column gets new ones."""

_NO_COLUMN: Final = ""
"""The column of records without a value, in stored positions."""

_KEYS: Final = {"object": sa.Text(), "field": sa.Text(), "column_key": sa.Text()}
_MINE: Final = (
    POSITIONS.c.org_id == ORG,
    *(POSITIONS.c[name] == sa.bindparam(name, type_=kind) for name, kind in _KEYS.items()),
)
_ENDS: Final = compile_statement(sa.select(sa.func.max(POSITIONS.c.rank), sa.func.max(sa.func.length(POSITIONS.c.rank))).where(*_MINE))
_RANK: Final = sa.bindparam("rank", type_=sa.Text)
_OTHERS: Final = (*_MINE, POSITIONS.c.record_id != sa.bindparam("moved", type_=sa.Uuid()))
_BELOW: Final = compile_statement(sa.select(sa.func.max(POSITIONS.c.rank)).where(*_OTHERS, POSITIONS.c.rank < _RANK))
_ABOVE: Final = compile_statement(sa.select(sa.func.min(POSITIONS.c.rank)).where(*_OTHERS, POSITIONS.c.rank > _RANK))


@dataclass(frozen=True, slots=True)
class Move:
    """Where a card goes. `origin` is checked if `checks_origin`; None as a key is the column of records without a value."""

    to: str | None
    origin: str | None = None
    checks_origin: bool = False
    before_id: UUID | None = None
    after_id: UUID | None = None


async def move_card(
    context: Context,
    resource: AnyResource,
    columns: BoardColumns,
    record_id: UUID,
    move: Move,
    fields: Mapping[str, Any],
    if_match: int | None,
) -> Outcome:
    """Moves a record into a column, in front of or behind another card there, else to its end.

    `fields` are further fields to set. Raises Moved if the record is no longer in `origin`, ValidationFailed for what can't be
    combined, and whatever an update raises.
    """
    context.uow.cause.action = f"{resource.name}.move"
    if move.before_id is not None and move.after_id is not None:
        raise ValidationFailed([FieldError("invalid_combination", pointer="/after_id", params={"other": "before_id"})])
    body = patch_of(columns, move.to, fields)
    row = (await lock_reached(context, shape_of(context, resource), [record_id])).get(record_id)
    if move.checks_origin and row is not None and row["deleted_at"] is None and _key(columns.field.get(row)) != move.origin:
        raise Moved(orjson.loads((await records(context, resource, [record_id]))[record_id]))
    column = _NO_COLUMN if move.to is None else move.to
    await serialize(context, f"board.{resource.name}.{columns.field.name}.{column}"[:200])
    outcome = (await Writer().update(context, resource, [Patch(record_id, body, if_match)]))[0]
    await _place(context, resource, columns, record_id, column, move)
    return outcome


def patch_of(columns: BoardColumns, to: str | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch of a move."""
    name = columns.field.name
    head, _, member = name.partition(".")
    if name in fields or (member and member in (fields.get(head) or {})):
        raise ValidationFailed([FieldError("invalid_combination", pointer=join_pointer(*name.split(".")), params={"other": "to"})])
    if not member:
        return {**fields, name: to}
    return {**fields, head: {**(fields.get(head) or {}), member: to}}


def _key(value: Any) -> str | None:
    return None if value is None else str(value)


async def _place(context: Context, resource: AnyResource, columns: BoardColumns, record_id: UUID, column: str, move: Move) -> None:
    values = {"org_id": context.uow.org_id, "object": resource.name, "field": columns.field.name, "column_key": column}
    neighbour = move.before_id or move.after_id
    now = context.uow.now
    last, longest = await context.uow.fetch_row(_ENDS, values) or (None, 0)
    if (longest or 0) > MAX_RANK:
        last = await _spread(context, resource, columns, values, now)
    if neighbour is None:
        # what has no rank comes after all that has one, so the end is behind those too
        try:
            last = await _rank_up_to(context, resource, columns, values, None, record_id, last)
        except Conflict:  # in so long a column the card goes where it was made, without a place of its own
            await context.uow.fetch(_FORGET, {**values, "id": record_id})
            return
        await _store(context, values, [(record_id, place_after(last, now))])
        return
    pointer = "/before_id" if move.before_id is not None else "/after_id"
    if neighbour == record_id:
        raise ValidationFailed([FieldError("not_found_reference", pointer=pointer)])
    rank = await _rank_of(context, resource, columns, values, neighbour)
    if rank is None:
        await _rank_up_to(context, resource, columns, values, neighbour, record_id, last)
        rank = await _rank_of(context, resource, columns, values, neighbour)
        if rank is None:
            raise ValidationFailed([FieldError("not_found_reference", pointer=pointer)])
    values_at = {**values, "rank": rank, "moved": record_id}
    if move.before_id is not None:
        low: str | None = await context.uow.fetch_value(_BELOW, values_at)
        await _store(context, values, [(record_id, place_between(low or "", rank))])
        return
    high: str | None = await context.uow.fetch_value(_ABOVE, values_at)
    await _store(context, values, [(record_id, place_after(rank, now) if high is None else place_between(rank, high))])


async def _rank_of(
    context: Context, resource: AnyResource, columns: BoardColumns, values: Mapping[str, Any], record_id: UUID
) -> str | None:
    """The rank of a card, if it is in the column now and has one."""
    key = ("board.rank", resource.key, columns.field.name, values["column_key"] == _NO_COLUMN)
    statement = context.statements.get(key, lambda: _ranks(resource, columns, blank=values["column_key"] == _NO_COLUMN, one=True))
    row = await context.uow.fetch_row(statement, {**values, **_value(columns, values), "id": record_id})
    return None if row is None else row["rank"]


async def _rank_up_to(
    context: Context,
    resource: AnyResource,
    columns: BoardColumns,
    values: Mapping[str, Any],
    until: UUID | None,
    moved: UUID,
    last: str | None,
) -> str | None:
    """Gives ranks to cards without one, in their order, up to `until` (all of them if it is None); returns the last rank."""
    blank = values["column_key"] == _NO_COLUMN
    key = ("board.unranked", resource.key, columns.field.name, blank)
    statement = context.statements.get(key, lambda: _ranks(resource, columns, blank=blank, one=False))
    rows = await context.uow.fetch(statement, {**values, **_value(columns, values), "limit": MAX_RANKED + 1})
    ids = [row["id"] for row in rows if row["id"] != moved]
    if until in ids:
        ids = ids[: ids.index(until) + 1]
    elif until is not None and len(rows) <= MAX_RANKED:
        return last
    if len(ids) > MAX_RANKED or (until is not None and until not in ids):
        raise Conflict(f"More than {MAX_RANKED:,} cards of this column have not been put in an order yet; move them in a smaller board.")
    placed = []
    for id_ in ids:
        last = place_after(last, context.uow.now)
        placed.append((id_, last))
    await _store(context, values, placed)
    return last


async def _spread(context: Context, resource: AnyResource, columns: BoardColumns, values: Mapping[str, Any], now: datetime) -> str | None:
    """New, short ranks for a column, in the order of the old ones."""
    rows = await context.uow.fetch(_ALL, values)
    last = rows[-1]["rank"] if rows else None
    placed = []
    for row in rows:
        last = place_after(last, now)
        placed.append((row["record_id"], last))
    await _store(context, values, placed)
    return last


_FORGET: Final = compile_statement(
    sa.delete(POSITIONS).where(
        *_MINE[:3],  # of whatever column
        POSITIONS.c.record_id == sa.bindparam("id", type_=sa.Uuid()),
    )
)
_ALL: Final = compile_statement(sa.select(POSITIONS.c.record_id, POSITIONS.c.rank).where(*_MINE).order_by(POSITIONS.c.rank))


def _value(columns: BoardColumns, values: Mapping[str, Any]) -> dict[str, Any]:
    column = values["column_key"]
    return {"value": None if column == _NO_COLUMN else UUID(column) if columns.kind == "reference" else column}


def _ranks(resource: AnyResource, columns: BoardColumns, *, blank: bool, one: bool) -> Statement:
    """The cards that are in a column now: one with its rank, or those without any, as they were made."""
    row = resource.table.alias("t")
    value = columns.value(row)
    placed, on = position_join(columns, resource.name, row, sa.bindparam("column_key", type_=sa.Text))
    here = value.is_(None) if blank else value == sa.bindparam("value", type_=columns.type)
    where = [row.c.org_id == ORG, row.c.deleted_at.is_(None), *resource.scope(row), here]
    if one:
        found = sa.select(row.c.id, placed.c.rank).select_from(row.join(placed, on))
        return compile_statement(found.where(*where, row.c.id == sa.bindparam("id", type_=sa.Uuid())))
    found = sa.select(row.c.id).select_from(row.outerjoin(placed, on)).where(*where, placed.c.rank.is_(None))
    return compile_statement(found.order_by(row.c.created_at, row.c.id).limit(sa.bindparam("limit", type_=sa.BigInteger)))


async def _store(context: Context, values: Mapping[str, Any], placed: Sequence[tuple[UUID, str]]) -> None:
    if placed:
        rows = encode([{"record_id": id_, "rank": rank} for id_, rank in placed])
        await context.uow.fetch(_PUT, {**values, "rows": rows})


def _put() -> Statement:
    given = json_columns("u", "rows", {"record_id": sa.Uuid(), "rank": sa.Text()})
    keys = [sa.bindparam(name, type_=kind) for name, kind in _KEYS.items()]
    names = ["org_id", *_KEYS, "record_id", "rank"]
    stored = insert(POSITIONS).from_select(names, sa.select(ORG, *keys, given.c.record_id, given.c.rank), include_defaults=False)
    return compile_statement(
        stored.on_conflict_do_update(
            index_elements=["org_id", "object", "field", "record_id"],
            set_={"column_key": stored.excluded.column_key, "rank": stored.excluded.rank},
        )
    )


_PUT: Final = _put()

__all__ = ["MAX_RANK", "MAX_RANKED", "Move", "move_card", "patch_of"]
