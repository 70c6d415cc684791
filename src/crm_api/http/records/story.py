"""A record's past: its history, its way through stages, and the timeline of everything around it."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import BadRequest, InvalidValue, NotFound
from crm_api.http.records.answers import json_response
from crm_api.http.records.call import Call, Endpoint, raw
from crm_api.kernel.history import history
from crm_api.kernel.query.plan import DEFAULT_PAGE, MAX_PAGE
from crm_api.kernel.reader import gone
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.stage_history import stage_history, staged
from crm_api.kernel.timeline import timeline


def page_limit(given: dict[str, str]) -> int:
    """The `limit` of a page, 1 to 200. Raises BadRequest."""
    text = given.get("limit", str(DEFAULT_PAGE))
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if not 1 <= limit <= MAX_PAGE:
        raise BadRequest(errors=[InvalidValue("max" if limit else "min", min=1, max=MAX_PAGE).at(parameter="limit")])
    return limit


def envelope(rows: Sequence[bytes], cursor: str | None) -> bytes:
    """A page that only goes forward."""
    page = orjson.dumps({"next_cursor": cursor, "prev_cursor": None, "has_more": cursor is not None})
    return b'{"data":[' + b",".join(rows) + b'],"page":' + page + b"}"


def history_endpoint(resource: AnyResource) -> Endpoint:
    """GET /v1/{object}/{id}/history."""

    @raw
    async def get_history(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "read")
        given = call.refuse_parameters(("field", "limit", "cursor"))
        if call.policy.closed(resource):
            await call.engine.reader.one(call.context, resource, call.path_id(), fields=())
        rows, cursor = await history(
            call.context, resource, call.path_id(), field=given.get("field"), cursor=given.get("cursor"), limit=page_limit(given)
        )
        return json_response(envelope(rows, cursor))

    return get_history


def timeline_endpoint(resource: AnyResource) -> Endpoint:
    """GET /v1/{object}/{id}/timeline."""

    @raw
    async def get_timeline(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "read")
        given = call.refuse_parameters(("types", "limit", "cursor"))
        record = await call.engine.reader.one(call.context, resource, call.path_id(), fields=())
        if record.deleted:
            raise gone(record)
        types = None if "types" not in given else [name for name in given["types"].split(",") if name]
        rows, cursor = await timeline(
            call.context, resource, call.path_id(), types=types, cursor=given.get("cursor"), limit=page_limit(given)
        )
        return json_response(envelope(rows, cursor))

    return get_timeline


def stage_history_endpoint(resource: AnyResource) -> Endpoint:
    """GET /v1/{object}/{id}/stage_history."""

    @raw
    async def get_stage_history(request: Request) -> Response:
        if not staged(resource):
            raise NotFound()
        call = Call.of(request)
        call.policy.require(resource.name, "read")
        given = call.refuse_parameters(("limit", "cursor"))
        record = await call.engine.reader.one(call.context, resource, call.path_id(), fields=())
        if record.deleted:
            raise gone(record)
        rows, cursor = await stage_history(call.context, resource, call.path_id(), cursor=given.get("cursor"), limit=page_limit(given))
        return json_response(envelope(rows, cursor))

    return get_stage_history
