"""Which organisations a person belongs to, for whoever asks before there is an organisation to look into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.resources.users.runs import Runs

_KEEP: Final = Statement(
    "INSERT INTO belongings (user_id, org_id, status) VALUES ($1, $2, $3)"
    " ON CONFLICT (user_id, org_id) DO UPDATE SET status = excluded.status",
    ("user_id", "org_id", "status"),
)
_REMOVE: Final = Statement("DELETE FROM belongings WHERE user_id = $1 AND org_id = $2", ("user_id", "org_id"))
_FORGET: Final = Statement("DELETE FROM belongings WHERE org_id = $1", ("org_id",))
_OTHERS: Final = Statement(
    "SELECT 1 FROM belongings WHERE user_id = $1 AND org_id <> $2 AND status = 'active' LIMIT 1", ("user_id", "org_id")
)
_ACTIVE: Final = Statement(
    "SELECT o.id, o.name, o.environment, o.settings FROM belongings b JOIN organizations o ON o.id = b.org_id"
    " WHERE b.user_id = $1 AND b.status = 'active' ORDER BY o.name, o.id LIMIT 500",
    ("user_id",),
)


@dataclass(frozen=True, slots=True)
class Place:
    """An organisation in which a person is active. `requires_totp`: only with a second factor."""

    org_id: UUID
    name: str
    environment: str
    requires_totp: bool


async def keep(uow: Uow, user_id: UUID, status: str) -> None:
    """Notes what the person is in the transaction's organisation from now on."""
    await uow.fetch(_KEEP, {"user_id": user_id, "org_id": uow.org_id, "status": status})


async def remove(uow: Uow, user_id: UUID) -> None:
    """The person belongs to the transaction's organisation no more."""
    await uow.fetch(_REMOVE, {"user_id": user_id, "org_id": uow.org_id})


async def keep_in(runs: Runs, org_id: UUID, user_id: UUID) -> None:
    """The person is active in another organisation than the transaction's: a sandbox that was made for them."""
    await runs.fetch(_KEEP, {"user_id": user_id, "org_id": org_id, "status": "active"})


async def forget(runs: Runs, org_id: UUID) -> None:
    """Nobody belongs to the organisation any more, since it is gone."""
    await runs.fetch(_FORGET, {"org_id": org_id})


async def elsewhere(uow: Uow, user_id: UUID) -> bool:
    """Whether the person is active in another organisation."""
    return await uow.fetch_row(_OTHERS, {"user_id": user_id, "org_id": uow.org_id}) is not None


async def active(runs: Runs, user_id: UUID) -> list[Place]:
    """The organisations in which the person is active, by name."""
    return [_place(row) for row in await runs.fetch(_ACTIVE, {"user_id": user_id})]


def _place(row: Any) -> Place:
    return Place(row["id"], row["name"], row["environment"], bool(orjson.loads(row["settings"]).get("require_totp")))
