"""Roll-ups: a figure over the records of a to-many or many-to-many relation, all or those that a search tree finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import ColumnElement, FromClause
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.visitors import replacement_traverse

from crm_api.core.errors import FieldError, InvalidValue, Problem, ValidationFailed, join_pointer
from crm_api.db.statement import DIALECT
from crm_api.kernel.fields import Field
from crm_api.kernel.formula.check import Checker, own_money, same_organisation
from crm_api.kernel.formula.compiled import Computed
from crm_api.kernel.formula.kinds import KIND_OF, Kind
from crm_api.kernel.formula.pieces import Env, Piece
from crm_api.kernel.query.filters import FilterCompiler
from crm_api.kernel.query.parse import QueryParser
from crm_api.kernel.query.paths import resolve
from crm_api.kernel.query.plan import And, Condition, Node, Not, Or
from crm_api.kernel.query.values import Locale
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource
from crm_api.models.base import table as table_of
from crm_api.models.columns import FieldType
from crm_api.models.platform import Link

EDGES: Final = table_of(Link)
FUNCTIONS: Final = ("count", "sum", "avg", "min", "max")
MEMBERS: Final = ("relation", "function", "field", "filter")
ADDED: Final = (FieldType.INTEGER, FieldType.NUMBER, FieldType.DECIMAL, FieldType.CURRENCY)
ORDERED: Final = (*ADDED, FieldType.DATE, FieldType.DATETIME)
_NOWHERE: Final = Locale(datetime(2000, 1, 1, tzinfo=UTC), ZoneInfo("UTC"), "US")
"""Relative dates are refused, so nothing depends on it."""


class _Everything:
    """Roll-ups count all records, whoever looks: their result is stored once for everybody."""

    def predicate(self, resource: AnyResource, row: FromClause) -> ColumnElement[bool] | None:
        return None


class Rollup(Computed):
    """A roll-up."""


def compile_rollup(registry: Registry, resource: AnyResource, definition: Mapping[str, Any]) -> Rollup:
    """The roll-up that `{"relation", "function", "field", "filter"}` says; its `type` follows from function and field.

    `filter` is a search tree over the related records and the records that they refer to. Raises ValidationFailed with
    pointers below the definition: `/relation`, `/function`, `/field`, `/filter/…`.
    """
    relation = _relation(registry, resource, definition.get("relation"))
    function = definition.get("function")
    if function not in FUNCTIONS:
        raise _wrong("function", InvalidValue("enum", allowed=list(FUNCTIONS)))
    target = registry[relation.target]
    item = _field(target, function, definition.get("field"))
    checker = Checker(registry, resource)
    steps = (relation,)
    checker.depend(steps, item if item is not None else target.fields["deleted_at"])
    raw = definition.get("filter")
    condition = None if raw is None else _filter(registry, target, raw, checker, steps)
    if checker.volatile:
        raise _wrong("field" if item is not None and _is_volatile(item) else "filter", InvalidValue("rollup_volatile"))
    kind = FieldType.INTEGER if function == "count" else item.type if item is not None else FieldType.INTEGER
    if function == "avg" and kind is FieldType.INTEGER:
        kind = FieldType.NUMBER
    if item is not None and kind is FieldType.CURRENCY and not own_money(item):
        kind = FieldType.DECIMAL  # in the organisation's currency, which need not be the record's

    def build(env: Env) -> Piece:
        return ((_figure(target, relation, function, item, condition, resource, env.row)),)

    return Rollup(resource, kind, tuple(checker.dependencies), False, build)


def _wrong(member: str, error: InvalidValue) -> Problem:
    return ValidationFailed([error.at(pointer=join_pointer(member))])


def _is_volatile(item: Field) -> bool:
    return item.definition is not None and bool(item.definition.properties.get("volatile"))


def _relation(registry: Registry, resource: AnyResource, name: Any) -> Relation:
    relations = registry.relations[resource.name]
    found = relations.get(name) if isinstance(name, str) else None
    if found is None or not _rolls_up(found):
        raise _wrong("relation", InvalidValue("unknown_relation", allowed=[r.name for r in relations.values() if _rolls_up(r)]))
    return found


def _rolls_up(relation: Relation) -> bool:
    """Whether a relation leads to any number of records by edges that come and go with events."""
    return relation.kind == "to_many" or (relation.kind == "many_to_many" and relation.link is not None and not relation.link.managed)


def _field(target: AnyResource, function: str, name: Any) -> Field | None:
    kinds = ADDED if function in ("sum", "avg") else ORDERED
    if function == "count":
        if name is not None:
            raise _wrong("field", InvalidValue("invalid_combination", other="function count"))
        return None
    found = target.field_named(name) if isinstance(name, str) else None
    if found is None or found.type not in kinds:
        code = "required" if name is None else "unknown_field"
        raise _wrong("field", InvalidValue(code, allowed=[n for n, f in target.all_fields.items() if f.type in kinds]))
    return found


def _figure(
    target: AnyResource,
    relation: Relation,
    function: str,
    item: Field | None,
    condition: Callable[[FromClause], ColumnElement[bool]] | None,
    resource: AnyResource,
    row: FromClause,
) -> ColumnElement[Any]:
    child = target.table.alias()
    where = [*same_organisation(child, row), child.c.deleted_at.is_(None), *target.scope(child)]
    source: FromClause = child
    if relation.field is not None:
        where.append(relation.field.comparable(child) == row.c.id)
    else:
        edge = EDGES.alias()
        near, there = (edge.c.from_id, edge.c.to_id) if relation.forward else (edge.c.to_id, edge.c.from_id)
        source = edge.join(child, sa.and_(child.c.org_id == edge.c.org_id, child.c.id == there))
        where += [*same_organisation(edge, row), edge.c.relation == sa.literal_column(f"'{relation.link_name}'"), near == row.c.id]
    if condition is not None:
        where.append(condition(child))
    if item is None:
        return sa.select(sa.cast(sa.func.count(), sa.Numeric)).select_from(source).where(*where).correlate(row).scalar_subquery()
    value = item.value(child)
    if KIND_OF[item.type] is Kind.NUMBER:
        value = sa.cast(value, sa.Numeric)
    figure: ColumnElement[Any] = getattr(sa.func, function)(value)
    if function == "sum":
        figure = sa.func.coalesce(figure, sa.literal_column("0"))
    guard = _same_currency(target, item, value, child, resource, row)
    if guard is not None:
        figure = sa.case((guard, figure))
    return sa.select(figure).select_from(source).where(*where).correlate(row).scalar_subquery()


def _same_currency(
    target: AnyResource, item: Field, value: ColumnElement[Any], child: FromClause, resource: AnyResource, row: FromClause
) -> ColumnElement[bool] | None:
    """Amounts are only taken together if all are in the record's currency, or in one if it has none; else there is no figure."""
    if not own_money(item) or "currency" not in target.fields:
        return None
    theirs = target.fields["currency"].value(child)
    if "currency" in resource.fields:
        foreign = theirs.is_distinct_from(resource.fields["currency"].value(row))
        return sa.func.count().filter(sa.and_(value.is_not(None), foreign)) == sa.literal_column("0")
    return sa.func.count(theirs.distinct()).filter(value.is_not(None)) <= sa.literal_column("1")


# --- the filter -------------------------------------------------------------------------------------------------------


def _filter(
    registry: Registry, target: AnyResource, raw: Any, checker: Checker, steps: tuple[Relation, ...]
) -> Callable[[FromClause], ColumnElement[bool]]:
    parser = QueryParser(registry, _NOWHERE, "body")
    tree = parser.tree(raw, target, {"pointer": "/filter"})
    parser.finish()
    assert tree is not None
    if parser.relative:
        raise _wrong("filter", InvalidValue("rollup_volatile"))
    _note(registry, target, tree, checker, steps)
    values = list(parser.values)

    def condition(child: FromClause) -> ColumnElement[bool]:
        compiler = FilterCompiler(registry, _Everything(), lambda resource, name: resource.table.alias())
        source = compiler.source(target, child, live=True)
        found = compiler.node(tree, source)
        return _written_out(found, values)

    return condition


def _note(registry: Registry, target: AnyResource, node: Node, checker: Checker, steps: tuple[Relation, ...]) -> None:
    """Notes what a filter looks at. Related records are reached by no more than one step of the child's own: the roll-up's."""
    if isinstance(node, (And, Or)):
        for item in node.items:
            _note(registry, target, item, checker, steps)
    elif isinstance(node, Not):
        _note(registry, target, node.item, checker, steps)
    elif isinstance(node, Condition):
        for path in (node.path, node.value):
            if isinstance(path, tuple):
                found = resolve(registry, target, path)
                if found.steps or found.field is None:
                    raise ValidationFailed([FieldError("rollup_filter", pointer="/filter", params={"field": ".".join(path)})])
                checker.depend(steps, found.field)
    else:
        raise ValidationFailed([FieldError("rollup_filter", pointer="/filter", params={"field": ".".join(node.path)})])


def _written_out(condition: ColumnElement[bool], values: list[Any]) -> ColumnElement[bool]:
    """The condition with its values as constants: a stored definition's statement has no parameters of a request's own."""

    def replace(element: Any, **_: Any) -> Any:
        if isinstance(element, BindParameter) and element.key.startswith("v") and element.key[1:].isdigit():
            return _constant(values[int(element.key[1:])], element.type)
        return None

    found: ColumnElement[bool] = replacement_traverse(condition, {}, replace)
    return found


def _constant(value: Any, type_: sa.types.TypeEngine[Any]) -> ColumnElement[Any]:
    if isinstance(value, (list, tuple)):
        inner = type_.item_type if isinstance(type_, ARRAY) else sa.Text()
        name = inner.compile(dialect=DIALECT)
        return sa.literal_column(f"CAST(ARRAY[{', '.join(_text(item) for item in value)}] AS {name}[])", type_)
    if isinstance(value, bool):
        return sa.literal_column("TRUE" if value else "FALSE", type_)
    plain = sa.Text() if isinstance(type_, sa.Text) else type_
    return sa.literal_column(f"CAST({_text(value)} AS {plain.compile(dialect=DIALECT)})", type_)


def _text(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, (datetime, date)):
        text = value.isoformat()
    elif isinstance(value, (str, UUID, Decimal, int, float)):
        text = str(value)
    else:
        raise InvalidValue("type", expected="a single value")
    return "'" + text.replace("'", "''") + "'"


__all__ = ["FUNCTIONS", "Rollup", "compile_rollup"]
