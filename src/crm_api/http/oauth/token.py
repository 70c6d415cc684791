"""`POST /oauth/token`: codes, refresh tokens, device codes and client secrets become access tokens (RFC 6749 3.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from crm_api.db.uow import Actor
from crm_api.flows.oauth import devices, own, redeeming, refreshing
from crm_api.flows.oauth.authorizing import one
from crm_api.flows.oauth.clients import CLIENT, CODE, DEVICE, REFRESH, Client, audience_of, require_grant_type, scopes_of
from crm_api.flows.oauth.errors import OAuthError, invalid_request
from crm_api.http.oauth import described
from crm_api.http.oauth.wire import (
    OAuthRoute,
    Parameters,
    answer,
    authenticated,
    in_organization,
    lifetimes_of,
    read_parameters,
    resources_of,
)
from crm_api.http.services import services_of

router = APIRouter(route_class=OAuthRoute, tags=["oauth"])

Outcome = Mapping[str, Any] | OAuthError


@router.post(
    "/oauth/token",
    operation_id="oauth_token",
    response_model=described.TokenAnswer,
    summary="Get tokens",
    **described.form(described.TokenForm),
)
async def token(request: Request) -> Response:
    """Gives tokens for a code (`authorization_code`, always with PKCE), a refresh token (`refresh_token`), a device code
    (`urn:ietf:params:oauth:grant-type:device_code`), or to an app that acts as itself (`client_credentials`).

    Confidential apps authenticate with `client_secret_basic` or `client_secret_post`, public ones send `client_id` alone. Errors
    are those of RFC 6749, section 5.2.
    """
    arrived = services_of(request).clock.now()
    _, parameters = await read_parameters(request)
    grant_type = one(parameters, "grant_type")
    if grant_type is None:
        raise invalid_request("grant_type is missing.")
    redeem = _KINDS.get(grant_type)
    if redeem is None:
        raise OAuthError("unsupported_grant_type", f"grant_type is one of {', '.join(_KINDS)}.")
    client = await authenticated(request, parameters)
    require_grant_type(client, grant_type)
    outcome = await redeem(request, client, parameters, arrived)
    if isinstance(outcome, OAuthError):
        raise outcome
    return answer(outcome)


def _required(parameters: Parameters, name: str) -> str:
    value = one(parameters, name)
    if value is None:
        raise invalid_request(f"{name} is missing.")
    return value


def _audience(request: Request, parameters: Parameters) -> list[str] | None:
    resources = resources_of(request, services_of(request))
    return audience_of(parameters.get("resource", ()), resources.ours, resources.others)


async def _code(request: Request, client: Client, parameters: Parameters, arrived: datetime) -> Outcome:
    services = services_of(request)
    code, verifier = _required(parameters, "code"), _required(parameters, "code_verifier")
    audience = _audience(request, parameters)
    async with services.database.connection() as connection:
        hash_, org_id = await redeeming.organization_of(connection, code, client)
    async with in_organization(request, org_id, Actor("app", client.id)) as uow:
        return await redeeming.redeem(
            uow,
            client,
            hash_,
            redirect_uri=one(parameters, "redirect_uri"),
            verifier=verifier,
            audience=audience,
            lifetimes=lifetimes_of(services.settings),
        )


async def _refresh(request: Request, client: Client, parameters: Parameters, arrived: datetime) -> Outcome:
    services = services_of(request)
    text = _required(parameters, "refresh_token")
    audience = _audience(request, parameters)
    async with services.database.connection() as connection:
        found = await refreshing.presented(connection, text, client)
    scopes = refreshing.narrowed(found, one(parameters, "scope"), audience)
    async with in_organization(request, found.org_id, Actor("app", client.id)) as uow:
        lifetimes = lifetimes_of(services.settings)
        return await refreshing.refresh(uow, client, found, scopes=scopes, audience=audience, lifetimes=lifetimes, arrived=arrived)


async def _device(request: Request, client: Client, parameters: Parameters, arrived: datetime) -> Outcome:
    services = services_of(request)
    text = _required(parameters, "device_code")
    async with services.database.connection() as connection:
        hash_, org_id = await devices.poll(connection, services.clock, client, text)
    async with in_organization(request, org_id, Actor("app", client.id)) as uow:
        return await devices.redeem(uow, client, hash_, lifetimes_of(services.settings))


async def _client(request: Request, client: Client, parameters: Parameters, arrived: datetime) -> Outcome:
    if client.public:
        raise OAuthError("unauthorized_client", "A public client has no credentials to act with.")
    scopes = scopes_of(one(parameters, "scope"), client.scopes)
    audience = _audience(request, parameters)
    org_id = own.organization_of(client, one(parameters, "org_id"))
    async with in_organization(request, org_id, Actor("app", client.id)) as uow:
        return await own.act(uow, client, scopes, audience, lifetimes_of(services_of(request).settings))


_KINDS: Final[Mapping[str, Callable[[Request, Client, Parameters, datetime], Awaitable[Outcome]]]] = {
    CODE: _code,
    REFRESH: _refresh,
    CLIENT: _client,
    DEVICE: _device,
}
