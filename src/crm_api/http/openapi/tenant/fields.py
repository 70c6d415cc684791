"""Schemas of the fields that an organisation has added: as they read, as a create takes them, as a change takes them."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from typing import Any, Final, Literal

from crm_api.http.openapi.samples import Schema
from crm_api.http.openapi.shared import nullable, ref
from crm_api.kernel.custom.definitions import CustomField
from crm_api.kernel.custom.values import MAX_CHOICES, MAX_LONG_TEXT, MAX_TEXT
from crm_api.kernel.fields import Field
from crm_api.models.columns import FieldType

Mode = Literal["read", "create", "update"]
Choices = Mapping[str, str]
"""For each picklist the name of the schema of its choices."""

_DECIMAL: Final = r"^-?[0-9]+(\.[0-9]+)?$"
_NUMERIC: Final = (FieldType.INTEGER, FieldType.NUMBER)
_EXAMPLES: Final[dict[FieldType, Any]] = {
    FieldType.TEXT: "Acme",
    FieldType.LONG_TEXT: "Signed in Berlin.",
    FieldType.INTEGER: 12,
    FieldType.NUMBER: 12.5,
    FieldType.DECIMAL: "12.50",
    FieldType.CURRENCY: "1000.50",
    FieldType.BOOLEAN: True,
    FieldType.DATE: "2026-12-31",
    FieldType.DATETIME: "2026-11-22T03:31:00.000000Z",
    FieldType.EMAIL: "ada@acme.example",
    FieldType.PHONE: "+49 30 1234567",
    FieldType.URL: "https://acme.example",
    FieldType.REFERENCE: "01976f6e-8a00-7000-8000-000000000001",
    FieldType.AUTONUMBER: "A-00001",
    FieldType.JSON: {"any": "value"},
}
_UNPORTABLE: Final = re.compile(r"\(\?(?!:)|\\[AZ]|\\N|[*+?}]\+|\\[1-9]")
"""What Python's regular expressions have and those of JSON Schema (ECMA-262) have not, or not everywhere."""

_BY_VALUE: Final[Schema] = {
    "type": "object",
    "description": "Another record found by one of its unique fields.",
    "properties": {"by": {"type": "string", "examples": ["domain"]}, "value": {"type": "string", "examples": ["acme.example"]}},
    "required": ["by", "value"],
    "additionalProperties": False,
}


def field_schema(field: Field, mode: Mode, choices: Choices) -> Schema:
    """One field. What is read has no rules but its kind: values stay as they are when a field's rules change."""
    definition = _definition(field)
    schema = _kind(definition, mode, choices)
    if mode != "read":
        _limit(definition, schema)
    if schema and (mode == "read" or not definition.required):
        schema = nullable(schema)
    found = {**schema, "description": description(definition), "examples": [example_of(definition)]}
    if mode == "read" and definition.read_only:
        found["readOnly"] = True
    return found


def properties(fields: Iterable[Field], mode: Mode, choices: Choices) -> tuple[dict[str, Schema], list[str]]:
    """The members of these fields, and those that must be there."""
    chosen = [(field, _definition(field)) for field in fields]
    if mode != "read":
        chosen = [(field, definition) for field, definition in chosen if not definition.read_only]
    found = {definition.api_name: field_schema(field, mode, choices) for field, definition in chosen}
    return found, [definition.api_name for _, definition in chosen if mode == "create" and needed(definition)]


def needed(definition: CustomField) -> bool:
    """Whether a new record must be given a value."""
    return definition.required and not definition.read_only and definition.properties.get("default") is None


def members_schema(fields: Iterable[Field], mode: Mode, choices: Choices, words: str) -> Schema:
    """The object `custom_fields` of a standard object's records."""
    found, required = properties(fields, mode, choices)
    schema: Schema = {"type": "object", "description": words, "properties": found}
    if required:
        schema["required"] = required
    if mode != "read":
        schema["additionalProperties"] = False
    return schema


def example_of(definition: CustomField) -> Any:
    """A value that the field can have."""
    kind = definition.value_type
    options = [option.key for option in definition.options if option.active] or [option.key for option in definition.options]
    if kind is FieldType.PICKLIST:
        return options[0] if options else None
    if kind is FieldType.MULTI_PICKLIST:
        return options[:2]
    default = definition.properties.get("default")
    if default is not None:
        return default
    least, most = definition.properties.get("min"), definition.properties.get("max")
    shown = least if least is not None else most
    if kind in (FieldType.INTEGER, FieldType.NUMBER, FieldType.DECIMAL, FieldType.CURRENCY) and shown is not None:
        return shown if kind in _NUMERIC else str(shown)
    if kind in (FieldType.DATE, FieldType.DATETIME) and isinstance(shown, str):
        return shown
    if definition.pattern is not None or definition.properties.get("max_length", MAX_TEXT) < 30:
        return None if not definition.required else "A"
    return _EXAMPLES.get(kind)


def description(definition: CustomField) -> str:
    """Its label, its hint, and the rules that no keyword says."""
    rules = definition.properties
    said = [f"{definition.label.rstrip('.')}."]
    if rules.get("help"):
        said.append(rules["help"])
    if definition.unique:
        said.append("Unique among live records.")
    if definition.value_type not in _NUMERIC:
        said += [f"{words} {rules[name]}." for name, words in (("min", "At least"), ("max", "At most")) if rules.get(name) is not None]
    if definition.target is not None:
        said.append(f"The id of one of the {definition.target}.")
    if rules.get("depends_on"):
        said.append(f"Which of them can be chosen depends on `{rules['depends_on'].get('field')}`.")
    if definition.type in (FieldType.FORMULA, FieldType.ROLLUP):
        said.append("Worked out by the system.")
    return " ".join(said)


def _definition(field: Field) -> CustomField:
    assert field.definition is not None
    return field.definition


def _kind(definition: CustomField, mode: Mode, choices: Choices) -> Schema:
    match definition.value_type:
        case FieldType.INTEGER:
            return {"type": "integer"}
        case FieldType.NUMBER:
            return {"type": "number"}
        case FieldType.DECIMAL | FieldType.CURRENCY:
            return {"type": "string", "pattern": _DECIMAL}
        case FieldType.BOOLEAN:
            return {"type": "boolean"}
        case FieldType.DATE:
            return {"type": "string", "format": "date"}
        case FieldType.DATETIME:
            return {"type": "string", "format": "date-time"}
        case FieldType.EMAIL:
            return {"type": "string", "format": "email"}
        case FieldType.PICKLIST:
            return _choice(definition, choices)
        case FieldType.MULTI_PICKLIST:
            return {"type": "array", "items": _choice(definition, choices)}
        case FieldType.REFERENCE:
            id_: Schema = {"type": "string", "format": "uuid"}
            return id_ if mode == "read" else {"oneOf": [id_, _BY_VALUE]}
        case FieldType.JSON:
            return {}
        case _:
            return {"type": "string"}


def _choice(definition: CustomField, choices: Choices) -> Schema:
    name = choices.get(definition.api_name)
    return {"type": "string"} if name is None else ref(name)


def choice_schemas(fields: Iterable[Field], stem: str, taken: Container[str]) -> dict[str, tuple[str, Schema]]:
    """For each picklist the name and the schema of its choices, so that a client has one type for all places.

    Inactive options are among them: records keep them.
    """
    found: dict[str, tuple[str, Schema]] = {}
    used: set[str] = set()
    for field in fields:
        definition = _definition(field)
        if definition.value_type not in (FieldType.PICKLIST, FieldType.MULTI_PICKLIST) or not definition.options:
            continue
        wanted = f"{stem}{''.join(part.capitalize() for part in definition.api_name.split('_'))}Option"
        name, number = wanted, 2
        while name in used or name in taken:
            name, number = f"{wanted}{number}", number + 1
        used.add(name)
        keys = [option.key for option in definition.options]
        told = "; ".join(f"`{option.key}`: {option.label}" for option in definition.options[:50])
        found[definition.api_name] = name, {"type": "string", "enum": keys, "description": f"{definition.label.rstrip('.')}: {told}."}
    return found


def _limit(definition: CustomField, schema: Schema) -> None:
    """Adds the rules that a new value is held against."""
    rules, kind = definition.properties, definition.value_type
    if kind in _NUMERIC:
        for name, keyword in (("min", "minimum"), ("max", "maximum")):
            if rules.get(name) is not None:
                schema[keyword] = rules[name]
    elif kind in (FieldType.TEXT, FieldType.LONG_TEXT):
        schema["maxLength"] = rules.get("max_length") or (MAX_LONG_TEXT if kind is FieldType.LONG_TEXT else MAX_TEXT)
        pattern = portable(rules.get("pattern"))
        if pattern is not None:
            schema["pattern"] = pattern
    elif kind is FieldType.MULTI_PICKLIST:
        schema["maxItems"] = MAX_CHOICES


def portable(pattern: str | None) -> str | None:
    """A whole-text pattern as ECMA-262 reads it; None for one that only Python understands."""
    return None if pattern is None or _UNPORTABLE.search(pattern) else f"^(?:{pattern})$"
