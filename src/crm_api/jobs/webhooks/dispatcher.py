"""Makes deliveries as the journal grows. It holds no state: any number of workers may do so beside each other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import UUID

import structlog

from crm_api.core.clock import Clock
from crm_api.core.failpoints import reach
from crm_api.db.engine import Database
from crm_api.flows.webhooks.dispatch import dispatch, organizations_waiting
from crm_api.jobs.wake import woken
from crm_api.kernel.engine import Engine

FLOOR_S: Final = 0.25
_AT_ONCE: Final = 4
_LAST_PAUSE_S: Final = 5.0

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

    def wake(self) -> None:
        """The journal of some organisation has grown."""
        self._woken.set()

    async def run(self) -> None:
        """Works until cancelled. Whatever fails is logged and tried again, with longer and longer pauses."""
        pause = FLOOR_S
        while True:
            await woken(self._woken, pause)
            try:
                await self.step()
                pause = FLOOR_S
            except Exception as error:
                pause = min(max(pause * 2, FLOOR_S), _LAST_PAUSE_S)
                log.warning("webhooks_not_dispatched", error=repr(error), again_in_s=pause)

    async def step(self) -> int:
        """Makes the deliveries of all events that wait now; tells how many that were."""
        made = 0
        while True:
            async with self._database.connection() as connection:
                waiting = await organizations_waiting(connection)
            if not waiting:
                return made
            results = await asyncio.gather(*(self._dispatch(org_id) for org_id in waiting), return_exceptions=True)
            failed = [result for result in results if isinstance(result, BaseException)]
            if failed:
                raise failed[0]
            found = [result for result in results if isinstance(result, tuple)]
            made += sum(count for count, _ in found)
            if not any(moved for _, moved in found):  # other workers are at it
                return made

    async def _dispatch(self, org_id: UUID) -> tuple[int, bool]:
        async with self._slots:
            found = await dispatch(self._database, self._clock, self._engine, org_id, self._api_version)
        if found.deliveries:
            reach("dispatched")
            self._news()
        return found.deliveries, found.moved
