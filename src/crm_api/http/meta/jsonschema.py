"""JSON Schema (2020-12) of an object's records, as they are read, created or changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from crm_api.http.openapi.samples import REF, Schema
from crm_api.http.openapi.schemas import stem, uncompleted
from crm_api.http.openapi.tenant.base import Base
from crm_api.http.openapi.tenant.fields import Mode
from crm_api.http.openapi.tenant.objects import visible_schemas
from crm_api.kernel.visible import Visible

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SUFFIXES: Final[Mapping[Mode, str]] = {"read": "Read", "create": "Create", "update": "Update"}
VERBS: Final[Mapping[Mode, str]] = {"read": "get", "create": "create", "update": "update"}


def json_schema(base: Base, visible: Visible, name: str, mode: Mode) -> bytes:
    """The schema with everything it needs in `$defs`. Related records, which only `expand` brings along, are not in it."""
    registry, schemas = visible_schemas(base, visible, {name})
    resource = registry[name]
    schema = schemas[f"{stem(resource)}{SUFFIXES[mode]}"]
    if mode == "read":
        schema = uncompleted(schema, registry.relations[name])
    return orjson.dumps(complete(schema, schemas, f"/v1/meta/{name}/schema.json?for={mode}", stem(resource) + SUFFIXES[mode]))


def complete(schema: Schema, schemas: Mapping[str, Schema], address: str, title: str) -> Schema:
    """A schema as a document of its own, with all that it refers to in `$defs`."""
    definitions: dict[str, Schema] = {}
    found = {"$schema": DIALECT, "$id": address, "title": title, **_local(schema, schemas, definitions)}
    if definitions:
        found["$defs"] = definitions
    return found


def _local(node: Any, schemas: Mapping[str, Schema], definitions: dict[str, Schema]) -> Any:
    """The same with references into `$defs`, which is filled with what they lead to."""
    if isinstance(node, list):
        return [_local(item, schemas, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: value if key in ("examples", "enum", "const") else _local(value, schemas, definitions) for key, value in node.items()}
    reference = node.get("$ref")
    if isinstance(reference, str):
        name = reference.removeprefix(REF)
        if name not in definitions:
            definitions[name] = {}
            definitions[name] = _local(schemas[name], schemas, definitions)
        found["$ref"] = f"#/$defs/{name}"
    return found


__all__ = ["complete", "json_schema"]
