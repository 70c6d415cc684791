"""Sign-in sessions: opened by a password or a second factor, found by the hash of a cookie, ended one by one or all at once.

They belong to a person, not to an organisation, and are used by pages only: no route of the API reads them as a credential.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from crm_api.core.clock import Clock, format_timestamp
from crm_api.core.ids import uuid7
from crm_api.core.tokens import generate, parse
from crm_api.db.statement import Statement
from crm_api.resources.users.runs import Runs

Level = Literal["pending", "password", "totp"]

IDLE: Final = timedelta(hours=12)
"""A session ends so long after it was last used."""

LONGEST: Final = timedelta(days=7)
"""And so long after it was opened, however much it is used."""

PENDING: Final = timedelta(minutes=10)
"""How long the second factor is waited for."""

MOST: Final = 50
"""Sessions of one person; opening another ends the oldest."""

_NOTED_EVERY: Final = timedelta(minutes=1)

_INSERT: Final = Statement(
    "INSERT INTO sessions (hash, id, user_id, level, created_at, used_at, expires_at) VALUES ($1, $2, $3, $4, $5, $5, $6)",
    ("hash", "id", "user_id", "level", "now", "expires_at"),
)
_INSERT_DEVICE: Final = Statement(
    "INSERT INTO session_devices (user_id, session_id, user_agent, address) VALUES ($1, $2, $3, $4)",
    ("user_id", "id", "user_agent", "address"),
)
_FIND: Final = Statement(
    "SELECT id, user_id, level, created_at, used_at, expires_at FROM sessions WHERE hash = $1 AND expires_at > $2 AND used_at > $3",
    ("hash", "now", "idle_since"),
)
_NOTE: Final = Statement("UPDATE sessions SET used_at = $2 WHERE hash = $1 AND used_at < $2", ("hash", "now"))
_END: Final = Statement("DELETE FROM sessions WHERE hash = $1 RETURNING id, user_id", ("hash",))
_END_ONE: Final = Statement("DELETE FROM sessions WHERE user_id = $1 AND id = $2 RETURNING id", ("user_id", "id"))
_END_ALL: Final = Statement("DELETE FROM sessions WHERE user_id = $1 AND ($2::uuid IS NULL OR id <> $2) RETURNING id", ("user_id", "but"))
_OLDEST: Final = Statement("SELECT id FROM sessions WHERE user_id = $1 ORDER BY id DESC OFFSET $2", ("user_id", "most"))
_FORGET_DEVICES: Final = Statement("DELETE FROM session_devices WHERE user_id = $1 AND session_id = ANY($2::uuid[])", ("user_id", "ids"))
_LIST: Final = Statement(
    "SELECT id, level, created_at, used_at, expires_at FROM sessions"
    " WHERE user_id = $1 AND level <> 'pending' AND expires_at > $2 AND used_at > $3 ORDER BY id DESC",
    ("user_id", "now", "idle_since"),
)
_DEVICES: Final = Statement("SELECT session_id, user_agent, address FROM session_devices WHERE user_id = $1", ("user_id",))


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, and how. `created_at` is when they proved it."""

    id: UUID
    user_id: UUID
    level: Level
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Device:
    """From where somebody signs in."""

    user_agent: str
    address: str


async def open_session(runs: Runs, clock: Clock, user_id: UUID, level: Level, device: Device) -> tuple[str, Session]:
    """A new session and its cookie's value, which can't be had again."""
    secret, hash_ = generate("crm_ss_")
    now = clock.now()
    session = Session(uuid7(clock), user_id, level, now, now + (PENDING if level == "pending" else LONGEST))
    values = {"hash": hash_, "id": session.id, "user_id": user_id, "level": level, "now": now, "expires_at": session.expires_at}
    await runs.fetch(_INSERT_DEVICE, {**values, "user_agent": device.user_agent[:400], "address": device.address[:64]})
    await runs.fetch(_INSERT, values)
    for old in await runs.fetch(_OLDEST, {"user_id": user_id, "most": MOST}):
        await end_one(runs, user_id, old["id"])
    return secret, session


async def find_session(runs: Runs, clock: Clock, secret: str) -> Session | None:
    """The session of a cookie, if it has not ended; notes that it is in use."""
    hash_ = parse(secret, "crm_ss_")
    if hash_ is None:
        return None
    now = clock.now()
    row = await runs.fetch_row(_FIND, {"hash": hash_, "now": now, "idle_since": now - IDLE})
    if row is None:
        return None
    if now - row["used_at"] >= _NOTED_EVERY:
        await runs.fetch(_NOTE, {"hash": hash_, "now": now})
    return Session(row["id"], row["user_id"], row["level"], row["created_at"], row["expires_at"])


async def end_session(runs: Runs, secret: str) -> None:
    """Ends the session of a cookie, if there is one."""
    hash_ = parse(secret, "crm_ss_")
    if hash_ is not None:
        for row in await runs.fetch(_END, {"hash": hash_}):
            await _forget(runs, row["user_id"], [row])


async def end_one(runs: Runs, user_id: UUID, session_id: UUID) -> bool:
    """Ends one session of a person; False if there is no such one."""
    gone = await runs.fetch(_END_ONE, {"user_id": user_id, "id": session_id})
    await _forget(runs, user_id, gone)
    return bool(gone)


async def end_all(runs: Runs, user_id: UUID, *, but: UUID | None = None) -> int:
    """Ends all sessions of a person, except one; tells how many."""
    gone = await runs.fetch(_END_ALL, {"user_id": user_id, "but": but})
    await _forget(runs, user_id, gone)
    return len(gone)


async def _forget(runs: Runs, user_id: UUID, gone: list[Any]) -> None:
    if gone:
        await runs.fetch(_FORGET_DEVICES, {"user_id": user_id, "ids": [row["id"] for row in gone]})


async def listed(runs: Runs, clock: Clock, user_id: UUID) -> list[dict[str, Any]]:
    """A person's sessions as the API shows them, newest first."""
    now = clock.now()
    rows = await runs.fetch(_LIST, {"user_id": user_id, "now": now, "idle_since": now - IDLE})
    devices = {row["session_id"]: row for row in await runs.fetch(_DEVICES, {"user_id": user_id})}
    return [
        {
            "object": "sessions",
            "id": str(row["id"]),
            "signed_in_with": row["level"],
            "user_agent": devices[row["id"]]["user_agent"] if row["id"] in devices else None,
            "address": devices[row["id"]]["address"] if row["id"] in devices else None,
            "created_at": format_timestamp(row["created_at"]),
            "last_used_at": format_timestamp(row["used_at"]),
            "expires_at": format_timestamp(row["expires_at"]),
        }
        for row in rows
    ]
