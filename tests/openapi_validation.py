"""Holds answers against a description, the committed one or an organisation's own: status, content type and schema of each, and
no member that isn't described.

`assert_conforms(response)` takes any `httpx.Response`. Validators are compiled once for each schema, so that a whole suite can
check every answer (some 50 µs each).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property
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


class Description:
    """One OpenAPI document, ready to hold answers against."""

    def __init__(self, document: dict[str, Any], name: str) -> None:
        self.document = document
        self.name = name
        self._validators: dict[str, Any] = {}

    @cached_property
    def root(self) -> _Node:
        """The paths as a tree of segments."""
        root = _Node()
        for template, operations in self.document["paths"].items():
            node = root
            for segment in template.split("/")[1:]:
                if "{" in segment:
                    node.parameter = node.parameter or _Node()
                    node = node.parameter
                else:
                    node = node.literals.setdefault(segment, _Node())
            node.operations = operations
        return root

    @cached_property
    def registry(self) -> jsonschema_rs.Registry:
        """The components, closed, for references to them."""
        schemas = self.document["components"]["schemas"]
        shut = {name: schema if name == "Problem" else closed(schema) for name, schema in schemas.items()}
        return jsonschema_rs.Registry([(BASE, {"components": {"schemas": shut}})], draft=jsonschema_rs.Draft202012)

    def operation_of(self, method: str, path: str) -> dict[str, Any] | None:
        """The operation that a request is for; None if there is none."""
        operations = _walk(self.root, path.split("/")[1:])
        if operations is None:
            return None
        found: dict[str, Any] | None = operations.get("get" if method == "HEAD" else method.lower())
        return found

    def validator(self, schema: dict[str, Any]) -> Any:
        """The compiled validator of a schema whose references point into the document."""
        text = json.dumps(closed(schema), sort_keys=True).replace('"$ref": "#', f'"$ref": "{BASE}#')
        if text not in self._validators:
            self._validators[text] = jsonschema_rs.Draft202012Validator(json.loads(text), registry=self.registry, validate_formats=True)
        return self._validators[text]

    def resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        """What a reference leads to; other things as they are."""
        if "$ref" not in node:
            return node
        found: Any = self.document
        for part in node["$ref"].split("/")[1:]:
            found = found[part]
        return dict(found)

    def answer_of(self, operation: dict[str, Any], status: int) -> dict[str, Any] | None:
        """The description of an operation's answer of this status."""
        answers = operation["responses"]
        found = answers.get(str(status)) or answers.get(f"{status // 100}XX") or answers.get("default")
        return None if found is None else self.resolved(found)


@cache
def committed() -> Description:
    """The description of all organisations."""
    return Description(json.loads(DOCUMENT.read_bytes()), DOCUMENT.name)


def document() -> dict[str, Any]:
    """The committed document."""
    return committed().document


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """The operation of the committed document that a request is for; None if there is none."""
    return committed().operation_of(method, path)


def validator(schema: dict[str, Any]) -> Any:
    """The compiled validator of a schema of the committed document."""
    return committed().validator(schema)


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """What a reference in the committed document leads to; other things as they are."""
    return committed().resolved(node)


def answer_of(operation: dict[str, Any], status: int) -> dict[str, Any] | None:
    """The description of an answer in the committed document."""
    return committed().answer_of(operation, status)


def _walk(node: _Node, segments: list[str]) -> dict[str, Any] | None:
    """Literal segments before parameters, as the server looks them up."""
    if not segments:
        return node.operations
    first, rest = unquote(segments[0]), segments[1:]
    found = _walk(node.literals[first], rest) if first in node.literals else None
    if found is None and node.parameter is not None and first:
        found = _walk(node.parameter, rest)
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


def assert_conforms(response: httpx.Response, description: Description | None = None) -> None:
    """Raises NotDescribed unless the answer is one of those that the description (the committed one) gives for its request."""
    told = description or committed()
    request = response.request
    method, path, status = request.method, request.url.raw_path.decode("ascii").partition("?")[0], response.status_code
    if method == "OPTIONS":
        return
    where = f"{method} {path} → {status}"
    operation = told.operation_of(method, path)
    answer = None if operation is None else told.answer_of(operation, status)
    if answer is None:
        if status not in EVERYWHERE or (method != "HEAD" and _code(response) != EVERYWHERE[status]):
            raise NotDescribed(
                f"{where}: {'no such operation' if operation is None else 'no such answer'} in {told.name}: {response.text[:500]}"
            )
        answer = told.resolved({"$ref": "#/components/responses/NotFound"})
    _check_body(told, response, answer, where, method == "HEAD")


class Checker:
    """A hook for the clients of tests (`event_hooks={"response": [checker]}`). Streams are left to those who read them.

    An answer that the committed description doesn't give may be one of the organisation's own; with `own` each has to be, so
    that its fields are held against their types. That document is asked for again with each answer, by its tag.
    """

    def __init__(self, ask: Callable[[], httpx.AsyncClient], *, own: bool = False) -> None:
        self._ask = ask
        self._own = own
        self._etag = ""
        self._description: Description | None = None

    async def __call__(self, response: httpx.Response) -> None:
        """Checks one answer."""
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            return
        await response.aread()
        if not self._own:
            try:
                return assert_conforms(response)
            except NotDescribed:
                if not response.request.url.path.startswith("/v1/") or await self.description() is None:
                    raise
        assert_conforms(response, await self.description())

    async def description(self) -> Description | None:
        """The organisation's own, as it is now; the last one where the caller may no longer ask."""
        async with self._ask() as client:
            answer = await client.get("/v1/meta/openapi.json", headers={"if-none-match": self._etag} if self._etag else {})
        if answer.status_code == 200:
            self._etag = answer.headers["etag"]
            self._description = Description(answer.json(), "/v1/meta/openapi.json")
        return self._description


def _code(response: httpx.Response) -> str | None:
    return response.json().get("code") if response.headers.get("content-type") == PROBLEM else None


def _check_body(told: Description, response: httpx.Response, answer: dict[str, Any], where: str, head: bool) -> None:
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
    errors = list(told.validator(described[kind]["schema"]).iter_errors(body))
    if errors:
        wrong = "; ".join(f"{'/'.join(str(step) for step in error.instance_path)}: {error.message[:300]}" for error in errors[:5])
        raise NotDescribed(f"{where}: {wrong}")
