"""What a client may ask and do about its own tokens: introspection (RFC 7662) and revocation (RFC 7009)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from crm_api.core.clock import Clock
from crm_api.core.tokens import parse
from crm_api.db.engine import Connection
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.flows.oauth.clients import API, Client
from crm_api.flows.oauth.issuing import KIND_USER, end_grant

INACTIVE: Final[Mapping[str, Any]] = {"active": False}
_FIND: Final = Statement(
    "SELECT t.org_id, t.id, t.user_id, t.app_id, t.kind, t.scopes, t.audience, t.created_at, t.expires_at, t.revoked_at, t.used_at,"
    " t.user_suspended FROM tokens t WHERE t.hash = $1",
    ("hash",),
)
_KIND: Final = Statement("SELECT g.kind FROM oauth_grants g WHERE g.org_id = $1 AND g.id = $2", ("org_id", "id"))
_END: Final = Statement("UPDATE tokens SET revoked_at = $2 WHERE hash = $1 AND revoked_at IS NULL", ("hash", "now"))


async def owned(connection: Connection, token: str, client: Client) -> Mapping[str, Any] | None:
    """The row of a token that was given to this client; None for all others, which it must learn nothing about."""
    hash_ = parse(token, "crm_at_", "crm_rt_")
    row = None if hash_ is None else await connection.fetch_row(_FIND, {"hash": hash_})
    return None if row is None or row["app_id"] != client.id else {**row, "hash": hash_}


async def introspect(uow: Uow, client: Client, row: Mapping[str, Any], issuer: str, api: str, clock: Clock) -> Mapping[str, Any]:
    """What is known of a token that still works; `{"active": false}` and nothing else of one that does not."""
    if row["revoked_at"] is not None or row["used_at"] is not None or row["user_suspended"] or row["expires_at"] <= clock.now():
        return INACTIVE
    kind = await uow.fetch_value(_KIND, {"org_id": row["org_id"], "id": row["id"]})
    if kind is None:
        return INACTIVE
    acts_for: UUID | None = row["user_id"] if kind == KIND_USER else None
    audience = [api if one == API else one for one in row["audience"] or (API,)]
    return {
        "active": True,
        "scope": " ".join(row["scopes"]),
        "client_id": str(client.id),
        **({"token_type": "Bearer"} if row["kind"] != "rt" else {}),
        "exp": int(row["expires_at"].timestamp()),
        "iat": int(row["created_at"].timestamp()),
        "sub": str(acts_for or client.id),
        "aud": audience[0] if len(audience) == 1 else audience,
        "iss": issuer,
        "org_id": str(row["org_id"]),
        "user_id": None if acts_for is None else str(acts_for),
        "grant_id": str(row["id"]),
    }


async def revoke(uow: Uow, row: Mapping[str, Any]) -> None:
    """Ends a token; with a refresh token the whole grant ends (RFC 7009 2.1). Again changes nothing."""
    if row["kind"] == "rt":
        await end_grant(uow, row["id"], "revoked_by_app")
    else:
        await uow.fetch(_END, {"hash": row["hash"], "now": uow.clock.now()})
