"""Forgetting jobs seven days after their end, with their errors and files."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.flows.snapshots import job_folder

FORGET: Final = "jobs.forget"
"""The kind of timer whose subject is a job that has ended."""

_FORGET: Final = Statement("DELETE FROM jobs WHERE org_id = $1 AND id = ANY($2::uuid[]) AND expires_at <= $3", ("org_id", "ids", "now"))


async def forget_jobs(uow: Uow, data_dir: Path, ids: Sequence[UUID]) -> None:
    """Removes jobs past their time: first their files, so that no file outlives what knows of it."""
    for job_id in ids:
        await asyncio.to_thread(shutil.rmtree, job_folder(data_dir, uow.org_id, job_id), ignore_errors=True)
    await uow.fetch(_FORGET, {"org_id": uow.org_id, "ids": list(ids), "now": uow.now})
