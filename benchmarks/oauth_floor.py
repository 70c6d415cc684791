"""The floor of the token endpoint: the same statements, run one after the other by hand, `uvicorn benchmarks.oauth_floor:app`.

It splits the form, hashes the token and the secret, and answers with the same members. It knows no errors, no limits, no retries,
no audit log, and none of the checks that keep others out; whoever asks gets tokens.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import asyncpg
import orjson

from benchmarks.floor import Receive, Send
from crm_api.core.tokens import generate, token_hint
from crm_api.flows.oauth import clients, issuing, refreshing

_state: dict[str, Any] = {}


async def refresh(form: dict[str, str]) -> bytes:
    """New tokens for a refresh token."""
    hash_, now = sha256(form["refresh_token"].encode()).digest(), datetime.now(UTC)
    async with _state["pool"].acquire() as connection:
        client = await connection.fetchrow(clients._FIND.sql, UUID(form["client_id"]))
        assert client["secret_hash"] == sha256(form["client_secret"].encode()).digest()
        token = await connection.fetchrow(refreshing._FIND.sql, hash_)
        org_id, grant_id = token["org_id"], token["id"]
        await connection.execute(f"BEGIN; SET LOCAL app.org_id = '{org_id}'; SET LOCAL statement_timeout = 20000")
        grant = await connection.fetchrow(refreshing._LOCK.sql, org_id, grant_id, now)
        used = await connection.fetchrow(refreshing._CONSUME.sql, hash_, now)
        assert used is not None
        access, access_hash = generate("crm_at_")
        again, again_hash = generate("crm_rt_")
        await connection.execute(
            issuing._INSERT.sql, grant_id, org_id, grant["user_id"], client["name"], grant["scopes"], grant["scopes"], client["id"], now,
            None, hash_, [access_hash, again_hash], ["at", "rt"], [token_hint(access), token_hint(again)],
            [now + timedelta(minutes=30), now + timedelta(days=30)], None,
        )  # fmt: skip
        await connection.execute("COMMIT")
    return orjson.dumps(
        {
            "access_token": access, "token_type": "Bearer", "expires_in": 1800, "refresh_token": again, "scope": " ".join(grant["scopes"]),
            "org_id": str(org_id), "user_id": str(grant["user_id"]), "grant_id": str(grant_id),
        }
    )  # fmt: skip


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The application."""
    if scope["type"] == "lifespan":
        await receive()
        url = os.environ["DATABASE_URL"]
        _state["pool"] = await asyncpg.create_pool(url, min_size=1, max_size=10, server_settings={"jit": "off"}, reset=None)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await _state["pool"].close()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    found = await refresh(dict(parse_qsl(body.decode())))
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(found))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": found})
