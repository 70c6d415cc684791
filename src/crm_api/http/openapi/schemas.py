"""`components.schemas`: the records as their models describe them, and the envelopes around them."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from crm_api.http.jobs import JobRead
from crm_api.http.openapi.samples import REF, Schema, sample
from crm_api.http.openapi.shared import BATCH_ITEM, ID, IF_MATCH, batch, nullable, ref, shared_schemas
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource

ALWAYS: Final = ["object", "id"]
"""What is in every record, whatever `fields` asks for and the caller may read."""

_RECORD_NOTE: Final = (
    "\n\nEvery field is there unless `fields` asked for others or the caller may not read it; a field without a value is null. "
    "Relations (`{relations}`) are there if `expand` asked for them."
)


def stem(resource: AnyResource) -> str:
    """The name that an object's schemas begin with: `Contact`, `CaseComment`."""
    return resource.read.__name__.removesuffix("Read")


def model_schemas(models: Iterable[type[BaseModel]], mode: Literal["validation", "serialization"]) -> dict[str, Schema]:
    """The models and everything they use, by name."""
    _, found = models_json_schema([(model, mode) for model in models], ref_template=REF + "{model}")
    return {name: cleaned(schema) for name, schema in found.get("$defs", {}).items()}


def cleaned(schema: Any) -> Any:
    """Without what Pydantic adds and nobody reads, and with maps in the form that generators understand."""
    if isinstance(schema, list):
        return [cleaned(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out: Schema = {}
    for key, value in schema.items():
        if key == "title" and isinstance(value, str):
            continue
        if key in ("properties", "$defs"):
            out[key] = {name: cleaned(inner) for name, inner in value.items()}
        elif key in ("examples", "example", "default", "const", "enum"):
            out[key] = value
        elif key == "patternProperties" and len(value) == 1 and "additionalProperties" not in schema:
            ((pattern, inner),) = value.items()
            out["propertyNames"] = {"pattern": pattern}
            out["additionalProperties"] = cleaned(inner)
        else:
            out[key] = cleaned(value)
    return out


KEPT: Final = frozenset({"examples", "example", "const", "enum", "schema"})


def without_defaults(schema: Any) -> Any:
    """Says in words what is meant by leaving something out. Generators read more into a `default`: some take the member for one that
    is always there, some send the parameter with every request."""
    if isinstance(schema, list):
        return [without_defaults(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: value if key in KEPT else without_defaults(value) for key, value in schema.items()}
    if isinstance(found.get("schema"), dict):
        found["schema"] = dict(found["schema"])
    holder = found.get("schema", found)  # of a parameter it is the schema that has the default
    if isinstance(holder, dict) and "default" in holder and not isinstance(holder["default"], dict):
        default = holder.pop("default")
        if default is not None and default != []:
            text = default if isinstance(default, str) else json.dumps(default)
            found["description"] = f"{found.get('description', '')} Default: `{text}`.".strip()
    return found


def merge_schemas(into: dict[str, Schema], more: Mapping[str, Schema]) -> None:
    """Adds schemas; one name with two meanings is a mistake of the program."""
    for name, schema in more.items():
        if into.setdefault(name, schema) != schema:
            raise ValueError(f"two schemas are called {name}")


def record_schemas(registry: Registry) -> dict[str, Schema]:
    """The schemas of all objects: Read, Create, Update, List, and the bodies and answers of batches."""
    resources = list(registry)
    found = model_schemas([resource.read for resource in resources], "serialization")
    written = [resource for resource in resources if "create" in resource.verbs or "update" in resource.verbs]
    merge_schemas(found, model_schemas([resource.create for resource in written], "validation"))
    merge_schemas(found, model_schemas([resource.update for resource in written], "validation"))
    merge_schemas(found, model_schemas([JobRead], "serialization"))
    attributes = {link.attributes for resource in resources for link in resource.links}
    merge_schemas(found, model_schemas(sorted(attributes, key=lambda model: model.__name__), "validation"))
    for resource in resources:
        complete_read(found, registry, resource)
        add_envelopes(found, resource)
    merge_schemas(found, shared_schemas())
    return found


def complete_read(found: dict[str, Schema], registry: Registry, resource: AnyResource) -> None:
    """Gives a record's schema its relations, and an example of a whole record."""
    plain = found[f"{stem(resource)}Read"]
    relations = registry.relations[resource.name]
    example = record_example(resource, found)
    properties = {**plain["properties"], **{name: _relation(registry, relation) for name, relation in relations.items()}}
    if any(relation.link is not None for relation in relations.values()):
        properties["link"] = ref("Link") | {"description": "The edge by which the record belongs to the list; in many-to-many lists only."}
    properties["labels"] = {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "What people see for the values that need it, by field, in the caller's language. Only with `include=labels`.",
    }
    for name, description in resource.shown_once.items():
        properties[name] = {"type": ["string", "null"], "description": description}
    properties["abilities"] = ref("Abilities")
    properties["purged"] = {
        "type": "boolean",
        "const": True,
        "description": "Only in lists with `since`, and then with nothing but `object`, `id` and `version`: the record was removed "
        "for good.",
    }
    found[f"{stem(resource)}Read"] = {
        **plain,
        "properties": properties,
        "required": ALWAYS,
        "description": plain.get("description", "") + _RECORD_NOTE.format(relations="`, `".join(relations)),
        "examples": [example],
    }


def uncompleted(schema: Schema, relations: Iterable[str]) -> Schema:
    """A record's schema as it was before `complete_read`, to be completed with other relations."""
    added = {*relations, "link", "labels", "abilities", "purged"}
    properties = {name: inner for name, inner in schema["properties"].items() if name not in added}
    return {**schema, "properties": properties, "description": schema["description"].partition(_RECORD_NOTE[:20])[0]}


def _relation(registry: Registry, relation: Relation) -> Schema:
    target = registry[relation.target]
    if relation.kind == "to_one":
        description = f"The record that `{relation.field.name}` names." if relation.field is not None else "The related record."
        return nullable(ref(f"{stem(target)}Read")) | {"description": f"{description} Only if expanded."}
    return ref(f"{stem(target)}List") | {"description": f"Its {target.name.replace('_', ' ')}. Only if expanded."}


def record_example(resource: AnyResource, components: Mapping[str, Schema]) -> dict[str, Any]:
    """A whole record: what the declaration shows, put among the examples of all its fields."""
    schema = components[f"{stem(resource)}Read"]
    shown = {name: sample(inner, components) for name, inner in schema["properties"].items()}
    shown |= {name: value for name, value in resource.example.items() if name in shown}
    shown["object"] = resource.name
    shown["display_name"] = resource.display({**shown, "custom_fields": shown} if resource.made is not None else shown)
    return shown


def add_envelopes(found: dict[str, Schema], resource: AnyResource) -> None:
    """Adds what stands around an object's records: pages, and the bodies and answers of batches."""
    name, words = stem(resource), resource.name.replace("_", " ")
    read = ref(f"{name}Read")
    found[f"{name}List"] = {
        "type": "object",
        "description": f"One page of {words}.",
        "properties": {
            "data": {"type": "array", "items": read, "description": f"The {words} of this page, in order."},
            "page": ref("Page"),
            "plan": ref("SearchPlan") | {"description": "With `explain`: what the question costs."},
        },
        "required": ["data", "page"],
    }
    result = copy.deepcopy(BATCH_ITEM)
    result["properties"]["record"] = read | {"description": "The record; left out with `Prefer: return=minimal`."}
    found[f"{name}BatchResult"] = {
        "type": "object",
        "description": "What became of each item, in the order of the items.",
        "properties": {"results": {"type": "array", "items": result}},
        "required": ["results"],
    }
    if "create" in resource.verbs:
        found[f"{name}BatchCreate"] = batch(ref(f"{name}Create"))
    if "update" in resource.verbs:
        update = found[f"{name}Update"]
        match_on = [*resource.unique_fields]
        item = {
            **update,
            "description": "A merge patch with the id of the record, or with the unique field that `match_on` names. "
            f"{update['description']}",
            "properties": {"id": ID, "if_match": IF_MATCH, **update["properties"]},
        }
        found[f"{name}BatchUpdateItem"] = item
        found[f"{name}BatchUpdate"] = batch(ref(f"{name}BatchUpdateItem"), match_on)
        upsert = found[f"{name}Upsert"] = {
            **found[f"{name}Create"],
            "description": "A record to create or, where it exists, to change as a merge patch does. What a create needs is needed "
            "only then.",
        }
        upsert.pop("required", None)
        found[f"{name}BatchUpsert"] = batch(ref(f"{name}Upsert"), match_on, required=True)
