from decimal import Decimal

import pytest
from babel.core import get_global
from babel.numbers import get_territory_currencies
from hypothesis import given
from hypothesis import strategies as st

from crm_api.core.clock import parse_date
from crm_api.core.errors import InvalidValue
from crm_api.core.money import (
    CURRENCIES,
    check_currency,
    currency_digits,
    decimal_text,
    format_money,
    money_text,
    parse_decimal,
    parse_money,
    quantize,
)

CODES = st.sampled_from(sorted(CURRENCIES))


@given(CODES, st.integers(-(10**14), 10**14))
def test_amounts_survive_the_round_trip(currency: str, minor_units: int) -> None:
    amount = Decimal(minor_units).scaleb(-currency_digits(currency))
    text = money_text(amount, currency)
    assert parse_money(text, currency) == amount
    assert money_text(parse_money(text, currency), currency) == text
    assert len(text.partition(".")[2]) == currency_digits(currency)


@given(CODES, st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=9))
def test_rounding_moves_an_amount_by_half_a_unit_at_most(currency: str, amount: Decimal) -> None:
    unit = Decimal(1).scaleb(-currency_digits(currency))
    assert abs(quantize(amount, currency) - amount) <= unit / 2


def test_half_goes_to_even() -> None:
    assert [money_text(Decimal(text), "EUR") for text in ("0.125", "0.135", "-0.125", "-0.001")] == ["0.12", "0.14", "-0.12", "0.00"]


@pytest.mark.parametrize(
    ("text", "currency", "expected"),
    [("1000.50", "EUR", "1000.50"), ("1000", "JPY", "1000"), ("1000.000", "JPY", "1000"), ("-0", "EUR", "0.00"), ("007.1", "USD", "7.10")],
)
def test_money_is_read(text: str, currency: str, expected: str) -> None:
    assert decimal_text(parse_money(text, currency)) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (1000.5, "type"),
        (1000, "type"),
        (None, "type"),
        (True, "type"),
        ("", "invalid_decimal"),
        ("1e3", "invalid_decimal"),
        ("+1", "invalid_decimal"),
        (" 1", "invalid_decimal"),
        ("1,000.50", "invalid_decimal"),
        (".5", "invalid_decimal"),
        ("5.", "invalid_decimal"),
        ("--5", "invalid_decimal"),
        ("NaN", "invalid_decimal"),
        ("Infinity", "invalid_decimal"),
        ("١", "invalid_decimal"),
        ("1\n", "invalid_decimal"),
        ("1000.505", "digits"),
        ("12345678901234567", "max_digits"),
        ("9" * 101, "max_length"),
    ],
)
def test_other_spellings_are_refused(text: object, code: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_money(text, "EUR")
    assert caught.value.code == code


def test_the_limits_of_decimals() -> None:
    assert parse_decimal("1" * 12 + "." + "1" * 6) == Decimal("1" * 12 + "." + "1" * 6)
    assert parse_decimal("0.5", max_digits=1, scale=1) == Decimal("0.5")
    with pytest.raises(InvalidValue, match="digits"):
        parse_decimal("1" * 13)


def test_currencies() -> None:
    assert [currency_digits(code) for code in ("EUR", "JPY", "KWD", "CLF", "RSD")] == [2, 0, 3, 4, 2]
    assert check_currency("EUR") == "EUR"
    for wrong, code in (
        ("eur", "invalid_currency"),
        ("XXX", "invalid_currency"),
        ("EURO", "invalid_currency"),
        ("", "invalid_currency"),
        (1, "type"),
    ):
        with pytest.raises(InvalidValue) as caught:
            check_currency(wrong)
        assert caught.value.code == code


def test_every_legal_tender_of_the_locale_data_is_known() -> None:
    day = parse_date("2026-06-01")
    tender = {code for territory in get_global("territory_currencies") for code in get_territory_currencies(territory, day, day)}
    assert tender - CURRENCIES == set()


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "shown"),
    [
        ("1000.5", "EUR", "de", "1.000,50\xa0€"),
        ("1000", "JPY", "en", "¥1,000"),
        ("1000.5", "INR", "en-IN", "₹1,000.50"),
        ("1000.5", "RSD", "de", "1.000,50\xa0RSD"),
        ("1", "USD", "zz", "$1.00"),
    ],
)
def test_amounts_for_people(amount: str, currency: str, locale: str, shown: str) -> None:
    assert format_money(Decimal(amount), currency, locale) == shown
