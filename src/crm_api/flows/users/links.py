"""Links in mails, each good for one use: to choose another password, or to accept an invitation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal
from uuid import UUID

from crm_api.core.clock import Clock
from crm_api.core.tokens import generate, parse
from crm_api.db.statement import Statement
from crm_api.resources.users.runs import Runs

Purpose = Literal["reset", "activate"]

LIFETIMES: Final = {"reset": timedelta(minutes=30), "activate": timedelta(days=7)}

_INSERT: Final = Statement(
    "INSERT INTO mail_links (hash, purpose, user_id, org_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
    ("hash", "purpose", "user_id", "org_id", "now", "expires_at"),
)
_PEEK: Final = Statement(
    "SELECT user_id, org_id FROM mail_links WHERE hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3",
    ("hash", "purpose", "now"),
)
_USE: Final = Statement(
    "UPDATE mail_links SET used_at = $3 WHERE hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3 RETURNING user_id, org_id",
    ("hash", "purpose", "now"),
)
_VOID: Final = Statement(
    "UPDATE mail_links SET used_at = $4 WHERE user_id = $1 AND purpose = $2 AND ($3::uuid IS NULL OR org_id = $3) AND used_at IS NULL",
    ("user_id", "purpose", "org_id", "now"),
)


@dataclass(frozen=True, slots=True)
class Link:
    """Whom a link is for; `org_id` is the organisation that an invitation is into."""

    user_id: UUID
    org_id: UUID | None


async def make(runs: Runs, clock: Clock, purpose: Purpose, user_id: UUID, org_id: UUID | None) -> str:
    """The secret part of a new link."""
    text, hash_ = generate("crm_ml_")
    now = clock.now()
    values = {"hash": hash_, "purpose": purpose, "user_id": user_id, "org_id": org_id, "now": now, "expires_at": now + LIFETIMES[purpose]}
    await runs.fetch(_INSERT, values)
    return text


async def peek(runs: Runs, clock: Clock, purpose: Purpose, text: str) -> Link | None:
    """The link, if it may still be used."""
    return await _find(runs, clock, _PEEK, purpose, text)


async def use(runs: Runs, clock: Clock, purpose: Purpose, text: str) -> Link | None:
    """Uses the link up; None for one that is used, too old, or none of ours. Of any number of callers at once, one gets it."""
    return await _find(runs, clock, _USE, purpose, text)


async def _find(runs: Runs, clock: Clock, statement: Statement, purpose: Purpose, text: str) -> Link | None:
    hash_ = parse(text, "crm_ml_")
    if hash_ is None:
        return None
    row: Any = await runs.fetch_row(statement, {"hash": hash_, "purpose": purpose, "now": clock.now()})
    return None if row is None else Link(row["user_id"], row["org_id"])


async def void(runs: Runs, clock: Clock, purpose: Purpose, user_id: UUID, org_id: UUID | None = None) -> None:
    """Makes a person's other links of this kind useless (of one organisation, or all)."""
    await runs.fetch(_VOID, {"user_id": user_id, "purpose": purpose, "org_id": org_id, "now": clock.now()})
