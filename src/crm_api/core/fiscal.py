"""Fiscal years: by calendar months from any month on, or by weeks (4-4-5, 4-5-4, 5-4-4).

A fiscal year is named after the calendar year in which it ends: the year that runs from February 2026 to January 2027 is 2027.

A year of weeks has 52 or 53 whole weeks and begins on the same weekday each time: with `anchor` "nearest" on that weekday
nearest to the first of `start_month`, with "last" on the last one not after it, so that the year before ends on the last such
day of its month (the two rules of 26 CFR § 1.441-2(a)(1)). Its quarters have 13 weeks, cut into months as the pattern says; a
53rd week lengthens the last month.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final, Literal, get_args

Pattern = Literal["calendar", "4-4-5", "4-5-4", "5-4-4"]
Anchor = Literal["nearest", "last"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Unit = Literal["month", "quarter", "year"]

PATTERNS: Final[tuple[Pattern, ...]] = get_args(Pattern)
ANCHORS: Final[tuple[Anchor, ...]] = get_args(Anchor)
WEEKDAYS: Final[tuple[Weekday, ...]] = get_args(Weekday)
UNITS: Final[tuple[Unit, ...]] = get_args(Unit)

_PER_YEAR: Final[dict[Unit, int]] = {"month": 12, "quarter": 4, "year": 1}
_QUARTER_WEEKS: Final = 13


@dataclass(frozen=True, slots=True)
class FiscalYear:
    """How an organisation cuts its years. `start_month` is 1 to 12, `week_start` 0 (Monday) to 6; weeks ask for `pattern`."""

    start_month: int = 1
    pattern: Pattern = "calendar"
    week_start: int = 0
    anchor: Anchor = "nearest"

    @property
    def by_weeks(self) -> bool:
        """Whether its periods are whole weeks."""
        return self.pattern != "calendar"

    def json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "start_month": self.start_month,
            "pattern": self.pattern,
            "week_start": WEEKDAYS[self.week_start],
            "anchor": self.anchor,
        }

    def year_start(self, year: int) -> date:
        """The first day of the fiscal year with this name. Raises ValueError or OverflowError beyond the calendar."""
        first = date(year if self.start_month == 1 else year - 1, self.start_month, 1)
        if not self.by_weeks:
            return first
        back = (first.weekday() - self.week_start) % 7
        if self.anchor == "nearest" and back > 3:
            back -= 7
        return first - timedelta(days=back)

    def start(self, unit: Unit, number: int) -> date:
        """The first day of a period; `number` counts all periods of the unit: year * 4 + quarter (from 0) and so on."""
        year, part = divmod(number, _PER_YEAR[unit])
        if self.by_weeks:
            return self.year_start(year) + timedelta(weeks=self._weeks(unit, part))
        month = self.year_start(year).month - 1 + part * 12 // _PER_YEAR[unit]
        calendar_year = self.year_start(year).year + month // 12
        return date(calendar_year, month % 12 + 1, 1)

    def number(self, unit: Unit, day: date) -> int:
        """The period that holds a day, counted as in `start`."""
        per_year = _PER_YEAR[unit]
        if not self.by_weeks:
            month = day.year * 12 + day.month - 1 + (13 - self.start_month) % 12
            return month * per_year // 12
        year = min(day.year + 1, 9999)
        while day < self.year_start(year):
            year -= 1
        part = next(part for part in range(per_year - 1, -1, -1) if day >= self.start(unit, year * per_year + part))
        return year * per_year + part

    def span(self, unit: Unit, day: date, shift: int = 0) -> tuple[date, date]:
        """First day, and the day after the last, of the period `shift` periods away from the one that holds `day`."""
        number = self.number(unit, day) + shift
        return self.start(unit, number), self.start(unit, number + 1)

    def _weeks(self, unit: Unit, part: int) -> int:
        """Whole weeks of the year before a period of it."""
        if unit == "year":
            return 0
        if unit == "quarter":
            return part * _QUARTER_WEEKS
        lengths = [int(weeks) for weeks in self.pattern.split("-")]
        return part // 3 * _QUARTER_WEEKS + sum(lengths[: part % 3])


CALENDAR: Final = FiscalYear()


@lru_cache(maxsize=1024)
def _made(start_month: int, pattern: Pattern, week_start: Weekday, anchor: Anchor) -> FiscalYear:
    return FiscalYear(start_month, pattern, WEEKDAYS.index(week_start), anchor)


def fiscal_year(stored: dict[str, Any] | None) -> FiscalYear:
    """From the form that the API shows and settings keep; what is left out is as in calendar years."""
    if not stored:
        return CALENDAR
    return _made(
        stored.get("start_month", 1), stored.get("pattern", "calendar"), stored.get("week_start", "monday"), stored.get("anchor", "nearest")
    )


def period_name(unit: Unit, number: int) -> str:
    """What a period is called: `2027`, `2027-Q3`, `2027-P08`."""
    year, part = divmod(number, _PER_YEAR[unit])
    if unit == "year":
        return f"{year:04}"
    return f"{year:04}-Q{part + 1}" if unit == "quarter" else f"{year:04}-P{part + 1:02}"
