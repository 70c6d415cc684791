"""Forgetting jobs seven days after their end, with their errors and files."""

from __future__ import annotations

import asyncio
import shutil
from datetime import timedelta
from typing import Final

from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work
from crm_api.flows.snapshots import job_folder
from crm_api.jobs.sweeps import Jobs, Sweep, organizations

_AT_ONCE: Final = 100
_OLD: Final = Statement("SELECT id FROM jobs WHERE org_id = $1 AND expires_at < $2 ORDER BY id LIMIT $3", ("org_id", "now", "limit"))
_FORGET: Final = Statement("DELETE FROM jobs WHERE org_id = $1 AND id = ANY($2::uuid[])", ("org_id", "ids"))


async def expire_jobs(jobs: Jobs) -> None:
    """Removes jobs past their time: first their files, so that no file outlives what knows of it."""
    now = jobs.clock.now()
    async for org_id in organizations(jobs):
        while True:
            async with unit_of_work(jobs.database, org_id, jobs.clock) as uow:
                ids = [row["id"] for row in await uow.fetch(_OLD, {"org_id": org_id, "now": now, "limit": _AT_ONCE})]
                for job_id in ids:
                    await asyncio.to_thread(shutil.rmtree, job_folder(jobs.data_dir, org_id, job_id), ignore_errors=True)
                if ids:
                    await uow.fetch(_FORGET, {"org_id": org_id, "ids": ids})
            if len(ids) < _AT_ONCE:
                break


EXPIRE_JOBS: Final = Sweep("expire_jobs", timedelta(hours=1), expire_jobs)
