"""Dotted names: `account.industry`, `deals.stage.name`, `billing_address.city`, `external_ids.hubspot`, `link.roles`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args, get_origin

from crm_api.core.errors import InvalidValue
from crm_api.kernel.fields import ADDRESS_PARTS, Field
from crm_api.kernel.query.plan import MAX_HOPS, Path
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldSpec, FieldType


@dataclass(frozen=True, slots=True)
class ResolvedPath:
    """Where a path leads: the relations to follow and the field at the end (none if it names a relation).

    `part` is the member of a structured field (`city`, an external system's name). `on_link` says that the field belongs to
    the edge of a many-to-many list, not to the record.
    """

    steps: tuple[Relation, ...]
    field: Field | None
    part: str | None = None
    on_link: bool = False

    @property
    def to_many(self) -> bool:
        """Whether a step can lead to more than one record."""
        return any(step.kind != "to_one" for step in self.steps)


def resolve(registry: Registry, resource: AnyResource, path: Path, *, link: Relation | None = None) -> ResolvedPath:
    """Follows a path from `resource`. `link` is the many-to-many relation whose list this is, if it is one.

    Raises InvalidValue `unknown_field` with the names that would have been right at that point, `too_many_hops`.
    """
    if path[0] == "link" and link is not None and link.link is not None:
        return _on_link(path, link)
    steps: list[Relation] = []
    current = resource
    for index, name in enumerate(path):
        rest = path[index + 1 :]
        field = current.fields.get(name)
        if field is not None:
            return _field(registry, current, tuple(steps), field, rest)
        relation = registry.relations[current.name].get(name)
        if relation is None:
            raise InvalidValue("unknown_field", allowed=names_of(registry, current))
        if len(steps) == MAX_HOPS:
            raise InvalidValue("too_many_hops", max=MAX_HOPS)
        steps.append(relation)
        current = registry[relation.target]
    return ResolvedPath(tuple(steps), None)


def _field(registry: Registry, resource: AnyResource, steps: tuple[Relation, ...], field: Field, rest: Path) -> ResolvedPath:
    if not rest:
        return ResolvedPath(steps, field)
    if field.type is FieldType.ADDRESS:
        if len(rest) == 1 and rest[0] in ADDRESS_PARTS:
            spec = FieldSpec(FieldType.TEXT, folded=True)
            return ResolvedPath(steps, Field(f"{field.name}.{rest[0]}", spec, field.column, field.key, True), rest[0])
        raise InvalidValue("unknown_field", allowed=[f"{field.name}.{part}" for part in ADDRESS_PARTS])
    if field.type is FieldType.CUSTOM_FIELDS and len(rest) == 1:
        custom = resource.custom.get(f"{field.name}.{rest[0]}")
        if custom is None:
            raise InvalidValue("unknown_field", allowed=list(resource.custom))
        return ResolvedPath(steps, custom)
    if field.type is FieldType.EXTERNAL_IDS and len(rest) == 1 and rest[0]:
        # compared as they are: other systems' ids may differ in nothing but case
        spec = FieldSpec(FieldType.PICKLIST)
        return ResolvedPath(steps, Field(f"{field.name}.{rest[0]}", spec, field.column, field.key, True), rest[0])
    raise InvalidValue("unknown_field", allowed=names_of(registry, resource))


def _on_link(path: Path, link: Relation) -> ResolvedPath:
    assert link.link is not None
    attributes = link.link.attributes.model_fields
    if len(path) != 2 or path[1] not in attributes:
        raise InvalidValue("unknown_field", allowed=[f"link.{key}" for key in attributes])
    kind = _link_type(attributes[path[1]].annotation)
    return ResolvedPath((), Field(path[1], FieldSpec(kind), "attributes", "attributes", True), path[1], True)


def _link_type(annotation: object) -> FieldType:
    """The kind of an edge's attribute: a list of keys, a flag, or a key."""
    if get_origin(annotation) is list:
        return FieldType.TAGS
    options = (annotation, *get_args(annotation))
    if bool in options:
        return FieldType.BOOLEAN
    return FieldType.TAGS if any(get_origin(option) is list for option in options) else FieldType.PICKLIST


def names_of(registry: Registry, resource: AnyResource) -> list[str]:
    """What may stand at a point of a path: the object's fields and relations."""
    return [*resource.all_fields, *registry.relations[resource.name]]
