"""When each token was used last, written at most once a minute: a write for every read would cost more than the read."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import structlog

from crm_api.core.clock import Clock
from crm_api.db.engine import Database
from crm_api.db.statement import Statement

EVERY_S: Final = 60.0

# Locked in one order and without waiting, since every API process writes the same rows; who is skipped is written next time.
_WRITE: Final = Statement(
    """
    WITH mine AS (SELECT hash FROM tokens WHERE hash = ANY($1::bytea[]) ORDER BY hash FOR NO KEY UPDATE SKIP LOCKED)
    UPDATE tokens t SET last_used_at = $2 FROM mine WHERE t.hash = mine.hash AND (t.last_used_at IS NULL OR t.last_used_at < $2)
    """,
    ("hashes", "at"),
)

log = structlog.get_logger("crm_api.tokens")


class TokenUse:
    """Remembers the tokens used since the last write. What a crash forgets is a minute of it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._used: set[bytes] = set()
        self._task: asyncio.Task[None] | None = None

    def note(self, hash_: bytes) -> None:
        """A token was used."""
        self._used.add(hash_)

    def start(self) -> None:
        """Begins to write, in the background."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Writes what is left."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self.write()

    async def write(self) -> None:
        """Writes what was noted; whatever fails is tried again with the next write."""
        used, self._used = self._used, set()
        if not used:
            return
        try:
            async with self._database.connection() as connection:
                await connection.fetch(_WRITE, {"hashes": sorted(used), "at": self._clock.now()})
        except Exception as error:
            self._used |= used
            log.warning("token_use_not_written", error=repr(error))

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await self.write()
