"""From a bearer token to a `Principal`, in one query (RFC 6750; the header only, never the query string)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from starlette.requests import Request

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import (
    BadRequest,
    FieldError,
    IpNotAllowed,
    Problem,
    TokenExpired,
    TokenInvalid,
    TokenMissing,
    TokenRevoked,
    UserSuspended,
)
from crm_api.core.networks import allows
from crm_api.core.tokens import parse
from crm_api.db.engine import Connection
from crm_api.db.statement import compile_statement
from crm_api.db.uow import Actor
from crm_api.flows.oauth.clients import API
from crm_api.kernel.access.rights import NOTHING
from crm_api.kernel.preferences import read_preferences
from crm_api.kernel.principal import OrganizationInfo, Principal
from crm_api.models.tenancy import Organization, Token

_tokens, _organizations = Token.__table__, Organization.__table__

_ROWS: Final = (
    sa.select(
        _tokens.c.hash,
        _tokens.c.id,
        _tokens.c.user_id,
        _tokens.c.name.label("token_name"),
        _tokens.c.kind,
        _tokens.c.scopes,
        _tokens.c.fields,
        _tokens.c.networks,
        _tokens.c.app_id,
        _tokens.c.api_version,
        _tokens.c.expires_at,
        _tokens.c.revoked_at,
        _tokens.c.user_suspended,
        _tokens.c.last_used_at,
        _tokens.c.preferences,
        _tokens.c.audience,
        _organizations.c.id.label("org_id"),
        _organizations.c.name,
        _organizations.c.environment,
        _organizations.c.currency,
        _organizations.c.time_zone,
        _organizations.c.locale,
        _organizations.c.region,
        _organizations.c.schema_version,
        _organizations.c.access_version,
        _organizations.c.settings,
        _organizations.c.clock_offset_us,
        _organizations.c.clock_frozen_at,
        _organizations.c.parent_id,
        _organizations.c.suppression_key,
    )
    .select_from(_tokens.join(_organizations, _organizations.c.id == _tokens.c.org_id))
)  # fmt: skip
_LOOK_UP: Final = compile_statement(_ROWS.where(_tokens.c.hash == sa.bindparam("hash", type_=sa.LargeBinary())))
_LOOK_UP_ALL: Final = compile_statement(_ROWS.where(_tokens.c.hash == sa.func.any(sa.bindparam("hashes", type_=ARRAY(sa.LargeBinary())))))


def bearer_hash(request: Request) -> bytes:
    """The hash under which the request's token is stored. Raises TokenMissing, TokenInvalid or BadRequest (two headers)."""
    given = [value for name, value in request.scope["headers"] if name == b"authorization"]
    if not given:
        raise TokenMissing()
    if len(given) > 1:
        raise BadRequest(errors=[FieldError("invalid_header", header="Authorization", params={"reason": "sent more than once"})])
    scheme, _, text = given[0].decode("latin-1").partition(" ")
    if scheme.lower() != "bearer":
        raise TokenMissing()
    hash_ = parse(text.strip(), "crm_pat_", "crm_at_")
    if hash_ is None:
        raise TokenInvalid()
    return hash_


class AddressRefused(IpNotAllowed):
    """A good token from a wrong address. Whose it is goes into the audit log: somebody else may have it."""

    def __init__(self, principal: Principal) -> None:
        super().__init__()
        self.principal = principal


async def authenticate(connection: Connection, hash_: bytes, now: datetime, address: str | None) -> Principal:
    """The caller behind a token's hash, still without the user's rights, which come with the context (`Engine.context`).

    Tokens expire in real time, whatever the organisation's clock says; hence `now`. `address` is where the request comes from.

    Raises one of the 401 problems, or IpNotAllowed: the token is as good as ever, so asking for another (what a 401 means, RFC 6750 3.1)
    would not help.
    """
    row = await connection.fetch_row(_LOOK_UP, {"hash": hash_})
    if row is None:
        raise TokenInvalid()
    principal = _principal(row, now)
    if row["networks"] is not None and not allows(row["networks"], address):
        raise AddressRefused(principal)
    return principal


@dataclass(frozen=True, slots=True)
class Standing:
    """What a token's hash stands for now: a caller and the networks it is taken from (None for all), or why it no longer holds."""

    principal: Principal | None = None
    networks: list[str] | None = None
    problem: Problem | None = None


async def authenticate_all(connection: Connection, hashes: Collection[bytes], now: datetime) -> dict[bytes, Standing]:
    """The callers behind many tokens, in one query; for those that have been let in before."""
    found: dict[bytes, Standing] = dict.fromkeys(hashes, Standing(problem=TokenInvalid()))
    for row in await connection.fetch(_LOOK_UP_ALL, {"hashes": list(hashes)}):
        try:
            standing = Standing(_principal(row, now), row["networks"])
        except Problem as problem:
            standing = Standing(problem=problem)
        found[bytes(row["hash"])] = standing
    return found


def _principal(row: Mapping[str, Any], now: datetime) -> Principal:
    if row["user_suspended"]:
        raise UserSuspended()
    if row["revoked_at"] is not None:
        raise TokenRevoked()
    expires_at: datetime | None = row["expires_at"]
    if expires_at is not None and expires_at <= now:
        raise TokenExpired()
    audience: list[str] | None = row["audience"]
    if audience is not None and API not in audience:
        raise TokenInvalid()  # it was given for another service (RFC 8707 2)
    return Principal(
        OrganizationInfo.of(row["org_id"], row),
        row["user_id"],
        row["id"],
        row["token_name"],
        frozenset(row["scopes"]),
        Actor("app", row["app_id"]) if row["kind"] == "app" else Actor("user", row["user_id"]),
        row["app_id"],
        row["api_version"],
        None if expires_at is None else format_timestamp(expires_at),
        {} if row["preferences"] is None else read_preferences(row["preferences"]),
        NOTHING,
        None if row["fields"] is None else read_fields(row["fields"]),
    )


@lru_cache(maxsize=4096)
def read_fields(text: str) -> Mapping[str, frozenset[str]]:
    """The fields that a token is confined to, as they are stored."""
    return MappingProxyType({name: frozenset(fields) for name, fields in orjson.loads(text).items()})
