"""Criteria of sharing and restriction rules and of territories: search trees on an object's own fields.

They are compiled into every statement that reads the object, so they look at the record alone: no related records, whose
visibility would then decide that of this one, and nothing that depends on the present moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.core.errors import FieldError, InvalidValue, Problem, join_pointer
from crm_api.kernel.principal import OrganizationInfo
from crm_api.kernel.query.filters import FilterCompiler, Visibility
from crm_api.kernel.query.parse import QueryParser
from crm_api.kernel.query.plan import And, Condition, Node, Not, Or, Quantified, Slot
from crm_api.kernel.query.values import Locale
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource, Draft

if TYPE_CHECKING:
    from crm_api.kernel.context import Context

SLOTS: Final = 10_000
"""Rules take their slots in blocks of so many, from here on: far above those of any request."""


class CriteriaParser(QueryParser):
    """Reads criteria; their values have slots from `first` on."""

    def __init__(self, registry: Registry, locale: Locale, first: int = 0) -> None:
        super().__init__(registry, locale, "body")
        self._first = first

    def slot(self, value: Any) -> Slot:
        """Keeps a value and names its place."""
        return self._first + super().slot(value)

    def parameters(self) -> tuple[tuple[str, Any], ...]:
        """The values by the names of their parameters."""
        return tuple((f"v{self._first + index}", value) for index, value in enumerate(self.values))


def locale_for(organization: OrganizationInfo) -> Locale:
    """What values of criteria depend on: the organisation alone, whoever wrote them, and no moment."""
    return Locale(datetime(2000, 1, 1, tzinfo=UTC), ZoneInfo(organization.time_zone), organization.region)


def check_tree(context: Context, target: AnyResource, tree: Any, pointer: str) -> list[FieldError]:
    """What is wrong with criteria that stand at `pointer` of a body."""
    parser = CriteriaParser(context.whole, locale_for(context.principal.organization))
    try:
        node = parser.tree(tree, target, {"pointer": pointer})
    except Problem as problem:
        return list(problem.errors)
    errors = [*parser.unknown, *parser.errors]
    if node is not None and not errors:
        if parser.relative:
            errors.append(InvalidValue("relative_not_allowed").at(pointer=pointer))
        allowed = list(target.all_fields)
        errors += [InvalidValue("unknown_field", allowed=allowed).at(pointer=pointer) for name in _names(node) if not _own(target, name)]
    return errors


def check_criteria(context: Context, target: AnyResource, draft: Draft, name: str = "criteria") -> None:
    """Checks a draft's criteria."""
    if draft.new[name] is not None and draft.changed(name):
        draft.errors.extend(check_tree(context, target, draft.new[name], join_pointer(name)))


def parse_criteria(registry: Registry, resource: AnyResource, tree: Any, locale: Locale, block: int) -> tuple[Node, Any] | None:
    """Stored criteria as conditions with their values; None where they no longer make sense. `block` numbers their slots."""
    parser = CriteriaParser(registry, locale, SLOTS * block)
    try:
        node = parser.tree(tree, resource, {"pointer": ""})
        parser.finish()
    except Problem:
        return None
    if node is None or parser.relative or not all(_own(resource, name) for name in _names(node)):
        return None
    return node, parser.parameters()


def condition(registry: Registry, resource: AnyResource, row: FromClause, node: Node) -> ColumnElement[bool]:
    """Criteria as a condition on a row."""
    compiler = FilterCompiler(registry, _All(), lambda target, name: target.table.alias(name))
    return compiler.node(node, compiler.source(resource, row))


class _All(Visibility):
    """Criteria look at the record alone."""

    def predicate(self, resource: AnyResource, row: FromClause) -> ColumnElement[bool] | None:
        return None


def _names(node: Node) -> Iterator[str]:
    if isinstance(node, (And, Or)):
        for item in node.items:
            yield from _names(item)
    elif isinstance(node, Not):
        yield from _names(node.item)
    elif isinstance(node, Quantified):
        yield ".".join(node.path)
    else:
        assert isinstance(node, Condition)
        yield ".".join(node.path)
        if isinstance(node.value, tuple):
            yield ".".join(node.value)


def _own(resource: AnyResource, path: str) -> bool:
    """Whether a path is one of the object's own fields, or a part of one (`address.city`, `external_ids.hubspot`)."""
    if resource.field_named(path) is not None:
        return True
    head = path.partition(".")[0]
    return head in resource.fields and head not in resource.references
