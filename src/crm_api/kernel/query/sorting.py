"""Orders and page starts.

A page starts where the last one ended, found by comparing sort keys, never by counting rows (OFFSET costs what it skips and
repeats or loses rows under writes). Nulls come last both ways. For the first key that means two branches, NOT NULL and NULL,
put one after the other with UNION ALL: `NULLS LAST` would leave the index unused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import ColumnElement

from crm_api.kernel.query.filters import ORG, Source, bind
from crm_api.kernel.query.plan import Seek, SortKey
from crm_api.models.columns import FieldType


@dataclass(frozen=True, slots=True)
class Key:
    """A sort key as SQL. `seek` is the compared value of the last row; None means that it was null (if there is a seek)."""

    expression: ColumnElement[Any]
    descending: bool
    nullable: bool
    seek: ColumnElement[Any] | None = None
    type: Any = None


def sort_expression(key: SortKey, source: Source) -> tuple[ColumnElement[Any], Any, bool]:
    """What a sort key compares, its type, and whether it can be null."""
    field = source.resource.fields[key.path[0]]
    if key.options is not None:
        position = sa.func.array_position(bind(key.options, ARRAY(sa.Text())), field.value(source.row))
        return position, sa.Integer(), True
    if field.type is FieldType.PICKLIST and field.spec.option_object is not None:
        options = source.registry[field.spec.option_object].table.alias(source.names("o"))
        found = sa.select(sa.func.min(options.c.position)).where(
            options.c.org_id == ORG, options.c.key == field.value(source.row), options.c.deleted_at.is_(None)
        )
        return found.correlate(source.row).scalar_subquery(), sa.Integer(), True
    if field.type is FieldType.REFERENCE and field.relation is not None:
        relation = source.registry.relations[source.resource.name][field.relation]
        if "position" in source.registry[relation.target].fields:
            _, row = source.join((relation,))
            return row.c.position, sa.Integer(), True
    return field.comparable(source.row), field.sql_type, key.nullable


def keys_of(sort: Sequence[SortKey], seek: Seek | None, source: Source) -> list[Key]:
    """The sort keys with the values to start after."""
    keys = []
    for index, sort_key in enumerate(sort):
        expression, type_, nullable = sort_expression(sort_key, source)
        slot = None if seek is None else seek.values[index]
        keys.append(Key(expression, sort_key.descending, nullable, None if slot is None else bind(slot, type_), type_))
    return keys


def order_by(
    keys: Sequence[Key], id_column: ColumnElement[Any], backwards: bool, *, branched: bool, last: bool
) -> list[ColumnElement[Any]]:
    """ORDER BY terms. `branched`: the first key is known to be not null throughout, so it needs no null flag. `last`: whether
    the last key of the whole sort descends, which is the direction of the tie-break."""
    terms: list[ColumnElement[Any]] = []
    for index, key in enumerate(keys):
        if key.nullable and not (branched and index == 0):
            flag = key.expression.is_(None)
            terms.append(flag.desc() if backwards else flag.asc())
        terms.append(_directed(key.expression, key.descending != backwards))
    terms.append(_directed(id_column, last != backwards))
    return terms


def _directed(expression: ColumnElement[Any], descending: bool) -> ColumnElement[Any]:
    return expression.desc() if descending else expression.asc()


def after(
    keys: Sequence[Key], id_column: ColumnElement[Any], seek_id: ColumnElement[Any], backwards: bool, *, branched: bool, last: bool
) -> ColumnElement[bool]:
    """The rows that come after (or, backwards, before) the row with these sort values and this id."""
    id_after = _beyond(id_column, seek_id, last != backwards)
    plain = all(key.seek is not None and not (key.nullable and not (branched and i == 0)) for i, key in enumerate(keys))
    if plain and all(key.descending == last for key in keys):
        left = sa.tuple_(*(key.expression for key in keys), id_column)
        right = sa.tuple_(*(key.seek for key in keys), seek_id)
        return left < right if last != backwards else left > right
    options: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for index, key in enumerate(keys):
        nullable = key.nullable and not (branched and index == 0)
        beyond = _key_beyond(key, nullable, backwards)
        if beyond is not None:
            options.append(sa.and_(*equal, beyond))
        equal.append(key.expression.is_(None) if key.seek is None else key.expression == key.seek)
    options.append(sa.and_(*equal, id_after))
    bound = _bound(keys[0], branched, backwards) if keys else None
    either = sa.or_(*options)
    return either if bound is None else sa.and_(bound, either)


def _key_beyond(key: Key, nullable: bool, backwards: bool) -> ColumnElement[bool] | None:
    if key.seek is None:
        return key.expression.is_not(None) if backwards else None
    beyond = _beyond(key.expression, key.seek, key.descending != backwards)
    return sa.or_(beyond, key.expression.is_(None)) if nullable and not backwards else beyond


def _bound(first: Key, branched: bool, backwards: bool) -> ColumnElement[bool] | None:
    """A plain range on the first key, which lets its index start at the right place under the OR."""
    if first.seek is None or (first.nullable and not branched):
        return None
    return first.expression <= first.seek if first.descending != backwards else first.expression >= first.seek


def _beyond(expression: ColumnElement[Any], value: ColumnElement[Any], descending: bool) -> ColumnElement[bool]:
    return expression < value if descending else expression > value
