"""`webhooks`: every type of the catalogue as what an endpoint of a receiver gets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from crm_api.http.openapi.event_schemas import component, event_schemas, example, system_schemas, titled
from crm_api.http.openapi.operations import content
from crm_api.http.openapi.parameters import parameter
from crm_api.http.openapi.samples import Schema
from crm_api.http.openapi.shared import ref
from crm_api.kernel.event_catalog import EventType, system_types, types_of
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource

BATCH: Final = "event.batch"
"""What the request with some events is called; it is no type of event."""

_TAGS: Final[Mapping[str, str]] = {"links": "links", "jobs": "jobs", "schema": "meta", "oauth_apps": "oauth", "oauth_grants": "oauth"}
_ANSWERS: Final[Schema] = {
    "2XX": {"description": "Received. Anything else is tried again."},
    "410": {"description": "Never again: the endpoint is disabled."},
    "4XX": {"description": "Refused; tried again later."},
}
_HEADERS: Final = ("WebhookId", "WebhookTimestamp", "WebhookSignature")


def webhooks(registry: Iterable[AnyResource], schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """Each type of event of these objects."""
    return {kind.name: _webhook(kind, resource, schemas) for resource in registry for kind in types_of(resource)}


def system_webhooks(registry: Registry, schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """The types of what is no record, and batches."""
    found = {kind.name: _webhook(kind, None, schemas) for kind in system_types(registry)}
    events = [example(kind, None, schemas) for kind in list(system_types(registry))[:2]]
    found[BATCH] = {
        "post": {
            "operationId": "on_event_batch",
            "summary": "Several events at once",
            "description": "What an endpoint with `batch` gets instead of single events: `events` are what each would have been alone.",
            "tags": ["events"],
            "security": [],
            "parameters": [parameter(name) for name in _HEADERS],
            "requestBody": {"required": True, "content": content(ref("EventBatch"), {"events": events})},
            "responses": _ANSWERS,
        }
    }
    return found


def told_in(registry: Registry) -> Iterator[str]:
    """The names among `system_webhooks` that whoever knows of these objects may know of."""
    yield from (kind.name for kind in system_types(registry))
    yield BATCH


def _webhook(kind: EventType, resource: AnyResource | None, schemas: Mapping[str, Schema]) -> Schema:
    # An organisation's own objects are described by a template, in which no field has its name.
    shown: Any = example(kind, resource, schemas, fields=resource is None or resource.made is None)
    whole: Schema = {"allOf": [ref(component(kind, resource)), {"properties": {"type": {"const": kind.name}}}]}
    tag = kind.object if resource is not None else _TAGS.get(kind.object, "events")
    return {
        "post": {
            "operationId": f"on_{kind.name.replace('.', '_')}",
            "summary": titled(kind, resource),
            "description": f"`{kind.name}`: {kind.description} The same object as in the journal (`GET /v1/events`) and the stream, or a "
            f"thin one, as the endpoint wants it. `GET /v1/event_types/{kind.name}` has its whole schema.",
            "tags": [tag],
            "security": [],
            "parameters": [parameter(name) for name in _HEADERS],
            "requestBody": {"required": True, "content": content({"anyOf": [whole, ref("ThinEvent")]}, shown)},
            "responses": _ANSWERS,
        }
    }


__all__ = ["BATCH", "event_schemas", "system_schemas", "system_webhooks", "told_in", "webhooks"]
