"""When a delivery is tried again, and when an endpoint is left alone for a while.

The times are those that Standard Webhooks recommends. Jitter is only ever added, so nothing is tried earlier than it says.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Literal

DELAYS_S: Final[Sequence[int]] = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
"""Seconds after the first, second, … try; ten tries in all, over three days."""

JITTER: Final = 0.2
MAX_TRIES: Final = len(DELAYS_S) + 1
LONGEST_HINT_S: Final = 24 * 3600
FAILING_FOR: Final = timedelta(days=5)
"""An endpoint where nothing has arrived for this long is disabled."""

WINDOW: Final = timedelta(minutes=5)
LEAST_ATTEMPTS: Final = 10
FAILED_SHARE: Final = 0.7
OPEN_S: Final = 30.0
LONGEST_OPEN_S: Final = 600.0

_random = random.SystemRandom()


def delay(tries: int, *, forever: bool = False) -> float | None:
    """Seconds until the next try after `tries` of them; None if that was the last. `forever`: the last delay is repeated."""
    if tries > len(DELAYS_S) and not forever:
        return None
    base = DELAYS_S[min(tries, len(DELAYS_S)) - 1]
    return base * (1 + _random.uniform(0, JITTER))


def hint(status: int | None, value: str | None, now: datetime) -> float | None:
    """What `Retry-After` of a 429 or 503 asks for (RFC 9110 10.2.3: seconds or a date), in seconds, at most a day; None for nothing."""
    if status not in (429, 503) or value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(min(int(value[:9]), LONGEST_HINT_S))
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:  # in the two old formats, which mean UTC
        at = at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), float(LONGEST_HINT_S))


@dataclass(frozen=True, slots=True)
class Circuit:
    """Whether an endpoint is worth trying. Closed: yes. Open until `open_until`: no. Half open: one delivery tries."""

    state: Literal["closed", "open", "half_open"] = "closed"
    open_until: datetime | None = None
    openings: int = 0
    window_at: datetime | None = None
    total: int = 0
    failed: int = 0

    def after(self, succeeded: bool, now: datetime) -> Circuit:
        """How it stands after an attempt."""
        if succeeded and self.state != "closed":
            return Circuit(window_at=now, total=1)
        if not succeeded and self.state == "half_open":
            return self._open(now)
        if self.state == "open":  # an answer to something that was under way when it opened
            return self
        fresh = self.window_at is None or now - self.window_at > WINDOW
        counted = replace(
            self,
            window_at=now if fresh else self.window_at,
            total=1 if fresh else self.total + 1,
            failed=int(not succeeded) + (0 if fresh else self.failed),
        )
        if not succeeded and counted.total >= LEAST_ATTEMPTS and counted.failed >= FAILED_SHARE * counted.total:
            return counted._open(now)
        return counted

    def _open(self, now: datetime) -> Circuit:
        seconds = min(OPEN_S * 2**self.openings, LONGEST_OPEN_S)
        return Circuit("open", now + timedelta(seconds=seconds), self.openings + 1)

    def ready(self, now: datetime) -> Circuit:
        """Half open once the time is over."""
        if self.state == "open" and (self.open_until is None or self.open_until <= now):
            return replace(self, state="half_open", open_until=None)
        return self
