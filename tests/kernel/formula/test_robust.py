"""Whatever a formula says and whatever the values are: the database never raises an error."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_api.db.engine import Database
from crm_api.db.statement import NOW, TODAY, compile_statement
from crm_api.embedded import DatabaseUrls
from crm_api.kernel.formula import RESULTS, FormulaError, compile_formula
from crm_api.models.columns import FieldType
from tests.kernel.conftest import Org, new_org
from tests.kernel.formula.sheet import DAY, MOMENT, ORG
from tests.kernel.objects import REGISTRY

TEXTS = st.sampled_from(
    ["name", "'x'", "''", "phone", "currency", "parent.name", "id", "owner_id", "'2026-02-30'", "'12.5'", "' -3 '", "'99-99-99'", "null"]
)
NUMBERS = st.sampled_from(
    [
        "annual_revenue",
        "0",
        "1",
        "-1",
        "0.00000000000000000000000000001",
        "999999999999999999999999999999",
        "parent.annual_revenue",
        "null",
        "2.5",
    ]
)
BOOLEANS = st.sampled_from(["true", "false", "null", "is_null(name)", "includes(tags, 'a')"])
DATES = st.sampled_from(
    ["today()", "date(2026, 1, 31)", "date(1, 1, 1)", "date(9999, 12, 31)", "date(null, 1, 1)", "date(created_at)", "null"]
)
INSTANTS = st.sampled_from(
    ["now()", "created_at", "deleted_at", "datetime(date(9999, 12, 31))", "datetime(date(1, 1, 1), 'Asia/Tokyo')", "null"]
)


def _grown(kinds: dict[str, st.SearchStrategy[str]]) -> dict[str, st.SearchStrategy[str]]:
    """One level more of everything."""
    t, n, b, d, i = (kinds[kind] for kind in ("text", "number", "boolean", "date", "datetime"))

    def call(name: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.tuples(*parts).map(lambda found: f"{name}({', '.join(found)})")

    def infix(operators: str, left: st.SearchStrategy[str], right: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.tuples(left, st.sampled_from(operators.split()), right).map(lambda found: f"({' '.join(found)})")

    def common(one: st.SearchStrategy[str]) -> list[st.SearchStrategy[str]]:
        return [call("if", b, one, one), call("coalesce", one, one), call("case", t, t, one, one), call("case", n, n, one)]

    unit = st.sampled_from(["'minutes'", "'hours'", "'days'", "'weeks'", "'months'", "'years'"])
    zone = st.sampled_from(["'UTC'", "'Europe/Berlin'", "'Pacific/Kiritimati'", "'Pacific/Pago_Pago'"])
    start = st.sampled_from(["'week'", "'month'", "'quarter'", "'year'"])
    digits = st.integers(0, 15).map(str)
    return {
        "text": st.one_of(
            t, infix("&", t, t), infix("&", n, d), call("concat", t, n, b, d, i), call("left", t, n), call("right", t, n),
            call("substring", t, n, n), call("substring", t, n), call("replace", t, t, t), call("upper", t), call("trim", t),
            call("text", n), call("text", n, digits), call("text", i), *common(t),
        ),
        "number": st.one_of(
            n, infix("+ - * / %", n, n), infix("+ - * / %", n, n), n.map(lambda x: f"(-{x})"), call("round", n, digits), call("abs", n),
            call("ceil", n), call("floor", n), call("min", n, n), call("max", n, n), call("len", t), call("number", t), call("year", d),
            call("month", i, zone), call("weekday", d), call("days_between", d, d), call("days_between", i, i),
            call("date_diff", d, d, unit), call("date_diff", i, i, unit), *common(n),
        ),
        "boolean": st.one_of(
            b, infix("and or", b, b), b.map(lambda x: f"(not {x})"), infix("= != < <= > >=", n, n.filter(lambda x: x != "null")),
            call("contains", t, t), call("starts_with", t, t), call("ends_with", t, t), call("is_blank", t), call("is_null", d),
        ),
        "date": st.one_of(
            d, call("add_days", d, n), call("add_months", d, n), call("date", n, n, n), call("date", t), call("date", i, zone),
            call("start_of", d, start), call("min", d, d), infix("+ -", d.filter(lambda x: x != "null"), n), *common(d),
        ),
        "datetime": st.one_of(
            i, call("add_days", i, n), call("add_hours", i, n), call("add_months", i, n), call("datetime", d, zone), call("max", i, i),
            *common(i),
        ),
    }  # fmt: skip


LEVELS: dict[str, st.SearchStrategy[str]] = {"text": TEXTS, "number": NUMBERS, "boolean": BOOLEANS, "date": DATES, "datetime": INSTANTS}
for _ in range(3):
    LEVELS = _grown(LEVELS)

FORMULAS = st.one_of(
    *(
        st.tuples(LEVELS[kind], st.sampled_from([r.value for r in RESULTS if r.value in returns]))
        for kind, returns in {
            "text": ("text", "long_text"),
            "number": ("integer", "number", "decimal", "currency"),
            "boolean": ("boolean",),
            "date": ("date",),
            "datetime": ("datetime",),
        }.items()
    )
)


async def _prepare(org: Org) -> None:
    top = await org.make("accounts", name="T" * 255, annual_revenue="999999999999999.99", currency="EUR", tags=["a"])
    await org.make("accounts", name="ß\\%_'\"$1", currency="EUR", annual_revenue="-0.01", parent_id=top["id"], phone="+49 30 123456")
    await org.make("accounts", name="x", currency="JPY")


@pytest.fixture(scope="module")
def world(urls: DatabaseUrls) -> Any:
    """One loop, one organisation for all examples."""
    loop = asyncio.new_event_loop()
    database = Database(urls.database_url, pool_size=2, org_connections=2, wait_seconds=30)
    org = loop.run_until_complete(new_org(database))
    loop.run_until_complete(_prepare(org))
    yield loop, org
    loop.run_until_complete(database.close())
    loop.close()


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(FORMULAS)
def test_no_formula_makes_the_database_fail(world: tuple[asyncio.AbstractEventLoop, Org], formula: tuple[str, str]) -> None:
    loop, org = world
    text, returns = formula
    try:
        computed = compile_formula(REGISTRY, REGISTRY["accounts"], text, FieldType(returns))
    except FormulaError as error:
        if error.code not in ("formula_null", "formula_type", "formula_depth", "formula_size"):  # null where it has no type
            raise
        return
    row = computed.resource.table.alias("t")
    query = sa.select(sa.cast(computed.json(row), sa.Text), computed.sql(row)).where(row.c.org_id == ORG)

    async def run() -> list[Any]:
        async with org.context() as context:
            return list(await context.uow.fetch(compile_statement(query), {"org_id": org.id, NOW: MOMENT, TODAY: DAY}))

    for _, value in loop.run_until_complete(run()):
        if returns == "integer" and value is not None:
            assert value == int(value)
        if isinstance(value, Decimal):
            assert abs(value) < 10**18
