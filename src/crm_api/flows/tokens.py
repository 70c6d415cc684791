"""API tokens: stored, listed, rotated, revoked. Their text is shown once; what is stored is its SHA-256.

Their times are real ones, also in a sandbox whose clock is ahead: moving it must lock nobody out, and keep nobody in.
What a token may be given is decided in `flows/minting.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

import orjson
import sqlalchemy as sa

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import Conflict, NotFound
from crm_api.core.tokens import generate, token_hint
from crm_api.db.statement import Statement, compile_statement
from crm_api.db.uow import Uow
from crm_api.kernel import audit
from crm_api.kernel.preferences import kept_preferences
from crm_api.kernel.principal import Principal
from crm_api.kernel.registry import Registry
from crm_api.models.base import table
from crm_api.models.tenancy import Token

ACTIONS: Final = ("read", "write", "delete", "export", "import", "purge")
"""What scopes tell apart; `write` contains `read`, creating and updating, handing over and sharing."""

OTHER_SCOPES: Final = (
    "*:read", "events:read", "meta:read", "meta:write", "webhooks:read", "webhooks:write", "files:read", "files:write", "audit:read",
    "tokens:read", "tokens:write", "admin",
)  # fmt: skip
MAX_GRACE_S: Final = 604_800
MOST_LISTED: Final = 500

Kind = Literal["personal", "service"]
KINDS: Final = "'personal', 'service'"

_tokens = table(Token)
_ORG = sa.bindparam("org_id", type_=sa.Uuid())
_ID = sa.bindparam("id", type_=sa.Uuid())
_AT = sa.bindparam("at", type_=_tokens.c.created_at.type)
_SHOWN = (
    _tokens.c.id,
    _tokens.c.name,
    _tokens.c.prefix,
    _tokens.c.kind,
    _tokens.c.scopes,
    _tokens.c.fields,
    _tokens.c.networks,
    _tokens.c.user_id,
    _tokens.c.maker_id,
    _tokens.c.created_at,
    _tokens.c.expires_at,
    _tokens.c.last_used_at,
    _tokens.c.revoked_at,
)
_INSERTED = (
    "hash", "id", "org_id", "user_id", "kind", "name", "prefix", "scopes", "fields", "networks", "maker_id", "created_at", "expires_at",
)  # fmt: skip
_INSERT: Final = compile_statement(
    sa.insert(_tokens)
    .from_select(
        [*_INSERTED, "preferences"],
        sa.select(
            *(sa.bindparam(name, type_=_tokens.c[name].type) for name in _INSERTED),
            kept_preferences(_ORG, sa.bindparam("user_id", type_=sa.Uuid())),
        ),
        include_defaults=False,
    )
    .returning(*_SHOWN)
)
# A token has a row for each of its secrets, which have its id in common; the newest one is what it is now.
_COLUMNS: Final = ", ".join(
    f"max(t.{c.name}) OVER (PARTITION BY t.id) AS {c.name}" if c.name == "last_used_at" else f"t.{c.name}" for c in _SHOWN
)
_OF_USER: Final = f"t.org_id = $1 AND t.kind IN ({KINDS}) AND ($2 OR t.user_id = $3)"
_NEWEST: Final = f"SELECT DISTINCT ON (t.id) {_COLUMNS} FROM tokens t WHERE {_OF_USER}"
_OWNED: Final = ("org_id", "everyone", "user_id")
_LIST: Final = Statement(f"{_NEWEST} ORDER BY t.id DESC, t.created_at DESC LIMIT {MOST_LISTED}", _OWNED)
_GET: Final = Statement(f"{_NEWEST} AND t.id = $4 ORDER BY t.id, t.created_at DESC", (*_OWNED, "id"))
_REVOKE: Final = compile_statement(
    sa.update(_tokens)
    .where(_tokens.c.org_id == _ORG, _tokens.c.id == _ID, _tokens.c.revoked_at.is_(None))
    .values(revoked_at=_AT)
    .returning(_tokens.c.id)
)
# Everybody locks a token's rows in this order; its first row is there for all of them.
_LOCK: Final = Statement(
    "SELECT 1 FROM tokens t WHERE t.org_id = $1 AND t.id = $2 ORDER BY t.created_at, t.hash FOR NO KEY UPDATE", ("org_id", "id")
)
_END_OTHERS: Final = Statement(
    "UPDATE tokens t SET expires_at = least(t.expires_at, CASE WHEN t.created_at = $3 THEN $5::timestamptz ELSE $4::timestamptz END)"
    " WHERE t.org_id = $1 AND t.id = $2 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $4)",
    ("org_id", "id", "newest", "now", "until"),
)


def known_scopes(registry: Registry) -> list[str]:
    """Every scope a token may have."""
    return [*OTHER_SCOPES, *(f"{resource.name}:{action}" for resource in registry for action in ACTIONS)]


async def create(
    uow: Uow,
    *,
    user_id: UUID,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None = None,
    kind: Kind = "personal",
    fields: Mapping[str, Sequence[str]] | None = None,
    networks: Sequence[str] | None = None,
    maker_id: UUID | None = None,
    org_id: UUID | None = None,
) -> tuple[str, dict[str, Any]]:
    """Stores a new token and returns its text, which can't be had again, with its description.

    `org_id` is another organisation than the caller's: one of its sandboxes.
    """
    org_id = org_id or uow.org_id
    values = {
        "id": uow.new_id(),
        "org_id": org_id,
        "user_id": user_id,
        "kind": kind,
        "name": name,
        "scopes": list(scopes),
        "fields": None if fields is None else orjson.dumps({key: list(names) for key, names in fields.items()}).decode(),
        "networks": None if networks is None else list(networks),
        "maker_id": maker_id,
        "created_at": uow.clock.now(),
        "expires_at": expires_at,
    }
    text, row = await _insert(uow, values)
    _audit(uow, "created", row, org_id)
    return text, described(row)


async def _insert(uow: Uow, values: Mapping[str, Any]) -> tuple[str, Any]:
    text, hash_ = generate("crm_pat_")
    return text, await uow.fetch_row(_INSERT, {**values, "hash": hash_, "prefix": token_hint(text)})


def _audit(uow: Uow, verb: str, row: Any, org_id: UUID) -> None:
    details = {name: row[name] for name in ("name", "prefix", "kind", "user_id")} | {"scopes": list(row["scopes"])}
    details["expires_at"] = None if row["expires_at"] is None else format_timestamp(row["expires_at"])
    if row["fields"] is not None:
        details["fields"] = orjson.loads(row["fields"])
    if row["networks"] is not None:
        details["networks"] = list(row["networks"])
    if org_id != uow.org_id:
        details["sandbox_id"] = org_id
    audit.record(uow, f"token.{verb}", object="tokens", record_id=row["id"], details=details)


def _owned(principal: Principal) -> dict[str, Any]:
    """Administrators see all tokens of the organisation, others their own."""
    return {"org_id": principal.org_id, "everyone": principal.administers, "user_id": principal.user_id}


async def listed(uow: Uow, principal: Principal) -> list[dict[str, Any]]:
    """The tokens the caller may see, newest first."""
    return [described(row) for row in await uow.fetch(_LIST, _owned(principal))]


async def stored(uow: Uow, principal: Principal, id: UUID) -> Any:
    """The row of a token that the caller may see. Raises NotFound."""
    row = await uow.fetch_row(_GET, {**_owned(principal), "id": id})
    if row is None:
        raise NotFound()
    return row


async def get(uow: Uow, principal: Principal, id: UUID) -> dict[str, Any]:
    """One token's description. Raises NotFound."""
    return described(await stored(uow, principal, id))


async def revoke(uow: Uow, principal: Principal, id: UUID) -> dict[str, Any]:
    """Ends a token with all its secrets at once; a second time changes nothing. Raises NotFound."""
    await stored(uow, principal, id)
    if await uow.fetch(_REVOKE, {"org_id": uow.org_id, "id": id, "at": uow.clock.now()}):
        audit.record(uow, "token.revoked", object="tokens", record_id=id)
    return await get(uow, principal, id)


async def lock(uow: Uow, id: UUID) -> None:
    """Waits until nobody else is changing the token's secrets; what is read after it is the newest state."""
    await uow.fetch(_LOCK, {"org_id": uow.org_id, "id": id})


async def rotate(uow: Uow, old: Any, grace_seconds: int) -> tuple[str, dict[str, Any]]:
    """A new secret for a token that is locked and was read after that; its newest one goes on for `grace_seconds`.

    Secrets before that one end at once, so that never more than two work. Nothing lives longer than the token would have.
    Raises Conflict for a token that was revoked or has expired.
    """
    now = uow.clock.now()
    if old["revoked_at"] is not None or (old["expires_at"] is not None and old["expires_at"] <= now):
        raise Conflict("The token doesn't work any more; make another.")
    until = now + timedelta(seconds=grace_seconds)
    await uow.fetch(_END_OTHERS, {"org_id": uow.org_id, "id": old["id"], "newest": old["created_at"], "now": now, "until": until})
    kept = {name: old[name] for name in ("id", "user_id", "kind", "name", "scopes", "fields", "networks", "maker_id", "expires_at")}
    created_at = max(now, old["created_at"] + timedelta(microseconds=1))  # whatever the clocks of two servers say
    text, row = await _insert(uow, {**kept, "org_id": uow.org_id, "created_at": created_at})
    _audit(uow, "rotated", row, uow.org_id)
    return text, described(row)


def described(row: Any) -> dict[str, Any]:
    """A token as the API shows it: everything but its secret."""

    def at(name: str) -> str | None:
        return None if row[name] is None else format_timestamp(row[name])

    return {
        "object": "tokens",
        "id": str(row["id"]),
        "name": row["name"],
        "kind": row["kind"],
        "prefix": row["prefix"],
        "scopes": list(row["scopes"]),
        "fields": None if row["fields"] is None else orjson.loads(row["fields"]),
        "ip_allow_list": None if row["networks"] is None else list(row["networks"]),
        "user_id": str(row["user_id"]),
        "maker_id": None if row["maker_id"] is None else str(row["maker_id"]),
        "created_at": at("created_at"),
        "expires_at": at("expires_at"),
        "last_used_at": at("last_used_at"),
        "revoked_at": at("revoked_at"),
    }
