"""`/oauth/device`: where a person types in the code that a device shows, and decides about it (RFC 8628 3.3)."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import BadRequest
from crm_api.core.ids import uuid7
from crm_api.db.uow import Actor
from crm_api.flows.oauth import clients, devices
from crm_api.flows.oauth.clients import Client
from crm_api.flows.oauth.devices import Waiting
from crm_api.flows.oauth.words import in_words
from crm_api.flows.users.sessions import Session
from crm_api.http.oauth import described, limits
from crm_api.http.oauth.consent import chosen, places_for
from crm_api.http.oauth.wire import in_organization
from crm_api.http.pages import current_session, login_redirect, page, read_form
from crm_api.http.pages.routing import PageRoute
from crm_api.http.services import services_of
from crm_api.kernel.audit import record

router = APIRouter(route_class=PageRoute, tags=["oauth"])

_HTML: Final = {"text/html": {"schema": {"type": "string"}}}
_PAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "A page for the person.", "content": _HTML},
    **{status: {"description": f"A page: {why}.", "content": _HTML} for status, why in described.PAGES.items()},
    303: {"description": "To sign in first."},
    400: {"description": "A page: the code is not one that is waited for.", "content": _HTML},
}


@router.get(
    "/oauth/device", operation_id="oauth_enter_device_code", response_class=Response, responses=_PAGE, summary="Enter a device's code"
)
async def enter(
    request: Request, user_code: Annotated[str | None, Query(description="The code on the device.", examples=["WDJB-MJHT"])] = None
) -> Response:
    """The page of the device flow, for people. With `user_code` it asks about that device at once."""
    session = await current_session(request)
    if session is None:
        return login_redirect(request)
    return await _ask(request, session, user_code)


@router.post("/oauth/device", operation_id="oauth_decide_device", response_class=Response, responses=_PAGE, summary="Decide about a device")
async def decide(request: Request) -> Response:
    """What the page sends: a `user_code`, and with it a `decision`, which is `allow` or `deny`. It needs the page's own token."""
    form = await read_form(request)
    session = await current_session(request)
    if session is None:
        return login_redirect(request)
    user_code, decision = form.get("user_code", ""), form.get("decision")
    if decision is None:
        return await _ask(request, session, user_code)
    if decision not in ("allow", "deny"):
        raise BadRequest("decision must be allow or deny.")
    found = await _find(request, session, user_code)
    if found is None:
        return _wrong(request, user_code)
    waiting, client = found
    services = services_of(request)
    place = chosen(await places_for(request, session, client), form.get("org_id"))
    if decision == "allow" and place is None:
        raise BadRequest("Choose one of your organisations.")
    grant_id = uuid7(services.clock)
    allowed = None if decision == "deny" or place is None else (place.org_id, session.user_id, grant_id)
    async with services.database.connection() as connection:
        if not await devices.decide(connection, services.clock, user_code, allowed):
            return _wrong(request, user_code)
    if allowed is None:
        return page(request, "message.html", title="The device stays out", text="You may close this window.", link=None, link_text=None)
    async with in_organization(request, allowed[0], Actor("user", session.user_id)) as uow:
        details = {"app_id": str(client.id), "scopes": list(waiting.scopes), "device": True}
        record(uow, "oauth.access_allowed", object="oauth_grants", record_id=grant_id, details=details)
    return page(
        request,
        "message.html",
        title="The device is let in",
        text="Go back to your device. You may close this window.",
        link=None,
        link_text=None,
    )


async def _find(request: Request, session: Session, user_code: str) -> tuple[Waiting, Client] | None:
    """The device behind a code and its app. Whoever types in too many wrong codes has to wait (RFC 8628 5.1)."""
    services = services_of(request)
    await limits.admit(services, limits.USER_CODES, str(session.user_id))
    async with services.database.connection() as connection:
        waiting = await devices.waiting(connection, services.clock, user_code)
        client = None if waiting is None else await clients.find(connection, str(waiting.client_id))
    if waiting is None or client is None:
        await limits.failed(services, limits.USER_CODES, str(session.user_id))
        return None
    return waiting, client


async def _ask(request: Request, session: Session, user_code: str | None) -> Response:
    if not user_code:
        return page(request, "device.html", problem=None, user_code=None)
    found = await _find(request, session, user_code)
    if found is None:
        return _wrong(request, user_code)
    waiting, client = found
    places = await places_for(request, session, client)
    if not places:
        return page(
            request,
            "message.html",
            status=403,
            title="This app is not for you",
            text="You may not use it in any of your organisations.",
            link=None,
            link_text=None,
        )
    return page(
        request,
        "device_consent.html",
        client=client,
        scopes=in_words(waiting.scopes),
        places=places,
        place=chosen(places, None),
        user_code=user_code,
    )


def _wrong(request: Request, user_code: str) -> Response:
    problem = "No device waits with this code. Codes live for ten minutes; look again at your device."
    return page(request, "device.html", status=400, problem=problem, user_code=user_code[:20])
