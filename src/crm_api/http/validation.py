"""What FastAPI's own validation of parameters and bodies found, in the words and with the statuses of the contract.

Query string and headers are 400, a path value that cannot be an id is 404, a parsed body is 422; unknown query
parameters are `unknown_parameter`. The mistakes of Pydantic get the codes of `core/messages.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from crm_api.core import errors
from crm_api.core.errors import FieldError, InvalidValue, Problem, invalid_input, join_pointer
from crm_api.core.messages import FIELD_CODES

# Pydantic's error type → our code, and the params to carry over (ours: Pydantic's name in `ctx`).
_CODES: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "missing": ("required", {}),
    "missing_argument": ("required", {}),
    "extra_forbidden": ("unknown_field", {}),
    "frozen_field": ("read_only", {}),
    "string_too_short": ("min_length", {"min_length": "min_length"}),
    "string_too_long": ("max_length", {"max_length": "max_length"}),
    "bytes_too_long": ("max_length", {"max_length": "max_length"}),
    "too_short": ("min_items", {"min_items": "min_length"}),
    "too_long": ("too_many_items", {"max_items": "max_length"}),
    "greater_than_equal": ("min", {"min": "ge"}),
    "less_than_equal": ("max", {"max": "le"}),
    "greater_than": ("exclusive_min", {"exclusive_min": "gt"}),
    "less_than": ("exclusive_max", {"exclusive_max": "lt"}),
    "multiple_of": ("multiple_of", {"multiple_of": "multiple_of"}),
    "string_pattern_mismatch": ("pattern", {"pattern": "pattern"}),
    "string_unicode": ("invalid_utf8", {}),
    "enum": ("enum", {}),
    "literal_error": ("enum", {}),
    "union_tag_invalid": ("enum", {}),
    "uuid_parsing": ("invalid_uuid", {}),
    "uuid_type": ("invalid_uuid", {}),
    "uuid_version": ("invalid_uuid", {}),
    "bool_parsing": ("invalid_boolean", {}),
    "bool_type": ("invalid_boolean", {}),
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
    "int_type": "integer",
    "int_parsing": "integer",
    "int_from_float": "integer",
    "float_type": "number",
    "list_type": "array",
    "tuple_type": "array",
    "set_type": "array",
    "dict_type": "object",
    "mapping_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
    "bytes_type": "string",
}


def request_problem(found: Sequence[Mapping[str, Any]]) -> Problem:
    """The one problem that answers all of FastAPI's findings; the gravest place decides the status."""
    places = {error["loc"][0] if error["loc"] else "body" for error in found}
    if "path" in places:
        return errors.NotFound()
    mistakes = [field_error(error) for error in found]
    if places & {"query", "header", "cookie"}:
        outside = [mistake for mistake, error in zip(mistakes, found, strict=True) if error["loc"][0] != "body"]
        if all(mistake.code == "unknown_parameter" for mistake in outside):
            problem = errors.UnknownParameter(outside[0].parameter or "", outside[0].allowed or ())
            problem.errors = outside
            return problem
        return errors.BadRequest(errors=outside)
    if any(mistake.code in ("invalid_json", "invalid_utf8") and mistake.pointer == "" for mistake in mistakes):
        return errors.BadRequest(errors=mistakes)
    return invalid_input(mistakes)


def body_errors(found: Iterable[Mapping[str, Any]]) -> list[FieldError]:
    """The findings of a Pydantic model that was validated by hand; its places are relative to the body."""
    return [field_error({**error, "loc": ("body", *error["loc"])}) for error in found]


def field_error(error: Mapping[str, Any]) -> FieldError:
    """One finding with its place and code. `loc` begins with `query`, `header`, `path`, `cookie` or `body`."""
    where, *rest = error["loc"] or ("body",)
    code, params, message, allowed = _mistake(error)
    if where == "query":
        name = str(rest[0]) if rest else ""
        return FieldError("unknown_parameter" if code == "unknown_field" else code, message, parameter=name, params=params, allowed=allowed)
    if where in ("header", "cookie"):
        return FieldError(code, message, header=str(rest[0]) if rest else "", params=params, allowed=allowed)
    if error["type"] == "json_invalid":
        rest = []  # the rest of `loc` is an offset, not a place in a document
    return FieldError(code, message, pointer=join_pointer(*rest), params=params, allowed=allowed)


def _mistake(error: Mapping[str, Any]) -> tuple[str, dict[str, Any] | None, str | None, Sequence[Any] | None]:
    """Code, params, a message where no template fits, and the allowed values."""
    kind: str = error["type"]
    context: Mapping[str, Any] = error.get("ctx") or {}
    cause = context.get("error")
    if isinstance(cause, InvalidValue):
        return cause.code, cause.params or None, None, cause.allowed
    if error.get("input", ...) is None and (kind.endswith("_type") or (kind in _CODES and kind not in ("missing", "extra_forbidden"))):
        return "null_not_allowed", None, None, None
    if kind in _EXPECTED:
        return "type", {"expected": _EXPECTED[kind]}, None, None
    if kind in _CODES:
        code, names = _CODES[kind]
        params = {ours: _plain(context[theirs]) for ours, theirs in names.items() if theirs in context}
        return code, params or None, None, _choices(context) if code == "enum" else None
    for prefix, code in _REASONED.items():
        if kind.startswith(prefix):
            return code, {"reason": str(context.get("error") or error["msg"])}, None, None
    if kind in FIELD_CODES:  # a PydanticCustomError in our own words
        return kind, dict(context) or None, None, None
    return "invalid_value", None, str(cause or error["msg"]), None


def _choices(context: Mapping[str, Any]) -> list[str] | None:
    """Pydantic words a list of choices as `'a', 'b' or 'c'`."""
    text = context.get("expected") or context.get("expected_tags")
    if not isinstance(text, str):
        return None
    return [part.strip().strip("'") for part in text.replace(" or ", ", ").split(", ")]


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
