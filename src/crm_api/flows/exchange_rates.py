"""Converting amounts by the organisation's rates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from crm_api.core.errors import FieldError, ValidationFailed
from crm_api.core.money import decimal_text, money_text
from crm_api.kernel.context import Context
from crm_api.kernel.exchange import rates_of

RATE_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Converted:
    """An amount in another currency: `rate` is what one unit of the first was worth in the second."""

    amount: str
    rate: str


async def convert(context: Context, amount: Decimal, currency: str, to: str, day: date) -> Converted:
    """What an amount was worth on a day, in the other currency's digits. Raises ValidationFailed where a rate is missing."""
    found = await rates_of(context, [(currency, day), (to, day)])
    missing = [
        FieldError("no_exchange_rate", pointer=f"/{name}", params={"currency": code})
        for name, code in (("currency", currency), ("to", to))
        if (code, day) not in found
    ]
    if missing and currency != to:
        raise ValidationFailed(missing)
    rate = Decimal(1) if currency == to else found[currency, day] / found[to, day]
    shown = rate.quantize(Decimal(1).scaleb(-RATE_DIGITS), ROUND_HALF_EVEN)
    text = decimal_text(shown)
    return Converted(money_text(amount * rate, to), text.rstrip("0").rstrip(".") if "." in text else text)
