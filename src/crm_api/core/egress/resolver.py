"""Names to addresses, with limits of its own.

`loop.getaddrinfo` shares the few threads of the loop's executor (uvloop: four), and a name whose servers don't answer holds one for
as long as the C library tries. So each look-up has a thread of its own, at most `threads` of them, and whoever asks for a name that
is being looked up waits for the same answer: one dead name takes one thread, however many ask for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from typing import Final, Protocol

from crm_api.core.egress.addresses import Address, plain

MOST_ADDRESSES: Final = 32
"""Addresses of one name that are looked at; a name with more is refused, since all of them must be judged."""


class Unresolved(Exception):
    """A name has no address now."""


class Resolver(Protocol):
    """Looks names up."""

    async def resolve(self, host: str, limit_s: float) -> tuple[Address, ...]:
        """All addresses of a name, in the order in which they are to be tried (RFC 6724). Raises Unresolved, also after `limit_s`."""
        ...


class _LookUp:
    """One name being looked up, and how many wait for it."""

    def __init__(self, host: str, free: asyncio.Semaphore) -> None:
        self.waiters = 0
        self.begun = False
        self.answer = asyncio.ensure_future(self._look_up(host, free))
        self.answer.add_done_callback(_seen)

    async def _look_up(self, host: str, free: asyncio.Semaphore) -> tuple[Address, ...]:
        async with free:
            self.begun = True
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[tuple[Address, ...]] = loop.create_future()

            def work() -> None:
                found: tuple[Address, ...] | Unresolved
                try:
                    found = _addresses(host)
                except (OSError, ValueError) as error:  # ValueError: a name that the C library can't take
                    found = Unresolved(str(error))
                with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                    loop.call_soon_threadsafe(_settle, answer, found)

            # A daemon: a process that ends does not wait for name servers.
            threading.Thread(target=work, name=f"dns {host}", daemon=True).start()
            return await answer


class SystemResolver:
    """The operating system's resolver. One for a process and event loop."""

    def __init__(self, threads: int = 32) -> None:
        self._free = asyncio.Semaphore(threads)
        self._running: dict[str, _LookUp] = {}

    async def resolve(self, host: str, limit_s: float) -> tuple[Address, ...]:
        running = self._running.get(host)
        if running is None or running.answer.get_loop() is not asyncio.get_running_loop():
            running = self._running[host] = _LookUp(host, self._free)
            running.answer.add_done_callback(lambda answer: self._forget(host, answer))
        running.waiters += 1
        try:
            async with asyncio.timeout(limit_s):
                return await asyncio.shield(running.answer)
        except TimeoutError:
            raise Unresolved(f"no answer within {limit_s:g} s") from None
        finally:
            running.waiters -= 1
            if not running.waiters and not running.begun:  # nobody wants it any more, and no thread is at it
                running.answer.cancel()
                self._forget(host, running.answer)

    def _forget(self, host: str, answer: asyncio.Future[tuple[Address, ...]]) -> None:
        running = self._running.get(host)
        if running is not None and running.answer is answer:
            del self._running[host]


def _addresses(host: str) -> tuple[Address, ...]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    addresses = dict.fromkeys(plain(ipaddress.ip_address(entry[4][0])) for entry in found)
    if not addresses or len(addresses) > MOST_ADDRESSES:
        raise ValueError(f"{len(addresses)} addresses")
    return tuple(addresses)


def _settle(answer: asyncio.Future[tuple[Address, ...]], found: tuple[Address, ...] | Unresolved) -> None:
    if answer.done():
        return
    if isinstance(found, Unresolved):
        answer.set_exception(found)
    else:
        answer.set_result(found)


def _seen(done: asyncio.Future[tuple[Address, ...]]) -> None:
    if not done.cancelled():
        done.exception()  # nobody may be waiting any more
