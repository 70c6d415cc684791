"""Figures in groups agree with what Python makes of the records themselves."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from decimal import Decimal
from statistics import median
from typing import Any

import pytest

from crm_api.http.app import Application
from tests.api import Api, new_organization
from tests.query.model import Record, World
from tests.query.worlds import ZONE, make_world

pytestmark = pytest.mark.anyio
MEASURES = [
    {"op": "count"}, {"op": "sum", "field": "amount"}, {"op": "avg", "field": "amount"}, {"op": "min", "field": "amount"},
    {"op": "max", "field": "close_date"}, {"op": "median", "field": "amount"}, {"op": "checksum"},
]  # fmt: skip


@pytest.fixture(scope="module")
async def world(app: Application) -> AsyncIterator[tuple[Api, World]]:
    async with new_organization(app, region="DE", time_zone="Europe/Berlin") as api:
        yield api, await make_world(api, 21)


def checksum(records: Iterable[Record]) -> str:
    digests = (hashlib.sha256(f"{r['id']}:{r['version']}".encode()).digest()[:8] for r in records)
    return str(sum(int.from_bytes(digest, "big") for digest in digests) % 2**64)


def month(record: Record) -> Any:
    return None if record["close_date"] is None else record["close_date"][:7]


def quarter(record: Record) -> Any:
    day = None if record["close_date"] is None else datetime.fromisoformat(record["close_date"])
    return None if day is None else f"{day.year}-Q{(day.month + 2) // 3}"


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize(
    "group_by", [[], ["status"], [{"field": "close_date", "by": "month"}], [{"field": "close_date", "by": "quarter"}, "status"]], ids=str
)
async def test_figures_are_those_of_the_records(world: tuple[Api, World], group_by: list[Any], filtered: bool) -> None:
    api, model = world
    tree = {"field": "account.industry", "op": "ne", "value": "saas"} if filtered else {"field": "id", "op": "is_not_null"}
    answer = await api.ok("POST", "/v1/deals/aggregate", json={"filter": tree, "group_by": group_by, "measures": MEASURES})
    expected: dict[tuple[Any, ...], list[Record]] = defaultdict(list)
    for record in model.of("deals"):
        if model.matches("deals", record, tree):
            makers = [month if g == {"field": "close_date", "by": "month"} else quarter if isinstance(g, dict) else None for g in group_by]
            expected[tuple(record["status"] if make is None else make(record) for make in makers)].append(record)
    names = [g["field"] if isinstance(g, dict) else g for g in group_by]
    found = {tuple(row["group"][name] for name in names): row for row in answer["data"]}
    assert found.keys() == expected.keys()
    assert answer["page"]["events_cursor"]
    for key, records in expected.items():
        row, amounts = found[key], [Decimal(r["amount"]) for r in records if r["amount"] is not None]
        dates = [r["close_date"] for r in records if r["close_date"] is not None]
        assert row["count"] == len(records)
        assert row["checksum"] == checksum(records)
        assert (row["sum_amount"] and Decimal(row["sum_amount"])) == (sum(amounts) if amounts else None)
        assert (row["min_amount"] and Decimal(row["min_amount"])) == (min(amounts) if amounts else None)
        assert row["max_close_date"] == (max(dates) if dates else None)
        if amounts:
            assert abs(Decimal(row["avg_amount"]) - Decimal(sum(amounts)) / len(amounts)) < Decimal("0.000002")
            assert abs(Decimal(row["median_amount"]) - Decimal(median(amounts))) < Decimal("0.000002")


async def test_periods_follow_the_callers_zone(api: Api) -> None:
    task = await api.make("tasks", subject="Midnight", due_at="2026-03-31T22:30:00Z")
    body = {"group_by": [{"field": "due_at", "by": "month"}]}
    here = await api.http.post("/v1/tasks/aggregate", json=body, headers={"time-zone": "UTC"})
    there = await api.http.post("/v1/tasks/aggregate", json=body, headers={"time-zone": ZONE.key})
    assert [row["group"] for row in here.json()["data"]] == [{"due_at": "2026-03"}]
    assert [row["group"] for row in there.json()["data"]] == [{"due_at": "2026-04"}]
    assert task["due_at"].startswith("2026-03-31")
    for by, name in (("year", "2026"), ("quarter", "2026-Q2"), ("week", "2026-W14"), ("day", "2026-04-01")):
        answer = await api.http.post(
            "/v1/tasks/aggregate", json={"group_by": [{"field": "due_at", "by": by}]}, headers={"time-zone": ZONE.key}
        )
        assert answer.json()["data"][0]["group"] == {"due_at": name}


async def test_amounts_of_two_currencies_are_not_added_up(api: Api) -> None:
    await api.make("accounts", name="A", annual_revenue="10.00", currency="EUR")
    await api.make("accounts", name="B", annual_revenue="20.00", currency="USD")
    total = {"measures": [{"op": "sum", "field": "annual_revenue"}]}
    problem = await api.fails("POST", "/v1/accounts/aggregate", 422, "validation_failed", json=total)
    assert problem["errors"][0]["pointer"] == "/measures/0/field"
    each = await api.ok("POST", "/v1/accounts/aggregate", json={**total, "group_by": ["currency"]})
    assert {row["group"]["currency"]: row["sum_annual_revenue"] for row in each["data"]} == {"EUR": "10.00", "USD": "20.00"}
    one = await api.ok("POST", "/v1/accounts/aggregate", json={**total, "filter": {"field": "currency", "value": "eur"}})
    assert one["data"][0]["sum_annual_revenue"] == "10.00"
    empty = await api.ok("POST", "/v1/accounts/aggregate", json={**total, "filter": {"field": "name", "value": "none"}})
    assert empty["data"][0]["sum_annual_revenue"] is None


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"group": []}, "/group", "unknown_field"),
        ({"group_by": "status"}, "/group_by", "type"),
        ({"group_by": ["nope"]}, "/group_by/0", "unknown_field"),
        ({"group_by": ["close_date"]}, "/group_by/0/by", "required"),
        ({"group_by": [{"field": "close_date", "by": "decade"}]}, "/group_by/0/by", "enum"),
        ({"group_by": [{"field": "status", "by": "month"}]}, "/group_by/0/by", "unknown_field"),
        ({"measures": [{"op": "mode"}]}, "/measures/0/op", "enum"),
        ({"measures": [{"op": "sum"}]}, "/measures/0/field", "required"),
        ({"measures": [{"op": "sum", "field": "name"}]}, "/measures/0/field", "enum"),
        ({"measures": [{"op": "count", "field": "name"}]}, "/measures/0/field", "unknown_field"),
        ({"filter": {"field": "nope", "value": 1}}, "/filter/field", "unknown_field"),
    ],
)
async def test_mistakes(api: Api, body: dict[str, Any], pointer: str, code: str) -> None:
    problem = await api.fails("POST", "/v1/deals/aggregate", 422, "validation_failed", json=body)
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, code)]
