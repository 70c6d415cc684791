"""One's own account: password, second factor, and the browsers in which one is signed in."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.responses import Response

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import FieldError, InsufficientScope, InvalidValue, NotFound, ValidationFailed
from crm_api.core.ids import parse_uuid
from crm_api.flows.users import change, sessions, sign_in, totp
from crm_api.flows.users.attempts import CODE
from crm_api.flows.users.passwords import LONGEST, SHORTEST
from crm_api.flows.users.people import People
from crm_api.http.idempotency import SECRET_HEADER
from crm_api.http.routing import KernelRoute
from crm_api.http.services import services_of
from crm_api.kernel import audit
from crm_api.kernel.context import Context
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.schema import Input, Output

router = APIRouter(route_class=KernelRoute, tags=["account"])

READ: Final = "account:read"
WRITE: Final = "account:write"
_AT: Final = "2026-11-22T05:21:41.958886Z"
_SECRET: Final = Annotated[str, Field(min_length=1, max_length=1024)]


class PasswordChange(Input):
    """Another password for the caller."""

    current_password: Annotated[
        str, Field(min_length=1, max_length=1024, description="The present password.", examples=["correct horse battery"])
    ]
    new_password: Annotated[
        str,
        Field(
            max_length=1024,
            description=f"The new one, {SHORTEST} to {LONGEST} characters. What is tried first by everybody is refused.",
            examples=["staple-of-eleven-otters"],
        ),
    ]


class PasswordProof(Input):
    """The caller's password once more, so that a token alone is not enough."""

    password: Annotated[str, Field(min_length=1, max_length=1024, description="The present password.", examples=["correct horse battery"])]


class CodeProof(Input):
    """A code that the authenticator app shows."""

    code: Annotated[str, Field(min_length=1, max_length=32, description="Six digits.", examples=["492039"])]


class FactorProof(PasswordProof):
    """Password and code, to end the second factor."""

    code: Annotated[str, Field(min_length=1, max_length=32, description="Six digits, or a recovery code.", examples=["492039"])]


class FactorRead(Output):
    """Whether signing in asks for a code."""

    object: Annotated[str, Field(description="Always `totp`.", examples=["totp"])]
    enabled: Annotated[bool, Field(description="Whether a second factor is in force.", examples=[True])]
    confirmed_at: Annotated[str | None, Field(description="Since when.", examples=[_AT])]
    recovery_codes_left: Annotated[int, Field(description="Recovery codes that were not used yet.", examples=[10])]


class FactorBegun(Output):
    """A key for an authenticator app. It is in force once a code of it was given."""

    object: Annotated[str, Field(description="Always `totp`.", examples=["totp"])]
    secret: Annotated[str, Field(description="The key in base32, shown this once.", examples=["JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP"])]
    uri: Annotated[
        str,
        Field(
            description="The same as apps read it from a QR code (Key URI Format).",
            examples=["otpauth://totp/CRM:ada@acme.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=CRM&digits=6&period=30"],
        ),
    ]


class RecoveryCodes(Output):
    """Codes that stand in once each for the authenticator app."""

    object: Annotated[str, Field(description="Always `recovery_codes`.", examples=["recovery_codes"])]
    recovery_codes: Annotated[list[str], Field(description="Shown this once.", examples=[["k7mp-3xwq-9abt-h2cd"]])]


class SessionRead(Output):
    """A browser in which the caller is signed in."""

    object: Annotated[str, Field(description="Always `sessions`.", examples=["sessions"])]
    id: Annotated[UUID, Field(description="The session's id.", examples=["01a201b3-fa6b-7331-a786-3bbfe1908256"])]
    signed_in_with: Annotated[str, Field(description="`password`, or `totp` for password and second factor.", examples=["totp"])]
    user_agent: Annotated[str | None, Field(description="What the browser called itself.", examples=["Mozilla/5.0 (X11; Linux x86_64)"])]
    address: Annotated[str | None, Field(description="The network address at sign-in.", examples=["203.0.113.7"])]
    created_at: Annotated[str, Field(description="When they signed in.", examples=[_AT])]
    last_used_at: Annotated[str, Field(description="When it was last used, to the minute.", examples=[_AT])]
    expires_at: Annotated[str, Field(description="When it ends in any case.", examples=["2026-11-29T05:21:41.958886Z"])]


class SessionList(Output):
    """All sessions of the caller."""

    data: Annotated[list[SessionRead], Field(description="Newest first, at most 50.")]
    page: Annotated[
        dict[str, Any],
        Field(
            description="The list envelope's page; sessions fit on one.",
            examples=[{"next_cursor": None, "prev_cursor": None, "has_more": False}],
        ),
    ]


class SessionsEnded(Output):
    """How many sessions were ended."""

    ended: Annotated[int, Field(description="Sessions that were ended.", examples=[3])]


def _require(context: Context, *scopes: str) -> None:
    """One's own account is everybody's, whatever the profile says; a token needs the scope for it."""
    if not {"admin", *scopes} & context.principal.scopes:
        raise InsufficientScope(list(scopes))


def _people(request: Request) -> People:
    return services_of(request).people


async def _prove(context: Context, people: People, password: str, name: str = "password") -> None:
    if not await sign_in.knows_password(people, context.uow, context.principal.user_id, password):
        raise ValidationFailed([FieldError("wrong_password", pointer=f"/{name}")])


def _once(body: dict[str, Any], member: str, status: int = 200) -> JSONResponse:
    return JSONResponse(body, status, {SECRET_HEADER: member, "Cache-Control": "no-store"})


@router.post("/v1/me/password", status_code=204, response_model=None, summary="Change one's own password")
async def change_password(context: ContextDep, request: Request, body: PasswordChange) -> Response:
    """Puts another password in place of the present one. Needs the scope `account:write`.

    All sessions end, and the tokens that apps got through them, in every organisation; API tokens stay. A wrong present password
    counts as a failed sign-in.
    """
    _require(context, WRITE)
    people, user_id = _people(request), context.principal.user_id
    await _prove(context, people, body.current_password, "current_password")
    try:
        await change.change(people, context.uow, user_id, body.new_password)
    except InvalidValue as mistake:
        raise ValidationFailed([mistake.at(pointer="/new_password")]) from None
    audit.record(context, "user.password_changed", object="users", record_id=user_id)
    return Response(status_code=204)


@router.get("/v1/me/totp", response_model=FactorRead, summary="Get one's own second factor")
async def get_totp(context: ContextDep) -> JSONResponse:
    """Whether signing in asks for a code of an authenticator app. Needs the scope `account:read`."""
    _require(context, READ, WRITE)
    return JSONResponse(await _factor(context))


async def _factor(context: Context) -> dict[str, Any]:
    user_id = context.principal.user_id
    found = await totp.read(context.uow, user_id)
    since = None if found is None or found.confirmed_at is None else format_timestamp(found.confirmed_at)
    left = await totp.recovery_codes_left(context.uow, user_id) if since else 0
    return {"object": "totp", "enabled": since is not None, "confirmed_at": since, "recovery_codes_left": left}


@router.post("/v1/me/totp", status_code=201, response_model=FactorBegun, summary="Begin with a second factor")
async def begin_totp(context: ContextDep, request: Request, body: PasswordProof) -> JSONResponse:
    """Makes a key for an authenticator app (RFC 6238). It is in force once `POST /v1/me/totp/confirm` got a code of it.

    Needs the scope `account:write`. If a second factor is in force already: 409.
    """
    _require(context, WRITE)
    people, user_id = _people(request), context.principal.user_id
    await _prove(context, people, body.password)
    secret = await totp.begin(context.uow, people.clock, people.keys, user_id)
    email = await sign_in.email_of(context.uow, user_id)
    shown = {"object": "totp", "secret": totp.shown_secret(secret), "uri": totp.uri_of(secret, email)}
    return _once(shown, "secret,uri", 201)


@router.post("/v1/me/totp/confirm", response_model=RecoveryCodes, summary="Put the second factor in force")
async def confirm_totp(context: ContextDep, request: Request, body: CodeProof) -> JSONResponse:
    """From now on signing in asks for a code. The answer holds the recovery codes, this once. Needs the scope `account:write`."""
    _require(context, WRITE)
    people, user_id = _people(request), context.principal.user_id
    async with people.database.connection() as connection:
        await people.attempts.reserve(connection, CODE, str(user_id))
    codes = await totp.confirm(context.uow, people.keys, user_id, body.code)
    if codes is None:
        raise ValidationFailed([FieldError("wrong_code", pointer="/code")])
    async with people.database.connection() as connection:
        await people.attempts.forget(connection, CODE, str(user_id))
    audit.record(context, "user.totp_enrolled", object="users", record_id=user_id)
    return _once({"object": "recovery_codes", "recovery_codes": codes}, "recovery_codes")


@router.post("/v1/me/totp/recovery_codes", response_model=RecoveryCodes, summary="Make other recovery codes")
async def renew_recovery_codes(context: ContextDep, request: Request, body: PasswordProof) -> JSONResponse:
    """Makes ten recovery codes in place of all earlier ones. Needs the scope `account:write`."""
    _require(context, WRITE)
    people, user_id = _people(request), context.principal.user_id
    await _prove(context, people, body.password)
    if not (await _factor(context))["enabled"]:
        raise NotFound("No second factor is in force.")
    codes = await totp.new_recovery_codes(context.uow, user_id)
    audit.record(context, "user.recovery_codes_renewed", object="users", record_id=user_id)
    return _once({"object": "recovery_codes", "recovery_codes": codes}, "recovery_codes")


@router.post("/v1/me/totp/disable", response_model=FactorRead, summary="End one's own second factor")
async def disable_totp(context: ContextDep, request: Request, body: FactorProof) -> JSONResponse:
    """Ends the second factor. Where the organisation asks for one, the next sign-in begins with setting up another.

    Needs the scope `account:write`, the password and a code.
    """
    _require(context, WRITE)
    people, user_id = _people(request), context.principal.user_id
    await _prove(context, people, body.password)
    if not await sign_in.with_code(people, user_id, body.code):
        raise ValidationFailed([FieldError("wrong_code", pointer="/code")])
    await totp.remove(context.uow, user_id)
    audit.record(context, "user.totp_disabled", object="users", record_id=user_id)
    return JSONResponse(await _factor(context))


@router.get("/v1/me/sessions", response_model=SessionList, summary="List one's own sessions")
async def list_sessions(context: ContextDep, request: Request) -> JSONResponse:
    """The browsers in which the caller is signed in. Needs the scope `account:read`."""
    _require(context, READ, WRITE)
    found = await sessions.listed(context.uow, _people(request).clock, context.principal.user_id)
    return JSONResponse({"data": found, "page": {"next_cursor": None, "prev_cursor": None, "has_more": False}})


@router.delete("/v1/me/sessions/{id}", status_code=204, response_model=None, summary="End one of one's own sessions")
async def end_session(context: ContextDep, id: str) -> Response:
    """Signs one browser out. Needs the scope `account:write`."""
    _require(context, WRITE)
    session_id = parse_uuid(id)
    user_id = context.principal.user_id
    if session_id is None or not await sessions.end_one(context.uow, user_id, session_id):
        raise NotFound()
    audit.record(context, "user.session_ended", object="users", record_id=user_id)
    return Response(status_code=204)


@router.delete("/v1/me/sessions", response_model=SessionsEnded, summary="End all of one's own sessions")
async def end_sessions(context: ContextDep) -> JSONResponse:
    """Signs all browsers out. Tokens stay; `POST /v1/me/password` ends those of apps too. Needs the scope `account:write`."""
    _require(context, WRITE)
    user_id = context.principal.user_id
    ended = await sessions.end_all(context.uow, user_id)
    audit.record(context, "user.sessions_ended", object="users", record_id=user_id, details={"ended": ended})
    return JSONResponse({"ended": ended})
