"""Each amount has a twin in the organisation's currency, which follows whatever it depends on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crm_api.db.uow import unit_of_work
from crm_api.jobs.claims import claim
from crm_api.jobs.tasks import TASKS, Run
from tests.api import Api, Record

pytestmark = pytest.mark.anyio


async def rate(api: Api, currency: str, value: str, day: str) -> Record:
    return await api.make("exchange_rates", currency=currency, rate=value, valid_from=day)


async def settle(api: Api) -> list[Record]:
    """Does the organisation's jobs, as a worker would; the finished ones."""
    services = api.app.state.services
    while True:
        async with unit_of_work(services.database, api.org_id, services.clock) as uow:
            job = await claim(uow)
        if job is None:
            jobs: list[Record] = (await api.ok("GET", "/v1/jobs", params={"type": "revalue"}))["data"]
            if all(job["status"] == "succeeded" for job in jobs):
                return jobs
            await asyncio.sleep(0.05)
            continue
        await TASKS[job.type](Run(job, services.database, services.clock, services.engine, Path("/nonexistent")))


@contextmanager
def observed(api: Api) -> Iterator[list[str]]:
    """The statements that run meanwhile."""
    database = api.app.state.services.database
    found: list[str] = []
    observer = found.append
    database.observers.append(observer)
    try:
        yield found
    finally:
        database.observers.remove(observer)


async def events_of(api: Api, record: Record) -> list[Record]:
    found: list[Record] = (await api.ok("GET", "/v1/events", params={"record_id": record["id"], "limit": 1000}))["data"]
    return found


async def test_in_the_organisations_currency_both_are_the_same(api: Api) -> None:
    with observed(api) as recorded:
        deal = await api.make("deals", name="Robots", amount="1000.50")
    assert not [one for one in recorded if "exchange_rates" in one]
    assert (deal["amount_base"], deal["weighted_amount_base"]) == ("1000.50", deal["weighted_amount"])
    changed = await api.change(deal, amount="2000.00")
    assert changed["amount_base"] == "2000.00"
    last = (await events_of(api, deal))[-1]
    assert last["changes"]["amount_base"] == {"old": "1000.50", "new": "2000.00"}
    for name in ("amount_base", "weighted_amount_base"):
        problem = await api.fails("PATCH", f"/v1/deals/{deal['id']}", 422, "validation_failed", json={name: "1.00"})
        assert problem["errors"][0]["code"] == "read_only"
    account = await api.make("accounts", name="Acme", annual_revenue="5000000.00")
    assert account["annual_revenue_base"] == "5000000.00"


async def test_other_currencies_go_by_the_rate_of_the_day(api: Api) -> None:
    unknown = await api.make("deals", name="Too early", amount="100.00", currency="USD", close_date="2026-01-01")
    assert unknown["amount_base"] is None
    await rate(api, "USD", "0.90", "2026-01-01")
    await rate(api, "USD", "0.80", "2026-07-01")
    await rate(api, "JPY", "0.00613", "2026-01-01")
    await settle(api)
    assert (await api.get(unknown))["amount_base"] == "90.00"
    deal = await api.make("deals", name="Robots", amount="100.00", currency="USD", close_date="2026-06-30", probability=0.5)
    assert (deal["amount_base"], deal["weighted_amount_base"]) == ("90.00", "45.00")
    deal = await api.change(deal, close_date="2026-07-01")
    assert (deal["amount_base"], deal["weighted_amount_base"]) == ("80.00", "40.00")
    deal = await api.change(deal, currency="JPY", amount="1000")
    assert deal["amount_base"] == "6.13"
    deal = await api.change(deal, amount=None)
    assert (deal["amount_base"], deal["weighted_amount_base"]) == (None, None)
    items = [{"name": f"Deal {i}", "amount": "10.00", "currency": ("USD", "EUR", "JPY", "CHF")[i % 4]} for i in range(8)]
    for item in items:
        item["amount"] = "10" if item["currency"] == "JPY" else item["amount"]
    batch = await api.ok("POST", "/v1/deals/batch/create", json={"items": items}, status=207)
    assert [result["record"]["amount_base"] for result in batch["results"]] == ["8.00", "10.00", "0.06", None] * 2
    found = await api.ok("GET", "/v1/deals", params={"amount_base[gte]": "8", "sort": "-amount_base"})
    amounts = [Decimal(row["amount_base"]) for row in found["data"]]
    assert amounts == sorted(amounts, reverse=True)
    assert amounts[-1] == 8
    total = await api.ok("POST", "/v1/deals/aggregate", json={"measures": [{"op": "sum", "field": "amount_base"}]})
    assert total["data"][0]["sum_amount_base"] == str(sum(amounts, Decimal("0.12")))
    await api.fails("POST", "/v1/deals/aggregate", 422, "validation_failed", json={"measures": [{"op": "sum", "field": "amount"}]})


async def test_a_batch_looks_rates_up_once(api: Api) -> None:
    await rate(api, "USD", "0.90", "2026-01-01")
    await settle(api)
    items = [{"name": f"Deal {i}", "amount": "10.00", "currency": "USD", "close_date": f"2026-02-{i + 1:02}"} for i in range(20)]
    with observed(api) as recorded:
        await api.ok("POST", "/v1/deals/batch/create", json={"items": items}, status=207)
    assert len([one for one in recorded if "exchange_rates" in one]) == 1


async def test_records_follow_when_rates_change(api: Api) -> None:
    usd = await rate(api, "USD", "0.90", "2026-01-01")
    await settle(api)
    deals = [await api.make("deals", name=f"Deal {i}", amount="100.00", currency="USD", close_date=f"2026-0{i + 1}-15") for i in range(4)]
    euros = await api.make("deals", name="Ours", amount="100.00")
    lost = await api.make("deals", name="Gone", amount="100.00", currency="USD", close_date="2026-04-01")
    await api.ok("DELETE", f"/v1/deals/{lost['id']}")
    await rate(api, "USD", "0.50", "2026-03-01")
    jobs = await settle(api)
    assert jobs[0]["result"] == {"changed": 2}
    after = [await api.get(deal) for deal in deals]
    assert [deal["amount_base"] for deal in after] == ["90.00", "90.00", "50.00", "50.00"]
    assert [deal["version"] for deal in after] == [1, 1, 2, 2]
    assert (await api.get(euros))["version"] == 1
    event = (await events_of(api, after[2]))[-1]
    assert (event["type"], event["cause"]["action"], event["cause"]["job_id"]) == ("deal.updated", "exchange_rates.revalue", jobs[0]["id"])
    assert set(event["changes"]) == {"amount_base", "weighted_amount_base"}
    assert event["record"]["amount_base"] == "50.00"
    await api.change(usd, valid_from="2026-02-01", rate="0.95")
    await settle(api)
    assert [(await api.get(deal))["amount_base"] for deal in deals] == [None, "95.00", "50.00", "50.00"]
    await api.ok("DELETE", f"/v1/exchange_rates/{usd['id']}")
    await settle(api)
    assert [(await api.get(deal))["amount_base"] for deal in deals] == [None, None, "50.00", "50.00"]
    restored = await api.ok("POST", f"/v1/deals/{lost['id']}/restore")
    assert restored["amount_base"] == "50.00"
    await api.ok("POST", f"/v1/exchange_rates/{usd['id']}/restore")
    await settle(api)
    assert [(await api.get(deal))["amount_base"] for deal in deals] == [None, "95.00", "50.00", "50.00"]


async def test_another_currency_of_the_organisation_values_all_anew(api: Api) -> None:
    await rate(api, "USD", "0.80", "2026-01-01")
    await rate(api, "CHF", "1.10", "2026-01-01")
    await settle(api)
    day = "2026-05-05"
    deals = [await api.make("deals", name=code, amount="100", currency=code, close_date=day) for code in ("EUR", "USD", "CHF", "JPY")]
    assert [deal["amount_base"] for deal in deals] == ["100.00", "80.00", "110.00", None]
    await api.ok("PATCH", "/v1/org", json={"currency": "USD"})
    await settle(api)
    assert [(await api.get(deal))["amount_base"] for deal in deals] == ["125.00", "100.00", "137.50", None]
    await rate(api, "CHF", "1.20", "2026-01-01")  # a rate in the new currency comes before the way by the old one
    await settle(api)
    assert [(await api.get(deal))["amount_base"] for deal in deals] == ["125.00", "100.00", "120.00", None]
    await api.ok("PATCH", "/v1/org", json={"currency": "EUR"})
    await settle(api)
    assert [(await api.get(deal))["amount_base"] for deal in deals] == ["100.00", "80.00", "110.00", None]


async def test_no_write_escapes_a_change_of_rates(api: Api) -> None:
    """Deals that are made while a rate changes are valued by the new one in the end."""
    await rate(api, "USD", "0.90", "2026-01-01")
    await settle(api)

    async def make(number: int) -> Record:
        return await api.make("deals", name=f"Deal {number}", amount="100.00", currency="USD", close_date="2026-06-01")

    made: list[Any] = await asyncio.gather(
        *(make(number) for number in range(12)), rate(api, "USD", "0.50", "2026-05-01"), *(make(number) for number in range(12, 24))
    )
    await settle(api)
    deals = [one for one in made if one["object"] == "deals"]
    assert {(await api.get(deal))["amount_base"] for deal in deals} == {"50.00"}


async def test_boards_and_reports_add_up_in_the_organisations_currency(api: Api) -> None:
    await rate(api, "USD", "0.50", "2020-01-01")
    await settle(api)
    await api.make("deals", name="A", amount="100.00")
    usd = await api.make("deals", name="B", amount="100.00", currency="USD")
    board = await api.ok("GET", "/v1/deals/board")
    assert board["columns"][0]["sums"]["amount_base"] == "150.00"
    report = await api.ok("GET", "/v1/reports/pipeline")
    assert (report["currency"], report["stages"][0]["amount"]) == ("EUR", "150.00")
    await api.change(usd, currency="CHF")
    board = await api.ok("GET", "/v1/deals/board")
    assert board["columns"][0]["sums"]["amount_base"] is None
    report = await api.ok("GET", "/v1/reports/pipeline")
    assert (report["currency"], report["stages"][0]["amount"]) == (None, None)
