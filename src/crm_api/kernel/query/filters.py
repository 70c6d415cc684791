"""Filter trees as SQL conditions: where a condition looks, through relations and quantifiers. `comparison` says how.

The API's logic has two values, SQL's has three. A comparison with null yields null here and counts as false at the top, so
the one thing to get right is negation: `not x` becomes `x IS NOT TRUE`, which is also how `ne`, `not_in` and `none_of` are
said. Positive comparisons stay bare, so that indexes serve them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.kernel.query.comparison import ORG, bind, comparison, is_not_true, subject_of
from crm_api.kernel.query.paths import ResolvedPath, resolve
from crm_api.kernel.query.plan import And, Condition, Node, Not, Or, Path, Quantified
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource
from crm_api.models.platform import Link

LINKS = Link.__table__
ONE: ColumnElement[Any] = sa.literal_column("1")
NEGATIVE = {"ne": "eq", "not_in": "in", "none_of": "any_of", "is_null": "is_not_null"}
"""Over a to-many path these mean: no related record for which the opposite holds."""


class Visibility(Protocol):
    """Which records of an object the caller may see, as a condition on any alias of its table."""

    def predicate(self, resource: AnyResource, row: FromClause) -> ColumnElement[bool] | None:
        """None where everything in the organisation is visible."""
        ...


@dataclass(slots=True)
class Source:
    """A table in a FROM clause that grows by the to-one relations its conditions and columns cross.

    `live`: its rows are known to be records that are not deleted. `nested`: it is itself the list of an EXISTS.
    """

    registry: Registry
    resource: AnyResource
    row: FromClause
    visibility: Visibility
    tables: Callable[[AnyResource, str], FromClause]
    names: Callable[[str], str]
    link: Relation | None = None
    link_row: FromClause | None = None
    live: bool = False
    nested: bool = False
    joins: dict[Path, tuple[AnyResource, FromClause]] = field(default_factory=dict)
    _from: FromClause | None = None

    @property
    def clause(self) -> FromClause:
        """The FROM clause with all joins so far."""
        return self.row if self._from is None else self._from

    @property
    def whole(self) -> FromClause:
        """The FROM clause with the link rows, if the list is a many-to-many one."""
        return self.clause if self.link_row is None else sa.join(self.clause, self.link_row, sa.true())

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
    return [row.c.deleted_at.is_(None), *resource.scope(row), *([seen] if seen is not None else [])]


def related(relation: Relation, source: FromClause, target: FromClause, link: FromClause | None) -> list[ColumnElement[bool]]:
    """The conditions that tie a to-many relation's target rows (and link rows) to the source row."""
    here, conditions = _near_end(relation, target, link)
    return [(target if link is None else link).c.org_id == source.c.org_id, here == source.c.id, *conditions]


def _near_end(relation: Relation, target: FromClause, link: FromClause | None) -> tuple[ColumnElement[Any], list[ColumnElement[bool]]]:
    """What holds the source row's id in a to-many relation, and the conditions between its tables."""
    if relation.kind == "to_many":
        assert relation.field is not None
        return relation.field.comparable(target), []
    assert link is not None
    here, there = (link.c.from_id, link.c.to_id) if relation.forward else (link.c.to_id, link.c.from_id)
    name: ColumnElement[Any] = sa.literal_column(f"'{relation.link_name}'")
    return here, [link.c.org_id == ORG, link.c.relation == name, target.c.org_id == link.c.org_id, target.c.id == there]


class FilterCompiler:
    """Compiles conditions of one statement. `tables` gives the table of an object under an alias."""

    def __init__(self, registry: Registry, visibility: Visibility, tables: Callable[[AnyResource, str], FromClause]) -> None:
        self.registry = registry
        self.visibility = visibility
        self.tables = tables
        self._count = 0

    def name(self, prefix: str) -> str:
        """A fresh alias."""
        self._count += 1
        return f"{prefix}{self._count}"

    def source(
        self,
        resource: AnyResource,
        row: FromClause,
        link: Relation | None = None,
        link_row: FromClause | None = None,
        *,
        live: bool = False,
    ) -> Source:
        """A FROM clause that starts with `row`."""
        return Source(self.registry, resource, row, self.visibility, self.tables, self.name, link, link_row, live)

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
        steps = resolve(self.registry, source.resource, node.path, link=source.link).steps
        if node.quantifier == "all":
            return ~self._exists(steps, source, lambda inner: is_not_true(self.node(node.item, inner)))
        found = self._exists(steps, source, lambda inner: self.node(node.item, inner))
        return found if node.quantifier == "any" else ~found

    def _exists(
        self, steps: tuple[Relation, ...], source: Source, condition: Callable[[Source], ColumnElement[bool]]
    ) -> ColumnElement[bool]:
        """EXISTS over the first to-many step; to-one steps before it are joined, what comes after is nested. Ends in a to-many step.

        A list within a list is worked out by itself (`OFFSET 0`) and then joined by id. Flattened, all its tables would enter
        one join in any order, and a planner without statistics takes small tables for single rows and multiplies them.
        """
        ahead = next(i for i, step in enumerate(steps) if step.kind != "to_one")
        _, row = source.join(steps[:ahead])
        relation, rest = steps[ahead], steps[ahead + 1 :]
        target = self.registry[relation.target]
        alias = self.tables(target, self.name("m"))
        link = LINKS.alias(self.name("l")) if relation.kind == "many_to_many" else None
        inner = self.source(target, alias, relation if link is not None else None, link, live=True)
        inner.nested = True
        body = self._exists(rest, inner, condition) if rest else condition(inner)
        where = [alias.c.org_id == ORG, *live(target, alias, self.visibility), body]
        if not source.nested:
            tied = sa.select(ONE).select_from(inner.whole).where(*related(relation, row, alias, link), *where)
            return sa.exists(tied).correlate(*_tables_of(source))
        here, conditions = _near_end(relation, alias, link)
        apart = (
            sa.select(alias.c.org_id, here.label("id")).select_from(inner.whole).where(*conditions, *where).offset(sa.literal_column("0"))
        )
        found = apart.correlate(None).subquery(self.name("s"))
        return sa.exists(sa.select(ONE).select_from(found).where(found.c.org_id == row.c.org_id, found.c.id == row.c.id)).correlate(
            *_tables_of(source)
        )

    def _condition(self, node: Condition, source: Source) -> ColumnElement[bool]:
        resolved = resolve(self.registry, source.resource, node.path, link=source.link)
        if resolved.to_many:
            found = self._to_many(resolved, replace(node, op=NEGATIVE.get(node.op, node.op)), source)
            return ~found if node.op in NEGATIVE else found
        resource, row = source.join(resolved.steps)
        if resolved.on_link:
            assert source.link_row is not None
            row = source.link_row
        other: ColumnElement[Any] | None = None
        if isinstance(node.value, tuple):
            far = resolve(self.registry, source.resource, node.value, link=source.link)
            other = subject_of(far, source.join(far.steps)[1], exact=False)
        return comparison(resource, resolved, row, node, other, known_live=bool(resolved.steps) or source.live)

    def _to_many(self, resolved: ResolvedPath, node: Condition, source: Source) -> ColumnElement[bool]:
        last = max(i for i, step in enumerate(resolved.steps) if step.kind != "to_one")
        inner = replace(node, path=node.path[last + 1 :])
        return self._exists(resolved.steps[: last + 1], source, lambda s: self._condition(inner, s))


def _tables_of(source: Source) -> list[FromClause]:
    rows = [source.row, *(alias for _, alias in source.joins.values())]
    return rows if source.link_row is None else [*rows, source.link_row]


__all__ = ["LINKS", "ONE", "ORG", "FilterCompiler", "Source", "Visibility", "bind", "is_not_true", "live", "related"]
