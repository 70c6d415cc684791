"""The part of an organisation's schema that a caller may know of: what descriptions, types and metadata are made from.

An object that the caller may not read is absent, and with it every relation that leads there; a reference to one of its
records stays, as the id that it is.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Final

from crm_api.kernel.policy import Policy
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource

ALL: Final = "all"
"""The shape of callers who may see everything."""


def shape_of(policy: Policy, registry: Registry) -> Hashable:
    """What of a caller's permissions decides what is visible: equal shapes see the same of the same registry."""
    hidden = frozenset(resource.name for resource in registry if not policy.principal.may(resource.name, "read"))
    return hidden or ALL


def visible_fields(policy: Policy, resource: AnyResource) -> AnyResource:
    """The object as the caller may see it. Field permissions belong here: a field that may not be read is taken out."""
    return resource


class Visible(Registry):
    """The visible part of a registry. It is one itself, so that whatever is made from registries can be made from it."""

    def __init__(self, whole: Registry, seen: dict[str, AnyResource], shape: Hashable) -> None:
        self.key = (whole.key, shape)
        self.standard = whole.standard
        self.computations = whole.computations
        self.whole = whole
        self.shape = shape
        self._resources = {name: r if r.parent is None or r.parent in seen else replace(r, parent=None) for name, r in seen.items()}
        self.relations = {name: _leading_to(whole.relations[name], seen) for name in seen}
        self.edges = {name: _leading_to(whole.edges[name], seen) for name in seen}

    def with_resources(self, resources: dict[str, AnyResource]) -> Visible:
        """The same with other forms of its objects."""
        return Visible(self.whole, resources, self.shape)


def visible(policy: Policy, whole: Registry) -> Visible:
    """What the caller may know of a registry."""
    seen = {r.name: visible_fields(policy, r) for r in whole if policy.principal.may(r.name, "read")}
    return Visible(whole, seen, shape_of(policy, whole))


def _leading_to(relations: dict[str, Relation], seen: dict[str, AnyResource]) -> dict[str, Relation]:
    return {name: relation for name, relation in relations.items() if relation.target in seen}


__all__ = ["ALL", "Visible", "shape_of", "visible", "visible_fields"]
