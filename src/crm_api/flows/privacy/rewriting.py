"""Changing what must be changed, whatever the rules of the object say, and taking it out of the history at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from crm_api.core.text import fold
from crm_api.kernel import events
from crm_api.kernel.context import Context
from crm_api.kernel.custom.definitions import COMPUTED
from crm_api.kernel.fields import Field
from crm_api.kernel.resource import AnyResource, Draft, Row
from crm_api.kernel.values import locale_of
from crm_api.kernel.writer import Writer
from crm_api.kernel.writes import erasure
from crm_api.kernel.writes.locked import lock
from crm_api.kernel.writes.prepare import settle
from crm_api.kernel.writes.shape import shape_of
from crm_api.kernel.writes.types import Work, WriteOptions
from crm_api.models.columns import FieldType

ERASED: Final = "[erased]"
"""What stands where something had to stand."""

_TEXTS: Final = frozenset({FieldType.TEXT, FieldType.LONG_TEXT, FieldType.RICH_TEXT, FieldType.EMAIL, FieldType.PHONE, FieldType.URL})
_FREE: Final = _TEXTS | {FieldType.JSON}
KNOWN_BY: Final = "last_name"
"""The field that keeps something, since a person must be known by something."""


async def lock_rows(context: Context, resource: AnyResource, ids: Sequence[UUID], *, going: bool = False) -> dict[UUID, Row]:
    """The rows of records that are there, deleted ones too, locked."""
    return await lock(context, shape_of(context, resource), ids, going=going)


async def rewrite(context: Context, writer: Writer, resource: AnyResource, rows: Mapping[UUID, Row], values: Mapping[UUID, Row]) -> int:
    """Sets columns of locked rows, with version and event; their old values stay nowhere. How many were changed."""
    shape = shape_of(context, resource)
    locale = locale_of(context)
    works = []
    for index, (id_, given) in enumerate(values.items()):
        draft = Draft(id_, "update", rows[id_], {**rows[id_], **given}, frozenset(given))
        works.append(Work(index, draft))
        settle(context, shape, locale, works[-1])
    await writer.write_changes(context, shape, works, WriteOptions())
    await events.flush(context.uow)
    names = {name for given in values.values() for name in given}
    if "custom_fields" in names and resource.made is not None:
        names |= set(resource.custom)
    await erasure.forget(context, list(values), sorted(names))
    return len([work for work in works if work.changed])


def sensitivity_of(resource: AnyResource, field: Field) -> str:
    """What a field says of a person, as the organisation sees it."""
    override = resource.overrides.get(field.name)
    if override is not None and "sensitivity" in override.properties:
        return str(override.properties["sensitivity"])
    return field.spec.sensitivity


def blanks(resource: AnyResource, row: Row) -> Row:
    """The columns of a row without what is personal: marked fields, free custom fields, tags, and ids in other systems."""
    found: Row = {}
    for field in resource.fields.values():
        if field.member is not None or field.spec.writable == "never" or row.get(field.column) in (None, [], {}):
            continue
        if field.type is FieldType.TAGS:
            found[field.column] = []
        elif field.type is FieldType.EXTERNAL_IDS:
            found[field.column] = {}
        elif field.type is FieldType.CUSTOM_FIELDS:
            continue
        elif sensitivity_of(resource, field) != "none":
            found[field.column] = _nothing(field)
    kept = {field.member for field in resource.custom.values() if not _free(field)}
    members = row.get("custom_fields") or {}
    if any(name not in kept for name in members):
        found["custom_fields"] = {name: value for name, value in members.items() if name in kept}
    if KNOWN_BY in found:
        found[KNOWN_BY] = ERASED
    return found


def _free(field: Field) -> bool:
    definition = field.definition
    if definition is not None and definition.type in COMPUTED:
        return field.type in _TEXTS
    return field.type in _FREE or field.spec.sensitivity != "none"


def _nothing(field: Field) -> Any:
    if field.type is FieldType.ITEMS:
        return []
    if field.nullable:
        return None
    return {"format": "text", "content": ERASED} if field.type is FieldType.RICH_TEXT else ERASED


def scrub(value: Any, texts: Sequence[str], values: frozenset[str] = frozenset()) -> Any:
    """JSON without strings that contain one of `texts` or are one of `values` (both folded)."""
    if isinstance(value, str):
        folded = fold(value)
        return ERASED if folded in values or any(text in folded for text in texts) else value
    if isinstance(value, dict):
        return {scrub(name, texts): scrub(inner, texts, values) for name, inner in value.items()}
    if isinstance(value, list):
        return [scrub(inner, texts, values) for inner in value]
    return value
