"""Fields and objects as the API tells of them: those that an organisation made and the standard ones alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crm_api.flows.metadata.properties import TAKES
from crm_api.kernel.context import Context
from crm_api.kernel.custom.definitions import COMPUTED, CustomField, CustomObject
from crm_api.kernel.fields import Field, to_json
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.writes.shape import shape_of
from crm_api.models.columns import FieldType

_EMPTY: Final[Mapping[str, Any]] = {
    "help": None,
    "required": False,
    "unique": False,
    "indexed": False,
    "read_only": False,
    "sensitivity": "none",
    "default": None,
}
"""What every field tells."""


def label_of(name: str) -> str:
    """A name for people, made from a field's: `account_id` → `Account`."""
    return name.removesuffix("_id").replace("_", " ").capitalize()


def _frame(object_name: str, api_name: str, path: str, label: str, kind: FieldType, *, standard: bool) -> dict[str, Any]:
    return {
        "object": "fields",
        "of": object_name,
        "api_name": api_name,
        "path": path,
        "label": label,
        "type": kind.value,
        "standard": standard,
    }


def custom_field(definition: CustomField, *, made: bool) -> dict[str, Any]:
    """A field that the organisation added; `made`: to an object of its own. Members beside the common ones follow the type."""
    path = definition.api_name if made or definition.multiple else f"custom_fields.{definition.api_name}"
    found = _frame(definition.object, definition.api_name, path, definition.label, definition.type, standard=False)
    found |= {**_EMPTY, "id": str(definition.id), "version": definition.version, "archived": definition.archived}
    found |= {"state": definition.state, "job_id": definition.properties.get("job_id")}
    if definition.base_of is not None:  # nobody made it
        found["id"] = None
    found["indexed"] = definition.slot is not None and definition.state != "dropping"
    found["unique"] = definition.unique
    found["read_only"] = definition.read_only
    for name in TAKES[definition.type]:
        if name in definition.properties:
            found[name] = definition.properties[name]
    if definition.type in COMPUTED:
        found["returns"] = definition.value_type.value
    if definition.type is FieldType.AUTONUMBER:
        found["gaps"] = "none"
    if "options" in found:
        found["options"] = [{"active": True, "color": None, **option} for option in found["options"]]
    return found


def standard_field(context: Context, resource: AnyResource, field: Field) -> dict[str, Any]:
    """A field that every organisation has, with what this one says of it."""
    spec, override = field.spec, resource.overrides.get(field.name)
    model = resource.read.model_fields.get(field.name)
    label = label_of(field.name) if override is None else override.label
    found = _frame(resource.name, field.name, field.name, label, field.type, standard=True)
    found |= {**_EMPTY, "id": None, "version": 1, "archived": False, "state": "active", "job_id": None}
    create = resource.create.model_fields.get(field.name)
    default = shape_of(context, resource).fresh().get(field.column)
    needed = not field.nullable and default is None and spec.writable != "never"
    found["required"] = (create is not None and create.is_required()) or (needed and field.name not in ("id", "created_at", "currency"))
    found["sensitivity"] = spec.sensitivity
    found["unique"], found["indexed"], found["read_only"] = spec.unique, spec.indexed or spec.unique, spec.writable == "never"
    found["default"] = default if isinstance(default, bool | int | str | list | dict) else to_json(field, default)
    found["help"] = None if model is None else model.description
    about = {"max_length": spec.max_length, "min": spec.minimum, "max": spec.maximum, "option_object": spec.option_object}
    about |= {"target": spec.target, "inverse": spec.inverse}
    found |= {name: value for name, value in about.items() if value is not None}
    if spec.options:
        found["options"] = [{"key": key, "label": label_of(key), "active": True, "color": None} for key in spec.options]
    if override is not None:
        found["version"] = override.version
        found |= {name: override.properties[name] for name in ("help", "sensitivity") if name in override.properties}
    return found


def described_object(resource: AnyResource, made: CustomObject | None) -> dict[str, Any]:
    """An object: its names and what it can do."""
    plural = label_of(resource.name) if made is None else made.plural_label
    found = {
        "object": "objects",
        "id": None if made is None else str(made.id),
        "api_name": resource.name,
        "singular": resource.singular,
        "label": label_of(resource.singular) if made is None else made.label,
        "plural_label": plural,
        "standard": made is None,
        "archived": False,
        "version": 1 if made is None else made.version,
        "description": resource.description,
        "display_field": None if made is None else made.properties.get("display_field") or "name",
        "has_pipeline": "stage_id" in resource.all_fields,
        "verbs": sorted(resource.verbs),
    }
    return found if made is None else {**found, "archived": made.archived}


__all__ = ["custom_field", "described_object", "label_of", "standard_field"]
