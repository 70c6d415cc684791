"""docs/formulas.md says what is: all functions in their words, and examples with their worth."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest

from crm_api.kernel.formula.check import ALL
from crm_api.kernel.formula.graph import MAX_CHAIN
from crm_api.kernel.formula.parse import MAX_LENGTH, MAX_NESTING, MAX_PARTS
from crm_api.kernel.writes.recompute import MAX_DEPENDANTS
from tests.kernel.conftest import Org
from tests.kernel.formula.sheet import worth

pytestmark = pytest.mark.anyio

PAGE = (Path(__file__).parents[3] / "docs" / "formulas.md").read_text()


def test_each_function_stands_on_the_page() -> None:
    for function in ALL.values():
        assert f"| `{function.usage}` | {function.says} |" in PAGE
    listed = re.findall(r"^\| `(\w+)\(", PAGE, re.M)
    assert set(listed) >= set(ALL)


def test_the_limits_are_those() -> None:
    assert f"{MAX_LENGTH:,} characters, {MAX_PARTS} parts and {MAX_NESTING} levels" in PAGE
    assert f"at most {MAX_CHAIN} computed fields" in PAGE
    assert f"{MAX_DEPENDANTS:,} related records" in PAGE


async def test_the_examples_are_worth_what_is_said(org: Org) -> None:
    parent = await org.make("accounts", name="Holding")
    account = await org.make(
        "accounts", name="Acme GmbH", annual_revenue="1000.50", currency="EUR", tags=["vip", "north"], parent_id=parent["id"]
    )
    examples = re.findall(r"^\| `(.+?)` \| (\w+) \| `?(.+?)`? \|$", PAGE, re.M)
    assert len(examples) > 10
    for formula, returns, said in examples:
        found = await worth(org, "accounts", account["id"], formula, returns)
        assert (found if isinstance(found, str) else orjson.dumps(found).decode()) == said, formula
