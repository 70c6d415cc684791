"""The relay: gives committed events their numbers, promptly and whether or not anybody reads.

It sleeps until Valkey tells of news or a quarter of a second is over, finds the organisations with unnumbered events by one
plain look at the outbox, and numbers each in a transaction of its own. It holds no state: any number of relays may run, and
one that dies leaves nothing behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

import structlog

from crm_api.core.clock import Clock
from crm_api.core.failpoints import reach
from crm_api.db.engine import Database
from crm_api.db.uow import unit_of_work
from crm_api.jobs.wake import keep_stepping
from crm_api.kernel.journal import number, organizations_waiting

_AT_ONCE: Final = 4

Publish = Callable[[UUID], Awaitable[None]]
log = structlog.get_logger("crm_api.relay")


class Relay:
    """Numbers events until it is cancelled. `publish` tells the readers of an organisation that its journal has grown, `consume` those in
    this process that do something with every event."""

    def __init__(self, database: Database, clock: Clock, publish: Publish | None = None) -> None:
        self._database = database
        self._clock = clock
        self.publish = publish
        self.consume: Callable[[], None] | None = None
        self._woken = asyncio.Event()
        self._told: set[UUID] = set()
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def wake(self, org_id: UUID | None) -> None:
        """News of an organisation (None: perhaps of any)."""
        if org_id is not None:
            self._told.add(org_id)
        self._woken.set()

    async def run(self) -> None:
        """Works until cancelled. Whatever fails is logged and tried again, with longer and longer pauses."""
        await keep_stepping(
            self._woken, self.step, lambda error, pause: log.warning("relay_failed", error=repr(error), again_in_s=pause)
        )

    async def step(self) -> int:
        """Numbers everything that waits now; tells how many events that were."""
        told, self._told = self._told, set()
        async with self._database.connection() as connection:
            waiting = await organizations_waiting(connection)
        if not waiting:
            return 0
        results = await asyncio.gather(*(self._number(org_id, org_id in told) for org_id in waiting), return_exceptions=True)
        failed = [result for result in results if isinstance(result, BaseException)]
        if failed:
            raise failed[0]
        return sum(result for result in results if isinstance(result, int))

    async def _number(self, org_id: UUID, told: bool) -> int:
        async with self._slots:
            async with unit_of_work(self._database, org_id, self._clock) as uow:
                new = (await number(uow)).new
            if new:
                reach("numbered")
            if new and self.consume is not None:
                self.consume()
            if new and not told and self.publish is not None:
                # Whoever wrote died, or Valkey was away, before readers were told.
                await self.publish(org_id)
            return new
