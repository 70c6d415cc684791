"""What ends when a person's password changes."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from crm_api.db.statement import Statement
from crm_api.db.uow import Actor, Uow, unit_of_work
from crm_api.flows.oauth.issuing import end_grants_of_user
from crm_api.flows.users import sessions
from crm_api.flows.users.people import People
from crm_api.resources.users import belongings

# Tokens of apps come from a sign-in; those that the person made for programs of their own are told apart by their kind.
_END_APPS: Final = Statement(
    "UPDATE tokens SET revoked_at = $3 WHERE org_id = ANY($1::uuid[]) AND user_id = $2 AND app_id IS NOT NULL AND revoked_at IS NULL",
    ("orgs", "user_id", "now"),
)


async def end_grants(people: People, user_id: UUID) -> None:
    """Ends what apps were allowed, organisation by organisation, once a new password is in force.

    Their tokens have ended with it already; what an app was just being given at that moment ends here.
    """
    async with people.database.connection() as connection:
        places = await belongings.active(connection, user_id)
    for place in places:
        async with unit_of_work(people.database, place.org_id, people.clock, actor=Actor("user", user_id)) as uow:
            await end_grants_of_user(uow, user_id, "password_changed")


async def end_sign_ins(uow: Uow, user_id: UUID, *, but_session: UUID | None = None) -> None:
    """Ends the person's sessions and the tokens that apps got through them, in all organisations at once."""
    await sessions.end_all(uow, user_id, but=but_session)
    orgs = [place.org_id for place in await belongings.active(uow, user_id)]
    await uow.fetch(_END_APPS, {"orgs": orgs, "user_id": user_id, "now": uow.clock.now()})
