"""The worker's part in timers: finds what is due by each organisation's own clock, and fires it, each timer once.

A timer is taken out and what it stands for is done in one transaction. Either both are committed or neither, so a worker that
dies in the middle leaves the timer for the next one, and none fires twice. Others that look meanwhile pass over locked rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog

from crm_api.core.clock import Clock
from crm_api.core.errors import NotFound, TooExpensive, ValidationFailed
from crm_api.db.engine import Database
from crm_api.db.errors import classify
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow, unit_of_work
from crm_api.flows import segments
from crm_api.flows.organizations import system_context
from crm_api.flows.privacy import retention
from crm_api.jobs.expiry import FORGET, forget_jobs
from crm_api.jobs.wake import woken
from crm_api.kernel.access import shares
from crm_api.kernel.context import Context
from crm_api.kernel.engine import Engine
from crm_api.kernel.timers import set_timers
from crm_api.resources.retention_policies.rules import RUN
from crm_api.resources.segments.rules import REFRESH
from crm_api.resources.tasks.reminders import REMIND, remind

FLOOR_S: Final = 2.0
"""How often workers look by themselves; news of an organisation make them look at once."""

BATCH: Final = 100
"""Timers of one kind that fire in one transaction."""

_LEAST_PAUSE_S: Final = 0.1
_LONGEST_RETRY_S: Final = 3600

log = structlog.get_logger("crm_api.timers")


@dataclass(frozen=True, slots=True)
class Due:
    """A timer that fires: its subject, and when it was due, which is what further timers are counted from."""

    subject_id: UUID
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Firing:
    """What a handler works with. The context acts for the system; its `now` is the organisation's present time."""

    context: Context
    engine: Engine
    data_dir: Path


Handler = Callable[[Firing, Sequence[Due]], Awaitable[None]]


async def _remind(firing: Firing, due: Sequence[Due]) -> None:
    await remind(firing.context, firing.engine.writer, [timer.subject_id for timer in due])


async def _forget(firing: Firing, due: Sequence[Due]) -> None:
    await forget_jobs(firing.context.uow, firing.data_dir, [timer.subject_id for timer in due])


async def _refresh(firing: Firing, due: Sequence[Due]) -> None:
    uow = firing.context.uow
    context = firing.context
    for timer in due:
        try:
            async with uow.savepoint():
                await segments.refresh_on_time(context, timer.subject_id, uow.now)
        except NotFound:
            continue
        except (ValidationFailed, TooExpensive) as problem:
            # Its filter names what is no longer there, or matches too much. Its members stay until somebody changes it.
            log.info("segment_not_refreshed", org_id=str(uow.org_id), segment=str(timer.subject_id), problem=problem.code)


async def _retain(firing: Firing, due: Sequence[Due]) -> None:
    uow = firing.context.uow
    for timer in due:
        try:
            async with uow.savepoint():
                await retention.run(firing.context, firing.engine.writer, timer.subject_id)
        except (NotFound, ValidationFailed, TooExpensive) as problem:
            # It names what is no longer there. Whoever changes it has it run again; till then it looks once a day.
            await set_timers(uow, RUN, {timer.subject_id: uow.now + retention.EVERY})
            log.info("policy_not_run", org_id=str(uow.org_id), policy=str(timer.subject_id), problem=problem.code)


async def _expire(firing: Firing, due: Sequence[Due]) -> None:
    await shares.expire(firing.context, [timer.subject_id for timer in due])


HANDLERS: Final[Mapping[str, Handler]] = {REMIND: _remind, FORGET: _forget, REFRESH: _refresh, shares.EXPIRE: _expire, RUN: _retain}
"""What happens when a timer fires, by its kind."""

# One of the few statements that look across organisations: one look into the index of timers for each of them.
_WAITING: Final = Statement(
    "SELECT o.id FROM organizations o WHERE EXISTS (SELECT FROM timers t WHERE t.org_id = o.id AND t.retry_at <= now()"
    " AND t.due_at <= coalesce(o.clock_frozen_at, $1::timestamptz + o.clock_offset_us * interval '1 microsecond'))",
    ("now",),
)
_FIRST: Final = Statement(
    "SELECT kind FROM timers WHERE org_id = $1 AND due_at <= $2 AND retry_at <= now() AND kind = ANY($3::text[]) ORDER BY due_at LIMIT 1",
    ("org_id", "now", "kinds"),
)
_TAKE: Final = Statement(
    "WITH due AS (SELECT subject_id FROM timers WHERE org_id = $1 AND kind = $2 AND due_at <= $3 AND retry_at <= now()"
    " ORDER BY due_at, subject_id LIMIT $4 FOR UPDATE SKIP LOCKED)"
    " DELETE FROM timers t USING due WHERE t.org_id = $1 AND t.kind = $2 AND t.subject_id = due.subject_id"
    " RETURNING t.subject_id, t.due_at",
    ("org_id", "kind", "now", "limit"),
)
_PUT_OFF: Final = Statement(
    "UPDATE timers SET attempts = attempts + 1, retry_at = now() + make_interval(secs => least(power(2, attempts + 1), $4))"
    " WHERE org_id = $1 AND kind = $2 AND subject_id = ANY($3::uuid[])",
    ("org_id", "kind", "ids", "longest"),
)


class Timers:
    """Fires timers until cancelled. It holds no state: any number may run beside each other."""

    def __init__(
        self, database: Database, clock: Clock, engine: Engine, data_dir: Path, *, handlers: Mapping[str, Handler] = HANDLERS
    ) -> None:
        self._database = database
        self._clock = clock
        self._engine = engine
        self._data_dir = data_dir
        self._handlers = handlers
        self._woken = asyncio.Event()

    def wake(self, org_id: UUID | None) -> None:
        """There may be something to do: an organisation's clock was moved, or it has a timer that is due at once."""
        self._woken.set()

    async def run(self) -> None:
        """Works until cancelled."""
        while True:
            try:
                while await self.step():
                    pass
            except Exception as error:
                log.warning("timers_not_looked_for", error=repr(error))
            await asyncio.sleep(_LEAST_PAUSE_S)
            await woken(self._woken, FLOOR_S)

    async def step(self) -> int:
        """Fires up to a batch of each organisation's due timers; tells how many that were."""
        async with self._database.connection() as connection:
            waiting = [row["id"] for row in await connection.fetch(_WAITING, {"now": self._clock.now()})]
        fired = 0
        for org_id in waiting:
            try:
                fired += await self.fire(org_id)
            except Exception as error:
                log.warning("timers_failed", org_id=str(org_id), error=repr(error))
        return fired

    async def fire(self, org_id: UUID, limit: int = BATCH) -> int:
        """Fires what is due in one organisation, at most `limit` of one kind; tells how many timers that were."""
        taken: list[Due] = []
        kind: str | None = None
        try:
            async with system_context(self._database, org_id, self._clock, user_id=org_id) as context:
                uow = context.uow
                kind = await uow.fetch_value(_FIRST, {"org_id": org_id, "now": uow.now, "kinds": list(self._handlers)})
                if kind is None:
                    return 0
                taken = await _take(uow, kind, limit)
                if taken:
                    uow.cause.action = kind
                    own = await self._engine.context(context.principal, uow)  # with the organisation's own fields
                    await self._handlers[kind](Firing(own, self._engine, self._data_dir), taken)
            return len(taken)
        except Exception as error:
            if kind is None or not taken or classify(error).kind in ("retry", "unavailable"):
                raise
            if len(taken) > 1:  # something about one of them: the others shall not wait for it
                return await self._one_by_one(org_id, len(taken))
            log.warning("timer_failed", org_id=str(org_id), kind=kind, subject=str(taken[0].subject_id), error=repr(error))
            async with unit_of_work(self._database, org_id, self._clock) as uow:
                ids = [timer.subject_id for timer in taken]
                await uow.fetch(_PUT_OFF, {"org_id": org_id, "kind": kind, "ids": ids, "longest": _LONGEST_RETRY_S})
            return 0

    async def _one_by_one(self, org_id: UUID, count: int) -> int:
        return sum([await self.fire(org_id, 1) for _ in range(count)])


async def _take(uow: Uow, kind: str, limit: int) -> list[Due]:
    rows = await uow.fetch(_TAKE, {"org_id": uow.org_id, "kind": kind, "now": uow.now, "limit": limit})
    return sorted((Due(row["subject_id"], row["due_at"]) for row in rows), key=lambda timer: (timer.due_at, timer.subject_id))
