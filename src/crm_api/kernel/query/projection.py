"""What a record looks like as JSON, built by PostgreSQL.

`row_to_json` over a sub-select's row is the fastest way there (half the time of `json_build_object`, and without its limit
of 50 members). A field that the caller may not read is simply not selected.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.kernel.resource import AnyResource

LAST = ("custom_fields", "tags", "external_ids")


def ordered_names(resource: AnyResource) -> tuple[str, ...]:
    """All field names in the order in which a record shows them."""
    names = [name for name in resource.fields if name not in LAST]
    return (*names, *(name for name in LAST if name in resource.fields))


def record_columns(resource: AnyResource, row: FromClause, names: Iterable[str] | None = None) -> list[ColumnElement[object]]:
    """The select list of a record: `object` and `id`, then the named fields (all, if none are named)."""
    chosen = ordered_names(resource) if names is None else ["id", *(name for name in names if name != "id")]
    object_name: ColumnElement[object] = sa.literal_column(f"'{resource.name}'").label("object")
    return [object_name, *(resource.fields[name].as_json(row).label(name) for name in chosen)]


def record_json(resource: AnyResource, row: FromClause) -> ColumnElement[str]:
    """The canonical JSON text of one row of the resource's table (or of anything with its columns)."""
    columns = record_columns(resource, row)
    inner = sa.select(*columns).correlate(row).subquery("_r")
    return sa.cast(sa.select(sa.func.row_to_json(sa.literal_column("_r"))).select_from(inner).scalar_subquery(), sa.Text)
