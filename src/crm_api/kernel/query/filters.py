"""Filter trees as SQL conditions.

The API's logic has two values, SQL's has three. A comparison with null yields null here and counts as false at the top, so
the one thing to get right is negation: `not x` becomes `x IS NOT TRUE`, which is also how `ne`, `not_in` and `none_of` are
said. Positive comparisons stay bare, so that indexes serve them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.kernel.fields import Field
from crm_api.kernel.query.paths import ResolvedPath, resolve
from crm_api.kernel.query.plan import And, Condition, Node, Not, Or, Path, Quantified, Slot
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType
from crm_api.models.platform import Link

LINKS = Link.__table__
ORG: sa.BindParameter[Any] = sa.bindparam("org_id", type_=sa.Uuid())


class Visibility(Protocol):
    """Which records of an object the caller may see, as a condition on any alias of its table."""

    def predicate(self, resource: AnyResource, row: FromClause) -> ColumnElement[bool] | None:
        """None where everything in the organisation is visible."""
        ...


@dataclass(slots=True)
class Source:
    """A table in a FROM clause that grows by the to-one relations its conditions and columns cross."""

    registry: Registry
    resource: AnyResource
    row: FromClause
    visibility: Visibility
    tables: Callable[[AnyResource, str], FromClause]
    names: Callable[[str], str]
    link: Relation | None = None
    link_row: FromClause | None = None
    joins: dict[Path, tuple[AnyResource, FromClause]] = field(default_factory=dict)
    _from: FromClause | None = None

    @property
    def clause(self) -> FromClause:
        """The FROM clause with all joins so far."""
        return self.row if self._from is None else self._from

    def join(self, steps: tuple[Relation, ...]) -> tuple[AnyResource, FromClause]:
        """The row reached by to-one steps, outer-joined once."""
        if not steps:
            return self.resource, self.row
        path = tuple(step.name for step in steps)
        if path not in self.joins:
            _, row = self.join(steps[:-1])
            target = self.registry[steps[-1].target]
            alias = self.tables(target, self.names("j"))
            reference = steps[-1].field
            assert reference is not None
            on = sa.and_(alias.c.org_id == row.c.org_id, alias.c.id == reference.value(row), *live(target, alias, self.visibility))
            self._from = self.clause.outerjoin(alias, on)
            self.joins[path] = (target, alias)
        return self.joins[path]


def live(resource: AnyResource, row: FromClause, visibility: Visibility) -> list[ColumnElement[bool]]:
    """What makes a related record count: it is there for the caller and not deleted."""
    seen = visibility.predicate(resource, row)
    return [row.c.deleted_at.is_(None), *([seen] if seen is not None else [])]


def related(relation: Relation, source: FromClause, target: FromClause, link: FromClause | None) -> list[ColumnElement[bool]]:
    """The conditions that tie a to-many relation's target rows (and link rows) to the source row."""
    if relation.kind == "to_many":
        assert relation.field is not None
        return [target.c.org_id == source.c.org_id, relation.field.value(target) == source.c.id]
    assert link is not None
    here, there = (link.c.from_id, link.c.to_id) if relation.forward else (link.c.to_id, link.c.from_id)
    return [
        link.c.org_id == source.c.org_id,
        link.c.relation == sa.literal_column(f"'{relation.link_name}'"),
        here == source.c.id,
        target.c.org_id == link.c.org_id,
        target.c.id == there,
    ]


class FilterCompiler:
    """Compiles conditions of one statement. `bind` gives the parameter of a slot."""

    def __init__(self, registry: Registry, visibility: Visibility, tables: Callable[[AnyResource, str], FromClause]) -> None:
        self.registry = registry
        self.visibility = visibility
        self.tables = tables
        self._count = 0

    def name(self, prefix: str) -> str:
        """A fresh alias."""
        self._count += 1
        return f"{prefix}{self._count}"

    def source(self, resource: AnyResource, row: FromClause, link: Relation | None = None, link_row: FromClause | None = None) -> Source:
        """A FROM clause that starts with `row`."""
        return Source(self.registry, resource, row, self.visibility, self.tables, self.name, link, link_row)

    def node(self, node: Node, source: Source) -> ColumnElement[bool]:
        """The condition of a whole tree."""
        if isinstance(node, And):
            return sa.and_(*(self.node(item, source) for item in node.items))
        if isinstance(node, Or):
            return sa.or_(*(self.node(item, source) for item in node.items))
        if isinstance(node, Not):
            return is_not_true(self.node(node.item, source))
        if isinstance(node, Quantified):
            return self._quantified(node, source)
        return self._condition(node, source)

    def _quantified(self, node: Quantified, source: Source) -> ColumnElement[bool]:
        resolved = resolve(self.registry, source.resource, node.path, link=source.link)
        if node.quantifier == "all":
            return ~self._exists(resolved.steps, source, lambda inner: is_not_true(self.node(node.item, inner)))
        found = self._exists(resolved.steps, source, lambda inner: self.node(node.item, inner))
        return found if node.quantifier == "any" else ~found

    def _exists(
        self, steps: tuple[Relation, ...], source: Source, condition: Callable[[Source], ColumnElement[bool]]
    ) -> ColumnElement[bool]:
        """EXISTS over the first to-many step; to-one steps before it are joined, further ones are nested."""
        ahead = next(i for i, step in enumerate(steps) if step.kind != "to_one")
        _, row = source.join(steps[:ahead])
        relation, rest = steps[ahead], steps[ahead + 1 :]
        target = self.registry[relation.target]
        alias = self.tables(target, self.name("m"))
        link = LINKS.alias(self.name("l")) if relation.kind == "many_to_many" else None
        inner = self.source(target, alias, relation if link is not None else None, link)
        if any(step.kind != "to_one" for step in rest):
            body = self._exists(rest, inner, condition)
        elif rest:
            body = condition(self._hop(inner, rest))
        else:
            body = condition(inner)
        clause = inner.clause
        if link is not None:
            clause = sa.join(clause, link, sa.true())
        where = [*related(relation, row, alias, link), *live(target, alias, self.visibility), body]
        return sa.exists(sa.select(sa.literal_column("1")).select_from(clause).where(alias.c.org_id == ORG, *where)).correlate(
            *_tables_of(source)
        )

    def _hop(self, source: Source, steps: tuple[Relation, ...]) -> Source:
        target, row = source.join(steps)
        hop = self.source(target, row)
        hop._from = None
        return hop

    def _condition(self, node: Condition, source: Source) -> ColumnElement[bool]:
        resolved = resolve(self.registry, source.resource, node.path, link=source.link)
        if resolved.to_many:
            ahead = Condition(node.path[len(resolved.steps) :], node.op, node.value, node.second, node.shape)
            negative = {"ne": "eq", "not_in": "in", "none_of": "any_of", "is_null": "is_not_null"}
            if node.op in negative:
                positive = Condition(ahead.path, negative[node.op], ahead.value, ahead.second, ahead.shape)
                return ~self._to_many(resolved, positive, source)
            return self._to_many(resolved, ahead, source)
        assert resolved.field is not None
        resource, row = source.join(resolved.steps)
        if resolved.on_link:
            assert source.link_row is not None
            row = source.link_row
        other: ColumnElement[Any] | None = None
        if isinstance(node.value, tuple):
            far = resolve(self.registry, source.resource, node.value, link=source.link)
            assert far.field is not None
            other = far.field.comparable(source.join(far.steps)[1])
        return comparison(resource, resolved, row, node, other)

    def _to_many(self, resolved: ResolvedPath, ahead: Condition, source: Source) -> ColumnElement[bool]:
        last_many = max(i for i, step in enumerate(resolved.steps) if step.kind != "to_one")
        tail = tuple(step.name for step in resolved.steps[last_many + 1 :])
        inner = Condition((*tail, *ahead.path), ahead.op, ahead.value, ahead.second, ahead.shape)
        return self._exists(resolved.steps[: last_many + 1], source, lambda s: self._condition(inner, s))


def _tables_of(source: Source) -> list[FromClause]:
    rows = [source.row, *(alias for _, alias in source.joins.values())]
    return rows if source.link_row is None else [*rows, source.link_row]


def is_not_true(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Two-valued negation."""
    return condition.self_group().is_not(sa.true())


def bind(slot: Slot, type_: Any) -> sa.BindParameter[Any]:
    """The parameter that a slot's value goes into."""
    return sa.bindparam(f"v{slot}", type_=type_)


def _subject(resolved: ResolvedPath, row: FromClause, exact: bool) -> ColumnElement[Any]:
    field_ = resolved.field
    assert field_ is not None
    if resolved.on_link:
        return row.c.attributes.op("->")(sa.literal_column(f"'{resolved.part}'"))
    if resolved.part is not None:
        column = row.c[field_.column if exact else field_.key]
        return column.op("->>", return_type=sa.Text())(sa.literal_column(_quoted(resolved.part)))
    if field_.type is FieldType.ACTOR:
        return sa.cast(field_.value(row).op("->>", return_type=sa.Text())(sa.literal_column("'id'")), sa.Uuid())
    if field_.type is FieldType.RICH_TEXT:
        return sa.func.lower(field_.value(row).op("->>", return_type=sa.Text())(sa.literal_column("'content'")))
    if field_.type is FieldType.LONG_TEXT:
        return sa.func.lower(field_.value(row))
    return field_.value(row) if exact else field_.comparable(row)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''").replace(":", "\\:").replace("%", "%%") + "'"


def comparison(
    resource: AnyResource, resolved: ResolvedPath, row: FromClause, node: Condition, other: ColumnElement[Any] | None
) -> ColumnElement[bool]:
    """One condition on one row."""
    field_ = resolved.field
    assert field_ is not None
    op = node.op
    subject = _subject(resolved, row, op == "eq_exact")
    if resolved.on_link:
        return _link_comparison(subject, op, node)
    if op == "is_null":
        return _emptiness(field_, subject)
    if op == "is_not_null":
        return ~_emptiness(field_, subject)
    type_ = field_.sql_type if field_.type is not FieldType.ACTOR else sa.Uuid()
    if other is None and isinstance(node.value, int):
        other = bind(node.value, ARRAY(_item_type(field_, type_)) if op in ("in", "not_in", "any_of", "all_of", "none_of") else type_)
    if op in ("contains", "starts_with", "ends_with"):
        return _text_match(resource, field_, subject, row, node)
    assert other is not None
    if op in ("eq", "eq_exact"):
        return subject == other
    if op == "ne":
        return subject.is_distinct_from(other)
    if op == "in":
        return subject == sa.func.any(other)
    if op == "not_in":
        return is_not_true(subject == sa.func.any(other))
    if op == "between":
        assert node.second is not None
        return sa.and_(subject >= other, subject <= bind(node.second, type_))
    if op in ("any_of", "none_of"):
        overlap = subject.op("&&", return_type=sa.Boolean())(other)
        return overlap if op == "any_of" else is_not_true(overlap)
    if op == "all_of":
        return subject.op("@>", return_type=sa.Boolean())(other)
    return {"lt": subject < other, "lte": subject <= other, "gt": subject > other, "gte": subject >= other}[op]


def _item_type(field_: Field, type_: Any) -> Any:
    return type_.item_type if isinstance(type_, ARRAY) else type_


def _emptiness(field_: Field, subject: ColumnElement[Any]) -> ColumnElement[bool]:
    if field_.type in (FieldType.TAGS, FieldType.MULTI_PICKLIST):
        return sa.func.coalesce(sa.func.cardinality(subject), sa.literal_column("0")) == sa.literal_column("0")
    if field_.type is FieldType.ITEMS:
        return sa.func.coalesce(subject, sa.literal_column("'[]'::jsonb")) == sa.literal_column("'[]'::jsonb")
    if field_.type is FieldType.EXTERNAL_IDS:
        return sa.func.coalesce(subject, sa.literal_column("'{}'::jsonb")) == sa.literal_column("'{}'::jsonb")
    return subject.is_(None)


def _text_match(resource: AnyResource, field_: Field, subject: ColumnElement[Any], row: FromClause, node: Condition) -> ColumnElement[bool]:
    assert isinstance(node.value, int)
    if node.op == "starts_with":
        assert node.second is not None
        start = bind(node.value, sa.Text(collation="C"))
        # the range lets the index on the folded key serve the prefix; LIKE decides
        end = start.concat(sa.literal_column("U&'\\+10FFFF'"))
        return sa.and_(subject >= start, subject < end, subject.like(bind(node.second, sa.Text())))
    match = subject.like(bind(node.value, sa.Text()))
    if node.second is not None and resource.has_search and field_.name in resource.search and "trigrams" in row.c:
        return sa.and_(row.c.trigrams.op("@>", return_type=sa.Boolean())(bind(node.second, ARRAY(sa.Text()))), match)
    return match


def _link_comparison(subject: ColumnElement[Any], op: str, node: Condition) -> ColumnElement[bool]:
    if op == "is_null":
        return sa.func.coalesce(subject, sa.literal_column("'[]'::jsonb")).in_(
            [sa.literal_column("'[]'::jsonb"), sa.literal_column("'null'::jsonb")]
        )
    if op == "is_not_null":
        return ~_link_comparison(subject, "is_null", node)
    assert isinstance(node.value, int)
    values = bind(node.value, ARRAY(sa.Text()))
    if op == "all_of":
        return subject.op("?&", return_type=sa.Boolean())(values)
    overlap = subject.op("?|", return_type=sa.Boolean())(values)
    return is_not_true(overlap) if op == "none_of" else overlap
