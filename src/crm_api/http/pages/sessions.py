"""Who is signed in in this browser: the cookie is read here and nowhere else."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crm_api.flows.users import sessions
from crm_api.flows.users.sessions import Device, Level, Session
from crm_api.http.pages.cookies import clear_cookie, cookie_of, set_cookie
from crm_api.http.pages.paths import address, here, public_path
from crm_api.http.services import services_of


async def any_session(request: Request) -> Session | None:
    """The session of the request's cookie, also one that still waits for the second factor."""
    cookie = cookie_of(request)
    if cookie is None:
        return None
    services = services_of(request)
    async with services.database.connection() as connection:
        return await sessions.find_session(connection, services.clock, cookie)


async def current_session(request: Request) -> Session | None:
    """Who is signed in, wholly; None if nobody is."""
    found = await any_session(request)
    return None if found is None or found.level == "pending" else found


def see_other(location: str) -> Response:
    """A redirect after a form: 303, so that the browser never sends the form's fields on (RFC 9700, 4.12)."""
    return RedirectResponse(location, 303, {"Cache-Control": "no-store"})


def login_redirect(request: Request) -> Response:
    """Sends the browser to sign in, and back to where it is now."""
    return see_other(f"{public_path(request, '/login')}?{urlencode({'return_to': here(request)})}")


async def sign_in(request: Request, response: Response, user_id: UUID, level: Level) -> Session:
    """Opens a session in place of the one that the browser had, and gives the browser its cookie."""
    services = services_of(request)
    device = Device(request.headers.get("user-agent", ""), address(request))
    old = cookie_of(request)
    async with services.database.connection() as connection:
        if old is not None:
            await sessions.end_session(connection, old)
        secret, session = await sessions.open_session(connection, services.clock, user_id, level, device)
    set_cookie(request, response, secret)
    return session


async def sign_out(request: Request, response: Response) -> None:
    """Ends the browser's session, if it has one."""
    services = services_of(request)
    old = cookie_of(request)
    if old is not None:
        async with services.database.connection() as connection:
            await sessions.end_session(connection, old)
    clear_cookie(request, response)
