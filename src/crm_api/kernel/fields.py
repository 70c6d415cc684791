"""A field of an object: where its value lives, how it reads as JSON, and how a value from outside becomes one of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.sql import ColumnElement, FromClause
from sqlalchemy.sql.selectable import NamedFromClause
from sqlalchemy.types import TypeEngine

from crm_api.core.clock import format_timestamp
from crm_api.models.columns import FieldSpec, FieldType

if TYPE_CHECKING:
    from crm_api.kernel.custom.definitions import CustomField

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


Expression = Callable[[FromClause], ColumnElement[Any]]
"""A value worked out of a row of the field's object."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    `column` holds the value, `key` (often the same) is what is compared and sorted. A custom field's value is the `member` of
    the JSON in `column`; `slot` is the column with its comparable value where it has one that is complete, `unique_slot` the one
    that keeps it unique. `expression` works the value out where it isn't stored. `definition` is what the organisation said.
    """

    name: str
    spec: FieldSpec
    column: str
    key: str
    nullable: bool
    member: str | None = None
    slot: str | None = None
    unique_slot: str | None = None
    expression: Expression | None = None
    definition: CustomField | None = None

    @property
    def type(self) -> FieldType:
        """The kind of value; of a formula or roll-up the kind of its result."""
        return self.spec.type

    @property
    def relation(self) -> str | None:
        """The name of the relation that a reference field stands for: `account_id` → `account`."""
        if self.type is not FieldType.REFERENCE:
            return None
        return (self.member or self.name).removesuffix("_id")

    @property
    def address(self) -> str:
        """The field's place in a row: the column, or column and member."""
        return self.column if self.member is None else f"{self.column}.{self.member}"

    @property
    def sql_type(self) -> TypeEngine[Any]:
        """The type of a value compared with this field."""
        return SQL_TYPES.get(self.type, sa.Text())

    @property
    def sortable(self) -> bool:
        """Whether the API offers sorting by this field at all."""
        return self.type not in STRUCTURED and self.type not in (FieldType.TAGS, FieldType.MULTI_PICKLIST, FieldType.LONG_TEXT)

    def get(self, row: Mapping[str, Any]) -> Any:
        """The field's value in a row of Python values; references as UUIDs."""
        if self.member is None:
            return row[self.column]
        value = (row[self.column] or {}).get(self.member)
        return UUID(value) if self.type is FieldType.REFERENCE and isinstance(value, str) else value

    def put(self, row: dict[str, Any], value: Any) -> None:
        """Sets the field's value in a row; null takes a custom field's member away."""
        if self.member is None:
            row[self.column] = value
            return
        members = dict(row[self.column] or {})
        if value is None:
            members.pop(self.member, None)
        else:
            members[self.member] = str(value) if isinstance(value, UUID) else value
        row[self.column] = members

    def value(self, row: FromClause) -> ColumnElement[Any]:
        """The stored value."""
        if self.expression is not None:
            return self.expression(row)
        if self.member is None:
            return row.c[self.column]
        return _member(row.c[self.column], self.member, self.type)

    def comparable(self, row: FromClause) -> ColumnElement[Any]:
        """What comparisons and sorts look at; the slot of a custom field only where the row is one of the table itself, since
        past states and events keep no slots."""
        if self.member is None:
            return row.c[self.key] if self.expression is None else sa.func.lower(self.value(row))
        if self.slot is not None and is_stored(row):
            return row.c[self.slot]
        if self.spec.folded and self.expression is None:
            twin = _member(row.c[self.key], self.member, FieldType.TEXT)
            # what stands for a past state may come without its twins
            return twin if is_stored(row) else sa.func.coalesce(twin, sa.func.lower(self.value(row)))
        return sa.func.lower(self.value(row)) if self.spec.folded else self.value(row)

    def unique_key(self, row: FromClause) -> ColumnElement[Any]:
        """What a unique field is found by."""
        return row.c[self.key] if self.member is None else row.c[self.unique_slot or self.key]

    def as_json(self, row: FromClause) -> ColumnElement[Any]:
        """The value as `row_to_json` must meet it to print the contract's form."""
        if self.member is not None and self.expression is None:
            return row.c[self.column].op("->", return_type=JSONB())(sa.literal_column(f"'{self.member}'"))
        column = self.value(row)
        if self.type is FieldType.DATETIME:
            return timestamp_text(column)
        if self.type in (FieldType.CURRENCY, FieldType.DECIMAL):
            return sa.cast(column, sa.Text)
        return column


def is_stored(row: FromClause) -> bool:
    """Whether a row is one of a table, and not of something that stands for it."""
    return isinstance(row, sa.Table) or (isinstance(row, sa.Alias) and isinstance(row.element, sa.Table))


def name_of(row: FromClause) -> str:
    """What a table, an alias or a named sub-select is called in its statement."""
    assert isinstance(row, NamedFromClause)
    return str(row.name)


def _member(column: ColumnElement[Any], member: str, kind: FieldType) -> ColumnElement[Any]:
    """A member of a JSON column as the type that it is compared as; lists stay JSON."""
    name: ColumnElement[Any] = sa.literal_column(f"'{member}'")
    if kind is FieldType.MULTI_PICKLIST or kind in STRUCTURED:
        return column.op("->", return_type=JSONB())(name)
    text = column.op("->>", return_type=sa.Text())(name)
    sql_type = SQL_TYPES.get(kind)
    return text if sql_type is None else sa.cast(sa.func.nullif(text, sa.literal_column("''"), type_=sa.Text()), sql_type)


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
