"""Relative times of filters: durations such as `P30D`, periods such as `last_fiscal_quarter`.

Calendar units are counted in the reader's time zone, so "yesterday" has 23 or 25 hours when the clocks change. Results
are half-open: the start belongs to the period, the end does not.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm_api.core.errors import InvalidValue
from crm_api.core.fiscal import CALENDAR, FiscalYear, Unit

UNITS: Final = ("week", "month", "quarter", "year", "fiscal_month", "fiscal_quarter", "fiscal_year")

#: All names that `period` knows.
PERIODS: Final = ("today", "yesterday", "tomorrow", *(f"{which}_{unit}" for unit in UNITS for which in ("last", "this", "next")))

_SHIFTS: Final = {"last": -1, "this": 0, "next": 1}
_DAYS: Final = {"yesterday": -1, "today": 0, "tomorrow": 1}
_FISCAL: Final[dict[str, Unit]] = {"fiscal_month": "month", "fiscal_quarter": "quarter", "fiscal_year": "year"}
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
_DURATION: Final = re.compile(
    r"P(?=\d|T\d)(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Duration:
    """An ISO 8601 duration of whole units: `months` and `days` are calendar units, `seconds` is exact time."""

    months: int = 0
    days: int = 0
    seconds: int = 0

    def before(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The instant this long before `at`, in UTC: first months and days by the zone's calendar, then the time.

        A day that the target month lacks becomes its last one (31 March − P1M is 28 or 29 February).
        Raises InvalidValue `invalid_duration` outside the years 0001 to 9999.
        """
        return self._shift(at, zone, -1)

    def after(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The instant this long after `at`; see `before`."""
        return self._shift(at, zone, 1)

    def date_before(self, day: date) -> date:
        """The day this long before `day`; hours, minutes and seconds don't count for dates."""
        return self._shift_date(day, -1)

    def date_after(self, day: date) -> date:
        """The day this long after `day`; see `date_before`."""
        return self._shift_date(day, 1)

    def _shift(self, at: datetime, zone: ZoneInfo, sign: int) -> datetime:
        try:
            if self.months or self.days:
                local = at.astimezone(zone)
                day = self._shift_date(local.date(), sign)
                at = datetime.combine(day, local.time(), zone).replace(fold=local.fold)
            return at.astimezone(UTC) + sign * timedelta(seconds=self.seconds)
        except (OverflowError, ValueError):
            raise InvalidValue("invalid_duration") from None

    def _shift_date(self, day: date, sign: int) -> date:
        try:
            return _add_months(day, sign * self.months) + sign * timedelta(days=self.days)
        except (OverflowError, ValueError):
            raise InvalidValue("invalid_duration") from None


class Period(NamedTuple):
    """A half-open stretch of days, and the same as instants in UTC."""

    start_date: date
    end_date: date
    start: datetime
    end: datetime


def parse_duration(text: str) -> Duration:
    """Reads `P1Y2M3W4DT5H6M7S`, any part left out, whole numbers only. Raises InvalidValue `invalid_duration`."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise InvalidValue("invalid_duration")
    years, months, weeks, days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return Duration(years * 12 + months, weeks * 7 + days, (hours * 60 + minutes) * 60 + seconds)


def period(name: str, now: datetime, zone: ZoneInfo, fiscal: FiscalYear = CALENDAR, week_start: int = 0) -> Period:
    """The period called `name` around `now`, by the calendar of `zone`.

    Weeks begin on `week_start` (0 is Monday, ISO 8601).
    Raises InvalidValue `invalid_period` listing the names.
    """
    today = now.astimezone(zone).date()
    try:
        first, last = _days(name, today, fiscal, week_start)
    except (OverflowError, ValueError):
        raise InvalidValue("invalid_period", allowed=PERIODS) from None
    return Period(first, last, day_start(first, zone), day_start(last, zone))


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day, in UTC; where clocks skip midnight, the instant of the change."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def parse_zone(name: str) -> ZoneInfo:
    """An IANA time zone. Raises InvalidValue `invalid_time_zone`."""
    # ZoneInfo looks names up as paths: keep to the characters that zone names use
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*", name, re.ASCII) is None or len(name) > 64:
        raise InvalidValue("invalid_time_zone")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidValue("invalid_time_zone") from None


def _days(name: str, today: date, fiscal: FiscalYear, week_start: int) -> tuple[date, date]:
    if name in _DAYS:
        first = today + timedelta(days=_DAYS[name])
        return first, first + timedelta(days=1)
    which, _, unit = name.partition("_")
    if which not in _SHIFTS or unit not in UNITS:
        raise InvalidValue("invalid_period", allowed=PERIODS)
    shift = _SHIFTS[which]
    if unit == "week":
        first = today - timedelta(days=(today.weekday() - week_start) % 7) + timedelta(weeks=shift)
        return first, first + timedelta(weeks=1)
    if unit in _FISCAL:
        return fiscal.span(_FISCAL[unit], today, shift)
    length = _MONTHS[unit]
    month = today.year * 12 + today.month - 1
    start = month - month % length + shift * length
    return date(start // 12, start % 12 + 1, 1), date((start + length) // 12, (start + length) % 12 + 1, 1)


def _add_months(day: date, months: int) -> date:
    if not months:
        return day
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
