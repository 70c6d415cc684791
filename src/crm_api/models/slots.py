"""Index slots: columns that every record table has in reserve for the custom fields of organisations.

The values of custom fields live in one JSON column, so adding a field changes no table. A field that is indexed, unique or a
reference also keeps its comparable value in a slot of its table, a plain column with an index that was there from the start.
The indexes hold only rows that use them, so that organisations without such fields pay nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Date, Index, Numeric, Table, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.types import TypeEngine


@dataclass(frozen=True, slots=True)
class SlotKind:
    """A family of slots: `<prefix>1` to `<prefix><count>`, all of one type; `unique` among live records."""

    prefix: str
    count: int
    type: TypeEngine[Any]
    unique: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the family."""
        return tuple(f"{self.prefix}{n}" for n in range(1, self.count + 1))


TEXT: Final = SlotKind("slot_text_", 8, Text(collation="C"))
NUMBER: Final = SlotKind("slot_number_", 5, Numeric(asdecimal=True))
DATE: Final = SlotKind("slot_date_", 3, Date())
TIME: Final = SlotKind("slot_time_", 3, TIMESTAMP(timezone=True))
REFERENCE: Final = SlotKind("slot_id_", 10, PgUUID(as_uuid=True))
UNIQUE: Final = SlotKind("slot_unique_", 5, Text(collation="C"), unique=True)

KINDS: Final = (TEXT, NUMBER, DATE, TIME, REFERENCE, UNIQUE)
KIND_OF: Final = {name: kind for kind in KINDS for name in kind.names}
NAMES: Final = frozenset(KIND_OF)


def add_slots(table: Table, lead: tuple[Column[Any], ...]) -> None:
    """Gives a record table its slots; `lead` are the columns that its indexes begin with."""
    for kind in KINDS:
        for name in kind.names:
            table.append_column(Column(name, kind.type, nullable=True, info={"derived": True}))
            column = table.c[name]
            held = column.is_not(None)
            if kind.unique:
                live = held & table.c.deleted_at.is_(None)
                Index(f"uq_{table.name}_{name}", *lead, column, unique=True, postgresql_where=live)
            else:
                Index(f"ix_{table.name}_{name}", *lead, column, table.c.id, postgresql_where=held)
