"""The schemas of objects that an organisation has changed or made."""

from __future__ import annotations

from collections.abc import Collection

from crm_api.http.openapi.events import event_schemas
from crm_api.http.openapi.samples import Schema
from crm_api.http.openapi.schemas import add_envelopes, complete_read, stem, uncompleted, without_defaults
from crm_api.http.openapi.shared import ref
from crm_api.http.openapi.tenant.base import Base
from crm_api.http.openapi.tenant.fields import Mode, choice_schemas, members_schema, needed, properties
from crm_api.http.openapi.tenant.hidden import cut_schemas
from crm_api.http.openapi.tenant.names import prepared
from crm_api.kernel.query.projection import LAST
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.visible import Visible

MEMBER = "custom_fields"


def visible_schemas(base: Base, visible: Visible, names: Collection[str] | None = None) -> tuple[Visible, dict[str, Schema]]:
    """The schemas of all visible objects, or of these, among those that are everybody's; and the objects with their names there."""
    registry = visible.with_resources(prepared(visible, base.schemas))
    found = dict(base.schemas)
    for resource in registry:
        if names is None or resource.name in names:
            add_object(found, base, registry, resource)
    cut_schemas(found, registry, [resource.name for resource in registry])
    return registry, found


def add_object(found: dict[str, Schema], base: Base, registry: Registry, resource: AnyResource) -> None:
    """Puts an object's schemas among the others, in place of those that all organisations have."""
    name = stem(resource)
    if resource.made is not None:
        _add_made(found, base, resource)
    else:
        standard = base.parts.registry.relations[resource.name]
        found[f"{name}Read"] = uncompleted(base.schemas[f"{name}Read"], standard)
        if resource.custom:
            _add_members(found, base, resource)
    complete_read(found, registry, resource)
    add_envelopes(found, resource)
    for suffix in ("BatchCreate", "BatchUpdate", "BatchUpsert", "BatchResult"):
        if f"{name}{suffix}" in found:
            found[f"{name}{suffix}"] = without_defaults(found[f"{name}{suffix}"])
    if resource.made is None and resource.custom and f"{name}Upsert" in found:
        upsert = found[f"{name}Upsert"]
        found[f"{name}Upsert"] = {**upsert, "properties": {**upsert["properties"], MEMBER: ref(f"{name}CustomFieldsUpdate")}}
    if resource.made is not None:
        found.update(event_schemas([resource], found))


def _add_made(found: dict[str, Schema], base: Base, resource: AnyResource) -> None:
    name, own = stem(resource), list(resource.custom.values())
    choices = _choices(found, base, resource)
    words = resource.singular.replace("_", " ")
    forms: tuple[tuple[Mode, str, str], ...] = (
        ("read", "Read", resource.description),
        ("create", "Create", f"A new {words}."),
        ("update", "Update", f"Changes of a {words}, as a merge patch."),
    )
    for mode, suffix, description in forms:
        envelope = base.made[f"Made{suffix}"]
        members, required = properties(own, mode, choices)
        schema = {**envelope, "description": description, "properties": _in_order(envelope["properties"], members)}
        if mode == "read":
            schema["properties"]["object"] = {
                "type": "string", "const": resource.name, "description": "The object's name.", "examples": [resource.name],
            }  # fmt: skip
        schema.pop("required", None)
        if required:
            schema["required"] = required
        found[f"{name}{suffix}"] = schema


def _choices(found: dict[str, Schema], base: Base, resource: AnyResource) -> dict[str, str]:
    """Adds the choices of an object's picklists; their names by field."""
    schemas = choice_schemas(resource.custom.values(), stem(resource), base.schemas)
    found.update(schemas.values())
    return {field: name for field, (name, _) in schemas.items()}


def _in_order(envelope: dict[str, Schema], own: dict[str, Schema]) -> dict[str, Schema]:
    """The members in the order in which records show them."""
    last = {name: schema for name, schema in envelope.items() if name in LAST}
    return {**{name: schema for name, schema in envelope.items() if name not in LAST}, **own, **last}


def _add_members(found: dict[str, Schema], base: Base, resource: AnyResource) -> None:
    """The schemas of `custom_fields`, and references to them in the record's own."""
    name, own = stem(resource), list(resource.custom.values())
    choices = _choices(found, base, resource)
    words = resource.singular.replace("_", " ")
    told = f"The fields that the organisation has added to a {words}"
    found[f"{name}CustomFields"] = members_schema(own, "read", choices, f"{told}. All are there unless `fields` asked for others.")
    found[f"{name}CustomFieldsCreate"] = members_schema(own, "create", choices, f"{told}, as a new one takes them.")
    found[f"{name}CustomFieldsUpdate"] = members_schema(own, "update", choices, f"{told}, as a change takes them: what is left out stays.")
    for suffix, component in (("Read", "CustomFields"), ("Create", "CustomFieldsCreate"), ("Update", "CustomFieldsUpdate")):
        schema = found.get(f"{name}{suffix}")
        if schema is None or MEMBER not in schema["properties"]:
            continue
        changed = {**schema, "properties": {**schema["properties"], MEMBER: ref(f"{name}{component}")}}
        if suffix == "Create" and any(f.definition is not None and needed(f.definition) for f in own):
            changed["required"] = [*schema.get("required", ()), MEMBER]
        found[f"{name}{suffix}"] = changed
