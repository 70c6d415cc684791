"""Documents held against the schema that OpenAPI 3.1 publishes of itself, in milliseconds: the form of everything, JSON Schemas
included. What the schema can't say (that references lead somewhere, that ids are unique) is asked for by tests of their own.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

import jsonschema_rs

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


@cache
def validator() -> jsonschema_rs.Draft202012Validator:
    """The published schema, with JSON Schema's own for what it leaves open."""
    found = json.loads((files("openapi_spec_validator") / "resources" / "schemas" / "v3.1" / "schema.json").read_text())
    found["$defs"]["schema"] = {"$dynamicAnchor": "meta", "$ref": DIALECT}
    return jsonschema_rs.Draft202012Validator(found)


def mistakes(document: dict[str, Any]) -> list[str]:
    """What is wrong, each with its place."""
    return [f"{'/'.join(map(str, error.instance_path))}: {error.message[:300]}" for error in validator().iter_errors(document)]
