"""Fields that an organisation adds to objects: made, changed, archived and brought back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crm_api.core.errors import (
    Conflict,
    Duplicate,
    FieldError,
    Forbidden,
    LimitExceeded,
    NotFound,
    ReservedName,
    ValidationFailed,
    join_pointer,
)
from crm_api.db.statement import Statement
from crm_api.flows.metadata import requests
from crm_api.flows.metadata.changes import INTERNAL, Schema, changed, difference, encode, stamp
from crm_api.flows.metadata.describe import custom_field, label_of
from crm_api.flows.metadata.names import check_field_name
from crm_api.flows.metadata.properties import FIXED, NEUTRAL, TAKES, check_flags, check_properties
from crm_api.flows.metadata.requests import GRACE_S
from crm_api.flows.metadata.slots import free_slot
from crm_api.flows.metadata.stored import has_records, refuse_removed_options, refuse_repeated_values
from crm_api.flows.metadata.usage import refuse_used
from crm_api.kernel.custom.definitions import COMPUTED, SLOT_KINDS, CustomField, base_name
from crm_api.kernel.custom.objects import NAME
from crm_api.kernel.custom.staged import PIPELINE, STAGE
from crm_api.kernel.exchange import revalue_later
from crm_api.kernel.formula.graph import check, complete
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource
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
_STORED: Final = ("id", "object", "api_name", "label", "slot", "unique_slot", "state", "position")
_FOLLOWING: Final = frozenset({"volatile", *INTERNAL})
"""Members of `properties` that nobody gives."""


async def create_field(schema: Schema, object_name: str, body: Mapping[str, Any], *, grace_s: float = GRACE_S) -> CustomField:
    """A new field of an object. `body`: `api_name`, `label`, `type`, `indexed`, `unique` and `properties`.

    Raises NotFound for an unknown object, ReservedName, ValidationFailed, Duplicate, LimitExceeded.
    """
    context = schema.context
    registry = schema.registry()
    resource = registry.get(object_name)
    if resource is None:
        raise NotFound()
    name, kind = body["api_name"], FieldType(body["type"])
    check_field_name(name)
    await _make_room(schema, resource, name)
    own = schema.of(object_name)
    if kind is FieldType.CURRENCY and (base_name(name) in resource.fields or any(f.api_name == base_name(name) for f in own)):
        raise ValidationFailed([FieldError("name_taken", pointer="/api_name", params={"name": f"{object_name}.{base_name(name)}"})])
    if len(own) >= MAX_FIELDS:
        raise LimitExceeded("custom_fields_per_object", MAX_FIELDS, MAX_FIELDS + 1)
    position = 1 + max((f.position for f in own), default=-1)
    definition = CustomField(context.uow.new_id(), object_name, name, body["label"], kind, position=position)
    properties = check_properties(context, resource, registry, own, definition, body["properties"])
    if kind in COMPUTED:
        properties = complete(registry, resource, kind, properties)
    value_type = FieldType(properties["returns"]) if kind in COMPUTED else kind
    check_flags(kind, value_type, properties, indexed=body["indexed"], unique=body["unique"] and kind is not FieldType.AUTONUMBER)
    indexed = not properties.get("multiple") and (body["indexed"] or kind is FieldType.REFERENCE)
    unique = body["unique"] or kind is FieldType.AUTONUMBER
    if unique and properties.get("default") is not None:
        raise ValidationFailed([FieldError("invalid_combination", pointer="/default", params={"other": "unique"})])
    # records of an object that this transaction makes can't be there yet
    work = _work_for(kind, properties) if object_name in context.whole else None
    definition = CustomField(
        definition.id,
        object_name,
        name,
        body["label"],
        kind,
        properties,
        free_slot(schema, object_name, SLOT_KINDS[value_type]) if indexed else None,
        free_slot(schema, object_name, slots.UNIQUE) if unique else None,
        "building" if work else "active",
        position,
    )
    schema.fields.append(definition)
    _check_whole(schema, definition)
    await _insert(schema, definition)
    if work:
        definition = await requests.ask_for(schema, definition, work, grace_s)
    about = {"type": kind.value, "label": definition.label}
    await changed(context, {f"{object_name}.{name}": {"old": None, "new": about}}, "meta.create_field")
    return definition


def _work_for(kind: FieldType, properties: Mapping[str, Any]) -> str | None:
    """The job that gives records that are there already their value."""
    if kind is FieldType.AUTONUMBER:
        return requests.NUMBER
    return requests.COMPUTE if kind in COMPUTED and not properties.get("volatile") else None


async def _make_room(schema: Schema, resource: AnyResource, name: str) -> None:
    """Raises Duplicate for a name that is taken. The `name` that every object begins with gives way while there are no records."""
    existing = schema.field(resource.name, name)
    if existing is not None and not existing.standard:
        if name == NAME and resource.made is not None and not await has_records(schema.context, resource):
            await schema.drop(existing)
            return
        raise Duplicate([{"object": "fields", "id": str(existing.id), "field": "api_name"}])
    if any(name in field.members for field in schema.of(resource.name)):
        raise ReservedName(errors=[FieldError("reserved_name", pointer="/api_name")])
    if existing is not None or name in resource.fields:
        raise ValidationFailed([FieldError("name_taken", pointer="/api_name", params={"name": f"{resource.name}.{name}"})])


def _check_whole(schema: Schema, definition: CustomField) -> None:
    """Whether all definitions go together. Raises ValidationFailed."""
    try:
        registry = schema.registry()
    except ValueError:
        place, other = ("/inverse", definition.properties.get("inverse")) if definition.target else ("/api_name", definition.api_name)
        raise ValidationFailed([FieldError("name_taken", pointer=place, params={"name": other})]) from None
    if definition.type in COMPUTED:
        check(registry, (definition.object, definition.api_name))


async def _insert(schema: Schema, definition: CustomField) -> None:
    values = {name: getattr(definition, name) for name in _STORED}
    uow = schema.context.uow
    schema.risen.add(definition.id)
    properties = encode(definition.properties)
    given = {"org_id": uow.org_id, **values, "type": definition.type.value, "properties": properties, **stamp(schema.context)}
    await uow.fetch(_INSERT, given)


# --- changing ------------------------------------------------------------------------------------------------------------


def found_field(schema: Schema, object_name: str, api_name: str) -> CustomField:
    """A definition, archived or not. Raises NotFound."""
    field = schema.field(object_name, api_name)
    if field is None or field.standard:
        raise NotFound()
    return field


async def update_field(schema: Schema, field: CustomField, given: Mapping[str, Any], *, grace_s: float = GRACE_S) -> CustomField:
    """Changes `label`, `indexed`, `unique` and the properties that are given; null takes a property away.

    Stricter properties hold for what is written from then on; stored values stay as they are until somebody changes them.
    Raises ValidationFailed, Conflict, Duplicate, LimitExceeded.
    """
    if field.archived:
        raise Conflict("The field is archived. Restore it first.")
    context, registry = schema.context, schema.registry()
    resource = registry.get(field.object)
    if resource is None:
        raise NotFound()
    before = custom_field(field, made=resource.made is not None)
    properties = _merged(schema, registry, resource, field, given)
    recompute = field.type in COMPUTED and any(properties.get(name) != field.properties.get(name) for name in _SAYS_WHAT)
    await _check_options(schema, resource, field, properties)
    kept = {name: value for name, value in field.properties.items() if name in INTERNAL}
    label = given.get("label") or field.label
    flags = {name: given[name] for name in ("indexed", "unique") if given.get(name) is not None}
    if label == field.label and {**properties, **kept} == dict(field.properties) and not _turned(field, flags):
        return field
    new = await schema.put(field, label=label, properties={**properties, **kept})
    if field.type in COMPUTED:
        check(schema.registry(), (field.object, field.api_name))
    if new.searchable != field.searchable:
        await requests.derive_anew(context, field.object, grace_s)
    if _turned(field, flags) or recompute:
        if await requests.at_work(context, field):
            raise Conflict("A job is still at work on the field.", errors=[FieldError("busy", pointer="")])
        new = await _turn(schema, resource, new, flags, grace_s)
    if recompute and not properties.get("volatile"):
        new = await requests.ask_for(schema, await schema.put(new, state="building"), requests.COMPUTE, grace_s)
    after = custom_field(new, made=resource.made is not None)
    await _tell(schema, new, before, after, "meta.update_field")
    return new


_SAYS_WHAT: Final = ("formula", "relation", "function", "field", "filter")


async def _tell(schema: Schema, field: CustomField, before: Mapping[str, Any], after: Mapping[str, Any], action: str) -> None:
    silent = {"version", "job_id"}
    old, new = ({name: value for name, value in shown.items() if name not in silent} for shown in (before, after))
    parts = difference(old, new)
    name = f"{field.object}.{field.api_name}"
    change = {"old": {key: part["old"] for key, part in parts.items()}, "new": {key: part["new"] for key, part in parts.items()}}
    await changed(schema.context, {name: change}, action)


def _merged(schema: Schema, registry: Registry, resource: AnyResource, field: CustomField, given: Mapping[str, Any]) -> dict[str, Any]:
    """The properties after the change, checked as those of a new field are."""
    asked = {name: value for name, value in given.items() if name not in ("label", "indexed", "unique")}
    stored = {name: value for name, value in field.properties.items() if name not in _FOLLOWING}
    for name in FIXED:
        if name in asked and name in TAKES[field.type]:
            usual = NEUTRAL.get(name)
            if stored.get(name, usual) != (usual if asked[name] is None else asked[name]):
                raise ValidationFailed([FieldError("immutable", pointer=join_pointer(name))])
    rollup = field.type is FieldType.ROLLUP
    base = {name: value for name, value in stored.items() if not (rollup and name == "returns")}
    others = [f for f in schema.of(field.object) if f is not field]
    properties = check_properties(schema.context, resource, registry, others, field, {**base, **asked}, new=False)
    if field.type in COMPUTED:
        properties = complete(registry, resource, field.type, properties)
        if properties["returns"] != field.properties["returns"]:
            raise ValidationFailed([FieldError("immutable", pointer="/returns")])
    return properties


async def _check_options(schema: Schema, resource: AnyResource, field: CustomField, properties: Mapping[str, Any]) -> None:
    """An option that goes must not be in use: by records, or by picklists that depend on this one."""
    keys = {option["key"] for option in properties.get("options", ())}
    gone = [option.key for option in field.options if option.key not in keys]
    if not gone:
        return
    for other in schema.of(field.object):
        rule = other.properties.get("depends_on")
        if rule and rule["field"] == field.api_name and any(key in rule["values"] for key in gone):
            params = {"kind": "fields", "name": other.api_name}
            raise Conflict("Another picklist depends on the option.", errors=[FieldError("field_used", pointer="/options", params=params)])
    await refuse_removed_options(schema.context, resource, field, gone)


def _turned(field: CustomField, flags: Mapping[str, bool]) -> bool:
    """Whether the index or the uniqueness changes, or was left half done by a job that ended early."""
    indexed = field.slot is not None and field.state != "dropping"
    return (
        flags.get("indexed", indexed) != indexed
        or flags.get("unique", field.unique) != field.unique
        or (bool(flags) and field.state != "active")
    )


async def _turn(schema: Schema, resource: AnyResource, field: CustomField, flags: Mapping[str, bool], grace_s: float) -> CustomField:
    """Begins or ends index and uniqueness; a job brings the records after."""
    properties = dict(field.properties)
    slot, unique_slot, state = field.slot, field.unique_slot, field.state
    indexed, unique = flags.get("indexed", slot is not None), flags.get("unique", unique_slot is not None)
    check_flags(field.type, field.value_type, properties, indexed=indexed, unique=unique and field.type is not FieldType.AUTONUMBER)
    fixed = [name for name, on, kind in (("indexed", indexed, FieldType.REFERENCE), ("unique", unique, FieldType.AUTONUMBER))
             if field.type is kind and not on]  # fmt: skip
    if fixed:
        raise ValidationFailed([FieldError("immutable", pointer=join_pointer(fixed[0]))])
    if indexed and slot is None:
        slot, state = free_slot(schema, field.object, SLOT_KINDS[field.value_type]), "building"
    elif slot is not None and state != "active":
        state = "building" if indexed else "dropping"
    elif not indexed and slot is not None:
        state = "dropping"
    if unique and unique_slot is None:
        if properties.get("default") is not None:
            raise ValidationFailed([FieldError("invalid_combination", pointer="/unique", params={"other": "default"})])
        await refuse_repeated_values(schema.context, resource, field)
        unique_slot, state = free_slot(schema, field.object, slots.UNIQUE), "building"
        properties["checking"] = True
    elif not unique and unique_slot is not None:
        properties.pop("checking", None)
        properties["freeing"] = [*properties.get("freeing", ()), unique_slot]
        unique_slot = None
    new = await schema.put(field, properties=properties, slot=slot, unique_slot=unique_slot, state=state)
    return await requests.ask_for(schema, new, requests.SLOTS, grace_s)


# --- out of sight, and back ----------------------------------------------------------------------------------------------


def refuse_standard(resource: AnyResource, api_name: str) -> None:
    """Raises Forbidden for a field that every organisation has, and for one that comes with another."""
    amount = next((f.definition.base_of for f in resource.custom.values() if f.definition is not None and f.member == api_name), None)
    if amount is not None:
        raise Forbidden(f"{resource.name}.{api_name} comes with {amount}, and goes with it.")
    field = resource.fields.get(api_name)
    if field is not None and field.definition is None:
        raise Forbidden(f"{resource.name}.{api_name} is a standard field; only fields that the organisation added can be deleted.")


async def archive_field(schema: Schema, field: CustomField, *, force: bool = False, grace_s: float = GRACE_S) -> CustomField:
    """Takes a field out of sight: no answer shows it, no filter knows it; its values stay. Again: nothing happens.

    Raises Conflict with everything that uses the field, unless `force`.
    """
    if field.archived:
        return field
    made = schema.object(field.object)
    if made is not None and not made.archived and made.properties.get("has_pipeline") and field.api_name in (PIPELINE, STAGE):
        raise Conflict("The object's records move through a pipeline, which takes this field.")
    if not force:
        await refuse_used(schema, field)
    new = await schema.put(field, archived=True)
    if new.searchable:  # `q` is to find it no more
        await requests.derive_anew(schema.context, new.object, grace_s)
    change = {"old": {"archived": False}, "new": {"archived": True}}
    await changed(schema.context, {f"{field.object}.{field.api_name}": change}, "meta.archive_field")
    return new


async def restore_field(schema: Schema, field: CustomField, *, grace_s: float = GRACE_S) -> CustomField:
    """Brings an archived field back with all its values. Raises Conflict while it is being purged or its name is taken."""
    if not field.archived:
        return field
    if field.properties.get("purging"):
        raise Conflict("The field's values are being removed.")
    new = await schema.put(field, archived=False)
    try:
        _check_whole(schema, new)
    except ValidationFailed as problem:
        raise Conflict("The field no longer goes with the others.", errors=problem.errors) from None
    work = _work_for(new.type, new.properties)
    if work is not None:  # records changed meanwhile
        computed = new.type in COMPUTED
        new = await requests.ask_for(schema, await schema.put(new, state="building") if computed else new, work, grace_s)
    if new.searchable:
        await requests.derive_anew(schema.context, new.object, grace_s)
    if new.twin is not None:  # rates, or the currencies of records, may have changed meanwhile
        await revalue_later(schema.context, None)
    change = {"old": {"archived": True}, "new": {"archived": False}}
    await changed(schema.context, {f"{field.object}.{field.api_name}": change}, "meta.restore_field")
    return new


async def purge_field(schema: Schema, field: CustomField, *, force: bool = False, grace_s: float = GRACE_S) -> CustomField:
    """Archives a field for good: a job removes its values, then the definition. The definition, which names the job."""
    if field.properties.get("purging") and await requests.at_work(schema.context, field):
        return field
    archived = await archive_field(schema, field, force=force, grace_s=grace_s)
    purging = await schema.put(archived, properties={**archived.properties, "purging": True})
    new = await requests.ask_for(schema, purging, requests.PURGE_FIELD, grace_s)
    change = {"old": {"purging": False}, "new": {"purging": True}}
    await changed(schema.context, {f"{field.object}.{field.api_name}": change}, "meta.purge_field")
    return new


# --- standard fields -----------------------------------------------------------------------------------------------------


async def describe_standard(schema: Schema, resource: AnyResource, api_name: str, given: Mapping[str, Any]) -> None:
    """Gives a standard field another label, help or sensitivity; null goes back to the usual one. Raises ValidationFailed, NotFound."""
    field = resource.fields.get(api_name)
    if field is None:
        raise NotFound()
    wrong = [FieldError("standard_field", pointer=join_pointer(name)) for name in given if name not in ("label", "help", "sensitivity")]
    if wrong:
        raise ValidationFailed(wrong)
    override = schema.field(resource.name, api_name)
    properties: dict[str, Any] = {"standard": True, **({} if override is None else override.properties)}
    for name in ("help", "sensitivity"):
        if given.get(name) is not None:
            properties[name] = given[name]
        elif name in given:
            properties.pop(name, None)
    usual = label_of(api_name)
    label = (given["label"] or usual) if "label" in given else (usual if override is None else override.label)
    if override is None:
        made = CustomField(schema.context.uow.new_id(), resource.name, api_name, label, field.type, properties)
        schema.fields.append(made)
        await _insert(schema, made)
        before: dict[str, Any] = {"label": usual}
    elif (label, properties) == (override.label, dict(override.properties)):
        return
    else:
        await schema.put(override, label=label, properties=properties)
        before = {"label": override.label, **override.properties}
    before.pop("standard", None)
    after = {"label": label, **properties}
    del after["standard"]
    parts = difference(before, after)
    change = {"old": {key: part["old"] for key, part in parts.items()}, "new": {key: part["new"] for key, part in parts.items()}}
    await changed(schema.context, {f"{resource.name}.{api_name}": change}, "meta.update_field")
