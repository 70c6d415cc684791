"""`/v1/oauth_apps`: the apps that an organisation has registered."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import MISSING, Field

from crm_api.core.errors import FieldError, ValidationFailed
from crm_api.flows import tokens
from crm_api.flows.oauth import registry
from crm_api.flows.oauth.clients import GRANT_TYPES, MOST_SCOPES
from crm_api.flows.oauth.redirects import MOST
from crm_api.http.admin import record_id, require_admin
from crm_api.http.idempotency import SECRET_HEADER
from crm_api.http.routing import KernelRoute
from crm_api.kernel.context import Context
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.schema import Input, JsonObject, Name, Output, Url, Uuid, about

router = APIRouter(route_class=KernelRoute, tags=["oauth"])
MAX_GRACE_SECONDS: Final = 604_800

_ID: Final = "01976f6e-8a00-7000-8000-000000000001"
_USER: Final = "01976f6e-8a00-7000-8000-0000000000a1"
_AT: Final = "2026-11-22T05:21:41.958886Z"
_SECRET: Final = "crm_cs_1JRouMUn8QUhXdFyVOjBSZ1aH6GwwC6N4CpxUvJbzU02hkMAb"  # an example
_URIS: Final = ["https://app.example/callback"]
_SCOPES: Final = ["contacts:read", "deals:write"]

Scopes = Annotated[list[str], Field(min_length=1, max_length=MOST_SCOPES)]
RedirectUris = Annotated[list[str], Field(max_length=MOST)]

_NAME = about("What people see when the app asks them.", "Mail for CRM")
_REDIRECTS = about(
    "Where people come back to: https, http on `127.0.0.1`, `[::1]` or `localhost`, or for public apps a scheme of the app's own. "
    "Requests must name one of them, character by character; only the port of a loopback address may differ.",
    _URIS,
)
_ASKED = about("The scopes that the app may ask for. A request for any other is refused.", _SCOPES)
_FIRST = about("Whether the app is the organisation's own, so that its people are not asked.", False)
_DISTRIBUTION = about("`org`: for this organisation's people; `public`: for those of every organisation.", "org")
_INSTALL = about(
    "`user`: everybody lets it in for themselves; `org`: an administrator installs it for the organisation, and it acts as itself.", "user"
)
_PAR = about("Whether its authorization requests must be pushed (RFC 9126).", False)
_LOGO = about("Its logo, https.", "https://app.example/logo.png")
_HOME = about("Its home page, https.", "https://app.example")
_RUN_AS = about("The user whose rights bound what the app does as itself (`client_credentials`); whoever made it, if left out.", _USER)


class AppCreate(Input):
    """A new app."""

    name: Annotated[Name, _NAME]
    type: Annotated[Literal["confidential", "public"], about("`public` for apps that can't keep a secret.", "confidential")] = (
        "confidential"
    )
    redirect_uris: Annotated[RedirectUris, _REDIRECTS] = Field(default_factory=list)
    scopes: Annotated[Scopes, _ASKED]
    first_party: Annotated[bool, _FIRST] = False
    distribution: Annotated[Literal["org", "public"], _DISTRIBUTION] = "org"
    install: Annotated[Literal["user", "org"], _INSTALL] = "user"
    require_pushed_authorization_requests: Annotated[bool, _PAR] = False
    logo_uri: Annotated[Url | None, _LOGO] = None
    client_uri: Annotated[Url | None, _HOME] = None
    run_as_user_id: Annotated[Uuid | MISSING, _RUN_AS] = MISSING


class AppUpdate(Input):
    """What is to change; what is left out stays as it is."""

    name: Annotated[Name | MISSING, _NAME] = MISSING
    redirect_uris: Annotated[RedirectUris | MISSING, _REDIRECTS] = MISSING
    scopes: Annotated[Scopes | MISSING, _ASKED] = MISSING
    first_party: Annotated[bool | MISSING, _FIRST] = MISSING
    distribution: Annotated[Literal["org", "public"] | MISSING, _DISTRIBUTION] = MISSING
    install: Annotated[Literal["user", "org"] | MISSING, _INSTALL] = MISSING
    require_pushed_authorization_requests: Annotated[bool | MISSING, _PAR] = MISSING
    logo_uri: Annotated[Url | MISSING | None, _LOGO] = MISSING
    client_uri: Annotated[Url | MISSING | None, _HOME] = MISSING
    run_as_user_id: Annotated[Uuid | MISSING, _RUN_AS] = MISSING
    active: Annotated[bool | MISSING, about("False disables it: it gets no tokens, and those that it has stop working.", True)] = MISSING


class AppRead(Output):
    """An app, without its secret."""

    object: Annotated[str, about("Always `oauth_apps`.", "oauth_apps")]
    id: Annotated[UUID, about("The app's id.", _ID)]
    client_id: Annotated[str, about("The same, as OAuth calls it.", _ID)]
    name: Annotated[str, _NAME]
    type: Annotated[str, about("`confidential` or `public`.", "confidential")]
    redirect_uris: Annotated[list[str], _REDIRECTS]
    scopes: Annotated[list[str], _ASKED]
    grant_types: Annotated[list[str], about("What it may exchange for tokens.", list(GRANT_TYPES))]
    first_party: Annotated[bool, _FIRST]
    distribution: Annotated[str, _DISTRIBUTION]
    install: Annotated[str, _INSTALL]
    require_pushed_authorization_requests: Annotated[bool, _PAR]
    logo_uri: Annotated[str | None, _LOGO]
    client_uri: Annotated[str | None, _HOME]
    run_as_user_id: Annotated[str | None, _RUN_AS]
    active: Annotated[bool, about("Whether it gets tokens.", True)]
    secret_prefix: Annotated[str | None, about("The start of its secret; null for a public app.", "crm_cs_1JRo…")]
    old_secret_until: Annotated[str | None, about("Until when the secret before this one works; null if it does not.", None)]
    version: Annotated[int, about("Rises with each change.", 1)]
    created_by: Annotated[str | None, about("The user who registered it; null for one that registered itself.", _USER)]
    created_at: Annotated[str, about("When it was registered.", _AT)]
    updated_at: Annotated[str, about("When it was changed last.", _AT)]


class AppCreated(AppRead):
    """An app just made: the only answer that holds its secret."""

    client_secret: Annotated[str | None, about("The secret, shown this once; null for a public app.", _SECRET)]


class AppRotate(Input):
    """How long the old secret goes on working beside the new one."""

    grace_seconds: Annotated[int, Field(ge=0, le=MAX_GRACE_SECONDS), about("Seconds of overlap, 0 to 604800 (a week).", 3600)] = 0


class AppRotated(AppRead):
    """An app whose secret was changed."""

    secret: Annotated[str, about("The new secret, shown this once.", _SECRET)]


class AppList(Output):
    """The organisation's apps."""

    data: Annotated[list[AppRead], Field(description="Newest first, at most 500.")]
    page: Annotated[JsonObject, about("They fit on one page.", {"next_cursor": None, "prev_cursor": None, "has_more": False})]


def _checked(context: Context, given: dict[str, Any], *, public: bool) -> dict[str, Any]:
    """The columns behind what was sent. Raises ValidationFailed."""
    errors = registry.check_redirect_uris(given.get("redirect_uris", ()), native=public)
    known = tokens.known_scopes(context.registry)
    errors += [
        FieldError("enum", pointer=f"/scopes/{n}", allowed=known) for n, scope in enumerate(given.get("scopes", ())) if scope not in known
    ]
    for name in ("logo_uri", "client_uri"):
        errors += registry.check_link(name, given.get(name))
    if errors:
        raise ValidationFailed(errors)
    if "scopes" in given:
        given["scopes"] = list(dict.fromkeys(given["scopes"]))
    if "require_pushed_authorization_requests" in given:
        given["require_par"] = given.pop("require_pushed_authorization_requests")
    if "active" in given:
        given["disabled_at"] = None if given.pop("active") else context.uow.clock.now()
    return given


@router.post("/v1/oauth_apps", status_code=201, response_model=AppCreated, summary="Register an app")
async def create_oauth_app(context: ContextDep, body: AppCreate) -> JSONResponse:
    """Registers an app for OAuth. The answer holds the secret of a confidential app, this once.

    Needs the scope `admin`; 403 `limit_exceeded` beyond 200.
    """
    require_admin(context)
    given = {name: value for name, value in body.model_dump().items() if value is not MISSING}
    values = _checked(context, given, public=body.type == "public")
    client, secret = await registry.create(context.uow, values, owner_org_id=context.uow.org_id, user_id=context.principal.user_id)
    shown = {**registry.described(client, context.uow.clock.now()), "client_secret": secret}
    headers = {
        SECRET_HEADER: "client_secret",
        "Cache-Control": "no-store",
        "Location": f"/v1/oauth_apps/{client.id}",
        "ETag": f'"{client.version}"',
    }
    return JSONResponse(shown, 201, {**headers, "X-Outcome": "created"})


@router.get("/v1/oauth_apps", response_model=AppList, summary="List apps")
async def list_oauth_apps(context: ContextDep) -> JSONResponse:
    """The apps that the organisation has registered. Needs the scope `admin`."""
    require_admin(context)
    now = context.uow.clock.now()
    page = {"next_cursor": None, "prev_cursor": None, "has_more": False}
    return JSONResponse({"data": [registry.described(client, now) for client in await registry.listed(context.uow)], "page": page})


@router.get("/v1/oauth_apps/{id}", response_model=AppRead, summary="Get an app")
async def get_oauth_app(context: ContextDep, id: str) -> JSONResponse:
    """One app. Its secret is never shown again. Needs the scope `admin`."""
    require_admin(context)
    client = await registry.get(context.uow, record_id(id))
    return JSONResponse(registry.described(client, context.uow.clock.now()), headers={"ETag": f'"{client.version}"'})


@router.patch("/v1/oauth_apps/{id}", response_model=AppRead, summary="Change an app")
async def update_oauth_app(context: ContextDep, id: str, body: AppUpdate) -> JSONResponse:
    """Changes an app. Tokens with scopes that it loses end at once, and so do its access tokens when it is disabled. Whether it is
    public or confidential can't be changed. Needs the scope `admin`.
    """
    require_admin(context)
    client = await registry.get(context.uow, record_id(id), lock=True)
    given = _checked(context, body.given(), public=client.public)
    if given.get("disabled_at") is not None and client.disabled_at is not None:
        del given["disabled_at"]
    changed = await registry.update(context.uow, client, given)
    headers = {"ETag": f'"{changed.version}"', "X-Outcome": "updated" if changed.version > client.version else "unchanged"}
    return JSONResponse(registry.described(changed, context.uow.clock.now()), headers=headers)


@router.delete("/v1/oauth_apps/{id}", response_model=AppRead, summary="Remove an app")
async def delete_oauth_app(context: ContextDep, id: str) -> JSONResponse:
    """Removes an app for good; all its tokens end at once. Needs the scope `admin`."""
    require_admin(context)
    client = await registry.get(context.uow, record_id(id), lock=True)
    await registry.delete(context.uow, client)
    return JSONResponse({**registry.described(client, context.uow.clock.now()), "active": False}, headers={"X-Outcome": "deleted"})


@router.post("/v1/oauth_apps/{id}/secret/rotate", response_model=AppRotated, summary="Rotate an app's secret")
async def rotate_oauth_app_secret(context: ContextDep, id: str, body: AppRotate) -> JSONResponse:
    """Gives a confidential app a new secret. The old one goes on working for `grace_seconds`. 409 `conflict` for a public app.

    Needs the scope `admin`.
    """
    require_admin(context)
    client = await registry.get(context.uow, record_id(id), lock=True)
    client, secret = await registry.rotate(context.uow, client, body.grace_seconds)
    shown = {**registry.described(client, context.uow.clock.now()), "secret": secret}
    return JSONResponse(shown, headers={SECRET_HEADER: "secret", "Cache-Control": "no-store", "ETag": f'"{client.version}"'})
