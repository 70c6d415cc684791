"""Sends deliveries: finds endpoints with something to do, takes each for itself, and serves it until nothing is due.

Requests to one endpoint run beside each other as far as it allows, those to different endpoints don't wait for each other. While
requests are under way no transaction is open. Results wait in memory for a few milliseconds and are stored together, in the same
transaction that looks for what comes next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

import asyncpg
import structlog

from crm_api.core.clock import Clock
from crm_api.core.egress import Egress
from crm_api.core.failpoints import reach
from crm_api.core.ids import uuid7
from crm_api.db.engine import Database
from crm_api.db.uow import unit_of_work
from crm_api.flows.webhooks import serving
from crm_api.flows.webhooks.endpoints import Endpoint
from crm_api.flows.webhooks.outcomes import Result
from crm_api.flows.webhooks.serving import Fenced, Lease, Parcel, Turn
from crm_api.jobs.wake import woken
from crm_api.jobs.webhooks.requests import attempt_of
from crm_api.kernel.engine import Engine
from crm_api.resources.webhook_endpoints.secrets import Secrets

FLOOR_S: Final = 0.25
SLOTS: Final = 256
"""Requests under way at one time in one worker."""

SHARE: Final = 64
"""How many of them one organisation may have: slow receivers of one don't keep the others' waiting."""

TURNS: Final = 6
"""Turns at one time: each takes a database connection for some milliseconds."""

ENDPOINTS: Final = 500
"""Endpoints that one worker serves at one time."""

AHEAD: Final = 4
"""How many deliveries are fetched for each request that may be under way, so that requests don't wait for turns."""

MOST: Final = 200
IN_ORDER: Final = 50
"""How many deliveries of an ordered endpoint are fetched at one time."""

GATHER_S: Final = 0.01
TELL_S: Final = 2.0
_PAUSE_S: Final = 0.5
_LAST_PAUSE_S: Final = 5.0
_LONGEST_REST_S: Final = 300.0
_STOP_S: Final = 2.0

_IN_PASSING: Final = (
    OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError,
)  # fmt: skip
"""What says nothing about the endpoint: the database is away, or somebody else is just writing the same rows."""

log = structlog.get_logger("crm_api.webhooks")


class Sender:
    """Works until cancelled."""

    def __init__(self, database: Database, clock: Clock, engine: Engine, egress: Egress, api_version: str) -> None:
        self.database = database
        self.clock = clock
        self.engine = engine
        self.egress = egress
        self.api_version = api_version
        self.slots = asyncio.Semaphore(SLOTS)
        self.turns = asyncio.Semaphore(TURNS)
        self._woken = asyncio.Event()
        self._served: dict[tuple[UUID, UUID], Service] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._shares: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()
        self._resting: dict[tuple[UUID, UUID], tuple[int, float]] = {}

    def wake(self) -> None:
        """Something may be due."""
        self._woken.set()

    async def run(self) -> None:
        """Works until cancelled; what is under way then gets a moment to end."""
        try:
            while True:
                await woken(self._woken, FLOOR_S)
                try:
                    await self.step()
                except Exception as error:
                    log.warning("webhooks_not_looked_for", error=repr(error))
                    await asyncio.sleep(_PAUSE_S)
        finally:
            await self._stop()

    async def step(self) -> int:
        """Begins to serve endpoints that are due and that nobody serves; tells how many."""
        async with self.database.connection() as connection:
            due = await serving.due_endpoints(connection, ENDPOINTS)
        begun = 0
        for key in due:
            service = self._served.get(key)
            if service is not None:
                service.nudge()
            elif key in self._resting and self._resting[key][1] > monotonic():
                continue
            elif len(self._served) < ENDPOINTS:
                self._begin(key)
                begun += 1
        return begun

    async def idle(self) -> None:
        """Waits until nothing is served (for those who look at what came of it)."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def share(self, org_id: UUID) -> asyncio.Semaphore:
        """The requests that an organisation may have under way at one time."""
        found = self._shares.get(org_id)
        if found is None:
            found = self._shares[org_id] = asyncio.Semaphore(SHARE)
        return found

    def failed(self, key: tuple[UUID, UUID], error: Exception) -> float:
        """Notes that an endpoint can't be served; tells for how many seconds it is to be left alone. The first time is logged."""
        tries = self._resting.get(key, (0, 0.0))[0] + 1
        rest = min(_PAUSE_S * 2.0 ** min(tries, 20), _LONGEST_REST_S)
        self._resting[key] = (tries, monotonic() + rest)
        tell = log.warning if tries == 1 else log.debug
        tell("webhook_turn_failed", org_id=str(key[0]), endpoint=str(key[1]), error=repr(error), again_in_s=rest)
        return rest

    def served(self, key: tuple[UUID, UUID]) -> None:
        """Notes that an endpoint can be served."""
        self._resting.pop(key, None)

    def _begin(self, key: tuple[UUID, UUID]) -> None:
        service = self._served[key] = Service(self, *key)
        task = asyncio.create_task(service.run(), name=f"webhooks {key[1]}")
        self._tasks.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self._served.pop(key, None)
            if not task.cancelled() and task.exception() is not None:
                log.warning("webhook_service_failed", endpoint=str(key[1]), error=repr(task.exception()))

        task.add_done_callback(ended)

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=_STOP_S)


class Service:
    """The serving of one endpoint by this worker, from taking it to giving it back."""

    def __init__(self, sender: Sender, org_id: UUID, endpoint_id: UUID) -> None:
        self._sender = sender
        self._key = (org_id, endpoint_id)
        self._lease = Lease(org_id, endpoint_id, uuid7(sender.clock))
        self._share = sender.share(org_id)
        self._flying: dict[UUID, asyncio.Task[None]] = {}
        self._results: list[Result] = []
        self._news = asyncio.Event()
        self._next_at = 0.0
        self._told_at = monotonic()
        self._gate: asyncio.Semaphore | None = None
        self._width = 0
        self._version = 0
        self._epoch = 0
        self._until = 0.0

    def nudge(self) -> None:
        """There may be more to send."""
        self._news.set()

    async def run(self) -> None:
        """Serves until nothing is due, or the lease is lost."""
        try:
            if not await self._take():
                return
            reach("taken")
            turn = await self._turn(1)
            while not turn.over:
                self._send(turn)
                if not turn.again:
                    await self._wait()
                turn = await self._turn(self._room(turn))
        except Fenced:
            log.warning("webhook_lease_lost", endpoint=str(self._lease.endpoint_id), results=len(self._results))
        except asyncio.CancelledError:
            await asyncio.shield(self._leave())
            raise
        finally:
            for task in self._flying.values():
                task.cancel()

    async def _take(self) -> bool:
        sender = self._sender
        async with sender.turns, unit_of_work(sender.database, self._lease.org_id, sender.clock) as uow:
            return await serving.take(uow, self._lease)

    def _room(self, turn: Turn) -> int:
        endpoint = turn.endpoint
        if endpoint is None:
            return 0
        under_way = len(self._flying.keys() - {result.delivery_id for result in self._results})
        if endpoint.fifo:
            return IN_ORDER if not under_way else 0
        return max(min(AHEAD * endpoint.max_concurrency, MOST) - under_way, 0)

    async def _turn(self, room: int) -> Turn:
        """A turn, repeated while the database is away: what has arrived must not be forgotten.

        Where nothing can be sent (a secret that doesn't open, say), at least that is stored, and the endpoint given back for a while.
        """
        sender = self._sender
        failures, rest = 0, 0.0
        while True:
            began = monotonic()
            # Results that come in meanwhile are for the next turn.
            results = list(self._results)
            done = {result.delivery_id for result in results}
            flying = [id for id in self._flying if id not in done]
            if self._next_at > monotonic():
                flying.append(self._lease.id)  # whoever served it next would not know of the rate
            told = monotonic() - self._told_at < TELL_S
            try:
                async with sender.turns, unit_of_work(sender.database, self._lease.org_id, sender.clock) as uow:
                    turn = await serving.turn(
                        uow, sender.engine, self._lease, results, flying, room, sender.api_version, told=told, rest=rest
                    )
                    if results:
                        reach("storing")
                    if turn.over:
                        reach("releasing")
            except Fenced:
                raise
            except Exception as error:
                failures += 1
                if not isinstance(error, _IN_PASSING):
                    rest = sender.failed(self._key, error)
                    if room:
                        room = 0
                        continue
                elif failures == 2:
                    log.warning("webhook_turn_repeated", endpoint=str(self._lease.endpoint_id), error=repr(error))
                await asyncio.sleep(min(_PAUSE_S * 2 ** (failures - 1), _LAST_PAUSE_S))
                continue
            if results:
                reach("stored")
            if turn.over:
                reach("released")
            self._until = began + serving.LEASE_S
            if not rest and turn.parcels:
                sender.served(self._key)
            if not told:
                self._told_at = monotonic()
            del self._results[: len(results)]
            for id in done:
                self._flying.pop(id, None)
            return turn

    async def _wait(self) -> None:
        """Waits for results, news, or the time to keep the lease; results that come together are stored together."""
        paced = self._next_at - monotonic()
        await woken(self._news, min(serving.HEARTBEAT_S, paced) if paced > 0 and not self._flying else serving.HEARTBEAT_S)
        if len(self._flying) > len(self._results):
            await asyncio.sleep(GATHER_S)
            self._news.clear()

    def _send(self, turn: Turn) -> None:
        endpoint = turn.endpoint
        if endpoint is None or turn.hold or endpoint.version != self._version:
            self._epoch += 1  # what was made for the endpoint as it was, and still waits, goes back
            self._version = 0 if endpoint is None else endpoint.version
        if endpoint is None or not turn.parcels:
            return
        reach("picked")
        width = 1 if endpoint.fifo else endpoint.max_concurrency
        if self._gate is None or self._width != width:
            if self._flying:
                return  # first let those end that came through the other gate: both together might be too many
            self._gate, self._width = asyncio.Semaphore(width), width
        groups: Sequence[Sequence[Parcel]] = [turn.parcels] if endpoint.fifo else [[parcel] for parcel in turn.parcels]
        for group in groups:
            task = asyncio.create_task(self._deliver(endpoint, turn.secrets, group, self._gate, self._epoch))
            for parcel in group:
                for id in parcel.deliveries:
                    self._flying[id] = task

    async def _deliver(self, endpoint: Endpoint, secrets: Secrets, parcels: Sequence[Parcel], gate: asyncio.Semaphore, epoch: int) -> None:
        """Makes the requests, one after the other; after one that failed the rest goes back to the queue unsent."""
        for index, parcel in enumerate(parcels):
            async with gate, self._share:
                await self._pace(endpoint, epoch)
                async with self._sender.slots:
                    # Or frozen, or cut off from the database, for so long that another may be at it by now.
                    if epoch != self._epoch or monotonic() > self._until:
                        self._put_back(parcels[index:])
                        return
                    attempt, wait = await attempt_of(self._sender.egress, self._sender.clock, endpoint, secrets, parcel)
            reach("answered")
            for delivery_id, sent, tries in zip(parcel.deliveries, parcel.sent, parcel.tries, strict=True):
                self._results.append(Result.of(delivery_id, sent, tries, attempt, wait, forever=endpoint.fifo))
            self._news.set()
            if not attempt.succeeded:
                self._put_back(parcels[index + 1 :])
                return

    def _put_back(self, parcels: Sequence[Parcel]) -> None:
        for parcel in parcels:
            for id in parcel.deliveries:
                self._flying.pop(id, None)
        self._news.set()

    async def _pace(self, endpoint: Endpoint, epoch: int) -> None:
        """Keeps to the endpoint's rate."""
        if endpoint.rate_per_s is None or epoch != self._epoch:
            return
        now = monotonic()
        at = max(self._next_at, now)
        self._next_at = at + 1 / endpoint.rate_per_s
        if at > now:
            await asyncio.sleep(at - now)

    async def _leave(self) -> None:
        """Stores what is known and gives the endpoint back, so that the next worker needn't wait for the lease to run out."""
        tasks = set(self._flying.values())
        for task in tasks:
            task.cancel()
        sender = self._sender
        with suppress(Exception):
            async with asyncio.timeout(_STOP_S), unit_of_work(sender.database, self._lease.org_id, sender.clock) as uow:
                await serving.turn(uow, sender.engine, self._lease, list(self._results), [self._lease.id], 0, sender.api_version)
                await serving.release(uow, self._lease)
