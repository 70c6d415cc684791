"""Refresh tokens: each is used once and replaced (RFC 9700 4.14.2).

All refresh tokens of a grant are one family. A used one that comes back ends the family, because whoever holds it is not the
one who got its successor. Two exceptions keep honest clients in: within a short grace the direct parent of an unused token gets
a sibling of it (the answer was lost on its way), and requests that were already under way when another one used the token are
merely refused (two tabs at the same moment).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from crm_api.core.tokens import parse
from crm_api.db.engine import Connection
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.flows.oauth.clients import Client
from crm_api.flows.oauth.errors import OAuthError, invalid_grant, invalid_scope, invalid_target
from crm_api.flows.oauth.issuing import Grant, Lifetimes, end_grant, issue
from crm_api.flows.oauth.redeeming import narrower

_UNKNOWN: Final = "The refresh token is unknown, expired or revoked."

_FIND: Final = Statement("SELECT org_id, id, app_id, scopes, audience FROM tokens WHERE hash = $1 AND kind = 'rt'", ("hash",))
# The grant is locked before anything else: whoever ends it waits for tokens being made of it, and then sees them.
_LOCK: Final = Statement(
    "SELECT g.user_id, g.kind, g.scopes, g.audience, g.expires_at, m.status FROM oauth_grants g"
    " LEFT JOIN members m ON m.org_id = g.org_id AND m.org_id = $1 AND m.id = g.user_id AND m.deleted_at IS NULL"
    " WHERE g.org_id = $1 AND g.id = $2 AND g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > $3) FOR UPDATE OF g",
    ("org_id", "grant_id", "now"),
)
_CONSUME: Final = Statement(
    "UPDATE tokens SET used_at = $2 WHERE hash = $1 AND kind = 'rt' AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $2"
    " AND NOT user_suspended RETURNING hash",
    ("hash", "now"),
)
_STATE: Final = Statement("SELECT used_at, revoked_at, expires_at, user_suspended FROM tokens WHERE hash = $1", ("hash",))
_CHILD_USED: Final = Statement(
    "SELECT 1 FROM tokens WHERE org_id = $1 AND id = $2 AND kind = 'rt' AND parent = $3 AND used_at IS NOT NULL LIMIT 1",
    ("org_id", "grant_id", "parent"),
)


@dataclass(frozen=True, slots=True)
class Presented:
    """A refresh token that a client has sent: it exists and is this client's, no more is known yet."""

    hash: bytes
    org_id: UUID
    grant_id: UUID
    scopes: Sequence[str]
    audience: Sequence[str] | None


async def presented(connection: Connection, token: str, client: Client) -> Presented:
    """Finds a refresh token. Raises `invalid_grant` for one that was never given to this client."""
    hash_ = parse(token, "crm_rt_")
    row = None if hash_ is None else await connection.fetch_row(_FIND, {"hash": hash_})
    if hash_ is None or row is None or row["app_id"] != client.id:
        raise invalid_grant(_UNKNOWN)
    return Presented(hash_, row["org_id"], row["id"], row["scopes"], row["audience"])


def narrowed(token: Presented, scope: str | None, audience: Sequence[str] | None) -> list[str] | None:
    """The scopes for the new access token, None for all. Raises `invalid_scope` or `invalid_target` for what goes beyond the grant."""
    if not narrower(audience, token.audience):
        raise invalid_target("The resource is none that was asked for when access was granted.")
    if scope is None:
        return None
    asked = list(dict.fromkeys(scope.split(" ")))
    if not set(asked) <= set(token.scopes):
        raise invalid_scope("A refresh can't give more scopes than were granted.")
    return asked


async def refresh(
    uow: Uow,
    client: Client,
    token: Presented,
    *,
    scopes: Sequence[str] | None,
    audience: Sequence[str] | None,
    lifetimes: Lifetimes,
    arrived: datetime,
) -> dict[str, Any] | OAuthError:
    """New tokens for a refresh token. `arrived` is when the request came.

    An error is returned and not raised: a family that was ended because of it stays so.
    """
    now = uow.clock.now()
    grant = await uow.fetch_row(_LOCK, {"org_id": uow.org_id, "grant_id": token.grant_id, "now": now})
    if grant is None or grant["status"] != "active":
        return invalid_grant(_UNKNOWN)
    if await uow.fetch_row(_CONSUME, {"hash": token.hash, "now": uow.clock.now()}) is None:
        refused = await _again(uow, token, lifetimes, arrived)
        if refused is not None:
            return refused
    stored = Grant(token.grant_id, uow.org_id, grant["user_id"], grant["kind"], grant["scopes"], grant["audience"], grant["expires_at"])
    return await issue(uow, client, stored, lifetimes, refreshable=True, scopes=scopes, audience=audience, parent=token.hash)


async def _again(uow: Uow, token: Presented, lifetimes: Lifetimes, arrived: datetime) -> OAuthError | None:
    """What becomes of a token that can't be used up: None if it may have a second child."""
    state = await uow.fetch_row(_STATE, {"hash": token.hash})
    if state is None or state["used_at"] is None or state["revoked_at"] is not None or state["user_suspended"]:
        return invalid_grant(_UNKNOWN)
    now: datetime = uow.clock.now()
    if arrived <= state["used_at"]:
        return invalid_grant("Another request was using this refresh token at the same moment. Send the request again.")
    if now - state["used_at"] <= lifetimes.grace and state["expires_at"] > now and lifetimes.grace:
        values = {"org_id": uow.org_id, "grant_id": token.grant_id, "parent": token.hash}
        if await uow.fetch_row(_CHILD_USED, values) is None:
            return None
    await end_grant(uow, token.grant_id, "token_reuse", action="oauth.token_reuse")
    return invalid_grant("The refresh token had been used already; the grant has ended.")
