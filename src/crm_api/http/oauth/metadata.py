"""What clients find out by themselves: RFC 8414 about this server, RFC 9728 about the API that its tokens are for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request

from crm_api.flows.oauth.clients import GRANT_TYPES
from crm_api.flows.tokens import OTHER_SCOPES
from crm_api.http.origin import issuer_of
from crm_api.http.services import services_of
from crm_api.kernel.schema import about

router = APIRouter(tags=["oauth"])
_METHODS = ["client_secret_basic", "client_secret_post"]
_ANY = [*_METHODS, "none"]
_BASE = "https://crm.example"


class ServerMetadata(BaseModel):
    """The authorization server (RFC 8414, section 2). It lists only what works."""

    issuer: Annotated[str, about("Who the server is; `iss` in its answers.", _BASE)]
    authorization_endpoint: Annotated[str, about("Where apps send people.", f"{_BASE}/oauth/authorize")]
    token_endpoint: Annotated[str, about("Where apps get tokens.", f"{_BASE}/oauth/token")]
    pushed_authorization_request_endpoint: Annotated[str, about("RFC 9126.", f"{_BASE}/oauth/par")]
    device_authorization_endpoint: Annotated[str, about("RFC 8628.", f"{_BASE}/oauth/device_authorization")]
    revocation_endpoint: Annotated[str, about("RFC 7009.", f"{_BASE}/oauth/revoke")]
    introspection_endpoint: Annotated[str, about("RFC 7662.", f"{_BASE}/oauth/introspect")]
    registration_endpoint: Annotated[str, about("RFC 7591; with an initial access token.", f"{_BASE}/oauth/register")]
    response_types_supported: Annotated[list[str], about("Kinds of answers.", ["code"])]
    response_modes_supported: Annotated[list[str], about("How they come.", ["query"])]
    grant_types_supported: Annotated[list[str], about("What the token endpoint takes.", list(GRANT_TYPES))]
    code_challenge_methods_supported: Annotated[list[str], about("PKCE, for every app.", ["S256"])]
    token_endpoint_auth_methods_supported: Annotated[list[str], about("How apps prove who they are.", _ANY)]
    revocation_endpoint_auth_methods_supported: Annotated[list[str], about("The same there.", _ANY)]
    introspection_endpoint_auth_methods_supported: Annotated[list[str], about("The same there.", _METHODS)]
    authorization_response_iss_parameter_supported: Annotated[bool, about("RFC 9207.", True)]
    require_pushed_authorization_requests: Annotated[bool, about("Not of every app.", False)]
    scopes_supported: Annotated[list[str], about("Scopes; beside these `<object>:<action>`.", ["admin", "contacts:read"])]
    service_documentation: Annotated[str, about("What people read.", f"{_BASE}/docs")]


class ResourceMetadata(BaseModel):
    """The API as something that tokens are for (RFC 9728, section 2)."""

    resource: Annotated[str, about("Its name, as in `resource` (RFC 8707).", _BASE)]
    authorization_servers: Annotated[list[str], about("Who gives tokens for it.", [_BASE])]
    bearer_methods_supported: Annotated[list[str], about("How tokens are sent.", ["header"])]
    scopes_supported: Annotated[list[str], about("Scopes; beside these `<object>:<action>`.", ["admin", "contacts:read"])]
    resource_name: Annotated[str, about("For people.", "CRM API")]
    resource_documentation: Annotated[str, about("What people read.", f"{_BASE}/docs")]


def _scopes(request: Request) -> list[str]:
    objects = services_of(request).engine.registry
    return [*OTHER_SCOPES, *(f"{resource.name}:{action}" for resource in objects for action in ("read", "write", "delete"))]


@router.get(
    "/.well-known/oauth-authorization-server",
    operation_id="get_authorization_server",
    response_model=ServerMetadata,
    summary="The authorization server",
)
async def authorization_server(request: Request) -> ServerMetadata:
    """Where everything is and what is possible, for clients that set themselves up (RFC 8414)."""
    issuer = issuer_of(request)
    return ServerMetadata(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/oauth/authorize",
        token_endpoint=f"{issuer}/oauth/token",
        pushed_authorization_request_endpoint=f"{issuer}/oauth/par",
        device_authorization_endpoint=f"{issuer}/oauth/device_authorization",
        revocation_endpoint=f"{issuer}/oauth/revoke",
        introspection_endpoint=f"{issuer}/oauth/introspect",
        registration_endpoint=f"{issuer}/oauth/register",
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=list(GRANT_TYPES),
        code_challenge_methods_supported=["S256"],
        token_endpoint_auth_methods_supported=_ANY,
        revocation_endpoint_auth_methods_supported=_ANY,
        introspection_endpoint_auth_methods_supported=_METHODS,
        authorization_response_iss_parameter_supported=True,
        require_pushed_authorization_requests=False,
        scopes_supported=_scopes(request),
        service_documentation=f"{issuer}/docs",
    )


@router.get(
    "/.well-known/oauth-protected-resource",
    operation_id="get_protected_resource",
    response_model=ResourceMetadata,
    summary="The API as a protected resource",
)
async def protected_resource(request: Request) -> ResourceMetadata:
    """Who gives tokens for this API; every 401 leads here (RFC 9728)."""
    issuer = issuer_of(request)
    return ResourceMetadata(
        resource=issuer,
        authorization_servers=[issuer],
        bearer_methods_supported=["header"],
        scopes_supported=_scopes(request),
        resource_name="CRM API",
        resource_documentation=f"{issuer}/docs",
    )
