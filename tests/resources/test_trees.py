"""Accounts, cases and tasks point to their own kind and never in circles."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from crm_api.core.errors import Problem
from tests.resources.conftest import Crm, codes

pytestmark = pytest.mark.anyio

TREES = [("accounts", "name", "parent_id"), ("cases", "subject", "parent_id"), ("tasks", "subject", "depends_on_id")]


@pytest.mark.parametrize(("name", "title", "column"), TREES)
async def test_a_circle_is_refused(crm: Crm, name: str, title: str, column: str) -> None:
    top = await crm.make(name, **{title: "top"})
    middle = await crm.make(name, **{title: "middle", column: top["id"]})
    bottom = await crm.make(name, **{title: "bottom", column: middle["id"]})
    for target in (bottom, middle, top):
        with pytest.raises(Problem) as refused:
            await crm.change(top, **{column: target["id"]})
        assert refused.value.status == 422
        assert codes(refused.value) == [(f"/{column}", "cycle")]
    assert (await crm.change(bottom, **{column: top["id"]}))[column] == top["id"]


async def test_two_halves_of_a_circle_never_close_it(crm: Crm) -> None:
    for _ in range(3):
        one, other = await crm.make("accounts", name="one"), await crm.make("accounts", name="other")
        pairs = [(one, other), (other, one)] * 10
        results = await asyncio.gather(*(crm.change(child, parent_id=parent["id"]) for child, parent in pairs), return_exceptions=True)
        assert {type(result).__name__ for result in results} <= {"dict", "ValidationFailed"}
        parents = {row["id"]: row["parent_id"] and str(row["parent_id"]) for row in await crm.all("accounts")}
        assert sorted([parents[one["id"]] is None, parents[other["id"]] is None]) == [False, True]


async def test_a_longer_circle_is_not_closed_by_many_at_once(crm: Crm) -> None:
    made = [await crm.make("accounts", name=f"{number}") for number in range(5)]
    ring = list(zip(made, made[1:] + made[:1], strict=True))
    results: list[Any] = await asyncio.gather(
        *(crm.change(child, parent_id=parent["id"]) for child, parent in ring), return_exceptions=True
    )
    assert sum(isinstance(result, Problem) for result in results) == 1
    parents = {row["id"]: row["parent_id"] and str(row["parent_id"]) for row in await crm.all("accounts")}
    for start in parents:
        current: str | None = start
        for _ in range(6):
            current = parents[current] if current else None
        assert current is None
