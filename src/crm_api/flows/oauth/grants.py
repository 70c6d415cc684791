"""What apps may do for people: seen and withdrawn by those people, and by administrators."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import NotFound
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.flows.oauth.issuing import end_grant

_SHOWN: Final = (
    "SELECT g.id, g.kind, g.user_id, g.scopes, g.created_at, g.expires_at, g.revoked_at, g.revoked_because, g.app_id, c.name, c.client_uri,"
    " c.logo_uri, c.first_party FROM oauth_grants g LEFT JOIN oauth_clients c ON c.id = g.app_id WHERE g.org_id = $1"
)
_LIST: Final = Statement(
    f"{_SHOWN} AND ($2::uuid IS NULL OR g.user_id = $2) AND ($3::uuid IS NULL OR g.app_id = $3) AND c.id IS NOT NULL"
    " AND g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > $4) ORDER BY g.id DESC LIMIT 500",
    ("org_id", "user_id", "app_id", "now"),
)
_GET: Final = Statement(f"{_SHOWN} AND g.id = $2 AND ($3::uuid IS NULL OR g.user_id = $3)", ("org_id", "id", "user_id"))
_USED: Final = Statement(
    "SELECT id, max(last_used_at) AS used_at FROM tokens WHERE org_id = $1 AND id = ANY($2::uuid[]) GROUP BY id", ("org_id", "ids")
)
_COVERS: Final = Statement(
    "SELECT 1 FROM oauth_grants g WHERE g.org_id = $1 AND g.user_id = $2 AND g.app_id = $3 AND g.kind = 'user' AND g.revoked_at IS NULL"
    " AND g.expires_at > $4 AND g.scopes @> $5::text[] LIMIT 1",
    ("org_id", "user_id", "app_id", "now", "scopes"),
)


async def listed(uow: Uow, *, user_id: UUID | None = None, app_id: UUID | None = None) -> list[dict[str, Any]]:
    """Grants in force, newest first: of one user, for one app, or all of the organisation's."""
    values = {"org_id": uow.org_id, "user_id": user_id, "app_id": app_id, "now": uow.clock.now()}
    return await _described(uow, await uow.fetch(_LIST, values))


async def get(uow: Uow, id: UUID, user_id: UUID | None) -> dict[str, Any]:
    """One grant, of a user if one is named. Raises NotFound."""
    row = await uow.fetch_row(_GET, {"org_id": uow.org_id, "id": id, "user_id": user_id})
    if row is None:
        raise NotFound()
    return (await _described(uow, [row]))[0]


async def withdraw(uow: Uow, id: UUID, user_id: UUID | None, because: str) -> dict[str, Any]:
    """Ends a grant: every token of it is refused from its next request on. Again changes nothing. Raises NotFound."""
    await get(uow, id, user_id)
    await end_grant(uow, id, because)
    return await get(uow, id, user_id)


async def covers(uow: Uow, user_id: UUID, app_id: UUID, scopes: Sequence[str]) -> bool:
    """Whether the user has allowed the app all of these scopes already."""
    values = {"org_id": uow.org_id, "user_id": user_id, "app_id": app_id, "now": uow.clock.now(), "scopes": list(scopes)}
    return await uow.fetch_row(_COVERS, values) is not None


async def _described(uow: Uow, rows: Sequence[Any]) -> list[dict[str, Any]]:
    ids = [row["id"] for row in rows]
    used = {row["id"]: row["used_at"] for row in await uow.fetch(_USED, {"org_id": uow.org_id, "ids": ids})} if ids else {}
    return [
        {
            "object": "oauth_grants",
            "id": str(row["id"]),
            "app": {"id": str(row["app_id"]), "name": row["name"], "client_uri": row["client_uri"], "logo_uri": row["logo_uri"]},
            "kind": row["kind"],
            "user_id": str(row["user_id"]),
            "scopes": list(row["scopes"]),
            "created_at": format_timestamp(row["created_at"]),
            "expires_at": _at(row["expires_at"]),
            "last_used_at": _at(used.get(row["id"])),
            "revoked_at": _at(row["revoked_at"]),
            "revoked_because": row["revoked_because"],
        }
        for row in rows
    ]


def _at(time: datetime | None) -> str | None:
    return None if time is None else format_timestamp(time)
