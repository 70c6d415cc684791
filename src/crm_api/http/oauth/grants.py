"""`/v1/me/grants` and `/v1/oauth_grants`: what apps were allowed, and taking it back."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import Field

from crm_api.core.errors import BadRequest, FieldError, Forbidden
from crm_api.core.ids import parse_uuid
from crm_api.flows.oauth import grants
from crm_api.http.admin import record_id, require_admin
from crm_api.http.routing import KernelRoute
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.schema import JsonObject, Output, about

router = APIRouter(route_class=KernelRoute, tags=["oauth"])

_ID: Final = "01976f6e-8a00-7000-8000-0000000000a7"
_USER: Final = "01976f6e-8a00-7000-8000-0000000000a1"
_AT: Final = "2026-11-22T05:21:41.958886Z"
_PAGE: Final = {"next_cursor": None, "prev_cursor": None, "has_more": False}


class GrantedApp(Output):
    """The app that something was granted to."""

    id: Annotated[UUID, about("The app's id.", _ID)]
    name: Annotated[str | None, about("Its name; null if it is gone.", "Mail for CRM")]
    client_uri: Annotated[str | None, about("Its home page.", "https://app.example")]
    logo_uri: Annotated[str | None, about("Its logo.", "https://app.example/logo.png")]


class GrantRead(Output):
    """What an app was allowed by one consent."""

    object: Annotated[str, about("Always `oauth_grants`.", "oauth_grants")]
    id: Annotated[UUID, about("The `grant_id` of the tokens.", _ID)]
    app: Annotated[GrantedApp, Field(description="The app.")]
    kind: Annotated[str, about("`user`: it acts for the user; `app`: it acts as itself, within the user's rights.", "user")]
    user_id: Annotated[UUID, about("The user.", _USER)]
    scopes: Annotated[list[str], about("What it may do.", ["contacts:read"])]
    created_at: Annotated[str, about("When it was allowed.", _AT)]
    expires_at: Annotated[str | None, about("When it ends at the latest; null for an app's own.", _AT)]
    last_used_at: Annotated[str | None, about("When a token of it was last used, to the minute.", _AT)]
    revoked_at: Annotated[str | None, about("When it was ended; null while it holds.", None)]
    revoked_because: Annotated[str | None, about("Why: `withdrawn`, `revoked_by_app`, `token_reuse`, …", None)]


class GrantList(Output):
    """Grants in force."""

    data: Annotated[list[GrantRead], Field(description="Newest first, at most 500.")]
    page: Annotated[JsonObject, about("They fit on one page.", _PAGE)]


def _filter(name: str, text: str | None) -> UUID | None:
    found = None if text is None else parse_uuid(text)
    if text is not None and found is None:
        raise BadRequest(errors=[FieldError("invalid_uuid", parameter=name)])
    return found


@router.get("/v1/me/grants", response_model=GrantList, summary="List what I allowed apps")
async def list_my_grants(context: ContextDep) -> JSONResponse:
    """The apps that the caller has let in, in this organisation."""
    return JSONResponse({"data": await grants.listed(context.uow, user_id=context.principal.user_id), "page": _PAGE})


@router.delete("/v1/me/grants/{id}", response_model=GrantRead, summary="Take back what I allowed an app")
async def withdraw_my_grant(context: ContextDep, id: str) -> JSONResponse:
    """Ends a grant: its tokens are refused from their next request on. An app can end no grant but its own. Again changes nothing."""
    grant_id, principal = record_id(id), context.principal
    if principal.app_id is not None and principal.token_id != grant_id:
        raise Forbidden("An app can't take back what other apps were allowed.")
    return JSONResponse(await grants.withdraw(context.uow, grant_id, principal.user_id, "withdrawn"))


@router.get("/v1/oauth_grants", response_model=GrantList, summary="List what apps were allowed")
async def list_oauth_grants(
    context: ContextDep,
    user_id: Annotated[str | None, Query(description="Of this user alone.", examples=[_USER])] = None,
    app_id: Annotated[str | None, Query(description="For this app alone.", examples=[_ID])] = None,
) -> JSONResponse:
    """All grants of the organisation that are in force. Needs the scope `admin`."""
    require_admin(context)
    found = await grants.listed(context.uow, user_id=_filter("user_id", user_id), app_id=_filter("app_id", app_id))
    return JSONResponse({"data": found, "page": _PAGE})


@router.get("/v1/oauth_grants/{id}", response_model=GrantRead, summary="Get a grant")
async def get_oauth_grant(context: ContextDep, id: str) -> JSONResponse:
    """One grant, also one that has ended. Needs the scope `admin`."""
    require_admin(context)
    return JSONResponse(await grants.get(context.uow, record_id(id), None))


@router.delete("/v1/oauth_grants/{id}", response_model=GrantRead, summary="End a grant")
async def end_oauth_grant(context: ContextDep, id: str) -> JSONResponse:
    """Ends anybody's grant: its tokens are refused from their next request on. Again changes nothing. Needs the scope `admin`."""
    require_admin(context)
    return JSONResponse(await grants.withdraw(context.uow, record_id(id), None, "ended_by_administrator"))
