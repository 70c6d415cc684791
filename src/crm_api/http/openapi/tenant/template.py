"""Operations of an organisation's own objects, of which there may be thousands: described once for an object that stands for
any, and for each real one by putting its names into the bytes.

Only kinds whose description differs by nothing else are made so; tests hold them against what `Builder` says of a real object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, Final
from uuid import UUID

import orjson

from crm_api.http.openapi.document import finish
from crm_api.http.openapi.events import webhooks
from crm_api.http.openapi.operations import Builder, a, many
from crm_api.http.openapi.parameters import PARAMETER_REF, unique_field
from crm_api.http.openapi.samples import Schema
from crm_api.http.openapi.schemas import stem
from crm_api.http.openapi.tenant.base import NOTHING, Base, Piece, references
from crm_api.http.openapi.tenant.names import named
from crm_api.http.openapi.tenant.objects import add_object
from crm_api.http.records.operation import Kind
from crm_api.http.records.routes import routes_of
from crm_api.kernel.custom.definitions import CustomObject
from crm_api.kernel.custom.objects import resource_of
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource

ALIKE: Final[frozenset[Kind]] = frozenset(
    {
        "list", "get", "get_by", "create", "update", "upsert_by", "update_by", "delete", "delete_by", "restore", "batch", "merge",
        "bulk", "member_put", "member_delete", "shares", "share_create", "share_delete", "co_owner_put", "co_owner_delete", "access",
        "access_users",
    }
)  # fmt: skip
"""The kinds of operations that differ by names, examples, filters and what may be expanded."""

_MARK: Final = "zz_mark"
_STANDS_FOR_ANY: Final = CustomObject(UUID(int=0), "zz_objects", "zz_object", "Zz", "Zz")


class Template:
    """The description of an object that stands for any."""

    def __init__(self, base: Base) -> None:
        form = named(resource_of(_STANDS_FOR_ANY), "ZzObject")
        self.resource = replace(form, example={_MARK: "zz"})
        self.registry = Registry([*base.parts.registry, self.resource])
        self.builder = _builder(base, self.registry, self.resource, [*base.envelope, _filter(self.resource)])
        self.operations: dict[tuple[str, str], bytes] = {}
        for route in routes_of(self.registry, self.resource):
            operation = route.operation
            if operation.kind in ALIKE:
                described = finish(self.builder.describe(operation))
                self.operations[operation.path, operation.method.lower()] = orjson.dumps(described)
        own = {name: value for name, value in self.builder.examples.items() if "ZzObject" in name}
        self.examples = {name: orjson.dumps(value) for name, value in own.items()}
        self.webhooks = {name: orjson.dumps(hook) for name, hook in webhooks([self.resource], self.builder.schemas).items()}

    def fill(self, builder: Builder, resource: AnyResource) -> Filled:
        """The same for a real object."""
        given, wanted = _tokens(self.builder, self.resource), _tokens(builder, resource)
        return Filled(self, {token: wanted[kind] for kind, token in given.items()})

    @cached_property
    def pattern(self) -> re.Pattern[bytes]:
        """All that differs between objects, the longest first."""
        tokens = sorted(_tokens(self.builder, self.resource).values(), key=len, reverse=True)
        return re.compile(b"(" + b"|".join(re.escape(token) for token in tokens) + b")")

    @cached_property
    def split(self) -> Mapping[str, Mapping[Any, list[bytes]]]:
        """Everything cut where objects differ."""
        kinds: dict[str, Mapping[Any, bytes]] = {"operations": self.operations, "examples": self.examples, "webhooks": self.webhooks}
        return {kind: {key: self.pattern.split(body) for key, body in found.items()} for kind, found in kinds.items()}


class Filled:
    """A template with an object's names in it."""

    def __init__(self, template: Template, values: dict[bytes, bytes]) -> None:
        self._template = template
        self._values = values

    def text(self, template: str) -> str:
        """A name or path."""
        return self._joined(self._template.pattern.split(template.encode())).decode()

    def operations(self) -> Iterator[tuple[tuple[str, str], Piece]]:
        """The operations by path and method. The first says what all of them refer to."""
        bodies = {(self.text(path), method): self._joined(cut) for (path, method), cut in self._template.split["operations"].items()}
        refers_to = references(b"".join(bodies.values()))
        for place, body in bodies.items():
            yield place, Piece(orjson.Fragment(body), refers_to)
            refers_to = NOTHING

    def examples(self) -> Iterator[tuple[str, Piece]]:
        """The examples that the operations refer to."""
        for name, cut in self._template.split["examples"].items():
            yield self.text(name), Piece(orjson.Fragment(self._joined(cut)), NOTHING)

    def webhooks(self) -> Iterator[tuple[str, Piece]]:
        """The object's events."""
        for name, cut in self._template.split["webhooks"].items():
            body = self._joined(cut)
            yield self.text(name), Piece(orjson.Fragment(body), references(body))

    def _joined(self, cut: list[bytes]) -> bytes:
        found = list(cut)
        found[1::2] = [self._values[token] for token in cut[1::2]]
        return b"".join(found)


def fits(resource: AnyResource) -> bool:
    """Whether an object can be described by a template: its example must not be empty, since commas stand around it."""
    return resource.made is not None and bool(resource.example)


def _builder(base: Base, registry: Registry, resource: AnyResource, filters: list[str]) -> Builder:
    schemas: dict[str, Schema] = dict(base.schemas)
    builder = Builder(registry, schemas, {resource.name: filters})
    add_object(schemas, base, registry, resource)
    builder.add_answer_parameters(resource)
    return builder


def _filter(resource: AnyResource) -> str:
    return f"Filter.{resource.name}.{_MARK}"


def _tokens(builder: Builder, resource: AnyResource) -> dict[str, bytes]:
    """What differs between objects, by what it is. An object's own filters come behind those of the envelope."""
    words = a(resource)
    own = [name for name in builder.filters[resource.name] if name.startswith(f"Filter.{resource.name}.")]
    patch = builder.patch_example(resource)
    return {
        "shown": orjson.dumps(builder.shown(resource))[1:-1],
        "unique": orjson.dumps(unique_field(resource)),
        "filters": b"".join(b"," + orjson.dumps({"$ref": PARAMETER_REF + name}) for name in own),
        "record": orjson.dumps(builder.example(resource)),
        "example": orjson.dumps(resource.example)[1:-1],
        "patch": orjson.dumps(builder.examples[patch]),
        "description": orjson.dumps(resource.description)[1:-1],
        "stem": stem(resource).encode(),
        "name": resource.name.encode(),
        "singular": resource.singular.encode(),
        "many": many(resource).encode(),
        "a": words.encode(),
        "A": (words[0].upper() + words[1:]).encode(),
        "one": resource.singular.replace("_", " ").encode(),
    }


__all__ = ["ALIKE", "Template", "fits"]
