"""What a plan is about: what its cursors belong to, and which objects it looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from crm_api.core.clock import format_timestamp
from crm_api.core.cursor import query_digest
from crm_api.kernel.query.plan import And, Condition, Expansion, Node, Not, Or, Path, Plan, Quantified
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource


def plan_digest(
    plan: Plan, values: Sequence[Any], *, text: str | None = None, since: int | None = None, as_of: datetime | None = None
) -> str:
    """What a cursor belongs to: object, parent relation, filter with its values, sort, text, deleted, instant."""
    parent = None if plan.parent is None else [plan.parent.object, plan.parent.relation]
    tree = None if plan.filter is None else _described(plan.filter, values)
    at = None if as_of is None else format_timestamp(as_of)
    return query_digest(plan.object, parent, tree, [key.text for key in plan.sort], plan.deleted, at, text, since)


def _described(node: Node, values: Sequence[Any]) -> Any:
    if isinstance(node, (And, Or)):
        return [type(node).__name__, [_described(item, values) for item in node.items]]
    if isinstance(node, Not):
        return ["Not", _described(node.item, values)]
    if isinstance(node, Quantified):
        return [node.quantifier, node.path, _described(node.item, values)]
    value = [list(node.value)] if isinstance(node.value, tuple) else None if node.value is None else str(values[node.value])
    return [node.path, node.op, value, None if node.second is None else str(values[node.second])]


def touched(registry: Registry, resource: AnyResource, plan: Plan) -> frozenset[str]:
    """Every object that the plan shows or looks at."""
    found = {resource.name, *_of_expansions(registry, resource, plan.expand)}
    if plan.filter is not None:
        found.update(_of_node(registry, resource, plan.filter))
    for path in plan.fields or ():
        found.update(_along(registry, resource, path))
    if plan.parent is not None:
        found.add(plan.parent.object)
    return frozenset(found)


def _along(registry: Registry, start: AnyResource, path: Path) -> Iterator[str]:
    """The objects that a path crosses, in order."""
    current = start
    for name in path:
        relation = registry.relations[current.name].get(name)
        if relation is None:
            return
        yield relation.target
        current = registry[relation.target]


def _end(registry: Registry, start: AnyResource, path: Path) -> AnyResource:
    return registry[[start.name, *_along(registry, start, path)][-1]]


def _of_node(registry: Registry, start: AnyResource, node: Node) -> Iterator[str]:
    if isinstance(node, (And, Or)):
        for item in node.items:
            yield from _of_node(registry, start, item)
    elif isinstance(node, Not):
        yield from _of_node(registry, start, node.item)
    elif isinstance(node, Quantified):
        yield from _along(registry, start, node.path)
        yield from _of_node(registry, _end(registry, start, node.path), node.item)
    elif isinstance(node, Condition):
        yield from _along(registry, start, node.path)
        if isinstance(node.value, tuple):
            yield from _along(registry, start, node.value)


def _of_expansions(registry: Registry, start: AnyResource, expand: Sequence[Expansion]) -> Iterator[str]:
    for expansion in expand:
        target = _end(registry, start, (expansion.relation,))
        yield target.name
        if expansion.filter is not None:
            yield from _of_node(registry, target, expansion.filter)
        for path in expansion.fields or ():
            yield from _along(registry, target, path)
        yield from _of_expansions(registry, target, expansion.expand)
