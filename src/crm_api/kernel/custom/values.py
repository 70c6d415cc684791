"""Values of custom fields: from a caller's JSON to the JSON that is stored, and to what is compared and kept unique.

A stored value is the API's own form (decimals, dates and instants as strings), so that it needs no way back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import orjson

from crm_api.core.clock import format_timestamp, parse_date, parse_timestamp
from crm_api.core.domains import check_url
from crm_api.core.email import normalize_email
from crm_api.core.errors import FieldError, InvalidValue, join_pointer
from crm_api.core.ids import parse_uuid
from crm_api.core.money import decimal_text, parse_decimal, parse_money
from crm_api.core.phone import normalize_phone
from crm_api.core.text import check_text, fold
from crm_api.kernel.custom.definitions import CustomField
from crm_api.models import slots
from crm_api.models.columns import FieldType

MAX_TEXT: Final = 255
MAX_LONG_TEXT: Final = 32_000
MAX_JSON_BYTES: Final = 32_768
MAX_CHOICES: Final = 100
MAX_SCALE: Final = 6


def check_value(field: CustomField, raw: Any, old: Any, *, currency: str, region: str) -> Any:
    """The value as it is stored; `old` is the stored one. Raises InvalidValue."""
    value = _CHECKS[field.type](field, raw, old, currency, region)
    _check_bounds(field, value)
    return value


def _string(raw: Any) -> str:
    if not isinstance(raw, str):
        raise InvalidValue("type", expected="string")
    return check_text(raw)


def _text(field: CustomField, raw: Any, old: Any, currency: str, region: str) -> str:
    text = _string(raw)
    longest = field.properties.get("max_length") or (MAX_LONG_TEXT if field.type is FieldType.LONG_TEXT else MAX_TEXT)
    if len(text) > longest:
        raise InvalidValue("max_length", max_length=longest)
    if field.pattern is not None and field.pattern.fullmatch(text) is None:
        raise InvalidValue("pattern", pattern=field.pattern.pattern)
    return text


def _integer(field: CustomField, raw: Any, old: Any, currency: str, region: str) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise InvalidValue("type", expected="integer")
    if abs(raw) > 2**53:
        raise InvalidValue("max", max=2**53)
    return raw


def _number(field: CustomField, raw: Any, old: Any, currency: str, region: str) -> int | float:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise InvalidValue("invalid_number")
    if isinstance(raw, int) and abs(raw) > 2**53:
        raise InvalidValue("max", max=2**53)
    return raw


def _decimal(field: CustomField, raw: Any, old: Any, currency: str, region: str) -> str:
    scale = field.properties.get("scale")
    value = parse_decimal(_string(raw), 24, MAX_SCALE if scale is None else scale)
    return decimal_text(value if scale is None else value.quantize(Decimal(1).scaleb(-scale)))


def _currency(field: CustomField, raw: Any, old: Any, currency: str, region: str) -> str:
    return decimal_text(parse_money(_string(raw), currency))


def _boolean(field: CustomField, raw: Any, old: Any, currency: str, region: str) -> bool:
    if not isinstance(raw, bool):
        raise InvalidValue("type", expected="boolean")
    return raw


def _date(field: CustomField, raw: Any, old: Any, currency: str, region: str) -> str:
    return parse_date(_string(raw)).isoformat()


def _datetime(field: CustomField, raw: Any, old: Any, currency: str, region: str) -> str:
    return format_timestamp(parse_timestamp(_string(raw)))


def _email(field: CustomField, raw: Any, old: Any, currency: str, region: str) -> str:
    return normalize_email(_string(raw)).display


def _phone(field: CustomField, raw: Any, old: Any, currency: str, region: str) -> str:
    text = _string(raw).strip()
    if normalize_phone(text, region) is None:
        raise InvalidValue("invalid_phone")
    return text


def _url(field: CustomField, raw: Any, old: Any, currency: str, region: str) -> str:
    return check_url(_string(raw))


def _choice(field: CustomField, raw: Any, kept: tuple[str, ...]) -> str:
    """An option's key. One that is no longer active may stay where it is, but not be chosen anew."""
    key = _string(raw)
    if any(option.key == key and (option.active or key in kept) for option in field.options):
        return key
    raise InvalidValue("enum", allowed=[option.key for option in field.options if option.active])


def _picklist(field: CustomField, raw: Any, old: Any, currency: str, region: str) -> str:
    return _choice(field, raw, (old,) if isinstance(old, str) else ())


def _multi_picklist(field: CustomField, raw: Any, old: Any, currency: str, region: str) -> list[str]:
    if not isinstance(raw, list):
        raise InvalidValue("type", expected="array")
    if len(raw) > MAX_CHOICES:
        raise InvalidValue("too_many_items", max_items=MAX_CHOICES)
    kept = tuple(old) if isinstance(old, list) else ()
    return list(dict.fromkeys(_choice(field, item, kept) for item in raw))


def _reference(field: CustomField, raw: Any, old: Any, currency: str, region: str) -> Any:
    if isinstance(raw, dict):
        if set(raw) != {"by", "value"} or not all(isinstance(part, str) for part in raw.values()):
            raise InvalidValue("type", expected='id or {"by", "value"}')
        return {name: check_text(part) for name, part in raw.items()}
    found = parse_uuid(_string(raw))
    if found is None:
        raise InvalidValue("invalid_uuid")
    return str(found)


def _json(field: CustomField, raw: Any, old: Any, currency: str, region: str) -> Any:
    if len(orjson.dumps(raw)) > MAX_JSON_BYTES:
        raise InvalidValue("max_bytes", max_bytes=MAX_JSON_BYTES)
    return raw


def _computed(field: CustomField, raw: Any, old: Any, currency: str, region: str) -> Any:
    raise InvalidValue("read_only")


_CHECKS: Final[Mapping[FieldType, Callable[[CustomField, Any, Any, str, str], Any]]] = {
    FieldType.TEXT: _text,
    FieldType.LONG_TEXT: _text,
    FieldType.INTEGER: _integer,
    FieldType.NUMBER: _number,
    FieldType.DECIMAL: _decimal,
    FieldType.CURRENCY: _currency,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
    FieldType.EMAIL: _email,
    FieldType.PHONE: _phone,
    FieldType.URL: _url,
    FieldType.PICKLIST: _picklist,
    FieldType.MULTI_PICKLIST: _multi_picklist,
    FieldType.REFERENCE: _reference,
    FieldType.JSON: _json,
    FieldType.AUTONUMBER: _computed,
    FieldType.FORMULA: _computed,
    FieldType.ROLLUP: _computed,
}


def _check_bounds(field: CustomField, value: Any) -> None:
    """`min` and `max` of numbers, dates and instants, both inclusive."""
    for name in ("min", "max"):
        bound = field.properties.get(name)
        if bound is None:
            continue
        here, there = order_of(field.type, value), order_of(field.type, bound)
        if (here < there) if name == "min" else (here > there):
            raise InvalidValue(name, **{name: bound})


def order_of(kind: FieldType, value: Any) -> Any:
    """A stored value as something that compares in its type's order."""
    match kind:
        case FieldType.DECIMAL | FieldType.CURRENCY:
            return Decimal(value)
        case FieldType.INTEGER | FieldType.NUMBER:
            return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        case _:
            return value


def check_dependency(field: CustomField, members: Mapping[str, Any], pointer: tuple[str, ...]) -> FieldError | None:
    """Whether a dependent picklist's value goes with that of the field it depends on: `depends_on {field, values}`."""
    rule = field.properties.get("depends_on")
    value = members.get(field.api_name)
    if not rule or value is None:
        return None
    allowed = rule["values"].get(members.get(rule["field"]) or "", [])
    chosen = value if isinstance(value, list) else [value]
    if all(key in allowed for key in chosen):
        return None
    params = {"depends_on": rule["field"]}
    return FieldError("enum", pointer=join_pointer(*pointer, field.api_name), params=params, allowed=list(allowed))


# --- what follows from a value -----------------------------------------------------------------------------------------


def folded(field: CustomField, value: Any, region: str) -> str:
    """The text that a value of a folded type is compared by."""
    match field.value_type:
        case FieldType.EMAIL:
            return normalize_email(value).key
        case FieldType.PHONE:
            phone = normalize_phone(value, region)
            return fold(value) if phone is None else phone.key
        case _:
            return fold(value)


def slot_value(kind: slots.SlotKind, field: CustomField, value: Any, region: str) -> Any:
    """The value as its index slot holds it."""
    if kind in (slots.TEXT, slots.UNIQUE):
        if field.value_type in (FieldType.PICKLIST, FieldType.INTEGER):
            return str(value)
        return folded(field, value, region)
    return value


def python_value(kind: FieldType, value: Any) -> Any:
    """A stored value as Python compares and formats it."""
    match kind:
        case FieldType.DATE:
            return date.fromisoformat(value)
        case FieldType.DATETIME:
            return datetime.fromisoformat(value)
        case FieldType.DECIMAL | FieldType.CURRENCY:
            return Decimal(value)
        case _:
            return value


__all__ = [
    "MAX_JSON_BYTES",
    "MAX_LONG_TEXT",
    "MAX_TEXT",
    "check_dependency",
    "check_value",
    "folded",
    "order_of",
    "python_value",
    "slot_value",
]
