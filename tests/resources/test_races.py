"""Rules that hold although many write at the same time."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from crm_api.core.errors import Problem
from crm_api.resources.stages.rules import MOVE_TO
from tests.resources.conftest import Crm

pytestmark = pytest.mark.anyio


def problems(results: list[Any]) -> list[BaseException]:
    """What failed; anything but a problem of the contract is a fault."""
    failed = [result for result in results if isinstance(result, BaseException)]
    for failure in failed:
        if not isinstance(failure, Problem):
            raise failure
    return failed


@pytest.mark.parametrize(("name", "body"), [("pipelines", {}), ("lead_statuses", {"label": "x"})])
async def test_there_is_always_one_default(crm: Crm, name: str, body: dict[str, Any]) -> None:
    key = "key" if name == "lead_statuses" else "name"
    made = [await crm.make(name, **{key: f"n{n}"}, **body) for n in range(8)]
    results = await asyncio.gather(*(crm.change(record, is_default=True) for record in made), return_exceptions=True)
    assert problems(results) == []
    assert sum(row["is_default"] for row in await crm.all(name)) == 1


async def test_stages_made_at_once_stand_in_a_row(crm: Crm) -> None:
    pipeline = await crm.make("pipelines", name="Second")
    results = await asyncio.gather(
        *(crm.make("stages", name=f"{n}", pipeline_id=pipeline["id"]) for n in range(10)), return_exceptions=True
    )
    assert problems(results) == []
    positions = [row["position"] for row in await crm.all("stages", pipeline_id=UUID(pipeline["id"]))]
    assert positions == list(range(10))


async def test_no_deal_is_left_in_a_deleted_stage(crm: Crm) -> None:
    pipeline = await crm.make("pipelines", name="Second")
    for turn in range(3):
        going = await crm.make("stages", name="going", pipeline_id=pipeline["id"])
        staying = await crm.make("stages", name="staying", pipeline_id=pipeline["id"])
        entering = [crm.make("deals", name=f"{turn}.{n}", stage_id=going["id"]) for n in range(10)]
        deleting = [crm.delete(going, state={MOVE_TO: staying["id"]})]
        results = await asyncio.gather(*entering[:5], *deleting, *entering[5:], return_exceptions=True)
        problems(results)
        assert await crm.all("deals", stage_id=UUID(going["id"])) == []
        assert not isinstance(results[5], BaseException)


async def test_deals_and_their_stage_change_together(crm: Crm) -> None:
    stages = await crm.stages()
    deals = [await crm.make("deals", name=f"{n}", stage_id=stages["Discovery"]["id"]) for n in range(10)]
    changes = [crm.change(deal, stage_id=stages["Proposal"]["id"]) for deal in deals[:5]]
    results = await asyncio.gather(*changes, crm.change(stages["Discovery"], probability=0.45), return_exceptions=True)
    assert problems(results) == []
    for deal in await crm.all("deals"):
        expected = 0.6 if str(deal["stage_id"]) == stages["Proposal"]["id"] else 0.45
        assert float(deal["probability"]) == expected
