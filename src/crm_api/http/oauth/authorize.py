"""`/oauth/authorize`: the one place where a person decides what an app may do (RFC 6749 3.1, RFC 9700 2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.ids import uuid7
from crm_api.db.uow import Actor
from crm_api.flows.oauth import authorizing, grants, pushed, redeeming, redirects
from crm_api.flows.oauth.authorizing import AuthorizationRequest, Refused, one, parameters_of
from crm_api.flows.oauth.errors import OAuthError, invalid_request
from crm_api.flows.oauth.words import in_words
from crm_api.flows.users.sessions import Session
from crm_api.http.oauth import described, limits
from crm_api.http.oauth.consent import chosen, places_for, seal, unaltered
from crm_api.http.oauth.wire import Parameters, in_organization, resources_of
from crm_api.http.origin import issuer_of
from crm_api.http.pages import PageRoute, address, current_session, login_redirect, page, public_path, read_form, see_other
from crm_api.http.services import services_of
from crm_api.kernel.audit import record
from crm_api.resources.users.belongings import Place

router = APIRouter(route_class=PageRoute, tags=["oauth"])

_FRESH: Final = timedelta(minutes=2)
"""With `prompt=login` the person must have signed in no longer ago than this."""

_LONG: Final = 2_000
"""Requests longer than this are kept here while the person signs in; an address that holds another one doubles in length."""

_HTML: Final = {"text/html": {"schema": {"type": "string"}}}
_PAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "A page that asks the person.", "content": _HTML},
    **{status: {"description": f"A page: {why}.", "content": _HTML} for status, why in described.PAGES.items()},
    303: {"description": "To sign in, or back to the app with `code`, or with `error`; with `state` and `iss`."},
    400: {"description": "A page: the app or its redirect URI is not registered.", "content": _HTML},
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked request, as it came (`text`) and what it says; `request_uri` if it was pushed."""

    text: str
    request: AuthorizationRequest
    request_uri: str | None
    org_id: str | None


@router.get("/oauth/authorize", operation_id="oauth_authorize", response_class=Response, responses=_PAGE, summary="Ask a person for access")
async def authorize(request: Request) -> Response:
    """The authorization endpoint, for browsers. PKCE with S256 is required of every app; the person signs in, chooses one of their
    organisations, and sees what the app wants. Parameters as in `POST /oauth/par`, or `client_id` and a `request_uri` from there.
    """
    try:
        asked = await _read(request, request.scope["query_string"].decode("latin-1"))
        return await _ask(request, asked)
    except Refused as refused:
        return _back(request, refused.redirect_uri, refused.state, _told(refused.error))
    except OAuthError as error:
        return _broken(request, error)


@router.post("/oauth/authorize", operation_id="oauth_decide", response_class=Response, responses=_PAGE, summary="Decide about access")
async def decide(request: Request) -> Response:
    """What the page of the authorization endpoint sends: `decision` is `allow` or `deny`. It needs the page's own token."""
    form = await read_form(request)
    try:
        text = form.get("request", "")
        if not unaltered(request, text, form.get("seal", "")):
            raise invalid_request("This form is not the one that was shown.")
        return await _decide(request, await _read(request, text), form.get("decision"), form.get("org_id"))
    except Refused as refused:
        return _back(request, refused.redirect_uri, refused.state, _told(refused.error))
    except OAuthError as error:
        return _broken(request, error)


@router.get(
    "/oauth/logout",
    operation_id="oauth_logout",
    response_class=Response,
    responses={303: {"description": "To the page that signs out."}},
    summary="Sign a person out",
)
async def logout(request: Request) -> Response:
    """Where apps send people who want to sign out here: a page asks them first. Tokens of apps stay; `POST /oauth/revoke` ends those."""
    return see_other(public_path(request, "/logout"))


async def _read(request: Request, text: str) -> Asked:
    """The request behind a query string, checked. Raises OAuthError for what must not be sent anywhere, else Refused."""
    services = services_of(request)
    parameters: Parameters = parameters_of(text)
    async with services.database.connection() as connection:
        client = await authorizing.client_of(connection, parameters)
        request_uri = one(parameters, "request_uri")
        org_id = one(parameters, "org_id")
        if request_uri is not None:
            parameters = parameters_of(await pushed.opened(connection, services.clock, client, request_uri))
    found = authorizing.read(client, parameters, resources_of(request, services))
    if client.require_par and request_uri is None:
        raise Refused(invalid_request("This app must push its requests (RFC 9126)."), found.redirect_uri, found.state)
    return Asked(text, found, request_uri, org_id or one(parameters, "org_id"))


def _refused(asked: Asked, error: str, description: str) -> Refused:
    return Refused(OAuthError(error, description), asked.request.redirect_uri, asked.request.state)


async def _ask(request: Request, asked: Asked) -> Response:
    wanted, silent = asked.request, "none" in asked.request.prompts
    session = await current_session(request)
    now = services_of(request).clock.now()
    if session is None or ("login" in wanted.prompts and now - session.created_at > _FRESH):
        if silent:
            raise _refused(asked, "login_required", "Nobody is signed in.")
        return await _sign_in(request, asked)
    places = await places_for(request, session, wanted.client)
    if not places:
        raise _refused(asked, "access_denied", "The person may not use this app in any of their organisations.")
    place = chosen(places, asked.org_id)
    own = place is not None and wanted.client.first_party and wanted.client.owner_org_id == place.org_id
    # Whatever runs on a person's machine can take a loopback port, or a scheme, and say to be this app (RFC 8252 8.6).
    provable = not wanted.client.public or wanted.redirect_uri.startswith("https://")
    trusted = own and provable and "consent" not in wanted.prompts
    if place is not None and (trusted or silent) and (trusted or await _remembered(request, asked, session, place)):
        return await _grant(request, asked, session, place)
    if silent:
        needed = "consent_required" if place is not None else "interaction_required"
        raise _refused(asked, needed, "The person must be asked.")
    return page(
        request,
        "consent.html",
        form_action=f"'self' {redirects.origin(wanted.redirect_uri)}",
        client=wanted.client,
        goes_to=redirects.origin(wanted.redirect_uri),
        scopes=in_words(wanted.scopes),
        places=places,
        place=place,
        text=asked.text,
        seal=seal(request, asked.text),
    )


async def _sign_in(request: Request, asked: Asked) -> Response:
    if len(asked.text) <= _LONG or asked.request_uri is not None:
        return login_redirect(request)
    services, client = services_of(request), asked.request.client
    await limits.count(services, limits.BEGINNINGS, address(request))
    async with services.database.connection() as connection:
        request_uri = await pushed.push(connection, services.clock, client, asked.text, pushed.SIGN_IN)
    back = "/oauth/authorize?" + urlencode({"client_id": str(client.id), "request_uri": request_uri})
    return see_other(f"{public_path(request, '/login')}?{urlencode({'return_to': public_path(request, back)})}")


async def _remembered(request: Request, asked: Asked, session: Session, place: Place) -> bool:
    """Whether the person has allowed all of this before. Not for public clients, which anybody can pretend to be (RFC 8252 8.6)."""
    if asked.request.client.public:
        return False
    async with in_organization(request, place.org_id, Actor("user", session.user_id)) as uow:
        return await grants.covers(uow, session.user_id, asked.request.client.id, asked.request.scopes)


async def _decide(request: Request, asked: Asked, decision: str | None, org_id: str | None) -> Response:
    session = await current_session(request)
    if session is None:
        return await _sign_in(request, asked)
    if decision not in ("allow", "deny"):
        raise invalid_request("decision must be allow or deny.")
    services, client = services_of(request), asked.request.client
    if decision == "deny":
        if asked.request_uri is not None:
            async with services.database.connection() as connection:
                await pushed.use_up(connection, services.clock, client, asked.request_uri)
        raise _refused(asked, "access_denied", "The person has refused.")
    place = chosen(await places_for(request, session, client), org_id)
    if place is None:
        raise invalid_request("Choose one of your organisations.")
    return await _grant(request, asked, session, place)


async def _grant(request: Request, asked: Asked, session: Session, place: Place) -> Response:
    """A code for the app."""
    services, wanted = services_of(request), asked.request
    grant_id: UUID = uuid7(services.clock)
    bound = redeeming.Bound(
        place.org_id, session.user_id, wanted.scopes, wanted.audience, wanted.redirect_uri, wanted.redirect_uri_given, wanted.challenge
    )
    async with services.database.connection() as connection:
        if asked.request_uri is not None:
            await pushed.use_up(connection, services.clock, wanted.client, asked.request_uri)
        code = await redeeming.new_code(connection, services.clock, wanted.client, bound, grant_id)
    async with in_organization(request, place.org_id, Actor("user", session.user_id)) as uow:
        details = {"app_id": str(wanted.client.id), "scopes": list(wanted.scopes)}
        record(uow, "oauth.access_allowed", object="oauth_grants", record_id=grant_id, details=details)
    return _back(request, wanted.redirect_uri, wanted.state, [("code", code)])


def _back(request: Request, redirect_uri: str, state: str | None, parameters: list[tuple[str, str]]) -> Response:
    """To the app: with its `state` as it came, and who answers (RFC 9207), in success and in error."""
    given = [*parameters, *([] if state is None else [("state", state)]), ("iss", issuer_of(request))]
    return see_other(redirects.with_parameters(redirect_uri, given))


def _told(error: OAuthError) -> list[tuple[str, str]]:
    return [("error", error.error), ("error_description", error.description)]


def _broken(request: Request, error: OAuthError) -> Response:
    """A mistake of the app is shown here: sending the person on would let anybody use us to send people anywhere."""
    return page(
        request, "problem.html", status=400, title="This app has asked in a wrong way", detail=error.description, details=[error.error]
    )
