"""The device flow (RFC 8628), for programs without a browser: a code on the device, typed in somewhere else."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from crm_api.core.clock import Clock
from crm_api.core.tokens import generate, parse
from crm_api.db.engine import Connection
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.flows.oauth.clients import Client
from crm_api.flows.oauth.errors import OAuthError, invalid_grant
from crm_api.flows.oauth.issuing import KIND_APP, KIND_USER, Lifetimes, is_active, issue, new_grant

LIFE: Final = timedelta(minutes=10)
INTERVAL: Final = 5
_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so that no words come out, and nothing that looks like something else (RFC 8628 6.1)."""

_LENGTH: Final = 8  # 20**8 codes: with ten wrong ones allowed in ten minutes nobody guesses one that lives for ten minutes

_STORE: Final = Statement(
    "INSERT INTO oauth_device_codes (hash, user_code_hash, app_id, scopes, audience, status, interval, hasty, expires_at)"
    " VALUES ($1, $2, $3, $4, $5, 'pending', $6, false, $7)",
    ("hash", "user_code_hash", "app_id", "scopes", "audience", "interval", "expires_at"),
)
_BY_USER_CODE: Final = Statement(
    "SELECT app_id, scopes, audience FROM oauth_device_codes WHERE user_code_hash = $1 AND status = 'pending' AND expires_at > $2",
    ("user_code_hash", "now"),
)
_DECIDE: Final = Statement(
    "UPDATE oauth_device_codes SET status = $3, org_id = $4, user_id = $5, grant_id = $6"
    " WHERE user_code_hash = $1 AND status = 'pending' AND expires_at > $2 RETURNING app_id",
    ("user_code_hash", "now", "status", "org_id", "user_id", "grant_id"),
)
# The right sides of SET see the row as it was, so one statement both judges this poll and notes it.
_POLL: Final = Statement(
    "UPDATE oauth_device_codes SET polled_at = $3, hasty = (status = 'pending' AND polled_at IS NOT NULL"
    " AND polled_at + interval * interval '1 second' > $3), interval = interval + CASE WHEN status = 'pending' AND polled_at IS NOT NULL"
    " AND polled_at + interval * interval '1 second' > $3 THEN 5 ELSE 0 END"
    " WHERE hash = $1 AND app_id = $2 AND used_at IS NULL RETURNING status, hasty, expires_at, org_id",
    ("hash", "app_id", "now"),
)
_CONSUME: Final = Statement(
    "UPDATE oauth_device_codes SET used_at = $3 WHERE hash = $1 AND app_id = $2 AND used_at IS NULL AND status = 'allowed'"
    " AND expires_at > $3 RETURNING user_id, grant_id, scopes, audience",
    ("hash", "app_id", "now"),
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A device that waits for an answer."""

    client_id: UUID
    scopes: Sequence[str]
    audience: Sequence[str] | None


def _hash(user_code: str) -> bytes:
    """By its letters alone: people write hyphens, blanks and small letters as they like."""
    return sha256("".join(letter for letter in user_code.upper() if letter in _LETTERS).encode()).digest()


async def begin(
    connection: Connection, clock: Clock, client: Client, scopes: Sequence[str], audience: Sequence[str] | None
) -> tuple[str, str]:
    """A new device code, and the code that the person types in (`WDJB-MJHT`)."""
    device_code, hash_ = generate("crm_dc_")
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    user_code = f"{letters[:4]}-{letters[4:]}"
    values = {
        "hash": hash_, "user_code_hash": _hash(user_code), "app_id": client.id, "scopes": list(scopes),
        "audience": None if audience is None else list(audience), "interval": INTERVAL, "expires_at": clock.now() + LIFE,
    }  # fmt: skip
    await connection.fetch(_STORE, values)
    return device_code, user_code


async def waiting(connection: Connection, clock: Clock, user_code: str) -> Waiting | None:
    """The device that shows a code, while it waits."""
    row = await connection.fetch_row(_BY_USER_CODE, {"user_code_hash": _hash(user_code), "now": clock.now()})
    return None if row is None else Waiting(row["app_id"], row["scopes"], row["audience"])


async def decide(connection: Connection, clock: Clock, user_code: str, allowed: tuple[UUID, UUID, UUID] | None) -> bool:
    """Lets the device in (organisation, user, id of the grant to come) or turns it away; False if it does not wait any more."""
    org_id, user_id, grant_id = allowed or (None, None, None)
    values = {
        "user_code_hash": _hash(user_code), "now": clock.now(), "status": "denied" if allowed is None else "allowed",
        "org_id": org_id, "user_id": user_id, "grant_id": grant_id,
    }  # fmt: skip
    return await connection.fetch_row(_DECIDE, values) is not None


async def poll(connection: Connection, clock: Clock, client: Client, device_code: str) -> tuple[bytes, UUID]:
    """The hash of a device code that was allowed, and the organisation. Raises the error that tells the device what to do."""
    hash_ = parse(device_code, "crm_dc_")
    now = clock.now()
    row = None if hash_ is None else await connection.fetch_row(_POLL, {"hash": hash_, "app_id": client.id, "now": now})
    if hash_ is None or row is None:
        raise invalid_grant("The device code is unknown, used, or was given to another client.")
    if row["expires_at"] <= now:
        raise OAuthError("expired_token", "The device code has expired; begin again.")
    if row["status"] == "denied":
        raise OAuthError("access_denied", "The person has refused.")
    if row["status"] == "pending":
        if row["hasty"]:
            raise OAuthError("slow_down", "Ask less often: 5 seconds more between two requests.")
        raise OAuthError("authorization_pending", "The person has not decided yet.")
    return hash_, row["org_id"]


async def redeem(uow: Uow, client: Client, hash_: bytes, lifetimes: Lifetimes) -> dict[str, Any] | OAuthError:
    """The tokens for a device that was let in; once. An error is returned, so that the code stays used up."""
    code = await uow.fetch_row(_CONSUME, {"hash": hash_, "app_id": client.id, "now": uow.clock.now()})
    if code is None:
        return invalid_grant("The device code is unknown, used, or was given to another client.")
    if not await is_active(uow, code["user_id"]):
        return invalid_grant("The user may no longer sign in to this organisation.")
    kind = KIND_APP if client.install == "org" else KIND_USER
    grant = await new_grant(uow, client, code["user_id"], kind, code["scopes"], code["audience"], code["grant_id"], lifetimes)
    return await issue(uow, client, grant, lifetimes, refreshable=True)
