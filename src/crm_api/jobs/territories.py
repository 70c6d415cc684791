"""The job that puts records into territories."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from crm_api.flows import territories
from crm_api.flows.territories import Place
from crm_api.jobs import claims
from crm_api.jobs.claims import Standing
from crm_api.jobs.steps import until_done

if TYPE_CHECKING:
    from crm_api.jobs.tasks import Run

RUN_TERRITORIES: Final = "run_territories"
_COUNTED: Final = ("added", "changed", "removed")


async def run_territories(run: Run) -> None:
    """Works step by step, each in a transaction of its own; what was done stays done if it is cut off."""
    standing = await until_done(lambda: _next(run))
    counts = {name: standing.result.get(name, 0) for name in _COUNTED}
    await run.finish("succeeded", replace(standing, total=standing.done, result=counts))


async def _next(run: Run) -> Standing | None:
    """Does one step; where there is none left, how the job stands."""
    job = run.job
    async with run.context(action="territories.run") as context:
        standing = await claims.standing(context.uow, job)
        kept = standing.result
        if kept.get("through"):
            return standing
        done = await territories.step(context, job.request["objects"], Place.of(kept.get("place")))
        counts = {name: kept.get(name, 0) + getattr(done, name) for name in _COUNTED}
        if done.next is None:
            await territories.finish(context, counts)
        result = {**counts, **({"through": True} if done.next is None else {"place": done.next.json()})}
        after = replace(standing, position=standing.position + 1, done=sum(counts.values()), result=result)
        await claims.advance(context.uow, job, after, [])
    return None
