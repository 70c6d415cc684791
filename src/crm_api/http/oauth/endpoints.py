"""What clients call beside the token endpoint: revocation, introspection, pushed requests, the beginning of the device flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from crm_api.db.uow import Actor
from crm_api.flows.oauth import authorizing, devices, inspecting, pushed
from crm_api.flows.oauth.authorizing import Refused, one
from crm_api.flows.oauth.clients import DEVICE, Client, audience_of, require_grant_type, scopes_of
from crm_api.flows.oauth.errors import invalid_client, invalid_request
from crm_api.http.oauth import described, limits
from crm_api.http.oauth.wire import OAuthRoute, address, answer, authenticated, in_organization, read_parameters, resources_of
from crm_api.http.origin import issuer_of
from crm_api.http.services import services_of

router = APIRouter(route_class=OAuthRoute, tags=["oauth"])
_SECRETS = ("client_secret",)


@router.post(
    "/oauth/revoke",
    operation_id="oauth_revoke",
    response_model=described.RevocationAnswer,
    summary="Revoke a token",
    **described.form(described.TokenQueryForm),
)
async def revoke(request: Request) -> Response:
    """Ends a token of the calling app (RFC 7009). A refresh token ends its whole grant. Tokens that are unknown, or another app's, get
    the same answer.
    """
    client, row = await _asked_about(request)
    if row is not None:
        async with in_organization(request, row["org_id"], Actor("app", client.id)) as uow:
            await inspecting.revoke(uow, row)
    return answer({})  # nothing to tell; but some clients take no answer that is not JSON


@router.post(
    "/oauth/introspect",
    operation_id="oauth_introspect",
    response_model=described.IntrospectionAnswer,
    summary="Look into a token",
    **described.form(described.TokenQueryForm),
)
async def introspect(request: Request) -> Response:
    """Tells a confidential app about a token of its own (RFC 7662). All others are `{"active": false}`, whatever they are."""
    client, row = await _asked_about(request, confidential=True)
    if row is None:
        return answer(inspecting.INACTIVE)
    services, issuer = services_of(request), issuer_of(request)
    async with in_organization(request, row["org_id"], Actor("app", client.id)) as uow:
        return answer(await inspecting.introspect(uow, client, row, issuer, issuer, services.clock))


@router.post(
    "/oauth/par",
    operation_id="oauth_push_authorization",
    status_code=201,
    response_model=described.PushedAnswer,
    summary="Push an authorization request",
    **described.form(described.AuthorizationForm),
)
async def push(request: Request) -> Response:
    """Takes an authorization request from the app itself (RFC 9126), so that nobody on the way through the browser can change it. What
    would be wrong with it is told here.
    """
    _, parameters = await read_parameters(request)
    client = await authenticated(request, parameters)
    if client.public:
        await limits.count(services_of(request), limits.BEGINNINGS, address(request))
    if "request_uri" in parameters:
        raise invalid_request("request_uri can't be pushed itself.")
    services = services_of(request)
    parameters["client_id"] = [str(client.id)]
    try:
        authorizing.read(client, parameters, resources_of(request, services))
    except Refused as refused:
        raise refused.error from None
    kept = [(name, value) for name, values in parameters.items() if name not in _SECRETS for value in values]
    async with services.database.connection() as connection:
        request_uri = await pushed.push(connection, services.clock, client, urlencode(kept))
    return answer({"request_uri": request_uri, "expires_in": int(pushed.LIFE.total_seconds())}, 201)


@router.post(
    "/oauth/device_authorization",
    operation_id="oauth_authorize_device",
    response_model=described.DeviceAnswer,
    summary="Begin the device flow",
    **described.form(described.DeviceForm),
)
async def device_authorization(request: Request) -> Response:
    """Gives a program without a browser two codes (RFC 8628): one to show to its person, one to ask the token endpoint with."""
    _, parameters = await read_parameters(request)
    client = await authenticated(request, parameters)
    require_grant_type(client, DEVICE)
    if client.public:
        await limits.count(services_of(request), limits.BEGINNINGS, address(request))
    services, issuer = services_of(request), issuer_of(request)
    scopes = scopes_of(one(parameters, "scope"), client.scopes)
    resources = resources_of(request, services)
    audience = audience_of(parameters.get("resource", ()), resources.ours, resources.others)
    async with services.database.connection() as connection:
        device_code, user_code = await devices.begin(connection, services.clock, client, scopes, audience)
    return answer(
        {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": f"{issuer}/oauth/device",
            "verification_uri_complete": f"{issuer}/oauth/device?user_code={quote(user_code)}",
            "expires_in": int(devices.LIFE.total_seconds()),
            "interval": devices.INTERVAL,
        }
    )


async def _asked_about(request: Request, *, confidential: bool = False) -> tuple[Client, Mapping[str, Any] | None]:
    """The client that asks, and the row of the token it asks about; None for one that is not its own."""
    _, parameters = await read_parameters(request)
    client = await authenticated(request, parameters)
    if confidential and client.public:
        raise invalid_client("Only confidential clients may look into tokens.")
    token = one(parameters, "token")
    if token is None:
        raise invalid_request("token is missing.")
    async with services_of(request).database.connection() as connection:
        return client, await inspecting.owned(connection, token, client)
