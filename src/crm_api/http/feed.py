"""One watch per organisation and process: what long-polls and streams wait on.

A watch learns of news by Valkey, by this process's own commits, and by looking every so often; it then numbers what there is
to number and tells everybody who waits. Nobody holds a connection while waiting, and a hundred streams of one organisation
cost as much as one. Streams with the same view share the pages too.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson
import structlog

from crm_api.core.clock import Clock
from crm_api.db.engine import Database
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow, unit_of_work
from crm_api.http.valkey import Valkey, ValkeyDown
from crm_api.jobs.wake import Wakeups, channel, woken
from crm_api.kernel.context import Context
from crm_api.kernel.event_query import EventQuery, EventRow, Reader, read_events
from crm_api.kernel.journal import number

FLOOR_S: Final = 1.0
FLOOR_ALONE_S: Final = 0.25
"""How often a watch looks by itself: with Valkey, and without."""

KEPT: Final = 1_000
"""Events that are kept for streams that are not quite up to date; who is further behind reads by itself."""

PAGE: Final = 200
READERS: Final = 64
"""Kinds of readers whose latest events a watch keeps."""

_STANDING: Final = Statement(
    """
    SELECT access_version, schema_version,
           ARRAY(SELECT hash FROM tokens WHERE org_id = $1 AND hash = ANY($2::bytea[])
                    AND (revoked_at IS NOT NULL OR user_suspended OR expires_at <= $3)) AS ended
      FROM organizations WHERE id = $1
    """,
    ("org_id", "hashes", "now"),
)
"""What may have changed for those who wait: rights, schema, and whether their tokens still hold."""

log = structlog.get_logger("crm_api.feed")


@dataclass(slots=True)
class Shared:
    """The latest events as one kind of reader sees them: everything after `start`, up to `last`."""

    start: int
    last: int
    rows: deque[tuple[EventRow, dict[str, Any] | None]] = field(default_factory=deque)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Watch:
    """The journal of one organisation, as this process knows it. `head` is the last number; `turn` changes when rights, schema or one of
    the `tokens` of those who wait may no longer be what they were."""

    def __init__(self, org_id: UUID, database: Database, clock: Clock, floor: Wakeups | None) -> None:
        self.org_id = org_id
        self.head = 0
        self.turn = 0
        self.tokens: Counter[bytes] = Counter()
        self.waiting = 0
        self.ended = False
        self._database = database
        self._clock = clock
        self._wakeups = floor
        self._woken = asyncio.Event()
        self._grown = asyncio.Event()
        self._shared: OrderedDict[Reader, Shared] = OrderedDict()
        self._standing: tuple[Any, ...] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to watch, in the background."""
        self._task = asyncio.create_task(self._run(), name=f"watch {self.org_id}")

    async def stop(self) -> None:
        """Ends watching."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def end(self) -> None:
        """Lets everybody go who waits; the process is about to stop."""
        self.ended = True
        self._grown.set()

    def wake(self) -> None:
        """There may be news."""
        self._woken.set()

    async def beyond(self, seq: int, seconds: float, turn: int | None = None) -> bool:
        """Waits until the journal has grown beyond `seq`, or it is no longer that `turn`; False if neither comes about in these
        `seconds`, or the watch ends."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while self.head <= seq and (turn is None or turn == self.turn):
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

    async def page(self, context: Context, reader: Reader, after: int) -> list[tuple[EventRow, dict[str, Any] | None]] | None:
        """The next events after `after`, read once for all readers of a kind; None if they are no longer kept."""
        shared = self._shared.get(reader)
        if shared is None:
            shared = self._shared[reader] = Shared(after, after)
            if len(self._shared) > READERS:
                self._shared.popitem(last=False)
        self._shared.move_to_end(reader)
        async with shared.lock:
            if after < shared.start:
                return None
            if after >= shared.last and self.head > shared.last:
                page = await read_events(context, reader, EventQuery(), shared.last, self.head, PAGE)
                shared.rows.extend((row, None if row.json is None else orjson.loads(row.json)) for row in page.rows)
                shared.last = page.last
                while len(shared.rows) > KEPT:
                    shared.start = shared.rows.popleft()[0].seq
            return [entry for entry in shared.rows if entry[0].seq > after] if after >= shared.start else None

    def last_of(self, reader: Reader) -> int:
        """The number up to which `page` has looked for this kind of reader."""
        shared = self._shared.get(reader)
        return 0 if shared is None else shared.last

    async def _run(self) -> None:
        pause = 0.0
        while True:
            await woken(self._woken, pause)
            try:
                async with unit_of_work(self._database, self.org_id, self._clock) as uow:
                    head = (await number(uow)).head
                    standing = await self._look(uow)
                pause = FLOOR_S if self._wakeups is not None and self._wakeups.up else FLOOR_ALONE_S
            except Exception as error:
                log.warning("watch_failed", org_id=str(self.org_id), error=repr(error))
                pause = FLOOR_S
                continue
            if head != self.head or standing != self._standing:
                self.turn += standing != self._standing
                self.head, self._standing = head, standing
                grown, self._grown = self._grown, asyncio.Event()
                grown.set()

    async def _look(self, uow: Uow) -> tuple[Any, ...]:
        row = await uow.fetch_row(_STANDING, {"org_id": self.org_id, "hashes": list(self.tokens), "now": self._clock.now()})
        return () if row is None else (row["access_version"], row["schema_version"], frozenset(map(bytes, row["ended"])))


class Feeds:
    """All watches of one process, and its link to Valkey's wake-ups."""

    def __init__(self, database: Database, clock: Clock, valkey: Valkey | None, url: str | None) -> None:
        self._database = database
        self._clock = clock
        self._valkey = valkey
        self._watches: dict[UUID, Watch] = {}
        self._wakeups = None if url is None else Wakeups(url, self._on_wake)
        self.streams: dict[UUID, int] = {}
        """Open streams by token."""

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
            watch = self._watches[org_id] = Watch(org_id, self._database, self._clock, self._wakeups)
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


def _forget(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()  # a lost wake-up is nobody's failure
