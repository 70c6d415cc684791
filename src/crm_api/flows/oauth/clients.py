"""Apps as the token endpoint knows them: found by their `client_id`, proven by their secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any, Final, Literal
from uuid import UUID

from crm_api.core.ids import parse_uuid
from crm_api.core.tokens import parse
from crm_api.db.engine import Connection
from crm_api.db.statement import Statement
from crm_api.flows.oauth.errors import OAuthError, invalid_client, invalid_scope, invalid_target

CODE: Final = "authorization_code"
REFRESH: Final = "refresh_token"
CLIENT: Final = "client_credentials"
DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"
GRANT_TYPES: Final = (CODE, REFRESH, CLIENT, DEVICE)
API: Final = "api"
"""How this API is called in the audience of tokens, whatever address it has at present."""

COLUMNS: Final = (
    "id", "owner_org_id", "name", "type", "redirect_uris", "scopes", "grant_types", "auth_method", "first_party", "distribution",
    "install", "require_par", "logo_uri", "client_uri", "run_as_user_id", "created_by", "secret_hash", "secret_prefix",
    "previous_secret_hash", "previous_secret_until", "version", "created_at", "updated_at", "disabled_at",
)  # fmt: skip
_FIND: Final = Statement(f"SELECT {', '.join(COLUMNS)} FROM oauth_clients WHERE id = $1", ("id",))
MOST_SCOPES: Final = 100


@dataclass(frozen=True, slots=True)
class Client:
    """A registered app."""

    id: UUID
    owner_org_id: UUID | None
    name: str
    type: Literal["confidential", "public"]
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    grant_types: tuple[str, ...]
    auth_method: str | None
    first_party: bool
    distribution: str
    install: str
    require_par: bool
    logo_uri: str | None
    client_uri: str | None
    run_as_user_id: UUID | None
    created_by: UUID | None
    secret_hash: bytes | None
    secret_prefix: str | None
    previous_secret_hash: bytes | None
    previous_secret_until: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime
    disabled_at: datetime | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Client:
        """From its row."""
        values = {name: row[name] for name in COLUMNS}
        for name in ("redirect_uris", "scopes", "grant_types"):
            values[name] = tuple(values[name])
        return cls(**values)

    @property
    def public(self) -> bool:
        """Whether it can keep no secret: apps in browsers, on phones and on people's machines."""
        return self.type == "public"

    def serves(self, org_id: UUID) -> bool:
        """Whether people of an organisation may use it."""
        return self.distribution == "public" or self.owner_org_id == org_id


@dataclass(frozen=True, slots=True)
class Credentials:
    """How a request says which app it comes from. `method` is `client_secret_basic`, `client_secret_post` or `none`."""

    client_id: str
    secret: str | None
    method: str


async def find(connection: Connection, client_id: str) -> Client | None:
    """The app of this `client_id`, if there is one and it is not disabled."""
    id = parse_uuid(client_id)
    row = None if id is None else await connection.fetch_row(_FIND, {"id": id})
    if row is None or row["disabled_at"] is not None:
        return None
    return Client.of(row)


async def authenticate(connection: Connection, given: Credentials, now: datetime) -> Client:
    """The app that a request to the token endpoint comes from. Raises `invalid_client`, in the same words whatever was wrong."""
    client = await find(connection, given.client_id)
    if client is None or not _proven(client, given, now):
        raise invalid_client("The client is unknown, or its authentication failed.", basic=given.method == "client_secret_basic")
    return client


def _proven(client: Client, given: Credentials, now: datetime) -> bool:
    if client.public:
        return given.method == "none"
    if given.secret is None or client.auth_method not in (None, given.method):
        return False
    hashed = parse(given.secret, "crm_cs_")
    if hashed is None:
        return False
    if client.secret_hash is not None and compare_digest(hashed, client.secret_hash):
        return True
    until = client.previous_secret_until
    earlier = client.previous_secret_hash
    return earlier is not None and until is not None and now < until and compare_digest(hashed, earlier)


def require_grant_type(client: Client, grant_type: str) -> None:
    """Raises `unauthorized_client` unless the app is registered for this kind of grant."""
    if grant_type not in client.grant_types:
        raise OAuthError("unauthorized_client", f"This client is not registered for the grant type {grant_type}.")


def scopes_of(text: str | None, registered: Sequence[str]) -> list[str]:
    """The scopes of a request, all that are registered if it names none. Raises `invalid_scope`; nothing is left out silently."""
    if text is None:
        return list(registered)
    asked = list(dict.fromkeys(text.split(" ")))
    if len(asked) > MOST_SCOPES:
        raise invalid_scope(f"More than {MOST_SCOPES} scopes.")
    wrong = [scope for scope in asked if scope not in registered]
    if wrong:
        shown = [scope[:60] if scope.isascii() and scope.isprintable() and scope else "one that can't be shown" for scope in wrong[:5]]
        raise invalid_scope(f"Not among the scopes of this client: {', '.join(shown)}.")
    return asked


def audience_of(asked: Sequence[str], ours: Sequence[str], others: Sequence[str]) -> list[str] | None:
    """What a token is to be good for (RFC 8707): None where the request does not say, which means this API.

    `ours` are the names of this API, `others` those of other services that take our tokens. Raises `invalid_target`.
    """
    if not asked:
        return None
    found = []
    for resource in asked:
        if resource in ours:
            found.append(API)
        elif resource in others:
            found.append(resource)
        else:
            raise invalid_target("The resource is none that this server gives tokens for.")
    return list(dict.fromkeys(found))
