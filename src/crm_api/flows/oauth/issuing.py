"""Making tokens, and ending them. All tokens of a grant carry the grant's id, by which limits and idempotency keys count too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from crm_api.core.tokens import generate, token_hint
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.flows.oauth import telling
from crm_api.flows.oauth.clients import Client
from crm_api.kernel.audit import record


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long tokens are good for. `refresh` is the time without use after which a grant ends, `grant` its longest life."""

    access: timedelta = timedelta(minutes=30)
    refresh: timedelta = timedelta(days=30)
    grant: timedelta = timedelta(days=180)
    grace: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Grant:
    """What tokens are made from. `acting_as` is the user whose rights bound the tokens'; `kind` is `user` or `app`."""

    id: UUID
    org_id: UUID
    acting_as: UUID
    kind: str
    scopes: Sequence[str]
    audience: Sequence[str] | None
    expires_at: datetime | None


# `preferences` is what the member has set, as in every token, so that requests need not look it up.
_INSERT: Final = Statement(
    """
    INSERT INTO tokens (hash, id, org_id, user_id, kind, name, prefix, scopes, app_id, created_at, expires_at, audience, parent,
                        preferences, user_suspended)
    SELECT v.hash, $1, $2, $3, v.kind, $4, v.prefix, CASE WHEN v.kind = 'rt' THEN $6::text[] ELSE $5::text[] END, $7, $8, v.expires_at,
           CASE WHEN v.kind = 'rt' THEN $15::text[] ELSE $9::text[] END, $10,
           (SELECT nullif(jsonb_strip_nulls(m.settings || jsonb_build_object('locale', m.locale, 'time_zone', m.time_zone))::text, '{}')
              FROM members m WHERE m.org_id = $2 AND m.id = $3), false
      FROM unnest($11::bytea[], $12::text[], $13::text[], $14::timestamptz[]) AS v (hash, kind, prefix, expires_at)
    """,
    ("grant_id", "org_id", "user_id", "name", "scopes", "all_scopes", "app_id", "now", "audience", "parent", "hashes", "kinds", "prefixes",
     "expiries", "whole_audience"),
)  # fmt: skip
_NEW_GRANT: Final = Statement(
    "INSERT INTO oauth_grants (org_id, id, app_id, user_id, kind, scopes, audience, created_at, expires_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    ("org_id", "id", "app_id", "user_id", "kind", "scopes", "audience", "now", "expires_at"),
)
_END_GRANT: Final = Statement(
    "UPDATE oauth_grants SET revoked_at = $3, revoked_because = $4 WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL"
    " RETURNING id, app_id, user_id, kind, scopes",
    ("org_id", "id", "now", "because"),
)
_END_TOKENS: Final = Statement(
    "UPDATE tokens SET revoked_at = $3 WHERE org_id = $1 AND id = $2 AND app_id IS NOT NULL AND revoked_at IS NULL", ("org_id", "id", "now")
)
_ACTIVE: Final = Statement(
    "SELECT 1 FROM members m WHERE m.org_id = $1 AND m.id = $2 AND m.status = 'active' AND m.deleted_at IS NULL", ("org_id", "user_id")
)
_END_OF_USER: Final = Statement(
    "UPDATE oauth_grants SET revoked_at = $3, revoked_because = $4 WHERE org_id = $1 AND user_id = $2 AND revoked_at IS NULL"
    " RETURNING id, app_id, user_id, kind, scopes",
    ("org_id", "user_id", "now", "because"),
)
_END_TOKENS_OF_USER: Final = Statement(
    "UPDATE tokens SET revoked_at = $3 WHERE org_id = $1 AND user_id = $2 AND app_id IS NOT NULL AND revoked_at IS NULL",
    ("org_id", "user_id", "now"),
)
KIND_APP: Final = "app"
KIND_USER: Final = "user"


async def is_active(uow: Uow, user_id: UUID) -> bool:
    """Whether a user belongs to the organisation and is neither invited only nor suspended."""
    return await uow.fetch_row(_ACTIVE, {"org_id": uow.org_id, "user_id": user_id}) is not None


async def new_grant(
    uow: Uow,
    client: Client,
    user_id: UUID,
    kind: str,
    scopes: Sequence[str],
    audience: Sequence[str] | None,
    id: UUID,
    lifetimes: Lifetimes,
) -> Grant:
    """Stores what was allowed."""
    now = uow.clock.now()
    expires_at = now + lifetimes.grant if kind == KIND_USER else None
    values = {
        "org_id": uow.org_id, "id": id, "app_id": client.id, "user_id": user_id, "kind": kind, "scopes": list(scopes),
        "audience": None if audience is None else list(audience), "now": now, "expires_at": expires_at,
    }  # fmt: skip
    await uow.fetch(_NEW_GRANT, values)
    telling.let_in(uow, id, client.id, client.name, user_id, kind, scopes)
    return Grant(id, uow.org_id, user_id, kind, scopes, audience, expires_at)


async def issue(
    uow: Uow,
    client: Client,
    grant: Grant,
    lifetimes: Lifetimes,
    *,
    refreshable: bool,
    scopes: Sequence[str] | None = None,
    audience: Sequence[str] | None = None,
    parent: bytes | None = None,
) -> dict[str, Any]:
    """An access token, and a refresh token if `refreshable`: the answer of the token endpoint (RFC 6749 5.1).

    `scopes` and `audience` narrow the access token alone. `parent` is the refresh token that was given for these.
    """
    now = uow.clock.now()
    scopes = grant.scopes if scopes is None else scopes
    last = grant.expires_at
    access, access_hash = generate("crm_at_")
    made = [("at" if grant.kind == KIND_USER else "app", access_hash, token_hint(access), _earlier(now + lifetimes.access, last))]
    refresh = None
    if refreshable:
        refresh, refresh_hash = generate("crm_rt_")
        made.append(("rt", refresh_hash, token_hint(refresh), _earlier(now + lifetimes.refresh, last)))
    kinds, hashes, prefixes, expiries = zip(*made, strict=True)
    wanted = audience if audience is not None else grant.audience
    values = {
        "grant_id": grant.id, "org_id": grant.org_id, "user_id": grant.acting_as, "name": client.name, "scopes": list(scopes),
        "all_scopes": list(grant.scopes), "app_id": client.id, "now": now, "audience": None if wanted is None else list(wanted),
        "parent": parent, "hashes": hashes, "kinds": kinds, "prefixes": prefixes, "expiries": expiries,
        "whole_audience": None if grant.audience is None else list(grant.audience),
    }  # fmt: skip
    await uow.fetch(_INSERT, values)
    return {
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": int((expiries[0] - now).total_seconds()),
        **({} if refresh is None else {"refresh_token": refresh}),
        "scope": " ".join(scopes),
        "org_id": str(grant.org_id),
        "user_id": str(grant.acting_as) if grant.kind == KIND_USER else None,
        "grant_id": str(grant.id),
    }


def _earlier(one: datetime, other: datetime | None) -> datetime:
    return one if other is None else min(one, other)


async def end_grant(uow: Uow, grant_id: UUID, because: str, *, action: str = "oauth.grant_revoked") -> bool:
    """Ends a grant with all its tokens, tells it, and notes it in the audit log. False if it had ended before.

    The grant's row is changed first: whoever makes tokens of it holds that row, so none can slip past the second statement.
    """
    now = uow.clock.now()
    row = await uow.fetch_row(_END_GRANT, {"org_id": uow.org_id, "id": grant_id, "now": now, "because": because})
    await uow.fetch(_END_TOKENS, {"org_id": uow.org_id, "id": grant_id, "now": now})
    if row is not None:
        details = {"app_id": str(row["app_id"]), "because": because}
        record(uow, action, object="oauth_grants", record_id=grant_id, details=details)
        telling.ended(uow, row, because)
    return row is not None


async def end_grants_of_user(uow: Uow, user_id: UUID, because: str) -> int:
    """Ends all that apps were allowed for a user in this organisation: on suspension, removal, or a new password."""
    now = uow.clock.now()
    ended = await uow.fetch(_END_OF_USER, {"org_id": uow.org_id, "user_id": user_id, "now": now, "because": because})
    await uow.fetch(_END_TOKENS_OF_USER, {"org_id": uow.org_id, "user_id": user_id, "now": now})
    for row in ended:
        record(uow, "oauth.grant_revoked", object="oauth_grants", record_id=row["id"], details={"because": because})
        telling.ended(uow, row, because)
    return len(ended)
