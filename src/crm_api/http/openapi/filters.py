"""Filters of lists as query parameters with literal names: `email=`, `amount[gte]=`, `billing_address.city[in]=`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from crm_api.core.relative import PERIODS
from crm_api.http.openapi.parameters import BOOLEAN, STRING, query
from crm_api.http.openapi.samples import Schema
from crm_api.kernel.fields import ADDRESS_PARTS, Field
from crm_api.kernel.query.projection import ordered_names
from crm_api.kernel.query.values import OPERATORS
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

LISTS: Final = ("in", "not_in", "any_of", "all_of", "none_of")
RELATIVE: Final = ("older_than", "newer_than", "within")
_WORDS: Final = {
    "eq": "is",
    "eq_exact": "is, case and all,",
    "ne": "is not",
    "lt": "is less than",
    "lte": "is at most",
    "gt": "is greater than",
    "gte": "is at least",
    "between": "lies between the two (both included)",
    "in": "is one of",
    "not_in": "is none of",
    "is_null": "has no value",
    "is_not_null": "has a value",
    "contains": "contains",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "any_of": "has any of",
    "all_of": "has all of",
    "none_of": "has none of",
    "older_than": "lies before a time ago or a period",
    "newer_than": "lies after a time ago or a period",
    "within": "lies within a time ago or a period",
}
_DECIMAL: Final[Schema] = {"type": "string", "pattern": r"^-?[0-9]{1,18}(\.[0-9]{1,6})?$"}
_VALUES: Final[dict[FieldType, tuple[Schema, Any]]] = {
    FieldType.INTEGER: ({"type": "integer"}, 10),
    FieldType.NUMBER: ({"type": "number"}, 0.5),
    FieldType.DECIMAL: (_DECIMAL, "1000.50"),
    FieldType.CURRENCY: (_DECIMAL, "1000.50"),
    FieldType.BOOLEAN: (BOOLEAN, True),
    FieldType.DATE: ({"type": "string", "format": "date"}, "2026-12-31"),
    FieldType.DATETIME: ({"type": "string", "format": "date-time"}, "2026-11-22T03:31:00.000000Z"),
    FieldType.REFERENCE: ({"type": "string", "format": "uuid"}, "01976f6e-8a00-7000-8000-000000000001"),
    FieldType.UUID: ({"type": "string", "format": "uuid"}, "01976f6e-8a00-7000-8000-000000000001"),
    FieldType.ACTOR: ({"type": "string", "format": "uuid"}, "01976f6e-8a00-7000-8000-000000000001"),
    FieldType.EMAIL: (STRING, "ada@acme.example"),
    FieldType.PHONE: (STRING, "+49 30 1234567"),
    FieldType.URL: (STRING, "https://acme.example"),
}
_PERIOD: Final[Schema] = {
    "type": "string",
    "anyOf": [{"enum": list(PERIODS)}, {"pattern": r"^P([0-9]+[YMWD])*(T([0-9]+[HMS])+)?$"}],
}


def filter_parameters(resource: AnyResource, fields: Iterable[Field] | None = None) -> dict[str, Schema]:
    """Every filter of the object's list, or those of these fields, by component name. Equal filters of several objects share one."""
    found = {}
    if fields is None:
        fields = [resource.all_fields[name] for name in dict.fromkeys((*ordered_names(resource), *resource.custom))]
    for field in fields:
        for path, kind, options in _paths(field):
            own = bool(options) or field.definition is not None
            for op in OPERATORS[kind]:
                if field.type in (FieldType.TAGS, FieldType.MULTI_PICKLIST) and op == "contains":
                    continue  # the same as any_of, which equality already means here
                parameter = _parameter(path, kind, options, op)
                found[component_name(resource, parameter["name"], own)] = parameter
            if field.type in (FieldType.TAGS, FieldType.MULTI_PICKLIST):
                found[component_name(resource, path, own)] = query(
                    path, {"type": "array", "items": _item(options)}, f"`{path}` has any of.", [options[0] if options else "vip"]
                )
    return found


def _item(options: tuple[str, ...]) -> Schema:
    return {"type": "string", "enum": list(options)} if options else STRING


def component_name(resource: AnyResource, name: str, own: bool) -> str:
    """`Filter.created_at.gte`; a filter that is the object's own (by options, or an organisation's field) has its name in front."""
    plain = name.replace("[", ".").replace("]", "")
    return f"Filter.{resource.name}.{plain}" if own else f"Filter.{plain}"


def _paths(field: Field) -> list[tuple[str, FieldType, tuple[str, ...]]]:
    own = [(field.name, field.type, field.spec.options)]
    if field.type is FieldType.ADDRESS:
        return own + [(f"{field.name}.{part}", FieldType.TEXT, ()) for part in ADDRESS_PARTS]
    return own


def _parameter(path: str, kind: FieldType, options: tuple[str, ...], op: str) -> Schema:
    value, example = _VALUES.get(kind, (STRING, "acme"))
    if options:
        value, example = {"type": "string", "enum": list(options)}, options[0]
    name = path if op == "eq" else f"{path}[{op}]"
    description = f"`{path}` {_WORDS[op]}"
    if op in ("is_null", "is_not_null"):
        return query(name, BOOLEAN, f"{description}; `false` turns it round.", True)
    if op in RELATIVE:
        return query(name, _PERIOD, f"{description}: an ISO 8601 duration back from now, or a named period.", "P30D")
    if op in LISTS:
        return query(name, {"type": "array", "items": value, "minItems": 1}, f"{description}: values separated by commas.", [example])
    if op == "between":
        pair = {"type": "array", "items": value, "minItems": 2, "maxItems": 2}
        return query(name, pair, f"{description}.", [example, example])
    if op in ("contains", "starts_with", "ends_with"):
        return query(name, {"type": "string", "minLength": 1}, f"{description} this text, without regard to case.", "acme")
    return query(name, value, f"{description} this value.", example)
