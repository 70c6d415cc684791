"""Waiting for jobs, and records in numbers."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

from crm_api.core.clock import SystemClock
from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work
from tests.api import Api

FINAL = ("succeeded", "partly_failed", "failed", "cancelled")


async def finished(api: Api, job: dict[str, Any], seconds: float = 60) -> dict[str, Any]:
    """The job once it has ended."""
    started = monotonic()
    while monotonic() - started < seconds:
        found: dict[str, Any] = await api.ok("GET", f"/v1/jobs/{job['id']}")
        if found["status"] in FINAL:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"not ended after {seconds} s: {found}")


async def make_contacts(api: Api, count: int, **more: Any) -> list[dict[str, Any]]:
    """Contacts in batches."""
    made: list[dict[str, Any]] = []
    for start in range(0, count, 200):
        items = [{"last_name": f"Person {number}", **more} for number in range(start, min(start + 200, count))]
        answer = await api.ok("POST", "/v1/contacts/batch/create", json={"items": items}, status=207)
        assert all(result["status"] == 201 for result in answer["results"]), answer
        made += [result["record"] for result in answer["results"]]
    return made


async def bulk(api: Api, name: str, **body: Any) -> dict[str, Any]:
    """A bulk job, accepted."""
    job: dict[str, Any] = await api.ok("POST", f"/v1/{name}/bulk", json=body, status=202)
    assert (job["object"], job["type"]) == ("jobs", "bulk")
    return job


async def events(api: Api, **params: Any) -> list[dict[str, Any]]:
    """All events, from the beginning."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await api.ok("GET", "/v1/events", params={"limit": 1000, **params, **({"cursor": cursor} if cursor else {})})
        found += page["data"]
        if not page["page"]["has_more"]:
            return found
        cursor = page["page"]["next_cursor"]


async def let_leases_run_out(api: Api) -> None:
    """As if the fifteen seconds were over after which a job that nobody is heard of is anybody's."""
    statement = Statement("UPDATE job_due SET due_at = now() - interval '1 second' WHERE org_id = $1", ("org_id",))
    async with unit_of_work(api.app.state.services.database, api.org_id, SystemClock()) as uow:
        await uow.fetch(statement, {"org_id": api.org_id})
