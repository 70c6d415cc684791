"""Plans: what is asked, without the values asked for. Equal plans compile to the same statement, so a plan is its cache key.

Values of filters are named by their slot, an index into the list that travels beside the plan (parameter `v<slot>`). What a
page is about has parameters of fixed names: `parent_id`, `ids`, `since`, `as_of`, `q`, and `s<n>` with `seek_id` for the row
after which it starts. Limits are part of the plan: PostgreSQL then knows them, and keeps one generic plan per statement.
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

    `second` is the slot of a second value: the upper end of `between`, the trigrams of a text match. `third` is the plain start
    of a `starts_with`, whose `value` is a LIKE pattern. `shape` tells variants of one operator apart that need different SQL.
    """

    path: Path
    op: str
    value: Slot | Path | None = None
    second: Slot | None = None
    third: Slot | None = None
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
    """One key of a sort. `options` is the slot of the list of option keys whose order it follows."""

    path: Path
    descending: bool
    nullable: bool
    options: Slot | None = None

    @property
    def name(self) -> str:
        """The field's name as the resource knows it."""
        return ".".join(self.path)

    @property
    def text(self) -> str:
        """The key as a client writes it."""
        return ("-" if self.descending else "") + self.name


@dataclass(frozen=True, slots=True)
class Seek:
    """Where a page starts: for each sort key whether the last row had a value there, and which way the page goes."""

    present: tuple[bool, ...]
    backwards: bool


@dataclass(frozen=True, slots=True)
class Expansion:
    """Related records inside the answer. `digest` is the slot of what the cursor of an expanded list belongs to."""

    relation: str
    fields: tuple[Path, ...] | None = None
    expand: tuple[Expansion, ...] = ()
    limit: int | None = None
    sort: tuple[SortKey, ...] = ()
    filter: Node | None = None
    digest: Slot | None = None


@dataclass(frozen=True, slots=True)
class Parent:
    """A list that hangs on one record: `/v1/{object}/{id}/{relation}`. The statement also says whether that record is there."""

    object: str
    relation: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One read of one object.

    `deleted`: whether deleted records are left out, included, or the only ones. `text`, `as_of`, `ids`, `since`: whether the
    read is a full-text search, about an instant in the past, confined to given ids, to records changed since a journal
    number. `guarded`: no index serves the order, so the statement answers only where the object has few records. `labels`: each
    record comes with what its labels need. `abilities`: and with what the caller may do with it.
    """

    object: str
    fields: tuple[Path, ...] | None = None
    expand: tuple[Expansion, ...] = ()
    filter: Node | None = None
    sort: tuple[SortKey, ...] = ()
    seek: Seek | None = None
    deleted: Literal["exclude", "only", "include"] = "exclude"
    count: Literal["none", "estimate", "exact"] = "none"
    text: bool = False
    as_of: bool = False
    ids: bool = False
    since: bool = False
    limit: int = 1
    parent: Parent | None = None
    guarded: bool = False
    labels: bool = False
    abilities: bool = False


MAX_CONDITIONS = 100
MAX_DEPTH = 5
MAX_HOPS = 2
MAX_EXPAND_DEPTH = 3
MAX_EXPANDED = 50
DEFAULT_EXPANDED = 10
MAX_PAGE = 200
DEFAULT_PAGE = 50
MAX_SORT_KEYS = 3
MAX_VALUES = 1_000
MAX_EXPANDED_ROWS = 10_000
"""Rows of a page times the limits of its expansions."""

ANY_SORT_ROWS = 10_000
"""Up to this many live records of an object, any order may be asked for: sorting them all costs a few milliseconds."""

RANK_LIMIT = 2_000
"""A full-text search ranks the newest matches, at most so many."""

COUNT_ESTIMATE = 10_000
"""`count=estimate` counts up to here, and answers one more where there are more."""
