"""Dotted names: `account.industry`, `deals.stage.name`, `billing_address.city`, `external_ids.hubspot`, `link.roles`."""

from __future__ import annotations

from dataclasses import dataclass

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

    Raises InvalidValue `unknown_field` with the names that would have been right at that point.
    """
    steps: list[Relation] = []
    current = resource
    for index, name in enumerate(path):
        rest = path[index + 1 :]
        if index == 0 and name == "link" and link is not None and len(rest) == 1 and link.link is not None:
            attributes = link.link.attributes.model_fields
            if rest[0] not in attributes:
                raise InvalidValue("unknown_field", allowed=[f"link.{key}" for key in attributes])
            kind = FieldType.TAGS if "list" in str(attributes[rest[0]].annotation) else FieldType.JSON
            return ResolvedPath((), Field(rest[0], FieldSpec(kind), "attributes", "attributes", True), rest[0], True)
        field = current.fields.get(name)
        if field is not None:
            if not rest:
                return ResolvedPath(tuple(steps), field)
            if len(rest) == 1 and field.type is FieldType.ADDRESS and rest[0] in ADDRESS_PARTS:
                return ResolvedPath(tuple(steps), _part(field, rest[0]), rest[0])
            if len(rest) == 1 and field.type is FieldType.EXTERNAL_IDS:
                return ResolvedPath(tuple(steps), _part(field, rest[0]), rest[0])
            allowed = [f"{name}.{part}" for part in ADDRESS_PARTS] if field.type is FieldType.ADDRESS else []
            raise InvalidValue("unknown_field", allowed=allowed or _names(registry, current))
        relation = registry.relations[current.name].get(name)
        if relation is None:
            raise InvalidValue("unknown_field", allowed=_names(registry, current))
        if len(steps) == MAX_HOPS:
            raise InvalidValue("too_many_hops", max=MAX_HOPS)
        steps.append(relation)
        current = registry[relation.target]
    return ResolvedPath(tuple(steps), None)


def _part(field: Field, part: str) -> Field:
    spec = FieldSpec(FieldType.TEXT, folded=field.spec.folded)
    return Field(f"{field.name}.{part}", spec, field.column, field.key, True)


def _names(registry: Registry, resource: AnyResource) -> list[str]:
    return [*resource.fields, *registry.relations[resource.name]]
