"""Values of filters: from JSON or a query string to what PostgreSQL compares with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from crm_api.core.clock import parse_date, parse_timestamp
from crm_api.core.email import normalize_email
from crm_api.core.errors import InvalidValue
from crm_api.core.ids import parse_uuid
from crm_api.core.money import parse_decimal
from crm_api.core.phone import normalize_phone
from crm_api.core.text import check_text, fold
from crm_api.kernel.fields import Field
from crm_api.models.columns import FieldType

COMPARISONS = ("eq", "ne", "lt", "lte", "gt", "gte", "between", "in", "not_in", "is_null", "is_not_null")
_TEXT = (
    "eq",
    "eq_exact",
    "ne",
    "lt",
    "lte",
    "gt",
    "gte",
    "between",
    "in",
    "not_in",
    "is_null",
    "is_not_null",
    "contains",
    "starts_with",
    "ends_with",
)
_EQUALITY = ("eq", "ne", "in", "not_in", "is_null", "is_not_null")
_TIME = (*COMPARISONS, "older_than", "newer_than", "within")
_SETS = ("any_of", "all_of", "none_of", "is_null", "is_not_null", "contains")

OPERATORS: dict[FieldType, tuple[str, ...]] = {
    FieldType.TEXT: _TEXT,
    FieldType.EMAIL: _TEXT,
    FieldType.PHONE: _TEXT,
    FieldType.URL: _TEXT,
    FieldType.LONG_TEXT: ("contains", "starts_with", "ends_with", "is_null", "is_not_null"),
    FieldType.PICKLIST: (*_EQUALITY, "eq_exact"),
    FieldType.INTEGER: COMPARISONS,
    FieldType.NUMBER: COMPARISONS,
    FieldType.DECIMAL: COMPARISONS,
    FieldType.CURRENCY: COMPARISONS,
    FieldType.BOOLEAN: ("eq", "ne", "is_null", "is_not_null"),
    FieldType.DATE: _TIME,
    FieldType.DATETIME: _TIME,
    FieldType.REFERENCE: _EQUALITY,
    FieldType.UUID: _EQUALITY,
    FieldType.TAGS: _SETS,
    FieldType.MULTI_PICKLIST: _SETS,
    FieldType.RICH_TEXT: ("contains", "is_null", "is_not_null"),
    FieldType.ADDRESS: ("is_null", "is_not_null"),
    FieldType.ACTOR: ("eq", "ne"),
    FieldType.EXTERNAL_IDS: ("is_null", "is_not_null"),
    FieldType.CUSTOM_FIELDS: (),
    FieldType.ITEMS: ("is_null", "is_not_null"),
    FieldType.JSON: ("is_null", "is_not_null"),
}


@dataclass(frozen=True, slots=True)
class Locale:
    """What relative and local values depend on."""

    now: datetime
    zone: ZoneInfo
    region: str
    fiscal_year_start: int = 1


def compare_value(field: Field, raw: Any, locale: Locale, *, from_text: bool, exact: bool = False) -> Any:
    """One value to compare `field` with. `from_text`: it comes from a query string, where everything is text.

    Raises InvalidValue.
    """
    kind = field.type
    if kind in (
        FieldType.TEXT,
        FieldType.LONG_TEXT,
        FieldType.URL,
        FieldType.PICKLIST,
        FieldType.TAGS,
        FieldType.MULTI_PICKLIST,
        FieldType.RICH_TEXT,
    ):
        text = _text(raw)
        return text if exact or kind in (FieldType.PICKLIST, FieldType.TAGS, FieldType.MULTI_PICKLIST) else fold(text)
    if kind is FieldType.EMAIL:
        text = _text(raw)
        if exact:
            return text
        try:
            return normalize_email(text).key
        except InvalidValue:
            return fold(text)
    if kind is FieldType.PHONE:
        text = _text(raw)
        phone = None if exact else normalize_phone(text, locale.region)
        return text if exact else (phone.key if phone else fold(text))
    if kind is FieldType.INTEGER:
        return _integer(raw, from_text)
    if kind in (FieldType.CURRENCY, FieldType.DECIMAL):
        return parse_decimal(_text(raw), 38, 20)
    if kind is FieldType.NUMBER:
        if from_text or isinstance(raw, str):
            return parse_decimal(_text(raw), 38, 20)
        if isinstance(raw, bool) or not isinstance(raw, (int, float)):
            raise InvalidValue("type", expected="number")
        return Decimal(str(raw))
    if kind is FieldType.BOOLEAN:
        if from_text and raw in ("true", "false"):
            return raw == "true"
        if isinstance(raw, bool):
            return raw
        raise InvalidValue("type", expected="boolean")
    if kind is FieldType.DATE:
        return parse_date(_text(raw))
    if kind is FieldType.DATETIME:
        return parse_timestamp(_text(raw))
    if kind in (FieldType.REFERENCE, FieldType.UUID, FieldType.ACTOR):
        found = parse_uuid(_text(raw))
        if found is None:
            raise InvalidValue("invalid_uuid")
        return found
    raise InvalidValue("type", expected=kind.value)


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise InvalidValue("type", expected="string")
    return check_text(raw)


def _integer(raw: Any, from_text: bool) -> int:
    if isinstance(raw, str) and from_text:
        digits = raw.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
            raise InvalidValue("type", expected="integer")
        return int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise InvalidValue("type", expected="integer")
    if not -(2**63) <= raw < 2**63:
        raise InvalidValue("max", max=2**63 - 1)
    return raw
