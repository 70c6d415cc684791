"""Compiled computations: from a typed term to the SQL of a field's value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.core.errors import InvalidValue
from crm_api.core.money import CURRENCIES, currency_digits
from crm_api.kernel.custom.values import MAX_LONG_TEXT, MAX_SCALE, MAX_TEXT
from crm_api.kernel.fields import SQL_TYPES, TIMESTAMP_FORMAT
from crm_api.kernel.formula.check import Checker, Dependency
from crm_api.kernel.formula.dates import FIRST, LAST
from crm_api.kernel.formula.kinds import KIND_OF, Kind
from crm_api.kernel.formula.parse import parse
from crm_api.kernel.formula.pieces import Env, Fragment, Piece, piece
from crm_api.kernel.formula.terms import expect
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

RESULTS: Final = (
    FieldType.TEXT,
    FieldType.LONG_TEXT,
    FieldType.INTEGER,
    FieldType.NUMBER,
    FieldType.DECIMAL,
    FieldType.CURRENCY,
    FieldType.BOOLEAN,
    FieldType.DATE,
    FieldType.DATETIME,
)
"""The types that a formula may return."""

LENGTHS: Final = {FieldType.TEXT: MAX_TEXT, FieldType.LONG_TEXT: MAX_LONG_TEXT}
BOUNDS: Final = {FieldType.INTEGER: 10**15, FieldType.NUMBER: 10**15, FieldType.DECIMAL: 10**18, FieldType.CURRENCY: 10**18}
"""A number has to be smaller than this, or the value is null."""

_JSON: Final = {
    FieldType.DECIMAL: "to_jsonb(CAST({} AS TEXT))",
    FieldType.CURRENCY: "to_jsonb(CAST({} AS TEXT))",
    FieldType.DATE: "to_jsonb(to_char({}, 'YYYY-MM-DD'))",
    FieldType.DATETIME: f"to_jsonb(to_char(({{}}) AT TIME ZONE 'UTC', '{TIMESTAMP_FORMAT}'))",
}


@dataclass(frozen=True, eq=False)
class Computed:
    """A formula or roll-up. `volatile`: it depends on the present moment, so it can't be stored."""

    resource: AnyResource
    type: FieldType
    dependencies: tuple[Dependency, ...]
    volatile: bool
    build: Callable[[Env], Piece]
    scale: int | None = None

    def sql(self, row: FromClause, *, stored: bool = False) -> ColumnElement[Any]:
        """The value for a row of the object, as SQL compares it. With `stored`, other computed fields are read from the row."""
        return Fragment(self._value(Env(row, stored)), SQL_TYPES.get(self.type, sa.Text()))

    def json(self, row: FromClause, *, stored: bool = False) -> ColumnElement[Any]:
        """The value as JSONB in the API's form, NULL where there is none."""
        return Fragment(piece(_JSON.get(self.type, "to_jsonb({})"), self._value(Env(row, stored))), JSONB())

    def _value(self, env: Env) -> Piece:
        return env.let(self.build(env), lambda value: self._finished(value, env.row))

    def _finished(self, value: Piece, row: FromClause) -> Piece:
        """The value within the bounds of its type."""
        match self.type:
            case FieldType.TEXT | FieldType.LONG_TEXT:
                return piece(f"left({{}}, {LENGTHS[self.type]})", value)
            case FieldType.DATE:
                return piece(f"CASE WHEN {{}} BETWEEN {FIRST} AND {LAST} THEN {{}} END", value, value)
            case FieldType.DATETIME:
                instants = "TIMESTAMPTZ '0001-01-01 00:00:00+00' AND TIMESTAMPTZ '9999-12-31 23:59:59.999999+00'"
                return piece(f"CASE WHEN {{}} BETWEEN {instants} THEN {{}} END", value, value)
            case FieldType.BOOLEAN:
                return value
        return piece(f"CASE WHEN abs({{}}) < {BOUNDS[self.type]} THEN {{}} END", value, self._number(value, row))

    def _number(self, value: Piece, row: FromClause) -> Piece:
        if self.type is FieldType.INTEGER:
            return piece("round({})", value)
        if self.type is FieldType.NUMBER:  # what a float holds, as JSON numbers are read as such
            return piece("CAST(CAST(round({}, 12) AS DOUBLE PRECISION) AS NUMERIC)", value)
        if self.type is FieldType.DECIMAL:
            return piece("trim_scale(round({}, 6))", value) if self.scale is None else piece(f"round({{}}, {self.scale})", value)
        return _amount(value, row, self.resource)


def _amount(value: Piece, row: FromClause, resource: AnyResource) -> Piece:
    """Rounded half to even to the digits of the record's currency, like every amount that is worked out."""
    digits: Piece = ("2",)
    held = resource.fields.get("currency")
    if held is not None:
        odd: dict[int, list[str]] = {}
        for code in sorted(CURRENCIES):
            if currency_digits(code) != 2:
                odd.setdefault(currency_digits(code), []).append(f"'{code}'")
        whens = " ".join(f"WHEN c.v IN ({', '.join(codes)}) THEN {count}" for count, codes in odd.items())
        digits = piece(f"(SELECT CASE {whens} ELSE 2 END FROM (SELECT {{}} AS v OFFSET 0) AS c)", (held.value(row),))
    # PostgreSQL rounds halves away from zero; where that made an even digit odd, it goes back by one.
    tie = "abs({v} * power(10::numeric, d.n)) % 2 = 0.5"
    back = "sign({v}) * power(10::numeric, -d.n)"
    template = f"(SELECT round(round({{v}}, d.n) - CASE WHEN {tie} THEN {back} ELSE 0 END, d.n) FROM (SELECT {{}} AS n OFFSET 0) AS d)"
    return piece(template.replace("{v}", str(value[0])), digits)


@dataclass(frozen=True, eq=False)
class Formula(Computed):
    """A formula."""


def compile_formula(registry: Registry, resource: AnyResource, text: str, returns: FieldType, *, scale: int | None = None) -> Formula:
    """The formula of a field of `resource` that returns `returns`, with `scale` decimals if that is `decimal`.

    Raises FormulaError (an InvalidValue with the `line` and `column` of the mistake), or InvalidValue if the text is too long.
    """
    if returns not in RESULTS:
        raise InvalidValue("enum", allowed=[kind.value for kind in RESULTS])
    checker = Checker(registry, resource)
    term = expect(checker.term(parse(text)), KIND_OF[returns])
    if term.kind is Kind.KEYS:
        raise AssertionError("no result is a list")
    return Formula(resource, returns, tuple(checker.dependencies), checker.volatile, term.build, scale)


__all__ = ["BOUNDS", "MAX_SCALE", "RESULTS", "Computed", "Dependency", "Formula", "compile_formula"]
