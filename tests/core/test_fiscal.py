"""Fiscal years by months and by weeks."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_api.core.fiscal import ANCHORS, CALENDAR, PATTERNS, UNITS, FiscalYear, Unit, fiscal_year, period_name

DAYS = st.dates(date(1950, 1, 1), date(2150, 12, 31))
YEARS = st.builds(FiscalYear, st.integers(1, 12), st.sampled_from(PATTERNS), st.integers(0, 6), st.sampled_from(ANCHORS))
RETAIL = FiscalYear(2, "4-5-4", 6, "nearest")


@pytest.mark.parametrize(
    ("year", "first"),
    # the National Retail Federation's 4-5-4 calendar: Sunday nearest to 1 February; it calls a year after its start
    [(2024, "2023-01-29"), (2025, "2024-02-04"), (2026, "2025-02-02"), (2027, "2026-02-01"), (2028, "2027-01-31")],
)
def test_the_retail_calendar(year: int, first: str) -> None:
    assert RETAIL.year_start(year) == date.fromisoformat(first)


def test_a_53rd_week_lengthens_the_last_month() -> None:
    assert RETAIL.start("year", 2025) - RETAIL.start("year", 2024) == timedelta(weeks=53)
    months = [RETAIL.start("month", 2024 * 12 + month) for month in range(13)]
    assert [(b - a).days // 7 for a, b in pairwise(months)] == [4, 5, 4, 4, 5, 4, 4, 5, 4, 4, 5, 5]


def test_a_year_that_ends_on_the_last_saturday_of_its_month() -> None:
    apple = FiscalYear(10, "5-4-4", 6, "last")  # ends on the last Saturday of September
    assert apple.year_start(2024) == date(2023, 10, 1)
    assert apple.year_start(2025) == date(2024, 9, 29)
    assert apple.year_start(2026) == date(2025, 9, 28)
    assert apple.start("month", 2026 * 12 + 1) - apple.start("month", 2026 * 12) == timedelta(weeks=5)


def test_years_of_months_are_named_after_their_end() -> None:
    february = FiscalYear(start_month=2)
    assert period_name("quarter", february.number("quarter", date(2026, 11, 22))) == "2027-Q4"
    assert february.span("quarter", date(2026, 11, 22)) == (date(2026, 11, 1), date(2027, 2, 1))
    assert period_name("year", february.number("year", date(2026, 1, 31))) == "2026"
    assert period_name("month", february.number("month", date(2026, 2, 1))) == "2027-P01"
    assert period_name("year", CALENDAR.number("year", date(2026, 12, 31))) == "2026"


@given(YEARS, st.sampled_from(UNITS), DAYS)
def test_each_day_is_in_one_period(fiscal: FiscalYear, unit: Unit, day: date) -> None:
    number = fiscal.number(unit, day)
    start, end = fiscal.span(unit, day)
    assert start <= day < end
    assert fiscal.number(unit, start) == number == fiscal.number(unit, end - timedelta(days=1))
    assert fiscal.number(unit, end) == number + 1
    assert fiscal.span(unit, day, 1)[0] == end


@given(YEARS, st.integers(1950, 2150))
def test_years_of_weeks_are_whole_and_near_the_month(fiscal: FiscalYear, year: int) -> None:
    start, nominal = fiscal.year_start(year), date(year if fiscal.start_month == 1 else year - 1, fiscal.start_month, 1)
    if not fiscal.by_weeks:
        assert start == nominal
        return
    assert start.weekday() == fiscal.week_start
    assert (fiscal.year_start(year + 1) - start).days in (364, 371)
    assert -3 <= (nominal - start).days <= 3 if fiscal.anchor == "nearest" else 0 <= (nominal - start).days <= 6


@given(YEARS)
def test_the_stored_form_means_the_same(fiscal: FiscalYear) -> None:
    assert fiscal_year(fiscal.json()) == fiscal
    assert fiscal_year({}) == CALENDAR == fiscal_year(None)
