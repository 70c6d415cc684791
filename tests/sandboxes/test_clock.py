"""The test clock: business time moves, real time does not, and timers fire once."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

import pytest

from crm_api.core.clock import SystemClock, parse_timestamp
from crm_api.core.ids import uuid7_time
from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work
from crm_api.http.app import Application
from crm_api.jobs.timers import HANDLERS, Due, Firing, Timers
from crm_api.kernel.timers import clear_timers, set_timers
from crm_api.resources.tasks.reminders import REMIND
from crm_api.settings import Settings
from tests.api import Api
from tests.jobs.conftest import Workers
from tests.jobs.support import events

pytestmark = pytest.mark.anyio
REAL = SystemClock()
MONTH = timedelta(days=30)


async def advance(api: Api, by: str) -> dict[str, Any]:
    found: dict[str, Any] = await api.ok("POST", "/v1/clock/advance", json={"by": by})
    return found


def at(text: str) -> datetime:
    return parse_timestamp(text)


def timers_of(app: Application, settings: Settings, **more: Any) -> Timers:
    return Timers(app.state.services.database, REAL, app.state.services.engine, settings.data_dir, **more)


async def fire(timers: Timers, api: Api) -> int:
    """Everything that is due."""
    total = 0
    while fired := await timers.fire(api.org_id):
        total += fired
    return total


async def test_a_production_clock_stays_where_it_is(api: Api) -> None:
    clock = await api.ok("GET", "/v1/clock")
    assert (clock["movable"], clock["frozen"], clock["ahead_seconds"]) == (False, False, 0)
    for path, body in (("advance", {"by": "P1D"}), ("freeze", None), ("resume", None)):
        problem = await api.fails("POST", f"/v1/clock/{path}", 403, "forbidden", json=body)
        assert "sandbox" in problem["detail"]


async def test_only_administrators_move_it(sandbox: Api) -> None:
    reader = await sandbox.with_scopes("*:read")
    await reader.ok("GET", "/v1/clock")
    await reader.fails("POST", "/v1/clock/advance", 403, "insufficient_scope", json={"by": "P1D"})
    await reader.http.aclose()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/by"),
        ({"by": "P1D", "to": "2050-01-01T00:00:00Z"}, "/to"),
        ({"by": "soon"}, "/by"),
        ({"by": "P0D"}, "/by"),
        ({"by": "P11Y"}, "/by"),
        ({"by": "P9999Y"}, "/by"),
        ({"to": "2020-01-01T00:00:00Z"}, "/to"),
        ({"to": "2199-01-01T00:00:00Z"}, "/to"),
    ],
)
async def test_it_goes_forwards_only_and_not_too_far(sandbox: Api, body: dict[str, Any], pointer: str) -> None:
    problem = await sandbox.fails("POST", "/v1/clock/advance", 422, "validation_failed", json=body)
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


async def test_business_time_moves_and_real_time_does_not(sandbox: Api) -> None:
    before = await sandbox.make("tasks", subject="Before", due_at=(REAL.now() + timedelta(days=10)).isoformat())
    token = await sandbox.ok("POST", "/v1/tokens", json={"name": "short", "scopes": ["*:read"]}, status=201)
    clock = await advance(sandbox, "P30D")
    assert timedelta(days=29, hours=22) < at(clock["now"]) - at(clock["real_now"]) < timedelta(days=30, hours=2)
    after = await sandbox.make("tasks", subject="After", status="done")
    for name in ("created_at", "updated_at", "completed_at"):
        assert abs(at(after[name]) - REAL.now() - MONTH) < timedelta(hours=2)
    # ids stay on real time and go on rising
    assert abs(uuid7_time(UUID(after["id"])) - REAL.now()) < timedelta(minutes=1)
    assert before["id"] < after["id"]
    told = await events(sandbox, object="tasks")
    assert [event["record_id"] for event in told] == [before["id"], after["id"]]
    assert all(abs(uuid7_time(UUID(event["id"])) - REAL.now()) < timedelta(minutes=1) for event in told)
    assert abs(at(told[1]["occurred_at"]) - REAL.now() - MONTH) < timedelta(hours=2)
    # what is relative is relative to the organisation's time
    overdue = await sandbox.ok("GET", "/v1/tasks", params={"due_at[older_than]": "P1D"})
    assert [task["id"] for task in overdue["data"]] == [before["id"]]
    young = await sandbox.ok("GET", "/v1/tasks", params={"created_at[newer_than]": "P1D"})
    assert [task["id"] for task in young["data"]] == [after["id"]]
    # tokens are of the real world
    made = await sandbox.ok("POST", "/v1/tokens", json={"name": "later", "scopes": ["*:read"]}, status=201)
    assert abs(at(made["created_at"]) - REAL.now()) < timedelta(minutes=1)
    soon = (REAL.now() + timedelta(days=1)).astimezone(UTC).isoformat()
    await sandbox.ok("POST", "/v1/tokens", json={"name": "a day", "scopes": ["*:read"], "expires_at": soon}, status=201)
    assert token["revoked_at"] is None


async def test_since_goes_by_the_time_of_the_organisation(sandbox: Api) -> None:
    first = await sandbox.make("notes", title="First", body={"format": "text", "content": "1"})
    await advance(sandbox, "P1Y")
    middle = (await sandbox.ok("GET", "/v1/clock"))["now"]
    second = await sandbox.make("notes", title="Second", body={"format": "text", "content": "2"})
    assert [event["record_id"] for event in await events(sandbox, object="notes")] == [first["id"], second["id"]]
    late = await sandbox.ok("GET", "/v1/events", params={"since": middle, "object": "notes"})
    assert [event["record_id"] for event in late["data"]] == [second["id"]]
    long_ago = (REAL.now() - timedelta(days=3)).isoformat().replace("+00:00", "Z")
    everything = await sandbox.ok("GET", "/v1/events", params={"since": long_ago, "object": "notes"})
    assert len(everything["data"]) == 2
    was = await sandbox.ok("GET", f"/v1/notes/{first['id']}", params={"as_of": middle})
    assert was["title"] == "First"


async def test_idempotency_keys_are_not_forgotten_early(sandbox: Api) -> None:
    body = {"subject": "Once"}
    made = await sandbox.http.post("/v1/tasks", json=body, headers={"idempotency-key": "k"})
    await advance(sandbox, "P2D")
    again = await sandbox.http.post("/v1/tasks", json=body, headers={"idempotency-key": "k"})
    assert again.json()["id"] == made.json()["id"]


async def test_it_can_stand_still_and_go_on(sandbox: Api) -> None:
    stopped = await sandbox.ok("POST", "/v1/clock/freeze")
    assert stopped["frozen"] is True
    one = await sandbox.make("tasks", subject="One")
    two = await sandbox.make("tasks", subject="Two")
    assert one["created_at"] == two["created_at"] == stopped["now"]
    assert (await sandbox.ok("POST", "/v1/clock/freeze"))["now"] == stopped["now"]
    moved = await sandbox.ok("POST", "/v1/clock/advance", json={"by": "PT1H"})
    assert at(moved["now"]) - at(stopped["now"]) == timedelta(hours=1)
    going = await sandbox.ok("POST", "/v1/clock/resume")
    assert going["frozen"] is False
    assert timedelta() <= at(going["now"]) - at(moved["now"]) < timedelta(seconds=5)
    await asyncio.sleep(0.05)
    assert (await sandbox.make("tasks", subject="Three"))["created_at"] > going["now"]
    to = "2030-01-01T00:00:00.000000Z"
    assert (await sandbox.ok("POST", "/v1/clock/advance", json={"to": to}))["now"][:13] == to[:13]


async def test_reminders_come_when_they_are_due(sandbox: Api, app: Application, job_settings: Settings) -> None:
    timers = timers_of(app, job_settings)
    now = REAL.now()
    soon = await sandbox.make("tasks", subject="Soon", remind_at=(now + timedelta(days=3)).isoformat())
    later = await sandbox.make("tasks", subject="Later", remind_at=(now + timedelta(days=60)).isoformat())
    done = await sandbox.make("tasks", subject="Done", remind_at=(now + timedelta(days=3)).isoformat())
    gone = await sandbox.make("tasks", subject="Gone", remind_at=(now + timedelta(days=3)).isoformat())
    await sandbox.change(done, status="done")
    await sandbox.ok("DELETE", f"/v1/tasks/{gone['id']}")
    assert await fire(timers, sandbox) == 0
    assert (await advance(sandbox, "P30D"))["due_timers"] == 1
    assert await timers.step() >= 1  # it looks at every organisation
    assert (await sandbox.ok("GET", "/v1/clock"))["due_timers"] == 0
    reminded = await sandbox.get(soon)
    assert (reminded["version"], reminded["updated_by"]["type"]) == (2, "system")
    assert abs(at(reminded["reminded_at"]) - now - MONTH) < timedelta(hours=2)
    assert (await sandbox.get(later))["reminded_at"] is None
    [event] = await events(sandbox, record_id=soon["id"], event_types="task.updated")
    assert (event["cause"]["action"], list(event["changes"])) == (REMIND, ["reminded_at"])
    # moved: it comes again; brought back: it comes too
    await sandbox.change(reminded, remind_at=(now + timedelta(days=40)).isoformat())
    await sandbox.ok("POST", f"/v1/tasks/{gone['id']}/restore")
    assert await fire(timers, sandbox) == 1
    assert (await sandbox.get(soon))["reminded_at"] is None
    await advance(sandbox, "P11D")
    assert await fire(timers, sandbox) == 1
    assert (await sandbox.get(soon))["reminded_at"] is not None
    await sandbox.change(later, remind_at=None)
    await advance(sandbox, "P1Y")
    assert await fire(timers, sandbox) == 0


@pytest.mark.chaos
async def test_each_timer_fires_once_though_a_worker_is_killed(sandbox: Api, start_worker: Workers) -> None:
    base = REAL.now() + timedelta(days=1)
    items = [{"subject": f"Task {n}", "remind_at": (base + timedelta(hours=n)).isoformat()} for n in range(200)]
    for start in range(4):
        answer = await sandbox.ok("POST", "/v1/tasks/batch/create", json={"items": items}, status=207)
        assert {result["status"] for result in answer["results"]} == {201}, start
    first = start_worker()
    with first as process:
        await asyncio.sleep(1.5)
        assert (await advance(sandbox, "P30D"))["due_timers"] == 800
        started = monotonic()
        while (await sandbox.ok("GET", "/v1/clock"))["due_timers"] > 700:
            assert monotonic() - started < 30
            await asyncio.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
    left = (await sandbox.ok("GET", "/v1/clock"))["due_timers"]
    assert 0 < left <= 700
    reminded = [task for task in await sandbox.all("/v1/tasks") if task["reminded_at"] is not None]
    assert len(reminded) == 800 - left
    with start_worker(), start_worker():
        started = monotonic()
        while (await sandbox.ok("GET", "/v1/clock"))["due_timers"] and monotonic() - started < 40:
            await asyncio.sleep(0.05)
    tasks = await sandbox.all("/v1/tasks")
    assert Counter((task["version"], task["reminded_at"] is not None) for task in tasks) == {(2, True): 800}
    told = await events(sandbox, event_types="task.updated")
    assert Counter(event["record_id"] for event in told) == {task["id"]: 1 for task in tasks}


async def test_of_many_that_look_each_timer_goes_to_one(sandbox: Api, app: Application, job_settings: Settings) -> None:
    seen: list[UUID] = []

    async def note(firing: Firing, due: Any) -> None:
        seen.extend(timer.subject_id for timer in due)
        await asyncio.sleep(0.01)

    subjects = [UUID(int=number) for number in range(1, 101)]
    async with unit_of_work(app.state.services.database, sandbox.org_id, REAL) as uow:
        await set_timers(uow, "test", {subject: REAL.now() + timedelta(days=1) for subject in subjects})
    await advance(sandbox, "P2D")
    timers = timers_of(app, job_settings, handlers={"test": note})
    await asyncio.gather(*(timers.fire(sandbox.org_id, 7) for _ in range(30)))
    while await timers.fire(sandbox.org_id, 7):
        pass
    assert sorted(seen) == subjects


async def test_one_that_fails_keeps_no_other_from_firing(sandbox: Api, app: Application, job_settings: Settings) -> None:
    bad, good = UUID(int=1), UUID(int=2)
    seen: list[Due] = []

    async def picky(firing: Firing, due: Any) -> None:
        if any(timer.subject_id == bad for timer in due):
            raise ZeroDivisionError
        seen.extend(due)

    database = app.state.services.database
    async with unit_of_work(database, sandbox.org_id, REAL) as uow:
        await set_timers(uow, "test", {bad: REAL.now(), good: REAL.now()})
    timers = timers_of(app, job_settings, handlers={"test": picky})
    assert await timers.fire(sandbox.org_id) == 1
    assert [timer.subject_id for timer in seen] == [good]
    assert await timers.fire(sandbox.org_id) == 0  # put off, not lost
    async with unit_of_work(database, sandbox.org_id, REAL) as uow:
        statement = Statement("SELECT attempts FROM timers WHERE org_id = $1 AND subject_id = $2", ("org_id", "id"))
        assert await uow.fetch_value(statement, {"org_id": sandbox.org_id, "id": bad}) == 1
        await clear_timers(uow, "test", [bad])
    assert {REMIND, "jobs.forget"} <= set(HANDLERS)
