"""Steps of jobs that go on in several transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from crm_api.db.errors import classify

T = TypeVar("T")
_REPEATS: Final = 6


async def persistently(take: Callable[[], Awaitable[T]]) -> T:
    """One step in a transaction of its own, again where the database asks for that (a deadlock, a failed serialization)."""
    repeats = 0
    while True:
        try:
            return await take()
        except Exception as error:
            if classify(error).kind != "retry" or repeats == _REPEATS:
                raise
        repeats += 1
        await asyncio.sleep(0.05 * repeats)


async def until_done(take: Callable[[], Awaitable[T | None]]) -> T:
    """Step after step, until one answers with how the job stands."""
    while True:
        standing = await persistently(take)
        if standing is not None:
            return standing
