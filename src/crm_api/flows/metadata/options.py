"""Replacing one option of a picklist by another (or by nothing) in all records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm_api.core.errors import Conflict, FieldError, NotFound, ValidationFailed
from crm_api.flows.metadata import requests
from crm_api.flows.metadata.changes import Schema, changed
from crm_api.flows.metadata.requests import GRACE_S
from crm_api.flows.metadata.stored import count_holders
from crm_api.kernel.custom.definitions import CustomField
from crm_api.models.columns import FieldType


@dataclass(frozen=True, slots=True)
class Replacement:
    """What to do: put option `to` in the place of `old`; null takes it away."""

    old: str
    to: str | None


def check_replacement(schema: Schema, field: CustomField, wanted: Replacement) -> None:
    """Raises ValidationFailed, Conflict."""
    if field.type not in (FieldType.PICKLIST, FieldType.MULTI_PICKLIST):
        raise ValidationFailed([FieldError("not_for_type", pointer="", params={"type": field.type.value, "property": "options"})])
    if field.archived:
        raise Conflict("The field is archived. Restore it first.")
    keys = [option.key for option in field.options]
    errors = []
    if wanted.old not in keys:
        errors.append(FieldError("enum", pointer="/from", allowed=keys))
    active = [option.key for option in field.options if option.active and option.key != wanted.old]
    if wanted.to is not None and wanted.to not in active:
        errors.append(FieldError("enum", pointer="/to", allowed=active))
    if wanted.to is None and field.required:
        errors.append(FieldError("null_not_allowed", pointer="/to"))
    if errors:
        raise ValidationFailed(errors)


async def count(schema: Schema, field: CustomField, wanted: Replacement) -> int:
    """How many live records would change."""
    resource = schema.registry().get(field.object)
    if resource is None:
        raise NotFound()
    return await count_holders(schema.context, resource, field, [wanted.old], deleted=False)


async def replace_option(schema: Schema, field: CustomField, wanted: Replacement, *, grace_s: float = GRACE_S) -> CustomField:
    """Makes the old option inactive at once, and asks for a job that changes the records. The definition, which names the job."""
    check_replacement(schema, field, wanted)
    if await requests.at_work(schema.context, field):
        raise Conflict("A job is still at work on the field.", errors=[FieldError("busy", pointer="")])
    properties: dict[str, Any] = dict(field.properties)
    properties["options"] = [_without(option, wanted) for option in properties["options"]]
    default = properties.get("default")
    if default == wanted.old:
        properties["default"] = wanted.to
    elif isinstance(default, list) and wanted.old in default:
        properties["default"] = replaced(default, wanted.old, wanted.to)
    properties = {name: value for name, value in properties.items() if value is not None}
    new = await schema.put(field, properties=properties)
    new = await requests.ask_for(schema, new, requests.REPLACE, grace_s, **{"from": wanted.old, "to": wanted.to})
    change = {"old": {"option": wanted.old}, "new": {"option": wanted.to}}
    await changed(schema.context, {f"{field.object}.{field.api_name}": change}, "meta.replace_option")
    return new


def _without(option: Mapping[str, Any], wanted: Replacement) -> dict[str, Any]:
    return {**option, "active": False} if option["key"] == wanted.old else dict(option)


def replaced(values: list[str], old: str, new: str | None) -> list[str]:
    """A list of options with one replaced: the new one stands in its place, once."""
    found = [new if value == old else value for value in values]
    return list(dict.fromkeys(value for value in found if value is not None))
