"""Signing in: with a password, then perhaps with a second factor.

Whoever can't sign in learns no more than that, and not sooner: an unknown address, a wrong password, an invitation that was not
accepted and a suspended member all get the same answer after the same work.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from crm_api.core.email import normalize_email
from crm_api.core.errors import InvalidValue, Problem
from crm_api.db.statement import Statement
from crm_api.db.uow import Actor, Cause, Uow, unit_of_work
from crm_api.flows.users import totp
from crm_api.flows.users.attempts import ACCOUNT, ADDRESS, CODE, place_of
from crm_api.flows.users.people import People
from crm_api.flows.users.sessions import Level
from crm_api.kernel.audit import record_alone
from crm_api.resources.users import belongings
from crm_api.resources.users.runs import Runs

_FIND: Final = Statement(
    "SELECT u.id, c.password_hash FROM users u LEFT JOIN credentials c ON c.user_id = u.id WHERE u.email_key = $1", ("key",)
)
_PASSWORD: Final = Statement("SELECT password_hash FROM credentials WHERE user_id = $1", ("user_id",))
_EMAIL: Final = Statement("SELECT email FROM users WHERE id = $1", ("user_id",))
# Only over the hash that was checked: a password that was changed meanwhile stays.
_REHASH: Final = Statement("UPDATE credentials SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2", ("user_id", "old", "new"))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody whose password was right. `level` is `pending` where a second factor has to follow."""

    user_id: UUID
    level: Level


@dataclass(frozen=True, slots=True)
class Refused:
    """Somebody who could not sign in; `user_id` is whose account they tried, if there is such a one."""

    user_id: UUID | None


_NOBODY: Final = UUID(int=0)


async def with_password(people: People, email: str, password: str, address: str) -> SignedIn | Refused:
    """Who this is. Raises TooManyAttempts, Unavailable."""
    try:
        key = normalize_email(email).key
    except InvalidValue:
        key = email.strip().casefold()[:320]
    place = place_of(address)
    attempts = people.attempts
    async with people.database.connection() as connection:
        await attempts.reserve(connection, ACCOUNT, key)
        try:
            await attempts.reserve(connection, ADDRESS, place)
        except Problem:
            await attempts.give_back(connection, ACCOUNT, key)
            raise
        row = await connection.fetch_row(_FIND, {"key": key})
    stored: str | None = None if row is None else row["password_hash"]
    try:
        right, better = await people.passwords.verify(password, stored)
    except BaseException:  # it was not heard at all, so it was no failure
        async with people.database.connection() as connection:
            await attempts.give_back(connection, ACCOUNT, key)
            await attempts.give_back(connection, ADDRESS, place)
        raise
    # The same look-ups whoever it is, so that time tells nothing.
    user_id: UUID = _NOBODY if row is None else row["id"]
    async with people.database.connection() as connection:
        places = await belongings.active(connection, user_id)
        factor = await totp.read(connection, user_id)
        if not right or not places:
            return Refused(None if row is None else user_id)
        await attempts.forget(connection, ACCOUNT, key)
        await attempts.give_back(connection, ADDRESS, place)
        if better is not None:
            await connection.fetch(_REHASH, {"user_id": user_id, "old": stored, "new": better})
    confirmed = factor is not None and factor.confirmed_at is not None
    return SignedIn(user_id, "pending" if confirmed or any(place.requires_totp for place in places) else "password")


async def with_code(people: People, user_id: UUID, code: str) -> bool:
    """Whether the code is the person's; it is used up then. Raises TooManyAttempts."""
    async with people.database.connection() as connection:
        await people.attempts.reserve(connection, CODE, str(user_id))
        right = await totp.take(connection, people.clock, people.keys, user_id, code)
        if right:
            await people.attempts.forget(connection, CODE, str(user_id))
    return right


async def knows_password(people: People, runs: Runs, user_id: UUID, password: str) -> bool:
    """Whether this is the person's password; for what needs it once more. Failures count. Raises TooManyAttempts, Unavailable."""
    async with people.database.connection() as connection:
        await people.attempts.reserve(connection, ACCOUNT, str(user_id))
    row: Any = await runs.fetch_row(_PASSWORD, {"user_id": user_id})
    right, _ = await people.passwords.verify(password, None if row is None else row["password_hash"])
    if right:
        async with people.database.connection() as connection:
            await people.attempts.forget(connection, ACCOUNT, str(user_id))
    return right


async def email_of(runs: Runs, user_id: UUID) -> str:
    """The address with which the person signs in."""
    row: Any = await runs.fetch_row(_EMAIL, {"user_id": user_id})
    return "" if row is None else str(row["email"])


def of_person(people: People, user_id: UUID) -> AbstractAsyncContextManager[Uow]:
    """A transaction about a person only, who belongs to no one organisation: none of a tenant's rows are seen in it."""
    return unit_of_work(people.database, user_id, people.clock, actor=Actor("user", user_id))


async def tell(
    people: People, user_id: UUID, action: str, address: str, request_id: str | None = None, details: dict[str, Any] | None = None
) -> None:
    """Puts what a person did into the audit log of every organisation that they belong to."""
    async with people.database.connection() as connection:
        places = await belongings.active(connection, user_id)
    for place in places:
        await record_alone(
            people.database,
            people.clock,
            place.org_id,
            action,
            object="users",
            record_id=user_id,
            details=details,
            actor=Actor("user", user_id),
            cause=Cause(request_id=request_id, ip=address),
        )
