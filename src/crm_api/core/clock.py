"""Time: the only place that reads the wall clock, and the spelling of instants and dates in JSON.

There are two times. Real time is what the `Clock` says: ids, tokens, idempotency keys and what is kept for a number of days
go by it. Business time is real time as an organisation's `BusinessTime` moves it (only sandboxes move it): everything that
records, events, jobs and timers say goes by that. Leases and claims between processes use the database's clock instead.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final, Protocol

from crm_api.core.errors import InvalidValue

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_TIMESTAMP: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_DATE: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)


class Clock(Protocol):
    """Tells the time: an aware UTC datetime with microseconds."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    __slots__ = ()

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved; for tests and sandboxes."""

    __slots__ = ("_at",)

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("a clock needs an aware datetime")
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        return self._at

    def advance(self, by: timedelta) -> datetime:
        """Moves the clock (backwards if negative) and returns the new time."""
        self._at += by
        return self._at


@dataclass(frozen=True, slots=True)
class BusinessTime:
    """How an organisation's time stands to real time: `offset` ahead of it, or still at `frozen_at`."""

    offset: timedelta = timedelta()
    frozen_at: datetime | None = None

    def at(self, real: datetime) -> datetime:
        """The organisation's time at a real instant."""
        if self.frozen_at is not None:
            return self.frozen_at
        return real + self.offset if self.offset else real

    @property
    def moved(self) -> bool:
        """Whether the two times differ."""
        return self.frozen_at is not None or bool(self.offset)


REAL_TIME: Final = BusinessTime()


def business_time(offset_us: int, frozen_at: datetime | None) -> BusinessTime:
    """The business time that an organisation's row holds; the offset is in microseconds."""
    if not offset_us and frozen_at is None:
        return REAL_TIME
    return BusinessTime(timedelta(microseconds=offset_us), frozen_at)


def format_timestamp(at: datetime) -> str:
    """`2026-11-22T03:31:00.000000Z`: always UTC and six digits, so that texts sort as instants do."""
    if at.tzinfo is None:
        raise ValueError("a timestamp needs an aware datetime")
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return at.isoformat(timespec="microseconds")[:-6] + "Z"


def parse_timestamp(text: str) -> datetime:
    """Reads an RFC 3339 §5.6 `date-time` with any offset and returns UTC.

    Up to nine fractional digits are read and cut to microseconds (several languages write nanoseconds); an instant
    outside the years 0001 to 9999 in UTC is refused, and so is a leap second, which no datetime can hold.
    Raises InvalidValue `invalid_timestamp` with a `reason`.
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise InvalidValue("invalid_timestamp", reason=_why_no_timestamp(text))
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    if offset is None:
        raise InvalidValue("invalid_timestamp", reason="the offset is missing; end with Z or +hh:mm")
    zone: timezone = UTC
    if offset not in "Zz":
        hours, minutes = int(offset[1:3]), int(offset[4:6])
        if hours > 23 or minutes > 59:
            raise InvalidValue("invalid_timestamp", reason=f"there is no offset {offset}")
        delta = timedelta(hours=hours, minutes=minutes)
        zone = timezone(-delta if offset[0] == "-" else delta)
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    try:
        local = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), micros, tzinfo=zone)
        return local if zone is UTC else local.astimezone(UTC)
    except ValueError as error:
        raise InvalidValue("invalid_timestamp", reason=str(error)) from None
    except OverflowError:
        raise InvalidValue("invalid_timestamp", reason="the year must be in 1..9999 in UTC") from None


def _why_no_timestamp(text: str) -> str:
    if _DATE.fullmatch(text):
        return "the time is missing"
    if " " in text:
        return "there is a space in it; a + in a URL is written %2B, and T separates date and time"
    return "expected YYYY-MM-DDThh:mm:ss[.ffffff]Z"


def parse_date(text: str) -> date:
    """Reads `YYYY-MM-DD`, years 0001 to 9999. Raises InvalidValue `invalid_date` with a `reason`."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise InvalidValue("invalid_date", reason="expected YYYY-MM-DD")
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError as error:
        raise InvalidValue("invalid_date", reason=str(error)) from None
