"""Work that follows a change of an organisation's schema, step by step; how far it has come stands with the job."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import crm_api.flows.metadata.pipelines  # noqa: F401  registers what prepares objects for pipelines
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.flows.metadata.work import Step, Work, step
from crm_api.jobs import claims
from crm_api.jobs.claims import Standing
from crm_api.jobs.steps import persistently
from crm_api.jobs.store import Status

if TYPE_CHECKING:
    from crm_api.jobs.tasks import Run

# By the clock that leases go by: that of a worker may differ from another's.
_NOW: Final = Statement("SELECT extract(epoch FROM now())::float8", ())


async def run_schema(run: Run) -> None:
    """Does step after step, each in a transaction of its own, until there is none left or time has to pass before the next."""
    while True:
        taken = await persistently(lambda: _next(run))
        if isinstance(taken, Standing):
            await run.finish(_status(taken), replace(taken, total=taken.done, result=_shown(taken)))
            return
        if taken.wait_s > 0:
            return


async def _next(run: Run) -> Step | Standing:
    """Takes one step; how the job stands, if that was the last."""
    job = run.job
    async with run.context(action=f"meta.{job.request['action']}") as context:
        standing = await claims.standing(context.uow, job)
        kept: dict[str, Any] = standing.result
        state = kept.get("state", {})
        if kept.get("through"):
            return standing
        early = float(kept.get("not_before", 0)) - await _now(context.uow)
        if early > 0:
            await claims.renew(context.uow, job, seconds=early)
            return Step(state, wait_s=early)
        taken = await step(Work(context, run.engine, job.id, job.request, state))
        result: dict[str, Any] = {"state": dict(taken.state), "errors": [*kept.get("errors", ()), *taken.errors]}
        if taken.finished:
            result["through"] = True
        if taken.wait_s > 0:
            result["not_before"] = await _now(context.uow) + taken.wait_s
        errors = [
            {"position": standing.done + index, "record_id": record_id, "error": problem.to_dict()}
            for index, (record_id, problem) in enumerate(taken.problems.items())
        ]
        after = replace(
            standing,
            position=standing.position + 1,
            done=standing.done + taken.done,
            failed=standing.failed + len(errors),
            result=result,
        )
        await claims.advance(context.uow, job, after, errors)
        if taken.wait_s > 0:
            await claims.renew(context.uow, job, seconds=taken.wait_s)
    return taken


async def _now(uow: Uow) -> float:
    return float(await uow.fetch_value(_NOW, {}))


def _status(standing: Standing) -> Status:
    if standing.result.get("errors"):
        return "failed"
    return "partly_failed" if standing.failed else "succeeded"


def _shown(standing: Standing) -> dict[str, Any]:
    errors = standing.result.get("errors")
    return {"records": standing.done, **({"errors": errors} if errors else {})}
