"""How an endpoint stands and has done, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import BadRequest, InvalidValue
from crm_api.flows.webhooks import health
from crm_api.http.admin import record_id
from crm_api.http.routing import KernelRoute
from crm_api.http.webhooks.shown import StatsQuery, WebhookHealth, WebhookStats
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.journal import READABLE

router = APIRouter(route_class=KernelRoute, tags=["webhook_endpoints"])


@router.get("/v1/webhook_endpoints/{id}/health", response_model=WebhookHealth, summary="How an endpoint stands")
async def get_webhook_health(context: ContextDep, id: str) -> JSONResponse:
    """What waits, whether it fails and since when, and how far behind the journal it is. Needs `webhooks:read`."""
    context.policy.require("webhook_endpoints", "read")
    return JSONResponse(await health.health(context, record_id(id)))


@router.get("/v1/webhook_endpoints/{id}/stats", response_model=WebhookStats, summary="How an endpoint has done")
async def get_webhook_stats(context: ContextDep, id: str, query: Annotated[StatsQuery, Query()]) -> JSONResponse:
    """Deliveries by status, attempts, their success and how long they took, in all and by the hour or day. Needs `webhooks:read`."""
    context.policy.require("webhook_endpoints", "read")
    now = context.uow.clock.now()
    since = now - timedelta(days=1) if query.since is None else query.since
    if since < now - READABLE:
        oldest = format_timestamp(now - READABLE)
        raise BadRequest(errors=[InvalidValue("min", min=oldest).at(parameter="since")])
    return JSONResponse(await health.stats(context, record_id(id), since, query.interval))
