"""The worker's part in sandboxes: filling, refilling and removing them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from crm_api.db.uow import unit_of_work
from crm_api.flows.sandboxes import service
from crm_api.flows.sandboxes.catching_up import catch_up
from crm_api.flows.sandboxes.copying import Copy
from crm_api.flows.sandboxes.masking import Masker
from crm_api.flows.sandboxes.progress import Progress
from crm_api.flows.sandboxes.removal import empty, forget
from crm_api.flows.sandboxes.selection import choose
from crm_api.flows.sandboxes.service import Sandbox
from crm_api.jobs import claims
from crm_api.jobs.claims import Standing
from crm_api.kernel import journal

if TYPE_CHECKING:
    from crm_api.jobs.tasks import Run

_COPY: Final = "copy"
"""Member of the job's result: how far the copy has come."""


async def run_sandbox(run: Run) -> None:
    """Fills a sandbox, or removes it. A full copy that an attempt before this one has begun goes on where that stopped."""
    sandbox_id = UUID(run.job.request["sandbox_id"])
    async with unit_of_work(run.database, run.job.org_id, run.clock, read_only=True) as uow:
        sandbox = await service.get(uow, sandbox_id)
    result: dict[str, Any] = {"sandbox_id": str(sandbox_id)}
    done = 0
    if run.job.request["action"] == "delete":
        await _empty(run, sandbox_id, tokens=True)
        await forget(run.database, run.clock, sandbox_id)
        async with run.context() as context:
            await service.gone(context.uow, sandbox_id)
    else:
        copy = await _fill(run, sandbox)
        result["rows"], done = copy.rows, copy.done
        async with run.context() as context:
            await service.ready(context.uow, sandbox_id)
    await run.finish("succeeded", Standing(0, done, 0, done, result))


async def _fill(run: Run, sandbox: Sandbox) -> Copy:
    async with unit_of_work(run.database, run.job.org_id, run.clock) as uow:
        kept = (await claims.standing(uow, run.job)).result.get(_COPY)
        head = (await journal.number(uow)).head
    progress = None if kept is None or sandbox.copy != "full" else Progress.of(kept)
    if progress is None:
        await _empty(run, sandbox.id)
    async with run.context(read_only=True, snapshot=True) as context:
        size = {"metadata": 0, "sample": sandbox.sample_size or 0}.get(sandbox.copy)
        copy = Copy(
            context,
            run.database,
            run.clock,
            sandbox.id,
            sandbox.remap,
            None if sandbox.mask is None else Masker(sandbox.secret),
            sandbox.mask or {},
            None if size is None else await choose(context, size),
            sandbox.user_id,
            lambda told: _told(run, told),
            head,
        )
        if progress is not None:
            if await catch_up(copy, progress):
                copy.resume(progress)
            else:
                await _empty(run, sandbox.id)
        await copy.run()
    return copy


async def _empty(run: Run, sandbox_id: UUID, *, tokens: bool = False) -> None:
    async def guard(done: int) -> None:
        await _told(run, None)

    await empty(run.database, run.clock, sandbox_id, guard, tokens=tokens)


async def _told(run: Run, progress: Progress | None) -> None:
    """Keeps how far the copy has come. Raises Fenced if somebody else does the job by now."""
    async with unit_of_work(run.database, run.job.org_id, run.clock) as uow:
        standing = await claims.standing(uow, run.job)
        if progress is not None:
            after = replace(standing, done=progress.done, result={**standing.result, _COPY: progress.json()})
            if after.done > standing.done:
                await claims.advance(uow, run.job, after, [])
            else:
                await claims.note(uow, run.job, after)
