"""A part of the description that is whole in itself: what is said of a few objects stands for the others, which have the same routes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from crm_api.resources import RESOURCES
from tests.openapi_validation import document

OBJECTS: Final = ("accounts", "contacts", "deals", "tokens")


def part() -> dict[str, Any]:
    """The committed description with the paths of `OBJECTS` and those that belong to no object, and the components that these use."""
    left_out = {resource.name for resource in RESOURCES}.difference(OBJECTS)
    whole = document()
    paths = {path: item for path, item in whole["paths"].items() if not left_out.intersection(path.split("/")[2:3])}
    found: dict[str, Any] = {**whole, "paths": paths, "components": {}}
    components: dict[str, dict[str, Any]] = {"securitySchemes": whole["components"]["securitySchemes"]}
    waiting = list(_references({key: value for key, value in found.items() if key != "components"}))
    while waiting:
        kind, name = waiting.pop().removeprefix("#/components/").split("/")
        if name not in components.setdefault(kind, {}):
            components[kind][name] = whole["components"][kind][name]
            waiting += _references(components[kind][name])
    found["components"] = {
        kind: {name: one for name, one in held.items() if name in components[kind]}
        for kind, held in whole["components"].items()
        if kind in components
    }
    return found


def written(folder: Path) -> Path:
    """The part as a file."""
    file = folder / "openapi.json"
    file.write_text(json.dumps(part(), indent=1))
    return file


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        if isinstance(node.get("discriminator"), dict):
            yield from node["discriminator"].get("mapping", {}).values()
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)
