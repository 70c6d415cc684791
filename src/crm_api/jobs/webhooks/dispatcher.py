"""Makes deliveries as the journal grows. It holds no state: any number of workers may do so beside each other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final
from uuid import UUID

import structlog

from crm_api.core.clock import Clock
from crm_api.core.failpoints import reach
from crm_api.db.engine import Database
from crm_api.flows.webhooks.dispatch import dispatch, organizations_waiting
from crm_api.jobs.wake import FLOOR_S, keep_stepping
from crm_api.kernel.engine import Engine

_AT_ONCE: Final = 4
_LONGEST_REST_S: Final = 60.0

log = structlog.get_logger("crm_api.webhooks")


class Dispatcher:
    """Works until cancelled. `news` is called when deliveries were made, so that they are sent at once."""

    def __init__(self, database: Database, clock: Clock, engine: Engine, api_version: str, news: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._engine = engine
        self._api_version = api_version
        self._news = news
        self._woken = asyncio.Event()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._resting: dict[UUID, tuple[float, float]] = {}

    def wake(self) -> None:
        """The journal of some organisation has grown."""
        self._woken.set()

    async def run(self) -> None:
        """Works until cancelled. Whatever fails is logged and tried again, with longer and longer pauses."""
        await keep_stepping(
            self._woken, self.step, lambda error, pause: log.warning("webhooks_not_dispatched", error=repr(error), again_in_s=pause)
        )

    async def step(self) -> int:
        """Makes the deliveries of all events that wait now; tells how many that were.

        An organisation where that fails is left alone for longer and longer, and holds up no other.
        """
        made = 0
        while True:
            async with self._database.connection() as connection:
                waiting = await organizations_waiting(connection)
            now = monotonic()
            ready = [org_id for org_id in waiting if org_id not in self._resting or self._resting[org_id][0] <= now]
            if not ready:
                return made
            results = await asyncio.gather(*(self._dispatch(org_id) for org_id in ready), return_exceptions=True)
            moved = False
            for org_id, result in zip(ready, results, strict=True):
                if isinstance(result, tuple):
                    self._resting.pop(org_id, None)
                    made += result[0]
                    moved |= result[1]
                elif isinstance(result, Exception):
                    self._failed(org_id, result)
                else:
                    raise result
            if not moved:  # other workers are at it
                return made

    def _failed(self, org_id: UUID, error: Exception) -> None:
        before = self._resting.get(org_id)
        pause = FLOOR_S if before is None else min(before[1] * 2, _LONGEST_REST_S)
        self._resting[org_id] = (monotonic() + pause, pause)
        tell = log.warning if before is None else log.debug
        tell("webhooks_not_dispatched", org_id=str(org_id), error=repr(error), again_in_s=pause)

    async def _dispatch(self, org_id: UUID) -> tuple[int, bool]:
        async with self._slots:
            found = await dispatch(self._database, self._clock, self._engine, org_id, self._api_version)
        if found.deliveries:
            reach("dispatched")
            self._news()
        return found.deliveries, found.moved
