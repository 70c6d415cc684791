"""`/v1/webhook_endpoints/{id}/secret`: the keys that an endpoint's requests are signed with."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from crm_api.core.errors import BadRequest
from crm_api.flows.webhooks import keys
from crm_api.http.admin import record_id
from crm_api.http.connection_test import cause_of
from crm_api.http.idempotency import SECRET_HEADER
from crm_api.http.routing import JOINED, KernelRoute
from crm_api.http.webhooks.shown import WebhookSecret
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.schema import Input, about

router = APIRouter(route_class=KernelRoute, tags=["webhook_endpoints"])
_FRESH = {"Cache-Control": "no-store"}


class SecretRotate(Input):
    """What kind of key to make anew, and how long the old one goes on."""

    grace_seconds: Annotated[
        Annotated[int, Field(ge=0, le=keys.MAX_GRACE_S)],
        about("For how long keys of this kind that signed before go on signing beside the new one: 0 to 604800 (a week).", 86400),
    ] = 86_400
    type: Annotated[
        Literal["v1", "v1a"],
        about("`v1`: the shared secret. `v1a`: an Ed25519 key beside it, made when it is first asked for.", "v1"),
    ] = "v1"


@router.get("/v1/webhook_endpoints/{id}/secret", response_model=WebhookSecret, summary="Show an endpoint's secret")
async def get_webhook_secret(request: Request, context: ContextDep, id: str) -> JSONResponse:
    """The secret with which a receiver checks `webhook-signature`, and all keys that sign at the moment. The audit log keeps who asked.

    Needs the scope `webhooks:write`, and to be the one who made the endpoint, or an administrator. An app sees its own endpoints only.
    """
    context.policy.require("webhook_endpoints", "update")
    context.uow.cause = cause_of(request, context.principal)
    return JSONResponse(await keys.shown(context, record_id(id)), headers=_FRESH)


@router.post("/v1/webhook_endpoints/{id}/secret/rotate", response_model=WebhookSecret, summary="Rotate an endpoint's secret")
async def rotate_webhook_secret(request: Request, context: ContextDep, id: str, body: SecretRotate | None = None) -> JSONResponse:
    """Makes a new key. For `grace_seconds` requests carry signatures of the old one too, so that a receiver can change over without losing
    any; with 0 the old one ends at once.

    `v1` and `v1a` keys are apart: a `v1` key always signs, a `v1a` key beside it once there is one. No more than five keys sign at one
    time (403 `limit_exceeded`). Raises the event `webhook_endpoint.secret_rotated`. Needs the scope `webhooks:write`, and to be the one
    who made the endpoint, or an administrator.
    """
    context.policy.require("webhook_endpoints", "update")
    if JOINED in request.scope:  # its event is about the record, of which a transaction makes one
        raise BadRequest("This can't be part of a composite request.")
    asked = body or SecretRotate()
    found = await keys.rotated(context, record_id(id), asked.type, asked.grace_seconds)
    if context.uow.dry_run:
        found = {**found, "secret": None, "public_key": None}
    return JSONResponse(found, headers={**_FRESH, SECRET_HEADER: "secret"})
