"""One condition on one row, as SQL that the indexes serve."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.kernel.fields import Field
from crm_api.kernel.query.paths import ResolvedPath
from crm_api.kernel.query.plan import Condition, Slot
from crm_api.kernel.query.values import LISTS, PARTIAL, SETS
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType
from crm_api.models.platform import ExternalId

ORG: sa.BindParameter[Any] = sa.bindparam("org_id", type_=sa.Uuid())
_EXTERNAL = ExternalId.__table__
_PLAIN_TEXT = (FieldType.TEXT, FieldType.URL, FieldType.EMAIL, FieldType.PHONE, FieldType.AUTONUMBER)
_EMPTY_LIST: ColumnElement[Any] = sa.literal_column("'[]'::jsonb")
_EMPTY_OBJECT: ColumnElement[Any] = sa.literal_column("'{}'::jsonb")
_ABOVE = "U&'\\+10FFFF'"
"""The last character: `text || this` is greater than every text that starts with `text`."""


def bind(slot: Slot, type_: Any) -> sa.BindParameter[Any]:
    """The parameter that a slot's value goes into."""
    return sa.bindparam(f"v{slot}", type_=type_)


def is_not_true(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Two-valued negation."""
    return condition.self_group().is_not(sa.true())


def is_any(subject: ColumnElement[Any], values: ColumnElement[Any]) -> ColumnElement[bool]:
    """`subject = ANY (values)`. Spelled as an operator: SQLAlchemy's `==` turns the sides round when the left is a function."""
    return subject.op("=", is_comparison=True, return_type=sa.Boolean())(sa.func.any(values))


def quoted(text: str) -> ColumnElement[Any]:
    """A name as a literal in the statement: what is part of its shape."""
    return sa.literal_column("'" + text.replace("'", "''") + "'")


def subject_of(resolved: ResolvedPath, row: FromClause, *, exact: bool) -> ColumnElement[Any]:
    """What is compared: a field's key, or its value if `exact`."""
    field = resolved.field
    assert field is not None
    if resolved.on_link:
        return _link_subject(field, row)
    if resolved.part is not None:
        return row.c[field.column if exact else field.key].op("->>", return_type=sa.Text())(quoted(resolved.part))
    if field.type is FieldType.ACTOR:
        return sa.cast(field.value(row).op("->>", return_type=sa.Text())(quoted("id")), sa.Uuid())
    if exact:
        return field.value(row)
    if field.key == field.column and field.member is None and field.type in _PLAIN_TEXT:
        return sa.func.lower(field.value(row))  # few and short: codes, names of zones
    return field.comparable(row)


def _link_subject(field: Field, row: FromClause) -> ColumnElement[Any]:
    if field.type is FieldType.TAGS:
        return row.c.attributes.op("->")(quoted(field.name))
    text = row.c.attributes.op("->>", return_type=sa.Text())(quoted(field.name))
    return sa.cast(text, sa.Boolean()) if field.type is FieldType.BOOLEAN else text


def comparison(
    resource: AnyResource,
    resolved: ResolvedPath,
    row: FromClause,
    node: Condition,
    other: ColumnElement[Any] | None,
    *,
    known_live: bool = False,
) -> ColumnElement[bool]:
    """One condition on one row. `other` is the field it is compared with, if it is one; `known_live`: the row is not deleted."""
    field, op = resolved.field, node.op
    assert field is not None
    subject = subject_of(resolved, row, exact=op == "eq_exact")
    if op in ("is_null", "is_not_null"):
        empty = _emptiness(field, subject, resolved.on_link)
        return empty if op == "is_null" else ~empty
    if other is not None:
        return _with_field(subject, op, other)
    assert isinstance(node.value, int)
    if (resolved.on_link or field.member is not None) and field.type in SETS:
        return _link_set(subject, op, node.value)
    if op in PARTIAL:
        return _text_match(resource, field, subject, row, node)
    if field.type in SETS:
        return _set(subject, op, node.value)
    type_ = sa.Uuid() if field.type is FieldType.ACTOR else field.sql_type
    if resolved.part is not None and field.type is FieldType.PICKLIST and op in ("eq", "eq_exact", "in") and known_live:
        return _external(resource, resolved.part, row, op, node.value)
    value = bind(node.value, ARRAY(type_) if op in LISTS else type_)
    match op:
        case "eq" | "eq_exact":
            return subject == value
        case "ne":
            return subject.is_distinct_from(value)
        case "in":
            return is_any(subject, value)
        case "not_in":
            return is_not_true(is_any(subject, value))
        case "between":
            assert node.second is not None
            return sa.and_(subject >= value, subject <= bind(node.second, type_))
        case _:
            return {"lt": subject < value, "lte": subject <= value, "gt": subject > value, "gte": subject >= value}[op]


def _with_field(subject: ColumnElement[Any], op: str, other: ColumnElement[Any]) -> ColumnElement[bool]:
    """Two fields compared. Null equals null and differs from every value, so that `ne` is the opposite of `eq`."""
    match op:
        case "eq":
            return subject.is_not_distinct_from(other)
        case "ne":
            return subject.is_distinct_from(other)
        case _:
            return {"lt": subject < other, "lte": subject <= other, "gt": subject > other, "gte": subject >= other}[op]


def _set(subject: ColumnElement[Any], op: str, slot: Slot) -> ColumnElement[bool]:
    values = bind(slot, ARRAY(sa.Text()))
    if op == "all_of":
        return subject.op("@>", return_type=sa.Boolean())(values)
    overlap = subject.op("&&", return_type=sa.Boolean())(values)
    return is_not_true(overlap) if op == "none_of" else overlap


def _link_set(subject: ColumnElement[Any], op: str, slot: Slot) -> ColumnElement[bool]:
    values = bind(slot, ARRAY(sa.Text()))
    if op == "all_of":
        return subject.op("?&", return_type=sa.Boolean())(values)
    overlap = subject.op("?|", return_type=sa.Boolean())(values)
    return is_not_true(overlap) if op == "none_of" else overlap


def _emptiness(field: Field, subject: ColumnElement[Any], on_link: bool) -> ColumnElement[bool]:
    """Whether there is no value; an empty list or object counts as none."""
    if (on_link or field.member is not None) and field.type in SETS:
        return sa.or_(subject.is_(None), subject == _EMPTY_LIST, subject == sa.literal_column("'null'::jsonb"))
    if field.type in SETS:
        return sa.func.coalesce(sa.func.cardinality(subject), sa.literal_column("0")) == sa.literal_column("0")
    if field.type in (FieldType.ITEMS, FieldType.EXTERNAL_IDS):
        nothing = _EMPTY_LIST if field.type is FieldType.ITEMS else _EMPTY_OBJECT
        return sa.func.coalesce(subject, nothing) == nothing
    return subject.is_(None)


def _external(resource: AnyResource, system: str, row: FromClause, op: str, slot: Slot) -> ColumnElement[bool]:
    """By the table of external ids, which has an index and holds those of live records."""
    values = bind(slot, ARRAY(sa.Text()) if op == "in" else sa.Text())
    ids = sa.select(_EXTERNAL.c.record_id).where(
        _EXTERNAL.c.org_id == ORG,
        _EXTERNAL.c.object == quoted(resource.name),
        _EXTERNAL.c.system == quoted(system),
        is_any(_EXTERNAL.c.value, values) if op == "in" else _EXTERNAL.c.value == values,
    )
    return is_any(row.c.id, sa.func.array(ids.scalar_subquery()))


def _text_match(resource: AnyResource, field: Field, subject: ColumnElement[Any], row: FromClause, node: Condition) -> ColumnElement[bool]:
    """A part of a text. LIKE decides; a range on the key, or trigrams, let an index find the candidates."""
    assert isinstance(node.value, int)
    match = subject.like(bind(node.value, sa.Text()))
    if node.third is not None and field.spec.indexed:
        start = bind(node.third, sa.Text(collation="C"))
        return sa.and_(subject >= start, subject < start.concat(sa.literal_column(_ABOVE)), match)
    if node.second is not None and field.name in resource.search and has_trigrams(resource, row):
        return sa.and_(row.c.trigrams.op("@>", return_type=sa.Boolean())(bind(node.second, ARRAY(sa.Text()))), match)
    return match


def has_trigrams(resource: AnyResource, row: FromClause) -> bool:
    """Whether a row's trigrams are kept: those of the table are, those of past states and of events are not."""
    return resource.has_search and isinstance(row, sa.Alias) and row.element is resource.table


__all__ = ["ORG", "bind", "comparison", "has_trigrams", "is_any", "is_not_true", "quoted", "subject_of"]
