"""What an exchange rate looks like from outside."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema

from crm_api.core.errors import InvalidValue
from crm_api.core.money import parse_decimal
from crm_api.kernel.schema import Currency, DateValue, Output, RecordCreate, RecordRead, RecordUpdate, about, create_of, update_of


def _rate(value: Any) -> Decimal:
    rate = parse_decimal(value, 24, 12)
    if rate <= 0:
        raise InvalidValue("exclusive_min", min="0")
    return rate


Rate = Annotated[Decimal, BeforeValidator(_rate), WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,12})?$"})]


class ExchangeRateFields(Output):
    """The fields of an exchange rate that may change."""

    rate: Rate = about("What one unit of `currency` is worth in `base_currency`, greater than 0, with up to 12 decimals.", "0.9216")
    valid_from: DateValue = about("The first day on which it holds; it holds until the currency's next rate.", "2026-11-01")


class ExchangeRateRead(ExchangeRateFields, RecordRead):
    """What one unit of a currency is worth in the organisation's own, from a day on."""

    object: Literal["exchange_rates"] = about("The object's name.", "exchange_rates")
    currency: Currency = about("The currency that is valued (ISO 4217); it never changes.", "USD")
    base_currency: Currency = about("The organisation's currency when the rate was made.", "EUR")


@create_of(ExchangeRateFields, required=("rate", "valid_from"))
class ExchangeRateCreate(RecordCreate):
    """A new rate. A currency has one for each day at most."""

    currency: Currency = about("The currency that is valued; any but the organisation's own.", "USD")


@update_of(ExchangeRateFields)
class ExchangeRateUpdate(RecordUpdate):
    """Changes of a rate, as a merge patch. Amounts in the organisation's currency follow."""
