"""What computed fields are worth: worked out by the database in one statement for any number of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import FromClause

from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.custom import writing as custom
from crm_api.kernel.resource import Draft, Row
from crm_api.kernel.values import derive
from crm_api.kernel.writes.shape import Shape, encode, json_columns, plain_type
from crm_api.kernel.writes.statements import ORG
from crm_api.kernel.writes.types import Work

if TYPE_CHECKING:
    from crm_api.kernel.formula.graph import Computation, Computations

COLUMN: Final = "custom_fields"
_PAIRS: Final = 50
"""PostgreSQL's functions take 100 arguments."""


def computations_of(context: Context) -> Computations | None:
    """The organisation's computed fields; None where there are none, which is all that other organisations pay."""
    return context.whole.computations


def put(own: Sequence[Computation], drafts: Iterable[Draft], values: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Puts values into drafts."""
    for draft in drafts:
        found = values[draft.id]
        for item in own:
            value = found.get(item.member)
            if item.field.get(draft.new) != value:
                item.field.put(draft.new, value)


def settle(context: Context, shape: Shape, work: Work, *, whole: bool = False) -> None:
    """Notes what follows from changed custom fields; with `whole` also all that `q` finds."""
    old, display, region = work.draft.old, work.draft.new["display_name"], context.principal.organization.region
    # figures are most of what is worked out, and making anew what `q` finds is most of the work
    texts = (
        old is None
        or "search_text" in work.derived
        or custom.texts(shape.custom, old, region) != custom.texts(shape.custom, work.draft.new, region)
    )
    changed = {COLUMN, *(name for name, _ in shape.search if whole)}
    derived = derive(shape, region, work.draft.new, changed, texts=whole or texts)
    work.derived = {**work.derived, **derived}
    named = {"display_name"} if work.draft.new["display_name"] != display else set()
    work.changed |= frozenset({COLUMN, *derived, *named})


async def values_of(context: Context, shape: Shape, own: Sequence[Computation], rows: Sequence[Row]) -> dict[UUID, dict[str, Any]]:
    """What computed fields are worth in these rows, as JSON, by record."""
    columns = _needed(shape, own)
    key = ("computed", context.whole.key, shape.resource.name, tuple(item.member for item in own))
    statement = context.statements.get(key, lambda: _statement(shape, own, columns))
    given = [{name: row[name] for name in columns} for row in rows]
    found = await context.uow.fetch(statement, {"org_id": context.uow.org_id, "rows": encode(given)})
    return {row["id"]: orjson.loads(row["found"]) for row in found}


def _needed(shape: Shape, own: Sequence[Computation]) -> list[str]:
    """The columns that computations read in their own record."""
    names = {"id", COLUMN}
    if "currency" in shape.table.c:
        names.add("currency")
    for item in own:
        for dependency in item.computed.dependencies:
            field = shape.resource.field_named(dependency.field)
            if not dependency.steps and field is not None:
                names.add(field.column)
    return sorted(names)


def _statement(shape: Shape, own: Sequence[Computation], columns: Sequence[str]) -> Statement:
    """Each rank and level, in their order, is a sub-select whose row holds the values of those before it."""
    given = json_columns("u", "rows", {name: plain_type(shape.table.c[name]) for name in columns})
    row: FromClause = sa.select(ORG.label("org_id"), *given.c).offset(sa.literal_column("0")).subquery("r0")
    for number, (_, level) in enumerate(groupby(own, key=lambda item: (item.rank, item.level)), 1):
        here = list(level)
        without = row.c[COLUMN].op("-", return_type=JSONB())(_array([item.member for item in here]))
        pairs = _objects([(item.member, item.computed.json(row, stored=True)) for item in here])
        members = without.op("||", return_type=JSONB())(sa.func.jsonb_strip_nulls(pairs, type_=JSONB()))
        kept = [column for column in row.c if column.name != COLUMN]
        row = sa.select(*kept, members.label(COLUMN)).select_from(row).offset(sa.literal_column("0")).subquery(f"r{number}")
    found = _objects([(item.member, row.c[COLUMN].op("->", return_type=JSONB())(_name(item.member))) for item in own])
    return compile_statement(sa.select(row.c.id, sa.cast(found, sa.Text).label("found")))


def _objects(pairs: Sequence[tuple[str, sa.ColumnElement[Any]]]) -> sa.ColumnElement[Any]:
    parts: list[sa.ColumnElement[Any]] = []
    for start in range(0, len(pairs), _PAIRS):
        flat = [part for name, value in pairs[start : start + _PAIRS] for part in (_name(name), value)]
        parts.append(sa.func.jsonb_build_object(*flat, type_=JSONB()))
    found = parts[0]
    for part in parts[1:]:
        found = found.op("||", return_type=JSONB())(part)
    return found


def _name(member: str) -> sa.ColumnElement[Any]:
    return sa.literal_column(f"'{member}'")


def _array(members: Sequence[str]) -> sa.ColumnElement[Any]:
    return sa.literal_column("ARRAY[" + ", ".join(f"'{member}'" for member in members) + "]::text[]")
