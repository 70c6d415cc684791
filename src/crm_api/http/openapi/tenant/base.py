"""The description of all organisations, taken apart once for each process: pieces as they are sent, and what each refers to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from fastapi import FastAPI

from crm_api.http.openapi.document import Parts, describe, tags_of
from crm_api.http.openapi.filters import filter_parameters
from crm_api.http.openapi.parameters import HEADERS
from crm_api.http.openapi.problems import problem_responses
from crm_api.http.openapi.samples import Schema
from crm_api.http.openapi.schemas import merge_schemas, model_schemas, without_defaults
from crm_api.kernel.custom.definitions import CustomObject
from crm_api.kernel.custom.objects import resource_of
from crm_api.kernel.custom.schemas import MadeCreate, MadeRead, MadeUpdate
from crm_api.kernel.schema import PlainLink

KINDS: Final = ("parameters", "headers", "examples", "responses", "schemas")
"""The kinds of components that are left out where nothing refers to them."""

NOTHING: Final[frozenset[bytes]] = frozenset()
_MARK: Final = b'"$ref":"#/components/'


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the document as bytes, and the components it refers to (`schemas/ContactRead`)."""

    body: orjson.Fragment
    refers_to: frozenset[bytes]


def piece(value: Any) -> Piece:
    """A part of the document, made once and for all."""
    body = orjson.dumps(value)
    return Piece(orjson.Fragment(body), references(body))


def references(body: bytes) -> frozenset[bytes]:
    """The components that a part of the document refers to."""
    return frozenset(rest[: rest.index(b'"')] for rest in body.split(_MARK)[1:])


@dataclass(frozen=True, slots=True)
class Base:
    """The description of all organisations in pieces. `operations` by path and method, `components` by kind and
    name; `made` are the schemas, and `envelope` the filters, of what every record carries, for objects of organisations."""

    parts: Parts
    operations: Mapping[tuple[str, str], Piece]
    operation_ids: frozenset[str]
    webhooks: Mapping[str, Piece]
    components: Mapping[str, Mapping[str, Piece]]
    tags: tuple[Schema, ...]
    made: Mapping[str, Schema]
    envelope: tuple[str, ...]

    @property
    def schemas(self) -> dict[str, Schema]:
        """All schemas, also those that only organisations' own objects use."""
        return self.parts.schemas


def take_apart(app: FastAPI) -> Base:
    """The pieces of an application's description. Takes about a second, once for each process."""
    parts = describe(app)
    made = {
        **model_schemas([MadeRead], "serialization"),
        **model_schemas([MadeCreate, MadeUpdate], "validation"),
    }
    merge_schemas(parts.schemas, {"PlainLink": without_defaults(model_schemas([PlainLink], "validation")["PlainLink"])})
    envelope = _envelope_filters(parts)
    kinds: dict[str, Mapping[str, Any]] = {
        "parameters": parts.parameters,
        "headers": HEADERS,
        "examples": parts.builder.examples,
        "responses": problem_responses(),
        "schemas": parts.schemas,
    }
    return Base(
        parts,
        {(path, method): piece(operation) for path, found in parts.paths.items() for method, operation in found.items()},
        frozenset(operation["operationId"] for found in parts.paths.values() for operation in found.values()),
        {name: piece(hook) for name, hook in parts.webhooks.items()},
        {kind: {name: piece(value) for name, value in found.items()} for kind, found in kinds.items()},
        tuple(tags_of(parts.registry, parts.paths)),
        {name: without_defaults(schema) for name, schema in made.items()},
        envelope,
    )


def _envelope_filters(parts: Parts) -> tuple[str, ...]:
    """The filters of what every record carries, as standard objects have them too."""
    known = {orjson.dumps(parts.parameters[name]): name for found in parts.filters.values() for name in found}
    template = resource_of(CustomObject(UUID(int=0), "records", "record", "Record", "Records"))
    found = []
    for name, parameter in filter_parameters(template).items():
        shared = known.get(orjson.dumps(parameter))
        if shared is None:
            shared = name.replace("Filter.", "Filter.records.", 1)
            parts.parameters[shared] = parameter
        found.append(shared)
    return tuple(found)
