"""Statements: written with SQLAlchemy Core, compiled once per shape, run on the asyncpg driver.

Compiling costs about a millisecond, more than running most of our statements, so callers keep the compiled `Statement` (see
`StatementCache`) and pass values. Lists of any length are one parameter (`= ANY($1)`), never an expanded `IN`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.dialects.postgresql import asyncpg as pg_asyncpg
from sqlalchemy.sql import ClauseElement

T = TypeVar("T")

NOW, TODAY = "moment_now", "moment_today"
"""Parameters that the unit of work fills in: its own time, and the day that it is then in the organisation's zone."""

DIALECT = pg_asyncpg.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves its dialects untyped


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text with `$n` places and the name of the value that goes into each. `momentary`: the present moment is among them."""

    sql: str
    names: tuple[str, ...]
    momentary: bool = False

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order of their places; a missing one is a KeyError."""
        return [values[name] for name in self.names]


def compile_statement(clause: ClauseElement) -> Statement:
    """Compiles a Core statement whose parameters are all named `bindparam`s without values of their own."""
    compiled = clause.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
    text = str(compiled)
    if "POSTCOMPILE" in text:
        raise ValueError("an expanding parameter has no place in a cached statement; use = ANY(:list)")
    names = tuple(getattr(compiled, "positiontup", None) or ())
    literals = {name for name, bind in compiled.binds.items() if bind.value is not None and not bind.required}  # type: ignore[attr-defined]  # a compiled statement has them
    if literals & set(names):
        raise ValueError(f"a value is baked into a cached statement: {sorted(literals & set(names))}")
    return Statement(text, names, NOW in names or TODAY in names)


class StatementCache:
    """The compiled statements of one process, and what else is made once per shape; least recently used first out.

    Bounded by number and by the length of the SQL: organisations with hundreds of fields of their own have long statements.
    """

    def __init__(self, size: int = 4096, characters: int = 50_000_000) -> None:
        self._size = size
        self._characters = characters
        self._held = 0
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def get(self, shape: Hashable, build: Callable[[], T]) -> T:
        """The entry of this shape, built on first use."""
        held = self._entries.get(shape)
        if held is None:
            entry = build()
            self.put(shape, entry)
            return entry
        self._entries.move_to_end(shape)
        found: T = held[0]
        return found

    def peek(self, shape: Hashable) -> Any:
        """The entry of this shape, or None."""
        held = self._entries.get(shape)
        if held is None:
            return None
        self._entries.move_to_end(shape)
        return held[0]

    def put(self, shape: Hashable, entry: Any) -> None:
        """Keeps an entry, and lets those go that were not asked for longest."""
        earlier = self._entries.pop(shape, None)
        if earlier is not None:
            self._held -= earlier[1]
        weight = _length(entry)
        self._entries[shape] = (entry, weight)
        self._held += weight
        while len(self._entries) > self._size or (self._held > self._characters and len(self._entries) > 1):
            self._held -= self._entries.popitem(last=False)[1][1]

    def __len__(self) -> int:
        return len(self._entries)


def _length(entry: Any) -> int:
    """The characters of an entry's SQL; what holds none counts as a short statement."""
    statement = getattr(entry, "statement", entry)
    return len(statement.sql) if isinstance(statement, Statement) else 1_000
