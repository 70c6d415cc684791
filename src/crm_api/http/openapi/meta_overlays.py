"""Descriptions of the schema that are documents themselves: what their answers are."""

from __future__ import annotations

from typing import Final

from crm_api.http.openapi.operations import content
from crm_api.http.openapi.overlay import Overlay
from crm_api.http.openapi.parameters import STRING, headers, parameter
from crm_api.http.openapi.samples import Schema

_UNCHANGED: Final[dict[str, Schema]] = {"304": {"description": "It is still what `If-None-Match` names.", "headers": headers(ETag="ETag")}}
_DOCUMENT: Final[Schema] = {"type": "object", "description": "An OpenAPI 3.1 document."}
_SCHEMA: Final[Schema] = {"type": "object", "description": "A JSON Schema (2020-12)."}
_TYPES: Final = 'export interface ContactCustomFields {\n  /** Tier. */\n  tier?: "gold" | "silver" | null;\n}\n'


def _text(description: str, schema: Schema, example: object, media: str = "application/json") -> dict[str, Schema]:
    return {"200": {"description": description, "headers": headers(ETag="ETag"), "content": content(schema, example, types=(media,))}}


def _tagged(*, more: dict[str, Schema] | None = None) -> Overlay:
    return Overlay(parameters=(parameter("IfNoneMatch"),), answers={**(more or {}), **_UNCHANGED})


META: Final[dict[tuple[str, str], Overlay]] = {
    ("GET", "/v1/meta"): _tagged(),
    ("GET", "/v1/meta/{object}"): _tagged(),
    ("GET", "/v1/meta/openapi.json"): _tagged(
        more=_text("The document.", _DOCUMENT, {"openapi": "3.1.0", "info": {"title": "CRM API", "version": "2026-12-01"}, "paths": {}})
    ),
    ("GET", "/v1/meta/types.ts"): _tagged(more=_text("The module.", STRING, _TYPES, "text/x-typescript")),
    ("GET", "/v1/meta/{object}/schema.json"): _tagged(
        more=_text(
            "The schema.",
            _SCHEMA,
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "title": "ContactCreate",
                "type": "object",
                "properties": {"last_name": {"type": "string"}},
            },
        )
    ),
    ("GET", "/v1/meta/diff"): Overlay(errors=(404,)),
}
