"""What formulas are worth, each worked out by PostgreSQL on a real record."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kernel.conftest import Org
from tests.kernel.formula.sheet import worth

pytestmark = pytest.mark.anyio

WORTH: list[tuple[str, str, Any]] = [
    # numbers
    ("1 + 2 * 3", "number", 7),
    ("(1 + 2) * 3 - -1", "number", 10),
    ("7 % 4 / 2", "number", 1.5),
    ("-7 % 4", "number", -3),
    ("1 / 0", "number", None),
    ("1 % 0", "number", None),
    ("1 / 3", "number", 0.333333333333),
    ("1 / 3", "decimal", "0.333333"),
    ("2.50", "decimal", "2.5"),
    ("10 / 4", "integer", 3),
    ("-2.5", "integer", -3),
    ("999999999999999", "integer", 999999999999999),
    ("999999999999999 + 1", "integer", None),
    ("abs(-2.5) + ceil(1.1) + floor(1.9) + round(2.345, 2)", "number", 7.85),
    ("min(3, null, 1) + max(2, 5, null)", "number", 6),
    ("1 + null", "number", None),
    ("number(' 12.50 ') + 1", "decimal", "13.5"),
    ("number('12,50')", "decimal", None),
    # the record's own amounts: 1000.50 EUR
    ("annual_revenue", "currency", "1000.50"),
    ("annual_revenue * 2 + 0.005", "currency", "2001.00"),
    ("annual_revenue * 2 + 0.015", "currency", "2001.02"),
    ("-(annual_revenue * 2 + 0.005)", "currency", "-2001.00"),
    ("annual_revenue / 3", "currency", "333.50"),
    # texts
    ("name & ' (' & 5.50 & ')'", "text", "Émile & Söhne (5.5)"),
    ("'a' & null & true", "text", "atrue"),
    ("concat(name, website, 1)", "text", "Émile & Söhne1"),
    ("len(name)", "integer", 13),
    ("upper('a') & lower('B') & trim('  c\\n ')", "text", "AbC".replace("C", "c")),
    ("left(name, 5) & '|' & right(name, 2)", "text", "Émile|ne"),
    ("left(name, -1) & left(name, 10000000000)", "text", "Émile & Söhne"),
    ("left(name, null)", "text", None),
    ("substring(name, 9, 3) & substring(name, 9)", "text", "SöhSöhne"),
    ("substring(name, 0 - 5, 2)", "text", "Ém"),
    ("replace(name, ' & ', '-')", "text", "Émile-Söhne"),
    ("replace('aaaa', 'a', '" + "b" * 300 + "')", "text", "b" * 255),
    ("contains(name, 'Söh') and starts_with(name, 'É') and ends_with(name, 'ne')", "boolean", True),
    ("contains(name, 'söh')", "boolean", False),
    ("contains('50%', '%')", "boolean", True),
    ("text(1.50) & text(1 / 3, 2) & text(date(2026, 1, 2)) & text(false)", "text", "1.50.332026-01-02false"),
    ("\"it's\" & 'say \\'hi\\'' & '\\\\'", "text", "it'ssay 'hi'\\"),
    ("'$1 :name %s {x}'", "text", "$1 :name %s {x}"),
    ("billing_address.city & external_ids.hubspot", "text", "Berlinh-1"),
    # conditions
    ("if(annual_revenue > 1000, 'big', 'small')", "text", "big"),
    ("if(null or true, 'a')", "text", "a"),
    ("if(website = 'x', 'a', 'b')", "text", "b"),
    ("if(false, 'a')", "text", None),
    ("case(currency, 'USD', 1, 'EUR', 2, 3)", "integer", 2),
    ("case(currency, 'USD', 1)", "integer", None),
    ("coalesce(website, phone, 'none')", "text", "none"),
    ("is_null(website) and not is_null(name) and is_blank('  ') and is_blank(website)", "boolean", True),
    ("website = 'x'", "boolean", None),
    ("not (website = 'x')", "boolean", None),
    ("'a' < 'b' and 'Z' < 'a' and 'a' != 'A' and 2 >= 2.0 and 1 <> 2 and 1 == 1", "boolean", True),
    ("true = (not false)", "boolean", True),
    ("includes(tags, 'vip', 'none') and not includes(tags, 'VIP')", "boolean", True),
    ("len(tags)", "integer", 2),
    ("is_blank(tags)", "boolean", False),
    ("TRUE AND Not False", "boolean", True),
    # dates: it is 2026-11-22 23:30 UTC, and the 23rd in the organisation
    ("today()", "date", "2026-11-23"),
    ("now()", "datetime", "2026-11-22T23:30:00.000000Z"),
    ("date(now())", "date", "2026-11-22"),
    ("date(now(), 'Europe/Berlin')", "date", "2026-11-23"),
    ("hour(now()) & ':' & minute(now()) & ' ' & hour(now(), 'America/New_York')", "text", "23:30 18"),
    ("date(2026, 2, 30)", "date", "2026-03-02"),
    ("date(2026, 14, 1)", "date", "2027-02-01"),
    ("date(0, 1, 1)", "date", None),
    ("date('2026-02-28')", "date", "2026-02-28"),
    ("date('2026-02-29')", "date", None),
    ("date('2026-2-1')", "date", None),
    ("date('0000-01-01')", "date", None),
    ("date(2026, 1, 31) + 1", "date", "2026-02-01"),
    ("date(2026, 1, 31) - 31 - 1", "date", "2025-12-30"),
    ("date(2026, 3, 1) - date(2026, 2, 1)", "integer", 28),
    ("add_months(date(2026, 1, 31), 1)", "date", "2026-02-28"),
    ("add_months(date(2026, 1, 31), -12)", "date", "2025-01-31"),
    ("add_months(date(2026, 1, 31), 1000000)", "date", None),
    ("add_days(date(2026, 1, 31), 99999999999)", "date", None),
    ("date(9999, 12, 31) + 1", "date", None),
    ("now() + 0.5", "datetime", "2026-11-23T11:30:00.000000Z"),
    ("add_hours(now(), -24)", "datetime", "2026-11-21T23:30:00.000000Z"),
    ("add_months(now(), 3)", "datetime", "2027-02-22T23:30:00.000000Z"),
    ("now() + 99999999999999999", "datetime", None),
    ("datetime(date(2026, 7, 1), 'Europe/Berlin')", "datetime", "2026-06-30T22:00:00.000000Z"),
    ("days_between(date(2026, 1, 1), date(2026, 1, 31))", "integer", 30),
    ("days_between(created_at, now()) >= 0 or true", "boolean", True),
    ("date_diff(date(2025, 12, 24), today(), 'months')", "integer", 10),
    ("date_diff(date(2000, 2, 29), date(2026, 2, 28), 'years')", "integer", 25),
    ("date_diff(date(2026, 1, 1), date(2026, 1, 15), 'weeks')", "integer", 2),
    ("date_diff(now(), add_hours(now(), 2.5), 'hours')", "integer", 2),
    ("start_of(date(2026, 11, 22), 'quarter')", "date", "2026-10-01"),
    ("start_of(date(2026, 11, 22), 'week')", "date", "2026-11-16"),
    ("year(today()) * 10000 + month(today()) * 100 + day(today()) + weekday(today()) / 10", "number", 20261123.1),
    # related records
    ("parent.name & '/' & parent.parent.name", "text", "Above/Top"),
    ("parent.annual_revenue", "currency", "10.00"),
    ("parent.parent.annual_revenue", "currency", None),  # dollars, not euros
    ("coalesce(owner.name, 'nobody')", "text", "Ada"),
    ("parent.owner_id = owner_id", "boolean", True),
    ("null", "number", None),
]


@pytest.fixture
async def account(org: Org) -> str:
    top = await org.make("accounts", name="Top", annual_revenue="7.00", currency="USD")
    above = await org.make("accounts", name="Above", annual_revenue="10.00", currency="EUR", parent_id=top["id"])
    found = await org.make(
        "accounts",
        name="Émile & Söhne",
        annual_revenue="1000.50",
        currency="EUR",
        parent_id=above["id"],
        tags=["vip", "lead"],
        billing_address={"city": "Berlin"},
        external_ids={"hubspot": "h-1"},
    )
    id: str = found["id"]
    return id


async def test_each_formula_has_its_worth(org: Org, account: str) -> None:
    wrong = [
        (text, expected, found)
        for text, returns, expected in WORTH
        if (found := await worth(org, "accounts", account, text, returns)) != expected
    ]
    assert not wrong, "\n".join(f"{text}: {found!r}, not {expected!r}" for text, expected, found in wrong)


async def test_amounts_have_the_digits_of_their_currency(org: Org) -> None:
    for currency, expected in (("JPY", "33"), ("KWD", "33.333"), ("EUR", "33.33"), ("CLF", "33.3333")):
        made = await org.make("accounts", name="x", annual_revenue="100", currency=currency)
        assert await worth(org, "accounts", made["id"], "annual_revenue / 3", "currency") == expected


async def test_deleted_and_foreign_records_count_as_none(org: Org, other: Org) -> None:
    parent = await org.make("accounts", name="Gone")
    child = await org.make("accounts", name="x", parent_id=parent["id"])
    assert await worth(org, "accounts", child["id"], "parent.name") == "Gone"
    await org.sql("UPDATE accounts SET deleted_at = now() WHERE org_id = $1 AND name = 'Gone'", org.id)
    assert await worth(org, "accounts", child["id"], "parent.name") is None
    assert await worth(org, "accounts", child["id"], "coalesce(parent.name, 'none')") == "none"


async def test_nesting_to_the_limit_compiles(org: Org, account: str) -> None:
    deep = "1"
    for _ in range(29):
        deep = f"min({deep}, 5)"
    assert await worth(org, "accounts", account, deep, "number") == 1
    deep = "name"
    for _ in range(28):
        deep = f"substring({deep}, 1, 99)"
    assert await worth(org, "accounts", account, deep) == "Émile & Söhne"
    deep = "'x'"
    for _ in range(29):
        deep = f"replace({deep}, 'x', 'xxxxxxxxxx')"
    assert await worth(org, "accounts", account, deep, "long_text") == "x" * 32_000
    assert await worth(org, "accounts", account, "+".join(["annual_revenue"] * 250), "currency") == "250125.00"
