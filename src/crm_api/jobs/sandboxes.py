"""The worker's part in sandboxes: filling, refilling and removing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from crm_api.db.uow import unit_of_work
from crm_api.flows.sandboxes import service
from crm_api.flows.sandboxes.copying import Copy
from crm_api.flows.sandboxes.masking import Masker
from crm_api.flows.sandboxes.removal import empty, forget
from crm_api.flows.sandboxes.selection import choose
from crm_api.jobs import claims
from crm_api.jobs.claims import Standing

if TYPE_CHECKING:
    from crm_api.jobs.tasks import Run


async def run_sandbox(run: Run) -> None:
    """Fills a sandbox, or removes it. Whatever an attempt before this one left in it is removed first."""
    sandbox_id = UUID(run.job.request["sandbox_id"])

    async def guard(done: int) -> None:
        async with unit_of_work(run.database, run.job.org_id, run.clock) as uow:
            await claims.report(uow, run.job, done, None)

    async with unit_of_work(run.database, run.job.org_id, run.clock, read_only=True) as uow:
        sandbox = await service.get(uow, sandbox_id)
    deleting = run.job.request["action"] == "delete"
    await empty(run.database, run.clock, sandbox_id, guard, tokens=deleting)
    result: dict[str, Any] = {"sandbox_id": str(sandbox_id)}
    done = 0
    if deleting:
        await forget(run.database, run.clock, sandbox_id)
        async with run.context() as context:
            await service.gone(context.uow, sandbox_id)
    else:
        async with run.context(read_only=True, snapshot=True) as context:
            size = {"metadata": 0, "sample": sandbox.sample_size or 0}.get(sandbox.copy)
            copy = Copy(
                context,
                run.database,
                run.clock,
                sandbox_id,
                sandbox.remap,
                None if sandbox.mask is None else Masker(sandbox.secret),
                sandbox.mask or {},
                None if size is None else await choose(context, size),
                sandbox.user_id,
                guard,
            )
            result["rows"] = await copy.run()
            done = copy.done
        async with run.context() as context:
            await service.ready(context.uow, sandbox_id)
    await run.finish("succeeded", Standing(0, done, 0, done, result))
