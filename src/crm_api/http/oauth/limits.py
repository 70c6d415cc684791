"""Failed attempts: of clients with their secrets, of people with device codes. Successes cost nothing.

Counted in Valkey, so that every process sees the same numbers. Where Valkey is configured and away nobody is let in: whoever can
stop it must not get unlimited guesses. Without any Valkey each process counts for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from crm_api.core.errors import RateLimited, Unavailable
from crm_api.http.services import Services
from crm_api.http.valkey import ValkeyDown, ValkeyError

_PREFIX: Final = "crm:oauth:failed:"
_REMEMBERED: Final = 10_000
_FAILED: Final = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many failures are borne in which time."""

    name: str
    most: int
    window: timedelta


#: Secrets have 256 random bits, so this is about load and noise, not about guessing.
CLIENTS: Final = Allowance("client", 600, timedelta(minutes=1))
#: A code that a person types in has 34 bits and lives for ten minutes (RFC 8628 5.1).
USER_CODES: Final = Allowance("user_code", 10, timedelta(minutes=10))

#: What anybody may begin without a secret: requests that are kept for some minutes.
BEGINNINGS: Final = Allowance("begun", 600, timedelta(minutes=1))

_local: dict[str, tuple[int, datetime]] = {}


async def admit(services: Services, allowance: Allowance, subject: str) -> None:
    """Raises RateLimited for who has failed too often, Unavailable where that can't be found out."""
    key = f"{_PREFIX}{allowance.name}:{subject}"
    if services.valkey is None:
        count, until = _local.get(key, (0, services.clock.now()))
        failed = count if until > services.clock.now() else 0
    else:
        try:
            failed = int(await services.valkey.call("GET", key) or 0)
        except (ValkeyDown, ValkeyError):
            raise Unavailable("Failed attempts can't be counted at present, so nobody is let in.", 2) from None
    if failed >= allowance.most:
        raise RateLimited(int(allowance.window.total_seconds()))


async def count(services: Services, allowance: Allowance, subject: str) -> None:
    """Counts what anybody may do, whether it succeeds or not. Raises as `admit` does."""
    await admit(services, allowance, subject)
    await failed(services, allowance, subject)


async def failed(services: Services, allowance: Allowance, subject: str) -> None:
    """Notes a failure."""
    key = f"{_PREFIX}{allowance.name}:{subject}"
    if services.valkey is None:
        now = services.clock.now()
        count, until = _local.get(key, (0, now))
        if len(_local) >= _REMEMBERED:
            _local.clear()
        _local[key] = (count + 1, until) if until > now else (1, now + allowance.window)
        return
    try:
        await services.valkey.call("EVAL", _FAILED, 1, key, int(allowance.window.total_seconds() * 1000))
    except (ValkeyDown, ValkeyError):
        return  # the next attempt is refused, see above
