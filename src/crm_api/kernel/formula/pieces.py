"""SQL as text with columns in it.

Formulas are put together as text rather than as SQLAlchemy's trees: nested calls would be walked recursively many times over,
and a value that is needed twice can be named without copying what it is made of. Only what this package writes and constants
quoted here enter the text; fields are SQLAlchemy columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement, FromClause
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from crm_api.db.statement import TODAY

Piece = tuple[str | ColumnElement[Any], ...]


class Fragment(FunctionElement[Any]):
    """A piece as a column of a statement."""

    inherit_cache = False
    name = "formula"

    def __init__(self, piece: Piece, type_: TypeEngine[Any]) -> None:
        self.parts = tuple(part if isinstance(part, str) else None for part in piece)
        super().__init__(*(part for part in piece if not isinstance(part, str)))
        self.type = type_


@compiles(Fragment)
def _compiled(element: Fragment, compiler: SQLCompiler, **options: Any) -> str:
    columns = iter(element.clauses)
    return "".join(part if part is not None else compiler.process(next(columns), **options) for part in element.parts)


def piece(template: str, *parts: Piece) -> Piece:
    """A template with `{}` for each part."""
    texts = template.split("{}")
    assert len(texts) == len(parts) + 1, template
    found: list[str | ColumnElement[Any]] = [texts[0]]
    for part, text in zip(parts, texts[1:], strict=True):
        found += (*part, text)
    return tuple(part for part in found if not isinstance(part, str) or part)


def joined(separator: str, parts: list[Piece]) -> Piece:
    """Parts in a row."""
    return piece(separator.join("{}" for _ in parts), *parts)


def text_literal(value: str) -> Piece:
    """A constant text; backslashes mean themselves, as `standard_conforming_strings` is on everywhere."""
    return (f"CAST('{value.replace(chr(39), chr(39) * 2)}' AS TEXT)",)


def number_literal(value: Decimal | int) -> Piece:
    """A constant number."""
    return (f"CAST({value} AS NUMERIC)" if value >= 0 else f"CAST('{value}' AS NUMERIC)",)


@dataclass(slots=True)
class Env:
    """What a formula's SQL is made for. `stored`: other computed fields of the row have their values in it already."""

    row: FromClause
    stored: bool = False
    _names: list[int] = field(default_factory=lambda: [0])

    def name(self) -> str:
        """A name that nothing else in this formula has."""
        self._names[0] += 1
        return f"f{self._names[0]}"

    def let(self, value: Piece, body: Callable[[Piece], Piece]) -> Piece:
        """`body` with a name for `value`. `OFFSET 0` keeps the planner from putting the value in the name's place again."""
        name = self.name()
        return piece(f"(SELECT {{}} FROM (SELECT {{}} AS v OFFSET 0) AS {name})", body((f"{name}.v",)), value)

    def lets(self, values: list[Piece], body: Callable[..., Piece]) -> Piece:
        """The same for several values."""
        name = self.name()
        columns = ", ".join(f"{{}} AS v{index}" for index in range(len(values)))
        names: list[Piece] = [(f"{name}.v{index}",) for index in range(len(values))]
        return piece(f"(SELECT {{}} FROM (SELECT {columns} OFFSET 0) AS {name})", body(*names), *values)


def parameter(name: str) -> Piece:
    """A value that comes with each read."""
    return (sa.bindparam(name, type_=sa.Date() if name == TODAY else sa.TIMESTAMP(timezone=True)),)
