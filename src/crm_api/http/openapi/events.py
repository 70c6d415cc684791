"""`webhooks`: the events that every object can have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from crm_api.flows.privacy.people import OBJECTS as PEOPLE
from crm_api.http.openapi.operations import a, content
from crm_api.http.openapi.samples import Schema, sample
from crm_api.http.openapi.schemas import stem
from crm_api.http.openapi.shared import nullable, ref
from crm_api.kernel.resource import AnyResource

_VERBS: Final = {
    "created": ("create", "{A} was created", "`changes` lists every field with a value."),
    "updated": ("update", "{A} was changed", "`changes` lists the changed fields."),
    "deleted": ("delete", "{A} was deleted", "It can be restored."),
    "restored": ("restore", "{A} was restored", "It is live again."),
    "purged": ("purge", "{A} was removed for good", "`record` is null, and so are the values in its earlier events."),
    "erased": ("purge", "{A} was erased", "Everything about the person is gone, everywhere; remove your copies. It tells the id alone."),
    "merged": ("merge", "{A} was merged into another", "The event of the loser; the winner has one of its own, `updated`."),
}


def verbs_told(resource: AnyResource) -> list[str]:
    """What can happen to records of an object; only people are erased."""
    return [verb for verb, (needs, _, _) in _VERBS.items() if needs in resource.verbs and (verb != "erased" or resource.name in PEOPLE)]


def event_schemas(registry: Iterable[AnyResource], schemas: dict[str, Schema]) -> dict[str, Schema]:
    """`ContactEvent` and its like: the event with the object's own record."""
    found = {}
    for resource in registry:
        base = schemas["Event"]
        own: Schema = {"object": {"type": "string", "const": resource.name}, "record": nullable(ref(f"{stem(resource)}Read"))}
        found[f"{stem(resource)}Event"] = {
            **base,
            "description": f"Something happened to {a(resource)}.",
            "properties": {**base["properties"], **own},
        }
    return found


def webhooks(registry: Iterable[AnyResource], schemas: dict[str, Schema]) -> dict[str, Schema]:
    """Each event type as what an endpoint of the receiver gets."""
    found = {}
    base = sample(schemas["Event"], schemas)
    for resource in registry:
        for verb in verbs_told(resource):
            _, title, text = _VERBS[verb]
            found[f"{resource.singular}.{verb}"] = {"post": _webhook(resource, verb, title, text, base, schemas)}
    return found


def _webhook(resource: AnyResource, verb: str, title: str, text: str, base: dict[str, Any], schemas: dict[str, Schema]) -> Schema:
    record = None if verb in ("purged", "erased") else schemas[f"{stem(resource)}Read"]["examples"][0]
    example = {**base, "type": f"{resource.singular}.{verb}", "object": resource.name, "record": record}
    name = a(resource)
    return {
        "operationId": f"on_{resource.singular}_{verb}",
        "summary": title.format(A=name[0].upper() + name[1:]),
        "description": f"`{resource.singular}.{verb}`: {text} The same object as in the journal (`GET /v1/events`) and the stream.",
        "tags": [resource.name],
        "security": [],
        "requestBody": {"required": True, "content": content(ref(f"{stem(resource)}Event"), example)},
        "responses": {
            "2XX": {"description": "Received. Anything else is tried again."},
            "4XX": {"description": "Refused; tried again later."},
        },
    }
