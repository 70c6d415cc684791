"""Invitations accepted, and the other steps between invited, active and suspended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, Literal
from uuid import UUID

from crm_api.core.errors import Conflict, Forbidden, RateLimited
from crm_api.db.statement import Statement
from crm_api.db.uow import Actor
from crm_api.flows.organizations import system_context
from crm_api.flows.users import change, links, sessions, totp
from crm_api.flows.users.change import LinkSpent
from crm_api.flows.users.passwords import check_password
from crm_api.flows.users.people import People
from crm_api.flows.users.sign_in import email_of
from crm_api.kernel import audit
from crm_api.kernel.context import Context
from crm_api.kernel.engine import Engine
from crm_api.kernel.resource import Row
from crm_api.kernel.writer import Outcome, Patch
from crm_api.resources.users import belongings
from crm_api.resources.users.rights import Profiles
from crm_api.resources.users.rules import invite
from crm_api.resources.users.runs import Runs

Step = Literal["activate", "suspend", "reactivate", "resend_invitation"]

_PROFILE: Final = Statement("SELECT profile_id FROM members WHERE org_id = $1 AND id = $2", ("org_id", "id"))
_NAME: Final = Statement("SELECT name FROM organizations WHERE id = $1", ("org_id",))
_STATUS: Final = Statement("SELECT status FROM members WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL", ("org_id", "id"))
_FROM: Final[dict[str, tuple[str, ...]]] = {
    "activate": ("invited", "active"),
    "suspend": ("active", "invited", "suspended"),
    "reactivate": ("suspended", "active"),
    "resend_invitation": ("invited",),
}
MOST_LINKS: Final = 5
"""Invitations of one person in an hour."""

_RECENT: Final = Statement(
    "SELECT count(*) FROM mails WHERE user_id = $1 AND org_id = $2 AND created_at > $3", ("user_id", "org_id", "since")
)
_RECENT_LINKS: Final = Statement(
    "SELECT count(*) FROM mail_links WHERE user_id = $1 AND org_id = $2 AND created_at > $3", ("user_id", "org_id", "since")
)
_TO: Final[dict[str, str]] = {"activate": "active", "suspend": "suspended", "reactivate": "active"}


async def organization_name(runs: Runs, org_id: UUID) -> str:
    """What the organisation is called."""
    row: Any = await runs.fetch_row(_NAME, {"org_id": org_id})
    return "" if row is None else str(row["name"])


async def step(context: Context, engine: Engine, user_id: UUID, kind: Step, if_match: int | None = None) -> Outcome:
    """Takes a user from one state to another. A user who is there already stays as they are (`unchanged`).

    Raises NotFound, Conflict where the step is not possible, LastSuperAdmin, Forbidden.
    """
    users = context.whole["users"]

    def edit(row: Row) -> dict[str, Any]:
        if row["status"] not in _FROM[kind]:
            raise Conflict(f"The user is {row['status']}; that takes one who is {' or '.join(_FROM[kind])}.")
        return {}

    # The lock, the version and the caller's access are looked after as in every write.
    [seen] = await engine.writer.update(context, users, [Patch(user_id, {}, if_match, edit)])
    if kind == "resend_invitation":
        await _not_too_often(context, user_id)
        row = await _mail_row(context, user_id)
        await invite(context, user_id, row["email"], row["locale"])
        return seen
    [done] = await engine.writer.update_rows(context, users, {user_id: {"status": _TO[kind]}})
    return done


async def _not_too_often(context: Context, user_id: UUID) -> None:
    """Raises RateLimited: an invitation is no way to fill somebody's mailbox."""
    uow = context.uow
    values = {"user_id": user_id, "org_id": uow.org_id, "since": uow.clock.now() - timedelta(hours=1)}
    waiting, sent = await uow.fetch_value(_RECENT, values), await uow.fetch_value(_RECENT_LINKS, values)
    if waiting + sent >= MOST_LINKS:
        raise RateLimited(3_600)


_MAIL: Final = Statement("SELECT email, locale FROM members WHERE org_id = $1 AND id = $2", ("org_id", "id"))


async def _mail_row(context: Context, user_id: UUID) -> Any:
    return await context.uow.fetch_row(_MAIL, {"org_id": context.uow.org_id, "id": user_id})


async def reset_totp(context: Context, engine: Engine, user_id: UUID, if_match: int | None = None) -> Outcome:
    """Ends the second factor of somebody who has lost it, and their sessions.

    Only where the person belongs to this organisation alone: what protects others is not this one's to take away. Raises Conflict
    otherwise and where there is none, Forbidden for those who may do more than the caller, NotFound.
    """

    uow = context.uow
    [seen] = await engine.writer.update(context, context.registry["users"], [Patch(user_id, {}, if_match)])
    row: Any = await uow.fetch_row(_PROFILE, {"org_id": uow.org_id, "id": user_id})
    if not (await Profiles.of(context)).within(context, row["profile_id"]):
        raise Forbidden("Only those who may do all that a user may do may end their second factor.")
    if await belongings.elsewhere(uow, user_id):
        raise Conflict("The user belongs to other organisations too; a recovery code or their own account helps.")
    if not await totp.remove(uow, user_id):
        raise Conflict("The user has no second factor.")
    await sessions.end_all(uow, user_id)
    audit.record(context, "user.totp_reset", object="users", record_id=user_id)
    return seen


async def accept(people: People, engine: Engine, text: str, password: str | None) -> UUID:
    """Accepts an invitation by the link that was mailed; who.

    A person who has a password keeps it. Raises LinkSpent, InvalidValue for a password that won't do, Unavailable.
    """
    async with people.database.connection() as connection:
        found = await links.peek(connection, people.clock, "activate", text)
        if found is None or found.org_id is None:
            raise LinkSpent
        email = await email_of(connection, found.user_id)
        known = await change.has_password(connection, found.user_id)
    hashed = None
    if not known:
        check_password(password or "", email)
        hashed = await people.passwords.hash(password or "")
    actor = Actor("user", found.user_id)
    async with system_context(people.database, found.org_id, people.clock, user_id=found.user_id, actor=actor) as made:
        uow = made.uow
        # With the organisation's own fields, and all rights: the person has none before this is done.
        whole = await engine.catalog.registry(uow, made.principal.organization)
        context = Context(made.principal, uow, whole, engine.statements, engine.keys, egress=engine.egress)
        if await links.use(uow, people.clock, "activate", text) is None:
            raise LinkSpent
        row: Any = await uow.fetch_row(_STATUS, {"org_id": found.org_id, "id": found.user_id})
        if row is None or row["status"] == "suspended":
            raise LinkSpent
        await links.void(uow, people.clock, "activate", found.user_id, found.org_id)
        if hashed is not None:
            await change.store_first(uow, found.user_id, hashed)
        await engine.writer.update_rows(context, whole["users"], {found.user_id: {"status": "active"}})
    return found.user_id
