"""`/v1/webhook_deliveries` and the attempts of deliveries and endpoints: the log, as far as it is kept."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from starlette.responses import Response

from crm_api.core.errors import BadRequest, InvalidValue
from crm_api.flows.webhooks import log
from crm_api.flows.webhooks.log import Asked, Page
from crm_api.flows.webhooks.reached import reached
from crm_api.http.admin import record_id
from crm_api.http.jobs import PageQuery
from crm_api.http.records.story import envelope
from crm_api.http.routing import KernelRoute
from crm_api.http.webhooks.shown import DeliveryQuery, WebhookAttemptList, WebhookDelivery, WebhookDeliveryList
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.event_query import type_patterns

router = APIRouter(route_class=KernelRoute, tags=["webhook_endpoints"])
_OBJECT = "webhook_deliveries"


@router.get("/v1/webhook_deliveries", response_model=WebhookDeliveryList, summary="List webhook deliveries")
async def list_webhook_deliveries(context: ContextDep, query: Annotated[DeliveryQuery, Query()]) -> Response:
    """What was sent, is to be sent, or was given up: one delivery for each event and endpoint, those of the youngest events first.

    With `status=exhausted` it is the list of what never arrived. An app sees those of its own endpoints. Needs `webhooks:read`.
    """
    context.policy.require(_OBJECT, "read")
    types = None
    if query.event_type is not None:
        try:
            types = type_patterns(context.registry, [query.event_type])
        except InvalidValue as error:
            raise BadRequest(errors=[error.at(parameter="event_type")]) from None
    asked = Asked(query.endpoint_id, query.status, types, query.event_id, query.since, query.until)
    return _page(await log.deliveries(context, asked, limit=query.limit, cursor=query.cursor))


@router.get("/v1/webhook_deliveries/{id}", response_model=WebhookDelivery, summary="Get a webhook delivery")
async def get_webhook_delivery(context: ContextDep, id: str) -> JSONResponse:
    """One delivery: what became of it, and when it is tried next. Needs `webhooks:read`."""
    context.policy.require(_OBJECT, "read")
    return JSONResponse(await log.delivery(context, record_id(id)))


@router.get("/v1/webhook_deliveries/{id}/attempts", response_model=WebhookAttemptList, summary="List a delivery's attempts")
async def list_delivery_attempts(context: ContextDep, id: str, query: Annotated[PageQuery, Query()]) -> Response:
    """The requests that have carried a delivery, each with its answer, the newest first. Needs `webhooks:read`."""
    context.policy.require(_OBJECT, "read")
    delivery_id = record_id(id)
    await log.delivery(context, delivery_id)
    return _page(await log.attempts(context, limit=query.limit, cursor=query.cursor, delivery_id=delivery_id))


@router.get("/v1/webhook_endpoints/{id}/attempts", response_model=WebhookAttemptList, summary="List an endpoint's attempts")
async def list_endpoint_attempts(context: ContextDep, id: str, query: Annotated[PageQuery, Query()]) -> Response:
    """All requests to an endpoint, tests too, each with its answer, the newest first. Needs `webhooks:read`."""
    context.policy.require("webhook_endpoints", "read")
    endpoint_id = record_id(id)
    await reached(context, endpoint_id)
    return _page(await log.attempts(context, limit=query.limit, cursor=query.cursor, endpoint_id=endpoint_id))


def _page(page: Page) -> Response:
    return Response(envelope(page.rows, page.next_cursor), media_type="application/json")
