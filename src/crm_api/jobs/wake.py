"""Wake-ups between processes: "organisation X has news", over Valkey's publish and subscribe.

A wake-up may get lost, arrive twice or come without Valkey not at all: whoever waits for one also looks by itself now and
then. So nothing here raises for an absent server, and a connection that breaks is opened again in the background.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

_PREFIX: Final = "org:"
_KEEP: Final = "org"
_FIRST_PAUSE_S: Final = 0.1
_LAST_PAUSE_S: Final = 2.0
_LOST: Final = (RedisError, OSError, TimeoutError)

log = structlog.get_logger("crm_api.wake")


def channel(org_id: UUID) -> str:
    """The channel on which an organisation's news are told."""
    return f"{_PREFIX}{org_id}"


async def woken(event: asyncio.Event, seconds: float) -> None:
    """Waits for a wake-up, no longer than `seconds`, and makes ready for the next one."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    event.clear()


FLOOR_S: Final = 0.25
_LAST_WAIT_S: Final = 5.0


async def keep_stepping(
    event: asyncio.Event, step: Callable[[], Awaitable[object]], complain: Callable[[Exception, float], object]
) -> None:
    """Runs `step` whenever the event is set, at least four times a second, until cancelled. What it raises goes to `complain`, and makes
    the pauses longer and longer, up to five seconds, until it succeeds."""
    pause = FLOOR_S
    while True:
        await woken(event, pause)
        try:
            await step()
            pause = FLOOR_S
        except Exception as error:
            pause = min(max(pause * 2, FLOOR_S), _LAST_WAIT_S)
            complain(error, pause)


class Wakeups:
    """A subscription that heals itself.

    `on_wake` is called with the organisation; with None after the connection came (back), when anything may have been
    missed. `everything` subscribes to all organisations, else to those that were `add`ed.
    """

    def __init__(self, url: str, on_wake: Callable[[UUID | None], None], *, everything: bool = False) -> None:
        self._client: Redis = Redis.from_url(url, socket_connect_timeout=2, health_check_interval=15)
        self._on_wake = on_wake
        self._everything = everything
        self._wanted: set[UUID] = set()
        self._pubsub: PubSub | None = None
        self._task: asyncio.Task[None] | None = None
        self.up = False

    def start(self) -> None:
        """Begins to listen, in the background."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Ends listening."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        with suppress(*_LOST):
            await self._client.aclose()

    async def add(self, org_id: UUID) -> None:
        """Listens to one more organisation."""
        self._wanted.add(org_id)
        if self._pubsub is not None and self.up:
            with suppress(*_LOST):
                await self._pubsub.subscribe(channel(org_id))

    async def remove(self, org_id: UUID) -> None:
        """Stops listening to an organisation."""
        self._wanted.discard(org_id)
        if self._pubsub is not None and self.up:
            with suppress(*_LOST):
                await self._pubsub.unsubscribe(channel(org_id))

    async def publish(self, org_id: UUID) -> None:
        """Tells everybody that an organisation has news; silently not, if Valkey is away."""
        with suppress(*_LOST):
            await self._client.publish(channel(org_id), b"")

    async def _run(self) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            try:
                async with self._client.pubsub() as pubsub:
                    # A subscription to a silent channel keeps the connection subscribed while nobody waits.
                    await pubsub.subscribe(_KEEP, *(channel(org_id) for org_id in self._wanted))
                    if self._everything:
                        await pubsub.psubscribe(f"{_PREFIX}*")
                    self._pubsub, self.up, pause = pubsub, True, _FIRST_PAUSE_S
                    self._on_wake(None)
                    await self._listen(pubsub)
            except _LOST as error:
                log.debug("wakeups_lost", error=repr(error))
            finally:
                self._pubsub, self.up = None, False
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LAST_PAUSE_S)

    async def _listen(self, pubsub: PubSub) -> None:
        while True:
            message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=10.0)
            # The client itself asks now and then whether the server is still there (health_check_interval).
            if message is None or message["type"] not in ("message", "pmessage"):
                continue
            if message["channel"] is None:  # the pong
                continue
            name = message["channel"].decode().removeprefix(_PREFIX)
            with suppress(ValueError):
                self._on_wake(UUID(name))
