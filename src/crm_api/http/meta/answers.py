"""How routes under /v1/meta answer: entity tags, conditions, and what a definition looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import NotFound
from crm_api.core.etag import write_etag
from crm_api.flows.metadata.changes import Schema
from crm_api.flows.metadata.describe import custom_field, described_object, standard_field
from crm_api.http.records.answers import document, json_response, read_tag
from crm_api.http.records.call import Call
from crm_api.http.services import services_of
from crm_api.kernel.custom.definitions import CustomField, CustomObject
from crm_api.kernel.custom.objects import resource_of
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

_ONLY_PAGE = {"next_cursor": None, "prev_cursor": None, "has_more": False}


def read_answer(call: Call, version: int, shown: Mapping[str, Any]) -> Response:
    """A read with its tag: 200 or 304."""
    body = orjson.dumps(shown)
    tag = read_tag(call, version, body)
    condition = call.if_none_match()
    if condition is not None and condition.matches_tag(tag):
        return Response(status_code=304, headers={"etag": tag})
    return json_response(body, 200, {"etag": tag})


def list_answer(call: Call, items: Sequence[Mapping[str, Any]]) -> Response:
    """All of a few, on one page."""
    version = call.context.principal.organization.schema_version
    return read_answer(call, version, {"data": items, "page": _ONLY_PAGE})


def written(shown: Mapping[str, Any], outcome: str, status: int = 200, location: str | None = None) -> Response:
    """A definition that was made or changed."""
    headers = {"etag": write_etag(shown["version"]), "x-outcome": outcome}
    return document(shown, status, headers | ({} if location is None else {"location": location}))


def grace_of(request: Request) -> float:
    """How long the jobs wait that follow a change."""
    return services_of(request).settings.schema_grace_seconds


def shown_field(schema: Schema, field: CustomField) -> dict[str, Any]:
    """A field that the organisation added."""
    return custom_field(field, made=schema.object(field.object) is not None)


def shown_fields(schema: Schema, resource: AnyResource, *, archived: bool) -> list[dict[str, Any]]:
    """All fields of an object: standard ones, then its own in their order."""
    standard = [
        standard_field(schema.context, resource, field)
        for field in resource.fields.values()
        if field.definition is None and field.type is not FieldType.CUSTOM_FIELDS
    ]
    own = sorted(schema.of(resource.name), key=lambda field: (field.position, field.api_name))
    made = schema.object(resource.name) is not None
    shown = (one for field in own if archived or not field.archived for one in (field, field.twin) if one is not None)
    return [*standard, *(custom_field(one, made=made) for one in shown)]


def shown_object(schema: Schema, made: CustomObject) -> dict[str, Any]:
    """An object that the organisation made, archived or not."""
    resource = schema.registry().get(made.api_name)
    return described_object(resource_of(made) if resource is None else resource, made)


def object_of(schema: Schema, name: str) -> AnyResource:
    """An object that is there. Raises NotFound."""
    found = schema.registry().get(name)
    if found is None:
        raise NotFound()
    return found
