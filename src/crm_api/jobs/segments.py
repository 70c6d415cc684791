"""The job that brings a dynamic segment up to date."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from crm_api.flows import segments
from crm_api.jobs import claims

if TYPE_CHECKING:
    from crm_api.jobs.tasks import Run

REFRESH_SEGMENT: Final = "refresh_segment"
_MOST_STEPS: Final = 10_000


async def run_refresh(run: Run) -> None:
    """Works step by step, each in a transaction of its own; what was done stays done if it is cut off."""
    job = run.job
    segment_id = UUID(job.request["segment_id"])
    for _ in range(_MOST_STEPS):
        async with run.context(action="segments.refresh") as context:
            standing = await claims.standing(context.uow, job)
            left = await segments.refresh(context, segment_id)
            members = 0 if left is None else left.total
            after = replace(standing, position=standing.position + 1, done=members, result={"members": members})
            await claims.advance(context.uow, job, after, [])
        if left is None or not (left.added or left.removed):
            break
    await run.finish("succeeded", replace(after, total=members))
