"""Choosing a password by a link in a mail: after it was forgotten, and at an invitation."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import InvalidValue
from crm_api.core.messages import field_message, negotiate
from crm_api.flows.users import change, invitations, links, mails, sign_in
from crm_api.flows.users.attempts import TooManyAttempts
from crm_api.flows.users.change import LinkSpent
from crm_api.flows.users.links import Purpose
from crm_api.flows.users.passwords import LONGEST, SHORTEST
from crm_api.http.pages import forms, paths, render
from crm_api.http.pages import sessions as browser
from crm_api.http.pages.routing import PageRoute
from crm_api.http.services import services_of
from crm_api.http.state import REQUEST_ID

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/password/forgot")
async def show_forgot(request: Request) -> Response:
    """The form for the address."""
    return render.page(request, "forgot.html", problem=None, email=None)


@router.post("/password/forgot")
async def forgot(request: Request) -> Response:
    """Asks for the mail. The answer does not tell whether anybody has the address."""
    form = await forms.read_form(request)
    email = form.get("email", "").strip()
    language = negotiate(request.headers.get("accept-language"))
    try:
        await mails.ask_reset(services_of(request).people, email, paths.address(request), language)
    except TooManyAttempts as problem:
        headers = {"Retry-After": problem.headers["Retry-After"]}
        return render.page(request, "forgot.html", status=429, headers=headers, problem=problem.detail, email=email[:254])
    return render.page(
        request,
        "message.html",
        title="Look into your mailbox",
        text="If somebody signs in with this address, a mail with a link is on its way to it. The link works for 30 minutes.",
        link="/login",
        link_text="Back to signing in",
    )


def _spent(request: Request, purpose: Purpose) -> Response:
    again = purpose == "reset"
    return render.page(
        request,
        "message.html",
        status=410,
        title="This link no longer works",
        text="It was used already, or it is too old." + ("" if again else " Ask whoever invited you to send another one."),
        link="/password/forgot" if again else None,
        link_text="Ask for another link",
    )


async def _form(request: Request, purpose: Purpose, token: str, problem: str | None = None, status: int = 200) -> Response:
    people = services_of(request).people
    async with people.database.connection() as connection:
        link = await links.peek(connection, people.clock, purpose, token)
        if link is None:
            return _spent(request, purpose)
        email = await sign_in.email_of(connection, link.user_id)
        known = purpose == "activate" and await change.has_password(connection, link.user_id)
        name = "" if link.org_id is None else await invitations.organization_name(connection, link.org_id)
    if purpose == "reset":
        title, text, button, action = "Choose another password", f"For {email}.", "Change the password", "/password/reset"
    elif known:
        title, text, button, action = f"Join {name}", f"As {email}, with the password that you have.", "Join", "/activate"
    else:
        title, text, button, action = f"Join {name}", f"Choose a password for {email}.", "Join", "/activate"
    return render.page(
        request,
        "password.html",
        status=status,
        title=title,
        text=text,
        button=button,
        action=action,
        problem=problem,
        token=token,
        email=email,
        ask_password=not known,
        shortest=SHORTEST,
        longest=LONGEST,
    )


@router.get("/password/reset")
async def show_reset(request: Request) -> Response:
    """The form for another password. Opening the link does not use it up: mail scanners open links too."""
    return await _form(request, "reset", request.query_params.get("token", ""))


@router.post("/password/reset")
async def reset(request: Request) -> Response:
    """Changes the password, and ends all sessions and the tokens that apps got through them."""
    form = await forms.read_form(request)
    token = form.get("token", "")
    services = services_of(request)
    try:
        await change.reset(services.people, token, form.get("password", ""), paths.address(request), _request_id(request))
    except LinkSpent:
        return _spent(request, "reset")
    except InvalidValue as mistake:
        return await _form(request, "reset", token, field_message(mistake.code, mistake.params), 422)
    response = browser.see_other(paths.public_path(request, "/login?notice=reset"))
    await browser.sign_out(request, response)
    return response


@router.get("/activate")
async def show_activate(request: Request) -> Response:
    """The form by which an invitation is accepted."""
    return await _form(request, "activate", request.query_params.get("token", ""))


@router.post("/activate")
async def activate(request: Request) -> Response:
    """Accepts the invitation; those who have no password yet choose one."""
    form = await forms.read_form(request)
    token = form.get("token", "")
    services = services_of(request)
    try:
        await invitations.accept(services.people, services.engine, token, form.get("password"))
    except LinkSpent:
        return _spent(request, "activate")
    except InvalidValue as mistake:
        return await _form(request, "activate", token, field_message(mistake.code, mistake.params), 422)
    return browser.see_other(paths.public_path(request, "/login?notice=joined"))


def _request_id(request: Request) -> str | None:
    found: str | None = getattr(request.state, REQUEST_ID, None)
    return found
