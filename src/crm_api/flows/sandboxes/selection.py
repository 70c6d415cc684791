"""Choosing the records of a sample: some of each object, and whatever those can't be without."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from crm_api.db.statement import Statement, compile_statement
from crm_api.flows.sandboxes.tables import kind_of
from crm_api.kernel.context import Context
from crm_api.kernel.fields import Field
from crm_api.kernel.resource import AnyResource
from crm_api.models.base import table_of
from crm_api.models.columns import FieldType

MAX_SAMPLE: Final = 1_000
_ORG: Final = sa.bindparam("org_id", type_=sa.Uuid())
_IDS: Final = sa.bindparam("ids", type_=ARRAY(sa.Uuid()))

Chosen = dict[str, set[UUID]]
"""Ids by table."""


def data_resources(context: Context) -> list[AnyResource]:
    """The objects whose records are data."""
    return [resource for resource in context.whole if kind_of(context.whole, resource.table) == "data"]


def references(resource: AnyResource) -> list[Field]:
    """The fields that hold the id of another record."""
    return [field for field in resource.all_fields.values() if field.type is FieldType.REFERENCE and field.spec.target is not None]


async def choose(context: Context, size: int) -> Chosen:
    """The newest `size` live records of each object, closed under references that must not be empty."""
    chosen: Chosen = {}
    for resource in data_resources(context) if size else ():
        table = resource.table
        live = (table.c.org_id == _ORG, table.c.deleted_at.is_(None), *resource.scope(table))
        newest = sa.select(table.c.id).where(*live).order_by(table.c.id.desc()).limit(sa.bindparam("size", type_=sa.BigInteger()))
        rows = await context.uow.fetch(compile_statement(newest), {"org_id": context.uow.org_id, "size": size})
        chosen.setdefault(table.name, set()).update(row["id"] for row in rows)
    grown = bool(chosen)
    while grown:
        grown = False
        for resource in data_resources(context):
            for field in references(resource):
                required = not field.nullable if field.definition is None else field.definition.required
                target = table_of(str(field.spec.target))
                held = chosen.get(_table(context, str(field.spec.target)) or target)
                if not required or held is None or not chosen.get(resource.table.name):
                    continue
                found = await context.uow.fetch(
                    _held_by(resource, field), {"org_id": context.uow.org_id, "ids": list(chosen[resource.table.name])}
                )
                missing = {row["id"] for row in found} - held
                held |= missing
                grown = grown or bool(missing)
    return chosen


def _table(context: Context, object_name: str) -> str | None:
    found = context.whole.get(object_name)
    return None if found is None else found.table.name


def _held_by(resource: AnyResource, field: Field) -> Statement:
    table = resource.table
    value: sa.ColumnElement[UUID]
    value = (
        table.c[field.column]
        if field.member is None
        else sa.cast(table.c[field.column].op("->>")(sa.literal_column(f"'{field.member}'")), sa.Uuid())
    )
    rows = sa.select(value.label("id")).distinct().where(table.c.org_id == _ORG, table.c.id == sa.any_(_IDS), *resource.scope(table))
    return compile_statement(rows.where(value.is_not(None)))


def unreachable(context: Context, resource: AnyResource, copied: Iterable[str]) -> list[Field]:
    """References of an object to tables of which only some rows are copied: they may lead nowhere."""
    partly = set(copied)
    return [field for field in references(resource) if _table(context, str(field.spec.target)) in partly]
