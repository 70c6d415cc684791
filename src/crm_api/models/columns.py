"""Columns that know which field of the API they hold.

A model is the one description of a table; `FieldSpec` in a column's `info` says how the API shows, checks, filters and sorts
it. The kernel reads nothing else, so a custom field (a `FieldSpec` without a column of its own) takes the same path.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy import BigInteger, Boolean, Date, Integer, Numeric, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.orm import MappedColumn, mapped_column
from sqlalchemy.types import TypeEngine


class FieldType(StrEnum):
    """The kinds of values the API knows. The first group may be chosen for custom fields, the second is the kernel's."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    INTEGER = "integer"
    NUMBER = "number"
    DECIMAL = "decimal"
    CURRENCY = "currency"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    PICKLIST = "picklist"
    MULTI_PICKLIST = "multi_picklist"
    AUTONUMBER = "autonumber"
    REFERENCE = "reference"
    FORMULA = "formula"
    ROLLUP = "rollup"
    JSON = "json"

    UUID = "uuid"
    ACTOR = "actor"
    TAGS = "tags"
    EXTERNAL_IDS = "external_ids"
    CUSTOM_FIELDS = "custom_fields"
    RICH_TEXT = "rich_text"
    ADDRESS = "address"
    ITEMS = "items"


Writable = Literal["always", "create", "import", "never"]
"""Who may write a field: any write, only the create, only creates with the `import` permission, or nobody."""

Sensitivity = Literal["none", "personal", "sensitive"]
"""Whether a value tells who a person is, or something about them that deserves more care still (such as health or belief)."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What the API knows of one column.

    `folded`: has a `<name>_key` twin for case-blind comparison and sorting. `target`: the object a reference points to;
    `inverse`: the plural name of the way back. `options`: the keys of a fixed picklist in order; `option_object`: the
    object whose `key`s are this picklist's values (statuses, lifecycle stages, …). `indexed`: an index (org_id, column, id)
    stands behind it, so it may lead a sort. `unique`: unique among live records. `format`: text that is
    more than text and stored in a normal form. `base_of`: the amount whose worth in the organisation's currency this is.
    `sensitivity`: what the value says of a person. `owned`: a reference to what the record is a part of, with which it is purged.
    """

    type: FieldType
    writable: Writable = "always"
    folded: bool = False
    target: str | None = None
    inverse: str | None = None
    options: tuple[str, ...] = ()
    option_object: str | None = None
    indexed: bool = False
    unique: bool = False
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    format: Literal["domain"] | None = None
    tracked: bool = True
    base_of: str | None = None
    sensitivity: Sensitivity = "none"
    owned: bool = False


def personal(column: MappedColumn[Any]) -> MappedColumn[Any]:
    """A field that says who a person is, how to reach them, or what was written about them."""
    column.column.info["field"] = replace(column.column.info["field"], sensitivity="personal")
    return column


def owned(column: MappedColumn[Any]) -> MappedColumn[Any]:
    """A reference to what the record is a part of: purging that purges the record too, and nobody has to be asked."""
    column.column.info["field"] = replace(column.column.info["field"], owned=True)
    return column


def key_type(spec: FieldSpec) -> TypeEngine[Any]:
    """The type of a folded twin: text compared byte by byte, or JSON with folded parts (addresses, custom fields)."""
    return JSONB() if spec.type in (FieldType.ADDRESS, FieldType.CUSTOM_FIELDS) else Text(collation="C")


def _column(sql: TypeEngine[Any], spec: FieldSpec, nullable: bool, default: str | None = None) -> MappedColumn[Any]:
    return mapped_column(sql, nullable=nullable, server_default=None if default is None else text(default), info={"field": spec})


def text_field(max_length: int = 255, *, required: bool = False, indexed: bool = False, unique: bool = False) -> MappedColumn[Any]:
    """A line of text, compared and sorted without regard to case and marks."""
    return _column(Text(), FieldSpec(FieldType.TEXT, folded=True, max_length=max_length, indexed=indexed, unique=unique), not required)


def long_text_field(max_length: int = 32_000) -> MappedColumn[Any]:
    """Plain text of any length; found by `contains` and `q`, not sortable."""
    return _column(Text(), FieldSpec(FieldType.LONG_TEXT, folded=True, max_length=max_length), True)


def rich_text_field(*, required: bool = False) -> MappedColumn[Any]:
    """A body `{"format": "markdown|html|text", "content": "…"}`; its twin is the folded plain text."""
    return _column(JSONB(none_as_null=True), FieldSpec(FieldType.RICH_TEXT, folded=True, max_length=100_000), not required)


def email_field(*, unique: bool = False, indexed: bool = True, writable: Writable = "always") -> MappedColumn[Any]:
    """An e-mail address as given; its twin is the case-folded address."""
    spec = FieldSpec(FieldType.EMAIL, folded=True, max_length=254, unique=unique, indexed=indexed, writable=writable)
    return _column(Text(), spec, True)


def phone_field() -> MappedColumn[Any]:
    """A telephone number as given; its twin is the E.164 form."""
    return _column(Text(), FieldSpec(FieldType.PHONE, folded=True, max_length=64), True)


def url_field() -> MappedColumn[Any]:
    """An http or https address."""
    return _column(Text(), FieldSpec(FieldType.URL, folded=True, max_length=2048), True)


def domain_field(*, unique: bool = True) -> MappedColumn[Any]:
    """A company's domain: lower case without scheme, `www.` and path."""
    return _column(Text(), FieldSpec(FieldType.TEXT, folded=True, max_length=253, unique=unique, indexed=True, format="domain"), True)


def money_field(*, indexed: bool = False) -> MappedColumn[Any]:
    """An amount in the record's `currency`, exact."""
    return _column(Numeric(asdecimal=True), FieldSpec(FieldType.CURRENCY, indexed=indexed), True)


def base_field(amount: str) -> MappedColumn[Any]:
    """What an amount of the record is worth in the organisation's currency; it follows in every write."""
    return _column(Numeric(asdecimal=True), FieldSpec(FieldType.CURRENCY, writable="never", base_of=amount), True)


def number_field(*, minimum: float | None = None, maximum: float | None = None) -> MappedColumn[Any]:
    """A JSON number (probability, score)."""
    return _column(Numeric(asdecimal=True), FieldSpec(FieldType.NUMBER, minimum=minimum, maximum=maximum), True)


def integer_field(
    *,
    minimum: int | None = None,
    maximum: int | None = None,
    required: bool = False,
    big: bool = False,
    indexed: bool = False,
    writable: Writable = "always",
    default: int | None = None,
) -> MappedColumn[Any]:
    """A whole number."""
    spec = FieldSpec(FieldType.INTEGER, minimum=minimum, maximum=maximum, indexed=indexed, writable=writable)
    return _column(BigInteger() if big else Integer(), spec, not required, None if default is None else str(default))


def boolean_field(default: bool = False) -> MappedColumn[Any]:
    """True or false, never null."""
    return _column(Boolean(), FieldSpec(FieldType.BOOLEAN), False, "true" if default else "false")


def date_field(*, indexed: bool = False) -> MappedColumn[Any]:
    """A calendar date without a zone."""
    return _column(Date(), FieldSpec(FieldType.DATE, indexed=indexed), True)


def timestamp_field(*, writable: Writable = "always", indexed: bool = False) -> MappedColumn[Any]:
    """An instant in UTC with microseconds."""
    return _column(TIMESTAMP(timezone=True), FieldSpec(FieldType.DATETIME, writable=writable, indexed=indexed), True)


def picklist_field(
    *options: str,
    source: str | None = None,
    required: bool = False,
    default: str | None = None,
    writable: Writable = "always",
    indexed: bool = False,
) -> MappedColumn[Any]:
    """One key of a fixed list (`options`) or of the live records of an object with `key`s (`source`)."""
    spec = FieldSpec(FieldType.PICKLIST, options=options, option_object=source, writable=writable, indexed=indexed)
    return _column(Text(), spec, not required, None if default is None else f"'{default}'")


def reference_field(target: str, *, inverse: str | None = None, required: bool = False, writable: Writable = "always") -> MappedColumn[Any]:
    """The id of a record of `target`; `inverse` is the plural name of the relation back."""
    spec = FieldSpec(FieldType.REFERENCE, target=target, inverse=inverse, indexed=True, writable=writable)
    return _column(PgUUID(as_uuid=True), spec, not required)


def address_field() -> MappedColumn[Any]:
    """`{street, city, region, postal_code, country}`; parts are filtered as `<field>.city`."""
    return _column(JSONB(none_as_null=True), FieldSpec(FieldType.ADDRESS, folded=True), True)


def items_field() -> MappedColumn[Any]:
    """A short list of objects with one primary (e-mails, phones)."""
    return _column(JSONB(none_as_null=True), FieldSpec(FieldType.ITEMS), False, "'[]'")


def json_field() -> MappedColumn[Any]:
    """Free JSON, not filterable."""
    return _column(JSONB(none_as_null=True), FieldSpec(FieldType.JSON), True)
