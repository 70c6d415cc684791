"""API tokens: made, listed, rotated, revoked. Their text is shown once; what is stored is its SHA-256.

Their times are real ones, also in a sandbox whose clock is ahead: moving it must lock nobody out, and keep nobody in.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import FieldError, Forbidden, NotFound, ValidationFailed
from crm_api.core.tokens import generate, token_hint
from crm_api.db.statement import compile_statement
from crm_api.db.uow import Uow
from crm_api.kernel import audit
from crm_api.kernel.preferences import kept_preferences
from crm_api.kernel.principal import Principal
from crm_api.kernel.registry import Registry
from crm_api.models.base import table
from crm_api.models.tenancy import Token

ACTIONS: Final = ("read", "write", "delete", "export", "import", "purge")
OTHER_SCOPES: Final = ("*:read", "events:read", "meta:read", "meta:write", "audit:read", "admin")
LONGEST: Final = timedelta(days=366)

_tokens = table(Token)
_ORG = sa.bindparam("org_id", type_=sa.Uuid())
_ID = sa.bindparam("id", type_=sa.Uuid())
_AT = sa.bindparam("at", type_=_tokens.c.created_at.type)
_SHOWN = (
    _tokens.c.id,
    _tokens.c.name,
    _tokens.c.prefix,
    _tokens.c.scopes,
    _tokens.c.user_id,
    _tokens.c.created_at,
    _tokens.c.expires_at,
    _tokens.c.last_used_at,
    _tokens.c.revoked_at,
)
_INSERTED = ("hash", "id", "org_id", "user_id", "kind", "name", "prefix", "scopes", "created_at", "expires_at")
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
_OF_USER = sa.or_(sa.bindparam("everyone", type_=sa.Boolean()), _tokens.c.user_id == sa.bindparam("user_id", type_=sa.Uuid()))
_LIST: Final = compile_statement(
    sa.select(*_SHOWN)
    .where(_tokens.c.org_id == _ORG, _OF_USER)
    .order_by(_tokens.c.created_at.desc(), _tokens.c.id)
    .limit(sa.literal_column("500"))
)
_GET: Final = compile_statement(
    sa.select(*_SHOWN, _tokens.c.kind).where(_tokens.c.org_id == _ORG, _tokens.c.id == _ID, _OF_USER).order_by(_tokens.c.created_at.desc())
)
_REVOKE: Final = compile_statement(
    sa.update(_tokens)
    .where(_tokens.c.org_id == _ORG, _tokens.c.id == _ID, _OF_USER, _tokens.c.revoked_at.is_(None))
    .values(revoked_at=_AT)
    .returning(_tokens.c.id)
)
_EXPIRE: Final = compile_statement(
    sa.update(_tokens)
    .where(
        _tokens.c.org_id == _ORG,
        _tokens.c.id == _ID,
        _tokens.c.revoked_at.is_(None),
        sa.or_(_tokens.c.expires_at.is_(None), _tokens.c.expires_at > _AT),
    )
    .values(expires_at=_AT)
    .returning(_tokens.c.id)
)


def known_scopes(registry: Registry) -> list[str]:
    """Every scope a token may have."""
    return [*OTHER_SCOPES, *(f"{resource.name}:{action}" for resource in registry for action in ACTIONS)]


async def create(
    uow: Uow,
    *,
    user_id: UUID,
    name: str,
    scopes: list[str],
    expires_at: datetime | None = None,
    id: UUID | None = None,
    org_id: UUID | None = None,
) -> tuple[str, dict[str, Any]]:
    """Stores a new token and returns its text, which can't be had again, with its description.

    `org_id` is another organisation than the caller's: one of its sandboxes.
    """
    text, hash_ = generate("crm_pat_")
    values = {
        "hash": hash_,
        "id": id or uow.new_id(),
        "org_id": org_id or uow.org_id,
        "user_id": user_id,
        "kind": "pat",
        "name": name,
        "prefix": token_hint(text),
        "scopes": scopes,
        "created_at": uow.clock.now(),
        "expires_at": expires_at,
    }
    row = await uow.fetch_row(_INSERT, values)
    _audit(uow, "created" if id is None else "rotated", row, values["org_id"])
    return text, described(row)


def _audit(uow: Uow, verb: str, row: Any, org_id: UUID) -> None:
    details = {"name": row["name"], "prefix": row["prefix"], "scopes": list(row["scopes"]), "user_id": row["user_id"]}
    details["expires_at"] = None if row["expires_at"] is None else format_timestamp(row["expires_at"])
    if org_id != uow.org_id:
        details["sandbox_id"] = org_id
    audit.record(uow, f"token.{verb}", object="tokens", record_id=row["id"], details=details)


def check(principal: Principal, registry: Registry, now: datetime, scopes: list[str], expires_at: datetime | None) -> None:
    """Refuses unknown scopes, an expiry in the past or beyond a year, and scopes wider than the caller's own."""
    known = known_scopes(registry)
    errors = [FieldError("enum", pointer=f"/scopes/{i}", allowed=known) for i, scope in enumerate(scopes) if scope not in known]
    if expires_at is not None and not now < expires_at <= now + LONGEST:
        errors.append(
            FieldError(
                "max",
                "The expiry must lie in the future, at most 366 days ahead.",
                pointer="/expires_at",
                params={"max_days": LONGEST.days},
            )
        )
    if errors:
        raise ValidationFailed(errors=errors)
    wider = [scope for scope in scopes if not _held(principal, scope)]
    if wider:
        raise Forbidden(f"A token can't give what it hasn't got: {', '.join(wider)}.")


def _held(principal: Principal, scope: str) -> bool:
    if "admin" in principal.scopes or scope in principal.scopes:
        return True
    match = re.fullmatch(r"([a-z0-9_]+):(read)", scope)
    return match is not None and principal.may(match.group(1), "read")


def _owned(principal: Principal) -> dict[str, Any]:
    """Administrators see all tokens of the organisation, others their own."""
    return {"org_id": principal.org_id, "everyone": "admin" in principal.scopes, "user_id": principal.user_id}


async def listed(uow: Uow, principal: Principal) -> list[dict[str, Any]]:
    """The tokens the caller may see, newest first."""
    return [described(row) for row in await uow.fetch(_LIST, _owned(principal))]


async def get(uow: Uow, principal: Principal, id: UUID) -> dict[str, Any]:
    """One token's description. Raises NotFound."""
    row = await uow.fetch_row(_GET, {**_owned(principal), "id": id})
    if row is None:
        raise NotFound()
    return described(row)


async def revoke(uow: Uow, principal: Principal, id: UUID) -> dict[str, Any]:
    """Ends a token at once; a second time changes nothing. Raises NotFound."""
    revoked = await uow.fetch(_REVOKE, {**_owned(principal), "id": id, "at": uow.clock.now()})
    if revoked:
        audit.record(uow, "token.revoked", object="tokens", record_id=id)
    return await get(uow, principal, id)


async def rotate(uow: Uow, principal: Principal, id: UUID, grace_seconds: int) -> tuple[str, dict[str, Any]]:
    """A new secret with the same name, scopes and id; the old one goes on for `grace_seconds`. Raises NotFound."""
    old = await uow.fetch_row(_GET, {**_owned(principal), "id": id})
    if old is None or old["revoked_at"] is not None:
        raise NotFound()
    await uow.fetch(_EXPIRE, {"org_id": uow.org_id, "id": id, "at": uow.clock.now() + timedelta(seconds=grace_seconds)})
    return await create(uow, user_id=old["user_id"], name=old["name"], scopes=list(old["scopes"]), expires_at=old["expires_at"], id=id)


def described(row: Any) -> dict[str, Any]:
    """A token as the API shows it: everything but its secret."""

    def at(name: str) -> str | None:
        return None if row[name] is None else format_timestamp(row[name])

    return {
        "object": "tokens",
        "id": str(row["id"]),
        "name": row["name"],
        "prefix": row["prefix"],
        "scopes": list(row["scopes"]),
        "user_id": str(row["user_id"]),
        "created_at": at("created_at"),
        "expires_at": at("expires_at"),
        "last_used_at": at("last_used_at"),
        "revoked_at": at("revoked_at"),
    }
