"""The worker's part in jobs: looks for due ones, takes them, keeps their leases and runs them.

PostgreSQL holds everything; a wake-up only makes the next look come sooner. It looks every two seconds anyway, which finds
jobs whose wake-up got lost and those whose worker died (their lease runs out).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Final
from uuid import UUID

import structlog

from crm_api.core.clock import Clock
from crm_api.core.errors import Problem
from crm_api.db.engine import Database
from crm_api.db.uow import unit_of_work
from crm_api.flows.organizations import organization_info
from crm_api.jobs import claims
from crm_api.jobs.claims import HEARTBEAT_S, MAX_TRIES, Claimed, Fenced
from crm_api.jobs.tasks import TASKS, Run, Task, give_up
from crm_api.kernel.engine import Engine

SWEEP_S: Final = 2.0
AT_ONCE: Final = 3
"""Jobs that one worker runs at once, of different organisations."""

_LEAST_PAUSE_S: Final = 0.2  # news of an organisation are mostly not about jobs

log = structlog.get_logger("crm_api.jobs")


class Runner:
    """Runs jobs until cancelled; what runs then is given back at once."""

    def __init__(
        self, database: Database, clock: Clock, engine: Engine, data_dir: Path, *, tasks: Mapping[str, Task] = TASKS, at_once: int = AT_ONCE
    ) -> None:
        self._database = database
        self._clock = clock
        self._engine = engine
        self._data_dir = data_dir
        self._tasks = tasks
        self._at_once = at_once
        self._woken = asyncio.Event()
        self._busy: dict[UUID, asyncio.Task[None]] = {}

    @property
    def busy(self) -> tuple[UUID, ...]:
        """The organisations whose jobs run here."""
        return tuple(self._busy)

    def wake(self, org_id: UUID | None) -> None:
        """There may be something to do."""
        self._woken.set()

    async def run(self) -> None:
        """Works until cancelled."""
        try:
            while True:
                self._woken.clear()
                started = monotonic()
                try:
                    await self.step()
                except Exception as error:
                    log.warning("jobs_not_looked_for", error=repr(error))
                try:
                    async with asyncio.timeout(SWEEP_S):
                        await self._woken.wait()
                except TimeoutError:
                    continue
                await asyncio.sleep(max(0.0, _LEAST_PAUSE_S - (monotonic() - started)))
        finally:
            running = list(self._busy.values())
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def step(self) -> int:
        """Takes what is due, as far as there is room, and begins with it; tells how many jobs that were."""
        if len(self._busy) >= self._at_once:
            return 0
        async with self._database.connection() as connection:
            waiting = await claims.organizations_due(connection)
        begun = 0
        for org_id in waiting:
            if len(self._busy) >= self._at_once:
                break
            if org_id in self._busy:
                continue
            async with unit_of_work(self._database, org_id, self._clock) as uow:
                await organization_info(uow)  # by whose time the job begins
                job = await claims.claim(uow)
            if job is not None:
                begun += 1
                self._busy[org_id] = asyncio.create_task(self._work(job), name=f"job {job.id}")
        return begun

    async def settle(self) -> None:
        """Waits until nothing runs here."""
        while self._busy:
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def _work(self, job: Claimed) -> None:
        run = Run(job, self._database, self._clock, self._engine, self._data_dir)
        began = monotonic()
        working = asyncio.create_task(self._attempt(run))
        beating = asyncio.create_task(self._keep(job, working))
        try:
            await working
            log.info("job_ended", job=str(job.id), type=job.type, attempt=job.attempt, seconds=round(monotonic() - began, 3))
        except Fenced:
            log.info("job_lost", job=str(job.id), attempt=job.attempt)
        except asyncio.CancelledError:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await self._give_back(job, 0)
        except Exception as error:
            log.warning("job_interrupted", job=str(job.id), attempt=job.attempt, error=repr(error))
            await self._give_back(job, min(2.0**job.tries, 60))
        finally:
            beating.cancel()
            self._busy.pop(job.org_id, None)
            self._woken.set()

    async def _attempt(self, run: Run) -> None:
        task = self._tasks.get(run.job.type)
        if task is None or run.job.tries > MAX_TRIES:
            await give_up(run, LookupError(run.job.type) if task is None else TimeoutError())
            return
        try:
            await task(run)
        except Problem as problem:
            await give_up(run, problem)

    async def _keep(self, job: Claimed, working: asyncio.Task[None]) -> None:
        """Renews the lease while the job runs; stops the work if it has become somebody else's."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            try:
                async with unit_of_work(self._database, job.org_id, self._clock) as uow:
                    await claims.renew(uow, job)
            except Fenced:
                # The work itself finds out before its next write; this only spares it the way there.
                working.cancel()
                return
            except Exception as error:
                log.warning("lease_not_renewed", job=str(job.id), error=repr(error))

    async def _give_back(self, job: Claimed, seconds: float) -> None:
        """Makes an interrupted job due again, for whoever comes next. If that fails its lease runs out."""
        try:
            async with asyncio.timeout(2), unit_of_work(self._database, job.org_id, self._clock) as uow:
                await claims.renew(uow, job, seconds=seconds)
        except Exception as error:
            log.info("job_not_given_back", job=str(job.id), error=repr(error))
