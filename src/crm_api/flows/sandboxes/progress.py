"""How far a copy has come, as it is kept with its job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Place:
    """What is written: all steps before this one (a table, of custom records an object), and of it the rows up to `after`.

    `rows_done`: all its rows are there, but not yet what they refer to in the same table.
    """

    table: str
    object: str | None
    after: UUID | None = None
    rows_done: bool = False

    @property
    def key(self) -> tuple[str, str | None]:
        """The step."""
        return self.table, self.object


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a copy stands. Every event up to the journal's number `head` is in what it has written."""

    head: int
    schema_version: int
    place: Place | None = None
    done: int = 0
    rows: Mapping[str, int] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """As it is kept."""
        found: dict[str, Any] = {"head": self.head, "schema_version": self.schema_version, "done": self.done, "rows": dict(self.rows)}
        if self.place is not None:
            after = None if self.place.after is None else str(self.place.after)
            found["place"] = [self.place.table, self.place.object, after, self.place.rows_done]
        return found

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Progress:
        """Read again."""
        place = None
        if "place" in kept:
            table, object_name, after, rows_done = kept["place"]
            place = Place(table, object_name, None if after is None else UUID(after), rows_done)
        return cls(kept["head"], kept["schema_version"], place, kept["done"], kept["rows"])
