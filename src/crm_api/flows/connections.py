"""The secrets of connections: set by people, read by integrations, never shown.

What is stored is one JSON object of texts, sealed for its row (`core/sealed.py`). It is in no record, hence in no answer, event,
history, export, search or configuration document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from crm_api.core.errors import Conflict, FieldError, NotFound, ValidationFailed
from crm_api.core.text import check_text
from crm_api.db.statement import compile_statement
from crm_api.kernel.audit import record
from crm_api.kernel.context import Context
from crm_api.kernel.writer import Outcome, Writer
from crm_api.kernel.writes.types import WriteOptions
from crm_api.models.base import table
from crm_api.models.connections import Connection, ConnectionSecret
from crm_api.models.sealed import sealed
from crm_api.resources.connections.rules import NO_SECRET

PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "oauth2": ("access_token", "refresh_token", "client_secret"),
    "api_key": ("api_key",),
    "basic": ("password",),
    "bearer": ("token",),
    "smtp": ("password",),
}
"""What the secret of each type consists of; the first part is always needed."""

MAX_ERROR: Final = 1000

_ORG = sa.bindparam("org_id", type_=sa.Uuid())
_ID = sa.bindparam("id", type_=sa.Uuid())
_SEALED: Final = sealed(ConnectionSecret, "secret")
_connections, _secrets = table(Connection), table(ConnectionSecret)
_put = insert(_secrets).values(
    org_id=_ORG,
    connection_id=_ID,
    secret=sa.bindparam("secret", type_=sa.LargeBinary()),
    set_at=sa.bindparam("at", type_=_secrets.c.set_at.type),
)
_PUT: Final = compile_statement(
    _put.on_conflict_do_update(
        index_elements=["org_id", "connection_id"], set_={"secret": _put.excluded.secret, "set_at": _put.excluded.set_at}
    )
)
_SHOWN: Final = (
    "id",
    "name",
    "provider",
    "type",
    "base_url",
    "host",
    "port",
    "username",
    "header_name",
    "client_id",
    "token_url",
    "scopes",
)
_READ: Final = compile_statement(
    sa.select(
        *(_connections.c[name] for name in _SHOWN),
        _connections.c.is_active,
        _connections.c.expires_at,
        _secrets.c.secret,
        _secrets.c.set_at,
    )
    .select_from(
        _connections.outerjoin(_secrets, sa.and_(_secrets.c.org_id == _connections.c.org_id, _secrets.c.connection_id == _connections.c.id))
    )
    .where(_connections.c.org_id == _ORG, _connections.c.id == _ID, _connections.c.deleted_at.is_(None))
)
_TYPE: Final = compile_statement(
    sa.select(_connections.c.type).where(_connections.c.org_id == _ORG, _connections.c.id == _ID, _connections.c.deleted_at.is_(None))
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an integration needs to reach a service. `secret` shows in no text that is made from this."""

    id: UUID
    name: str
    provider: str
    type: str
    base_url: str | None
    host: str | None
    port: int | None
    username: str | None
    header_name: str | None
    client_id: str | None
    token_url: str | None
    scopes: tuple[str, ...]
    expires_at: datetime | None
    secret: Mapping[str, str] = field(repr=False)

    def headers(self) -> dict[str, str]:
        """The header that authenticates an HTTP request. `basic` (RFC 7617) is left to the HTTP client; `smtp` has none."""
        match self.type:
            case "oauth2":
                return {"Authorization": f"Bearer {self.secret['access_token']}"}
            case "bearer":
                return {"Authorization": f"Bearer {self.secret['token']}"}
            case "api_key":
                return {self.header_name or "X-Api-Key": self.secret["api_key"]}
            case _:
                return {}


async def set_secret(
    context: Context, writer: Writer, connection_id: UUID, parts: Mapping[str, Any], expires_at: datetime | None
) -> Outcome:
    """Replaces a connection's secret as a whole.

    Raises NotFound; ValidationFailed for parts that the connection's type doesn't have, or lacks; KeyMissing on a server
    without encryption keys.
    """
    uow = context.uow
    kind: str | None = await uow.fetch_value(_TYPE, {"org_id": uow.org_id, "id": connection_id})
    if kind is None:
        raise NotFound()
    _check(kind, parts)
    at = uow.clock.now()
    # The record first: its lock keeps two callers from mixing one's secret with the other's times.
    [outcome] = await writer.update_rows(
        context,
        context.registry["connections"],
        {
            connection_id: {
                "has_secret": True,
                "secret_set_at": at,
                "expires_at": expires_at,
                "status": "ready",
                "tested_at": None,
                "last_error": None,
            }
        },
    )
    plain = orjson.dumps({name: value for name, value in parts.items() if value is not None}, option=orjson.OPT_SORT_KEYS)
    place = _SEALED.place({"org_id": uow.org_id, "connection_id": connection_id})
    await uow.fetch(_PUT, {"org_id": uow.org_id, "id": connection_id, "secret": context.keys.seal(plain, place), "at": at})
    record(context, "connection.secret_set", object="connections", record_id=connection_id, details={"parts": sorted(orjson.loads(plain))})
    return outcome


def _check(kind: str, parts: Mapping[str, Any]) -> None:
    allowed = PARTS[kind]
    errors = [
        FieldError("not_for_type", pointer=f"/{name}", params={"type": kind, "property": name}, allowed=allowed)
        for name, value in parts.items()
        if value is not None and name not in allowed
    ]
    if parts.get(allowed[0]) is None:
        errors.append(FieldError("required", pointer=f"/{allowed[0]}"))
    for name, value in parts.items():
        if value is None or name not in allowed:
            continue
        check_text(value)
        if any(ord(character) < 32 or ord(character) == 127 for character in value):  # would break out of a header
            errors.append(FieldError("invalid_characters", pointer=f"/{name}"))
    if errors:
        raise ValidationFailed(errors=errors)


async def remove_secret(context: Context, writer: Writer, connection_id: UUID) -> Outcome:
    """Destroys a connection's secret; one that has none stays as it is. Raises NotFound."""
    [outcome] = await writer.update_rows(context, context.registry["connections"], {connection_id: NO_SECRET})
    if outcome.outcome != "unchanged":
        record(context, "connection.secret_removed", object="connections", record_id=connection_id)
    return outcome


async def credentials(context: Context, connection_id: UUID, *, purpose: str) -> Credentials:
    """A connection with its secret, for an integration that is about to use it. Each call is audited with its `purpose`.

    Whether the caller may make that integration run is the integration's to decide. Raises NotFound, Conflict for a connection
    that is inactive or has no secret, Unreadable if the server's keys don't open it.
    """
    uow = context.uow
    await uow.writable()  # the audit log is written with it
    row = await uow.fetch_row(_READ, {"org_id": uow.org_id, "id": connection_id})
    if row is None:
        raise NotFound("There is no such connection.")
    if not row["is_active"]:
        raise Conflict(f"The connection {row['name']} is switched off.")
    if row["secret"] is None:
        raise Conflict(f"The connection {row['name']} has no secret.")
    plain = context.keys.open(row["secret"], _SEALED.place({"org_id": uow.org_id, "connection_id": connection_id}))
    record(context, "connection.secret_revealed", object="connections", record_id=connection_id, details={"purpose": purpose})
    values = {name: row[name] for name in _SHOWN if name != "scopes"}
    scopes = orjson.loads(row["scopes"]) if isinstance(row["scopes"], str) else row["scopes"]
    return Credentials(**values, scopes=tuple(scopes), expires_at=row["expires_at"], secret=orjson.loads(plain))


async def note_use(context: Context, writer: Writer, used: Credentials, error: str | None, *, tested: bool = False) -> None:
    """Notes how a use went: `error` is a short reason, None for one that went well. Secrets in it are blanked.

    Nothing is written while it goes on as before, so that a busy integration makes no event of each call; a use that was `tested`
    on purpose is always noted.
    """
    status = "working" if error is None else "failing"
    text = None if error is None else _blanked(error, used)[:MAX_ERROR]
    found = await context.uow.fetch_row(_STANDING, {"org_id": context.uow.org_id, "id": used.id})
    if found is None or (not tested and (found["status"], found["last_error"]) == (status, text)):
        return
    values = {used.id: {"status": status, "last_error": text, "tested_at": context.uow.clock.now()}}
    await writer.update_rows(context, context.registry["connections"], values, options=WriteOptions(atomic=False))


_STANDING: Final = compile_statement(
    sa.select(_connections.c.status, _connections.c.last_error).where(
        _connections.c.org_id == _ORG, _connections.c.id == _ID, _connections.c.deleted_at.is_(None)
    )
)


def _blanked(text: str, used: Credentials) -> str:
    for value in used.secret.values():
        text = text.replace(value, "…")
    return text
