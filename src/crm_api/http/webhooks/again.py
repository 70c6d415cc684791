"""Sending again over HTTP: ranges of events as a job, single events at once, and skipping what holds up an ordered endpoint."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import MISSING, Field, StringConstraints
from starlette.responses import Response

from crm_api.core.clock import parse_timestamp
from crm_api.core.errors import InvalidCursor, InvalidValue, ValidationFailed, join_pointer
from crm_api.flows.webhooks import log, replay
from crm_api.http.accepted import accepted
from crm_api.http.admin import record_id
from crm_api.http.events import position
from crm_api.http.jobs import JobRead
from crm_api.http.routing import KernelRoute
from crm_api.http.services import services_of
from crm_api.http.webhooks.shown import AT, WebhookDelivery
from crm_api.jobs.webhooks.replay import REPLAY
from crm_api.kernel import audit
from crm_api.kernel.context import Context
from crm_api.kernel.endpoint import ContextDep, EngineDep
from crm_api.kernel.event_query import type_patterns
from crm_api.kernel.journal import decode_events_cursor, encode_events_cursor, number, since
from crm_api.kernel.schema import Input, Output, Timestamp, about

OBJECT: Final = "webhook_endpoints"
router = APIRouter(route_class=KernelRoute, tags=[OBJECT])
_Cursor = Annotated[str, StringConstraints(min_length=1, max_length=500)]
_Type = Annotated[str, StringConstraints(min_length=1, max_length=120)]


class WebhookReplay(Input):
    """What to send again: from `since` or `cursor` on."""

    since: Annotated[Timestamp | MISSING, about("Events at or after this instant, at most 34 days ago.", AT)] = MISSING
    cursor: Annotated[_Cursor | MISSING, about("Events after this cursor of the journal.", "AZk1Zm9vYmFy")] = MISSING
    until: Annotated[_Cursor | None, about("Events before this instant, or up to this cursor; up to now if left out.", AT)] = None
    event_types: Annotated[
        Annotated[list[_Type], Field(min_length=1, max_length=100)] | None,
        about("Only events of these types, of those that the endpoint asks for; `*` stands for any object or verb.", ["deal.*"]),
    ] = None
    only: Annotated[
        Literal["failed", "missing", "all"],
        about(
            "`failed`: deliveries that were given up or cancelled. `missing`: events that match the endpoint as it is now and were never "
            "meant for it. `all`: both, and what has arrived already.",
            "failed",
        ),
    ] = "failed"
    dry_run: Annotated[bool, about("Only count.", False)] = False


class ReplayCount(Output):
    """What a replay would send."""

    count: int = about("Events that would be sent.", 118)
    complete: bool = about("Whether all of the journal in question was looked at: at most 200,000 events are.", True)


class Skipped(Output):
    """What was skipped."""

    skipped: list[WebhookDelivery] = about("The delivery, or all those of the batch that it was sent in.", [])


@router.post(
    "/v1/webhook_endpoints/{id}/replay",
    status_code=202,
    response_model=JobRead,
    responses={200: {"model": ReplayCount, "description": "With `dry_run`: how many events would be sent."}},
    summary="Send events again",
)
async def replay_events(request: Request, context: ContextDep, engine: EngineDep, id: str, body: WebhookReplay) -> Response:
    """Sends events again to this endpoint, as a job. What has arrived is not sent again unless `only` is `all`; what waits already is
    left as it is. Events keep their ids, so `webhook-id` is the same as before.

    It goes by what the endpoint asks for and may be told now: types, filters, rights. Events stay in the journal for 34 days; from before
    that: 410 `cursor_expired`. A disabled endpoint: 409. Needs `webhooks:write`.
    """
    context.policy.require(OBJECT, "update")
    asked = await _asked(context, id, body)
    api_version = services_of(request).settings.api_version
    counted = await replay.count(context, engine, asked, api_version) if body.dry_run or context.uow.dry_run else None
    if counted is not None:
        return JSONResponse({"count": counted.count, "complete": counted.complete})
    await replay.count(context, engine, _nothing(asked), api_version)  # says at once why it can't be done
    org_id = context.uow.org_id
    request_ = {
        "endpoint_id": str(asked.endpoint_id),
        "cursor": encode_events_cursor(org_id, asked.after),
        "until": encode_events_cursor(org_id, asked.until),
        "event_types": None if asked.types is None else list(asked.types),
        "only": asked.only,
        "api_version": api_version,
    }
    audit.record(context, "webhook_endpoint.replayed", object=OBJECT, record_id=asked.endpoint_id, details=request_)
    return await accepted(request, context, REPLAY, request_)


@router.post(
    "/v1/webhook_endpoints/{id}/skip", response_model=Skipped, summary="Skip what holds up an endpoint", name="skip_webhook_delivery"
)
async def skip_head(context: ContextDep, id: str) -> JSONResponse:
    """Where events are sent in order, one that is refused holds up those behind it. This gives it up, and the next one is sent.

    409 if the endpoint's `ordering` is not `fifo`, or if nothing waits. Needs `webhooks:write`.
    """
    context.policy.require(OBJECT, "update")
    endpoint_id = record_id(id)
    gone = await replay.skip(context, endpoint_id)
    audit.record(context, "webhook_endpoint.skipped", object=OBJECT, record_id=endpoint_id, details={"deliveries": list(map(str, gone))})
    return JSONResponse({"skipped": [await log.delivery(context, one) for one in gone]})


@router.post(
    "/v1/events/{id}/deliveries/{endpoint_id}/resend", status_code=202, response_model=WebhookDelivery, summary="Send an event again"
)
async def resend_event(request: Request, context: ContextDep, engine: EngineDep, id: str, endpoint_id: str) -> JSONResponse:
    """Sends one event to one endpoint once more, whether or not it has arrived; one that waits is sent at once. Its `webhook-id` stays.

    404 for an event that the endpoint may not be told of, 409 for a disabled endpoint. Needs `webhooks:write`.
    """
    context.policy.require(OBJECT, "update")
    api_version = services_of(request).settings.api_version
    found = await replay.resend(context, engine, record_id(endpoint_id), record_id(id), api_version)
    return JSONResponse(await log.delivery(context, found), 202, {"Location": f"/v1/webhook_deliveries/{found}"})


async def _asked(context: Context, id: str, body: WebhookReplay) -> replay.Replay:
    given = body.given()
    if ("since" in given) == ("cursor" in given):
        mistake = InvalidValue("invalid_combination", other="cursor") if "since" in given else InvalidValue("required")
        raise ValidationFailed([mistake.at(pointer="/since")])
    types = body.event_types
    for index, name in enumerate(types or ()):
        try:
            type_patterns(context.registry, [name])
        except InvalidValue as error:
            raise ValidationFailed([error.at(pointer=join_pointer("event_types", index))]) from None
    head = (await number(context.uow)).head
    start: Any = given["since"] if "since" in given else _seq(context, given["cursor"], "cursor")
    after = await position(context, start, head, default="oldest")
    until = head if body.until is None else await _until(context, body.until, head)
    return replay.Replay(record_id(id), after, max(until, after), body.only, None if types is None else tuple(types))


async def _until(context: Context, text: str, head: int) -> int:
    try:
        at = parse_timestamp(text)
    except InvalidValue:
        return min(_seq(context, text, "until"), head)
    return await since(context.uow, at, head)


def _seq(context: Context, text: str, member: str) -> int:
    try:
        return decode_events_cursor(context.uow.org_id, text)
    except InvalidCursor as problem:
        raise ValidationFailed([InvalidValue("invalid_cursor", reason=problem.reason).at(pointer=f"/{member}")]) from None


def _nothing(asked: replay.Replay) -> replay.Replay:
    return replay.Replay(asked.endpoint_id, asked.until, asked.until, asked.only)


__all__ = ["router"]
