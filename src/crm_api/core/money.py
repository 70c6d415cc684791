"""Decimals and money: exact numbers that travel as strings.

The number of digits of a currency is that of ISO 4217, not of CLDR: CLDR follows what shops print (no decimals for
RSD, IQD, LBP …) and would refuse amounts that banks book. What a currency is called and how an amount looks to a
reader comes from CLDR by Babel.
"""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from babel.core import Locale, UnknownLocaleError
from babel.numbers import format_currency

from crm_api.core.errors import InvalidValue

# Currencies whose minor unit isn't 1/100 (ISO 4217 list one, as of 2026).
# ruff: noqa: SIM905 - a list of 160 quoted codes is harder to check against the standard than one text
_DIGITS: Final = (
    dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0)
    | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)
    | dict.fromkeys("CLF UYW".split(), 4)
)

#: Currencies and funds in use (ISO 4217 list one without metals, test codes and bond units).
ACTIVE_CURRENCIES: Final = frozenset(
    """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
    CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD
    HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL
    MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON
    RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX
    USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG""".split()
)

#: Withdrawn since 2018: records brought over from another system still carry them.
WITHDRAWN_CURRENCIES: Final = frozenset("ANG BGN BYR CUC HRK MRO SLL STD VEF ZMK ZWL".split())

CURRENCIES: Final = ACTIVE_CURRENCIES | WITHDRAWN_CURRENCIES

_DECIMAL: Final = re.compile(r"(-?)(\d+)(?:\.(\d+))?", re.ASCII)
_EXPONENTS: Final = [Decimal(1).scaleb(-scale) for scale in range(31)]
_WIDE: Final = Context(prec=200, rounding=ROUND_HALF_EVEN)  # never rounds what the length limits let through
_MAX_TEXT: Final = 100


def check_currency(code: object) -> str:
    """Returns an upper-case ISO 4217 code that is known. Raises InvalidValue `type` or `invalid_currency`."""
    if not isinstance(code, str):
        raise InvalidValue("type", expected="string")
    if code not in CURRENCIES:
        raise InvalidValue("invalid_currency")
    return code


def currency_digits(currency: str) -> int:
    """Digits after the decimal point: 2 for EUR, 0 for JPY, 3 for KWD."""
    return _DIGITS.get(currency, 2)


def parse_decimal(text: object, max_digits: int = 18, scale: int = 6) -> Decimal:
    """Reads an optional minus sign, digits and an optional fraction; no exponent, plus sign, space or separator.

    `max_digits` bounds the digits in all, `scale` those of the fraction; zeros at either end don't count, since
    leaving them out loses nothing. Raises InvalidValue `type` (not a string), `invalid_decimal`, `digits`, `max_digits`.
    """
    if not isinstance(text, str):
        raise InvalidValue("type", expected="string")
    if len(text) > _MAX_TEXT:
        raise InvalidValue("max_length", max_length=_MAX_TEXT)
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise InvalidValue("invalid_decimal")
    sign, whole, fraction = match.groups()
    whole = whole.lstrip("0")
    fraction = (fraction or "").rstrip("0")
    if len(fraction) > scale:
        raise InvalidValue("digits", scale=scale)
    if len(whole) > max_digits - scale:
        raise InvalidValue("max_digits", max_digits=max_digits - scale)
    value = Decimal(f"{whole or '0'}.{fraction}" if fraction else whole or "0")
    return -value if sign and value else value


def parse_money(text: object, currency: str, max_digits: int = 18) -> Decimal:
    """Reads an amount of a currency; the result carries exactly the currency's digits.

    More digits than the currency has are refused (`digits`), never rounded: `"1000.505"` EUR or `"10.5"` JPY.
    """
    scale = currency_digits(currency)
    return quantize(parse_decimal(text, max_digits, scale), currency)


def quantize(amount: Decimal, currency: str) -> Decimal:
    """Rounds a computed amount half to even to the currency's digits, so that sums of many don't drift upward."""
    return amount.quantize(_EXPONENTS[currency_digits(currency)], context=_WIDE) + 0


def decimal_text(value: Decimal) -> str:
    """A decimal as the API writes it: digits without exponent, and no negative zero."""
    return format(value if value else abs(value), "f")


def money_text(amount: Decimal, currency: str) -> str:
    """An amount as the API writes it: `"1000.50"` for EUR, `"1000"` for JPY."""
    return decimal_text(quantize(amount, currency))


def format_money(amount: Decimal, currency: str, locale: str = "en") -> str:
    """An amount for people: `1.000,50 €` in `de`. An unknown locale is shown as `en`."""
    name = locale.replace("-", "_")
    digits = currency_digits(currency)
    # CLDR's own digits would hide cents of some currencies; keep its pattern, give it our digits
    try:
        return _format(amount, currency, name, digits)
    except (UnknownLocaleError, ValueError):
        return _format(amount, currency, "en", digits)


def _format(amount: Decimal, currency: str, locale: str, digits: int) -> str:
    pattern = Locale.parse(locale).currency_formats["standard"].pattern
    fraction = "." + "0" * digits if digits else ""
    ours = re.sub(r"0\.0+", "0" + fraction, pattern)
    return format_currency(quantize(amount, currency), currency, format=ours, locale=locale, currency_digits=False)
