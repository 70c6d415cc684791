"""What uses a field: the one mechanism by which everything that stores names of fields says so.

Each kind of stored thing registers a `Reader`, which finds those that could name the field and tells where. Paths are followed
through relations (`account.custom_fields.tier`), so that a view of contacts is found for a field of accounts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import orjson

from crm_api.core.errors import Conflict, FieldError, join_pointer
from crm_api.db.statement import Statement
from crm_api.flows.metadata.changes import Schema
from crm_api.kernel.custom.definitions import COMPUTED, CustomField
from crm_api.kernel.formula.graph import compiled
from crm_api.kernel.registry import Registry
from crm_api.kernel.url_template import check_template

MAX_SHOWN: Final = 100
_PATHS: Final = frozenset({"field", "key", "group_by", "path"})
_LISTS: Final = frozenset({"columns", "sort", "sums", "fields", "required_fields"})
_TREES: Final = ("any", "all", "none")


@dataclass(frozen=True, slots=True)
class Use:
    """One thing that uses the field: what it is, which one, what people call it, and where in it the field stands (a JSON pointer)."""

    kind: str
    id: str | None
    name: str
    at: str

    def json(self) -> dict[str, Any]:
        """As answers show it."""
        return {"kind": self.kind, "id": self.id, "name": self.name, "at": self.at}


@dataclass(frozen=True, slots=True)
class Asked:
    """The field in question. `name` is what paths call it, `relation` the relation that a reference stands for."""

    definition: CustomField
    name: str
    relation: str | None

    @classmethod
    def of(cls, registry: Registry, field: CustomField) -> Asked:
        """By its definition."""
        resource = registry.get(field.object)
        top = resource is None or resource.made is not None
        relation = None
        if field.target is not None:
            relation = field.api_name if field.multiple else field.api_name.removesuffix("_id")
        return cls(field, field.api_name if top else f"custom_fields.{field.api_name}", relation)

    @property
    def names(self) -> tuple[str, ...]:
        """What paths call the field and what comes with it."""
        front = self.name.removesuffix(self.definition.api_name)
        return tuple(front + member for member in self.definition.members)

    @property
    def words(self) -> list[str]:
        """Texts one of which stands wherever the field is named."""
        inverse = self.definition.properties.get("inverse")
        return [word for word in (self.definition.api_name, self.relation, inverse) if word is not None]


Reader = Callable[[Schema, Registry, Asked], Awaitable[Sequence[Use]]]
_READERS: list[Reader] = []


def reader(read: Reader) -> Reader:
    """Registers a kind of thing that can use fields."""
    _READERS.append(read)
    return read


async def uses_of(schema: Schema, field: CustomField) -> list[Use]:
    """Everything that uses the field, in the order of the kinds."""
    registry = schema.registry()
    asked = Asked.of(registry, field)
    found: list[Use] = []
    for read in _READERS:
        found += await read(schema, registry, asked)
    return found


async def refuse_used(schema: Schema, field: CustomField) -> None:
    """Raises Conflict with what uses the field."""
    uses = await uses_of(schema, field)
    if uses:
        errors = [FieldError("field_used", pointer="", params={"kind": use.kind, "name": use.name, "at": use.at}) for use in uses[:20]]
        shown = [use.json() for use in uses[:MAX_SHOWN]]
        raise Conflict("Other definitions use the field; ?force=true archives it all the same.", errors=errors, extra={"used_by": shown})


# --- names in stored JSON --------------------------------------------------------------------------------------------------


def names_field(registry: Registry, origin: str, path: str, asked: Asked) -> bool:
    """Whether a path that starts at an object leads to the field, or over it."""
    current: str | None = origin
    rest = path.lstrip("-")
    while current is not None and rest:
        if current == asked.definition.object and rest in asked.names:
            return True
        head, _, rest = rest.partition(".")
        relation = registry.relations.get(current, {}).get(head)
        if relation is None:
            return False
        if relation.field is not None and relation.field.definition is not None and relation.field.definition.id == asked.definition.id:
            return True
        if relation.link_name == f"{asked.definition.object}.{asked.definition.api_name}":
            return True
        current = relation.target
    return False


def target_of(registry: Registry, origin: str, path: str) -> str | None:
    """The object that a path of relations leads to; None for a path that leads nowhere."""
    current = origin
    for part in path.split("."):
        relation = registry.relations.get(current, {}).get(part)
        if relation is None:
            return None
        current = relation.target
    return current


def places(registry: Registry, origin: str | None, value: Any, asked: Asked, *at: str | int) -> Iterator[str]:
    """Where in a stored value the field is named: in trees, lists of columns, sections, whatever their nesting."""
    if origin is None:
        return
    if isinstance(value, dict):
        path = value.get("field")
        inner = target_of(registry, origin, path) if isinstance(path, str) and any(key in value for key in _TREES) else origin
        if isinstance(value.get("relation"), str):
            if names_field(registry, origin, value["relation"], asked):
                yield join_pointer(*at, "relation")
            inner = target_of(registry, origin, value["relation"])
        for key, item in value.items():
            if isinstance(item, str):
                if key in _PATHS and names_field(registry, origin, item, asked):
                    yield join_pointer(*at, key)
            elif key in _LISTS and isinstance(item, list):
                yield from _listed(registry, inner, item, asked, *at, key)
            else:
                yield from places(registry, inner, item, asked, *at, key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(registry, origin, item, asked, *at, index)


def _listed(registry: Registry, origin: str | None, items: Sequence[Any], asked: Asked, *at: str | int) -> Iterator[str]:
    for index, item in enumerate(items):
        if isinstance(item, str):
            if origin is not None and names_field(registry, origin, item, asked):
                yield join_pointer(*at, index)
        else:
            yield from places(registry, origin, item, asked, *at, index)


# --- the kinds that there are ----------------------------------------------------------------------------------------------


@reader
async def definitions(schema: Schema, registry: Registry, asked: Asked) -> list[Use]:
    """Formulas, roll-ups, dependent picklists, and the field that gives records their name."""
    found = []
    name = asked.definition.api_name
    for field in schema.fields:
        if field.archived or field.standard or field.id == asked.definition.id:
            continue
        title = f"{field.object}.{field.api_name}"
        if field.object == asked.definition.object and (field.properties.get("depends_on") or {}).get("field") == name:
            found.append(Use("fields", str(field.id), title, "/depends_on/field"))
        if field.type in COMPUTED and _computes_with(registry, field, asked):
            found.append(Use("fields", str(field.id), title, "/formula" if "formula" in field.properties else "/relation"))
    for made in schema.objects:
        if made.api_name == asked.definition.object and made.properties.get("display_field") == name:
            found.append(Use("objects", str(made.id), made.api_name, "/display_field"))
    return found


def _computes_with(registry: Registry, field: CustomField, asked: Asked) -> bool:
    resource = registry.get(field.object)
    if resource is None:
        return False
    try:
        computed = compiled(registry, resource, field)
    except Exception:  # what no longer compiles uses nothing
        return False
    for dependency in computed.dependencies:
        if dependency.object == asked.definition.object and dependency.field in asked.names:
            return True
        for step in dependency.steps:
            definition = None if step.field is None else step.field.definition
            if definition is not None and definition.id == asked.definition.id:
                return True
            if step.link_name == f"{asked.definition.object}.{asked.definition.api_name}":
                return True
    return False


_STORED: Final[Mapping[str, tuple[str, ...]]] = {
    "views": ("columns", "sort", "criteria", "group_by", "sums", "column_settings"),
    "layouts": ("sections", "related_lists", "canvas"),
    "segments": ("filter",),
    "widgets": ("settings",),
    "custom_links": ("url_template",),
    "sharing_rules": ("criteria",),
    "restriction_rules": ("criteria",),
}
"""By object of configuration, which `applies_to` an object: the fields in which names of fields stand."""

_STAGES: Final = Statement(
    "SELECT s.id, s.display_name, s.required_fields, p.applies_to FROM stages s"
    " JOIN pipelines p ON p.org_id = $1 AND p.id = s.pipeline_id"
    " WHERE s.org_id = $1 AND s.deleted_at IS NULL AND p.applies_to = $2 AND s.required_fields @> jsonb_build_array($3::text)"
    " ORDER BY s.id",
    ("org_id", "object", "name"),
)


@cache
def _stored(name: str, columns: tuple[str, ...]) -> Statement:
    named = " OR ".join(f"strpos({column}::text, w) > 0" for column in columns)
    shown = ", ".join(f"'{column}', {column}" for column in columns)
    return Statement(
        f"SELECT id, display_name, applies_to, jsonb_build_object({shown})::text AS config FROM {name} WHERE org_id = $1"
        f" AND deleted_at IS NULL AND applies_to IS NOT NULL AND EXISTS (SELECT 1 FROM unnest($2::text[]) AS w WHERE {named}) ORDER BY id",
        ("org_id", "words"),
    )


@reader
async def configuration(schema: Schema, registry: Registry, asked: Asked) -> list[Use]:
    """Views, boards, layouts, segments, widgets and links."""
    found = []
    uow = schema.context.uow
    for kind, columns in _STORED.items():
        for row in await uow.fetch(_stored(kind, columns), {"org_id": uow.org_id, "words": asked.words}):
            config = orjson.loads(row["config"])
            template = config.pop("url_template", None)
            at = list(places(registry, row["applies_to"], config, asked))
            if template is not None and any(names_field(registry, row["applies_to"], n, asked) for n in check_template(template)):
                at.append("/url_template")
            found += [Use(kind, str(row["id"]), row["display_name"], place) for place in at]
    return found


@reader
async def stages(schema: Schema, registry: Registry, asked: Asked) -> list[Use]:
    """Stages that ask for the field."""
    uow = schema.context.uow
    values = {"org_id": uow.org_id, "object": asked.definition.object, "name": asked.name}
    rows = await uow.fetch(_STAGES, values)
    return [Use("stages", str(row["id"]), row["display_name"], "/required_fields") for row in rows]


_PROFILES: Final = Statement(
    "SELECT id, display_name FROM profiles WHERE org_id = $1 AND deleted_at IS NULL AND fields -> $2::text ?| $3::text[] ORDER BY id",
    ("org_id", "object", "names"),
)
_TERRITORIES: Final = Statement(
    "SELECT id, display_name, rules::text AS rules FROM territories WHERE org_id = $1 AND deleted_at IS NULL"
    " AND EXISTS (SELECT 1 FROM unnest($2::text[]) AS w WHERE strpos(rules::text, w) > 0) ORDER BY id",
    ("org_id", "words"),
)


_WEBHOOKS: Final = Statement(
    "SELECT id, display_name, filters::text AS filters FROM webhook_endpoints WHERE org_id = $1 AND deleted_at IS NULL"
    " AND EXISTS (SELECT 1 FROM unnest($2::text[]) AS w WHERE strpos(filters::text, w) > 0) ORDER BY id",
    ("org_id", "words"),
)


@reader
async def webhooks(schema: Schema, registry: Registry, asked: Asked) -> list[Use]:
    """Webhook endpoints whose filters look at the field."""
    uow = schema.context.uow
    found = []
    for row in await uow.fetch(_WEBHOOKS, {"org_id": uow.org_id, "words": asked.words}):
        for index, entry in enumerate(orjson.loads(row["filters"])):
            at = places(registry, entry["object"], entry["filter"], asked, "filters", index, "filter")
            found += [Use("webhook_endpoints", str(row["id"]), row["display_name"], place) for place in at]
    return found


@reader
async def profiles(schema: Schema, registry: Registry, asked: Asked) -> list[Use]:
    """Profiles that hide the field or close it."""
    uow, target = schema.context.uow, asked.definition.object
    rows = await uow.fetch(_PROFILES, {"org_id": uow.org_id, "object": target, "names": list(asked.names)})
    return [Use("profiles", str(row["id"]), row["display_name"], join_pointer("fields", target, asked.name)) for row in rows]


@reader
async def territories(schema: Schema, registry: Registry, asked: Asked) -> list[Use]:
    """Territories whose criteria look at the field."""
    uow = schema.context.uow
    found = []
    for row in await uow.fetch(_TERRITORIES, {"org_id": uow.org_id, "words": asked.words}):
        for name, tree in orjson.loads(row["rules"]).items():
            at = places(registry, name, tree, asked, "rules", name)
            found += [Use("territories", str(row["id"]), row["display_name"], place) for place in at]
    return found


__all__ = ["Asked", "Reader", "Use", "names_field", "places", "reader", "refuse_used", "target_of", "uses_of"]
