"""Finding records by what is unique about them: `by/email/…`, `by/external_ids.hubspot/…`, `match_on`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from crm_api.core.errors import InvalidValue, NotFound
from crm_api.kernel.context import Context
from crm_api.kernel.references import EXTERNAL, Lookup, match_key, may_match
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.values import locale_of
from crm_api.kernel.writes.upsert import CUSTOM


async def find_by(context: Context, resource: AnyResource, by: str, value: str) -> UUID:
    """The live record with this unique value. Raises NotFound, also if the object has no such unique field."""
    if not may_match(resource, by):
        raise NotFound(
            f"{resource.name} have no unique field {by}; unique are {', '.join([*resource.unique_fields, EXTERNAL + '<system>'])}."
        )
    found = (await find_each(context, resource, by, [{by: value}]))[0]
    if found is None:
        raise NotFound()
    return found


async def find_each(context: Context, resource: AnyResource, by: str, items: Sequence[Any]) -> list[UUID | None]:
    """For each item the live record that has the item's value of a unique field; None where there is none."""
    lookup, locale = Lookup(context), locale_of(context)
    keys: list[str | None] = []
    for item in items:
        raw = given_value(item, by) if isinstance(item, Mapping) else None
        try:
            keys.append(match_key(resource, by, raw, locale) if isinstance(raw, str) else None)
        except InvalidValue:
            keys.append(None)
    for key in keys:
        if key is not None:
            lookup.ask(resource.name, by, key)
    await lookup.run()
    return [None if key is None else lookup.id_of(resource.name, by, key) for key in keys]


def given_value(body: Mapping[str, Any], by: str) -> Any:
    """What a body says of a unique field; external ids stand one level down."""
    if by.startswith(CUSTOM):
        members = body.get("custom_fields")
        return body.get(by) or (members.get(by.removeprefix(CUSTOM)) if isinstance(members, Mapping) else None)
    if not by.startswith(EXTERNAL):
        return body.get(by)
    external = body.get("external_ids")
    return body.get(by) or (external.get(by.removeprefix(EXTERNAL)) if isinstance(external, Mapping) else None)


def body_with(resource: AnyResource, by: str, value: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body of an upsert by path: the value in the path belongs to the record unless the body says otherwise."""
    if not may_match(resource, by):
        raise NotFound()
    if by.startswith(CUSTOM):
        members = body.get("custom_fields")
        own = members if isinstance(members, Mapping) else {}
        return {**body, "custom_fields": {by.removeprefix(CUSTOM): value, **own}}
    if not by.startswith(EXTERNAL):
        return {by: value, **body}
    external = body.get("external_ids")
    return {**body, "external_ids": {**(external if isinstance(external, Mapping) else {}), by.removeprefix(EXTERNAL): value}}
