"""Descriptions without the standard fields that a caller may not know of: schemas, parameters and examples are cut once more at the end.

Fields that the organisation added are never described to whom they are hidden, since their descriptions are made from what is visible.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from crm_api.http.openapi.samples import Schema
from crm_api.http.openapi.schemas import stem
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource


def hidden_names(resource: AnyResource) -> frozenset[str]:
    """The standard fields of an object that are hidden."""
    return frozenset() if resource.made is not None else frozenset(name for name in resource.hidden if "." not in name)


def cut_schemas(schemas: dict[str, Schema], registry: Registry, names: Iterable[str]) -> None:
    """Takes hidden fields out of the schemas of these objects."""
    for name in names:
        hidden = hidden_names(registry[name])
        for component in _named(schemas, registry, registry[name]) if hidden else ():
            schemas[component] = _without(schemas[component], hidden)


def cut_document(document: dict[str, Any], registry: Registry, objects: frozenset[str]) -> dict[str, Any]:
    """The document without the hidden fields of all objects, and without the names of hidden `objects` among choices."""
    concerned = [resource for resource in registry if hidden_names(resource)]
    components = document["components"]
    if objects:
        known = objects | frozenset(resource.name for resource in registry)
        components["schemas"] = {name: _choosing(schema, objects, known) for name, schema in components["schemas"].items()}
    for resource in concerned:
        hidden = hidden_names(resource)
        for kind in ("schemas", "examples"):
            found = components.get(kind, {})
            for name in _named(found, registry, resource):
                found[name] = _without(found[name], hidden)
        parameters = components.get("parameters", {})
        for name in [name for name in parameters if name.endswith(f".{resource.name}")]:
            parameters[name] = _without(parameters[name], hidden)
        hooks = document.get("webhooks", {})
        for name in [name for name in hooks if name.startswith(f"{resource.singular}.")]:
            hooks[name] = _without(hooks[name], hidden)
        filters = {f"Filter.{name}" for name in hidden}
        for path, item in document["paths"].items():
            if path.split("/")[2:3] == [resource.name] or path.endswith(f"/{resource.name}"):
                document["paths"][path] = _unfiltered(_without(item, hidden), filters)
    used = set(re.findall(r"#/components/parameters/([^\"']+)", repr((document["paths"], document.get("webhooks"), components))))
    if "parameters" in components:
        components["parameters"] = {name: found for name, found in components["parameters"].items() if name in used}
    return document


def _named(components: Mapping[str, Any], registry: Registry, resource: AnyResource) -> list[str]:
    """The components of an object: those whose names begin with its own, and not with a longer one."""
    own = stem(resource)
    longer = tuple(other for other in map(stem, registry) if other.startswith(own) and other != own)
    return [name for name in components if name.startswith(own) and not (longer and name.startswith(longer))]


def _without(node: Any, hidden: frozenset[str]) -> Any:
    """A part of a description without the fields: among properties, choices and in examples. Keywords that are called like one stay."""
    if isinstance(node, list):
        return [_without(item, hidden) for item in node]
    if not isinstance(node, dict):
        return node
    found: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties" and isinstance(value, dict):
            found[key] = {name: _without(schema, hidden) for name, schema in value.items() if name not in hidden}
        elif key in _VALUES or (key in ("required", "enum") and isinstance(value, list)):
            found[key] = _unsaid(value, hidden)
        elif key == "pattern" and isinstance(value, str):  # names that an order may have, one after the other
            found[key] = _CHOICE.sub(lambda choice: _left(choice, hidden), value)
        else:
            found[key] = _without(value, hidden)
    return found


def _unsaid(value: Any, hidden: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {key: _unsaid(item, hidden) for key, item in value.items() if key not in hidden}
    if isinstance(value, list):
        return [_unsaid(item, hidden) for item in value if not (isinstance(item, str) and _plain(item) in hidden)]
    return value


_VALUES: Final = frozenset({"example", "examples", "value", "default"})
_CHOICE: Final = re.compile(r"\((\w+(?:\|\w+)+)\)")


def _left(choice: re.Match[str], hidden: frozenset[str]) -> str:
    return "(" + "|".join(name for name in choice.group(1).split("|") if name not in hidden) + ")"


def _plain(name: str) -> str:
    """A field's name without the minus of an order, or the twin of an amount."""
    return name.removeprefix("-")


def _choosing(node: Any, objects: frozenset[str], known: frozenset[str]) -> Any:
    """Choices among objects without the hidden ones; other choices may have words in common with them (`roles`, a kind of hierarchy)."""
    if isinstance(node, dict):
        found: dict[str, Any] = {}
        for key, value in node.items():
            among = key == "enum" and isinstance(value, list) and sum(one in known for one in value) > len(value) // 2
            found[key] = [one for one in value if one not in objects] if among else _choosing(value, objects, known)
        return found
    return [_choosing(item, objects, known) for item in node] if isinstance(node, list) else node


def _unfiltered(node: Any, filters: set[str]) -> Any:
    if isinstance(node, dict):
        return {key: _unfiltered(value, filters) for key, value in node.items()}
    if isinstance(node, list):
        return [_unfiltered(item, filters) for item in node if not _filters(item, filters)]
    return node


def _filters(item: Any, filters: set[str]) -> bool:
    reference = item.get("$ref", "") if isinstance(item, dict) else ""
    if not isinstance(reference, str) or "/Filter." not in reference:
        return False
    name = reference.rpartition("/")[2]
    return any(name == one or name.startswith(f"{one}.") for one in filters)


__all__ = ["cut_document", "cut_schemas", "hidden_names"]
