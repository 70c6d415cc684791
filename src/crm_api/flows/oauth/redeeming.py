"""From a code to tokens (RFC 6749 4.1.3): each code once, by the client, with the address and the verifier that it is bound to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from crm_api.core.clock import Clock
from crm_api.core.tokens import generate, parse
from crm_api.db.engine import Connection
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.flows.oauth.clients import Client
from crm_api.flows.oauth.errors import OAuthError, invalid_grant, invalid_target
from crm_api.flows.oauth.issuing import KIND_APP, KIND_USER, Lifetimes, end_grant, is_active, issue, new_grant
from crm_api.flows.oauth.pkce import verifies

CODE_LIFE: Final = timedelta(seconds=60)
_UNKNOWN: Final = "The code is unknown, expired, used, or was given to another client."

_STORE: Final = Statement(
    "INSERT INTO oauth_codes (hash, org_id, user_id, app_id, grant_id, scopes, audience, redirect_uri, redirect_uri_given, challenge,"
    " created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    ("hash", "org_id", "user_id", "app_id", "grant_id", "scopes", "audience", "redirect_uri", "redirect_uri_given", "challenge", "now",
     "expires_at"),
)  # fmt: skip
_WHERE: Final = Statement("SELECT org_id, app_id FROM oauth_codes WHERE hash = $1", ("hash",))
_CONSUME: Final = Statement(
    "UPDATE oauth_codes SET used_at = $3 WHERE hash = $1 AND app_id = $2 AND used_at IS NULL AND expires_at > $3"
    " RETURNING user_id, grant_id, scopes, audience, redirect_uri, redirect_uri_given, challenge",
    ("hash", "app_id", "now"),
)
_USED: Final = Statement("SELECT grant_id FROM oauth_codes WHERE hash = $1 AND app_id = $2 AND used_at IS NOT NULL", ("hash", "app_id"))


@dataclass(frozen=True, slots=True)
class Bound:
    """What a code is made for."""

    org_id: UUID
    user_id: UUID
    scopes: Sequence[str]
    audience: Sequence[str] | None
    redirect_uri: str
    redirect_uri_given: bool
    challenge: str


async def new_code(connection: Connection, clock: Clock, client: Client, bound: Bound, grant_id: UUID) -> str:
    """Stores a new code and returns its text."""
    text, hash_ = generate("crm_ac_")
    now = clock.now()
    values = {
        "hash": hash_, "org_id": bound.org_id, "user_id": bound.user_id, "app_id": client.id, "grant_id": grant_id,
        "scopes": list(bound.scopes), "audience": None if bound.audience is None else list(bound.audience),
        "redirect_uri": bound.redirect_uri, "redirect_uri_given": bound.redirect_uri_given, "challenge": bound.challenge, "now": now,
        "expires_at": now + CODE_LIFE,
    }  # fmt: skip
    await connection.fetch(_STORE, values)
    return text


async def organization_of(connection: Connection, code: str, client: Client) -> tuple[bytes, UUID]:
    """The hash of a code and its organisation. Raises `invalid_grant` for one that was never given to this client."""
    hash_ = parse(code, "crm_ac_")
    row = None if hash_ is None else await connection.fetch_row(_WHERE, {"hash": hash_})
    if hash_ is None or row is None or row["app_id"] != client.id:
        raise invalid_grant(_UNKNOWN)
    return hash_, row["org_id"]


async def redeem(
    uow: Uow,
    client: Client,
    hash_: bytes,
    *,
    redirect_uri: str | None,
    verifier: str,
    audience: Sequence[str] | None,
    lifetimes: Lifetimes,
) -> dict[str, Any] | OAuthError:
    """The tokens for a code. An error is returned and not raised: the code stays used up, and what a replayed one gave has ended."""
    now: datetime = uow.clock.now()
    code = await uow.fetch_row(_CONSUME, {"hash": hash_, "app_id": client.id, "now": now})
    if code is None:
        # Whoever used it holds its row until their tokens are stored, so the tokens to be ended are seen here (RFC 9700 4.5).
        used = await uow.fetch_row(_USED, {"hash": hash_, "app_id": client.id})
        if used is not None:
            await end_grant(uow, used["grant_id"], "code_reuse", action="oauth.code_reuse")
        return invalid_grant(_UNKNOWN)
    if redirect_uri is None and code["redirect_uri_given"]:
        return invalid_grant("redirect_uri is missing; it was part of the authorization request.")
    if redirect_uri is not None and redirect_uri != code["redirect_uri"]:
        return invalid_grant("redirect_uri is not the one of the authorization request.")
    if not verifies(verifier, code["challenge"]):
        return invalid_grant("code_verifier does not fit the code_challenge.")
    if not narrower(audience, code["audience"]):
        return invalid_target("The resource is none that was asked for when access was granted.")
    if not await is_active(uow, code["user_id"]):
        return invalid_grant("The user may no longer sign in to this organisation.")
    kind = KIND_APP if client.install == "org" else KIND_USER
    grant = await new_grant(uow, client, code["user_id"], kind, code["scopes"], code["audience"], code["grant_id"], lifetimes)
    return await issue(uow, client, grant, lifetimes, refreshable=True, audience=audience)


def narrower(asked: Sequence[str] | None, granted: Sequence[str] | None) -> bool:
    """Whether an audience is within a granted one; a grant that names none is for this API."""
    return asked is None or set(asked) <= set(["api"] if granted is None else granted)
