"""The worker's part in privacy: erasing people step by step, and writing what is known of them into a file."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from crm_api.db.uow import unit_of_work
from crm_api.flows.privacy import erasing, exporting
from crm_api.flows.privacy.erasing import Search
from crm_api.flows.privacy.people import People
from crm_api.flows.privacy.work import Work, unlimited
from crm_api.flows.snapshots import job_folder
from crm_api.jobs import claims
from crm_api.jobs.claims import Standing
from crm_api.jobs.steps import persistently

if TYPE_CHECKING:
    from crm_api.jobs.tasks import Run


async def run_erase(run: Run) -> None:
    """Takes step after step, each in a transaction of its own; ends for now where it has to wait for other jobs."""
    found: int | None = None
    while True:
        standing = await persistently(partial(_next, run, found))
        if standing is None:
            return
        if isinstance(standing, Search):
            found = await standing.run()
            continue
        if "stage" not in standing.result:
            await run.finish("succeeded", replace(standing, total=standing.done))
            return


async def _next(run: Run, files: int | None) -> Standing | Search | None:
    """Takes one step; how the job stands then, None if it has to wait, or what has to be looked for before it can go on."""
    job = run.job
    async with run.context(action="privacy.erase") as context:
        standing = await claims.standing(context.uow, job)
        kept: dict[str, Any] = standing.result
        if "people" not in kept:  # the last step was taken, and the job not ended yet
            return standing
        work = Work(
            unlimited(context),
            run.engine,
            job.id,
            job.request,
            People.read(kept["people"]),
            run.data_dir,
            bool(job.request["dry_run"]),
            dict(kept.get("state", {})),
            Counter(kept.get("counts", {})),
            files,
        )
        begun = kept.get("stage", "remember")
        before = await erasing.search(work, begun)
        if before is not None:
            return before
        stage, wait_s = await erasing.take(work, begun)
        if stage is None:
            if not work.dry_run:
                erasing.conclude(work)
            result = await erasing.outcome(work)
        else:
            result = {"stage": stage, "people": work.people.json(), "state": work.state, "counts": dict(work.counts)}
        done = sum(work.counts.values())
        after = replace(standing, position=standing.position + 1, done=done, result=result)
        await claims.advance(context.uow, job, after, [])
        if wait_s:
            await claims.renew(context.uow, job, seconds=wait_s)
    return None if wait_s else after


async def run_export(run: Run) -> None:
    """Writes the file anew, into a folder of this attempt."""
    job = run.job
    folder = job_folder(run.data_dir, job.org_id, job.id)

    async def progress(done: int) -> None:
        async with unit_of_work(run.database, job.org_id, run.clock) as uow:
            await claims.report(uow, job, done, None)

    async with run.context(action="privacy.export") as context:
        standing = await claims.standing(context.uow, job)
    people = People.read(standing.result["people"])
    async with run.context(read_only=True, snapshot=True) as context:
        result = await exporting.write(unlimited(context), people, job.request["match_on"], folder / str(job.attempt), progress)
    for file in result["files"]:
        file["url"] = f"/v1/files/privacy/{job.id}/{file['name']}"
    rows = sum(result["rows"].values())
    await run.finish("succeeded", Standing(0, rows, 0, rows, result))
    await exporting.remove_others(folder, str(job.attempt))
