"""What ends when a person's password changes, or when a person leaves an organisation."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.flows.users import belongings, sessions

# Tokens of apps come from a sign-in; those that the person made for programs of their own are told apart by their kind.
_END_APPS: Final = Statement(
    "UPDATE tokens SET revoked_at = $3 WHERE org_id = ANY($1::uuid[]) AND user_id = $2 AND app_id IS NOT NULL AND revoked_at IS NULL",
    ("orgs", "user_id", "now"),
)
_SUSPEND: Final = Statement(
    "UPDATE tokens SET user_suspended = $3 WHERE org_id = $1 AND user_id = $2 AND user_suspended <> $3", ("org_id", "user_id", "suspended")
)
_REVOKE: Final = Statement(
    "UPDATE tokens SET revoked_at = $3, user_suspended = false WHERE org_id = $1 AND user_id = $2 AND revoked_at IS NULL",
    ("org_id", "user_id", "now"),
)
_END_GRANTS: Final = Statement(
    "UPDATE oauth_grants SET revoked_at = $3, revoked_because = $4 WHERE org_id = $1 AND user_id = $2 AND revoked_at IS NULL",
    ("org_id", "user_id", "now", "because"),
)


async def end_sign_ins(uow: Uow, user_id: UUID, *, but_session: UUID | None = None) -> None:
    """Ends the person's sessions and the tokens that apps got through them, in all organisations at once."""
    await sessions.end_all(uow, user_id, but=but_session)
    orgs = [place.org_id for place in await belongings.active(uow, user_id)]
    await uow.fetch(_END_APPS, {"orgs": orgs, "user_id": user_id, "now": uow.clock.now()})


async def suspend(uow: Uow, user_id: UUID) -> None:
    """From now on no token of the person lets anybody into the transaction's organisation."""
    await uow.fetch(_SUSPEND, {"org_id": uow.org_id, "user_id": user_id, "suspended": True})
    if not await belongings.elsewhere(uow, user_id):
        await sessions.end_all(uow, user_id)


async def resume(uow: Uow, user_id: UUID) -> None:
    """Tokens that were not revoked work again."""
    await uow.fetch(_SUSPEND, {"org_id": uow.org_id, "user_id": user_id, "suspended": False})


async def leave(uow: Uow, user_id: UUID) -> None:
    """Ends for good what let the person into the transaction's organisation."""
    now = uow.clock.now()
    await uow.fetch(_REVOKE, {"org_id": uow.org_id, "user_id": user_id, "now": now})
    await uow.fetch(_END_GRANTS, {"org_id": uow.org_id, "user_id": user_id, "now": now, "because": "user_removed"})
    if not await belongings.elsewhere(uow, user_id):
        await sessions.end_all(uow, user_id)
