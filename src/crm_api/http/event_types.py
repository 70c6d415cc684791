"""`/v1/event_types`: the catalogue of events, as far as the caller may know of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Path, Query, Request
from pydantic import MISSING, Field
from starlette.responses import Response

from crm_api.core.cursor import decode_cursor, encode_cursor, query_digest
from crm_api.core.errors import BadRequest, InvalidCursor, InvalidValue, NotFound
from crm_api.core.etag import body_etag
from crm_api.http.meta.descriptions import Descriptions, descriptions_of, unchanged
from crm_api.http.meta.jsonschema import DIALECT, complete
from crm_api.http.openapi.event_schemas import alone, example, full_schema, thin_example, thin_schema, titled
from crm_api.http.openapi.tenant.base import Base
from crm_api.http.openapi.tenant.objects import visible_schemas
from crm_api.http.records.story import envelope
from crm_api.http.routing import JOINED, KernelRoute
from crm_api.kernel.context import Context
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.event_catalog import EventType, event_types
from crm_api.kernel.schema import JsonObject, Output, about
from crm_api.kernel.visible import Visible, visible

router = APIRouter(route_class=KernelRoute, tags=["events"])

NAME: Final = "event_types"
INCLUDES: Final = ("schema", "example")
MAX_PAGE: Final = 200
_KEY: Final = b"event_types"  # names of types are no secret from those who may list them: only tells a damaged cursor from a whole one
_MEMBERS: Final = {"type": {"const": "deal.updated"}, "object": {"const": "deals"}, "version": {"type": "integer"}}
_SCHEMA: Final = {"$schema": DIALECT, "type": "object", "properties": _MEMBERS}
_EVENT: Final = {"type": "deal.updated", "object": "deals", "version": 7}
UNCHANGED: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "It is still what `If-None-Match` names."}}


class EventTypeRead(Output):
    """A type of event."""

    object: Annotated[str, about("Always `event_types`.", NAME)]
    type: Annotated[str, about("The type, as `type` of an event says it, and as `event_types` of an endpoint names it.", "deal.updated")]
    object_name: Annotated[str, about("The object of its events.", "deals")]
    title: Annotated[str, about("What has happened, in a few words.", "A deal was changed")]
    description: Annotated[str, about("What its events tell.", "`changes` lists the changed fields.")]
    version: Annotated[int, about("Rises if the shape changes other than by additions.", 1)]
    deprecated: Annotated[bool, about("Whether it will go some day.", False)]
    schema_: Annotated[
        JsonObject | MISSING,
        Field(alias="schema"),
        about("The JSON Schema (2020-12) of its events, complete in itself. Of single types, and with `include=schema`.", _SCHEMA),
    ] = MISSING
    thin_schema: Annotated[JsonObject | MISSING, about("The same for endpoints with `payload` `thin`.", _SCHEMA)] = MISSING
    example: Annotated[JsonObject | MISSING, about("An event. Of single types, and with `include=example`.", _EVENT)] = MISSING
    thin_example: Annotated[JsonObject | MISSING, about("The same event for endpoints with `payload` `thin`.", _EVENT)] = MISSING


class EventTypeList(Output):
    """Types of events."""

    data: Annotated[list[EventTypeRead], Field(description="In the order of objects, the verbs of each together.")]
    page: Annotated[JsonObject, about("Where the list goes on.", {"next_cursor": None, "prev_cursor": None, "has_more": False})]


def _require(context: Context) -> Visible:
    """What the caller may know of, for those who may read events or webhooks. Raises InsufficientScope or Forbidden."""
    if not context.policy.may("webhooks", "read"):
        context.policy.require("events", "read")
    return visible(context.policy, context.registry)


async def _ended(context: Context, request: Request) -> None:
    if request.scope.get(JOINED) is None:
        await context.uow.commit()


@router.get(
    "/v1/event_types", name="list_event_types", response_model=EventTypeList, responses=UNCHANGED, summary="List the types of events"
)
async def list_event_types(
    context: ContextDep,
    request: Request,
    object: Annotated[str | None, Query(description="Only types of this object's events.", examples=["deals"])] = None,
    include: Annotated[
        str, Query(description="What comes with each: `schema`, `example`, separated by commas.", examples=["example"])
    ] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Types on a page.")] = MAX_PAGE,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Response:
    """Every type of event that the organisation can have, as far as you may know of its objects: those of its own ones too.

    These are the types that `event_types` of journal, stream and webhook endpoints take, beside wildcards (`deal.*`, `*.deleted`, `*`).
    Needs the scope `events:read` or `webhooks:read`.
    """
    seen = _require(context)
    words = [word for word in include.split(",") if word]
    if any(word not in INCLUDES for word in words):
        raise BadRequest(errors=[InvalidValue("enum", allowed=list(INCLUDES)).at(parameter="include")])
    known = event_types(seen)
    objects = list(dict.fromkeys(kind.object for kind in known.values()))
    if object is not None and object not in objects:
        raise BadRequest(errors=[InvalidValue("enum", allowed=objects).at(parameter="object")])
    kinds = [kind for kind in known.values() if object is None or kind.object == object]
    digest = query_digest(object)
    start = 0 if cursor is None else _after(cursor, digest, kinds)
    chosen = kinds[start : start + limit]
    more = start + limit < len(kinds)
    kept = descriptions_of(request)
    await _ended(context, request)
    rows = []
    for kind in chosen:
        shown = _described(kind, seen)
        if words:
            whole = await _whole(kept, request, seen, kind)
            shown |= {name: whole[name] for word in words for name in (word, f"thin_{word}")}
        rows.append(orjson.dumps(shown))
    body = envelope(rows, encode_cursor(_KEY, NAME, digest, [chosen[-1].name]) if more else None)
    return _answer(request, body)


@router.get("/v1/event_types/{type}", name="get_event_type", response_model=EventTypeRead, responses=UNCHANGED, summary="Get an event type")
async def get_event_type(
    context: ContextDep, request: Request, type: Annotated[str, Path(description="The type.", examples=["deal.updated"])]
) -> Response:
    """One type with the JSON Schema of its events and an example: whole ones, as in journal, stream and webhooks, and thin ones.

    The organisation's own fields are typed members, those that you may not see are absent. The schema is about what happens from now
    on: events from before a field was changed hold what it was then. Needs the scope `events:read` or `webhooks:read`.
    """
    seen = _require(context)
    kind = event_types(seen).get(type)
    if kind is None:
        raise NotFound()
    kept = descriptions_of(request)
    await _ended(context, request)
    return _answer(request, orjson.dumps({**_described(kind, seen), **await _whole(kept, request, seen, kind)}))


def _after(cursor: str, digest: str, kinds: list[EventType]) -> int:
    """Where a page goes on: behind the type that the one before ended with."""
    values = decode_cursor(_KEY, NAME, digest, cursor)
    names = [kind.name for kind in kinds]
    if len(values) != 1 or values[0] not in names:
        raise InvalidCursor("malformed")
    return names.index(str(values[0])) + 1


def _answer(request: Request, body: bytes) -> Response:
    headers = {"ETag": body_etag(body)}
    if unchanged(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def _described(kind: EventType, seen: Visible) -> dict[str, Any]:
    return {
        "object": NAME,
        "type": kind.name,
        "object_name": kind.object,
        "title": titled(kind, seen.get(kind.object)),
        "description": kind.description,
        "version": kind.version,
        "deprecated": kind.deprecated,
    }


async def _whole(kept: Descriptions, request: Request, seen: Visible, kind: EventType) -> Mapping[str, Any]:
    """Schemas and examples of a type, made together with those of the object's other types and kept."""
    base, _ = await kept.base(request)
    entry = await kept.entry((NAME, seen.key, kind.object), lambda: _compiled(base, seen, kind.object))
    found: Mapping[str, Any] = orjson.loads(entry.body)[kind.name]
    return found


async def event_example(request: Request, seen: Visible, kind: EventType) -> Mapping[str, Any]:
    """A whole event of a type, as somebody knows it who may know of `seen`."""
    found: Mapping[str, Any] = (await _whole(descriptions_of(request), request, seen, kind))["example"]
    return found


def _compiled(base: Base, seen: Visible, name: str) -> bytes:
    registry, schemas = visible_schemas(base, seen, {name})
    resource = registry.get(name)
    if resource is not None:
        alone(schemas, registry, resource)
    found = {}
    for kind in event_types(seen).values():
        if kind.object != name:
            continue
        address, whole = f"/v1/{NAME}/{kind.name}", example(kind, resource, schemas)
        found[kind.name] = {
            "schema": complete(full_schema(kind, resource, schemas), schemas, address, kind.name),
            "thin_schema": complete(thin_schema(kind, resource, schemas), schemas, f"{address}?payload=thin", f"{kind.name} (thin)"),
            "example": whole,
            "thin_example": thin_example(whole),
        }
    return orjson.dumps(found)
