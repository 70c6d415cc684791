"""Retention policies: what is past its time goes, by the organisation's own clock, some at a time, and only once somebody looked."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_api.core.clock import SystemClock
from crm_api.http.app import Application
from crm_api.jobs.timers import Timers
from crm_api.settings import Settings
from tests.api import Api, Record
from tests.jobs.support import events
from tests.meta.work import done

pytestmark = pytest.mark.anyio


async def fire(api: Api, app: Application, settings: Settings) -> int:
    """Everything that is due now."""
    timers = Timers(app.state.services.database, SystemClock(), app.state.services.engine, Path(settings.data_dir))
    fired = 0
    while found := await timers.fire(api.org_id):
        fired += found
    return fired


async def policy(api: Api, applies_to: str, action: str, **more: object) -> Record:
    body = {"name": f"{applies_to} {action}", "date_field": "created_at", "after": "P1Y", **more}
    return await api.make("retention_policies", applies_to=applies_to, action=action, **body)


async def advance(api: Api, by: str) -> None:
    await api.ok("POST", "/v1/clock/advance", json={"by": by})


async def test_deleting_by_business_time(sandbox: Api, app: Application, job_settings: Settings) -> None:
    cold = [await sandbox.make("leads", last_name=f"Cold {n}", rating="cold") for n in range(3)]
    hot = await sandbox.make("leads", last_name="Hot", rating="hot")
    made = await policy(sandbox, "leads", "delete", filter={"field": "rating", "value": "cold"})
    path = f"/v1/retention_policies/{made['id']}/preview"
    assert (await sandbox.ok("POST", path))["count"] == 0
    await advance(sandbox, "P400D")
    young = await sandbox.make("leads", last_name="Young", rating="cold")
    await fire(sandbox, app, job_settings)
    assert (await sandbox.get(cold[0]))["id"] == cold[0]["id"]  # nothing happens while it is at rest
    seen = await sandbox.ok("POST", path)
    assert (seen["count"], sorted(seen["sample"]), seen["action"]) == (3, sorted(lead["id"] for lead in cold), "delete")
    await sandbox.change(made, is_active=True)
    await fire(sandbox, app, job_settings)
    for lead in cold:
        problem = await sandbox.fails("GET", f"/v1/leads/{lead['id']}", 410, "deleted")
        assert problem["restorable"] is True
    for lead in (hot, young):
        assert (await sandbox.get(lead))["deleted_at"] is None
    after = await sandbox.get(made)
    assert after["last_run_count"] == 3
    assert after["last_run_at"] is not None
    told = await events(sandbox, event_types="lead.deleted")
    assert {event["cause"]["action"] for event in told} == {"retention.run"}
    [entry] = (await sandbox.ok("GET", "/v1/audit", params={"action": "retention.run"}))["data"]
    assert entry["details"]["count"] == 3
    await advance(sandbox, "P400D")
    await fire(sandbox, app, job_settings)
    await sandbox.fails("GET", f"/v1/leads/{young['id']}", 410, "deleted")


async def test_emptying_the_bin(sandbox: Api, app: Application, job_settings: Settings) -> None:
    gone, kept = await sandbox.make("deals", name="Gone"), await sandbox.make("deals", name="Kept")
    await sandbox.ok("DELETE", f"/v1/deals/{gone['id']}")
    await policy(sandbox, "deals", "purge", date_field="deleted_at", after="P30D", is_active=True)
    await advance(sandbox, "P31D")
    await fire(sandbox, app, job_settings)
    problem = await sandbox.fails("GET", f"/v1/deals/{gone['id']}", 410, "deleted")
    assert problem["restorable"] is False
    assert (await sandbox.get(kept))["name"] == "Kept"


async def test_anonymising_once(sandbox: Api, app: Application, job_settings: Settings) -> None:
    body = {"first_name": "Ada", "last_name": "King", "email": "ada@acme.example", "phone": "+49 30 1234567", "title": "Head"}
    ada = await sandbox.make("contacts", **body, description="Secret", birthdate="1985-12-10", tags=["vip"])
    made = await policy(sandbox, "contacts", "anonymize", is_active=True)
    await advance(sandbox, "P2Y")
    await fire(sandbox, app, job_settings)
    found = await sandbox.get(ada)
    empty = ("first_name", "email", "phone", "birthdate", "description")
    assert {found[name] for name in empty} == {None}
    assert (found["last_name"], found["display_name"], found["title"], found["emails"], found["tags"]) == (
        "[erased]",
        "[erased]",
        "Head",
        [],
        [],
    )
    changes = [event["changes"] for event in await events(sandbox, record_id=ada["id"])]
    assert changes[0]["last_name"] == {"old": None, "new": None}
    assert changes[0]["title"] == {"old": None, "new": "Head"}
    version = found["version"]
    await advance(sandbox, "P2D")
    await fire(sandbox, app, job_settings)
    assert (await sandbox.get(ada))["version"] == version
    assert (await sandbox.get(made))["last_run_count"] == 0


async def test_erasing_makes_a_job_for_each(sandbox: Api, app: Application, job_settings: Settings) -> None:
    leads = [await sandbox.make("leads", last_name=f"L {n}", email=f"l{n}@acme.example") for n in range(2)]
    await policy(sandbox, "leads", "erase", is_active=True)
    await advance(sandbox, "P2Y")
    await fire(sandbox, app, job_settings)
    jobs = (await sandbox.ok("GET", "/v1/jobs", params={"type": "privacy_erase"}))["data"]
    assert len(jobs) == 2
    for job in jobs:
        assert (await done(sandbox, job["id"]))["status"] == "succeeded"
    for lead in leads:
        await sandbox.fails("GET", f"/v1/leads/{lead['id']}", 410, "deleted")
    await sandbox.make("leads", last_name="Again", email="l0@acme.example")  # past their time, not kept out


async def test_a_policy_about_what_is_gone_keeps_nothing_up(sandbox: Api, app: Application, job_settings: Settings) -> None:
    field = {"api_name": "until", "type": "date"}
    await sandbox.ok("POST", "/v1/meta/leads/fields", json=field, status=201)
    made = await policy(sandbox, "leads", "delete", date_field="custom_fields.until", is_active=True)
    lead = await sandbox.make("leads", last_name="L", custom_fields={"until": "2020-01-01"})
    await sandbox.ok("DELETE", "/v1/meta/leads/fields/until")
    await fire(sandbox, app, job_settings)
    assert (await sandbox.get(lead))["deleted_at"] is None
    await sandbox.fails("POST", f"/v1/retention_policies/{made['id']}/preview", 422, "validation_failed")
