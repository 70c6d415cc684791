"""Which layout, menu, theme, widgets and links hold for a caller: the profile's own, else the default, else ones made from the fields.

Everything is read as the caller would read it, and what leads to objects that the caller may not read is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode
from uuid import UUID

import orjson

from crm_api.core.errors import FieldError, NotFound, ValidationFailed
from crm_api.core.json import dumps
from crm_api.kernel.context import Context
from crm_api.kernel.presentation import Checks, effective, locale_of, refuse_masked
from crm_api.kernel.query.digest import touched
from crm_api.kernel.query.parse import QueryParser
from crm_api.kernel.query.plan import MAX_PAGE, Plan
from crm_api.kernel.query.request import list_request
from crm_api.kernel.query.shape import parse_fields
from crm_api.kernel.reader import Reader
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.url_template import MAX_URL, check_template, fill, value_at
from crm_api.models.columns import FieldType

_HIDDEN: Final = frozenset({"id", "version", "display_name", "deleted_at", "custom_fields", "external_ids", "tags", "merged_into"})
_SYSTEM: Final = ("owner_id", "created_at", "created_by", "updated_at", "updated_by")
_LONG: Final = (FieldType.LONG_TEXT, FieldType.RICH_TEXT, FieldType.JSON, FieldType.ADDRESS, FieldType.ITEMS)
_MAIN: Final = ("accounts", "contacts", "leads", "deals", "cases", "tasks")
CARD_FIELDS: Final = 6


async def rows_of(context: Context, reader: Reader, object_name: str, **parameters: str) -> list[dict[str, Any]]:
    """Records of an object, at most a page of them, as their JSON; `parameters` are those of its list."""
    resource = context.registry[object_name]
    text = urlencode({"limit": MAX_PAGE, **parameters}, quote_via=quote, safe=",[]")
    asked = list_request(context.registry, resource, text, locale_of(context), events_seq=lambda _: 0)
    page = await reader.page(context, resource, asked)
    found: list[dict[str, Any]] = orjson.loads(b"[" + page.data + b"]")
    return found


def _mine(profile: str | None) -> str:
    """The filter of what may hold for a profile: its own, and what is for all."""
    own = [] if profile is None else [{"field": "profile_id", "value": profile}]
    return dumps({"or": [{"field": "is_default", "value": True}, *own]}).decode()


def _for(profile: str | None) -> str:
    own = [] if profile is None else [{"field": "profile_id", "value": profile}]
    return dumps({"or": [{"field": "profile_id", "op": "is_null"}, *own]}).decode()


def _source(found: Mapping[str, Any] | None, profile: str | None) -> str:
    if found is None:
        return "generated"
    return "profile" if profile is not None and found["profile_id"] == profile else "default"


# --- layouts -----------------------------------------------------------------------------------------------------------


async def effective_layout(context: Context, reader: Reader, resource: AnyResource, kind: str, profile: str | None) -> dict[str, Any]:
    """The layout of one kind that holds for a profile."""
    parameters = {"applies_to": resource.name, "type": kind, "filter": _mine(profile), "sort": "-updated_at"}
    found = effective(await rows_of(context, reader, "layouts", **parameters), profile)
    shown = generated_layout(context, resource, kind) if found is None else found
    names = ("name", "sections", "related_lists", "canvas")
    return {
        "source": _source(found, profile),
        "id": None if found is None else found["id"],
        "version": None if found is None else found["version"],
        "applies_to": resource.name,
        "type": kind,
        **{name: shown[name] for name in names},
    }


def generated_layout(context: Context, resource: AnyResource, kind: str) -> dict[str, Any]:
    """A layout made from the object's fields: all of them for a page or a form, a few for a card."""
    writes = kind == "edit"
    names = [name for name, f in resource.all_fields.items() if name not in _HIDDEN and name not in _SYSTEM]
    if writes:
        names = [name for name in names if resource.all_fields[name].spec.writable in ("always", "create")]
    if kind in ("card", "list"):
        names = [name for name in names if resource.all_fields[name].type not in _LONG][:CARD_FIELDS]
    sections = []
    if kind != "related":
        sections = [_section("details", "Details", resource, names)]
    if kind == "detail":
        sections.append(_section("record", "Record", resource, [name for name in _SYSTEM if name in resource.fields]))
    related = _related(context, resource) if kind in ("detail", "related") else []
    return {
        "name": "Generated",
        "sections": [] if kind == "canvas" else sections,
        "related_lists": related,
        "canvas": {"elements": [{"kind": "field", "field": name} for name in names]} if kind == "canvas" else None,
    }


def _section(key: str, label: str, resource: AnyResource, names: Iterable[str]) -> dict[str, Any]:
    rows: list[list[dict[str, Any]]] = []
    for name in names:
        long = resource.all_fields[name].type in _LONG
        if long:
            rows.append([{"field": name, "span": 2}])
        elif rows and len(rows[-1]) == 1 and "span" not in rows[-1][0]:
            rows[-1].append({"field": name})
        else:
            rows.append([{"field": name}])
    return {"key": key, "label": label, "columns": 2, "rows": rows}


def _related(context: Context, resource: AnyResource) -> list[dict[str, Any]]:
    policy = context.principal
    return [
        {"relation": relation.name, "limit": 10}
        for relation in context.registry.relations[resource.name].values()
        if relation.kind != "to_one" and policy.may(relation.target, "read")
    ]


# --- navigation, themes, widgets ---------------------------------------------------------------------------------------


async def effective_navigation(context: Context, reader: Reader, profile: str | None) -> dict[str, Any]:
    """The caller's menu, without entries that lead where the caller can't go."""
    found = effective(await rows_of(context, reader, "navigation_menus", filter=_mine(profile), sort="-updated_at"), profile)
    entries = _all_objects(context) if found is None else found["entries"]
    views = await _visible_views(context, reader, entries)
    return {
        "source": _source(found, profile),
        "id": None if found is None else found["id"],
        "version": None if found is None else found["version"],
        "name": "Generated" if found is None else found["name"],
        "entries": _reachable(context, entries, views),
    }


def _all_objects(context: Context) -> list[dict[str, Any]]:
    own = [resource for resource in context.registry if resource.name in _MAIN or resource.made is not None]
    objects = [{"key": resource.name, "type": "object", "object": resource.name} for resource in own]
    return [{"key": "home", "type": "home"}, *objects]


async def _visible_views(context: Context, reader: Reader, entries: list[dict[str, Any]]) -> set[str]:
    ids = [UUID(entry["view_id"]) for group in entries for entry in (group, *group.get("entries", ())) if "view_id" in entry]
    if not ids or not context.principal.may("views", "read"):
        return set()
    found = await reader.many(context, context.registry["views"], ids, fields=())
    return {str(id_) for id_, record in found.items() if not record.deleted}


def _reachable(context: Context, entries: Iterable[dict[str, Any]], views: set[str]) -> list[dict[str, Any]]:
    kept = []
    for entry in entries:
        if entry["type"] == "object" and (entry["object"] not in context.registry or not context.principal.may(entry["object"], "read")):
            continue
        if entry["type"] == "view" and entry["view_id"] not in views:
            continue
        kept.append({**entry, "entries": _reachable(context, entry["entries"], views)} if entry["type"] == "group" else entry)
    return kept


async def effective_theme(context: Context, reader: Reader, profile: str | None) -> dict[str, Any]:
    """The caller's theme."""
    found = effective(await rows_of(context, reader, "themes", filter=_mine(profile), sort="-updated_at"), profile)
    plain: dict[str, Any] = {"id": None, "version": None, "name": "Generated", "mode": "auto", "density": "comfortable"}
    plain |= {"colors": {}, "logo_url": None}
    shown = plain if found is None else found
    return {"source": _source(found, profile), **{name: shown[name] for name in plain}, "colors": shown["colors"] or {}}


async def effective_rows(
    context: Context, reader: Reader, object_name: str, profile: str | None, **parameters: str
) -> list[dict[str, Any]]:
    """The widgets or links that hold for a caller, in their order: those of the profile and those for all."""
    rows = await rows_of(context, reader, object_name, filter=_for(profile), sort="position,name", **parameters)
    may, registry = context.principal.may, context.registry
    return [row for row in rows if row["applies_to"] is None or (row["applies_to"] in registry and may(row["applies_to"], "read"))]


# --- links -------------------------------------------------------------------------------------------------------------


async def rendered_link(context: Context, reader: Reader, link_id: UUID, record_id: UUID) -> dict[str, Any]:
    """A custom link filled in for a record, with values that the caller may read.

    Raises NotFound if there is no such link or record, ValidationFailed if the template names what is no longer there or the
    address becomes too long.
    """
    policy = context.policy
    policy.require("custom_links", "read")
    stored = await reader.one(context, context.registry["custom_links"], link_id)
    link: dict[str, Any] = orjson.loads(stored.json)
    resource = context.registry.get(link["applies_to"])
    if stored.deleted or resource is None:
        raise NotFound()
    policy.require(resource.name, "read")
    await refuse_masked(context, context.registry["custom_links"], link_id, link, ("url_template",))
    checks = Checks(context, resource)
    names = check_template(link["url_template"])
    for name in names:
        checks.path(name, "url_template")
    if checks.errors:
        raise ValidationFailed(checks.errors, f"The link “{link['name']}” names what this object no longer has; change the link.")
    parser = QueryParser(context.registry, locale_of(context), "query")
    fields = parse_fields(parser, names, resource, {"parameter": "fields"})
    policy.require_read(touched(context.registry, resource, Plan(resource.name, fields=fields)))
    record = await reader.one(context, resource, record_id, fields=fields)
    if record.deleted:
        raise NotFound()
    values = orjson.loads(record.json)
    url = fill(link["url_template"], {name: value_at(values, name) for name in names})
    if len(url) > MAX_URL:
        raise ValidationFailed([FieldError("max_length", pointer="/url_template", params={"max_length": MAX_URL})])
    return {"id": link["id"], "record_id": str(record_id), "name": link["name"], "url": url, "opens_in": link["opens_in"]}
