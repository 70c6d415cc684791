"""What is asked of stored records before a definition changes: are there any, which hold an option, which values are repeated."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from crm_api.core.errors import Conflict, Duplicate, FieldError
from crm_api.db.statement import Statement
from crm_api.kernel.context import Context
from crm_api.kernel.custom.definitions import FOLDED, CustomField
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

_SHOWN: Final = 10
"""Repeated values that an answer names."""


def where(resource: AnyResource) -> str:
    """The rows of an object. Its name is one that the organisation could give, hence safe to write out."""
    mine = "" if resource.made is None else f" AND object = '{resource.name}'"
    return f"FROM {resource.table.name} WHERE org_id = $1{mine}"


def path_of(resource: AnyResource, field: CustomField) -> str:
    """The field's name in bodies and filters."""
    return field.api_name if resource.made is not None else f"custom_fields.{field.api_name}"


async def has_records(context: Context, resource: AnyResource) -> bool:
    """Whether the object has records, deleted ones too."""
    statement = _any(where(resource))
    return await context.uow.fetch_value(statement, {"org_id": context.uow.org_id}) is not None


@cache
def _any(rows: str) -> Statement:
    return Statement(f"SELECT 1 {rows} LIMIT 1", ("org_id",))


def holding(field: CustomField) -> str:
    """The rows that hold one of the option keys `$3` in member `$2`."""
    if field.type is FieldType.MULTI_PICKLIST:
        return "custom_fields -> $2 ?| $3::text[]"
    return "custom_fields ->> $2 = ANY($3::text[])"


async def count_holders(context: Context, resource: AnyResource, field: CustomField, keys: Sequence[str], *, deleted: bool) -> int:
    """How many records hold one of these options."""
    live = "" if deleted else " AND deleted_at IS NULL"
    text = f"SELECT count(*) {where(resource)}{live} AND {holding(field)}"
    values = {"org_id": context.uow.org_id, "name": field.api_name, "keys": list(keys)}
    return int(await context.uow.fetch_value(_counted(text), values))


@cache
def _counted(text: str) -> Statement:
    return Statement(text, ("org_id", "name", "keys"))


async def refuse_removed_options(context: Context, resource: AnyResource, field: CustomField, keys: Sequence[str]) -> None:
    """Raises Conflict if records, deleted ones too, hold an option that is to go."""
    count = await count_holders(context, resource, field, keys, deleted=True)
    if count:
        error = FieldError("in_use", pointer="/options", params={"count": count})
        raise Conflict("Records hold an option that is left out. Replace it first, or make it inactive.", errors=[error])


async def refuse_repeated_values(context: Context, resource: AnyResource, field: CustomField) -> None:
    """Raises Duplicate, naming records, if live ones have the same value."""
    key = "custom_fields_key ->> $2" if field.value_type in FOLDED else "custom_fields ->> $2"
    text = (
        f"SELECT {key} AS key, min(custom_fields ->> $2) AS value, (array_agg(id ORDER BY id))[1:2] AS ids {where(resource)}"
        f" AND deleted_at IS NULL AND {key} IS NOT NULL GROUP BY 1 HAVING count(*) > 1 ORDER BY 1 LIMIT $3"
    )
    rows = await context.uow.fetch(_repeated(text), {"org_id": context.uow.org_id, "name": field.api_name, "limit": _SHOWN})
    if rows:
        name = path_of(resource, field)
        existing = [{"object": resource.name, "id": str(id_), "field": name} for row in rows for id_ in row["ids"]]
        raise Duplicate(existing, errors=[FieldError("not_unique", pointer="/unique", params={"value": row["value"]}) for row in rows])


@cache
def _repeated(text: str) -> Statement:
    return Statement(text, ("org_id", "name", "limit"))


async def count_values(context: Context, resource: AnyResource, field: CustomField) -> int:
    """How many live records have a value of the field."""
    if field.multiple:
        values = {"org_id": context.uow.org_id, "relation": f"{resource.name}.{field.api_name}"}
        return int(await context.uow.fetch_value(_LINKED, values))
    text = f"SELECT count(*) {where(resource)} AND deleted_at IS NULL AND custom_fields ->> $2 IS NOT NULL"
    return int(await context.uow.fetch_value(_valued(text), {"org_id": context.uow.org_id, "name": field.api_name}))


_LINKED: Final = Statement("SELECT count(DISTINCT from_id) FROM links WHERE org_id = $1 AND relation = $2", ("org_id", "relation"))


@cache
def _valued(text: str) -> Statement:
    return Statement(text, ("org_id", "name"))
