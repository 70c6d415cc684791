"""API tokens over HTTP: made, listed, rotated, revoked, and ended by whoever finds one."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import MISSING, Field, StringConstraints

from crm_api.core.errors import NotFound
from crm_api.db.uow import Cause
from crm_api.flows import leaks, minting, tokens
from crm_api.http.admin import record_id
from crm_api.http.idempotency import SECRET_HEADER
from crm_api.http.routing import JOINED, KernelRoute, client_ip, open_to_all
from crm_api.http.services import services_of
from crm_api.http.state import REQUEST_ID
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.schema import Input, Name, Output, Timestamp, Uuid, about

router = APIRouter(route_class=KernelRoute, tags=["tokens"])
open_router = APIRouter(tags=["tokens"])
"""What needs no `Authorization`."""

_ID = "01a201b3-fa6b-7331-a786-3bbfe1908256"
_SECRET = "crm_pat_1JRouMUn8QUhXdFyVOjBSZ1aH6GwwC6N4CpxUvJbzU02hkMAb"
_REPEATED = "Null in an answer that is repeated for its `Idempotency-Key`."
_KIND = about(
    "`personal`: it acts as the member who makes it. `service`: it acts as a member of its own, whom nobody can sign in as, and goes "
    "on working when its maker leaves; only administrators make those.",
    "personal",
)
_FIELDS = about(
    "The only fields that the token knows of the objects named here, beside what every record has (id, version, times); null for no such "
    "limit. Can't go with the scope `admin`.",
    {"contacts": ["email", "first_name"]},
)
_NETWORKS = about("Networks in CIDR notation, IPv4 and IPv6, that the token is taken from; null for everywhere.", ["203.0.113.0/24"])
FieldNames = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=120)]], Field(max_length=500)]
Fields = Annotated[dict[Annotated[str, StringConstraints(max_length=80)], FieldNames], Field(min_length=1, max_length=50)]
Networks = Annotated[
    list[Annotated[str, StringConstraints(min_length=2, max_length=50)]], Field(min_length=1, max_length=minting.MAX_NETWORKS)
]


class TokenCreate(Input):
    """A new API token. It can't be wider than the token that makes it; what is left out is as narrow as that one."""

    name: Annotated[Name, about("What the token is for, shown wherever it acts.", "Billing sync")]
    scopes: Annotated[
        list[Annotated[str, StringConstraints(max_length=120)]],
        Field(
            min_length=1,
            max_length=100,
            description="`<object>:<action>` with `read`, `write` (contains `read`), `delete`, `export`, `import`, `purge`; `*:read`; and "
            "`events:read`, `meta:read`, `meta:write`, `webhooks:read`, `webhooks:write`, `files:read`, `files:write`, `audit:read`, "
            "`tokens:read`, `tokens:write`, `admin` (contains all).",
            examples=[["contacts:write", "deals:read"]],
        ),
    ]
    kind: Annotated[Literal["personal", "service"], _KIND] = "personal"
    profile_id: Annotated[Uuid | None, about("The profile of a service token's member: required for those, and for no others.", _ID)] = None
    fields: Annotated[Fields | MISSING | None, _FIELDS] = MISSING
    ip_allow_list: Annotated[Networks | MISSING | None, _NETWORKS] = MISSING
    expires_at: Annotated[
        Timestamp | None,
        about("When it stops working, at most 366 days ahead; if absent, as late as may be.", "2027-01-31T00:00:00.000000Z"),
    ] = None


class TokenRotate(Input):
    """How long the old secret goes on working beside the new one."""

    grace_seconds: Annotated[int, Field(ge=0, le=tokens.MAX_GRACE_S), about("Seconds of overlap, 0 to 604800 (a week).", 3600)] = 0


class LeakedToken(Input):
    """A token that somebody has found."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=200), about("The token's whole text.", _SECRET)]


class LeakAnswer(Output):
    """What became of it."""

    revoked: Annotated[bool, about("True: it works no more. False: it is none of our tokens.", True)]


class TokenRead(Output):
    """An API token, without its secret."""

    object: Annotated[str, about("Always `tokens`.", "tokens")]
    id: Annotated[UUID, about("The token's id; it stays when the secret is rotated.", _ID)]
    name: Annotated[str, about("What the token is for.", "Billing sync")]
    kind: Annotated[Literal["personal", "service"], _KIND]
    prefix: Annotated[str, about("The start of the secret, by which one recognises it.", "crm_pat_1JRo…")]
    scopes: Annotated[list[str], about("What it may do.", ["contacts:write"])]
    fields: Annotated[dict[str, list[str]] | None, _FIELDS]
    ip_allow_list: Annotated[list[str] | None, _NETWORKS]
    user_id: Annotated[UUID, about("The member it acts as.", "01a201b3-f7a9-753f-bba8-4fb5357f9b98")]
    maker_id: Annotated[
        UUID | None, about("The member who made it; null if the server's operator did.", "01a201b3-f7a9-753f-bba8-4fb5357f9b98")
    ]
    created_at: Annotated[str, about("When its present secret was made.", "2026-11-22T05:21:41.958886Z")]
    expires_at: Annotated[
        str | None,
        about("When it stops working; null for never, which only the server's operator can give.", "2027-01-31T00:00:00.000000Z"),
    ]
    last_used_at: Annotated[str | None, about("When it was last used, to the minute.", "2026-11-22T05:30:00.000000Z")]
    revoked_at: Annotated[str | None, about("When it was revoked; null while it works.", "2026-11-30T12:00:00.000000Z")]


class TokenCreated(TokenRead):
    """A token just made: the only answer that holds its secret."""

    token: Annotated[str | None, about(f"The secret, shown this once. Send it as `Authorization: Bearer <token>`. {_REPEATED}", _SECRET)]


class TokenRotated(TokenRead):
    """A token whose secret was changed."""

    secret: Annotated[str | None, about(f"The new secret, shown this once. {_REPEATED}", _SECRET)]


class TokenList(Output):
    """All tokens the caller may see."""

    data: Annotated[list[TokenRead], Field(description="Newest first, at most 500.")]
    page: Annotated[
        dict[str, Any], about("The list envelope's page; tokens fit on one.", {"next_cursor": None, "prev_cursor": None, "has_more": False})
    ]


def _once(body: dict[str, Any], member: str, status: int) -> JSONResponse:
    headers = {SECRET_HEADER: member, "Cache-Control": "no-store"}
    if status == 201:
        headers["Location"] = f"/v1/tokens/{body['id']}"
    return JSONResponse(body, status, headers)


@router.post("/v1/tokens", status_code=201, response_model=TokenCreated, summary="Make an API token")
async def create_token(context: ContextDep, body: TokenCreate) -> JSONResponse:
    """Makes a token. The answer holds the secret once; what is stored can't give it back.

    Needs the scope `tokens:write` or `admin`. Nothing of it can be wider than the calling token (scopes, fields, networks, expiry): 403,
    with a `wider_than_token` at each place that is. What it may do in the end is what its scopes and the member's profile both allow,
    as that profile is at each request. The tokens of apps make API tokens only if the app is first-party or has `admin`.
    """
    given = body.given()
    wanted = minting.Wanted(
        name=body.name,
        scopes=body.scopes,
        given=frozenset({"networks" if name == "ip_allow_list" else name for name in given}),
        kind=body.kind,
        profile_id=body.profile_id,
        fields=given.get("fields"),
        networks=given.get("ip_allow_list"),
        expires_at=body.expires_at,
    )
    text, described = await minting.mint(context, wanted)
    return _once({**described, "token": text}, "token", 201)


@router.get("/v1/tokens", response_model=TokenList, summary="List API tokens")
async def list_tokens(context: ContextDep) -> JSONResponse:
    """The organisation's tokens for administrators, one's own for everybody else. Secrets are never shown again."""
    page = {"next_cursor": None, "prev_cursor": None, "has_more": False}
    return JSONResponse({"data": await tokens.listed(context.uow, context.principal), "page": page})


@router.get("/v1/tokens/{id}", response_model=TokenRead, summary="Get an API token")
async def get_token(context: ContextDep, id: str) -> JSONResponse:
    """One token: what it is for, what it may do, when it was last used. Its secret is never shown again."""
    return JSONResponse(await tokens.get(context.uow, context.principal, record_id(id)))


@router.delete("/v1/tokens/{id}", response_model=TokenRead, summary="Revoke an API token")
async def revoke_token(context: ContextDep, id: str) -> JSONResponse:
    """Ends a token with all its secrets: its next request is 401 `token_revoked`. Revoking it again changes nothing.

    Needs the scope `tokens:write` or `admin`; tokens of others are revoked by administrators.
    """
    minting.require_management(context.principal)
    return JSONResponse(await tokens.revoke(context.uow, context.principal, record_id(id)))


@router.post("/v1/tokens/{id}/secret/rotate", response_model=TokenRotated, summary="Rotate a token's secret")
async def rotate_token(context: ContextDep, id: str, body: TokenRotate) -> JSONResponse:
    """Gives the token a new secret. The old one goes on working for `grace_seconds`, so that a client can change over.

    Secrets before the last one end at once: no more than two ever work. Needs the scope `tokens:write` or `admin`. A token that is wider
    than the calling one is not rotated (403), nor is a personal token of somebody else; service tokens are rotated by administrators.
    """
    text, described = await minting.rotate(context, record_id(id), body.grace_seconds)
    return _once({**described, "secret": text}, "secret", 200)


@open_router.post("/v1/tokens/revoke", response_model=LeakAnswer, summary="Revoke a leaked token")
@open_to_all
async def revoke_leaked_token(request: Request, body: LeakedToken) -> LeakAnswer:
    """Ends a token that was found somewhere: holding it is all that is needed, no `Authorization`.

    API tokens, and the access and refresh tokens of apps. With a refresh token everything ends that came from the same consent. The
    organisation finds `token.leak_reported` in its audit log.
    """
    if request.scope.get(JOINED) is not None:  # it is nothing that a composite's rollback would undo
        raise NotFound()
    services = services_of(request)
    address = client_ip(request)
    (await services.limiter.check(f"leak:{address}", 1)).require()
    cause = Cause(request_id=getattr(request.state, REQUEST_ID, None), ip=address)
    return LeakAnswer(revoked=await leaks.revoke_leaked(services.database, services.clock, body.token, cause))
