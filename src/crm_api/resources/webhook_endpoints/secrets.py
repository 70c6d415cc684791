"""What is secret about endpoints: keys that sign, and values of headers. Stored sealed, each for its own row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from crm_api.core.webhook_signing import Kind, SigningKey
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.kernel.context import Context
from crm_api.models.sealed import sealed
from crm_api.models.webhooks import WebhookSecret

HEADER: Final = "header"
MAX_KEYS: Final = 5
"""Keys that may sign at one time: the present one, and those that go on beside it for a while."""

_PLACE: Final = sealed(WebhookSecret, "secret")
_ADD: Final = Statement(
    "INSERT INTO webhook_secrets (org_id, id, endpoint_id, kind, name, secret, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    ("org_id", "id", "endpoint_id", "kind", "name", "secret", "now"),
)
_LIST: Final = Statement(
    "SELECT id, endpoint_id, kind, name, secret, created_at, expires_at FROM webhook_secrets WHERE org_id = $1"
    " AND endpoint_id = ANY($2::uuid[]) AND (expires_at IS NULL OR expires_at > $3) ORDER BY id DESC",
    ("org_id", "endpoints", "now"),
)
_RETIRE: Final = Statement(
    "UPDATE webhook_secrets SET expires_at = least(coalesce(expires_at, $3), $3)"
    " WHERE org_id = $1 AND endpoint_id = $2 AND kind = $5 AND id <> $4",
    ("org_id", "endpoint_id", "until", "keep", "kind"),
)
_DROP_EXPIRED: Final = Statement(
    "DELETE FROM webhook_secrets WHERE org_id = $1 AND endpoint_id = $2 AND expires_at <= $3", ("org_id", "endpoint_id", "now")
)
_DROP_HEADERS: Final = Statement(
    "DELETE FROM webhook_secrets WHERE org_id = $1 AND endpoint_id = $2 AND kind = 'header' AND name = ANY($3::text[])",
    ("org_id", "endpoint_id", "names"),
)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key that signs, and until when it does beside a newer one (None: it is the newest)."""

    id: UUID
    key: SigningKey
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Secrets:
    """All that is secret about one endpoint; the newest key first. Shows in no text."""

    keys: tuple[StoredKey, ...] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


async def add_key(context: Context, endpoint_id: UUID, key: SigningKey) -> UUID:
    """Stores a key. Raises KeyMissing on a server that keeps no secrets."""
    return await _add(context, endpoint_id, key.kind, None, key.text)


async def rotate(context: Context, endpoint_id: UUID, kind: Kind, grace: timedelta) -> SigningKey:
    """A new key; those of its kind before it go on signing for `grace`. Keys of the other kind are not touched by it."""
    uow = context.uow
    now = uow.clock.now()
    key = SigningKey.new(kind)
    id = await add_key(context, endpoint_id, key)
    of = {"org_id": uow.org_id, "endpoint_id": endpoint_id}
    await uow.fetch(_RETIRE, {**of, "until": now + grace, "keep": id, "kind": kind})
    await uow.fetch(_DROP_EXPIRED, {**of, "now": now})
    return key


async def put_headers(context: Context, endpoint_id: UUID, values: Mapping[str, str], gone: list[str]) -> None:
    """Stores values of headers in place of those of the same names; forgets those named in `gone`."""
    uow = context.uow
    names = [*gone, *values]
    if names:
        await uow.fetch(_DROP_HEADERS, {"org_id": uow.org_id, "endpoint_id": endpoint_id, "names": names})
    for name, value in values.items():
        await _add(context, endpoint_id, HEADER, name, value)


async def secrets_of(uow: Uow, context: Context, endpoints: list[UUID]) -> dict[UUID, Secrets]:
    """The secrets of endpoints, opened. Raises Unreadable if the server's keys don't open one."""
    keys: dict[UUID, list[StoredKey]] = {}
    headers: dict[UUID, dict[str, str]] = {}
    for row in await uow.fetch(_LIST, {"org_id": uow.org_id, "endpoints": endpoints, "now": uow.clock.now()}):
        plain = context.keys.open(row["secret"], _PLACE.place({"org_id": uow.org_id, "id": row["id"]})).decode()
        if row["kind"] == HEADER:
            headers.setdefault(row["endpoint_id"], {})[row["name"]] = plain
        else:
            found = StoredKey(row["id"], SigningKey.parse(plain), row["created_at"], row["expires_at"])
            keys.setdefault(row["endpoint_id"], []).append(found)
    return {id: Secrets(tuple(keys.get(id, ())), headers.get(id, {})) for id in endpoints}


async def _add(context: Context, endpoint_id: UUID, kind: str, name: str | None, plain: str) -> UUID:
    uow = context.uow
    id = uow.new_id()
    secret = context.keys.seal(plain.encode(), _PLACE.place({"org_id": uow.org_id, "id": id}))
    values = {
        "org_id": uow.org_id, "id": id, "endpoint_id": endpoint_id, "kind": kind, "name": name, "secret": secret, "now": uow.clock.now(),
    }  # fmt: skip
    await uow.fetch(_ADD, values)
    return id
