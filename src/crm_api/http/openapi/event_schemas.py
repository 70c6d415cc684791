"""What events look like: for each object as the document has them, and for each type of the catalogue in all detail.

The document's schemas say of an object what its `record` is. Those of single types also say which members `changes` can have, with the
type of each: the organisation's own fields among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from crm_api.http.openapi.samples import Schema, sample
from crm_api.http.openapi.schemas import stem, uncompleted
from crm_api.http.openapi.shared import nullable, ref
from crm_api.kernel.event_catalog import APPS, DELIVERIES, GRANTS, SYSTEM_OBJECTS, EventType
from crm_api.kernel.event_json import LINKS, SHARES
from crm_api.kernel.job_json import JOBS
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource

_NULL: Final[Schema] = {"type": "null"}
_CHANGE: Final[Schema] = {"type": "object", "properties": {"old": {}, "new": {}}, "required": ["old", "new"]}
_ENVELOPE: Final = frozenset({"object", "id", "version", "display_name", "updated_at", "updated_by"})
"""Members of records that no event tells as changed."""

_MEMBERWISE: Final = frozenset({"custom_fields", "external_ids"})
_SAID: Final = frozenset({"description", "examples", "readOnly", "title"})
_WORDS: Final[Mapping[str, str]] = {
    LINKS: "Link", SHARES: "Share", "schema": "Schema", JOBS: "Job", APPS: "App", GRANTS: "AppGrant", DELIVERIES: "WebhookDelivery",
}  # fmt: skip
_NEVER: Final = "Always null."


def component(kind: EventType, resource: AnyResource | None) -> str:
    """The name of the schema of an object's events."""
    return f"{_WORDS[kind.object] if resource is None else stem(resource)}Event"


def event_schemas(registry: Iterable[AnyResource], schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """`ContactEvent` and its like: the event with the object's own record."""
    found = {}
    for resource in registry:
        words = resource.singular.replace("_", " ")
        found[f"{stem(resource)}Event"] = _event(
            schemas, resource.name, nullable(ref(f"{stem(resource)}Read")), f"Something happened to a record: {words}."
        )
    return found


def system_schemas(schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """The events of what is no record, thin events, and batches."""
    found = {"FinishedJob": _finished_job(schemas)}
    records: Mapping[str, Schema] = {LINKS: nullable(ref("Link")), JOBS: nullable(ref("FinishedJob"))}
    for name, word in _WORDS.items():
        told = _NULL | {"description": _NEVER}
        found[f"{word}Event"] = _event(schemas, name, records.get(name, told), f"An event of the object `{name}`, which has no records.")
    found["ThinEvent"] = {**_thin(schemas["Event"]), "description": "An event for an endpoint that wants no values."}
    found["EventBatch"] = {
        "type": "object",
        "description": "What an endpoint with `batch` gets: some events at once, in their order, whole or thin as the endpoint wants them.",
        "properties": {"events": {"type": "array", "minItems": 1, "items": {"anyOf": [ref("Event"), ref("ThinEvent")]}}},
        "required": ["events"],
    }
    return found


def _event(schemas: Mapping[str, Schema], name: str, record: Schema, description: str) -> Schema:
    base = schemas["Event"]
    own: Schema = {"object": {"type": "string", "const": name}, "record": record}
    return {**base, "description": description, "properties": {**base["properties"], **own}}


def _finished_job(schemas: Mapping[str, Schema]) -> Schema:
    job = schemas["JobRead"]
    return {
        **job,
        "description": "A job that has ended, without what was asked for.",
        "properties": {name: schema for name, schema in job["properties"].items() if name != "request"},
        "required": [name for name in job["required"] if name != "request"],
    }


def _thin(event: Schema) -> Schema:
    left_out = ("record", "changes", "truncated")
    properties = {name: schema for name, schema in event["properties"].items() if name not in left_out}
    properties["changed_fields"] = {
        "type": "array",
        "items": {"type": "string"},
        "description": "The names of the changed fields.",
        "examples": [["title"]],
    }
    required = [*(name for name in event["required"] if name not in left_out), "changed_fields"]
    return {**event, "properties": properties, "required": required}


# --- one type ---------------------------------------------------------------------------------------------------------------


def full_schema(kind: EventType, resource: AnyResource | None, schemas: Mapping[str, Schema]) -> Schema:
    """The schema of a type's events, with references to `schemas`."""
    base = schemas[component(kind, resource)]
    record = base["properties"]["record"]
    own: Schema = {
        "type": {"type": "string", "const": kind.name, "description": kind.description},
        "record": record if kind.carries != "nothing" else _NULL | {"description": _NEVER},
        "changes": {**base["properties"]["changes"], **_changes(kind, resource, schemas)},
    }
    own["changes"].pop("examples", None)
    return {**base, "description": titled(kind, resource), "properties": {**base["properties"], **own}}


def thin_schema(kind: EventType, resource: AnyResource | None, schemas: Mapping[str, Schema]) -> Schema:
    """The same for an endpoint that wants no values."""
    return _thin(full_schema(kind, resource, schemas))


def titled(kind: EventType, resource: AnyResource | None) -> str:
    """What has happened, in a few words."""
    if resource is None or "{A}" not in kind.title:
        return kind.title
    words = resource.singular.replace("_", " ")
    return kind.title.format(A=f"{'An' if words[0] in 'aeio' else 'A'} {words}")


def _changes(kind: EventType, resource: AnyResource | None, schemas: Mapping[str, Schema]) -> Schema:
    if kind.changes is not None or resource is None:
        properties = {name: _change(dict(schema)) for name, schema in (kind.changes or {}).items()}
        return {"properties": properties, "additionalProperties": _CHANGE} if properties or kind.open else {"maxProperties": 0}
    read = schemas[f"{stem(resource)}Read"]["properties"]
    properties = {name: _change(schema) for name, schema in read.items() if name not in _ENVELOPE | _MEMBERWISE}
    custom = read.get("custom_fields", {}).get("$ref")
    members = {} if custom is None else schemas[custom.rpartition("/")[2]]["properties"]
    properties |= {f"custom_fields.{name}": _change(schema) for name, schema in members.items()}
    of_members = {f"^{name}\\.": _CHANGE for name in sorted(_MEMBERWISE & read.keys())}
    return {"properties": properties, "patternProperties": of_members, "additionalProperties": _CHANGE}


def _change(schema: Schema) -> Schema:
    value = {key: inner for key, inner in schema.items() if key not in _SAID}
    if value and not _takes_null(value):
        value = nullable(value)
    return {"type": "object", "properties": {"old": value, "new": value}, "required": ["old", "new"]}


def _takes_null(schema: Schema) -> bool:
    kind = schema.get("type")
    if kind == "null" or (isinstance(kind, list) and "null" in kind):
        return True
    return any(_takes_null(inner) for word in ("anyOf", "oneOf") for inner in schema.get(word, ()))


def alone(schemas: dict[str, Schema], registry: Registry, resource: AnyResource) -> None:
    """Leaves out what records have on request only, so that their schema doesn't lead to those of all others."""
    name = f"{stem(resource)}Read"
    schemas[name] = uncompleted(schemas[name], registry.relations[resource.name])


# --- examples ---------------------------------------------------------------------------------------------------------------

_VALUES: Final[Mapping[str, Mapping[str, Any]]] = {
    LINKS: {
        "relation": "deals.contacts",
        "from": {"object": "deals", "id": "01976f6e-8a00-7000-8000-0000000000d0"},
        "to": {"object": "contacts", "id": "01976f6e-8a00-7000-8000-000000000001"},
    },
    SHARES: {
        "object": "deals",
        "record_id": "01976f6e-8a00-7000-8000-0000000000d0",
        "grantee": {"type": "user", "id": "01976f6e-8a00-7000-8000-0000000000a1"},
        "access": "read",
        "source": "manual",
    },
    "schema": {"contacts.tier": {"label": "Tier", "type": "picklist"}},
    JOBS: {"status": "succeeded"},
}
_ENDED: Final = ("deleted", "revoked", "member_removed")


def example(kind: EventType, resource: AnyResource | None, schemas: Mapping[str, Schema], *, fields: bool = True) -> dict[str, Any]:
    """A whole event of a type. Without `fields` it names none as changed."""
    found: dict[str, Any] = sample(schemas["Event"], schemas, required_only=True)
    record: Any = None
    if kind.carries == "record" and resource is not None:
        record = schemas[f"{stem(resource)}Read"]["examples"][0]
    elif kind.carries == "link":
        record = sample(schemas["Link"], schemas)
    elif kind.carries == "job":
        record = {name: value for name, value in sample(schemas["JobRead"], schemas).items() if name != "request"} | {"status": "succeeded"}
    changes = _changed(kind, resource, schemas, record) if fields else {}
    singular = SYSTEM_OBJECTS.get(kind.object, "") if resource is None else resource.singular
    action = f"{kind.object}.{_ACTIONS.get(kind.verb, kind.verb)}" if singular else kind.name
    cause = {"action": action, "request_id": "01976f6e-8a00-7000-8000-00000000000f"}
    said: dict[str, Any] = {"type": kind.name, "object": kind.object, "cause": cause, "changes": changes, "record": record}
    if isinstance(record, dict) and "id" in record:
        said |= {"record_id": record["id"], "version": record.get("version", 1)}
    return {**found, **said}


def thin_example(whole: Mapping[str, Any]) -> dict[str, Any]:
    """The same event without values."""
    kept = {name: value for name, value in whole.items() if name not in ("record", "changes")}
    return {**kept, "changed_fields": list(whole["changes"])}


_ACTIONS: Final[Mapping[str, str]] = {
    "created": "create", "updated": "update", "deleted": "delete", "restored": "restore", "purged": "purge", "erased": "erase",
    "merged": "merge",
}  # fmt: skip


def _changed(kind: EventType, resource: AnyResource | None, schemas: Mapping[str, Schema], record: Any) -> dict[str, Any]:
    if kind.changes is None and resource is not None:
        if kind.verb in ("deleted", "restored"):
            instant = "2026-11-22T03:31:00.000000Z"
            old, new = (None, instant) if kind.verb == "deleted" else (instant, None)
            return {"deleted_at": {"old": old, "new": new}}
        known = [name for name in resource.example if name in record and record[name] is not None and name not in _MEMBERWISE]
        chosen = known if kind.verb == "created" else known[:1]
        return {name: {"old": None, "new": record[name]} for name in chosen}
    values = dict(_VALUES.get(kind.object, {})) or {name: sample(dict(schema), schemas) for name, schema in (kind.changes or {}).items()}
    if kind.name == "link.updated":
        return {"attributes.is_primary": {"old": False, "new": True}}
    if kind.verb in _ENDED:
        return {name: {"old": value, "new": None} for name, value in values.items()}
    return {name: {"old": None, "new": value} for name, value in values.items()}


__all__ = [
    "alone", "component", "event_schemas", "example", "full_schema", "system_schemas", "thin_example", "thin_schema", "titled",
]  # fmt: skip
