"""Who am I, what are my limits, which tokens are there."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from crm_api.core.errors import InsufficientScope, NotFound
from crm_api.core.ids import parse_uuid
from crm_api.flows import tokens
from crm_api.flows.clock import LONGEST
from crm_api.flows.configuration.document import MAX_ITEMS as CONFIGURATION_ITEMS
from crm_api.flows.configuration.history import KEPT as CONFIGURATION_SNAPSHOTS
from crm_api.flows.home import MAX_WIDGETS, RECENT
from crm_api.flows.metadata.limits import METADATA_LIMITS
from crm_api.flows.sandboxes.selection import MAX_SAMPLE
from crm_api.flows.sandboxes.service import MAX_SANDBOXES
from crm_api.flows.segments import MAX_MEMBERS
from crm_api.http.idempotency import SECRET_HEADER
from crm_api.http.preferences import me_org
from crm_api.http.records.batch import MAX_ITEMS
from crm_api.http.routing import KernelRoute
from crm_api.http.services import services_of
from crm_api.kernel.board import MAX_COLUMNS
from crm_api.kernel.board_move import MAX_RANKED
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.journal import encode_events_cursor, number
from crm_api.kernel.preferences import preferences_of
from crm_api.kernel.query import plan
from crm_api.kernel.schema import Input, Name, Output, Timestamp

router = APIRouter(route_class=KernelRoute)
MAX_GRACE_SECONDS = 604_800
ACTIONS = ("read", "write", "delete", "export", "import")


class TokenCreate(Input):
    """A new API token. It can't have more scopes than the token that makes it."""

    name: Annotated[Name, Field(description="What the token is for, shown wherever it acts.", examples=["Billing sync"])]
    scopes: Annotated[
        list[str],
        Field(
            min_length=1,
            max_length=100,
            description="`<object>:<action>`, `*:read`, `events:read`, `admin`.",
            examples=[["contacts:write", "deals:read"]],
        ),
    ]
    expires_at: Annotated[
        Timestamp | None,
        Field(description="When it stops working, at most 366 days ahead; null for never.", examples=["2027-01-31T00:00:00.000000Z"]),
    ] = None


class TokenRotate(Input):
    """How long the old secret goes on working beside the new one."""

    grace_seconds: Annotated[
        int, Field(ge=0, le=MAX_GRACE_SECONDS, description="Seconds of overlap, 0 to 604800 (a week).", examples=[3600])
    ] = 0


class TokenRead(Output):
    """An API token, without its secret."""

    object: Annotated[str, Field(description="Always `tokens`.", examples=["tokens"])]
    id: Annotated[UUID, Field(description="The token's id.", examples=["01a201b3-fa6b-7331-a786-3bbfe1908256"])]
    name: Annotated[str, Field(description="What the token is for.", examples=["Billing sync"])]
    prefix: Annotated[str, Field(description="The start of the secret, by which one recognises it.", examples=["crm_pat_1JRo"])]
    scopes: Annotated[list[str], Field(description="What it may do.", examples=[["contacts:write"]])]
    user_id: Annotated[UUID, Field(description="The member it acts for.", examples=["01a201b3-f7a9-753f-bba8-4fb5357f9b98"])]
    created_at: Annotated[str, Field(description="When it was made.", examples=["2026-11-22T05:21:41.958886Z"])]
    expires_at: Annotated[str | None, Field(description="When it stops working; null for never.", examples=["2027-01-31T00:00:00.000000Z"])]
    last_used_at: Annotated[
        str | None, Field(description="When it was last used, to the minute.", examples=["2026-11-22T05:30:00.000000Z"])
    ]
    revoked_at: Annotated[
        str | None, Field(description="When it was revoked; null while it works.", examples=["2026-11-30T12:00:00.000000Z"])
    ]


class TokenCreated(TokenRead):
    """A token just made: the only answer that holds its secret."""

    token: Annotated[
        str,
        Field(
            description="The secret, shown this once. Send it as `Authorization: Bearer <token>`.",
            examples=["crm_pat_1JRouMUn8QUhXdFyVOjBSZ1aH6GwwC6N4CpxUvJbzU02hkMAb"],
        ),
    ]


class TokenRotated(TokenRead):
    """A token whose secret was changed."""

    secret: Annotated[
        str, Field(description="The new secret, shown this once.", examples=["crm_pat_1JRouMUn8QUhXdFyVOjBSZ1aH6GwwC6N4CpxUvJbzU02hkMAb"])
    ]


class TokenList(Output):
    """All tokens the caller may see."""

    data: Annotated[list[TokenRead], Field(description="Newest first, at most 500.")]
    page: Annotated[
        dict[str, Any],
        Field(
            description="The list envelope's page; tokens fit on one.",
            examples=[{"next_cursor": None, "prev_cursor": None, "has_more": False}],
        ),
    ]


def _token_id(text: str) -> UUID:
    found = parse_uuid(text)
    if found is None:
        raise NotFound()
    return found


def _may_manage(context: ContextDep) -> None:
    if "admin" not in context.principal.scopes:
        raise InsufficientScope(["admin"])


def _once(body: dict[str, Any], member: str, status: int) -> JSONResponse:
    headers = {SECRET_HEADER: member, "Cache-Control": "no-store"}
    if status == 201:
        headers["Location"] = f"/v1/tokens/{body['id']}"
    return JSONResponse(body, status, headers)


@router.get("/v1/me", summary="Who am I", tags=["account"])
async def get_me(context: ContextDep, request: Request) -> dict[str, Any]:
    """The caller: user, organisation, token, scopes, and where the journal stands.

    A user interface calls this first. `events_cursor` is where to begin following `GET /v1/events` so that nothing after this
    answer is missed.
    """
    principal, organization = context.principal, context.principal.organization
    users = context.registry["users"]
    reader = request.app.state.services.engine.reader
    await context.uow.writable()  # giving journal numbers writes
    head = (await number(context.uow)).head
    found = await reader.many(context, users, [principal.user_id])
    user = found.get(principal.user_id)

    return {
        "user": None if user is None else orjson.loads(user.json),
        "org": me_org(context),
        "token": {
            "id": str(principal.token_id),
            "name": principal.token_name,
            "scopes": sorted(principal.scopes),
            "app_id": None if principal.app_id is None else str(principal.app_id),
            "expires_at": principal.expires_at,
        },
        "permissions": {r.name: {action: principal.may(r.name, action) for action in ACTIONS} for r in context.registry},
        "settings": preferences_of(principal).json(),
        "schema_version": organization.schema_version,
        "access_version": organization.access_version,
        "events_cursor": encode_events_cursor(principal.org_id, head),
    }


@router.get("/v1/limits", summary="Limits and costs", tags=["account"])
async def get_limits(context: ContextDep, request: Request) -> dict[str, Any]:
    """Every limit of the API with its maximum, and what calls cost against the rate limit."""
    settings = services_of(request).settings
    return {
        "rate_limit": None if settings.rate is None else {"requests": settings.rate[0], "window_seconds": settings.rate[1], "per": "token"},
        "costs": {"read": 1, "write": 1, "batch": "one per 20 items, rounded up", "search_with_q": 2, "composite": "one per operation"},
        "limits": {
            "body_bytes": settings.max_body_bytes,
            "url_bytes": settings.max_url_bytes,
            "json_depth": settings.max_json_depth,
            "answer_bytes": settings.max_answer_bytes,
            "page": plan.MAX_PAGE,
            "journal_page": 1000,
            "batch_items": MAX_ITEMS,
            "composite_operations": 100,
            "filter_conditions": plan.MAX_CONDITIONS,
            "filter_depth": plan.MAX_DEPTH,
            "filter_hops": plan.MAX_HOPS,
            "expand_depth": plan.MAX_EXPAND_DEPTH,
            "expanded_records": plan.MAX_EXPANDED,
            "expanded_rows": 10_000,
            "streams_per_token": settings.streams_per_token,
            **METADATA_LIMITS,
            "request_seconds": settings.request_timeout_s,
            "idempotency_key_characters": 255,
            "idempotency_hours": 24,
            "view_conditions": plan.MAX_CONDITIONS,
            "board_columns": MAX_COLUMNS,
            "board_unranked_cards": MAX_RANKED,
            "segment_members": MAX_MEMBERS,
            "recent_records": RECENT,
            "home_widgets": MAX_WIDGETS,
            "sandboxes": MAX_SANDBOXES,
            "sandbox_sample": MAX_SAMPLE,
            "clock_ahead_days": LONGEST.days,
            "configuration_items": CONFIGURATION_ITEMS,
            "configuration_snapshots": CONFIGURATION_SNAPSHOTS,
        },
    }


@router.post("/v1/tokens", status_code=201, response_model=TokenCreated, summary="Make an API token", tags=["tokens"])
async def create_token(context: ContextDep, body: TokenCreate) -> JSONResponse:
    """Makes a token for the calling user. The answer holds the secret once; what is stored can't give it back.

    Needs the scope `admin`. A token can't give scopes that it hasn't got itself: 403.
    """
    _may_manage(context)
    tokens.check(context.principal, context.registry, context.uow.clock.now(), body.scopes, body.expires_at)
    text, described = await tokens.create(
        context.uow, user_id=context.principal.user_id, name=body.name, scopes=list(dict.fromkeys(body.scopes)), expires_at=body.expires_at
    )
    return _once({**described, "token": text}, "token", 201)


@router.get("/v1/tokens", response_model=TokenList, summary="List API tokens", tags=["tokens"])
async def list_tokens(context: ContextDep) -> JSONResponse:
    """The organisation's tokens for administrators, one's own for everybody else. Secrets are never shown again."""
    page = {"next_cursor": None, "prev_cursor": None, "has_more": False}
    return JSONResponse({"data": await tokens.listed(context.uow, context.principal), "page": page})


@router.get("/v1/tokens/{id}", response_model=TokenRead, summary="Get an API token", tags=["tokens"])
async def get_token(context: ContextDep, id: str) -> JSONResponse:
    """One token: what it is for, what it may do, when it was last used. Its secret is never shown again."""
    return JSONResponse(await tokens.get(context.uow, context.principal, _token_id(id)))


@router.delete("/v1/tokens/{id}", response_model=TokenRead, summary="Revoke an API token", tags=["tokens"])
async def revoke_token(context: ContextDep, id: str) -> JSONResponse:
    """Ends a token: its next request is 401 `token_revoked`. Revoking it again changes nothing."""
    _may_manage(context)
    return JSONResponse(await tokens.revoke(context.uow, context.principal, _token_id(id)))


@router.post("/v1/tokens/{id}/secret/rotate", response_model=TokenRotated, summary="Rotate a token's secret", tags=["tokens"])
async def rotate_token(context: ContextDep, id: str, body: TokenRotate) -> JSONResponse:
    """Gives the token a new secret. The old one goes on working for `grace_seconds`, so that a client can change over."""
    _may_manage(context)
    text, described = await tokens.rotate(context.uow, context.principal, _token_id(id), body.grace_seconds)
    return _once({**described, "secret": text}, "secret", 200)
