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
from crm_api.kernel.query.plan import And, Condition, Node, Path, Seek, SortKey
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

_NEVER_NULL = frozenset({"eq_exact", "lt", "lte", "gt", "gte", "between", "in", "starts_with", "ends_with", "contains", "is_not_null"})
"""Operators that a record without a value never meets (`eq` may compare two fields, and null equals null)."""

_FEW_TIES = (FieldType.DATETIME, FieldType.UUID)
"""Kinds whose values rarely repeat, so that a second sort key sorts a handful of rows at a time."""


@dataclass(frozen=True, slots=True)
class Key:
    """A sort key as SQL. `seek` is the compared value of the last row; None means that it was null (if there is a seek).

    `sparse`: its index holds only the rows that have a value, so that looking for those without one is dear.
    """

    expression: ColumnElement[Any]
    descending: bool
    nullable: bool
    type: Any
    seek: ColumnElement[Any] | None = None
    sparse: bool = False


def follows_positions(registry: Registry, resource: AnyResource, name: str) -> bool:
    """Whether a field is sorted by the position of what it names (options, statuses, stages), not by its own value."""
    field = resource.all_fields[name]
    if field.type is FieldType.PICKLIST:
        return bool(field.spec.options) or field.spec.option_object is not None
    if field.type is not FieldType.REFERENCE or field.spec.target is None:
        return False
    return "position" in registry[field.spec.target].fields


def is_indexed(registry: Registry, resource: AnyResource, keys: Sequence[SortKey]) -> bool:
    """Whether an index gives this order: that of its only key, or of a first key with hardly any ties, or one for all of them."""
    name = keys[0].name
    field = resource.all_fields[name]
    envelope = name in ("created_at", "updated_at", "id")
    if not (envelope or field.spec.indexed or field.spec.unique) or follows_positions(registry, resource, name):
        return False
    if len(keys) == 1 or envelope or field.spec.unique or field.type in _FEW_TIES:
        return True
    given = tuple(key.text for key in keys)
    turned = tuple(text.removeprefix("-") if text.startswith("-") else f"-{text}" for text in given)
    return given in resource.composite_sorts or turned in resource.composite_sorts


def needs_value(node: Node | None, path: Path) -> bool:
    """Whether a filter can only be met by records that have a value of this field: comparisons never match null."""
    if isinstance(node, And):
        return any(needs_value(item, path) for item in node.items)
    if not isinstance(node, Condition) or node.path != path:
        return False
    return node.op in _NEVER_NULL or (node.op == "eq" and isinstance(node.value, int))


def sort_expression(key: SortKey, source: Source) -> tuple[ColumnElement[Any], Any, bool]:
    """What a sort key compares, its type, and whether it can be null."""
    field = source.resource.all_fields[key.name]
    if key.options is not None:
        position = sa.func.array_position(bind(key.options, ARRAY(sa.Text())), field.value(source.row))
        return position, sa.Integer(), True
    if follows_positions(source.registry, source.resource, field.name):
        if field.type is FieldType.PICKLIST:
            assert field.spec.option_object is not None
            options = source.registry[field.spec.option_object].table.alias(source.names("o"))
            found = sa.select(sa.func.min(options.c.position)).where(
                options.c.org_id == ORG, options.c.key == field.value(source.row), options.c.deleted_at.is_(None)
            )
            return found.correlate(source.row).scalar_subquery(), sa.Integer(), True
        assert field.relation is not None
        _, row = source.join((source.registry.relations[source.resource.name][field.relation],))
        return row.c.position, sa.Integer(), True
    return field.comparable(source.row), field.sql_type, key.nullable


def keys_of(sort: Sequence[SortKey], seek: Seek | None, source: Source) -> list[Key]:
    """The sort keys with the values to start after."""
    keys = []
    for index, sort_key in enumerate(sort):
        expression, type_, nullable = sort_expression(sort_key, source)
        start = sa.bindparam(f"s{index}", type_=type_) if seek is not None and seek.present[index] else None
        sparse = source.resource.all_fields[sort_key.name].slot is not None
        keys.append(Key(expression, sort_key.descending, nullable, type_, start, sparse))
    return keys


def order_by(
    keys: Sequence[Key], id_column: ColumnElement[Any], backwards: bool, *, branched: bool, last: bool
) -> list[ColumnElement[Any]]:
    """ORDER BY terms. `branched`: the first key is known to be not null throughout. `last`: whether the last key of the whole
    sort descends, which is the direction of the tie-break."""
    terms: list[ColumnElement[Any]] = []
    for index, key in enumerate(keys):
        term = _directed(key.expression, key.descending != backwards)
        # ascending, PostgreSQL has nulls last by itself, and backwards first; saying so would not hurt but neither help
        if key.nullable and key.descending and not (branched and index == 0):
            term = term.nulls_first() if backwards else term.nulls_last()
        terms.append(term)
    terms.append(_directed(id_column, last != backwards))
    return terms


def _directed(expression: ColumnElement[Any], descending: bool) -> sa.UnaryExpression[Any]:
    return expression.desc() if descending else expression.asc()


def after(
    keys: Sequence[Key], id_column: ColumnElement[Any], seek_id: ColumnElement[Any], backwards: bool, *, branched: bool, last: bool
) -> ColumnElement[bool]:
    """The rows that come after (or, backwards, before) the row with these sort values and this id."""
    id_after = _beyond(id_column, seek_id, last != backwards)
    plain = all(key.seek is not None and not (key.nullable and not (branched and i == 0)) for i, key in enumerate(keys))
    if plain and all(key.descending == last for key in keys):
        if not keys:
            return id_after
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
    either = sa.or_(*options)
    bound = _bound(keys[0], branched, backwards)
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
