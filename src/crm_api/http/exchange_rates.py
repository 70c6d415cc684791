"""Converting amounts over HTTP; the rates themselves are ordinary records."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import MISSING

from crm_api.flows.exchange_rates import convert
from crm_api.http.records.call import Call
from crm_api.http.routing import KernelRoute, reads
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.schema import Currency, DateValue, Input, Money, Output, about

router = APIRouter(route_class=KernelRoute, tags=["exchange_rates"])


class Conversion(Input):
    """An amount to convert."""

    amount: Annotated[Money, about("The amount.", "1000.50")]
    currency: Annotated[Currency, about("The currency it is in (ISO 4217).", "USD")]
    to: Annotated[Currency, about("The currency that is wanted.", "EUR")]
    date: Annotated[DateValue | MISSING, about("The day whose rates count; today in the caller's zone if absent.", "2026-11-22")] = MISSING


class Converted(Output):
    """An amount in another currency."""

    amount: Annotated[str, about("The amount in `currency`, rounded half to even to its digits.", "922.06")]
    currency: Annotated[str, about("The currency that was wanted.", "EUR")]
    rate: Annotated[str, about("What one unit of the given currency was worth, to 12 decimals.", "0.9216")]
    date: Annotated[str, about("The day whose rates counted.", "2026-11-22")]


@router.post("/v1/exchange_rates/convert", response_model=Converted, summary="Convert an amount")
@reads
async def convert_amount(request: Request, context: ContextDep, body: Conversion) -> dict[str, Any]:
    """What an amount was worth in another currency on a day. Stores nothing. Needs the scope `exchange_rates:read`.

    Of each currency the last rate counts that began on that day or before. Between two foreign currencies it goes by way of the
    organisation's own. Without a rate: 422 `no_exchange_rate`.
    """
    context.policy.require_read(("exchange_rates",))
    given = body.given()
    locale = Call.of(request).locale()
    day: date = given.get("date") or locale.now.astimezone(locale.zone).date()
    found = await convert(context, given["amount"], given["currency"], given["to"], day)
    return {"amount": found.amount, "currency": given["to"], "rate": found.rate, "date": day.isoformat()}
