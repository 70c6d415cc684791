"""What every change of a schema has in common: one at a time, a new version, an event that tells what is different."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final
from uuid import UUID

import orjson

from crm_api.core.errors import VersionConflict
from crm_api.core.etag import ETagCondition
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.kernel import events
from crm_api.kernel.catalog import build, load
from crm_api.kernel.context import Context
from crm_api.kernel.custom.definitions import CustomField, CustomObject
from crm_api.kernel.locks import serialize
from crm_api.kernel.registry import Registry
from crm_api.models.base import table
from crm_api.models.metadata import FieldDefinition, ObjectDefinition

LOCK: Final = "schema"
KEPT: Final = 200
"""Versions of an organisation's schema that can be compared."""

OBJECTS, FIELDS = table(ObjectDefinition), table(FieldDefinition)
_STATE: Final = "metadata.version"
_RAISE: Final = Statement(
    "UPDATE organizations SET schema_version = schema_version + 1 WHERE id = $1 RETURNING schema_version", ("org_id",)
)
_KEEP: Final = Statement(
    "INSERT INTO schema_versions (org_id, version, changed_at, changed_by, schema) VALUES ($1, $2, $3, $4::jsonb, $5::jsonb)",
    ("org_id", "version", "now", "actor", "schema"),
)
_FORGET: Final = Statement(
    "DELETE FROM schema_versions WHERE org_id = $1 AND version <= (SELECT v.version FROM schema_versions v WHERE v.org_id = $1"
    " ORDER BY v.version DESC OFFSET $2 LIMIT 1)",
    ("org_id", "kept"),
)
_STORE: Final = Statement(
    "UPDATE field_definitions SET label = $3, properties = $4::jsonb, slot = $5, unique_slot = $6, state = $7, version = $8,"
    " archived_at = CASE WHEN $9 THEN coalesce(archived_at, $10) END, updated_at = $10, updated_by = $11::jsonb"
    " WHERE org_id = $1 AND id = $2",
    ("org_id", "id", "label", "properties", "slot", "unique_slot", "state", "version", "archived", "now", "actor"),
)
_STORE_OBJECT: Final = Statement(
    "UPDATE object_definitions SET label = $3, plural_label = $4, properties = $5::jsonb, version = $6,"
    " archived_at = CASE WHEN $7 THEN coalesce(archived_at, $8) END, updated_at = $8, updated_by = $9::jsonb"
    " WHERE org_id = $1 AND id = $2",
    ("org_id", "id", "label", "plural_label", "properties", "version", "archived", "now", "actor"),
)
_REMOVE: Final = Statement("DELETE FROM field_definitions WHERE org_id = $1 AND id = $2", ("org_id", "id"))
_REMOVE_OBJECT: Final = Statement("DELETE FROM object_definitions WHERE org_id = $1 AND id = $2", ("org_id", "id"))


class Schema:
    """An organisation's definitions under the lock that lets one change after the other happen. Made by `begin`."""

    def __init__(self, context: Context, objects: list[CustomObject], fields: list[CustomField]) -> None:
        self.context = context
        self.objects = objects
        self.fields = fields
        self.risen: set[UUID] = set()
        """Definitions whose version is that of this transaction."""

    def registry(self) -> Registry:
        """The registry that these definitions make, to check a change before it is stored. Raises ValueError for a clash of names."""
        key = (self.context.uow.new_id(), -1)  # it may never come to be
        return build(self.context.whole.standard, key, self.objects, self.fields)

    def of(self, object_name: str) -> list[CustomField]:
        """The object's own definitions, archived ones too."""
        return [f for f in self.fields if f.object == object_name and not f.standard]

    def field(self, object_name: str, api_name: str) -> CustomField | None:
        """A definition by name, archived or not; also what is said of a standard field."""
        return next((f for f in self.fields if (f.object, f.api_name) == (object_name, api_name)), None)

    def object(self, api_name: str) -> CustomObject | None:
        """A definition by name, archived or not."""
        return next((o for o in self.objects if o.api_name == api_name), None)

    def _version(self, old: CustomField | CustomObject) -> int:
        risen = 0 if old.id in self.risen else 1
        self.risen.add(old.id)
        return old.version + risen

    async def put(self, old: CustomField, **changes: Any) -> CustomField:
        """Stores another state of a definition, with the next version."""
        new = replace(old, version=self._version(old), **changes)
        self.fields[self.fields.index(old)] = new
        values = {name: getattr(new, name) for name in ("id", "label", "slot", "unique_slot", "state", "version", "archived")}
        properties = encode(new.properties)
        await self.context.uow.fetch(_STORE, {"org_id": self.context.uow.org_id, **values, "properties": properties, **stamp(self.context)})
        return new

    async def put_object(self, old: CustomObject, **changes: Any) -> CustomObject:
        """The same for an object."""
        new = replace(old, version=self._version(old), **changes)
        self.objects[self.objects.index(old)] = new
        values = {name: getattr(new, name) for name in ("id", "label", "plural_label", "version", "archived")}
        properties = encode(new.properties)
        await self.context.uow.fetch(
            _STORE_OBJECT, {"org_id": self.context.uow.org_id, **values, "properties": properties, **stamp(self.context)}
        )
        return new

    async def drop(self, old: CustomField) -> None:
        """Removes a definition for good."""
        self.fields.remove(old)
        await self.context.uow.fetch(_REMOVE, {"org_id": self.context.uow.org_id, "id": old.id})

    async def drop_object(self, old: CustomObject) -> None:
        """The same for an object."""
        self.objects.remove(old)
        await self.context.uow.fetch(_REMOVE_OBJECT, {"org_id": self.context.uow.org_id, "id": old.id})


async def begin(context: Context) -> Schema:
    """Waits for other changes of the organisation's schema, and reads it as it is then."""
    await serialize(context, LOCK)
    return Schema(context, *await load(context.uow, context.principal.org_id))


async def changed(context: Context, changes: Mapping[str, Mapping[str, Any]], action: str) -> int:
    """Raises the schema version, once in a transaction, and notes the event `schema.updated`.

    The new version, in force from the next request on. What the schema is in the end is kept with it.
    """
    uow = context.uow
    version: int | None = uow.state.get(_STATE)
    if version is None:
        version = int(await uow.fetch_value(_RAISE, {"org_id": uow.org_id}))
        uow.state[_STATE] = version
        uow.before_commit.append(partial(_keep, version, stamp(context)))
    events.emit(context, events.PlainEvent("schema.updated", "schema", uow.org_id, version, changes, action=action))
    return version


async def _keep(version: int, stamped: Mapping[str, Any], uow: Uow) -> None:
    """Keeps the schema as it is now, for comparisons."""
    schema = snapshot(*await load(uow, uow.org_id))
    await uow.fetch(_KEEP, {"org_id": uow.org_id, "version": version, "schema": orjson.dumps(schema).decode(), **stamped})
    await uow.fetch(_FORGET, {"org_id": uow.org_id, "kept": KEPT})


def snapshot(objects: list[CustomObject], fields: list[CustomField]) -> dict[str, Any]:
    """Everything that an organisation has added: objects by name, fields as `contacts.tier`, in the order of names."""
    shown: dict[str, Any] = {"objects": {}, "fields": {}}
    for made in sorted(objects, key=lambda made: made.api_name):
        about = {"label": made.label, "plural_label": made.plural_label, "singular": made.singular, "archived": made.archived}
        shown["objects"][made.api_name] = {**about, **made.properties}
    for field in sorted(fields, key=lambda field: (field.object, field.api_name)):
        about = {"label": field.label, "type": field.type.value, "archived": field.archived}
        about |= {"indexed": field.slot is not None, "unique": field.unique}
        kept = {name: value for name, value in field.properties.items() if name not in INTERNAL}
        shown["fields"][f"{field.object}.{field.api_name}"] = {**about, **kept}
    return shown


INTERNAL: Final = frozenset({"job_id", "freeing", "checking", "standard", "purging"})
"""Members of `properties` by which changes under way are kept track of."""


def check_version(condition: ETagCondition | None, version: int, shown: Any) -> None:
    """Raises VersionConflict, with the definition as it is, unless `If-Match` names its version."""
    if condition is not None and not condition.matches_version(version):
        raise VersionConflict(version, (), shown)


def encode(properties: Mapping[str, Any]) -> str:
    """Properties as they are stored."""
    return orjson.dumps(properties).decode()


def stamp(context: Context) -> dict[str, Any]:
    """Who changes a definition, and when."""
    actor = orjson.dumps(context.uow.actor.json()).decode()
    return {"now": context.uow.now, "actor": actor}


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The members that differ, as events show them."""
    names = [*old, *(name for name in new if name not in old)]
    return {name: {"old": old.get(name), "new": new.get(name)} for name in names if old.get(name) != new.get(name)}


__all__ = [
    "FIELDS",
    "INTERNAL",
    "KEPT",
    "OBJECTS",
    "Schema",
    "begin",
    "changed",
    "check_version",
    "difference",
    "encode",
    "snapshot",
    "stamp",
]
