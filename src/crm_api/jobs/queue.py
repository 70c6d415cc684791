"""The queue: arq behind our own names. The only file that imports it.

arq schedules and wakes; what there is to do stands in PostgreSQL. It gives up when Valkey goes away, so it is started again
whenever Valkey is there, and while it is not, the sweeps are run by a plain clock.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, timedelta
from time import monotonic
from typing import Any, Final

import structlog
from arq.connections import RedisSettings
from arq.cron import CronJob, cron
from arq.worker import Worker
from redis.exceptions import RedisError

from crm_api.jobs.sweeps import Jobs, Sweep

_LAST_PAUSE_S: Final = 5.0
_TICK_S: Final = 30.0
QUEUE: Final = "crm:jobs"

log = structlog.get_logger("crm_api.queue")


class Queue:
    """Runs the sweeps on their hours until cancelled; `url` is None where there is no Valkey."""

    def __init__(self, url: str | None, jobs: Jobs, sweeps: Sequence[Sweep]) -> None:
        self._url = url
        self._jobs = jobs
        self._sweeps = sweeps
        self._last: dict[str, float] = {}
        self.up = False

    async def run(self) -> None:
        """Works until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick())
            if self._url is not None:
                group.create_task(self._serve(self._url))

    async def _serve(self, url: str) -> None:
        pause = 0.5
        logging.getLogger("arq").setLevel(logging.WARNING)
        while True:
            worker = self._worker(url)
            try:
                serving = asyncio.create_task(worker.main())
                await asyncio.sleep(0)
                self.up = True
                pause = 0.5
                await serving
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("queue_lost", error=repr(error))
            finally:
                self.up = False
                await _stop(worker, serving)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LAST_PAUSE_S)

    def _worker(self, url: str) -> Worker:
        settings = RedisSettings.from_dsn(url)
        settings.conn_retries = 0
        return Worker(
            functions=[],
            cron_jobs=[_cron(sweep, self._runner(sweep)) for sweep in self._sweeps],
            redis_settings=settings,
            queue_name=QUEUE,
            handle_signals=False,
            keep_result=0,
            job_timeout=600,
            max_jobs=10,
            timezone=UTC,
            log_results=False,
        )

    def _runner(self, sweep: Sweep) -> Callable[[dict[Any, Any]], Awaitable[None]]:
        async def run(_: dict[Any, Any]) -> None:
            await self._sweep(sweep)

        return run

    async def _sweep(self, sweep: Sweep) -> None:
        self._last[sweep.name] = monotonic()
        started = monotonic()
        try:
            await sweep.run(self._jobs)
            log.info("swept", sweep=sweep.name, seconds=round(monotonic() - started, 3))
        except Exception as error:
            log.warning("sweep_failed", sweep=sweep.name, error=repr(error))

    async def _tick(self) -> None:
        """Runs what is due and what arq did not run: at the start, and while Valkey is away."""
        while True:
            for sweep in self._sweeps:
                last = self._last.get(sweep.name)
                if last is None or (not self.up and monotonic() - last >= sweep.every.total_seconds()):
                    await self._sweep(sweep)
            await asyncio.sleep(_TICK_S)


def _cron(sweep: Sweep, run: Callable[[dict[Any, Any]], Awaitable[None]]) -> CronJob:
    hours = sweep.every // timedelta(hours=1)
    if not 1 <= hours <= 24 or 24 % hours:
        raise ValueError("a sweep runs every 1, 2, 3, 4, 6, 8, 12 or 24 hours")
    return cron(run, name=sweep.name, hour=set(range(0, 24, hours)), minute=7, second=30)  # type: ignore[arg-type]  # arq types a protocol, and takes any coroutine function


async def _stop(worker: Worker, serving: asyncio.Task[None]) -> None:
    serving.cancel()
    with suppress(BaseException):
        await serving
    with suppress(RedisError, OSError, TimeoutError, asyncio.CancelledError):
        async with asyncio.timeout(2):
            await worker.close()
