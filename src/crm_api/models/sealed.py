"""Columns that hold sealed values (see `core/sealed.py`), found by their `info`, so that rotating keys forgets none.

Declare one with `sealed_column()` and say where a value stands with `SealedColumn.place`; nothing else has to be registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, LargeBinary, SmallInteger, Table
from sqlalchemy.orm import Mapped, MappedColumn, mapped_column

from crm_api.core.sealed import Place
from crm_api.models.base import TIMESTAMPTZ, Base

SEALED: Final = "sealed"


def sealed_column(*, nullable: bool = False) -> MappedColumn[Any]:
    """A column of values that `Keyring.seal` made."""
    return mapped_column(LargeBinary, nullable=nullable, info={SEALED: True})


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A sealed column and what tells its rows apart: `keys` is the primary key without `org_id`."""

    table: Table
    column: Column[Any]
    keys: tuple[Column[Any], ...]

    @property
    def tenant(self) -> bool:
        """Whether the rows belong to organisations."""
        return "org_id" in self.table.primary_key.columns

    @property
    def name(self) -> str:
        """`table.column`."""
        return f"{self.table.name}.{self.column.name}"

    def place(self, row: Mapping[str, Any]) -> Place:
        """Where the value of a row stands, given the columns of its primary key."""
        parts = [row[key.name] for key in self.keys]
        return Place(
            self.table.name,
            self.column.name,
            row["org_id"] if self.tenant else None,
            parts[0] if len(parts) == 1 else ",".join(map(str, parts)),
        )


def sealed_columns() -> list[SealedColumn]:
    """Every sealed column of the product, by table and column. Complete once `crm_api.models` is imported."""
    return [
        SealedColumn(table, column, tuple(key for key in table.primary_key.columns if key.name != "org_id"))
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.info.get(SEALED)
    ]


def sealed(model: type[Base], column: str) -> SealedColumn:
    """The sealed column of a model: `sealed(ConnectionSecret, "secret").place({...})`."""
    for found in sealed_columns():
        if found.table is model.__table__ and found.column.name == column:
            return found
    raise KeyError(f"{model.__tablename__}.{column} is not sealed")


class EncryptionKey(Base):
    """A key with which something was sealed: its id and a fingerprint, by which a server that lacks the key, or has another under
    the same id, notices before it starts."""

    __tablename__ = "encryption_keys"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
