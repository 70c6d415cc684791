"""Real deals, made by others: the figures that are known of them come out of the API, whichever way dates were written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from statistics import median
from typing import Any

import pytest

from crm_api.http.app import Application
from tests.api import new_organization
from tests.dataset.crm_sales import Imported, load, needs_data

pytestmark = [pytest.mark.anyio, pytest.mark.dataset]

FOLDERS = [
    pytest.param("crm_sales", marks=needs_data("crm_sales"), id="iso-dates"),
    pytest.param("crm_sales_us_dates", marks=needs_data("crm_sales_us_dates"), id="us-dates"),
]
REGIONS = {
    "Central": (1629, 975, "3346293", "0.625576", "52.5599", "22200.09"),
    "East": (1171, 687, "3090594", "0.630248", "50.6354", "14224.28"),
    "West": (1438, 811, "3568647", "0.639395", "51.8345", "22897.96"),
}
QUARTERS = {
    ("2017-01-01", "2017-03-31"): (531, 116, "1134672"),
    ("2017-04-01", "2017-06-30"): (1254, 778, "3086111"),
    ("2017-07-01", "2017-09-30"): (1257, 790, "2982255"),
    ("2017-10-01", "2017-12-31"): (1196, 789, "2802496"),
}


@pytest.fixture(scope="module", params=FOLDERS)
async def imported(request: pytest.FixtureRequest, app: Application) -> AsyncIterator[Imported]:
    """The data set in an organisation of its own."""
    async with new_organization(app) as api:
        yield await load(api, request.param)


async def report(imported: Imported, **params: str) -> dict[str, Any]:
    found: dict[str, Any] = await imported.api.ok("GET", "/v1/reports/pipeline", params={"pipeline_id": imported.pipeline_id, **params})
    return found


def amount(text: str) -> str:
    return text.removesuffix(".00")


async def test_the_whole_pipeline(imported: Imported) -> None:
    found = await report(imported)
    assert (found["won"], found["lost"], found["open"]) == (4238, 2473, 1589 + 500)
    assert found["win_rate"] == "0.631501"
    assert amount(found["won_amount"]) == "10005534"
    assert found["mean_won_amount"].startswith("2360.9")
    assert found["won_cycle_days"] == "51.7820"
    assert found["velocity_per_day"] == "60146.85"
    stages = {stage["name"]: stage for stage in found["stages"]}
    assert {name: stage["open"] for name, stage in stages.items() if stage["open"]} == {"Prospecting": 500, "Engaging": 1589}


async def test_each_region(imported: Imported) -> None:
    for region, (won, lost, revenue, rate, cycle, velocity) in REGIONS.items():
        found = await report(imported, tag=region)
        assert (found["won"], found["lost"], amount(found["won_amount"]), found["win_rate"]) == (won, lost, revenue, rate)
        assert (found["won_cycle_days"], found["velocity_per_day"]) == (cycle, velocity)


async def test_each_quarter(imported: Imported) -> None:
    for (start, end), (won, lost, revenue) in QUARTERS.items():
        found = await report(imported, **{"from": start, "to": end})
        assert (found["won"], found["lost"], amount(found["won_amount"])) == (won, lost, revenue)


async def test_the_same_figures_by_search_and_aggregate(imported: Imported) -> None:
    api = imported.api
    at = {"field": "pipeline_id", "value": imported.pipeline_id}
    count = await api.ok("POST", "/v1/deals/search", json={"filter": at, "limit": 1, "count": "exact"})
    assert count["page"]["count"] == 8800
    orphans = {"and": [at, {"field": "account_id", "op": "is_null"}, {"field": "status", "value": "open"}]}
    without = await api.ok("POST", "/v1/deals/search", json={"filter": orphans, "limit": 1, "count": "exact"})
    assert without["page"]["count"] == 1425
    measures = [{"op": "count"}, {"op": "sum", "field": "amount"}, {"op": "median", "field": "amount"}]
    groups = await api.ok("POST", "/v1/deals/aggregate", json={"filter": at, "group_by": ["status"], "measures": measures})
    by_status = {row["group"]["status"]: row for row in groups["data"]}
    assert {status: row["count"] for status, row in by_status.items()} == {"won": 4238, "lost": 2473, "open": 2089}
    assert amount(by_status["won"]["sum_amount"]) == "10005534"
    assert amount(by_status["won"]["median_amount"]) == "1117"


async def test_every_deal_once_page_by_page(imported: Imported) -> None:
    deals = await imported.api.all("/v1/deals", sort="close_date,name", fields="close_date,closed_at,opened_at,status")
    assert len({deal["id"] for deal in deals}) == 8800
    days = [deal["close_date"] or "9" for deal in deals]
    assert days == sorted(days)
    won = [deal for deal in deals if deal["status"] == "won"]
    cycles = [_days(deal) for deal in won]
    assert (round(sum(cycles) / len(cycles), 4), median(cycles)) == (51.7820, 57)


def _days(deal: dict[str, Any]) -> int:
    from datetime import date

    return (date.fromisoformat(deal["closed_at"][:10]) - date.fromisoformat(deal["opened_at"][:10])).days


async def test_sales_agents_own_their_deals(imported: Imported) -> None:
    measures = [{"op": "count"}]
    at = {"field": "pipeline_id", "value": imported.pipeline_id}
    found = await imported.api.ok("POST", "/v1/deals/aggregate", json={"filter": at, "group_by": ["owner_id"], "measures": measures})
    assert len(found["data"]) == 30
    assert sum(row["count"] for row in found["data"]) == 8800
    top = await imported.api.ok("GET", f"/v1/users/{imported.agents['Darcel Schlecht']}", params={"fields": "name"})
    assert top["name"] == "Darcel Schlecht"
