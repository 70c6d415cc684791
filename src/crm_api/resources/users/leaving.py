"""What lets a person into an organisation ends, for a while or for good."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.resources.users import belongings

_SUSPEND: Final = Statement(
    "UPDATE tokens SET user_suspended = $3 WHERE org_id = $1 AND user_id = $2 AND user_suspended <> $3", ("org_id", "user_id", "suspended")
)
_REVOKE: Final = Statement(
    "UPDATE tokens SET revoked_at = coalesce(revoked_at, $3), user_suspended = false WHERE org_id = $1 AND user_id = $2",
    ("org_id", "user_id", "now"),
)
_END_GRANTS: Final = Statement(
    "UPDATE oauth_grants SET revoked_at = $3, revoked_because = $4 WHERE org_id = $1 AND user_id = $2 AND revoked_at IS NULL",
    ("org_id", "user_id", "now", "because"),
)
_END_SESSIONS: Final = Statement("DELETE FROM sessions WHERE user_id = $1", ("user_id",))
_FORGET_DEVICES: Final = Statement("DELETE FROM session_devices WHERE user_id = $1", ("user_id",))
_VOID_LINKS: Final = Statement(
    "UPDATE mail_links SET used_at = $3 WHERE user_id = $2 AND org_id = $1 AND used_at IS NULL", ("org_id", "user_id", "now")
)


async def _end_sessions(uow: Uow, user_id: UUID) -> None:
    """Sessions belong to the person: they end with the last organisation that they could lead to."""
    if not await belongings.elsewhere(uow, user_id):
        await uow.fetch(_END_SESSIONS, {"user_id": user_id})
        await uow.fetch(_FORGET_DEVICES, {"user_id": user_id})


async def suspend(uow: Uow, user_id: UUID) -> None:
    """From now on no token of the person works in the transaction's organisation."""
    await belongings.keep(uow, user_id, "suspended")
    await uow.fetch(_SUSPEND, {"org_id": uow.org_id, "user_id": user_id, "suspended": True})
    await _end_sessions(uow, user_id)


async def resume(uow: Uow, user_id: UUID, status: str) -> None:
    """Tokens that were not revoked work again, once the person is active."""
    await belongings.keep(uow, user_id, status)
    await uow.fetch(_SUSPEND, {"org_id": uow.org_id, "user_id": user_id, "suspended": status == "suspended"})


async def leave(uow: Uow, user_id: UUID) -> None:
    """Ends for good what let the person into the transaction's organisation."""
    now = uow.clock.now()
    await belongings.remove(uow, user_id)
    # Grants first: whoever makes tokens of one holds its row, so none can slip past the second statement.
    await uow.fetch(_END_GRANTS, {"org_id": uow.org_id, "user_id": user_id, "now": now, "because": "user_removed"})
    await uow.fetch(_REVOKE, {"org_id": uow.org_id, "user_id": user_id, "now": now})
    await uow.fetch(_VOID_LINKS, {"org_id": uow.org_id, "user_id": user_id, "now": now})
    await _end_sessions(uow, user_id)
