"""Exchange rates keep the contract of records."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, ClassVar

import pytest

from tests.api import Api
from tests.contract.contract import ResourceContract

pytestmark = pytest.mark.anyio


class TestExchangeRates(ResourceContract):
    name = "exchange_rates"
    change = ("rate", "0.95")
    required = ("currency", "rate", "valid_from")
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"rate": 0.9}, "/rate"),
        ({"rate": "0"}, "/rate"),
        ({"rate": "-1"}, "/rate"),
        ({"rate": "1e3"}, "/rate"),
        ({"rate": "0.1234567890123"}, "/rate"),
        ({"currency": "XXX"}, "/currency"),  # ISO 4217: no currency
        ({"currency": "USD"}, "/currency"),
        ({"valid_from": "2026-02-30"}, "/valid_from"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"currency": "CHF", "rate": "1.1", "valid_from": (date(2000, 1, 1) + timedelta(days=n)).isoformat()}
