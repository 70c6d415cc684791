"""Choosing a password: at an invitation, after it was forgotten, or instead of the present one."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from crm_api.core.email import normalize_email
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.flows.users import links
from crm_api.flows.users.attempts import ACCOUNT
from crm_api.flows.users.endings import end_grants, end_sign_ins
from crm_api.flows.users.passwords import check_password
from crm_api.flows.users.people import People
from crm_api.flows.users.sign_in import email_of, of_person, tell
from crm_api.resources.users.runs import Runs

_SET: Final = Statement(
    "INSERT INTO credentials (user_id, password_hash, updated_at) VALUES ($1, $2, $3)"
    " ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash, updated_at = excluded.updated_at",
    ("user_id", "hash", "now"),
)
_SET_FIRST: Final = Statement(
    "INSERT INTO credentials (user_id, password_hash, updated_at) VALUES ($1, $2, $3) ON CONFLICT (user_id) DO NOTHING",
    ("user_id", "hash", "now"),
)
_HAS: Final = Statement("SELECT 1 FROM credentials WHERE user_id = $1", ("user_id",))


class LinkSpent(Exception):
    """The link was used, or is too old, or is none of ours."""


async def has_password(runs: Runs, user_id: UUID) -> bool:
    """Whether the person has chosen a password yet."""
    return await runs.fetch_row(_HAS, {"user_id": user_id}) is not None


async def store(uow: Uow, user_id: UUID, hashed: str) -> None:
    """Puts a password's hash in place of the present one."""
    await uow.fetch(_SET, {"user_id": user_id, "hash": hashed, "now": uow.clock.now()})


async def store_first(uow: Uow, user_id: UUID, hashed: str) -> None:
    """The hash of a first password; one that was chosen in the meantime stays."""
    await uow.fetch(_SET_FIRST, {"user_id": user_id, "hash": hashed, "now": uow.clock.now()})


async def change(people: People, uow: Uow, user_id: UUID, password: str) -> None:
    """Another password, in the caller's transaction. Raises InvalidValue for one that won't do, Unavailable."""
    check_password(password, await email_of(uow, user_id))
    await store(uow, user_id, await people.passwords.hash(password))
    await links.void(uow, people.clock, "reset", user_id)
    await end_sign_ins(uow, user_id)

    async def afterwards(_: Uow) -> None:
        await end_grants(people, user_id)

    uow.after_commit.append(afterwards)


async def reset(people: People, text: str, password: str, address: str, request_id: str | None = None) -> None:
    """Another password by the link that was mailed. Raises LinkSpent, InvalidValue for a password that won't do, Unavailable."""
    async with people.database.connection() as connection:
        found = await links.peek(connection, people.clock, "reset", text)
        email = "" if found is None else await email_of(connection, found.user_id)
    if found is None:
        raise LinkSpent
    # All that can fail comes before the link is used up.
    check_password(password, email)
    hashed = await people.passwords.hash(password)
    async with of_person(people, found.user_id) as uow:
        if await links.use(uow, people.clock, "reset", text) is None:
            raise LinkSpent
        await store(uow, found.user_id, hashed)
        await links.void(uow, people.clock, "reset", found.user_id)
        await end_sign_ins(uow, found.user_id)
    await end_grants(people, found.user_id)
    async with people.database.connection() as connection:
        await people.attempts.forget(connection, ACCOUNT, normalize_email(email).key)
    await tell(people, found.user_id, "user.password_reset", address, request_id)
