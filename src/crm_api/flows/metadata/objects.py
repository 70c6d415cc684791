"""Objects that an organisation makes, changes, archives and brings back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crm_api.core.errors import Conflict, Duplicate, FieldError, LimitExceeded, NotFound, ValidationFailed
from crm_api.db.statement import Statement
from crm_api.flows.metadata import requests
from crm_api.flows.metadata.changes import Schema, changed, difference, encode, stamp
from crm_api.flows.metadata.names import check_object_names
from crm_api.flows.metadata.requests import GRACE_S
from crm_api.kernel.custom.definitions import CustomObject
from crm_api.kernel.custom.objects import NAME
from crm_api.kernel.fields import STRUCTURED

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
    check_object_names(context.whole, body["api_name"], body["singular"])
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
    schema.risen.add(made.id)
    await changed(context, {made.api_name: {"old": None, "new": {"label": made.label, "singular": made.singular}}}, "meta.create_object")
    return made


def found_object(schema: Schema, api_name: str) -> CustomObject:
    """A definition, archived or not. Raises NotFound."""
    made = schema.object(api_name)
    if made is None:
        raise NotFound()
    return made


async def update_object(schema: Schema, made: CustomObject, given: Mapping[str, Any], *, grace_s: float = GRACE_S) -> CustomObject:
    """Changes `label`, `plural_label`, `description` and `display_field`; null goes back to the usual. Raises ValidationFailed, Conflict.

    A job gives records their names after another `display_field`.
    """
    if made.archived:
        raise Conflict("The object is archived. Restore it first.")
    properties = dict(made.properties)
    for name in ("description", "display_field"):
        if given.get(name) is not None:
            properties[name] = given[name]
        elif name in given:
            properties.pop(name, None)
    if given.get("display_field") is not None:
        fields = schema.registry()[made.api_name].custom.values()
        allowed = sorted(field.name for field in fields if field.type not in STRUCTURED)
        if given["display_field"] not in allowed:
            raise ValidationFailed([FieldError("enum", pointer="/display_field", allowed=allowed)])
    names = {name: given.get(name) or getattr(made, name) for name in ("label", "plural_label")}
    before = {"label": made.label, "plural_label": made.plural_label, **made.properties}
    parts = difference(before, {**names, **properties})
    if not parts:
        return made
    new = await schema.put_object(made, properties=properties, **names)
    if properties.get("display_field", NAME) != made.properties.get("display_field", NAME):
        await requests.derive_anew(schema.context, made.api_name, grace_s)
    change = {"old": {key: part["old"] for key, part in parts.items()}, "new": {key: part["new"] for key, part in parts.items()}}
    await changed(schema.context, {made.api_name: change}, "meta.update_object")
    return new


def referring(schema: Schema, made: CustomObject) -> list[str]:
    """The fields of other objects that refer to this one."""
    return [f"{f.object}.{f.api_name}" for f in schema.fields if f.target == made.api_name and f.object != made.api_name and not f.archived]


async def archive_object(schema: Schema, made: CustomObject, *, force: bool = False) -> CustomObject:
    """Takes an object and all its records out of sight. Raises Conflict with the fields that refer to it, unless `force`."""
    if made.archived:
        return made
    names = referring(schema, made)
    if names and not force:
        errors = [FieldError("object_used", pointer="", params={"name": name}) for name in names[:20]]
        raise Conflict(
            "Fields of other objects refer to it; ?force=true archives it all the same.", errors=errors, extra={"used_by": names}
        )
    new = await schema.put_object(made, archived=True)
    await changed(schema.context, {made.api_name: {"old": {"archived": False}, "new": {"archived": True}}}, "meta.archive_object")
    return new


async def restore_object(schema: Schema, made: CustomObject) -> CustomObject:
    """Brings an archived object back with its records. Raises Conflict while it is being purged or a name is taken."""
    if not made.archived:
        return made
    if made.properties.get("purging"):
        raise Conflict("The object's records are being removed.")
    new = await schema.put_object(made, archived=False)
    try:
        schema.registry()
    except ValueError:
        raise Conflict("A name of the object's relations is taken by now.") from None
    await changed(schema.context, {made.api_name: {"old": {"archived": True}, "new": {"archived": False}}}, "meta.restore_object")
    return new


async def purge_object(schema: Schema, made: CustomObject, *, force: bool = False, grace_s: float = GRACE_S) -> str:
    """Archives an object for good: a job removes its records, its fields and the fields that refer to it. The job's id."""
    archived = await archive_object(schema, made, force=force)
    job_id = str(await requests.ask(schema.context, requests.PURGE_OBJECT, made.api_name, grace_s=grace_s))
    await schema.put_object(archived, properties={**archived.properties, "purging": True, "job_id": job_id})
    change = {"old": {"purging": False}, "new": {"purging": True}}
    await changed(schema.context, {made.api_name: change}, "meta.purge_object")
    return job_id
