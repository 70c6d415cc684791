"""The job that sends events again, a stretch of the journal in each transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from crm_api.flows.webhooks.replay import Replay, stretch
from crm_api.jobs import claims
from crm_api.jobs.claims import Standing
from crm_api.jobs.steps import until_done
from crm_api.kernel.journal import decode_events_cursor

if TYPE_CHECKING:
    from crm_api.jobs.tasks import Run

REPLAY: Final = "replay_webhooks"


async def run_replay(run: Run) -> None:
    """Goes through the journal; where the next stretch begins is kept with the job, in the transaction that sends one."""
    standing = await until_done(lambda: _next(run))
    await run.finish("succeeded", replace(standing, total=standing.done, result={"deliveries": standing.done}))


async def _next(run: Run) -> Standing | None:
    job = run.job
    asked = asked_of(job.org_id, job.request)
    async with run.context(action="webhook_endpoints.replay") as context:
        standing = await claims.standing(context.uow, job)
        after = int(standing.result.get("after", asked.after))
        if after >= asked.until:
            return standing
        sent, after = await stretch(context, run.engine, asked, after, str(job.request["api_version"]))
        following = replace(standing, position=standing.position + 1, done=standing.done + sent, result={"after": after})
        await claims.advance(context.uow, job, following, [])
    return None


def asked_of(org_id: UUID, request: Any) -> Replay:
    """What a job's request asks for."""
    after, until = (decode_events_cursor(org_id, request[name]) for name in ("cursor", "until"))
    types = request.get("event_types")
    return Replay(UUID(request["endpoint_id"]), after, until, request["only"], None if types is None else tuple(types))
