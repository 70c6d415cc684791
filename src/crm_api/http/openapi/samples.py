"""Example values: taken from the `examples` of fields, made up from a schema's shape where there are none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Schema = dict[str, Any]
REF: Final = "#/components/schemas/"
_BY_FORMAT: Final = {
    "uuid": "01976f6e-8a00-7000-8000-000000000001",
    "date-time": "2026-11-22T03:31:00.000000Z",
    "date": "2026-11-22",
    "email": "ada@acme.example",
    "uri": "https://acme.example/",
}
_BY_TYPE: Final[dict[str, Any]] = {"string": "text", "integer": 1, "number": 1, "boolean": True, "null": None}
_DEPTH: Final = 8


def sample(schema: Any, components: Mapping[str, Schema], *, required_only: bool = False, depth: int = 0) -> Any:
    """A value that fits the schema: its first example, else one put together from its parts.

    `required_only` leaves optional members of objects out, as the relations of a record that nobody asked for.
    """
    if not isinstance(schema, dict):
        return None
    if "examples" in schema:
        return schema["examples"][0]
    for word in ("example", "const", "default"):
        if word in schema:
            return schema[word]
    if depth > _DEPTH:
        return None
    if "$ref" in schema:
        return sample(components.get(schema["$ref"].removeprefix(REF), {}), components, required_only=required_only, depth=depth + 1)
    if "enum" in schema:
        return schema["enum"][0]
    for word in ("oneOf", "anyOf"):
        if word in schema:
            return sample(schema[word][0], components, required_only=required_only, depth=depth + 1)
    if "allOf" in schema:
        parts = [sample(part, components, required_only=required_only, depth=depth + 1) for part in schema["allOf"]]
        return {key: value for part in parts if isinstance(part, dict) for key, value in part.items()}
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object" or "properties" in schema:
        required = schema.get("required", ())
        return {
            name: sample(inner, components, required_only=required_only, depth=depth + 1)
            for name, inner in schema.get("properties", {}).items()
            if name in required or not required_only
        }
    if kind == "array":
        found = sample(schema.get("items"), components, required_only=required_only, depth=depth + 1)
        return [] if found is None else [found]
    if kind == "string":
        return _BY_FORMAT.get(schema.get("format", ""), "text")
    return _BY_TYPE.get(str(kind))
