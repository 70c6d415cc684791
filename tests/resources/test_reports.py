"""The pipeline report, against deals whose figures are known."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from crm_api.core.errors import NotFound
from crm_api.flows.reports import PipelineFilter, PipelineReport, pipeline_report
from tests.resources.conftest import Crm

pytestmark = pytest.mark.anyio


async def _report(crm: Crm, **asked: Any) -> PipelineReport:
    async with crm.context() as context:
        return await pipeline_report(context, PipelineFilter(**asked))


async def _deal(crm: Crm, stage: str, amount: str | None, opened: date, closed: date | None = None, **more: Any) -> dict[str, Any]:
    stages = await crm.stages()
    body: dict[str, Any] = {"name": "deal", "stage_id": stages[stage]["id"], "amount": amount, "opened_at": f"{opened}T08:00:00Z", **more}
    if closed is not None:
        body["closed_at"] = f"{closed}T20:00:00Z"
    if stage == "Lost":
        body["lost_reason"] = "price"
    return await crm.make("deals", **body)


async def test_an_empty_pipeline(crm: Crm) -> None:
    report = await _report(crm)
    assert (report.won, report.lost, report.open, report.win_rate, report.velocity_per_day) == (0, 0, 0, None, None)
    assert [stage.name for stage in report.stages] == ["Qualification", "Discovery", "Proposal", "Negotiation", "Won", "Lost"]
    with pytest.raises(NotFound):
        await _report(crm, pipeline_id=crm.org_id)


async def test_figures(crm: Crm) -> None:
    start = date(2017, 1, 1)
    for days, amount in ((10, "100.00"), (30, "301.00")):
        await _deal(crm, "Won", amount, start, start + timedelta(days=days), tags=["north"])
    await _deal(crm, "Lost", "50.00", start, start + timedelta(days=5))
    await _deal(crm, "Proposal", "1000.00", start)
    await _deal(crm, "Proposal", None, start)
    report = await _report(crm)
    assert (report.won, report.lost, report.open, report.currency) == (2, 1, 2, "EUR")
    assert (report.win_rate, report.won_amount, report.mean_won_amount, report.won_cycle_days) == (
        "0.666667",
        "401.00",
        "200.5000",
        "20.0000",
    )
    assert report.velocity_per_day == "13.37"  # 2 × 2/3 × 200.5 ÷ 20
    proposal = next(stage for stage in report.stages if stage.name == "Proposal")
    assert (proposal.entered, proposal.open, proposal.won, proposal.amount, proposal.weighted_amount) == (2, 2, 0, "1000.00", "600.00")
    january = await _report(crm, closed_from=date(2017, 1, 6), closed_to=date(2017, 1, 11))
    assert (january.won, january.lost, january.open) == (1, 1, 2)
    north = await _report(crm, tag="north")
    assert (north.won, north.lost, north.open) == (2, 0, 0)


async def test_stays(crm: Crm) -> None:
    stages = await crm.stages()
    for days in (1, 2, 9):
        crm.clock.advance(timedelta(minutes=1))
        deal = await crm.make("deals", name="d", amount="10.00")
        started = crm.clock.now()
        crm.clock.advance(timedelta(days=days))
        await crm.change(deal, stage_id=stages["Won"]["id"])
        crm.clock.advance(started - crm.clock.now())
    first = (await _report(crm)).stages[0]
    assert (first.entered, first.open, first.won, first.median_days) == (3, 0, 3, "2.0000")


async def test_several_currencies_have_no_sum(crm: Crm) -> None:
    await _deal(crm, "Won", "100.00", date(2017, 1, 1), date(2017, 1, 3))
    await _deal(crm, "Won", "100", date(2017, 1, 1), date(2017, 1, 3), currency="JPY")
    report = await _report(crm)
    assert (report.won, report.currency, report.won_amount, report.mean_won_amount) == (2, None, None, None)
    assert report.won_cycle_days == "2.0000"


async def test_a_stage_with_history_stays_in_the_report(crm: Crm) -> None:
    stages = await crm.stages()
    deal = await crm.make("deals", name="d", stage_id=stages["Discovery"]["id"])
    await crm.change(deal, stage_id=stages["Proposal"]["id"])
    await crm.delete(stages["Discovery"])
    await crm.delete(stages["Negotiation"])
    names = [stage.name for stage in (await _report(crm, pipeline_id=UUID(deal["pipeline_id"]))).stages]
    assert names == ["Qualification", "Discovery", "Proposal", "Won", "Lost"]
