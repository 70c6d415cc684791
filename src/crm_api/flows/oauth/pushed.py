"""Pushed authorization requests (RFC 9126): sent by the app itself, kept for a moment, named by a URI that is good once."""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Final

from crm_api.core.clock import Clock
from crm_api.db.engine import Connection
from crm_api.db.statement import Statement
from crm_api.flows.oauth.clients import Client
from crm_api.flows.oauth.errors import invalid_request

LIFE: Final = timedelta(seconds=90)
SIGN_IN: Final = timedelta(minutes=10)
"""How long the person may take once the request is on their screen."""

PREFIX: Final = "urn:ietf:params:oauth:request_uri:"
_GONE: Final = "request_uri is unknown, expired, used, or of another client."
_STORE: Final = Statement(
    "INSERT INTO oauth_requests (hash, app_id, parameters, expires_at) VALUES ($1, $2, $3, $4)",
    ("hash", "app_id", "parameters", "expires_at"),
)
_OPEN: Final = Statement(
    "UPDATE oauth_requests SET opened_at = coalesce(opened_at, $3), expires_at = CASE WHEN opened_at IS NULL THEN $4 ELSE expires_at END"
    " WHERE hash = $1 AND app_id = $2 AND used_at IS NULL AND expires_at > $3 RETURNING parameters",
    ("hash", "app_id", "now", "until"),
)
_USE: Final = Statement(
    "UPDATE oauth_requests SET used_at = $3 WHERE hash = $1 AND app_id = $2 AND used_at IS NULL AND expires_at > $3 RETURNING hash",
    ("hash", "app_id", "now"),
)


def _hash(request_uri: str) -> bytes:
    return sha256(request_uri.encode()).digest()


async def push(connection: Connection, clock: Clock, client: Client, parameters: str, life: timedelta = LIFE) -> str:
    """Keeps the parameters of a request and returns its `request_uri`."""
    request_uri = PREFIX + secrets.token_urlsafe(32)
    values = {"hash": _hash(request_uri), "app_id": client.id, "parameters": parameters, "expires_at": clock.now() + life}
    await connection.fetch(_STORE, values)
    return request_uri


async def opened(connection: Connection, clock: Clock, client: Client, request_uri: str) -> str:
    """The parameters of a pushed request, which from now on waits for its person. Raises `invalid_request`."""
    now = clock.now()
    row = await connection.fetch_row(_OPEN, {"hash": _hash(request_uri), "app_id": client.id, "now": now, "until": now + SIGN_IN})
    if row is None:
        raise invalid_request(_GONE)
    text: str = row["parameters"]
    return text


async def use_up(connection: Connection, clock: Clock, client: Client, request_uri: str) -> None:
    """Ends a pushed request, since it is being answered. Raises `invalid_request` if it was answered before."""
    values = {"hash": _hash(request_uri), "app_id": client.id, "now": clock.now()}
    if await connection.fetch_row(_USE, values) is None:
        raise invalid_request(_GONE)
