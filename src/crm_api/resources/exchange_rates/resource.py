"""Exchange rates: what currencies are worth in the organisation's own."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, Resource
from crm_api.models.exchange import ExchangeRate
from crm_api.resources.exchange_rates.rules import ExchangeRateRules
from crm_api.resources.exchange_rates.schemas import ExchangeRateCreate, ExchangeRateRead, ExchangeRateUpdate

exchange_rates = Resource[ExchangeRate, ExchangeRateCreate, ExchangeRateUpdate, ExchangeRateRead](
    name="exchange_rates",
    singular="exchange_rate",
    model=ExchangeRate,
    create=ExchangeRateCreate,
    update=ExchangeRateUpdate,
    read=ExchangeRateRead,
    display=lambda row: f"{row['currency']} {row['valid_from']}",
    description="Dated rates of other currencies. Amounts are shown in the organisation's currency by the rate of their day, and "
    "follow when a rate is added or changed.",
    example={"currency": "USD", "rate": "0.9216", "valid_from": "2026-11-01"},
    rules=ExchangeRateRules(),
    default_sort=("-valid_from",),
    verbs=ALL_VERBS - {"merge"},
    owner_defaults_to_caller=False,
    sharing="none",
)
