"""TypeScript types of one organisation's objects, made from the same schemas as its OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from crm_api.http.openapi.samples import REF, Schema
from crm_api.http.openapi.schemas import stem
from crm_api.http.openapi.tenant.base import Base
from crm_api.http.openapi.tenant.objects import visible_schemas
from crm_api.kernel.event_catalog import types_of
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.visible import Visible

WIDTH: Final = 120
_NAME: Final = re.compile(r"^[A-Za-z_$][A-Za-z0-9_$]*$")
_CHOICES: Final = {"type", "enum", "description"}
_HEAD: Final = """\
// Types of the objects of this organisation, with its own fields and objects, as far as the caller may see them.
// Made by GET /v1/meta/types.ts at schema version {version}. Ask again when that rises: its ETag changes with it.
//
// In `…Read` every field is there unless `fields` asked for others; relations are there if `expand` asked for them.
// New fields, enum values and event types may come at any time.

export const schemaVersion = {version};

"""
_SHARED: Final = """\
/** One page of a list. */
export interface List<T> {
  data: T[];
  page: Page;
}

/** A change of one record: an event of the journal, the stream or a webhook. */
export interface RecordEvent<Type extends string, Name extends string, Record_> extends Omit<Event, "type" | "object" | "record"> {
  type: Type;
  object: Name;
  /** The state after `version`; null if it was removed for good. */
  record: Record_ | null;
}
"""


def typescript(base: Base, visible: Visible, version: int) -> str:
    """The module's text. The same schema gives the same text."""
    registry, schemas = visible_schemas(base, visible)
    resources = list(registry)
    # Fields show their choices where they stand: they are read more often than written down.
    schemas = {name: _inlined(schema, schemas) for name, schema in schemas.items()}
    own = [name for resource in resources for name in _names(resource, schemas)]
    parts = [_HEAD.replace("{version}", str(version)), _SHARED]
    reached = _reached(["Event", "Page", *own], schemas, {f"{stem(r)}List" for r in resources})
    parts += [_declaration(name, schemas[name]) for name in sorted(reached - set(own))]
    parts += [_declaration(name, schemas[name]) for name in own]
    parts += list(_events(resources))
    parts.append(_map(resources))
    return _lists("\n".join(parts), {f"{stem(r)}List": f"{stem(r)}Read" for r in resources})


def _inlined(node: Any, schemas: Mapping[str, Schema]) -> Any:
    """The schema with choices in place of references to them."""
    if isinstance(node, list):
        return [_inlined(item, schemas) for item in node]
    if not isinstance(node, dict):
        return node
    target = schemas.get(node["$ref"].removeprefix(REF)) if isinstance(node.get("$ref"), str) else None
    if target is not None and target.keys() == _CHOICES and len(node) == 1:
        return {"enum": target["enum"]}
    return {key: value if key in ("examples", "enum", "const") else _inlined(value, schemas) for key, value in node.items()}


def _names(resource: AnyResource, schemas: Mapping[str, Schema]) -> list[str]:
    suffixes = ("CustomFields", "CustomFieldsCreate", "CustomFieldsUpdate", "Read", "Create", "Update")
    present = {f"{stem(resource)}{suffix}" for suffix in suffixes} & schemas.keys()
    if not resource.custom or resource.made is not None:
        present = {name for name in present if "CustomFields" not in name.removeprefix(stem(resource))}
    verbs = {"Create": "create", "Update": "update"}
    return [
        f"{stem(resource)}{suffix}"
        for suffix in suffixes
        if f"{stem(resource)}{suffix}" in present and (suffix not in verbs or verbs[suffix] in resource.verbs)
    ]


def _reached(roots: Iterable[str], schemas: Mapping[str, Schema], lists: set[str]) -> set[str]:
    """The schemas that these refer to, lists aside, which are `List<…>`."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in found or name in lists:
            continue
        found.add(name)
        waiting += _references(schemas[name])
    return found


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].removeprefix(REF)
        for key, value in node.items():
            if key not in ("examples", "enum", "const"):
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _declaration(name: str, schema: Schema) -> str:
    head = _comment(schema.get("description"), "")
    if schema.get("type") == "object" and schema.get("properties"):
        return f"{head}export interface {name} {_members(schema, '')}\n"
    return f"{head}export type {name} = {_type(schema, '')};\n"


def _members(schema: Schema, indent: str) -> str:
    inner = indent + "  "
    required = set(schema.get("required", ()))
    lines = []
    for name, value in schema["properties"].items():
        mark = "" if name in required else "?"
        readonly = "readonly " if value.get("readOnly") else ""
        key = name if _NAME.match(name) else json.dumps(name)
        lines.append(f"{_comment(value.get('description'), inner)}{inner}{readonly}{key}{mark}: {_type(value, inner)};\n")
    return "{\n" + "".join(lines) + indent + "}"


def _type(schema: Schema, indent: str) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].removeprefix(REF))
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return _union([json.dumps(value, ensure_ascii=False) for value in schema["enum"]], indent)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return _union([_type(inner, indent) for inner in schema[word]], indent)
    if "allOf" in schema:
        return " & ".join(_type(part, indent) for part in schema["allOf"])
    kind = schema.get("type")
    if isinstance(kind, list):
        return _union([_type({**schema, "type": one}, indent) for one in kind], indent)
    if kind == "array":
        item = _type(schema.get("items", {}), indent)
        return f"({item})[]" if " " in item and not item.startswith("{") else f"{item}[]"
    if kind == "object" or "properties" in schema:
        if schema.get("properties"):
            return _members(schema, indent)
        values = schema.get("additionalProperties")
        return f"Record<string, {_type(values, indent) if isinstance(values, dict) else 'unknown'}>"
    simple = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
    return simple.get(str(kind), "unknown")


def _union(parts: list[str], indent: str) -> str:
    parts = list(dict.fromkeys(parts))
    if "unknown" in parts:
        return "unknown"
    line = " | ".join(parts)
    if len(line) + len(indent) <= WIDTH or "\n" in line:
        return line
    return "".join(f"\n{indent}  | {part}" for part in parts)


def _comment(text: str | None, indent: str) -> str:
    if not text:
        return ""
    words = text.replace("*/", "*\\/").split("\n\n")[0].replace("\n", " ").strip()
    return f"{indent}/** {words} */\n"


def _events(resources: Iterable[AnyResource]) -> Iterator[str]:
    known = []
    for resource in resources:
        types = [json.dumps(kind.name) for kind in types_of(resource)]
        if not types:
            continue
        name = f"{stem(resource)}Event"
        known.append(name)
        yield f'export type {name} = RecordEvent<{_union(types, "")}, "{resource.name}", {stem(resource)}Read>;\n'
    if known:
        joined = "".join(f"\n  | {name}" for name in known)
        yield f"/** An event about a record of any object. */\nexport type AnyRecordEvent ={joined};\n"
        yield '/** The types of all these events. */\nexport type EventType = AnyRecordEvent["type"];\n'


def _map(resources: Iterable[AnyResource]) -> str:
    lines = []
    for resource in resources:
        name = stem(resource)
        members = [f"read: {name}Read"]
        for verb, suffix in (("create", "Create"), ("update", "Update")):
            members.append(f"{verb}: {name}{suffix}" if verb in resource.verbs else f"{verb}: never")
        lines.append(f"  {resource.name}: {{ {'; '.join(members)} }};\n")
    return (
        '/** The objects by name: `Objects["contacts"]["create"]` is the body of `POST /v1/contacts`. */\n'
        f"export interface Objects {{\n{''.join(lines)}}}\n\n"
        "export type ObjectName = keyof Objects;\n"
    )


def _lists(text: str, lists: Mapping[str, str]) -> str:
    """With `List<…>` in place of the pages that the document has one by one."""
    if not lists:
        return text
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, lists)) + r")\b(?=[;\[ ])")
    lines = [line if "/**" in line else pattern.sub(lambda match: f"List<{lists[match[1]]}>", line) for line in text.split("\n")]
    return "\n".join(lines)


__all__ = ["typescript"]
