"""Which slot of a table a field gets, and which come free again."""

from __future__ import annotations

from crm_api.core.errors import LimitExceeded
from crm_api.flows.metadata.changes import Schema
from crm_api.models import slots


def used_slots(schema: Schema, object_name: str) -> set[str]:
    """The slots of an object that a field has, archived or not, and those that are still being emptied."""
    found: set[str] = set()
    for field in schema.of(object_name):
        found.update(name for name in (field.slot, field.unique_slot) if name is not None)
        found.update(field.properties.get("freeing", ()))
    return found


def free_slot(schema: Schema, object_name: str, kind: slots.SlotKind) -> str:
    """A slot of this kind that no field of the object uses. Raises LimitExceeded."""
    used = used_slots(schema, object_name)
    free = next((name for name in kind.names if name not in used), None)
    if free is None:
        raise LimitExceeded(limit_of(kind), kind.count, kind.count + 1)
    return free


def limit_of(kind: slots.SlotKind) -> str:
    """The limit's name, as `GET /v1/limits` has it."""
    names = {
        slots.TEXT: "text",
        slots.NUMBER: "number",
        slots.DATE: "date",
        slots.TIME: "datetime",
        slots.REFERENCE: "reference",
        slots.UNIQUE: "unique",
    }
    return f"{names[kind]}_indexes_per_object"
