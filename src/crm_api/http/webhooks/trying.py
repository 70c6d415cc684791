"""What of endpoints takes longer than a transaction may: a test request, and giving up a long backlog."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import StringConstraints

from crm_api.core.errors import InvalidValue, ValidationFailed
from crm_api.core.ids import uuid7_floor
from crm_api.flows.webhooks import replay, testing
from crm_api.flows.webhooks.reached import reached
from crm_api.flows.webhooks.serving import Parcel
from crm_api.http.admin import record_id
from crm_api.http.connection_test import OutsideRoute, cause_of
from crm_api.http.event_types import event_example
from crm_api.http.routing import reads
from crm_api.http.services import services_of
from crm_api.http.session import working
from crm_api.http.webhooks.shown import AT, WebhookAttempt
from crm_api.jobs.webhooks.requests import attempt_of
from crm_api.kernel import audit
from crm_api.kernel.event_catalog import event_types
from crm_api.kernel.principal import Principal
from crm_api.kernel.schema import Input, Output, Timestamp, about
from crm_api.kernel.visible import visible

OBJECT: Final = "webhook_endpoints"
router = APIRouter(route_class=OutsideRoute, tags=[OBJECT])


class WebhookTest(Input):
    """What to send."""

    event_type: Annotated[
        Annotated[str, StringConstraints(min_length=1, max_length=120)],
        about("The type of event whose example is sent; `GET /v1/event_types` lists them.", "contact.updated"),
    ]


class CancelPending(Input):
    """What to give up."""

    before: Annotated[
        Timestamp | None, about("Only what is about events before this instant; everything that waits now if left out.", AT)
    ] = None


class Cancelled(Output):
    """How much was given up."""

    cancelled: int = about("Deliveries that are now `cancelled`.", 1204)


@router.post("/v1/webhook_endpoints/{id}/test", response_model=WebhookAttempt, summary="Send a test event")
@reads
async def send_test_event(request: Request, id: str, body: WebhookTest) -> JSONResponse:
    """Sends the example of an event to the endpoint, at once and once, signed as always, with `test: true` and fresh ids, thin or in a
    batch as the endpoint wants it; paused and disabled endpoints too.

    The answer is the attempt, as the log keeps it: how the receiver answered and how long that took. It counts for nothing else. A
    receiver that fails is no error of this request: look at `succeeded`. Counts 10 against the rate limit. Needs `webhooks:write`.
    """
    services = services_of(request)
    principal: Principal = request.state.principal
    endpoint_id = record_id(id)
    cause = cause_of(request, principal)
    async with working(services, principal) as context:
        context.policy.require(OBJECT, "update")
        await reached(context, endpoint_id)
        seen = visible(context.policy, context.registry)
    kind = event_types(seen).get(body.event_type)
    if kind is None:
        raise ValidationFailed([InvalidValue("enum", allowed=sorted(event_types(seen))).at(pointer="/event_type")])
    example = await event_example(request, seen, kind)
    async with working(services, principal) as context:
        context.uow.cause = cause
        trial = await testing.prepared(context, endpoint_id, example, services.settings.api_version)
    parcel = Parcel((), (), (), str(trial.message_id), trial.body)
    attempt, _ = await attempt_of(services.egress, services.clock, trial.endpoint, trial.secrets, parcel)
    async with working(services, principal) as context:
        noted: dict[str, Any] = await testing.noted(context, endpoint_id, replace(attempt, trigger="test"))
    return JSONResponse(noted)


@router.post("/v1/webhook_endpoints/{id}/cancel-pending", response_model=Cancelled, summary="Give up what waits")
@reads
async def cancel_pending_deliveries(request: Request, id: str, body: CancelPending | None = None) -> JSONResponse:
    """Cancels the deliveries that wait for this endpoint or are to be tried again. `POST …/replay` can send them later.

    A request that is under way just then may still arrive. It is done in parts, each in a transaction of its own: if the answer gets
    lost, ask again. Counts 10 against the rate limit. Needs `webhooks:write`.
    """
    services = services_of(request)
    principal: Principal = request.state.principal
    endpoint_id = record_id(id)
    asked = None if body is None else body.given().get("before")
    before: UUID = uuid7_floor(services.clock.now() if asked is None else asked)
    cancelled, done = 0, False
    while not done:
        async with working(services, principal) as context:
            context.policy.require(OBJECT, "update")
            gone = await replay.cancel(context, endpoint_id, before)
            cancelled, done = cancelled + gone, gone < replay.CANCELLED_AT_ONCE
            if done and cancelled:
                context.uow.cause = cause_of(request, principal)
                details = {"cancelled": cancelled}
                audit.record(context, "webhook_endpoint.pending_cancelled", object=OBJECT, record_id=endpoint_id, details=details)
    return JSONResponse({"cancelled": cancelled})
