"""`/v1/event_consumers`: places in the journal that are remembered under a name."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import MISSING, BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from crm_api.core.errors import BadRequest, FieldError, InvalidCursor, InvalidValue, ValidationFailed
from crm_api.core.etag import write_etag
from crm_api.http.admin import require_admin
from crm_api.http.events import Start, position
from crm_api.http.records.answers import read_tag
from crm_api.http.records.call import Call
from crm_api.http.routing import KernelRoute
from crm_api.kernel import event_consumers
from crm_api.kernel.context import Context
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.event_consumers import MAX_CONSUMERS, Consumer, Owner
from crm_api.kernel.journal import decode_events_cursor, number, oldest
from crm_api.kernel.schema import Input, Output, Timestamp, Uuid, about

router = APIRouter(route_class=KernelRoute, tags=["events"])

_CURSOR = "AZk1Zm9vYmFy"
_AT = "2026-11-22T03:31:00.000000Z"
_USER = "01976f6e-8a00-7000-8000-000000000001"
_JournalCursor = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class ConsumerCommit(Input):
    """How far a consumer has come."""

    cursor: _JournalCursor = about("The `next_cursor` of the page, or the stream's `id:`, up to which everything is dealt with.", _CURSOR)


class ConsumerSeek(Input):
    """Where a consumer is to go on: at a cursor, or at an instant."""

    cursor: Annotated[_JournalCursor | MISSING, about("A journal cursor, `now`, or `oldest`.", "oldest")] = MISSING
    since: Annotated[Timestamp | MISSING, about("The first event at or after this instant will be the next one.", _AT)] = MISSING


class EventConsumer(Output):
    """A place in the journal under a name."""

    object: str = about("Always `event_consumers`.", "event_consumers")
    name: str = about("Its name.", "billing-sync")
    version: int = about("Rises each time it moves; the number in front of the dot in `ETag`.", 12)
    cursor: str = about("Where it stands: `GET /v1/events?consumer={name}` reads on from here.", _CURSOR)
    lag: int = about("How many events of the organisation come after it, those that its reader isn't told of among them.", 3)
    expired: bool = about("Whether events after it are no longer kept, so that reading from it is 410: seek `oldest`, or load anew.", False)
    user_id: UUID = about("Whose it is.", _USER)
    app_id: UUID | None = about("The app that it belongs to, within what this user has granted it; null for tokens made by hand.", None)
    created_at: str = about("When it was made.", _AT)
    updated_at: str = about("When it last moved.", _AT)


class EventConsumerPage(Output):
    """Consumers by name; all fit on one page."""

    data: Annotated[list[EventConsumer], Field(description="By name.", max_length=MAX_CONSUMERS)]
    page: Annotated[dict[str, Any], about("The list envelope's page.", {"next_cursor": None, "prev_cursor": None, "has_more": False})]


class ConsumerListQuery(BaseModel):
    """Whose."""

    model_config = ConfigDict(extra="forbid")

    everyone: Annotated[bool, Field(description="All of the organisation's, for administrators.", examples=[True])] = False


class ConsumerOwnerQuery(BaseModel):
    """Somebody else's, for administrators."""

    model_config = ConfigDict(extra="forbid")

    user_id: Annotated[Uuid | None, Field(description="The user whose it is; the caller if left out.", examples=[_USER])] = None
    app_id: Annotated[Uuid | None, Field(description="The app that it belongs to.", examples=[_USER])] = None


@router.get("/v1/event_consumers", response_model=EventConsumerPage, summary="List event consumers")
async def list_event_consumers(context: ContextDep, query: Annotated[ConsumerListQuery, Query()]) -> Response:
    """The consumers of the calling user, or of the calling app. With `everyone=true` those of all users and apps, which needs the
    scope `admin`.
    """
    _require(context)
    if query.everyone:
        require_admin(context)
    head, first = await _ends(context)
    found = await event_consumers.listed(context, everyone=query.everyone)
    page = {"next_cursor": None, "prev_cursor": None, "has_more": False}
    return JSONResponse({"data": [one.json(context.uow.org_id, head, first) for one in found], "page": page})


@router.get("/v1/event_consumers/{name}", response_model=EventConsumer, summary="Get an event consumer")
async def get_event_consumer(request: Request, context: ContextDep, name: str, query: Annotated[ConsumerOwnerQuery, Query()]) -> Response:
    """Where a consumer stands, and how far it is behind. Administrators name others' by `user_id` and `app_id`. Honours
    `If-None-Match`.
    """
    _require(context)
    owner = _owner(context, query)
    call = Call.of(request)
    head, first = await _ends(context)
    found = await event_consumers.get(context, name, owner)
    body = orjson.dumps(found.json(context.uow.org_id, head, first))
    tag = read_tag(call, found.version, body)
    condition = call.if_none_match()
    if condition is not None and condition.matches_tag(tag):
        return Response(status_code=304, headers={"etag": tag})
    return Response(body, 200, {"etag": tag}, "application/json")


@router.post("/v1/event_consumers/{name}/commit", response_model=EventConsumer, summary="Commit a place in the journal")
async def commit_event_consumer(request: Request, context: ContextDep, name: str, body: ConsumerCommit) -> Response:
    """Remembers that everything up to `cursor` is dealt with; the first commit makes the consumer.

    It only ever goes forward: where the consumer is further already (another process has committed), the answer is 409 `conflict` with
    the present `cursor`. The same cursor once more changes nothing. A name has letters, digits, `.`, `-` and `_`, at most 80. An
    organisation has up to 100 consumers. With `If-Match` it moves only if nobody has moved it meanwhile (412).
    """
    _require(context)
    return await _move(request, context, name, _decoded(context, body.cursor), backwards=False)


@router.post("/v1/event_consumers/{name}/seek", response_model=EventConsumer, summary="Move a consumer anywhere")
async def seek_event_consumer(request: Request, context: ContextDep, name: str, body: ConsumerSeek) -> Response:
    """Sets where the consumer goes on, forward or back: at a cursor, at the `oldest` event that is kept, after the last one (`now`),
    or at an instant. The first time makes it. What was read before is read again after going back.
    """
    _require(context)
    given = body.given()
    if len(given) != 1:
        mistake = InvalidValue("invalid_combination", other="cursor") if given else InvalidValue("required")
        raise ValidationFailed([mistake.at(pointer="/since" if given else "/cursor")])
    start: Start = given.get("since")
    if "cursor" in given:
        text = given["cursor"]
        start = text if text in ("now", "oldest") else _decoded(context, text)
    return await _move(request, context, name, start, backwards=True)


@router.delete("/v1/event_consumers/{name}", status_code=204, response_class=Response, summary="Delete an event consumer")
async def delete_event_consumer(
    request: Request, context: ContextDep, name: str, query: Annotated[ConsumerOwnerQuery, Query()]
) -> Response:
    """Forgets a consumer and its place. Administrators name others' by `user_id` and `app_id`."""
    _require(context)
    owner = _owner(context, query)
    await event_consumers.forget(context, name, owner, condition=Call.of(request).if_match())
    return Response(status_code=204)


def _require(context: Context) -> None:
    context.policy.require("events", "read")


def _owner(context: Context, query: ConsumerOwnerQuery) -> Owner | None:
    if query.user_id is None and query.app_id is None:
        return None
    owner = Owner(query.user_id or context.principal.user_id, query.app_id)
    if owner != Owner.of(context):
        require_admin(context)
    return owner


async def _ends(context: Context) -> tuple[int, int]:
    """The journal's last number, and the one before its oldest readable event."""
    await context.uow.writable()  # giving journal numbers writes
    head = (await number(context.uow)).head
    return head, await oldest(context.uow, head)


def _decoded(context: Context, text: str) -> int:
    """The number in a cursor that stands in a body."""
    try:
        return decode_events_cursor(context.uow.org_id, text)
    except InvalidCursor as problem:
        raise ValidationFailed([FieldError("invalid_cursor", pointer="/cursor", params={"reason": problem.reason})]) from None


async def _move(request: Request, context: Context, name: str, start: Start, *, backwards: bool) -> Response:
    if not event_consumers.is_name(name):
        raise BadRequest(errors=[InvalidValue("pattern", pattern=event_consumers.NAME).at(parameter="name")])
    head, first = await _ends(context)
    seq = await position(context, start, head, default="now")
    moved: Consumer
    moved, outcome = await event_consumers.move(context, name, seq, backwards=backwards, condition=Call.of(request).if_match())
    headers = {"etag": write_etag(moved.version), "x-outcome": outcome}
    return JSONResponse(moved.json(context.uow.org_id, head, first), headers=headers)
