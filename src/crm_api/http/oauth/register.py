"""`POST /oauth/register`: apps that register themselves (RFC 7591), with an initial access token."""

from __future__ import annotations

from hmac import compare_digest
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import Problem
from crm_api.core.json import loads_limited
from crm_api.db.uow import Actor
from crm_api.flows.oauth import redirects, registry
from crm_api.flows.oauth.clients import CLIENT, CODE, DEVICE, GRANT_TYPES, REFRESH
from crm_api.flows.oauth.errors import OAuthError
from crm_api.flows.organizations import organization_info
from crm_api.flows.tokens import known_scopes
from crm_api.http.auth import authenticate, bearer_hash
from crm_api.http.oauth import described, limits
from crm_api.http.oauth.wire import MAX_BYTES, OAuthRoute, address, answer, in_organization
from crm_api.http.origin import issuer_of
from crm_api.http.problems import RESOURCE_METADATA_PATH
from crm_api.http.services import services_of
from crm_api.kernel.principal import Principal
from crm_api.kernel.schema import about

router = APIRouter(route_class=OAuthRoute, tags=["oauth"])

_ID: Final = "01976f6e-8a00-7000-8000-000000000001"
_METHODS: Final = ("none", "client_secret_basic", "client_secret_post")
_DEFAULT_SCOPE: Final = "*:read"


class Registration(BaseModel):
    """Client metadata (RFC 7591, section 2). What is not named here is ignored, as the RFC has it."""

    model_config = ConfigDict(extra="ignore", strict=True)

    redirect_uris: Annotated[
        list[str], Field(max_length=redirects.MOST), about("Where people come back to.", ["https://app.example/cb"])
    ] = Field(default_factory=list)
    client_name: Annotated[str, Field(min_length=1, max_length=255), about("What people see.", "Mail for CRM")] = "App without a name"
    token_endpoint_auth_method: Annotated[str, about("`none` makes a public app.", "client_secret_basic")] = "client_secret_basic"
    grant_types: Annotated[list[str], Field(max_length=10), about("What it exchanges for tokens.", [CODE, REFRESH])] = Field(
        default_factory=lambda: [CODE, REFRESH]
    )
    response_types: Annotated[list[str], Field(max_length=10), about("Only `code`.", ["code"])] = Field(default_factory=lambda: ["code"])
    scope: Annotated[str, Field(max_length=4_000), about("The scopes that it may ask for.", "contacts:read")] = _DEFAULT_SCOPE
    client_uri: Annotated[str | None, Field(max_length=2_048), about("Its home page, https.", "https://app.example")] = None
    logo_uri: Annotated[str | None, Field(max_length=2_048), about("Its logo, https.", "https://app.example/logo.png")] = None
    require_pushed_authorization_requests: Annotated[bool, about("Whether its requests must be pushed.", False)] = False


class Registered(Registration):
    """The app as it is registered. `client_secret` is shown this once."""

    client_id: Annotated[str, about("The app's id.", _ID)]
    client_id_issued_at: Annotated[int, about("When, in seconds since 1970.", 1795000000)]
    client_secret: Annotated[str | None, about("The secret of a confidential app.", "crm_cs_…")] = None
    client_secret_expires_at: Annotated[int, about("Always 0: it does not expire.", 0)] = 0


_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": Registration.model_json_schema()}}},
    "security": [{"bearer": []}],
}


@router.post(
    "/oauth/register",
    operation_id="oauth_register",
    status_code=201,
    response_model=Registered,
    summary="Register an app by program",
    openapi_extra=_BODY,
    responses=described.form(described.ClientForm)["responses"],
)
async def register(request: Request) -> Response:
    """Dynamic client registration (RFC 7591). The initial access token is an API token with the scope `admin`, whose organisation the
    app then belongs to, or the one that the setting `CRM_OAUTH_REGISTRATION_TOKEN` names, which registers apps for all organisations.
    Such an app can't ask for the scope `admin`, and people always see what it asks for.
    """
    services = services_of(request)
    await limits.admit(services, limits.CLIENTS, address(request))
    principal = await _trusted(request)
    values = _checked(await _metadata(request), known_scopes(services.engine.registry))
    owner = None if principal is None else principal.org_id
    values["distribution"] = "public" if owner is None else "org"
    user_id = None if principal is None else principal.user_id
    actor = Actor("system") if principal is None else principal.actor
    async with in_organization(request, owner or UUID(int=0), actor) as uow:
        # Nobody's audit log: who has the installation's own token is not an organisation's business.
        client, secret = await registry.create(uow, values, owner_org_id=owner, user_id=user_id, audited=owner is not None)
    shown = {
        "client_id": str(client.id),
        "client_id_issued_at": int(client.created_at.timestamp()),
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "token_endpoint_auth_method": client.auth_method or "none",
        "grant_types": list(client.grant_types),
        "response_types": ["code"] if CODE in client.grant_types else [],
        "scope": " ".join(client.scopes),
        "require_pushed_authorization_requests": client.require_par,
        "client_uri": client.client_uri,
        "logo_uri": client.logo_uri,
        "client_secret": secret,
        "client_secret_expires_at": 0,
    }
    return answer({name: value for name, value in shown.items() if value is not None}, 201)


async def _trusted(request: Request) -> Principal | None:
    """Who registers: an administrator, or None for whoever has the installation's own token. Raises `invalid_token`."""
    services = services_of(request)
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    configured = services.settings.oauth_registration_token
    held = "" if configured is None else configured.get_secret_value()
    if held and scheme.lower() == "bearer" and compare_digest(text.strip().encode(), held.encode()):
        return None
    try:
        hash_ = bearer_hash(request)
        async with services.database.connection() as connection:
            principal = await authenticate(connection, hash_, services.clock.now(), address(request))
        async with in_organization(request, principal.org_id, principal.actor) as uow:
            await organization_info(uow)
            context = await services.engine.context(principal, uow)
    except Problem as problem:
        await limits.failed(services, limits.CLIENTS, address(request))
        challenge = f'Bearer resource_metadata="{issuer_of(request)}{RESOURCE_METADATA_PATH}"'
        raise OAuthError("invalid_token", "An initial access token is needed.", 401, {"WWW-Authenticate": challenge}) from problem
    if not context.principal.administers or principal.app_id is not None:
        header = {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="admin"'}
        raise OAuthError("insufficient_scope", "The initial access token must be an administrator's API token.", 403, header)
    return context.principal


async def _metadata(request: Request) -> Registration:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise OAuthError("invalid_client_metadata", "The body must be application/json.")
    body = await request.body()
    if len(body) > MAX_BYTES:
        raise OAuthError("invalid_client_metadata", f"The body is longer than {MAX_BYTES} bytes.", 413)
    try:
        return Registration.model_validate(loads_limited(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "body"
        raise OAuthError("invalid_client_metadata", f"{place}: {first['msg']}.") from None
    except (Problem, ValueError):
        raise OAuthError("invalid_client_metadata", "The body is no JSON.") from None


def _checked(given: Registration, known: list[str]) -> dict[str, Any]:
    """The columns behind the metadata. Raises `invalid_client_metadata` or `invalid_redirect_uri`."""

    def wrong(description: str) -> OAuthError:
        return OAuthError("invalid_client_metadata", description)

    public = given.token_endpoint_auth_method == "none"
    if given.token_endpoint_auth_method not in _METHODS:
        raise wrong(f"token_endpoint_auth_method is one of {', '.join(_METHODS)}.")
    if not given.grant_types or not set(given.grant_types) <= set(GRANT_TYPES):
        raise wrong(f"grant_types are some of {', '.join(GRANT_TYPES)}.")
    if public and CLIENT in given.grant_types:
        raise wrong("A public app has no credentials to act with.")
    if not set(given.response_types) <= {"code"}:
        raise wrong("The only response_type is code.")
    for uri in given.redirect_uris:
        why = redirects.fault(uri, native=public)
        if why is not None:
            raise OAuthError("invalid_redirect_uri", f"A redirect URI can't be registered: {why}.")
    if CODE in given.grant_types and not given.redirect_uris:
        raise OAuthError("invalid_redirect_uri", "An app with authorization_code needs a redirect URI.")
    scopes = list(dict.fromkeys(given.scope.split(" ")))
    if not set(scopes) <= set(known) or "admin" in scopes:
        raise wrong("A scope is unknown, or not for apps that register themselves.")
    for name in ("client_uri", "logo_uri"):
        if registry.check_link(name, getattr(given, name)):
            raise wrong(f"{name} must be an https:// address.")
    kinds = [*given.grant_types]
    if (CODE in kinds or DEVICE in kinds) and REFRESH not in kinds:
        kinds.append(REFRESH)  # refresh tokens always come with these
    return {
        "name": given.client_name,
        "type": "public" if public else "confidential",
        "redirect_uris": list(given.redirect_uris),
        "scopes": scopes,
        "grant_types": kinds,
        "auth_method": None if public else given.token_endpoint_auth_method,
        "require_par": given.require_pushed_authorization_requests,
        "client_uri": given.client_uri,
        "logo_uri": given.logo_uri,
    }
