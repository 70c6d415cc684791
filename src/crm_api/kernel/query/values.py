"""Values of filters: from JSON or a query string to what PostgreSQL compares with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from crm_api.core.clock import parse_date, parse_timestamp
from crm_api.core.domains import normalize_domain
from crm_api.core.email import normalize_email
from crm_api.core.errors import InvalidValue
from crm_api.core.fiscal import CALENDAR, FiscalYear
from crm_api.core.ids import parse_uuid
from crm_api.core.money import parse_decimal
from crm_api.core.phone import normalize_phone
from crm_api.core.text import check_text, fold
from crm_api.kernel.fields import Field
from crm_api.models.columns import FieldType

PARTIAL: Final = ("contains", "starts_with", "ends_with")
LISTS: Final = ("in", "not_in", "any_of", "all_of", "none_of")
RELATIVE: Final = ("older_than", "newer_than", "within")
NULL_TESTS: Final = ("is_null", "is_not_null")
SETS: Final = (FieldType.TAGS, FieldType.MULTI_PICKLIST)
NUMBERS: Final = (FieldType.INTEGER, FieldType.NUMBER, FieldType.DECIMAL, FieldType.CURRENCY)

COMPARISONS: Final = ("eq", "ne", "lt", "lte", "gt", "gte", "between", "in", "not_in", *NULL_TESTS)
_TEXT: Final = ("eq", "eq_exact", *COMPARISONS[1:], *PARTIAL)
_EQUALITY: Final = ("eq", "ne", "in", "not_in", *NULL_TESTS)
_TIME: Final = (*COMPARISONS, *RELATIVE)
_SETS: Final = ("any_of", "all_of", "none_of", "contains", *NULL_TESTS)

OPERATORS: Final[dict[FieldType, tuple[str, ...]]] = {
    FieldType.TEXT: _TEXT,
    FieldType.EMAIL: _TEXT,
    FieldType.PHONE: _TEXT,
    FieldType.URL: _TEXT,
    FieldType.LONG_TEXT: (*PARTIAL, *NULL_TESTS),
    FieldType.AUTONUMBER: _TEXT,
    FieldType.PICKLIST: (*_EQUALITY, "eq_exact"),
    FieldType.INTEGER: COMPARISONS,
    FieldType.NUMBER: COMPARISONS,
    FieldType.DECIMAL: COMPARISONS,
    FieldType.CURRENCY: COMPARISONS,
    FieldType.BOOLEAN: ("eq", "ne", *NULL_TESTS),
    FieldType.DATE: _TIME,
    FieldType.DATETIME: _TIME,
    FieldType.REFERENCE: _EQUALITY,
    FieldType.UUID: _EQUALITY,
    FieldType.TAGS: _SETS,
    FieldType.MULTI_PICKLIST: _SETS,
    FieldType.RICH_TEXT: (*PARTIAL, *NULL_TESTS),
    FieldType.ADDRESS: NULL_TESTS,
    FieldType.ACTOR: ("eq", "ne", *NULL_TESTS),
    FieldType.EXTERNAL_IDS: NULL_TESTS,
    FieldType.CUSTOM_FIELDS: (),
    FieldType.ITEMS: NULL_TESTS,
    FieldType.JSON: NULL_TESTS,
}
"""What may be asked of each kind of field."""


@dataclass(frozen=True, slots=True)
class Locale:
    """What relative and local values depend on."""

    now: datetime
    zone: ZoneInfo
    region: str
    fiscal: FiscalYear = CALENDAR
    week_start: int = 0


def compare_value(field: Field, raw: Any, locale: Locale, *, from_text: bool, exact: bool = False) -> Any:
    """One value to compare `field` with. `from_text`: it comes from a query string, where everything is text.

    Raises InvalidValue.
    """
    match field.type:
        case FieldType.TEXT | FieldType.URL | FieldType.AUTONUMBER:
            return _text(raw) if exact else _folded(field, _text(raw))
        case FieldType.PICKLIST:
            return _option(field, _text(raw))
        case FieldType.TAGS | FieldType.MULTI_PICKLIST:
            return _text(raw)
        case FieldType.EMAIL:
            return _text(raw) if exact else email_key(_text(raw))
        case FieldType.PHONE:
            return _text(raw) if exact else _phone_key(_text(raw), locale.region)
        case FieldType.INTEGER:
            return _integer(raw, from_text)
        case FieldType.CURRENCY | FieldType.DECIMAL:
            return parse_decimal(_text(raw), 38, 20)
        case FieldType.NUMBER:
            return _number(raw, from_text)
        case FieldType.BOOLEAN:
            return _boolean(raw, from_text)
        case FieldType.DATE:
            return parse_date(_text(raw))
        case FieldType.DATETIME:
            return parse_timestamp(_text(raw))
        case FieldType.REFERENCE | FieldType.UUID | FieldType.ACTOR:
            found = parse_uuid(_text(raw))
            if found is None:
                raise InvalidValue("invalid_uuid")
            return found
        case kind:
            raise InvalidValue("type", expected=kind.value)


def part_value(field: Field, raw: Any) -> str:
    """A piece of text to look for in `field`, in the form of the field's key. Raises InvalidValue."""
    text = _text(raw)
    if field.type is FieldType.EMAIL:
        key = text.casefold()
    elif field.type is FieldType.PHONE:
        # the key is in E.164, so of a number as people write it only the digits can be found there
        key = "".join(char for char in text if char in "+0123456789") if any(char.isdigit() for char in text) else fold(text)
    else:
        key = fold(text)
    if not key:
        raise InvalidValue("min_length", min_length=1)
    return key


def email_key(text: str) -> str:
    """What an address is compared by; of a text that is none, its folded self."""
    try:
        return normalize_email(text).key
    except InvalidValue:
        return text.casefold()


def _phone_key(text: str, region: str) -> str:
    phone = normalize_phone(text, region)
    return fold(text) if phone is None else phone.key


def _folded(field: Field, text: str) -> str:
    if field.spec.format == "domain":
        try:
            return fold(normalize_domain(text))
        except InvalidValue:
            return fold(text)
    return fold(text)


def _option(field: Field, text: str) -> str:
    options = field.spec.options
    if not options or text in options:
        return text
    alike = next((option for option in options if fold(option) == fold(text)), None)
    if alike is None:
        raise InvalidValue("enum", allowed=list(options))
    return alike


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise InvalidValue("type", expected="string")
    return check_text(raw)


def _number(raw: Any, from_text: bool) -> Decimal:
    if from_text and isinstance(raw, str):
        return parse_decimal(_text(raw), 38, 20)
    if isinstance(raw, bool) or not isinstance(raw, (int, float)):
        raise InvalidValue("type", expected="number")
    return Decimal(str(raw))


def _boolean(raw: Any, from_text: bool) -> bool:
    if from_text and raw in ("true", "false"):
        return bool(raw == "true")
    if not isinstance(raw, bool):
        raise InvalidValue("invalid_boolean")
    return raw


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
