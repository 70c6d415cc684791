"""All objects together: what relates to what, in both directions."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crm_api.kernel.fields import Field
from crm_api.kernel.resource import AnyResource, ManyToMany

if TYPE_CHECKING:
    from crm_api.kernel.formula.graph import Computations


@dataclass(frozen=True, slots=True)
class Relation:
    """One direction of a relation, as seen from `source`.

    `to_one`: `field` of the source holds the target's id. `to_many`: `field` of the target holds the source's id.
    `many_to_many`: rows of `links`; `forward` tells whether the source is the edge's `from` end, and `link_name` is the
    relation's own name (`deals.contacts`).
    """

    name: str
    source: str
    target: str
    kind: Literal["to_one", "to_many", "many_to_many"]
    field: Field | None = None
    link: ManyToMany | None = None
    link_name: str | None = None
    forward: bool = True


class Registry:
    """The objects of one organisation's API, and their relations.

    `relations` are the names that filters and expansions know, `edges` those under `…/links/`. They are the same but for the
    way back of a many-to-many relation with a primary reference: `accounts.contacts` in a filter means the contacts whose
    `account_id` it is, `/accounts/{id}/links/contacts` all that are linked.

    `key` tells this set of objects from all others, for caches of what is made from it. `standard` is the registry of all
    organisations, which this one extends. `computations` are the organisation's formulas and roll-ups, if it has any.
    """

    def __init__(self, resources: Iterable[AnyResource], key: Hashable = "standard", standard: Registry | None = None) -> None:
        self.key = key
        self.standard: Registry = self if standard is None else standard
        self.computations: Computations | None = None
        self._resources = {resource.name: resource for resource in resources}
        self.relations: dict[str, dict[str, Relation]] = {name: {} for name in self._resources}
        self.edges: dict[str, dict[str, Relation]] = {name: {} for name in self._resources}
        for resource in self._resources.values():
            for name, reference in resource.references.items():
                target = reference.spec.target
                assert target is not None
                if target not in self._resources:
                    raise ValueError(f"{resource.name}.{reference.name} points to unknown object {target}")
                self._add(Relation(name, resource.name, target, "to_one", reference))
                if reference.spec.inverse:
                    self._add(Relation(reference.spec.inverse, target, resource.name, "to_many", reference))
            for link in resource.links:
                link_name = f"{resource.name}.{link.name}"
                forward = Relation(link.name, resource.name, link.target, "many_to_many", None, link, link_name, True)
                backward = Relation(link.inverse, link.target, resource.name, "many_to_many", None, link, link_name, False)
                if not link.managed:
                    self.edges[resource.name][link.name] = forward
                    self.edges[link.target][link.inverse] = backward
                self._add(forward)
                if link.primary_field is None or resource.fields[link.primary_field].spec.inverse != link.inverse:
                    self._add(backward)

    def _add(self, relation: Relation) -> None:
        relations = self.relations[relation.source]
        if relation.name in relations or self._resources[relation.source].field_named(relation.name) is not None:
            raise ValueError(f"{relation.source}.{relation.name} is taken twice")
        relations[relation.name] = relation

    def __getitem__(self, name: str) -> AnyResource:
        return self._resources[name]

    def __contains__(self, name: object) -> bool:
        return name in self._resources

    def __iter__(self) -> Iterator[AnyResource]:
        return iter(self._resources.values())

    def get(self, name: str) -> AnyResource | None:
        """The object of this name, or None."""
        return self._resources.get(name)

    def link(self, link_name: str) -> Relation | None:
        """The forward direction of a many-to-many relation by its full name."""
        source, _, name = link_name.partition(".")
        relation = self.relations.get(source, {}).get(name)
        return relation if relation is not None and relation.kind == "many_to_many" and relation.forward else None
