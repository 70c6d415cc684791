"""Fields that an organisation adds to objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crm_api.core.errors import Duplicate, FieldError, LimitExceeded, NotFound, ValidationFailed
from crm_api.db.statement import Statement
from crm_api.flows.metadata.changes import Schema, changed, encode, stamp
from crm_api.flows.metadata.names import check_field_name
from crm_api.kernel.custom.definitions import COMPUTED, SLOT_KINDS, CustomField
from crm_api.kernel.formula.graph import check, complete
from crm_api.models import slots
from crm_api.models.columns import FieldType

MAX_FIELDS: Final = 800
"""Custom fields of one object, archived ones included."""

_INSERT: Final = Statement(
    """
    INSERT INTO field_definitions (org_id, id, object, api_name, type, label, properties, slot, unique_slot, state, position, version,
                                   created_at, updated_at, created_by, updated_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $10, $11, 1, $12, $12, $13::jsonb, $13::jsonb)
    """,
    (
        "org_id", "id", "object", "api_name", "type", "label", "properties", "slot", "unique_slot", "state", "position", "now", "actor"
    ),
)  # fmt: skip


async def create_field(schema: Schema, object_name: str, body: Mapping[str, Any]) -> CustomField:
    """A new field of an object. `body`: `api_name`, `label`, `type`, `indexed`, `unique` and `properties`.

    Raises NotFound for an unknown object, ReservedName, ValidationFailed, Duplicate, LimitExceeded.
    """
    context = schema.context
    registry = schema.registry()
    resource = registry.get(object_name)
    if resource is None:
        raise NotFound()
    check_field_name(body["api_name"])
    existing = schema.field(object_name, body["api_name"])
    if existing is not None:
        raise Duplicate([{"object": "fields", "id": str(existing.id), "field": "api_name"}])
    if len([f for f in schema.fields if f.object == object_name]) >= MAX_FIELDS:
        raise LimitExceeded("custom_fields", MAX_FIELDS, MAX_FIELDS + 1)
    kind = FieldType(body["type"])
    properties = dict(body["properties"])
    if kind in COMPUTED:
        properties = complete(registry, resource, kind, properties)
    multiple = kind is FieldType.REFERENCE and properties.get("multiple", False)
    value_type = FieldType(properties["returns"]) if kind in COMPUTED else kind
    indexed = not multiple and (body["indexed"] or kind is FieldType.REFERENCE)
    unique = body["unique"] or kind is FieldType.AUTONUMBER
    slot = free_slot(schema, object_name, SLOT_KINDS[value_type]) if indexed else None
    definition = CustomField(
        context.uow.new_id(),
        object_name,
        body["api_name"],
        body["label"],
        kind,
        properties,
        slot,
        free_slot(schema, object_name, slots.UNIQUE) if unique else None,
        "building" if kind in COMPUTED else "active",
        len([f for f in schema.fields if f.object == object_name]),
    )
    schema.fields.append(definition)
    try:
        changed_registry = schema.registry()
    except ValueError as error:
        raise ValidationFailed([FieldError("name_taken", str(error), "/inverse" if definition.target else "/api_name")]) from None
    if kind in COMPUTED:
        check(changed_registry, (object_name, definition.api_name))
    values = {name: getattr(definition, name) for name in ("id", "object", "api_name", "label", "slot", "unique_slot", "state", "position")}
    await context.uow.fetch(
        _INSERT,
        {"org_id": context.uow.org_id, **values, "type": kind.value, "properties": encode(properties), **stamp(context)},
    )
    name = f"{object_name}.{definition.api_name}"
    await changed(context, {name: {"old": None, "new": {"type": kind.value, "label": definition.label}}}, "meta.create_field")
    return definition


def free_slot(schema: Schema, object_name: str, kind: slots.SlotKind) -> str:
    """A slot of this kind that no field of the object uses, archived ones included. Raises LimitExceeded."""
    used = {name for f in schema.fields if f.object == object_name for name in (f.slot, f.unique_slot)}
    free = next((name for name in kind.names if name not in used), None)
    if free is None:
        limit = f"{'unique' if kind.unique else 'reference' if kind is slots.REFERENCE else 'indexed'}_custom_fields"
        raise LimitExceeded(limit, kind.count, kind.count + 1)
    return free
