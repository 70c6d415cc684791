"""Grouping by fiscal months, quarters and years.

Years of calendar months are calendar years that have been moved, so PostgreSQL names their parts itself. Where the parts begin
in years of weeks it can't know: it is told, and answers with the number of the part.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import ColumnElement

from crm_api.core.fiscal import FiscalYear, Unit, period_name

FISCAL: Final[dict[str, Unit]] = {"fiscal_month": "month", "fiscal_quarter": "quarter", "fiscal_year": "year"}
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2199
"""Days outside of these fiscal years count as before the first or after the last, in years of weeks."""

_PATTERNS: Final[dict[Unit, str]] = {"month": "'YYYY-\"P\"MM'", "quarter": "'YYYY-\"Q\"Q'", "year": "'YYYY'"}
_PER_YEAR: Final[dict[Unit, int]] = {"month": 12, "quarter": 4, "year": 1}


def fiscal_key(value: ColumnElement[Any], by: str, by_weeks: bool) -> ColumnElement[Any]:
    """What a date, or a local time, is grouped by."""
    unit = FISCAL[by]
    if by_weeks:
        starts: sa.BindParameter[Any] = sa.bindparam(f"starts_{unit}", type_=ARRAY(sa.Date))
        return sa.func.width_bucket(sa.cast(value, sa.Date), starts)
    months: sa.BindParameter[Any] = sa.bindparam("fiscal_months", type_=sa.Integer)
    moved = sa.cast(value, sa.DateTime) + sa.func.make_interval(sa.literal_column("0"), months)
    return sa.func.to_char(moved, sa.literal_column(_PATTERNS[unit]))


def fiscal_arguments(parts: Iterable[str | None], fiscal: FiscalYear) -> dict[str, Any]:
    """The values that these groups' keys need."""
    units = {FISCAL[by] for by in parts if by in FISCAL}
    if not units:
        return {}
    if fiscal.by_weeks:
        return {f"starts_{unit}": _starts(fiscal, unit) for unit in units}
    return {"fiscal_months": (13 - fiscal.start_month) % 12}


def fiscal_name(value: Any, by: str | None, fiscal: FiscalYear) -> Any:
    """A group's value as the answer shows it; values of other groups stay as they are."""
    if by not in FISCAL or not isinstance(value, int):
        return value
    unit = FISCAL[by]
    if value == 0:
        return f"<{FIRST_YEAR}"
    if value == len(_starts(fiscal, unit)):
        return f">{LAST_YEAR}"
    return period_name(unit, FIRST_YEAR * _PER_YEAR[unit] + value - 1)


@lru_cache(maxsize=64)
def _starts(fiscal: FiscalYear, unit: Unit) -> list[date]:
    """First days of all parts, and the day after the last."""
    per_year = _PER_YEAR[unit]
    return [fiscal.start(unit, number) for number in range(FIRST_YEAR * per_year, (LAST_YEAR + 1) * per_year + 1)]
