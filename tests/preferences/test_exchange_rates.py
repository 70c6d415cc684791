"""One rate for a currency and day; amounts are converted by those of their day."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.api import Api

pytestmark = pytest.mark.anyio
RATES = "/v1/exchange_rates"


async def rate(api: Api, currency: str, value: str, day: str) -> dict[str, Any]:
    return await api.make("exchange_rates", currency=currency, rate=value, valid_from=day)


async def convert(api: Api, amount: str, currency: str, to: str, day: str) -> dict[str, Any]:
    found: dict[str, Any] = await api.ok("POST", f"{RATES}/convert", json={"amount": amount, "currency": currency, "to": to, "date": day})
    return found


async def test_a_currency_has_one_rate_for_a_day(api: Api) -> None:
    first = await rate(api, "USD", "0.92", "2026-01-01")
    assert (first["base_currency"], first["rate"], first["display_name"]) == ("EUR", "0.92", "USD 2026-01-01")
    body = {"currency": "USD", "rate": "0.9300", "valid_from": "2026-01-01"}
    problem = await api.fails("POST", RATES, 409, "duplicate", json=body)
    assert problem["existing"] == [{"object": "exchange_rates", "id": first["id"], "field": "valid_from"}]
    other = await rate(api, "USD", "0.9300", "2026-01-02")
    assert other["rate"] == "0.93"
    await api.fails("PATCH", f"{RATES}/{other['id']}", 409, "duplicate", json={"valid_from": "2026-01-01"})
    items = [{**body, "valid_from": "2026-02-01"}] * 2
    batch = await api.ok("POST", f"{RATES}/batch/create", json={"items": items}, status=207)
    assert sorted(result["status"] for result in batch["results"]) == [201, 409]
    await api.ok("DELETE", f"{RATES}/{first['id']}")
    again = await rate(api, "USD", "0.94", "2026-01-01")
    await api.fails("POST", f"{RATES}/{first['id']}/restore", 409, "duplicate")
    await api.ok("DELETE", f"{RATES}/{again['id']}")
    assert (await api.ok("POST", f"{RATES}/{first['id']}/restore"))["rate"] == "0.92"
    problem = await api.fails("POST", RATES, 422, "validation_failed", json={**body, "currency": "EUR"})
    assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == ("/currency", "own_currency")
    await api.fails("PATCH", f"{RATES}/{other['id']}", 422, "validation_failed", json={"currency": "CHF"})


async def test_two_at_once_make_one_rate(api: Api) -> None:
    body = {"currency": "JPY", "rate": "0.0061", "valid_from": "2026-01-01"}
    answers = await asyncio.gather(*(api.http.post(RATES, json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]


async def test_amounts_are_converted_by_the_rates_of_their_day(api: Api) -> None:
    await rate(api, "USD", "0.90", "2026-01-01")
    await rate(api, "USD", "0.80", "2026-06-01")
    await rate(api, "JPY", "0.006", "2026-01-01")
    assert await convert(api, "1000.50", "USD", "EUR", "2026-05-31") == {
        "amount": "900.45", "currency": "EUR", "rate": "0.9", "date": "2026-05-31"
    }  # fmt: skip
    assert (await convert(api, "100", "USD", "EUR", "2026-06-01"))["amount"] == "80.00"
    assert (await convert(api, "100", "EUR", "USD", "2026-06-01"))["amount"] == "125.00"
    cross = await convert(api, "10", "USD", "JPY", "2026-06-01")
    assert (cross["amount"], cross["rate"]) == ("1333", "133.333333333333")
    assert (await convert(api, "7.50", "CHF", "CHF", "2020-01-01"))["amount"] == "7.50"
    body = {"amount": "1", "currency": "USD", "to": "CHF", "date": "2025-12-31"}
    problem = await api.fails("POST", f"{RATES}/convert", 422, "validation_failed", json=body)
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [
        ("/currency", "no_exchange_rate"), ("/to", "no_exchange_rate")
    ]  # fmt: skip
    today = await api.ok("POST", f"{RATES}/convert", json={"amount": "1", "currency": "USD", "to": "EUR"})
    assert today["amount"] == "0.80"
    reader = await api.with_scopes("deals:read")
    await reader.fails("POST", f"{RATES}/convert", 403, "insufficient_scope", json=body)
    await reader.http.aclose()
