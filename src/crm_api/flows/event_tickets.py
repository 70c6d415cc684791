"""Tickets to the event stream: made for a token, taken in its place.

A browser's `EventSource` sends no headers, so what lets it in has to stand in the address, and it comes back to the same address
after every break. A ticket is therefore good for nothing but the stream, has to be used within a minute (an address that leaks later
from where it was never used is worthless), lets its client come back for an hour, and never outlives its token. The secret is
stored as a hash, and query strings are logged nowhere.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from crm_api.core.clock import Clock
from crm_api.core.errors import LimitExceeded
from crm_api.core.tokens import generate
from crm_api.db.engine import Connection, Database
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow

OPEN: Final = timedelta(seconds=60)
"""Until when a ticket has to be used for the first time."""

GOOD: Final = timedelta(hours=1)
"""For how long its client may come back."""

MAX_TICKETS: Final = 1_000
"""Tickets of one token that are good at once."""

_MAKE: Final = Statement(
    """
    INSERT INTO event_tickets (hash, org_id, token_hash, created_at, open_until, expires_at)
    SELECT $1, $2, t.hash, $4, $5, $6 FROM tokens t
     WHERE t.org_id = $2 AND t.hash = $3
       AND (SELECT count(*) FROM event_tickets e
             WHERE e.token_hash = $3 AND e.expires_at > $4 AND (e.used_at IS NOT NULL OR e.open_until > $4)) < $7
    RETURNING hash
    """,
    ("hash", "org_id", "token_hash", "now", "open_until", "expires_at", "most"),
)
_TAKE: Final = Statement(
    """
    UPDATE event_tickets SET used_at = coalesce(used_at, $2)
     WHERE hash = $1 AND expires_at > $2 AND (used_at IS NOT NULL OR open_until > $2)
    RETURNING token_hash
    """,
    ("hash", "now"),
)
_CLEAN: Final = Statement("DELETE FROM event_tickets WHERE expires_at < $1 OR (used_at IS NULL AND open_until < $1)", ("before",))


async def make_ticket(uow: Uow, token_hash: bytes) -> tuple[str, datetime]:
    """A ticket for a token, and until when it has to be used. Raises LimitExceeded."""
    text, hash_ = generate("crm_et_")
    now = uow.clock.now()
    org_id: UUID = uow.org_id
    values = {
        "hash": hash_, "org_id": org_id, "token_hash": token_hash, "now": now, "open_until": now + OPEN, "expires_at": now + GOOD,
        "most": MAX_TICKETS,
    }  # fmt: skip
    if await uow.fetch_row(_MAKE, values) is None:
        raise LimitExceeded("event_tickets_per_token", MAX_TICKETS, MAX_TICKETS + 1)
    return text, now + OPEN


async def take_ticket(connection: Connection, hash_: bytes, now: datetime) -> bytes | None:
    """The hash of the token that a ticket stands for, whether or not that still holds; None for a ticket that is no longer good."""
    row = await connection.fetch_row(_TAKE, {"hash": hash_, "now": now})
    return None if row is None else bytes(row["token_hash"])


async def clean_tickets(database: Database, clock: Clock) -> None:
    """Removes those of all organisations that can't be used any more."""
    async with database.connection() as connection:
        await connection.fetch(_CLEAN, {"before": clock.now()})
