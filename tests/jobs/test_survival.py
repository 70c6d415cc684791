"""Workers that die, race, stall or come late: each record is changed once."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from crm_api.core.clock import FixedClock, SystemClock
from crm_api.db.engine import Database
from crm_api.db.uow import unit_of_work
from crm_api.http.app import Application
from crm_api.jobs import claims
from crm_api.jobs.claims import Claimed, Fenced
from crm_api.jobs.runner import Runner
from crm_api.jobs.tasks import BULK, Run, run_bulk
from crm_api.jobs.timers import Timers
from crm_api.settings import Settings
from tests.api import Api
from tests.jobs.conftest import Workers, worker_process
from tests.jobs.support import FINAL, bulk, events, finished, let_leases_run_out, make_contacts

pytestmark = pytest.mark.anyio
CLOCK = SystemClock()


def database_of(app: Application) -> Database:
    database: Database = app.state.services.database
    return database


async def claim(app: Application, api: Api) -> Claimed | None:
    async with unit_of_work(database_of(app), api.org_id, CLOCK) as uow:
        return await claims.claim(uow)


def runner_of(app: Application, settings: Settings, **more: Any) -> Runner:
    return Runner(database_of(app), CLOCK, app.state.services.engine, settings.data_dir, **more)


@pytest.mark.chaos
async def test_a_killed_worker_neither_repeats_nor_skips(api: Api, start_worker: Workers) -> None:
    made = await make_contacts(api, 2_000)
    body = {"filter": {"field": "last_name", "op": "is_not_null"}, "expect_count": 2_000, "action": "update", "set": {"title": "Once"}}
    with start_worker() as first:
        job = await bulk(api, "contacts", **body)
        while (now := await api.ok("GET", f"/v1/jobs/{job['id']}"))["progress"]["done"] < 400:
            await asyncio.sleep(0.01)
        first.send_signal(signal.SIGKILL)
        first.wait()
    stopped_at = (await api.ok("GET", f"/v1/jobs/{job['id']}"))["progress"]["done"]
    assert now["status"] == "running"
    assert 400 <= stopped_at < 2_000
    changed = await api.all("/v1/contacts", title="Once")
    assert len(changed) == stopped_at  # progress and records move together
    with start_worker():
        done = await finished(api, job, 90)
    assert done["status"] == "succeeded"
    assert done["progress"] == {"done": 2_000, "total": 2_000, "failed": 0}
    assert done["result"] == {"updated": 2_000}
    rows = await api.all("/v1/contacts")
    assert Counter((row["title"], row["version"]) for row in rows) == {("Once", 2): 2_000}
    told = await events(api, event_types="contact.updated")
    assert Counter(event["record_id"] for event in told) == {row["id"]: 1 for row in made}
    assert {event["cause"]["job_id"] for event in told} == {job["id"]}
    assert len(await events(api, event_types="job.finished")) == 1


@pytest.mark.chaos
async def test_a_stopped_worker_gives_its_job_back_at_once(api: Api, start_worker: Workers) -> None:
    await make_contacts(api, 1_200)
    with start_worker() as first, start_worker():
        job = await bulk(api, "contacts", filter={"field": "last_name", "op": "is_not_null"}, action="tag", set={"tags": ["x"]})
        while (await api.ok("GET", f"/v1/jobs/{job['id']}"))["progress"]["done"] < 200:
            await asyncio.sleep(0.01)
        first.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(first.wait, 8) == 0
        done = await finished(api, job, 12)  # less than a lease
    assert done["result"] == {"updated": 1_200}
    assert len(await events(api, event_types="contact.updated")) == 1_200


async def test_of_twenty_claims_one_gets_the_job(api: Api, app: Application) -> None:
    made = await make_contacts(api, 1)
    await bulk(api, "contacts", ids=[made[0]["id"]], action="delete")
    found = await asyncio.gather(*(claim(app, api) for _ in range(20)))
    assert len([job for job in found if job is not None]) == 1
    assert await claim(app, api) is None


async def test_who_was_overtaken_changes_nothing_any_more(api: Api, app: Application, job_settings: Settings) -> None:
    made = await make_contacts(api, 3)
    accepted = await bulk(api, "contacts", ids=[row["id"] for row in made], action="tag", set={"tags": ["x"]})
    slow = await claim(app, api)
    assert slow is not None
    await let_leases_run_out(api)
    quick = await claim(app, api)
    assert quick is not None
    assert (slow.attempt, quick.attempt) == (1, 2)
    services = app.state.services
    with pytest.raises(Fenced):
        await run_bulk(Run(slow, services.database, CLOCK, services.engine, job_settings.data_dir))
    async with unit_of_work(services.database, api.org_id, CLOCK) as uow:
        with pytest.raises(Fenced):
            await claims.renew(uow, slow)
        await claims.renew(uow, quick)
    assert {row["version"] for row in await api.all("/v1/contacts")} == {1}
    await run_bulk(Run(quick, services.database, CLOCK, services.engine, job_settings.data_dir))
    assert (await api.ok("GET", f"/v1/jobs/{accepted['id']}"))["status"] == "succeeded"
    assert {row["version"] for row in await api.all("/v1/contacts")} == {2}


async def test_cancelled_before_it_began(api: Api, app: Application) -> None:
    made = await make_contacts(api, 1)
    job = await bulk(api, "contacts", ids=[made[0]["id"]], action="delete")
    cancelled = await api.ok("POST", f"/v1/jobs/{job['id']}/cancel")
    assert cancelled["status"] == "cancelled"
    assert cancelled["finished_at"] is not None
    again = await api.ok("POST", f"/v1/jobs/{job['id']}/cancel")
    assert again == cancelled
    assert await claim(app, api) is None
    assert (await api.get(made[0]))["version"] == 1
    assert len(await events(api, event_types="job.finished")) == 1


async def test_cancelled_in_the_middle(api: Api, app: Application, job_settings: Settings) -> None:
    await make_contacts(api, 1_000)
    job = await bulk(api, "contacts", filter={"field": "last_name", "op": "is_not_null"}, action="tag", set={"tags": ["x"]})
    runner = runner_of(app, job_settings)
    await step_for(runner, api)
    while (await api.ok("GET", f"/v1/jobs/{job['id']}"))["progress"]["done"] == 0:
        await asyncio.sleep(0.005)
    cancelled = await api.ok("POST", f"/v1/jobs/{job['id']}/cancel")
    await runner.settle()
    assert cancelled["status"] == "cancelled"
    after = await api.ok("GET", f"/v1/jobs/{job['id']}")
    assert after == cancelled
    assert len(await events(api, event_types="contact.updated")) == after["progress"]["done"] < 1_000
    done = await bulk(api, "contacts", filter={"field": "last_name", "value": "nobody"}, action="delete")
    await step_for(runner, api)
    await runner.settle()
    await api.fails("POST", f"/v1/jobs/{done['id']}/cancel", 409, "conflict")


async def step_for(runner: Runner, api: Api) -> None:
    """Steps until the organisation's job has begun; other tests' leftovers are taken along."""
    while not any(org_id == api.org_id for org_id in runner.busy):
        if await runner.step() == 0:
            await asyncio.sleep(0.01)


async def test_a_task_that_always_breaks_is_given_up(api: Api, app: Application, job_settings: Settings) -> None:
    tries = 0

    async def broken(run: Run) -> None:
        nonlocal tries
        tries += 1
        raise RuntimeError("no")

    job = await bulk(api, "contacts", filter={"field": "last_name", "op": "is_not_null"}, action="delete")
    runner = runner_of(app, job_settings, tasks={BULK: broken})
    for _ in range(30):
        await let_leases_run_out(api)
        await runner.step()
        await runner.settle()
        found = await api.ok("GET", f"/v1/jobs/{job['id']}")
        if found["status"] in FINAL:
            break
    assert (found["status"], tries) == ("failed", 5)
    assert found["result"]["error"]["code"] == "internal_error"


async def test_one_bad_record_does_not_spoil_its_chunk(
    api: Api, app: Application, job_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules that raise for one record, out of nowhere."""
    made = await make_contacts(api, 9)
    rules = app.state.services.engine.registry["contacts"].rules
    kind = type(rules)
    original = kind.before_write

    async def sometimes(self: Any, context: Any, drafts: Any) -> None:
        if any(str(draft.id) == made[4]["id"] for draft in drafts):
            raise ZeroDivisionError
        await original(self, context, drafts)

    monkeypatch.setattr(kind, "before_write", sometimes)
    job = await bulk(api, "contacts", ids=[row["id"] for row in made], action="tag", set={"tags": ["x"]})
    runner = runner_of(app, job_settings)
    await step_for(runner, api)
    await runner.settle()
    found = await api.ok("GET", f"/v1/jobs/{job['id']}")
    assert (found["status"], found["result"]) == ("partly_failed", {"updated": 8})
    [error] = (await api.ok("GET", found["errors_url"]))["data"]
    assert (error["index"], error["id"], error["error"]["code"]) == (4, made[4]["id"], "internal_error")
    assert len(await events(api, event_types="contact.updated")) == 8


async def test_without_valkey_jobs_are_found_by_looking(api: Api, job_settings: Settings) -> None:
    made = await make_contacts(api, 1)
    with worker_process(job_settings, valkey=False):
        job = await bulk(api, "contacts", ids=[made[0]["id"]], action="delete")
        assert (await finished(api, job))["status"] == "succeeded"


async def test_jobs_are_forgotten_after_a_week(api: Api, app: Application, job_settings: Settings) -> None:
    job = await bulk(api, "contacts", ids=[str(UUID(int=7))], action="delete")
    runner = runner_of(app, job_settings)
    await step_for(runner, api)
    await runner.settle()
    waiting = await bulk(api, "contacts", ids=[str(UUID(int=7))], action="delete")
    for days, status in ((6, 200), (8, 404)):
        clock = FixedClock(CLOCK.now() + timedelta(days=days))
        timers = Timers(database_of(app), clock, app.state.services.engine, job_settings.data_dir)
        while await timers.fire(api.org_id):
            pass
        for path in (f"/v1/jobs/{job['id']}", f"/v1/jobs/{job['id']}/errors"):
            assert (await api.http.get(path)).status_code == status
    assert (await api.ok("GET", f"/v1/jobs/{waiting['id']}"))["status"] == "queued"
