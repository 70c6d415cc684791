"""Plans: what is asked, without the values asked for. Equal plans compile to the same statement, so a plan is its cache key.

A value is named by its slot, an index into the list that travels beside the plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Path = tuple[str, ...]
"""A dotted name: relation steps and, last, a field (`("account", "industry")`, `("billing_address", "city")`)."""

Slot = int


@dataclass(frozen=True, slots=True)
class Condition:
    """`field op value`. `value` is a slot, another field's path, or None for operators without one.

    `shape` tells variants of one operator apart that need different SQL (`short` for a `contains` below three characters).
    """

    path: Path
    op: str
    value: Slot | Path | None = None
    second: Slot | None = None
    shape: str = ""


@dataclass(frozen=True, slots=True)
class And:
    """All of them."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of them."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Not so; a comparison with null counts as not so, hence `not` of it is true."""

    item: Node


@dataclass(frozen=True, slots=True)
class Quantified:
    """A condition on the records of a to-many relation."""

    path: Path
    quantifier: Literal["any", "all", "none"]
    item: Node


Node = Condition | And | Or | Not | Quantified


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of a sort. `position_of` is the slot of the list of option keys whose order it follows."""

    path: Path
    descending: bool
    nullable: bool
    options: Slot | None = None

    @property
    def text(self) -> str:
        """The key as a client writes it."""
        return ("-" if self.descending else "") + ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Seek:
    """Where a page starts: the slots of the last row's sort values (None where that value was null) and of its id."""

    values: tuple[Slot | None, ...]
    id: Slot
    backwards: bool


@dataclass(frozen=True, slots=True)
class Expansion:
    """Related records inside the answer."""

    relation: str
    fields: tuple[Path, ...] | None = None
    expand: tuple[Expansion, ...] = ()
    limit: Slot | None = None
    sort: tuple[SortKey, ...] = ()
    filter: Node | None = None
    digest: Slot | None = None


@dataclass(frozen=True, slots=True)
class Parent:
    """A list that hangs on one record: `/v1/{object}/{id}/{relation}`. The statement also says whether that record is there."""

    object: str
    relation: str
    id: Slot


@dataclass(frozen=True, slots=True)
class Plan:
    """One read of one object.

    `deleted`: whether deleted records are left out, included, or the only ones. `text` is the slot of the full-text query.
    `as_of` is the slot of an instant in the past. `ids` is the slot of a list of ids to which the read is confined (single
    reads, batch reads, answers to writes).
    """

    object: str
    fields: tuple[Path, ...] | None = None
    expand: tuple[Expansion, ...] = ()
    filter: Node | None = None
    sort: tuple[SortKey, ...] = ()
    seek: Seek | None = None
    deleted: Literal["exclude", "only", "include"] = "exclude"
    count: Literal["none", "estimate", "exact"] = "none"
    text: Slot | None = None
    as_of: Slot | None = None
    ids: Slot | None = None
    since: Slot | None = None
    limit: Slot | None = None
    parent: Parent | None = None


MAX_CONDITIONS = 100
MAX_DEPTH = 5
MAX_HOPS = 2
MAX_EXPAND_DEPTH = 3
MAX_EXPANDED = 50
DEFAULT_EXPANDED = 10
MAX_PAGE = 200
DEFAULT_PAGE = 50
