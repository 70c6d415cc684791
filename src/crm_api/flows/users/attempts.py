"""How often somebody may fail: at an account, from an address. Counted in the database, so that it holds across processes and restarts.

An attempt is counted before it is made and given back if it succeeds; so any number of attempts at once are as many as one after
another. What is counted for an account depends on the name that was typed, not on whether there is one.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address, ip_network
from math import ceil
from typing import Final

from crm_api.core.clock import Clock
from crm_api.core.errors import RateLimited
from crm_api.db.engine import Connection
from crm_api.db.statement import Statement


@dataclass(frozen=True, slots=True)
class Limit:
    """So many failures in so long; then none until that time is over."""

    name: str
    count: int
    window: timedelta


ACCOUNT: Final = Limit("account", 10, timedelta(minutes=15))
ADDRESS: Final = Limit("address", 50, timedelta(minutes=15))
CODE: Final = Limit("code", 5, timedelta(minutes=15))
"""Wrong one-time codes of one person. Three of a million hold at a time, so guessing takes some 16,000 hours."""
MAILS: Final = Limit("mails", 3, timedelta(hours=1))
"""Mails about a forgotten password to one address."""
ASKED: Final = Limit("asked", 20, timedelta(hours=1))
"""Requests for such mails from one place."""

KEPT: Final = timedelta(days=1)

_RESERVE: Final = Statement(
    "INSERT INTO failed_attempts AS f (subject, count, since) VALUES ($1, 1, $2)"
    " ON CONFLICT (subject) DO UPDATE SET count = CASE WHEN f.since <= $3 THEN 1 ELSE least(f.count, 1000000) + 1 END,"
    " since = CASE WHEN f.since <= $3 THEN $2 ELSE f.since END RETURNING count, since",
    ("subject", "now", "before"),
)
_GIVE_BACK: Final = Statement("UPDATE failed_attempts SET count = count - 1 WHERE subject = $1 AND count > 0", ("subject",))
_FORGET: Final = Statement("DELETE FROM failed_attempts WHERE subject = $1", ("subject",))


class TooManyAttempts(RateLimited):
    """There were too many failures; `retry_after` seconds from now another attempt is heard."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        minutes = ceil(retry_after / 60)
        self.detail = f"Too many attempts. Try again in {minutes} minute{'' if minutes == 1 else 's'}."


def place_of(address: str) -> str:
    """What is counted as one place: an IPv4 address, or the network of 64 bits that one subscriber has of IPv6."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((found, 64), strict=False)) if found.version == 6 else str(found)


@dataclass(frozen=True, slots=True)
class Attempts:
    """Counts; `key` keeps what is counted from being read in the database."""

    key: bytes
    clock: Clock

    def _subject(self, limit: Limit, who: str) -> bytes:
        return hmac.digest(self.key, f"{limit.name}:{who}".encode(), "sha256")

    async def reserve(self, connection: Connection, limit: Limit, who: str) -> None:
        """Counts an attempt as a failure. Raises TooManyAttempts if it is one too many."""
        now = self.clock.now()
        row = await connection.fetch_row(_RESERVE, {"subject": self._subject(limit, who), "now": now, "before": now - limit.window})
        assert row is not None
        if row["count"] > limit.count:
            raise TooManyAttempts(max(1, ceil((row["since"] + limit.window - now).total_seconds())))

    async def give_back(self, connection: Connection, limit: Limit, who: str) -> None:
        """The attempt was none, or it succeeded."""
        await connection.fetch(_GIVE_BACK, {"subject": self._subject(limit, who)})

    async def forget(self, connection: Connection, limit: Limit, who: str) -> None:
        """Earlier failures count no more."""
        await connection.fetch(_FORGET, {"subject": self._subject(limit, who)})
