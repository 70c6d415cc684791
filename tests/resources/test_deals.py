"""Deals: stage and status, probability, closing and reopening, the history of moves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from crm_api.core.errors import Problem, RequiredOnEnter
from tests.resources.conftest import Crm, Record, codes

pytestmark = pytest.mark.anyio


async def _moves(crm: Crm, deal: Record) -> list[tuple[str | None, str, int | None]]:
    names = {UUID(row["id"]): row["name"] for row in await crm.all("stages")}
    rows = await crm.sql("SELECT * FROM stage_changes WHERE org_id = $1 AND record_id = $2 ORDER BY at, id", crm.org_id, UUID(deal["id"]))
    return [(names.get(row["from_stage_id"]), names[row["to_stage_id"]], row["seconds"]) for row in rows]


async def test_a_new_deal_starts_at_the_beginning(crm: Crm) -> None:
    stages = await crm.stages()
    deal = await crm.make("deals", name="Robots", amount="1000.00")
    assert deal["stage_id"] == stages["Qualification"]["id"]
    assert deal["pipeline_id"] == str(stages["Qualification"]["pipeline_id"])
    assert (deal["status"], deal["probability"], deal["probability_overridden"]) == ("open", 0.1, False)
    assert (deal["currency"], deal["weighted_amount"]) == ("EUR", "100.00")
    assert deal["opened_at"] == deal["created_at"] == deal["stage_entered_at"]
    assert await _moves(crm, deal) == [(None, "Qualification", None)]


async def test_stage_and_pipeline_belong_together(crm: Crm) -> None:
    stages = await crm.stages()
    other = await crm.make("pipelines", name="Other")
    with pytest.raises(Problem) as refused:
        await crm.make("deals", name="x", pipeline_id=other["id"])
    assert codes(refused.value) == [("/stage_id", "required")]
    first = await crm.make("stages", name="first", pipeline_id=other["id"])
    with pytest.raises(Problem) as refused:
        await crm.make("deals", name="x", pipeline_id=other["id"], stage_id=stages["Proposal"]["id"])
    assert codes(refused.value) == [("/stage_id", "invalid_combination")]
    deal = await crm.make("deals", name="x", pipeline_id=other["id"])
    assert deal["stage_id"] == first["id"]
    moved = await crm.change(deal, stage_id=stages["Proposal"]["id"])
    assert moved["pipeline_id"] == str(stages["Proposal"]["pipeline_id"])
    back = await crm.change(moved, pipeline_id=other["id"])
    assert back["stage_id"] == first["id"]


async def test_moving_keeps_time(crm: Crm) -> None:
    stages = await crm.stages()
    deal = await crm.make("deals", name="Robots")
    for name in ("Discovery", "Negotiation", "Discovery"):
        crm.clock.advance(timedelta(hours=2))
        deal = await crm.change(deal, stage_id=stages[name]["id"])
    assert await _moves(crm, deal) == [
        (None, "Qualification", None),
        ("Qualification", "Discovery", 7200),
        ("Discovery", "Negotiation", 7200),
        ("Negotiation", "Discovery", 7200),
    ]
    assert deal["probability"] == 0.3
    assert (await crm.change(deal, stage_id=deal["stage_id"]))["version"] == deal["version"]


async def test_closing_and_reopening(crm: Crm) -> None:
    stages = await crm.stages()
    deal = await crm.make("deals", name="Robots", amount="1000.00", probability=0.45)
    with pytest.raises(Problem) as refused:
        await crm.change(deal, stage_id=stages["Lost"]["id"])
    assert codes(refused.value) == [("/lost_reason", "required")]
    crm.clock.advance(timedelta(days=1))
    lost = await crm.change(deal, stage_id=stages["Lost"]["id"], lost_reason="price")
    assert (lost["status"], lost["probability"], lost["weighted_amount"]) == ("lost", 0, "0.00")
    assert lost["closed_at"] > deal["created_at"]
    with pytest.raises(Problem):
        await crm.change(lost, lost_reason=None)
    crm.clock.advance(timedelta(days=1))
    won = await crm.change(lost, stage_id=stages["Won"]["id"])
    assert (won["status"], won["probability"], won["lost_reason"]) == ("won", 1, None)
    assert won["closed_at"] > lost["closed_at"]
    again = await crm.change(won, stage_id=stages["Proposal"]["id"])
    assert (again["status"], again["closed_at"]) == ("open", None)
    assert (again["probability"], again["probability_overridden"], again["weighted_amount"]) == (0.45, True, "450.00")


async def test_probability_is_inherited_or_its_own(crm: Crm) -> None:
    stages = await crm.stages()
    deal = await crm.make("deals", name="Robots", probability=0.9)
    assert (deal["probability"], deal["probability_overridden"]) == (0.9, True)
    moved = await crm.change(deal, stage_id=stages["Proposal"]["id"])
    assert moved["probability"] == 0.9
    inherits = await crm.change(moved, probability=None)
    assert (inherits["probability"], inherits["probability_overridden"]) == (0.6, False)


async def test_a_stage_asks_for_fields(crm: Crm) -> None:
    stages = await crm.stages()
    await crm.change(stages["Proposal"], required_fields=["amount", "close_date"])
    deal = await crm.make("deals", name="Robots", amount="5.00")
    with pytest.raises(RequiredOnEnter) as refused:
        await crm.change(deal, stage_id=stages["Proposal"]["id"])
    assert codes(refused.value) == [("/close_date", "required_on_enter")]
    await crm.change(deal, stage_id=stages["Proposal"]["id"], close_date="2026-12-31")
    with pytest.raises(RequiredOnEnter):
        await crm.make("deals", name="Other", stage_id=stages["Proposal"]["id"])


async def test_an_imported_deal_brings_its_times(crm: Crm) -> None:
    stages = await crm.stages()
    times: dict[str, Any] = {"opened_at": "2016-10-20T00:00:00Z", "closed_at": "2017-03-01T00:00:00Z", "created_at": "2016-10-20T00:00:00Z"}
    deal = await crm.make("deals", name="Old", stage_id=stages["Won"]["id"], amount="1054.00", **times)
    assert (deal["status"], deal["closed_at"]) == ("won", "2017-03-01T00:00:00.000000Z")
    assert deal["stage_entered_at"] == deal["closed_at"]
    with pytest.raises(Problem) as refused:
        await crm.make("deals", name="Old", **times)
    assert codes(refused.value) == [("/closed_at", "invalid_combination")]


async def test_weighted_amount_follows_amount_and_currency(crm: Crm) -> None:
    deal = await crm.make("deals", name="Robots", amount="99.99")
    assert deal["weighted_amount"] == "10.00"
    assert (await crm.change(deal, amount=None))["weighted_amount"] is None
    yen = await crm.make("deals", name="Yen", amount="1000", currency="JPY")
    assert yen["weighted_amount"] == "100"


async def test_a_batch_of_deals(crm: Crm) -> None:
    stages = await crm.stages()
    bodies: list[dict[str, Any]] = [{"name": f"{n}", "amount": "10.00"} for n in range(50)]
    bodies[7]["stage_id"] = stages["Lost"]["id"]
    outcomes = await crm.make_many("deals", bodies, atomic=False)
    assert [outcome.index for outcome in outcomes if outcome.failed] == [7]
    places = [row["board_position"] for row in await crm.all("deals")]
    assert len(set(places)) == 49


async def test_a_deleted_deal_comes_back_where_it_was(crm: Crm) -> None:
    deal = await crm.make("deals", name="Robots")
    await crm.delete(deal)
    back = await crm.restore(deal)
    assert (back["stage_id"], back["status"]) == (deal["stage_id"], "open")
    assert await _moves(crm, deal) == [(None, "Qualification", None)]
