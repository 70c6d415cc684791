"""What labels need of the database, in the statement of the record: names of related records and of an organisation's choices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.kernel.fields import Field
from crm_api.kernel.labels import CURRENCY, is_base
from crm_api.kernel.query.filters import ORG, FilterCompiler, live
from crm_api.kernel.query.projection import as_json
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType


def raw_labels(
    filters: FilterCompiler, resource: AnyResource, row: FromClause, names: Iterable[str], readable: frozenset[str]
) -> ColumnElement[Any]:
    """The member `_labels` of one record that shows these fields. `readable` are the objects whose names the caller may see."""
    columns: list[ColumnElement[Any]] = []
    money = False
    for name in names:
        field = resource.field_named(name)
        for one in _members(resource, name) if field is None or field.type is FieldType.CUSTOM_FIELDS else (field,):
            found = _name(filters, one, row, readable)
            if found is not None:
                columns.append(found.label(one.name))
            money = money or (one.type is FieldType.CURRENCY and not is_base(one))
    if money and "currency" in resource.fields:
        columns.append(resource.fields["currency"].value(row).label(CURRENCY))
    return as_json(columns, row) if columns else sa.literal_column("'{}'::json")


def _members(resource: AnyResource, name: str) -> list[Field]:
    """An organisation's own fields, which stand below one member."""
    return [field for field in resource.custom.values() if field.name.startswith(f"{name}.")]


def _name(filters: FilterCompiler, field: Field, row: FromClause, readable: frozenset[str]) -> ColumnElement[Any] | None:
    """The name of what a reference or an organisation's choice stands for; None for other fields."""
    spec = field.spec
    if field.type is FieldType.REFERENCE and spec.target in readable:
        target = filters.registry[spec.target]
        far = filters.tables(target, filters.name("y"))
        shown, same = far.c.display_name, far.c.id == field.value(row)
    elif field.type is FieldType.PICKLIST and spec.option_object in readable:
        target = filters.registry[spec.option_object]
        far = filters.tables(target, filters.name("y"))
        shown, same = far.c.label, far.c.key == field.value(row)
    else:
        return None
    conditions = (far.c.org_id == ORG, far.c.org_id == row.c.org_id, same, *live(target, far, filters.visibility))
    return sa.select(shown).where(*conditions).correlate(row).scalar_subquery()
