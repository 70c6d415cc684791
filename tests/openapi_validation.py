"""Holds answers against the committed description: status, content type and schema of each, and no member that isn't described.

`assert_conforms(response)` takes any `httpx.Response`. Validators are compiled once for each schema, so that a whole suite can
check every answer (some 50 µs each).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import httpx
import jsonschema_rs

DOCUMENT: Final = Path(__file__).parents[1] / "openapi" / "openapi.json"
BASE: Final = "urn:openapi"
PROBLEM: Final = "application/problem+json"
EVERYWHERE: Final = {404: "not_found", 405: "method_not_allowed"}
"""What a path or method that isn't there answers; no operation describes it."""


class NotDescribed(AssertionError):
    """An answer that the description doesn't allow."""


@dataclass
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    parameter: _Node | None = None
    operations: dict[str, Any] | None = None


@cache
def document() -> dict[str, Any]:
    """The committed description."""
    found: dict[str, Any] = json.loads(DOCUMENT.read_bytes())
    return found


@cache
def _root() -> _Node:
    root = _Node()
    for template, operations in document()["paths"].items():
        node = root
        for segment in template.split("/")[1:]:
            if "{" in segment:
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        node.operations = operations
    return root


def _walk(node: _Node, segments: list[str]) -> dict[str, Any] | None:
    """Literal segments before parameters, as the server looks them up."""
    if not segments:
        return node.operations
    first, rest = unquote(segments[0]), segments[1:]
    found = _walk(node.literals[first], rest) if first in node.literals else None
    if found is None and node.parameter is not None and first:
        found = _walk(node.parameter, rest)
    return found


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """The operation that a request is for; None if there is none."""
    operations = _walk(_root(), path.split("/")[1:])
    if operations is None:
        return None
    found: dict[str, Any] | None = operations.get("get" if method == "HEAD" else method.lower())
    return found


def closed(schema: Any) -> Any:
    """The schema without room for members that it doesn't name. Clients must bear new ones; here each is to be described."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: value if key in ("examples", "enum", "const", "default") else closed(value) for key, value in schema.items()}
    if schema.get("type") == "object" and schema.get("properties") and not {"additionalProperties", "allOf"} & schema.keys():
        found["additionalProperties"] = False
    return found


@cache
def _registry() -> jsonschema_rs.Registry:
    schemas = {name: schema if name == "Problem" else closed(schema) for name, schema in document()["components"]["schemas"].items()}
    return jsonschema_rs.Registry([(BASE, {"components": {"schemas": schemas}})], draft=jsonschema_rs.Draft202012)


@cache
def _validator(schema: str) -> Any:
    return jsonschema_rs.Draft202012Validator(json.loads(schema), registry=_registry(), validate_formats=True)


def validator(schema: dict[str, Any]) -> Any:
    """The compiled validator of a schema whose references point into the document."""
    return _validator(json.dumps(closed(schema), sort_keys=True).replace('"$ref": "#', f'"$ref": "{BASE}#'))


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to; other things as they are."""
    if "$ref" not in node:
        return node
    found: Any = document()
    for part in node["$ref"].split("/")[1:]:
        found = found[part]
    return dict(found)


def answer_of(operation: dict[str, Any], status: int) -> dict[str, Any] | None:
    """The description of an operation's answer of this status."""
    answers = operation["responses"]
    found = answers.get(str(status)) or answers.get(f"{status // 100}XX") or answers.get("default")
    return None if found is None else resolved(found)


def of_the_organization(path: str) -> bool:
    """Whether a path is one that only an organisation's own description can know: its objects, its relations."""
    segments = path.split("/")
    known = {template.split("/")[2] for template in document()["paths"] if template.startswith("/v1/")}
    return len(segments) > 2 and segments[1] == "v1" and (segments[2] not in known or len(segments) >= 5)


def assert_conforms(response: httpx.Response) -> None:
    """Raises NotDescribed unless the answer is one of those that the committed description gives for its request."""
    request = response.request
    method, path, status = request.method, request.url.raw_path.decode("ascii").partition("?")[0], response.status_code
    if method == "OPTIONS":
        return
    where = f"{method} {path} → {status}"
    operation = operation_of(method, path)
    if operation is None and of_the_organization(path):
        return
    answer = None if operation is None else answer_of(operation, status)
    if answer is None:
        if status not in EVERYWHERE or (method != "HEAD" and _code(response) != EVERYWHERE[status]):
            raise NotDescribed(
                f"{where}: {'no such operation' if operation is None else 'no such answer'} in {DOCUMENT.name}: {response.text[:500]}"
            )
        answer = resolved({"$ref": "#/components/responses/NotFound"})
    _check_body(response, answer, where, method == "HEAD")


async def check_answer(response: httpx.Response) -> None:
    """A hook for the clients of tests (`event_hooks={"response": [check_answer]}`). Streams are left to those who read them."""
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        return
    await response.aread()
    assert_conforms(response)


def _code(response: httpx.Response) -> str | None:
    return response.json().get("code") if response.headers.get("content-type") == PROBLEM else None


def _check_body(response: httpx.Response, answer: dict[str, Any], where: str, head: bool) -> None:
    described = answer.get("content", {})
    kind = response.headers.get("content-type", "").partition(";")[0].strip()
    if head:
        return
    if not described:
        if response.content:
            raise NotDescribed(f"{where}: a body, where none is described: {response.text[:200]}")
        return
    if kind not in described:
        raise NotDescribed(f"{where}: {kind or 'no content type'}, described are {', '.join(described)}")
    if kind != "application/json" and not kind.endswith("+json"):
        return
    body = response.json()
    errors = list(validator(described[kind]["schema"]).iter_errors(body))
    if errors:
        told = "; ".join(f"{'/'.join(str(step) for step in error.instance_path)}: {error.message[:300]}" for error in errors[:5])
        raise NotDescribed(f"{where}: {told}")
