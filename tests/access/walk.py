"""Every route of an organisation's document as a list of requests, with the values that a stranger would find in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Operation:
    """One operation: its path with names in braces, and the example of its body."""

    method: str
    path: str
    body: Any
    parameters: tuple[str, ...]


def operations(document: Document) -> Iterator[Operation]:
    """All of them, in the order of the document."""
    for path, item in document["paths"].items():
        for method in ("get", "post", "put", "patch", "delete"):
            if method not in item:
                continue
            given = [resolved(document, parameter) for parameter in (*item.get("parameters", ()), *item[method].get("parameters", ()))]
            names = tuple(parameter["name"] for parameter in given if parameter["in"] == "query")
            yield Operation(method.upper(), path, _body(document, item[method]), names)


def resolved(document: Document, node: Any) -> Any:
    """What a reference stands for."""
    while isinstance(node, Mapping) and "$ref" in node:
        found: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def _body(document: Document, operation: Mapping[str, Any]) -> Any:
    content = resolved(document, operation.get("requestBody", {})).get("content", {}).get("application/json", {})
    for example in content.get("examples", {}).values():
        return resolved(document, example)["value"]
    return content.get("example")


def filled(path: str, ids: Mapping[str, str], objects: Mapping[str, Mapping[str, str]]) -> str:
    """A path with its names filled in: `ids` by the object in front of `{id}`, and what else the path names."""
    parts = path.split("/")
    for index, part in enumerate(parts):
        if not part.startswith("{") and "{" not in part:
            continue
        before = parts[index - 1] if index else ""
        name = re.sub(r"[{}]", "", part)
        if name == "id" or name.startswith("id"):
            parts[index] = ids.get(before, "01976f6e-8a00-7000-8000-000000000000")
        else:
            parts[index] = objects.get(before, {}).get(name) or objects[""].get(name, "x")
    return "/".join(parts)


def shown(answer: httpx.Response) -> str:
    """All that an answer says."""
    return "\n".join([answer.text, *(f"{name}: {value}" for name, value in answer.headers.items())])
