"""What Pydantic found wrong, as the contract's mistakes: JSON pointers and codes of `core/messages.py`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pydantic_core import ErrorDetails, ValidationError

from crm_api.core.errors import FieldError, InvalidValue, join_pointer
from crm_api.core.messages import FIELD_CODES

# Pydantic's error type → our code, and the params to carry over (ours: Pydantic's name in `ctx`).
_CODES: Final[dict[str, tuple[str, Mapping[str, str]]]] = {
    "missing": ("required", {}),
    "missing_argument": ("required", {}),
    "extra_forbidden": ("unknown_field", {}),
    "frozen_field": ("read_only", {}),
    "string_too_short": ("min_length", {"min_length": "min_length"}),
    "string_too_long": ("max_length", {"max_length": "max_length"}),
    "bytes_too_long": ("max_length", {"max_length": "max_length"}),
    "string_pattern_mismatch": ("pattern", {"pattern": "pattern"}),
    "string_unicode": ("invalid_characters", {}),
    "too_short": ("min_items", {"min_items": "min_length"}),
    "too_long": ("too_many_items", {"max_items": "max_length"}),
    "greater_than_equal": ("min", {"min": "ge"}),
    "less_than_equal": ("max", {"max": "le"}),
    "greater_than": ("exclusive_min", {"exclusive_min": "gt"}),
    "less_than": ("exclusive_max", {"exclusive_max": "lt"}),
    "multiple_of": ("multiple_of", {"multiple_of": "multiple_of"}),
    "enum": ("enum", {}),
    "literal_error": ("enum", {}),
    "union_tag_invalid": ("enum", {}),
    "uuid_parsing": ("invalid_uuid", {}),
    "uuid_type": ("invalid_uuid", {}),
    "uuid_version": ("invalid_uuid", {}),
    "bool_parsing": ("invalid_boolean", {}),
    "float_parsing": ("invalid_number", {}),
    "finite_number": ("invalid_number", {}),
    "decimal_parsing": ("invalid_decimal", {}),
    "decimal_type": ("invalid_decimal", {}),
    "decimal_max_places": ("digits", {"scale": "decimal_places"}),
    "decimal_max_digits": ("max_digits", {"max_digits": "max_digits"}),
    "decimal_whole_digits": ("max_digits", {"max_digits": "whole_digits"}),
    "url_parsing": ("invalid_url", {}),
    "url_scheme": ("invalid_url", {}),
    "url_syntax_violation": ("invalid_url", {}),
    "timezone_aware": ("invalid_timestamp", {}),
}
_REASONED: Final = {"date_": "invalid_date", "datetime_": "invalid_timestamp", "time_delta_": "invalid_duration", "json_": "invalid_json"}
_EXPECTED: Final = {
    "string_type": "string",
    "bytes_type": "string",
    "int_type": "integer",
    "int_parsing": "integer",
    "int_from_float": "integer",
    "float_type": "number",
    "bool_type": "boolean",
    "list_type": "array",
    "set_type": "array",
    "tuple_type": "array",
    "dict_type": "object",
    "mapping_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
    "typed_dict_type": "object",
}
_NEVER_NULL: Final = frozenset({"missing", "missing_argument", "extra_forbidden", "json_invalid"})
"""Findings whose `input` is not the value that was sent."""

_CHOICE: Final = re.compile(r"'((?:[^'\\]|\\.)*)'")


def field_errors(error: ValidationError, body: Any, allowed: Iterable[str]) -> list[FieldError]:
    """All mistakes of a body, one for each place. `allowed` are the names a top-level key may have."""
    found: dict[str, FieldError] = {}
    names = sorted(allowed)
    for detail in error.errors(include_url=False):
        path = _path(detail, body)
        pointer = join_pointer(*path)
        new = replace(mistake(detail, names if len(path) == 1 else None), pointer=pointer)
        earlier = found.get(pointer)
        # A union reports each of its branches; what is wrong with a value says more than that a branch wanted another type.
        if earlier is None or (earlier.code == "type" and new.code not in ("type", "null_not_allowed")):
            found[pointer] = new
    return list(found.values())


def _path(detail: ErrorDetails, body: Any) -> list[str | int]:
    """The place in the body: Pydantic's path without the names of the union branches it tried."""
    path: list[str | int] = []
    value: Any = body
    parts = detail["loc"]
    for index, part in enumerate(parts):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part] if part < len(value) else None
        elif index == len(parts) - 1 and detail["type"] == "missing":
            value = None
        else:
            continue
        path.append(part)
    return path


def mistake(found: Mapping[str, Any], names: Sequence[str] | None = None) -> FieldError:
    """One finding of Pydantic (or FastAPI, which uses the same form) without its place.

    `names` are those that would have been known where a name is not.
    """
    kind: str = found["type"]
    context: Mapping[str, Any] = found.get("ctx") or {}
    cause = context.get("error")
    if found.get("input", ...) is None and kind not in _NEVER_NULL:
        return FieldError("null_not_allowed")
    if isinstance(cause, InvalidValue):
        return cause.at()
    if kind in _EXPECTED:
        return FieldError("type", params={"expected": _EXPECTED[kind]})
    if kind in _CODES:
        code, params = _CODES[kind]
        shown = {ours: _plain(context[theirs]) for ours, theirs in params.items() if theirs in context}
        allowed: Sequence[Any] | None = names if kind == "extra_forbidden" else None
        if code == "enum":
            allowed = _CHOICE.findall(str(context.get("expected") or context.get("expected_tags"))) or None
        return FieldError(code, params=shown or None, allowed=allowed)
    for prefix, code in _REASONED.items():
        if kind.startswith(prefix):
            return FieldError(code, params={"reason": str(cause or found["msg"])})
    if kind in FIELD_CODES:  # a PydanticCustomError in our own words
        return FieldError(kind, params=dict(context) or None)
    return FieldError("invalid_value", str(cause or found["msg"]))


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
