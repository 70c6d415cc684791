"""The parts of a formula as they are written. Each knows where it stands, how deep it nests and of how many parts it is made."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class At:
    """A place in the text, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: Decimal | str | bool | None
    at: At
    depth: int = 1
    size: int = 1


@dataclass(frozen=True, slots=True)
class Name:
    """A field, possibly of a related record."""

    path: tuple[str, ...]
    at: At
    depth: int = 1
    size: int = 1


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments; `name` is in lower case."""

    name: str
    arguments: tuple[Node, ...]
    at: At
    depth: int
    size: int


@dataclass(frozen=True, slots=True)
class Unary:
    """`not x` or `-x`."""

    operator: str
    item: Node
    at: At
    depth: int
    size: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Operators of one rank in a row: `a + b - c`; `operators[i]` stands between `items[i]` and `items[i + 1]`.

    A long sum is no deeper than its deepest part; divisions nest, since each needs the result of the one before.
    """

    operators: tuple[str, ...]
    items: tuple[Node, ...]
    at: At
    depth: int
    size: int


@dataclass(frozen=True, slots=True)
class Group:
    """Something in parentheses."""

    item: Node
    at: At
    depth: int
    size: int


Node = Literal | Name | Call | Unary | Chain | Group
