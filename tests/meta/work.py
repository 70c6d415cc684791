"""Doing the jobs that follow changes of the schema, here and now."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from crm_api.db.uow import unit_of_work
from crm_api.flows.organizations import organization_info
from crm_api.jobs import claims
from crm_api.jobs.tasks import TASKS, Run
from tests.api import Api


async def done(api: Api, job_id: str) -> dict[str, Any]:
    """The job once it has ended; this process does the work."""
    services = api.app.state.services
    for _ in range(200):
        found: dict[str, Any] = await api.ok("GET", f"/v1/jobs/{job_id}")
        if found["status"] not in ("queued", "running"):
            return found
        async with unit_of_work(services.database, api.org_id, services.clock) as uow:
            await organization_info(uow)
            job = await claims.claim(uow)
        if job is None:
            await asyncio.sleep(0.05)  # it waits for its time
        else:
            await TASKS[job.type](Run(job, services.database, services.clock, services.engine, Path(".crm")))
    raise AssertionError(found)


async def field(api: Api, object_name: str, api_name: str, type_: str, **more: Any) -> dict[str, Any]:
    """A new field."""
    body = {"api_name": api_name, "type": type_, **more}
    found: dict[str, Any] = await api.ok("POST", f"/v1/meta/{object_name}/fields", json=body, status=201)
    return found


async def make_object(api: Api, api_name: str, singular: str, **more: Any) -> dict[str, Any]:
    """A new object."""
    body = {"api_name": api_name, "singular": singular, "label": singular.capitalize(), **more}
    found: dict[str, Any] = await api.ok("POST", "/v1/meta/objects", json=body, status=201)
    return found


def options(*keys: str) -> list[dict[str, Any]]:
    """Choices with these keys."""
    return [{"key": key, "label": key.capitalize()} for key in keys]
