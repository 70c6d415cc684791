"""Signing in and out: password, second factor, and setting one up where an organisation asks for it."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from crm_api.flows.users import sign_in, totp
from crm_api.flows.users.attempts import CODE, TooManyAttempts
from crm_api.flows.users.sessions import Session
from crm_api.http.pages import forms, paths, render
from crm_api.http.pages import sessions as browser
from crm_api.http.pages.routing import PageRoute
from crm_api.http.services import services_of
from crm_api.http.state import REQUEST_ID
from crm_api.resources.users import belongings

router = APIRouter(route_class=PageRoute, include_in_schema=False)

ACCOUNT: Final = "/account"
NOTICES: Final = {
    "reset": "Your password is changed. Sign in with the new one.",
    "joined": "You have accepted the invitation. Sign in to go on.",
    "out": "You are signed out.",
}
WRONG: Final = "E-mail address or password is wrong."
WRONG_CODE: Final = "The code is wrong, or it was used already."


def _returns(given: str | None) -> dict[str, Any]:
    """What pages of a sign-in have in common: where it leads, and that its forms may end at an app's site.

    Browsers hold redirects after a form to the page's form-action, and the way back may lead through us to an app.
    """
    found = paths.safe_return(given)
    return {"return_to": found, "form_action": "'self'" if found is None else None}


def _request_id(request: Request) -> str | None:
    found: str | None = getattr(request.state, REQUEST_ID, None)
    return found


def _go_on(request: Request, given: str | None) -> Response:
    return browser.see_other(paths.safe_return(given) or paths.public_path(request, ACCOUNT))


def _to(request: Request, path: str, given: str | None) -> Response:
    found = paths.safe_return(given)
    query = "" if found is None else f"?{urlencode({'return_to': found})}"
    return browser.see_other(paths.public_path(request, path) + query)


@router.get("/login")
async def show_login(request: Request) -> Response:
    """The form for e-mail address and password."""
    query = request.query_params
    return render.page(
        request, "login.html", problem=None, email=None, notice=NOTICES.get(query.get("notice", "")), **_returns(query.get("return_to"))
    )


@router.post("/login")
async def login(request: Request) -> Response:
    """Checks them. The answer to a wrong password is the same as to an unknown address, and takes as long."""
    form = await forms.read_form(request)
    given = form.get("return_to")
    email = form.get("email", "").strip()
    people, address = services_of(request).people, paths.address(request)
    shown: dict[str, Any] = {"email": email[:254], "notice": None, **_returns(given)}
    try:
        found = await sign_in.with_password(people, email, form.get("password", ""), address)
    except TooManyAttempts as problem:
        headers = {"Retry-After": problem.headers["Retry-After"]}
        return render.page(request, "login.html", status=429, headers=headers, problem=problem.detail, **shown)
    if isinstance(found, sign_in.Refused):
        response = render.page(request, "login.html", status=401, problem=WRONG, **shown)
        if found.user_id is not None:  # after the answer, which must not come later where there is such a person
            details = {"with": "password"}
            response.background = BackgroundTask(
                sign_in.tell, people, found.user_id, "user.sign_in_failed", address, _request_id(request), details
            )
        return response
    if found.level == "pending":
        response = _to(request, "/login/totp", given)
        await browser.sign_in(request, response, found.user_id, "pending")
        return response
    response = _go_on(request, given)
    await browser.sign_in(request, response, found.user_id, found.level)
    await sign_in.tell(people, found.user_id, "user.signed_in", address, _request_id(request), {"with": "password"})
    return response


async def _pending(request: Request) -> Session | None:
    found = await browser.any_session(request)
    return found if found is not None and found.level == "pending" else None


@router.get("/login/totp")
async def show_totp(request: Request) -> Response:
    """The form for the second factor; the way to set one up for those who have none yet."""
    given = request.query_params.get("return_to")
    session = await _pending(request)
    if session is None:
        return _to(request, "/login", given)
    if await _must_enrol(request, session):
        return _to(request, "/login/totp/enrol", given)
    return render.page(request, "totp.html", problem=None, **_returns(given))


@router.post("/login/totp")
async def check_totp(request: Request) -> Response:
    """Checks the code, and opens the session in full."""
    form = await forms.read_form(request)
    given = form.get("return_to")
    session = await _pending(request)
    if session is None:
        return _to(request, "/login", given)
    people, address = services_of(request).people, paths.address(request)
    try:
        right = await sign_in.with_code(people, session.user_id, form.get("code", ""))
    except TooManyAttempts as problem:
        headers = {"Retry-After": problem.headers["Retry-After"]}
        return render.page(request, "totp.html", status=429, headers=headers, problem=problem.detail, **_returns(given))
    if not right:
        await sign_in.tell(people, session.user_id, "user.sign_in_failed", address, _request_id(request), {"with": "code"})
        return render.page(request, "totp.html", status=401, problem=WRONG_CODE, **_returns(given))
    response = _go_on(request, given)
    await browser.sign_in(request, response, session.user_id, "totp")
    await sign_in.tell(people, session.user_id, "user.signed_in", address, _request_id(request), {"with": "totp"})
    return response


async def _must_enrol(request: Request, session: Session) -> bool:
    people = services_of(request).people
    async with people.database.connection() as connection:
        factor = await totp.read(connection, session.user_id)
    return factor is None or factor.confirmed_at is None


async def _enrolment(request: Request, session: Session, given: str | None, problem: str | None, status: int = 200) -> Response:
    people = services_of(request).people
    async with people.database.connection() as connection:
        secret = await totp.begun(connection, people.keys, session.user_id)
        if secret is None:
            secret = await totp.begin(connection, people.clock, people.keys, session.user_id)
        email = await sign_in.email_of(connection, session.user_id)
        asking = [place.name for place in await belongings.active(connection, session.user_id) if place.requires_totp]
    return render.page(
        request,
        "totp_enrol.html",
        status=status,
        problem=problem,
        secret=totp.shown_secret(secret),
        uri=totp.uri_of(secret, email),
        organization=", ".join(asking[:3]) or "Your organisation",
        **_returns(given),
    )


@router.get("/login/totp/enrol")
async def show_enrolment(request: Request) -> Response:
    """The key to put into an authenticator app, and the form for its first code."""
    given = request.query_params.get("return_to")
    session = await _pending(request)
    if session is None:
        return _to(request, "/login", given)
    if not await _must_enrol(request, session):
        return _to(request, "/login/totp", given)
    return await _enrolment(request, session, given, None)


@router.post("/login/totp/enrol")
async def enrol(request: Request) -> Response:
    """Puts the key in force, opens the session in full, and shows the recovery codes."""
    form = await forms.read_form(request)
    given = form.get("return_to")
    session = await _pending(request)
    if session is None:
        return _to(request, "/login", given)
    people, address = services_of(request).people, paths.address(request)
    async with people.database.connection() as connection:
        await people.attempts.reserve(connection, CODE, str(session.user_id))
    async with sign_in.of_person(people, session.user_id) as uow:
        codes = await totp.confirm(uow, people.keys, session.user_id, form.get("code", ""))
    if codes is None:
        if not await _must_enrol(request, session):  # somebody else was quicker: this one has to show a code like everybody
            return _to(request, "/login/totp", given)
        return await _enrolment(request, session, given, WRONG_CODE, 401)
    async with people.database.connection() as connection:
        await people.attempts.forget(connection, CODE, str(session.user_id))
    following = paths.safe_return(given) or paths.public_path(request, ACCOUNT)
    response = render.page(request, "recovery.html", codes=codes, next=following)
    await browser.sign_in(request, response, session.user_id, "totp")
    await sign_in.tell(people, session.user_id, "user.totp_enrolled", address, _request_id(request))
    await sign_in.tell(people, session.user_id, "user.signed_in", address, _request_id(request), {"with": "totp"})
    return response


@router.get(ACCOUNT)
async def show_account(request: Request) -> Response:
    """Who is signed in, and the way out."""
    session = await browser.current_session(request)
    if session is None:
        return browser.login_redirect(request)
    people = services_of(request).people
    async with people.database.connection() as connection:
        email = await sign_in.email_of(connection, session.user_id)
    return render.page(request, "account.html", email=email)


@router.get("/logout")
async def show_logout(request: Request) -> Response:
    """Following a link signs nobody out: the page asks."""
    return await show_account(request)


@router.post("/logout")
async def logout(request: Request) -> Response:
    """Ends the session."""
    await forms.read_form(request)
    response = browser.see_other(paths.public_path(request, "/login?notice=out"))
    await browser.sign_out(request, response)
    return response
