"""Fiscal periods in filters and in groups, held against the calendar in Python."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from crm_api.core.fiscal import UNITS, fiscal_year, period_name
from tests.api import Api

pytestmark = pytest.mark.anyio

YEARS: list[dict[str, Any]] = [
    {"start_month": 1},
    {"start_month": 2},
    {"start_month": 2, "pattern": "4-4-5", "week_start": "sunday"},
    {"start_month": 10, "pattern": "5-4-4", "week_start": "sunday", "anchor": "last"},
    {"start_month": 1, "pattern": "4-5-4", "week_start": "monday"},
]


async def test_groups_and_filters_mean_the_same_periods(api: Api) -> None:
    today = datetime.now(UTC).date()
    days = [today + timedelta(days=step * 13) for step in range(-60, 61)]
    days += [date(1899, 1, 1), date(2250, 5, 5)]
    items = [{"name": f"Deal {day}", "close_date": day.isoformat(), "amount": "1.00"} for day in days]
    await api.ok("POST", "/v1/deals/batch/create", json={"items": items}, status=207)
    for year in YEARS:
        await api.ok("PATCH", "/v1/org", json={"fiscal_year": year})
        fiscal = fiscal_year(year)
        for unit in UNITS:
            body = {"group_by": [{"field": "close_date", "by": f"fiscal_{unit}"}]}
            data = (await api.ok("POST", "/v1/deals/aggregate", json=body))["data"]
            got = {row["group"]["close_date"]: row["count"] for row in data}
            expected = Counter(period_name(unit, fiscal.number(unit, day)) for day in days)
            if fiscal.by_weeks:
                outside = {name for name in expected if not "1900" <= name[:4] <= "2199"}
                assert len(outside) == 2
                for name in outside:
                    del expected[name]
                expected |= Counter({"<1900": 1, ">2199": 1})
            assert got == expected, (year, unit)
            for which, shift in (("last", -1), ("this", 0), ("next", 1)):
                name = f"{which}_fiscal_{unit}"
                found = await api.ok("GET", "/v1/deals", params={"close_date[within]": name, "count": "exact", "limit": 1})
                start, end = fiscal.span(unit, today, shift)
                assert found["page"]["count"] == sum(start <= day < end for day in days), (year, name)
    at = {"group_by": [{"field": "created_at", "by": "fiscal_quarter"}]}
    [group] = (await api.ok("POST", "/v1/deals/aggregate", json=at))["data"]
    assert group["group"]["created_at"] == period_name("quarter", fiscal_year(YEARS[-1]).number("quarter", today))
