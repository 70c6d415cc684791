"""How routes that say nothing by their signatures are described by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from crm_api.http.openapi.operations import content
from crm_api.http.openapi.parameters import headers
from crm_api.http.openapi.samples import Schema
from crm_api.http.openapi.shared import ref


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is said of one route: members of the operation object that replace FastAPI's, the scopes it needs, errors beside the
    usual ones, and parameters and answers beside FastAPI's."""

    operation: Schema = field(default_factory=dict)
    scopes: tuple[str, ...] = ()
    errors: tuple[int, ...] = ()
    schemas: dict[str, Schema] = field(default_factory=dict)
    parameters: tuple[Schema, ...] = ()
    answers: dict[str, Schema] = field(default_factory=dict)


def page_of(item: str, description: str) -> Schema:
    """The list envelope around a schema."""
    return {
        "type": "object",
        "description": description,
        "properties": {"data": {"type": "array", "items": ref(item)}, "page": ref("Page")},
        "required": ["data", "page"],
    }


def answer(status: str, description: str, schema: Schema, example: Any, **more: str) -> dict[str, Schema]:
    """One answer with its example and headers."""
    return {status: {"description": description, "headers": headers(**more), "content": content(schema, example)}}
