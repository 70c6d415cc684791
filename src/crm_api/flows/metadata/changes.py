"""What every change of a schema has in common: one at a time, a new version, an event that tells what is different."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from crm_api.db.statement import Statement
from crm_api.kernel import events
from crm_api.kernel.catalog import build, load
from crm_api.kernel.context import Context
from crm_api.kernel.custom.definitions import CustomField, CustomObject
from crm_api.kernel.locks import serialize
from crm_api.kernel.registry import Registry
from crm_api.models.base import table
from crm_api.models.metadata import FieldDefinition, ObjectDefinition

LOCK: Final = "schema"
OBJECTS, FIELDS = table(ObjectDefinition), table(FieldDefinition)
_RAISE: Final = Statement(
    "UPDATE organizations SET schema_version = schema_version + 1 WHERE id = $1 RETURNING schema_version", ("org_id",)
)


class Schema:
    """An organisation's definitions under the lock that lets one change after the other happen. Made by `begin`."""

    def __init__(self, context: Context, objects: list[CustomObject], fields: list[CustomField]) -> None:
        self.context = context
        self.objects = objects
        self.fields = fields

    def registry(self) -> Registry:
        """The registry that these definitions make, to check a change before it is stored. Raises ValueError for a clash of names."""
        return build(self.context.registry.standard, (self.context.principal.org_id, -1), self.objects, self.fields)

    def field(self, object_name: str, api_name: str) -> CustomField | None:
        """A definition by name, archived or not."""
        return next((f for f in self.fields if (f.object, f.api_name) == (object_name, api_name)), None)

    def object(self, api_name: str) -> CustomObject | None:
        """A definition by name, archived or not."""
        return next((o for o in self.objects if o.api_name == api_name), None)


async def begin(context: Context) -> Schema:
    """Waits for other changes of the organisation's schema, and reads it as it is then."""
    await serialize(context, LOCK)
    return Schema(context, *await load(context.uow, context.principal.org_id))


async def changed(context: Context, changes: Mapping[str, Mapping[str, Any]], action: str) -> int:
    """Raises the schema version and notes the event `schema.updated`. The new version, in force from the next request on."""
    version = int(await context.uow.fetch_value(_RAISE, {"org_id": context.principal.org_id}))
    events.emit(context, events.PlainEvent("schema.updated", "schema", context.principal.org_id, version, changes, action=action))
    return version


def encode(properties: Mapping[str, Any]) -> str:
    """Properties as they are stored."""
    return orjson.dumps(properties).decode()


def stamp(context: Context) -> dict[str, Any]:
    """Who changes a definition, and when."""
    actor = orjson.dumps(context.uow.actor.json()).decode()
    return {"now": context.uow.now, "actor": actor}


__all__ = ["FIELDS", "OBJECTS", "Schema", "begin", "changed", "encode", "stamp"]
