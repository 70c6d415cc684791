"""Pipelines and their stages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from crm_api.core.errors import BadRequest, Conflict, Problem
from crm_api.resources.stages.rules import MOVE_TO
from tests.resources.conftest import Crm, Record, codes

pytestmark = pytest.mark.anyio


async def _pipeline(crm: Crm, *stages: dict[str, Any]) -> tuple[Record, list[Record]]:
    pipeline = await crm.make("pipelines", name="Second")
    return pipeline, [await crm.make("stages", pipeline_id=pipeline["id"], **stage) for stage in stages]


async def _order(crm: Crm, pipeline: Record) -> list[tuple[int, str]]:
    return [(row["position"], row["name"]) for row in await crm.all("stages") if str(row["pipeline_id"]) == pipeline["id"]]


async def test_every_organisation_starts_with_one(crm: Crm) -> None:
    stages = list((await crm.stages()).values())
    assert [stage["category"] for stage in stages] == ["open"] * 4 + ["won", "lost"]
    assert [float(stage["probability"]) for stage in stages] == [0.1, 0.3, 0.6, 0.8, 1, 0]


async def test_order(crm: Crm) -> None:
    pipeline, made = await _pipeline(
        crm, {"name": "a"}, {"name": "b"}, {"name": "won", "category": "won"}, {"name": "lost", "category": "lost"}
    )
    assert [stage["position"] for stage in made] == [0, 1, 2, 3]
    assert [stage["probability"] for stage in made] == [None, None, 1, 0]
    await crm.make("stages", name="c", pipeline_id=pipeline["id"], position=1)
    assert await _order(crm, pipeline) == [(0, "a"), (1, "c"), (2, "b"), (3, "won"), (4, "lost")]
    await crm.change(made[3], position=0)
    assert [name for _, name in await _order(crm, pipeline)] == ["lost", "a", "c", "b", "won"]
    assert (await crm.events(made[0]))[-1]["changes"] == {"position": {"old": 0, "new": 1}}
    outcomes = await crm.make_many("stages", [{"name": f"n{n}", "pipeline_id": pipeline["id"]} for n in range(3)])
    assert [outcome.status for outcome in outcomes] == [201] * 3
    assert [name for _, name in await _order(crm, pipeline)] == ["lost", "a", "c", "b", "won", "n0", "n1", "n2"]


async def test_required_fields_are_fields_of_deals(crm: Crm) -> None:
    pipeline, _ = await _pipeline(crm)
    with pytest.raises(Problem) as refused:
        await crm.make("stages", name="a", pipeline_id=pipeline["id"], required_fields=["amount", "weight", "status"])
    assert codes(refused.value) == [("/required_fields/1", "enum"), ("/required_fields/2", "enum")]
    with pytest.raises(Problem) as refused:
        await crm.make("stages", name="a")
    assert codes(refused.value) == [("/pipeline_id", "required")]


async def test_one_default_pipeline(crm: Crm) -> None:
    second = await crm.make("pipelines", name="Second", is_default=True)
    [old] = [row for row in await crm.all("pipelines") if row["name"] == "Sales"]
    assert not old["is_default"]
    with pytest.raises(Conflict):
        await crm.delete(second)
    with pytest.raises(Conflict) as refused:  # it has stages
        await crm.delete(old)
    assert refused.value.errors[0].code == "has_children"
    await crm.delete(old, on_children="cascade")
    assert await crm.all("stages") == []


async def test_a_used_stage_goes_only_when_its_deals_are_moved(crm: Crm) -> None:
    stages = await crm.stages()
    deals = [await crm.make("deals", name=f"{n}", stage_id=stages["Discovery"]["id"]) for n in range(3)]
    with pytest.raises(Conflict):
        await crm.delete(stages["Discovery"])
    for nowhere in (stages["Discovery"]["id"], deals[0]["id"], "there"):
        with pytest.raises(BadRequest):
            await crm.delete(stages["Discovery"], state={MOVE_TO: nowhere})
    await crm.delete(stages["Discovery"], state={MOVE_TO: stages["Proposal"]["id"]})
    for deal in deals:
        now = await crm.get(deal)
        assert (str(now["stage_id"]), float(now["probability"])) == (stages["Proposal"]["id"], 0.6)
        assert (await crm.events(deal))[-1]["changes"]["stage_id"]["new"] == stages["Proposal"]["id"]
        moves = await crm.sql("SELECT * FROM stage_changes WHERE org_id = $1 AND record_id = $2", crm.org_id, UUID(deal["id"]))
        assert len(moves) == 2
    with pytest.raises(Problem) as refused:
        await crm.make("deals", name="late", stage_id=stages["Discovery"]["id"])
    assert codes(refused.value)[0][0] == "/stage_id"


async def test_the_category_of_a_used_stage_stays(crm: Crm) -> None:
    stages = await crm.stages()
    await crm.make("deals", name="one", stage_id=stages["Discovery"]["id"])
    with pytest.raises(Conflict):
        await crm.change(stages["Discovery"], category="won")
    changed = await crm.change(stages["Proposal"], category="won")
    assert changed["probability"] == 1


async def test_deals_inherit_a_new_probability(crm: Crm) -> None:
    stages = await crm.stages()
    heir = await crm.make("deals", name="heir", stage_id=stages["Discovery"]["id"], amount="100.00")
    own = await crm.make("deals", name="own", stage_id=stages["Discovery"]["id"], probability=0.5)
    await crm.change(stages["Discovery"], probability=0.4)
    assert (float((await crm.get(heir))["probability"]), str((await crm.get(heir))["weighted_amount"])) == (0.4, "40.00")
    assert (await crm.get(heir))["probability_overridden"] is False
    moved = await crm.change(heir, stage_id=stages["Proposal"]["id"])
    assert float(moved["probability"]) == 0.6  # it goes on inheriting
    assert float((await crm.get(own))["probability"]) == 0.5
