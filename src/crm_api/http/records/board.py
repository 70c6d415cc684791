"""GET /v1/{object}/board and POST /v1/{object}/{id}/move: the records of any object as cards in columns."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote_plus
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import BadRequest, FieldError, InvalidValue, NotFound, UnknownParameter, ValidationFailed
from crm_api.core.ids import parse_uuid
from crm_api.http.records.answers import json_response, write_answer
from crm_api.http.records.call import Call, Endpoint, raw
from crm_api.http.records.saved import view_of_query
from crm_api.kernel.board import BoardColumns, columns_of, default_group, groupable, sums_of
from crm_api.kernel.board_move import Move, move_card
from crm_api.kernel.board_page import BoardQuery, Column, read_board
from crm_api.kernel.journal import encode_events_cursor
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.saved_views import SavedView

OWN: Final = ("group_by", "column", "sums")
REFUSED: Final = ("sort", "count", "deleted", "since", "as_of", "consistent")
CONTROL: Final = ("to", "from", "before_id", "after_id")
PARAMETERS: Final = ("group_by", "column", "sums", "limit", "cursor", "fields", "expand", "include", "filter", "view_id")


def board_endpoint(resource: AnyResource) -> Endpoint:
    """GET /v1/{object}/board."""

    @raw
    async def get_board(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "read")
        view = await view_of_query(call, resource)
        own, rest = _split(call.query)
        columns = _columns(call, resource, own.get("group_by") or (None if view is None else view.group_by))
        parent_name = None if columns.parent is None else columns.parent.name
        parent, rest = _parent(rest, parent_name)
        for name, _ in rest:
            if name in REFUSED:
                raise UnknownParameter(name, [*PARAMETERS, *([parent_name] if parent_name else [])])
        names = [name for name, _ in rest]
        if "cursor" in names and "column" not in own:
            raise BadRequest(errors=[FieldError("required", parameter="column")])
        asked = call.engine.reader.list_request(
            call.context,
            resource,
            "&".join(pair for _, pair in rest),
            call.locale(),
            events_seq=call.events_seq,
            saved=None if view is None else view.query,
        )
        behind = (columns.target, _parent_object(call, columns))
        call.policy.require_read((*asked.objects, *(found.name for found in behind if found is not None)))
        query = BoardQuery(asked, columns, _sums(resource, own.get("sums"), view), parent, own.get("column"))
        labels = call.labels() if asked.plan.labels else None
        found, head = await read_board(call.context, call.engine.reader, resource, query, labels=labels)
        if not found and "column" in own:
            raise BadRequest(errors=[FieldError("not_found_reference", parameter="column")])
        if not found:
            raise NotFound("There is nothing that makes columns: no such pipeline, or it has no stages.")
        cursor = encode_events_cursor(call.context.principal.org_id, head)
        parts = b",".join(_shown(column, cursor) for column in found)
        return json_response(b'{"columns":[' + parts + b'],"page":' + orjson.dumps({"events_cursor": cursor}) + b"}")

    return get_board


def _split(raw_query: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The board's own parameters, and the rest as they were sent, by name."""
    own: dict[str, str] = {}
    rest: list[tuple[str, str]] = []
    for pair in raw_query.split("&"):
        name, _, value = pair.partition("=")
        name = unquote_plus(name)
        if name in OWN:
            if name in own:
                raise BadRequest(errors=[FieldError("repeated_parameter", parameter=name)])
            own[name] = unquote_plus(value)
        elif pair:
            rest.append((name, pair))
    return own, rest


def _parent(rest: list[tuple[str, str]], name: str | None) -> tuple[UUID | None, list[tuple[str, str]]]:
    """The record whose columns are asked for (`pipeline_id`), which also confines the cards."""
    given = next((pair for found, pair in rest if found == name), None)
    if name is None or given is None:
        return None, rest
    found = parse_uuid(unquote_plus(given.partition("=")[2]))
    if found is None:
        raise BadRequest(errors=[FieldError("invalid_uuid", parameter=name)])
    return found, [(other, pair) for other, pair in rest if other != name]


def _columns(call: Call, resource: AnyResource, name: str | None) -> BoardColumns:
    registry = call.context.registry
    if name is None:
        name = default_group(registry, resource)
        if name is None:
            raise BadRequest(errors=[InvalidValue("required", allowed=groupable(registry, resource)).at(parameter="group_by")])
    columns = columns_of(registry, resource, name)
    if columns is None:
        raise BadRequest(errors=[FieldError("enum", parameter="group_by", allowed=groupable(registry, resource))])
    return columns


def _parent_object(call: Call, columns: BoardColumns) -> AnyResource | None:
    target = None if columns.parent is None else columns.parent.spec.target
    return None if target is None else call.context.registry[target]


def _sums(resource: AnyResource, given: str | None, view: SavedView | None) -> dict[str, Any]:
    if given is None:
        return sums_of(resource, view.sums if view is not None and view.sums else None)
    names = tuple(name for name in given.split(",") if name)
    found = sums_of(resource, names)
    if len(found) < len(set(names)):
        allowed = list(sums_of(resource, tuple(resource.all_fields)))
        raise BadRequest(errors=[FieldError("enum", parameter="sums", allowed=allowed)])
    return found


def _shown(column: Column, events_cursor: str) -> bytes:
    head = {"key": column.key, "label": column.label, "count": column.count, "sums": column.sums}
    page = {
        "next_cursor": column.next_cursor,
        "prev_cursor": None,
        "has_more": column.next_cursor is not None,
        "events_cursor": events_cursor,
    }
    return orjson.dumps(head)[:-1] + b',"data":[' + column.data + b'],"page":' + orjson.dumps(page) + b"}"


def move_endpoint(resource: AnyResource) -> Endpoint:
    """POST /v1/{object}/{id}/move."""

    @raw
    async def move(request: Request) -> Response:
        call = Call.of(request)
        return await moved(call, resource, await call.json())

    return move


async def moved(call: Call, resource: AnyResource, body: Any) -> Response:
    """Moves the record of the path as the body says."""
    call.policy.require(resource.name, "update")
    options = call.answer_options(resource, ("dry_run", "group_by"))
    call.flag(options, "dry_run")
    columns = _columns(call, resource, options.others.get("group_by"))
    wanted, fields = _move(body)
    outcome = await move_card(call.context, resource, columns, call.path_id(), wanted, fields, call.expected_version())
    return await write_answer(call, resource, outcome, options)


def _move(body: Any) -> tuple[Move, dict[str, Any]]:
    if not isinstance(body, dict):
        raise ValidationFailed([InvalidValue("invalid_body", expected="object").at(pointer="")])
    errors: list[FieldError] = []
    for name in ("to", "from"):
        if not isinstance(body.get(name), str | None):
            errors.append(InvalidValue("type", expected="string").at(pointer=f"/{name}"))
    if "to" not in body:
        errors.append(FieldError("required", pointer="/to"))
    ids: dict[str, UUID | None] = {"before_id": None, "after_id": None}
    for name in ids:
        if body.get(name) is not None:
            ids[name] = parse_uuid(body[name]) if isinstance(body[name], str) else None
            if ids[name] is None:
                errors.append(FieldError("invalid_uuid", pointer=f"/{name}"))
    if errors:
        raise ValidationFailed(errors)
    fields = {name: value for name, value in body.items() if name not in CONTROL}
    return Move(body["to"], body.get("from"), "from" in body, ids["before_id"], ids["after_id"]), fields


__all__ = ["board_endpoint", "move_endpoint", "moved"]
