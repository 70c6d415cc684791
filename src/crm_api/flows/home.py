"""A person's recent records and home page.

What somebody looked at is told by the user interface and kept, few records for each person. What somebody changed is read off
the organisation's latest events. Both are shown as far as the caller may read them now.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import orjson

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import FieldError, NotFound, Problem, ValidationFailed, join_pointer
from crm_api.db.statement import Statement
from crm_api.kernel.context import Context
from crm_api.kernel.presentation import locale_of
from crm_api.kernel.query.request import ReadRequest, SavedQuery, list_request
from crm_api.kernel.reader import Reader
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.saved_views import VIEWS, check_view
from crm_api.kernel.together import read_together

RECENT: Final = 50
"""Records that are remembered for each person."""

LATEST: Final = 5_000
"""Events of the organisation among which a person's own changes are looked for."""

MAX_WIDGETS: Final = 12
DEFAULT_HOME: Final = (
    {"key": "recent", "type": "recent", "limit": 10},
    {"key": "tasks", "type": "tasks", "limit": 10},
    {"key": "deals", "type": "deals", "limit": 10},
)
_OPEN_TASKS: Final = "open,in_progress,waiting"

_LATEST: Final = Statement(
    """
    (SELECT object, record_id, viewed_at AS at, 'viewed' AS how FROM recent_items
      WHERE org_id = $1 AND user_id = $2 AND object = ANY($3::text[]) ORDER BY viewed_at DESC LIMIT $5)
    UNION ALL
    (SELECT e.object, e.record_id, max(e.occurred_at), 'changed'
       FROM (SELECT object, record_id, occurred_at, actor FROM events WHERE org_id = $1 ORDER BY id DESC LIMIT $6) e
      WHERE e.actor ->> 'type' = 'user' AND e.actor ->> 'id' = $2::text AND e.object = ANY($4::text[])
      GROUP BY e.object, e.record_id ORDER BY 3 DESC LIMIT $5)
    """,
    ("org_id", "user_id", "objects", "changed", "limit", "events"),
)
_SEEN: Final = Statement(
    """
    WITH seen AS (INSERT INTO recent_items (org_id, user_id, object, record_id, viewed_at) VALUES ($1, $2, $3, $4, $5)
                  ON CONFLICT (org_id, user_id, object, record_id) DO UPDATE SET viewed_at = excluded.viewed_at RETURNING 1),
         old AS (SELECT object, record_id FROM recent_items
                  WHERE org_id = $1 AND user_id = $2 AND NOT (object = $3 AND record_id = $4) ORDER BY viewed_at DESC OFFSET $6)
    DELETE FROM recent_items r USING old
     WHERE r.org_id = $1 AND r.user_id = $2 AND r.object = old.object AND r.record_id = old.record_id
    """,
    ("org_id", "user_id", "object", "record_id", "now", "kept"),
)
_HOME: Final = Statement("SELECT widgets FROM home_pages WHERE org_id = $1 AND user_id = $2", ("org_id", "user_id"))
_PUT: Final = Statement(
    "INSERT INTO home_pages (org_id, user_id, widgets, updated_at) VALUES ($1, $2, $3::jsonb, $4)"
    " ON CONFLICT (org_id, user_id) DO UPDATE SET widgets = excluded.widgets, updated_at = excluded.updated_at",
    ("org_id", "user_id", "widgets", "now"),
)

Asked = tuple[AnyResource, ReadRequest]


@dataclass(frozen=True, slots=True)
class _Latest:
    """A record that the person had to do with."""

    object: str
    id: UUID
    at: datetime
    how: str


def _who(context: Context) -> dict[str, Any]:
    return {"org_id": context.uow.org_id, "user_id": context.principal.user_id}


def _readable(context: Context) -> list[AnyResource]:
    return [resource for resource in context.registry if context.principal.may(resource.name, "read")]


# --- recent records ----------------------------------------------------------------------------------------------------


async def note_viewed(context: Context, reader: Reader, resource: AnyResource, record_id: UUID) -> None:
    """Remembers that the caller looked at a record. Raises NotFound for one that is not there for the caller."""
    if (await reader.one(context, resource, record_id, fields=())).deleted:
        raise NotFound()
    about = {"object": resource.name, "record_id": record_id, "now": context.uow.now, "kept": RECENT - 1}
    await context.uow.fetch(_SEEN, {**_who(context), **about})


async def recent(context: Context, reader: Reader, limit: int = RECENT) -> list[dict[str, Any]]:
    """The records that the caller looked at or changed last, the latest first; two statements."""
    latest = await _latest(context)
    asked = _named(context, latest)
    return _recent(latest, asked, await read_together(context, reader, asked), limit)


async def _latest(context: Context) -> list[_Latest]:
    """What the person had to do with, once each, the latest first."""
    readable = _readable(context)
    values = {
        **_who(context),
        "objects": [resource.name for resource in readable],
        "changed": [resource.name for resource in readable if resource.searchable],
        "limit": RECENT,
        "events": LATEST,
    }
    found: dict[tuple[str, UUID], _Latest] = {}
    for row in sorted(await context.uow.fetch(_LATEST, values), key=lambda row: row["at"], reverse=True):
        found.setdefault((row["object"], row["record_id"]), _Latest(row["object"], row["record_id"], row["at"], row["how"]))
    return list(found.values())[: 2 * RECENT]


def _named(context: Context, latest: Sequence[_Latest]) -> list[Asked]:
    """The questions for what those records are called, one for each object."""
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for one in latest:
        ids[one.object].append(str(one.id))
    return [
        _asked(context, context.registry[name], {"id[in]": ",".join(found), "fields": "display_name", "limit": str(len(found))})
        for name, found in ids.items()
    ]


def _recent(
    latest: Sequence[_Latest], asked: Sequence[Asked], found: Sequence[Sequence[Mapping[str, Any]] | None], limit: int
) -> list[dict[str, Any]]:
    names = {
        (resource.name, UUID(record["id"])): record["display_name"]
        for (resource, _), records in zip(asked, found, strict=True)
        for record in records or ()
    }
    return [
        {"object": one.object, "id": str(one.id), "display_name": names[one.object, one.id], "how": one.how, "at": format_timestamp(one.at)}
        for one in latest
        if (one.object, one.id) in names
    ][:limit]


def _asked(context: Context, resource: AnyResource, parameters: Mapping[str, str], saved: SavedQuery | None = None) -> Asked:
    text = urlencode(parameters, safe=",[]")
    return resource, list_request(context.registry, resource, text, locale_of(context), events_seq=lambda _: 0, saved=saved)


# --- the home page -----------------------------------------------------------------------------------------------------


async def configured(context: Context) -> list[dict[str, Any]]:
    """The caller's widgets, or those that everybody begins with."""
    stored: str | None = await context.uow.fetch_value(_HOME, _who(context))
    found: list[dict[str, Any]] = [dict(widget) for widget in DEFAULT_HOME] if stored is None else orjson.loads(stored)
    return found


async def configure(context: Context, reader: Reader, widgets: Sequence[Mapping[str, Any]]) -> None:
    """Sets the caller's widgets. Raises ValidationFailed."""
    errors: list[FieldError] = []
    keys: set[str] = set()
    for index, widget in enumerate(widgets):
        if widget["key"] in keys:
            errors.append(FieldError("repeated_item", pointer=join_pointer("widgets", index, "key")))
        keys.add(widget["key"])
        if (widget["type"] == "view") != ("view_id" in widget):
            code = "required" if widget["type"] == "view" else "unknown_field"
            errors.append(FieldError(code, pointer=join_pointer("widgets", index, "view_id")))
    views = await _views(context, reader, widgets)
    for index, widget in enumerate(widgets):
        if "view_id" in widget and widget["view_id"] not in views:
            errors.append(FieldError("not_found_reference", pointer=join_pointer("widgets", index, "view_id")))
    if errors:
        raise ValidationFailed(errors)
    await context.uow.fetch(_PUT, {**_who(context), "widgets": orjson.dumps(list(widgets)).decode(), "now": context.uow.now})


async def home(context: Context, reader: Reader) -> list[dict[str, Any]]:
    """The caller's widgets with what they show. All lists are read in one statement, and what is recent in one before it."""
    widgets = await configured(context)
    views = await _views(context, reader, widgets)
    latest = await _latest(context) if any(widget["type"] == "recent" for widget in widgets) else []
    names = _named(context, latest)
    shown: list[dict[str, Any]] = []
    lists: list[Asked] = []
    places: dict[int, int] = {}
    for widget in widgets:
        try:
            asked = _list_of(context, widget, views)
        except Problem as problem:
            shown.append({**widget, "object": None, "data": [], "problem": problem.code})
            continue
        if asked is None and widget["type"] != "recent":
            continue
        if asked is not None:
            places[len(shown)] = len(lists)
            lists.append(asked)
        shown.append({**widget, "object": None if asked is None else asked[0].name, "data": [], "problem": None})
    found = await read_together(context, reader, [*lists, *names])
    for index, widget in enumerate(shown):
        if index in places:
            records = found[places[index]]
            widget.update(data=records or [], problem="sort_not_indexed" if records is None else None)
        elif widget["type"] == "recent":
            widget["data"] = _recent(latest, names, found[len(lists) :], widget["limit"])
    return shown


async def _views(context: Context, reader: Reader, widgets: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The views that widgets show, as far as they are there for the caller."""
    ids = [UUID(widget["view_id"]) for widget in widgets if "view_id" in widget]
    if not ids or not context.principal.may(VIEWS, "read"):
        return {}
    found = await reader.many(context, context.registry[VIEWS], ids)
    return {str(id_): orjson.loads(record.json) for id_, record in found.items() if not record.deleted}


def _list_of(context: Context, widget: Mapping[str, Any], views: Mapping[str, Mapping[str, Any]]) -> Asked | None:
    """What a widget lists; None for one that lists nothing, or nothing that the caller may read.

    Raises NotFound for a view that is not there any more, ValidationFailed for one that names what is not.
    """
    may, me, limit = context.principal.may, str(context.principal.user_id), str(widget["limit"])
    if widget["type"] == "tasks" and may("tasks", "read"):
        parameters = {"owner_id": me, "status[in]": _OPEN_TASKS, "sort": "due_at", "limit": limit}
        return _asked(context, context.registry["tasks"], parameters)
    if widget["type"] == "deals" and may("deals", "read"):
        return _asked(context, context.registry["deals"], {"owner_id": me, "status": "open", "sort": "close_date", "limit": limit})
    if widget["type"] != "view":
        return None
    view = views.get(widget["view_id"])
    resource = None if view is None else context.registry.get(view["applies_to"])
    if view is None or resource is None:
        raise NotFound()
    if not may(resource.name, "read"):
        return None
    saved = SavedQuery(check_view(context, resource, view), tuple(view["sort"]), tuple(view["columns"]))
    asked = _asked(context, resource, {"limit": limit}, saved)
    return asked if all(may(name, "read") for name in asked[1].objects) else None
