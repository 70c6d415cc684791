"""One watch per organisation and process: what long-polls and streams wait on.

A watch learns of news by Valkey, by this process's own commits, and by looking every so often; it then numbers what there is
to number and tells everybody who waits: long-polls, and the streams of the organisation (`followers.py`). Nobody holds a connection
while waiting.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import UUID

import structlog

from crm_api.core.errors import LimitExceeded
from crm_api.db.uow import unit_of_work
from crm_api.http.followers import Followers
from crm_api.http.stream_live import MAX_LIVE
from crm_api.http.valkey import ValkeyDown
from crm_api.jobs.wake import Wakeups, channel, woken
from crm_api.kernel.journal import number
from crm_api.kernel.principal import Principal

if TYPE_CHECKING:
    from crm_api.http.services import Services

K = TypeVar("K", bound=Hashable)

FLOOR_S: Final = 1.0
FLOOR_ALONE_S: Final = 0.25
"""How often a watch looks by itself: with Valkey, and without."""

log = structlog.get_logger("crm_api.feed")


class Watch:
    """The journal of one organisation, as this process knows it. `head` is the last number."""

    def __init__(self, org_id: UUID, services: Services, floor: Wakeups | None) -> None:
        self.org_id = org_id
        self.head = 0
        self.waiting = 0
        self.ended = False
        self.followers = Followers(org_id, services)
        self._services = services
        self._wakeups = floor
        self._woken = asyncio.Event()
        self._grown = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to watch, in the background."""
        self._task = asyncio.create_task(self._run(), name=f"watch {self.org_id}")

    async def stop(self) -> None:
        """Ends watching."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self.followers.stop()

    def end(self) -> None:
        """Lets everybody go who waits; the process is about to stop."""
        self.ended = True
        self._grown.set()
        self._woken.set()

    def wake(self) -> None:
        """There may be news."""
        self._woken.set()

    async def beyond(self, seq: int, seconds: float) -> bool:
        """Waits until the journal has grown beyond `seq`; False if it doesn't in these `seconds`, or the watch ends."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while self.head <= seq:
            if self.ended:
                return False
            left = deadline - loop.time()
            if left <= 0:
                return False
            try:
                async with asyncio.timeout(left):
                    await self._grown.wait()
            except TimeoutError:
                return False
        return True

    async def _run(self) -> None:
        pause, followers, services = 0.0, self.followers, self._services
        while True:
            await woken(self._woken, pause)
            if self.ended:
                # The clients come back by themselves, and find another process or this one again.
                await followers.end("shutting_down")
                return
            try:
                async with unit_of_work(services.database, self.org_id, services.clock) as uow:
                    head = (await number(uow)).head
                    look = await followers.look(uow) if followers.streams else None
                if head != self.head:
                    self.head = head
                    grown, self._grown = self._grown, asyncio.Event()
                    grown.set()
                if look is not None:
                    await followers.follow(head, look)
                pause = FLOOR_S if self._wakeups is not None and self._wakeups.up else FLOOR_ALONE_S
            except Exception as error:
                log.warning("watch_failed", org_id=str(self.org_id), error=repr(error))
                pause = FLOOR_S


class Feeds:
    """All watches of one process, and its link to Valkey's wake-ups."""

    def __init__(self, services: Services) -> None:
        url = services.settings.redis_url
        self._services = services
        self._valkey = services.valkey
        self._watches: dict[UUID, Watch] = {}
        self._wakeups = None if url is None else Wakeups(url, self._on_wake)
        self._streams: Counter[UUID] = Counter()
        self._live: dict[UUID, Counter[Hashable]] = {}

    def admit(self, principal: Principal, live: Hashable | None) -> Callable[[], None]:
        """Counts a stream of the caller, with the condition of its live query; gives what takes it back.

        Raises LimitExceeded for one stream of the token, or one live query of the organisation, too many.
        """
        org_id, token_id, limit = principal.org_id, principal.token_id, self._services.settings.streams_per_token
        if self._streams[token_id] >= limit:
            raise LimitExceeded("streams_per_token", limit, limit + 1)
        asked = self._live.setdefault(org_id, Counter())
        if live is not None and live not in asked and len(asked) >= MAX_LIVE:
            raise LimitExceeded("live_queries", MAX_LIVE, MAX_LIVE + 1)
        self._streams[token_id] += 1
        if live is not None:
            asked[live] += 1

        def leave() -> None:
            _less(self._streams, token_id)
            if live is not None:
                _less(asked, live)
            if not asked and self._live.get(org_id) is asked:
                del self._live[org_id]

        return leave

    def start(self) -> None:
        """Begins to listen."""
        if self._wakeups is not None:
            self._wakeups.start()

    def end(self) -> None:
        """Lets streams and long-polls finish, so that the process can stop at once; called before the server closes them."""
        for watch in self._watches.values():
            watch.end()

    async def close(self) -> None:
        """Ends all watches."""
        for watch in list(self._watches.values()):
            await watch.stop()
        self._watches.clear()
        if self._wakeups is not None:
            await self._wakeups.close()

    async def nudge(self, org_id: UUID) -> None:
        """Tells everybody that an organisation has new events; called after each commit that made some, never raises."""
        watch = self._watches.get(org_id)
        if watch is not None:
            watch.wake()
        if self._valkey is not None and self._valkey.up:
            with suppress(ValkeyDown):
                self._valkey.call("PUBLISH", channel(org_id), b"").add_done_callback(_forget)

    @asynccontextmanager
    async def watch(self, org_id: UUID) -> AsyncIterator[Watch]:
        """The organisation's watch, for as long as the block lasts."""
        watch = self._watches.get(org_id)
        if watch is None:
            watch = self._watches[org_id] = Watch(org_id, self._services, self._wakeups)
            watch.start()
            if self._wakeups is not None:
                await self._wakeups.add(org_id)
        watch.waiting += 1
        try:
            yield watch
        finally:
            watch.waiting -= 1
            if watch.waiting == 0 and self._watches.get(org_id) is watch:
                del self._watches[org_id]
                await watch.stop()
                if self._wakeups is not None:
                    await self._wakeups.remove(org_id)

    def _on_wake(self, org_id: UUID | None) -> None:
        for watch in self._watches.values() if org_id is None else filter(None, [self._watches.get(org_id)]):
            watch.wake()


def _less(counted: Counter[K], key: K) -> None:
    counted[key] -= 1
    if counted[key] <= 0:
        del counted[key]


def _forget(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()  # a lost wake-up is nobody's failure
