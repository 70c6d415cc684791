"""Authorization requests (RFC 6749 4.1.1): read and checked before anybody is asked anything, and again when they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from crm_api.db.engine import Connection
from crm_api.flows.oauth import clients, redirects
from crm_api.flows.oauth.clients import Client
from crm_api.flows.oauth.errors import OAuthError, invalid_request
from crm_api.flows.oauth.pkce import is_challenge

PROMPTS: Final = ("none", "login", "consent", "select_account")
LONGEST_STATE: Final = 4_096
_REPEATABLE: Final = frozenset({"resource"})


@dataclass(frozen=True, slots=True)
class Resources:
    """What tokens may be asked for (RFC 8707): the names of this API, and other services that take its tokens."""

    ours: tuple[str, ...]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A checked request: everything in it may be granted, if the person agrees."""

    client: Client
    redirect_uri: str
    redirect_uri_given: bool
    state: str | None
    scopes: Sequence[str]
    audience: Sequence[str] | None
    challenge: str
    prompts: frozenset[str]


class Refused(Exception):
    """A request that goes back to the app with an error (RFC 6749 4.1.2.1): its redirect URI is a registered one."""

    def __init__(self, error: OAuthError, redirect_uri: str, state: str | None) -> None:
        super().__init__(str(error))
        self.error = error
        self.redirect_uri = redirect_uri
        self.state = state


def parameters_of(text: str) -> dict[str, list[str]]:
    """The parameters of a query string or form; those without a value count as left out (RFC 6749 3.1).

    Raises `invalid_request` for repeated ones, text that is not UTF-8, and more than anybody needs.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=100)
    except UnicodeDecodeError:
        raise invalid_request("The parameters are not UTF-8.") from None
    except ValueError:
        raise invalid_request("There are too many parameters.") from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        if "\0" in value:
            raise invalid_request("A parameter has a NUL character.")
        if value:
            found.setdefault(name, []).append(value)
    for name, values in found.items():
        if len(values) > 1 and name not in _REPEATABLE:
            raise invalid_request(f"The parameter {name[:60] if name.isprintable() else ''} is there more than once.")
    return found


def one(parameters: Mapping[str, Sequence[str]], name: str) -> str | None:
    """The value of a parameter that is there at most once."""
    values = parameters.get(name)
    return values[0] if values else None


async def client_of(connection: Connection, parameters: Mapping[str, Sequence[str]]) -> Client:
    """The app that asks. Raises what must be shown to the person and never sent to a redirect URI."""
    client_id = one(parameters, "client_id")
    if client_id is None:
        raise invalid_request("client_id is missing.")
    client = await clients.find(connection, client_id)
    if client is None:
        raise OAuthError("invalid_client", "There is no app with this client_id.")
    return client


def redirect_uri_of(client: Client, parameters: Mapping[str, Sequence[str]]) -> str:
    """Where the answer goes. Raises what must be shown to the person: nobody is sent to an address that is not registered."""
    given = one(parameters, "redirect_uri")
    if given is None:
        if len(client.redirect_uris) != 1:
            raise invalid_request("redirect_uri is missing.")
        return client.redirect_uris[0]
    if not redirects.matches(client.redirect_uris, given):
        raise invalid_request("redirect_uri is not registered for this app. It must be the same, character by character.")
    return given


def read(client: Client, parameters: Mapping[str, Sequence[str]], resources: Resources) -> AuthorizationRequest:
    """Checks a request of this app. Raises OAuthError for a bad redirect URI, else Refused."""
    redirect_uri = redirect_uri_of(client, parameters)
    state = one(parameters, "state")
    try:
        return _read(client, parameters, resources, redirect_uri, state)
    except OAuthError as error:
        raise Refused(error, redirect_uri, state) from None


def _read(
    client: Client, parameters: Mapping[str, Sequence[str]], resources: Resources, redirect_uri: str, state: str | None
) -> AuthorizationRequest:
    if state is not None and len(state) > LONGEST_STATE:
        raise invalid_request(f"state is longer than {LONGEST_STATE} characters.")
    response_type = one(parameters, "response_type")
    if response_type is None:
        raise invalid_request("response_type is missing.")
    if response_type != "code":
        raise OAuthError("unsupported_response_type", "The only response_type is code.")
    clients.require_grant_type(client, clients.CODE)
    if one(parameters, "response_mode") not in (None, "query"):
        raise invalid_request("The only response_mode is query.")
    for name, error in (("request", "request_not_supported"), ("registration", "registration_not_supported")):
        if name in parameters:
            raise OAuthError(error, f"The parameter {name} is not supported.")
    challenge = one(parameters, "code_challenge")
    if challenge is None:
        raise invalid_request("code_challenge is missing: PKCE is required (RFC 7636).")
    if one(parameters, "code_challenge_method") != "S256":
        raise invalid_request("code_challenge_method must be S256.")
    if not is_challenge(challenge):
        raise invalid_request("code_challenge is not the base64url of a SHA-256: 43 characters without padding.")
    prompts = frozenset((one(parameters, "prompt") or "").split())
    if not prompts <= set(PROMPTS) or ("none" in prompts and len(prompts) > 1):
        raise invalid_request(f"prompt is none, or some of {', '.join(PROMPTS[1:])}.")
    return AuthorizationRequest(
        client,
        redirect_uri,
        "redirect_uri" in parameters,
        state,
        clients.scopes_of(one(parameters, "scope"), client.scopes),
        clients.audience_of(parameters.get("resource", ()), resources.ours, resources.others),
        challenge,
        prompts,
    )
