"""Full text for callers from whom fields are hidden.

The words that are kept for `q` are those of all search fields together, so a match may be owed to a hidden one. What the index finds is
therefore checked again against the fields that the caller may know of, and ranked by them. The check is made of what is stored beside the
values: a telephone number asked for from its fourth group of digits on may be missed, a hidden word is never found.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.kernel.fields import Field
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

_GROUPS: Final = 3
"""From how many groups of digits on a telephone number is found in one piece."""


def _sql(text: str) -> ColumnElement[Any]:
    return sa.literal_column(text)


def hides_text(resource: AnyResource) -> bool:
    """Whether `q` may find an object's records by what the caller may not know of."""
    whole = resource.whole
    if whole is resource:
        return False
    return resource.search != whole.search or any(_searchable(f) for name, f in whole.custom.items() if name not in resource.custom)


def _searchable(field: Field) -> bool:
    return field.definition is not None and field.definition.searchable


def words_of(resource: AnyResource, row: FromClause) -> ColumnElement[Any]:
    """What `q` is matched with: the words that are kept, or those of the fields that the caller may know of."""
    if not hides_text(resource):
        found: ColumnElement[Any] = row.c.search
        return found
    words = sa.func.regexp_replace(text_of(resource, row), _sql("'[^[:alnum:]]+'"), _sql("' '"), _sql("'g'"))
    return sa.func.to_tsvector(_sql("'simple'"), words)


def text_of(resource: AnyResource, row: FromClause) -> ColumnElement[str]:
    """The folded text of the search fields that the caller may know of."""
    fields = [resource.fields[name] for name in resource.search if name in resource.fields]
    fields += [f for f in resource.custom.values() if _searchable(f)]
    parts = [part for field in fields for part in _parts(field, row)]
    text = sa.func.concat_ws(_sql("' '"), *parts) if parts else _sql("''")
    return sa.func.lower(sa.func.regexp_replace(sa.func.normalize(text, _sql("NFKD")), _sql(r"'[\u0300-\u036f]'"), _sql("''"), _sql("'g'")))


def matches(resource: AnyResource, row: FromClause, query: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """That a row is found by a text query: the index says where to look."""
    found: list[ColumnElement[bool]] = [row.c.search.op("@@", return_type=sa.Boolean())(query)]
    if hides_text(resource):
        found.append(words_of(resource, row).op("@@", return_type=sa.Boolean())(query))
    return found


def contains_parts(resource: AnyResource, row: FromClause, parts: sa.BindParameter[Any]) -> ColumnElement[bool]:
    """That a row's text has all of some three-letter parts."""
    found: ColumnElement[bool] = row.c.trigrams.op("@>", return_type=sa.Boolean())(parts)
    if not hides_text(resource):
        return found
    part = sa.func.unnest(parts).table_valued(sa.column("part", sa.Text())).render_derived(name="vt_part")
    missing = sa.select(_sql("1")).select_from(part).where(sa.func.strpos(text_of(resource, row), part.c.part) == _sql("0"))
    return sa.and_(found, ~sa.exists(missing).correlate(row))


def _parts(field: Field, row: FromClause) -> list[ColumnElement[Any]]:
    key = field.comparable(row)
    if field.type is FieldType.ADDRESS:
        member = sa.func.jsonb_each_text(row.c[field.key]).table_valued("key", "value").alias("vt_member")
        return [sa.select(sa.func.string_agg(member.c.value, _sql("' '"))).select_from(member).correlate(row).scalar_subquery()]
    if field.type is FieldType.ITEMS:
        return [_items(field, row)]
    if field.type is FieldType.PHONE:
        return [key, *_digits(field.value(row))]
    if field.type is FieldType.EMAIL:
        return [key, field.value(row)]
    return [sa.cast(key, sa.Text())]


def _items(field: Field, row: FromClause) -> ColumnElement[Any]:
    item = sa.func.jsonb_array_elements(row.c[field.column]).table_valued(sa.column("item", JSONB())).render_derived(name="vt_item")
    entry = item.c.item
    said = [entry.op("->>", return_type=sa.Text())(_sql(f"'{name}'")) for name in ("address", "number")]
    number = said[1]
    text = sa.func.coalesce(*said, entry.op("#>>", return_type=sa.Text())(_sql("'{}'")))
    whole = sa.func.concat_ws(_sql("' '"), text, *_digits(number))
    return sa.select(sa.func.string_agg(whole, _sql("' '"))).select_from(item).correlate(row).scalar_subquery()


def _digits(number: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """A number as written, and its digits in one piece from each of its first groups on."""
    found: list[ColumnElement[Any]] = [number]
    for group in range(_GROUPS):
        rest = sa.func.regexp_replace(number, _sql(rf"'^(\D*\d+\D+){{{group}}}'"), _sql("''"))
        found.append(sa.func.regexp_replace(rest, _sql(r"'\D'"), _sql("''"), _sql("'g'")))
    return found


__all__ = ["contains_parts", "hides_text", "matches", "text_of", "words_of"]
