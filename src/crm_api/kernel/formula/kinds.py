"""The types of the language. Numbers of all kinds are one type, and so are texts; the result's own type is chosen at the end."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from crm_api.models.columns import FieldType


class Kind(StrEnum):
    """What a part of a formula is; the value is how mistakes call it."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    KEYS = "list of keys"
    NULL = "null"


KIND_OF: Final[dict[FieldType, Kind]] = {
    **dict.fromkeys(
        (
            FieldType.TEXT,
            FieldType.LONG_TEXT,
            FieldType.EMAIL,
            FieldType.PHONE,
            FieldType.URL,
            FieldType.PICKLIST,
            FieldType.AUTONUMBER,
            FieldType.REFERENCE,
            FieldType.UUID,
        ),
        Kind.TEXT,
    ),
    **dict.fromkeys((FieldType.INTEGER, FieldType.NUMBER, FieldType.DECIMAL, FieldType.CURRENCY), Kind.NUMBER),
    FieldType.BOOLEAN: Kind.BOOLEAN,
    FieldType.DATE: Kind.DATE,
    FieldType.DATETIME: Kind.DATETIME,
    FieldType.TAGS: Kind.KEYS,
    FieldType.MULTI_PICKLIST: Kind.KEYS,
}
"""Fields of other types have no place in a formula."""
