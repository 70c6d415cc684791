"""The part of an organisation's objects that a caller may know of.

`narrowed` leaves out what the user's profile hides: it is the registry that requests are read against, so that a hidden field is as
unknown as one that never was, in filters, sorts, answers, history, events and mistakes alike. `visible` also leaves out what the
token's scopes don't reach, for descriptions, types and metadata.

An object that may not be read is absent, and with it every relation that leads there; a reference to one of its records stays,
as the id that it is.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Final

from crm_api.kernel.access.fields import masked_name
from crm_api.kernel.access.masks import masked
from crm_api.kernel.access.rights import Rights
from crm_api.kernel.policy import Policy
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

ALL: Final = "all"
"""The shape of callers who may see everything."""


def shape_of(policy: Policy, registry: Registry) -> Hashable:
    """What of a caller's scopes decides what is visible: equal shapes see the same of the same registry."""
    hidden = frozenset(resource.name for resource in registry if not policy.principal.may(resource.name, "read"))
    return hidden or ALL


def visible_fields(rights: Rights, resource: AnyResource) -> AnyResource:
    """The object as the user may see it: without its hidden fields, and saying which ones are only to be read."""
    hidden = rights.hidden.get(resource.name, frozenset())  # also what is archived by now: old events still tell of it
    closed = _spellings(resource, rights.read_only.get(resource.name, frozenset())) - hidden
    if not hidden and not closed:
        return resource
    members = [f.member for name, f in resource.custom.items() if name in hidden and f.member is not None]
    return replace(
        resource,
        custom={name: f for name, f in resource.custom.items() if name not in hidden},
        archived=(*resource.archived, *members),  # stored, and shown to nobody
        search=tuple(name for name in resource.search if name not in hidden),
        composite_sorts=tuple(keys for keys in resource.composite_sorts if not hidden.intersection(keys)),
        default_sort=tuple(key for key in resource.default_sort if key.removeprefix("-") not in hidden) or ("-created_at",),
        links=tuple(replace(link, primary_field=None) if link.primary_field in hidden else link for link in resource.links),
        variant=(resource.variant, hidden, closed),
        hidden=hidden,
        read_only=closed,
        masked_name=masked_name(resource, hidden),
        shown_of=resource.whole,
    )


def _spellings(resource: AnyResource, names: frozenset[str]) -> frozenset[str]:
    """Fields with the lists whose primary member they are, and the other way round."""
    pairs = [(f.name, f.name.removesuffix("s")) for f in resource.fields.values() if f.type is FieldType.ITEMS]
    both = [pair for pair in pairs if pair[1] in resource.fields and not names.isdisjoint(pair)]
    return names.union(*both)


def hides(rights: Rights, whole: Registry) -> bool:
    """Whether there is anything that a user may not know of."""
    return bool(rights.hidden or rights.read_only) or not all(rights.allows(resource.name, "read") for resource in whole)


def narrowed(whole: Registry, rights: Rights) -> Registry:
    """What a user may know of an organisation's objects."""
    if not hides(rights, whole):
        return whole
    seen = {r.name: visible_fields(rights, r) for r in whole if rights.allows(r.name, "read")}
    found = Visible(whole, seen, ("rights", rights.view))
    return found.with_resources({resource.name: masked(resource, found, whole) for resource in found})


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
    """What the caller may know of a registry, scopes included."""
    seen = {r.name: r for r in whole if policy.principal.may(r.name, "read")}
    return Visible(whole, seen, shape_of(policy, whole))


def _leading_to(relations: dict[str, Relation], seen: dict[str, AnyResource]) -> dict[str, Relation]:
    return {name: relation for name, relation in relations.items() if relation.target in seen and _shown(relation, seen)}


def _shown(relation: Relation, seen: dict[str, AnyResource]) -> bool:
    """Whether the reference that a relation goes by is shown."""
    if relation.field is None:
        return True
    holder = seen[relation.source if relation.kind == "to_one" else relation.target]
    return holder.field_named(relation.field.name) is not None


__all__ = ["ALL", "Visible", "hides", "narrowed", "shape_of", "visible", "visible_fields"]
