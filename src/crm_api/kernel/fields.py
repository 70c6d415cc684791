"""A field of an object: where its value lives, how it reads as JSON, and how a value from outside becomes one of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.sql import ColumnElement, FromClause
from sqlalchemy.types import TypeEngine

from crm_api.core.clock import format_timestamp
from crm_api.models.columns import FieldSpec, FieldType

TIMESTAMP_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'

STRUCTURED = frozenset(
    {
        FieldType.ACTOR,
        FieldType.EXTERNAL_IDS,
        FieldType.CUSTOM_FIELDS,
        FieldType.RICH_TEXT,
        FieldType.ADDRESS,
        FieldType.ITEMS,
        FieldType.JSON,
    }
)
ADDRESS_PARTS = ("street", "city", "region", "postal_code", "country")

SQL_TYPES: dict[FieldType, TypeEngine[Any]] = {
    FieldType.INTEGER: sa.BigInteger(),
    FieldType.NUMBER: sa.Numeric(),
    FieldType.DECIMAL: sa.Numeric(),
    FieldType.CURRENCY: sa.Numeric(),
    FieldType.BOOLEAN: sa.Boolean(),
    FieldType.DATE: sa.Date(),
    FieldType.DATETIME: TIMESTAMP(timezone=True),
    FieldType.REFERENCE: PgUUID(as_uuid=True),
    FieldType.UUID: PgUUID(as_uuid=True),
    FieldType.TAGS: ARRAY(sa.Text),
    FieldType.MULTI_PICKLIST: ARRAY(sa.Text),
    **dict.fromkeys(STRUCTURED, JSONB()),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `column` holds the value, `key` (often the same) is what is compared and sorted."""

    name: str
    spec: FieldSpec
    column: str
    key: str
    nullable: bool

    @property
    def type(self) -> FieldType:
        """The kind of value."""
        return self.spec.type

    @property
    def relation(self) -> str | None:
        """The name of the relation that a reference field stands for: `account_id` → `account`."""
        return self.name.removesuffix("_id") if self.type is FieldType.REFERENCE else None

    @property
    def sql_type(self) -> TypeEngine[Any]:
        """The type of a value compared with this field."""
        return SQL_TYPES.get(self.type, sa.Text())

    @property
    def sortable(self) -> bool:
        """Whether the API offers sorting by this field at all."""
        return self.type not in STRUCTURED and self.type not in (FieldType.TAGS, FieldType.MULTI_PICKLIST, FieldType.LONG_TEXT)

    def value(self, row: FromClause) -> ColumnElement[Any]:
        """The stored value."""
        return row.c[self.column]

    def comparable(self, row: FromClause) -> ColumnElement[Any]:
        """What comparisons and sorts look at."""
        return row.c[self.key]

    def as_json(self, row: FromClause) -> ColumnElement[Any]:
        """The value as `row_to_json` must meet it to print the contract's form."""
        column = row.c[self.column]
        if self.type is FieldType.DATETIME:
            return timestamp_text(column)
        if self.type in (FieldType.CURRENCY, FieldType.DECIMAL):
            return sa.cast(column, sa.Text)
        return column


def timestamp_text(column: ColumnElement[Any]) -> ColumnElement[str]:
    """An instant as the contract prints it: UTC, six digits."""
    return sa.func.to_char(column.op("AT TIME ZONE")(sa.literal_column("'UTC'")), sa.literal_column(f"'{TIMESTAMP_FORMAT}'"))


def _identity(value: Any) -> Any:
    return value


_TO_JSON: dict[FieldType, Callable[[Any], Any]] = {
    FieldType.DATETIME: lambda v: format_timestamp(v) if isinstance(v, datetime) else v,
    FieldType.DATE: lambda v: v.isoformat() if isinstance(v, date) else v,
    FieldType.CURRENCY: lambda v: format(v, "f") if isinstance(v, Decimal) else v,
    FieldType.DECIMAL: lambda v: format(v, "f") if isinstance(v, Decimal) else v,
    FieldType.NUMBER: lambda v: (int(v) if v == v.to_integral_value() else float(v)) if isinstance(v, Decimal) else v,
    FieldType.REFERENCE: lambda v: str(v) if isinstance(v, UUID) else v,
    FieldType.UUID: lambda v: str(v) if isinstance(v, UUID) else v,
}


def converter(field: Field) -> Callable[[Any], Any] | None:
    """How a value of the field becomes JSON; None where it is JSON already."""
    return _TO_JSON.get(field.type)


def to_json(field: Field, value: Any) -> Any:
    """A Python value of the field as the API's JSON shows it (used for `changes` in events)."""
    return None if value is None else _TO_JSON.get(field.type, _identity)(value)


def fields_of(table: sa.Table) -> dict[str, Field]:
    """The fields that a table's columns announce, in the order in which records show them."""
    found: dict[str, Field] = {}
    for column in table.columns:
        spec: FieldSpec | None = column.info.get("field")
        if spec is None:
            continue
        key = f"{column.name}_key" if f"{column.name}_key" in table.c else column.name
        found[column.name] = Field(column.name, spec, column.name, key, bool(column.nullable))
    return found
