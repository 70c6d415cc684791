"""What each type of job does. A task may be cut off anywhere and run again, by this worker or another."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from crm_api.core.clock import Clock
from crm_api.core.errors import Problem
from crm_api.db.engine import Database
from crm_api.db.uow import Cause, Uow, unit_of_work
from crm_api.flows import bulk, revaluation, snapshots
from crm_api.flows.metadata.requests import SCHEMA
from crm_api.flows.organizations import organization_info
from crm_api.flows.privacy.requests import ERASE, EXPORT
from crm_api.flows.sandboxes.service import SANDBOX
from crm_api.jobs import claims
from crm_api.jobs.claims import Claimed, Standing
from crm_api.jobs.keys import ROTATE_KEYS, run_rotation
from crm_api.jobs.people import hand_over_records
from crm_api.jobs.privacy import run_erase, run_export
from crm_api.jobs.sandboxes import run_sandbox
from crm_api.jobs.schema import run_schema
from crm_api.jobs.segments import REFRESH_SEGMENT, run_refresh
from crm_api.jobs.steps import until_done
from crm_api.jobs.store import CHUNK, Status
from crm_api.jobs.territories import RUN_TERRITORIES, run_territories
from crm_api.jobs.webhooks.replay import REPLAY, run_replay
from crm_api.kernel import journal
from crm_api.kernel.access.rights import EVERYTHING, NOTHING
from crm_api.kernel.context import Context
from crm_api.kernel.engine import Engine
from crm_api.kernel.exchange import JOB as REVALUE
from crm_api.kernel.exchange import barrier
from crm_api.kernel.principal import Principal
from crm_api.resources.users.rules import HAND_OVER

BULK: Final = "bulk"
SNAPSHOT: Final = "snapshot"


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt at a job: the job, and what it works with. `data_dir` is where its files go."""

    job: Claimed
    database: Database
    clock: Clock
    engine: Engine
    data_dir: Path

    @asynccontextmanager
    async def context(self, *, action: str | None = None, read_only: bool = False, snapshot: bool = False) -> AsyncIterator[Context]:
        """A transaction as the caller who asked for the job, with the rights that the caller's token had."""
        kept = self.job.principal
        cause = Cause(
            action=action,
            request_id=kept["request_id"],
            app_id=_uuid(kept["app_id"]),
            token_id=_uuid(kept["token_id"]),
            job_id=self.job.id,
        )
        async with unit_of_work(
            self.database, self.job.org_id, self.clock, actor=self.job.actor, cause=cause, read_only=read_only, snapshot=snapshot
        ) as uow:
            yield await self.engine.context(await self._principal(uow), uow)

    async def _principal(self, uow: Uow) -> Principal:
        kept = self.job.principal
        return Principal(
            await organization_info(uow),
            UUID(kept["user_id"]),
            UUID(kept["token_id"]),
            kept["token_name"],
            frozenset(kept["scopes"]),
            self.job.actor,
            _uuid(kept["app_id"]),
            kept["api_version"],
            rights=EVERYTHING if kept["user_id"] == str(self.job.org_id) else NOTHING,  # a user's are found with the context
            token_fields=_fields(kept.get("token_fields")),
        )

    async def finish(self, status: Status, standing: Standing) -> None:
        """Ends the job. Raises Fenced."""
        async with self.context() as context:
            await claims.finish(context, self.job, status, standing)


Task = Callable[[Run], Awaitable[None]]


def _fields(kept: Mapping[str, list[str]] | None) -> Mapping[str, frozenset[str]] | None:
    return None if kept is None else {name: frozenset(fields) for name, fields in kept.items()}


def _uuid(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


async def run_bulk(run: Run) -> None:
    """Changes the job's records chunk by chunk. The pointer to the next chunk moves in the transaction that does a chunk."""
    wanted = bulk.Bulk.of(run.job.request)
    standing = await until_done(lambda: _next_chunk(run, wanted))
    status: Status = "succeeded" if not standing.failed else "failed" if standing.failed == standing.total else "partly_failed"
    await run.finish(status, standing)


async def _next_chunk(run: Run, wanted: bulk.Bulk) -> Standing | None:
    """Does one chunk; where there is none left, how the job stands."""
    job = run.job
    async with run.context(action=f"{wanted.object}.{wanted.action}") as context:
        standing = await claims.standing(context.uow, job)
        ids = await claims.chunk(context.uow, job, standing.position)
        if ids is None:
            return standing
        done = await bulk.perform(context, run.engine, wanted, ids)
        first = standing.position * CHUNK
        errors = [
            {"position": first + index, "record_id": ids[index], "error": problem.to_dict()} for index, problem in done.problems.items()
        ]
        counts = {name: standing.result.get(name, 0) + count for name, count in done.outcomes.items()}
        after = replace(
            standing,
            position=standing.position + 1,
            done=standing.done + len(ids),
            failed=standing.failed + len(errors),
            result={**standing.result, **counts},
        )
        await claims.advance(context.uow, job, after, errors)
    return None


async def run_snapshot(run: Run) -> None:
    """Writes the files anew, into a folder of this attempt, so that a worker thought dead can't spoil them."""
    job = run.job
    folder = snapshots.job_folder(run.data_dir, job.org_id, job.id)
    async with unit_of_work(run.database, job.org_id, run.clock) as uow:
        await journal.number(uow)

    async def progress(done: int, total: int) -> None:
        async with unit_of_work(run.database, job.org_id, run.clock) as uow:
            await claims.report(uow, job, done, total)

    async with run.context(read_only=True, snapshot=True) as context:
        result = await snapshots.write(context, job.request["objects"], job.request["deleted"], folder / str(job.attempt), progress)
    for file in result["files"]:
        file["url"] = f"/v1/files/snapshots/{job.id}/{file['object']}.ndjson"
    rows = sum(file["rows"] for file in result["files"])
    await run.finish("succeeded", Standing(0, rows, 0, rows, result))
    await asyncio.to_thread(_remove_others, folder, str(job.attempt))


def _remove_others(folder: Path, kept: str) -> None:
    for found in folder.iterdir():
        if found.name != kept:
            shutil.rmtree(found, ignore_errors=True)


async def run_revalue(run: Run) -> None:
    """Values amounts anew, some records in each transaction; where the next ones begin is kept with the job."""
    async with run.context() as context:
        await barrier(context)
    standing = await until_done(lambda: _next_step(run))
    await run.finish("succeeded", replace(standing, total=standing.done, result={"changed": standing.result.get("changed", 0)}))


async def _next_step(run: Run) -> Standing | None:
    """Does one step; where there is none left, how the job stands."""
    job = run.job
    async with run.context(action="exchange_rates.revalue") as context:
        standing = await claims.standing(context.uow, job)
        result = standing.result
        if result.get("through"):
            return standing
        kept = result.get("place")
        place = revaluation.first(context) if kept is None else revaluation.Place(kept[0], UUID(kept[1]))
        if place is None:
            return standing
        done = await revaluation.step(context, run.engine, place, job.request["currencies"])
        following = done.next
        result = {"changed": result.get("changed", 0) + done.changed}
        result |= {"through": True} if following is None else {"place": [following.object, str(following.after)]}
        after = replace(standing, position=standing.position + 1, done=standing.done + done.looked_at, result=result)
        await claims.advance(context.uow, job, after, [])
    return None


TASKS: Final[Mapping[str, Task]] = {
    HAND_OVER: hand_over_records,
    SCHEMA: run_schema,
    BULK: run_bulk,
    REVALUE: run_revalue,
    SNAPSHOT: run_snapshot,
    REFRESH_SEGMENT: run_refresh,
    RUN_TERRITORIES: run_territories,
    SANDBOX: run_sandbox,
    EXPORT: run_export,
    ERASE: run_erase,
    ROTATE_KEYS: run_rotation,
    REPLAY: run_replay,
}


async def give_up(run: Run, error: BaseException) -> None:
    """Ends a job that can't be done."""
    problem: dict[str, Any] = error.to_dict() if isinstance(error, Problem) else {"code": "internal_error", "title": "The job failed."}
    async with run.context() as context:
        standing = await claims.standing(context.uow, run.job)
    kept = {name: value for name, value in standing.result.items() if name != "people"}  # whom it was about is nobody's business now
    await run.finish("failed", replace(standing, result={**kept, "error": problem}))
