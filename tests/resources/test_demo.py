"""The demonstration: complete, consistent, and the same each time."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from crm_api.core.clock import FixedClock
from crm_api.db.engine import Database
from crm_api.flows.demo import load_demo
from crm_api.flows.reports import PipelineFilter, pipeline_report
from tests.resources.conftest import Crm

pytestmark = pytest.mark.anyio


async def test_two_demonstrations_are_alike(database: Database) -> None:
    clock = FixedClock(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
    seen = []
    for _ in range(2):
        made = await load_demo(database, base_url="http://localhost:8000", clock=clock)
        crm = Crm(database, UUID(made["org_id"]), UUID(made["user_id"]), clock)
        assert made["records"]["deals"] == len(await crm.all("deals")) == 80
        contacts = [(row["id"], row["display_name"], row["email"], row["version"]) for row in await crm.all("contacts")]
        deals = [(row["id"], row["name"], row["amount"], row["status"], row["closed_at"]) for row in await crm.all("deals")]
        cases = [(row["id"], row["number"], row["status"], row["first_response_at"]) for row in await crm.all("cases")]
        seen.append((contacts, deals, cases))
        async with crm.context() as context:
            report = await pipeline_report(context, PipelineFilter())
        assert report.won + report.lost + report.open == 80
        assert report.won > 10
        assert report.lost > 5
        assert all(stage.median_days is not None for stage in report.stages if stage.name == "Qualification")
        [late] = await crm.sql("SELECT count(*) FROM events WHERE org_id = $1 AND occurred_at > $2", crm.org_id, clock.now())
        assert late[0] == 0
        [[links]] = await crm.sql("SELECT count(*) FROM links WHERE org_id = $1 AND relation = 'deals.contacts'", crm.org_id)
        assert links == 160
    assert seen[0] == seen[1]
