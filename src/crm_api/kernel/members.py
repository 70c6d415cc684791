"""Single members of a record's lists: `PUT` and `DELETE /v1/{object}/{id}/{tags|emails|phones|addresses}/{key}`.

Writing a whole list would undo what somebody else put into it meanwhile; a member is changed in the row as it is when it is
locked. The key of an e-mail is its address, of a telephone number the number, of a tag the tag itself, of an address its field
without `_address` (`billing`; `main` for the field `address`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from crm_api.core.errors import InvalidValue, NotFound, ValidationFailed
from crm_api.kernel.context import Context
from crm_api.kernel.fields import Field
from crm_api.kernel.resource import AnyResource, Row
from crm_api.kernel.values import key_of
from crm_api.kernel.writer import DEFAULTS, Outcome, Patch, WriteOptions, Writer
from crm_api.kernel.writes.shape import shape_of
from crm_api.models.columns import FieldType

LISTS: Final = ("tags", "emails", "phones", "addresses")


def member_lists(resource: AnyResource) -> tuple[str, ...]:
    """The lists with single members that an object has."""
    found: list[str] = [name for name in ("tags", "emails", "phones") if name in resource.fields]
    if addresses(resource):
        found.append("addresses")
    return tuple(found)


def addresses(resource: AnyResource) -> dict[str, str]:
    """The keys of an object's addresses with their fields."""
    names = [name for name, field in resource.fields.items() if field.type is FieldType.ADDRESS]
    return {name.removesuffix("_address") if name != "address" else "main": name for name in names}


async def put_member(
    writer: Writer,
    context: Context,
    resource: AnyResource,
    record_id: UUID,
    list_name: str,
    key: str,
    body: Mapping[str, Any],
    *,
    if_match: int | None = None,
    options: WriteOptions = DEFAULTS,
) -> Outcome:
    """Adds a member or replaces what is said of it. `body` is the member without its key: empty for tags, the parts of an address."""
    _check_known(context, resource, list_name)
    if list_name == "addresses":
        name = _address_field(context.seen(resource), key)
        whole = {"street": None, "city": None, "region": None, "postal_code": None, "country": None, **body}
        patch = Patch(record_id, {name: whole}, if_match)
    elif list_name == "tags":
        if body:
            raise ValidationFailed([InvalidValue("unknown_field", allowed=[]).at(pointer=f"/{next(iter(body))}")])
        patch = Patch(record_id, {}, if_match, lambda row: {"tags": row["tags"] if key in row["tags"] else [*row["tags"], key]})
    else:
        scalar, items = _pair(context, resource, list_name)
        patch = Patch(record_id, {}, if_match, lambda row: {list_name: _with(context, scalar, items, row, key, body)})
    return (await writer.update(context, resource, [patch], options=options))[0]


async def delete_member(
    writer: Writer,
    context: Context,
    resource: AnyResource,
    record_id: UUID,
    list_name: str,
    key: str,
    *,
    if_match: int | None = None,
    options: WriteOptions = DEFAULTS,
) -> Outcome:
    """Takes a member out; one that is not there is `unchanged`."""
    _check_known(context, resource, list_name)
    if list_name == "addresses":
        patch = Patch(record_id, {_address_field(context.seen(resource), key): None}, if_match)
    elif list_name == "tags":
        patch = Patch(record_id, {}, if_match, lambda row: {"tags": [tag for tag in row["tags"] if tag != key]})
    else:
        scalar, items = _pair(context, resource, list_name)
        patch = Patch(record_id, {}, if_match, lambda row: {list_name: _others(context, scalar, items, row, key)})
    return (await writer.update(context, resource, [patch], options=options))[0]


def _check_known(context: Context, resource: AnyResource, list_name: str) -> None:
    """Raises NotFound for a list that the caller may not know of."""
    if list_name not in member_lists(context.seen(resource)):
        raise NotFound()


def _address_field(resource: AnyResource, key: str) -> str:
    name = addresses(resource).get(key)
    if name is None:
        raise NotFound()
    return name


def _pair(context: Context, resource: AnyResource, list_name: str) -> tuple[Field, Field]:
    for scalar, items in shape_of(context, resource).pairs:
        if items.name == list_name:
            return scalar, items
    raise NotFound()


def _others(context: Context, scalar: Field, items: Field, row: Row, key: str) -> list[dict[str, Any]]:
    """The list without a member. Where the primary one goes, the first of the others takes its place."""
    wanted = _key(context, scalar, key)
    others = [dict(entry) for entry in row[items.column] if _key(context, scalar, entry[_part(scalar)]) != wanted]
    if others and not any(entry["is_primary"] for entry in others):
        others[0]["is_primary"] = True
    return others


def _with(context: Context, scalar: Field, items: Field, row: Row, key: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = [dict(entry) for entry in row[items.column]]
    wanted = _key(context, scalar, key)
    found = next((entry for entry in entries if _key(context, scalar, entry[_part(scalar)]) == wanted), None)
    primary = body.get("is_primary", found["is_primary"] if found else not entries)
    if primary is True:
        for entry in entries:
            entry["is_primary"] = False
    fresh = {**body, _part(scalar): key if found is None else found[_part(scalar)], "is_primary": primary}
    if found is None:
        return [*entries, fresh]
    return [fresh if entry is found else entry for entry in entries]


def _part(scalar: Field) -> str:
    return "address" if scalar.type is FieldType.EMAIL else "number"


def _key(context: Context, scalar: Field, value: str) -> str:
    try:
        return str(key_of(scalar, value, context.principal.organization.region))
    except InvalidValue:  # refused with its place when the list is checked
        return value
