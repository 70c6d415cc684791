"""Objects that an organisation makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crm_api.core.errors import Duplicate, LimitExceeded
from crm_api.db.statement import Statement
from crm_api.flows.metadata.changes import Schema, changed, encode, stamp
from crm_api.flows.metadata.names import check_object_names
from crm_api.kernel.custom.definitions import CustomObject

MAX_OBJECTS: Final = 200

_INSERT: Final = Statement(
    """
    INSERT INTO object_definitions (org_id, id, api_name, singular, label, plural_label, properties, version,
                                    created_at, updated_at, created_by, updated_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, 1, $8, $8, $9::jsonb, $9::jsonb)
    """,
    ("org_id", "id", "api_name", "singular", "label", "plural_label", "properties", "now", "actor"),
)


async def create_object(schema: Schema, body: Mapping[str, Any]) -> CustomObject:
    """A new object. Raises ReservedName, ValidationFailed, Duplicate, LimitExceeded."""
    context = schema.context
    check_object_names(context.registry, body["api_name"], body["singular"])
    for other in schema.objects:
        for name in ("api_name", "singular"):
            if getattr(other, name) == body[name]:
                raise Duplicate([{"object": "objects", "id": str(other.id), "field": name}])
    if len(schema.objects) >= MAX_OBJECTS:
        raise LimitExceeded("custom_objects", MAX_OBJECTS, len(schema.objects) + 1)
    made = CustomObject(
        context.uow.new_id(), body["api_name"], body["singular"], body["label"], body["plural_label"], dict(body["properties"])
    )
    names = {name: getattr(made, name) for name in ("id", "api_name", "singular", "label", "plural_label")}
    await context.uow.fetch(_INSERT, {"org_id": context.uow.org_id, **names, "properties": encode(made.properties), **stamp(context)})
    schema.objects.append(made)
    await changed(context, {made.api_name: {"old": None, "new": {"label": made.label, "singular": made.singular}}}, "meta.create_object")
    return made
