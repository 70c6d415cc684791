"""The objects of each organisation: the standard ones with its own fields, and its own objects.

An organisation's registry is built from its definitions once per process and version of its schema. Whoever changes a
definition raises the version in the same transaction, so the next request that is authenticated builds anew, in whatever
process: nothing has to be told to anybody.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

import asyncpg
import orjson

from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.kernel.custom.definitions import CustomField, CustomObject
from crm_api.kernel.custom.fields import field_of
from crm_api.kernel.custom.objects import resource_of
from crm_api.kernel.fields import Field
from crm_api.kernel.formula.graph import Computations
from crm_api.kernel.principal import OrganizationInfo
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource, ManyToMany
from crm_api.kernel.schema import PlainLink
from crm_api.models.columns import FieldType

SEGMENTS: Final = "segments"
KEPT: Final = 512
"""Organisations whose registries a process keeps."""

_LOAD: Final = Statement(
    """
    SELECT o.id, 'object' AS kind, o.api_name AS object, o.api_name, o.singular, o.label, o.plural_label, NULL AS type,
           o.properties, NULL AS slot, NULL AS unique_slot, NULL AS state, 0 AS position, o.version, o.archived_at IS NOT NULL AS archived
      FROM object_definitions o WHERE o.org_id = $1
    UNION ALL
    SELECT f.id, 'field', f.object, f.api_name, NULL, f.label, NULL, f.type,
           f.properties, f.slot, f.unique_slot, f.state, f.position, f.version, f.archived_at IS NOT NULL
      FROM field_definitions f WHERE f.org_id = $1
     ORDER BY position, api_name
    """,
    ("org_id",),
)


class Catalog:
    """Registries by organisation and schema version. `standard` is that of organisations which added nothing."""

    def __init__(self, standard: Registry) -> None:
        self.standard = standard
        self._kept: OrderedDict[tuple[UUID, int], Registry] = OrderedDict()

    async def registry(self, uow: Uow, organization: OrganizationInfo) -> Registry:
        """The organisation's objects at its present schema version; one statement the first time."""
        key = (organization.id, organization.schema_version)
        found = self._kept.get(key)
        if found is None:
            found = build(self.standard, key, *definitions(await uow.fetch(_LOAD, {"org_id": organization.id})))
            self._kept[key] = found
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return found


async def load(uow: Uow, org_id: UUID) -> tuple[list[CustomObject], list[CustomField]]:
    """All definitions of an organisation as this transaction sees them, archived ones too."""
    return definitions(await uow.fetch(_LOAD, {"org_id": org_id}))


def definitions(rows: Iterable[asyncpg.Record]) -> tuple[list[CustomObject], list[CustomField]]:
    """Stored definitions as values."""
    objects, fields = [], []
    for row in rows:
        properties = orjson.loads(row["properties"])
        if row["kind"] == "object":
            names = (row["api_name"], row["singular"], row["label"], row["plural_label"])
            objects.append(CustomObject(row["id"], *names, properties, row["version"], row["archived"]))
        else:
            about = (row["object"], row["api_name"], row["label"], FieldType(row["type"]))
            places = (row["slot"], row["unique_slot"], row["state"], row["position"], row["version"], row["archived"])
            fields.append(CustomField(row["id"], *about, properties, *places))
    return objects, fields


def build(standard: Registry, key: tuple[UUID, int], objects: Sequence[CustomObject], fields: Sequence[CustomField]) -> Registry:
    """The registry of an organisation with these definitions; the standard one if there are none."""
    if not objects and not fields:
        return standard
    by_object: defaultdict[str, list[CustomField]] = defaultdict(list)
    for definition in fields:
        by_object[definition.object].append(definition)
    there = {resource.name for resource in standard} | {made.api_name for made in objects if not made.archived}
    resources: list[AnyResource] = []
    computations = Computations()
    for resource in standard:
        own = by_object.get(resource.name)
        if resource.name == SEGMENTS:
            resource = _with_members(resource, objects, fields, key)
        resources.append(with_fields(resource, own, there, key, computations) if own else resource)
    for made in objects:
        if not made.archived:
            resources.append(with_fields(resource_of(made), by_object.get(made.api_name, ()), there, key, computations))
    registry = Registry(resources, key, standard)
    computations.bind(registry)
    registry.computations = computations if computations.present else None
    unsettled = computations.unsettled
    if unsettled:  # read like those that they follow from
        fields = [replace(f, state="building") if (f.object, f.api_name) in unsettled else f for f in fields]
        return build(standard, key, objects, fields)
    return registry


def _with_members(
    segments: AnyResource, objects: Sequence[CustomObject], fields: Sequence[CustomField], key: tuple[UUID, int]
) -> AnyResource:
    """Segments, which may also hold records of the organisation's own objects; not of one that means something else by the name."""
    taken = {f.object for f in fields if f.api_name in (SEGMENTS, f"{SEGMENTS}_id")}
    taken |= {f.target for f in fields if f.target is not None and f.properties.get("inverse") == SEGMENTS}
    names = [made.api_name for made in objects if not made.archived and made.api_name not in taken]
    names = [name for name in names if segments.field_named(name) is None and name not in segments.references]
    links = [ManyToMany(name, name, SEGMENTS, PlainLink, managed=True) for name in names]
    return replace(segments, links=(*segments.links, *links), variant=(key[0].hex, key[1])) if links else segments


def with_fields(
    resource: AnyResource, fields: Sequence[CustomField], there: set[str], key: tuple[UUID, int], computations: Computations
) -> AnyResource:
    """The organisation's form of an object. References to objects that are archived are left out, like archived fields."""
    top = resource.made is not None
    custom: dict[str, Field] = {}
    links: list[ManyToMany] = []
    archived: list[str] = []
    overrides: dict[str, CustomField] = {}
    for definition in fields:
        if definition.standard:
            overrides[definition.api_name] = definition
            continue
        lost = definition.target is not None and definition.target not in there
        if definition.archived or lost:
            archived += definition.members
        elif definition.type is FieldType.REFERENCE and definition.multiple:
            assert definition.target is not None
            links.append(ManyToMany(definition.api_name, definition.target, definition.properties["inverse"], PlainLink))
        else:
            field = field_of(definition, top=top, expression=computations.expression(definition))
            custom[field.name] = field
            if definition.twin is not None:
                twin = field_of(definition.twin, top=top)
                custom[twin.name] = twin
    return replace(
        resource,
        custom=custom,
        archived=tuple(archived),
        links=(*resource.links, *links),
        overrides=overrides,
        variant=(key[0].hex, key[1]),
    )


def fields_by_id(registry: Registry) -> dict[UUID, tuple[AnyResource, Field]]:
    """Every custom field of the registry by its definition's id."""
    found: dict[UUID, tuple[AnyResource, Field]] = {}
    for resource in registry:
        for field in resource.custom.values():
            if field.definition is not None:
                found[field.definition.id] = (resource, field)
    return found


__all__ = ["Catalog", "build", "definitions", "fields_by_id", "load"]
