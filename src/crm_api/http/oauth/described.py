"""What clients send and get, for the description of the API: the forms are read by hand, since they are stricter than FastAPI's."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict

from crm_api.kernel.schema import about

_ID: Final = "01976f6e-8a00-7000-8000-000000000001"
_AT: Final = "crm_at_1JRouMUn8QUhXdFyVOjBSZ1aH6GwwC6N4CpxUvJbzU02hkMAb"
_RT: Final = "crm_rt_1JRouMUn8QUhXdFyVOjBSZ1aH6GwwC6N4CpxUvJbzU02hkMAb"
_CODE: Final = "crm_ac_1JRouMUn8QUhXdFyVOjBSZ1aH6GwwC6N4CpxUvJbzU02hkMAb"
_SCOPE: Final = "contacts:read deals:write"


class _Shown(BaseModel):
    model_config = ConfigDict(extra="allow")


class OAuthErrorAnswer(BaseModel):
    """An error as RFC 6749 has it (section 5.2)."""

    error: Annotated[str, about("What is wrong, for programs.", "invalid_grant")]
    error_description: Annotated[str, about("What is wrong, for developers.", "The refresh token is unknown, expired or revoked.")]


class ClientForm(BaseModel):
    """How a client says who it is, unless it does so with the `Authorization: Basic` header."""

    client_id: Annotated[str | None, about("The app's id.", _ID)] = None
    client_secret: Annotated[str | None, about("The secret of a confidential app (`client_secret_post`).", "crm_cs_…")] = None


class TokenForm(ClientForm):
    """What is exchanged for tokens."""

    grant_type: Annotated[
        str,
        about(
            "`authorization_code`, `refresh_token`, `client_credentials` or `urn:ietf:params:oauth:grant-type:device_code`.",
            "authorization_code",
        ),
    ]
    code: Annotated[str | None, about("The code, for `authorization_code`.", _CODE)] = None
    redirect_uri: Annotated[str | None, about("That of the authorization request, character by character.", "https://app.example/cb")] = (
        None
    )
    code_verifier: Annotated[
        str | None, about("What the `code_challenge` was made of (RFC 7636).", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    ] = None
    refresh_token: Annotated[str | None, about("The last refresh token, for `refresh_token`.", _RT)] = None
    device_code: Annotated[str | None, about("The device's code, for the device flow.", "crm_dc_…")] = None
    scope: Annotated[str | None, about("Scopes, separated by blanks; fewer than granted for a refresh.", _SCOPE)] = None
    resource: Annotated[str | None, about("What the access token is for (RFC 8707); this API if left out.", "https://crm.example")] = None
    org_id: Annotated[str | None, about("For `client_credentials`: the organisation that has installed the app.", _ID)] = None


class TokenAnswer(BaseModel):
    """Tokens (RFC 6749, section 5.1)."""

    access_token: Annotated[str, about("Send it as `Authorization: Bearer <token>`.", _AT)]
    token_type: Annotated[str, about("Always `Bearer`.", "Bearer")]
    expires_in: Annotated[int, about("Seconds until the access token expires.", 1800)]
    refresh_token: Annotated[str | None, about("For the next access token; good once. Not with `client_credentials`.", _RT)] = None
    scope: Annotated[str, about("What the access token may do.", _SCOPE)]
    org_id: Annotated[str, about("The organisation it works in.", _ID)]
    user_id: Annotated[str | None, about("The user it acts for; null for an app that acts as itself.", _ID)]
    grant_id: Annotated[str, about("What was granted: all tokens that follow from one consent share it.", _ID)]


class TokenQueryForm(ClientForm):
    """A token of this client."""

    token: Annotated[str, about("An access or refresh token.", _RT)]
    token_type_hint: Annotated[str | None, about("`access_token` or `refresh_token`; a wrong hint does no harm.", "refresh_token")] = None


class IntrospectionAnswer(_Shown):
    """What is known of a token (RFC 7662, section 2.2); nothing but `active: false` of one that does not work."""

    active: Annotated[bool, about("Whether it works.", True)]


class RevocationAnswer(BaseModel):
    """Nothing: the status says it."""


class AuthorizationForm(ClientForm):
    """An authorization request (RFC 6749 4.1.1, RFC 7636)."""

    response_type: Annotated[str, about("Always `code`.", "code")]
    redirect_uri: Annotated[str | None, about("Where the answer goes; registered for the app.", "https://app.example/cb")] = None
    code_challenge: Annotated[str, about("BASE64URL(SHA-256(code_verifier)).", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")]
    code_challenge_method: Annotated[str, about("Always `S256`.", "S256")]
    scope: Annotated[str | None, about("Scopes, separated by blanks; all that the app has if left out.", _SCOPE)] = None
    state: Annotated[str | None, about("Comes back as it is.", "af0ifjsldkj")] = None
    resource: Annotated[str | None, about("What the tokens are for (RFC 8707).", "https://crm.example")] = None
    prompt: Annotated[str | None, about("`none`, or some of `login`, `consent`.", "consent")] = None


class PushedAnswer(BaseModel):
    """A pushed request (RFC 9126, section 2.2)."""

    request_uri: Annotated[
        str, about("For the authorization endpoint, once.", "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c")
    ]
    expires_in: Annotated[int, about("Seconds until it must have been opened.", 90)]


class DeviceForm(ClientForm):
    """A device that wants in (RFC 8628)."""

    scope: Annotated[str | None, about("Scopes, separated by blanks; all that the app has if left out.", _SCOPE)] = None
    resource: Annotated[str | None, about("What the tokens are for (RFC 8707).", "https://crm.example")] = None


class DeviceAnswer(BaseModel):
    """What the device shows, and what it asks with (RFC 8628, section 3.2)."""

    device_code: Annotated[str, about("For the token endpoint.", "crm_dc_1JRouMUn8QUhXdFyVOjBSZ1aH6GwwC6N4CpxUvJbzU02hkMAb")]
    user_code: Annotated[str, about("For the person to type in.", "WDJB-MJHT")]
    verification_uri: Annotated[str, about("Where the person goes.", "https://crm.example/oauth/device")]
    verification_uri_complete: Annotated[
        str, about("The same with the code in it.", "https://crm.example/oauth/device?user_code=WDJB-MJHT")
    ]
    expires_in: Annotated[int, about("Seconds until both codes expire.", 600)]
    interval: Annotated[int, about("Seconds to wait between two requests.", 5)]


_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": OAuthErrorAnswer, "description": text}
    for status, text in (
        (400, "The request is wrong, or what it presents is not good for this."),
        (401, "The client could not be authenticated."),
        (403, "What the request presents may not do this."),
        (413, "The body is too long."),
        (429, "Too many failed attempts; see `Retry-After`."),
        (503, "Not possible at present; see `Retry-After`."),
    )
}


PAGES: Final = {
    403: "the form is no longer valid, or the app is not for this person",
    413: "the form is too long",
    415: "this is no form",
    429: "too many wrong codes; see `Retry-After`",
    503: "not possible at present; see `Retry-After`",
}
"""What else a page may tell."""


def form(model: type[BaseModel]) -> dict[str, Any]:
    """What a route that reads this form itself says about it."""
    schema = model.model_json_schema()
    properties = {}
    for name, found in schema["properties"].items():
        kinds = [kind for kind in found.get("anyOf", ()) if kind != {"type": "null"}]
        kept = {key: value for key, value in found.items() if key not in ("anyOf", "default", "title")}
        properties[name] = {**(kinds[0] if kinds else {}), **kept}
    body = {"type": "object", "description": model.__doc__, "properties": properties, "required": schema.get("required", [])}
    content = {"application/x-www-form-urlencoded": {"schema": body}}
    return {"openapi_extra": {"requestBody": {"required": True, "content": content}}, "responses": _ERRORS}
