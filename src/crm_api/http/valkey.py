"""One pipelined connection to Valkey for calls on the request path, made to cost almost nothing, also when Valkey is gone.

redis-py's asyncio client spends more on one command than a whole read of a record may take. Here all requests share one
connection; a call is one write and one future. There is no timer per call: a watchdog runs only while answers are due.
While the connection is down every call fails at once (`ValkeyDown`) and a background task tries to reconnect, so an
absent or hanging Valkey delays no request after the first few.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, cast

import hiredis
from redis.asyncio.connection import parse_url

_PATIENCE_S: Final = 0.25
_FIRST_RETRY_S: Final = 0.1
_LAST_RETRY_S: Final = 2.0


# hiredis declares the tuple as one of exactly one word.
_pack: Final = cast(Callable[[tuple[bytes | str | int, ...]], bytes], hiredis.pack_command)


class ValkeyDown(Exception):
    """There is no working connection to Valkey."""


class ValkeyError(Exception):
    """Valkey understood the call and refused it; the message is its own."""


class _Protocol(asyncio.Protocol):
    """Matches answers to calls in order (RESP needs no ids)."""

    def __init__(self, lost: Callable[["_Protocol"], None]) -> None:
        self._reader = hiredis.Reader(replyError=ValkeyError)
        self._lost = lost
        self.due: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's transports are none by inheritance

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                _, future = self.due.popleft()
                if future.done():
                    continue  # its caller was cancelled meanwhile
                if isinstance(reply, Exception):
                    future.set_exception(reply)
                else:
                    future.set_result(reply)
        except (hiredis.ProtocolError, IndexError):
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(self)
        self._fail()

    def call(self, packed: bytes, now: float) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.transport is None or self.transport.is_closing():
            future.set_exception(ValkeyDown())
            return future
        self.due.append((now, future))
        self.transport.write(packed)
        return future

    def close(self) -> None:
        """Ends the connection. Who waits for an answer is told now: the loop may not live until the connection is gone."""
        if self.transport is not None:
            self.transport.close()
        self._fail()

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()
        self._fail()

    def _fail(self) -> None:
        while self.due:
            _, future = self.due.popleft()
            if not future.done() and not future.get_loop().is_closed():  # else nobody is left to be told
                future.set_exception(ValkeyDown())


class Valkey:
    """A shared connection that heals itself. `url` as in `redis://`, `rediss://` or `unix://`."""

    def __init__(self, url: str) -> None:
        self._options: dict[str, Any] = dict(parse_url(url))
        self._protocol: _Protocol | None = None
        self._healer: asyncio.Task[None] | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def up(self) -> bool:
        """Whether calls go out at present."""
        return self._protocol is not None

    async def start(self) -> None:
        """Connects; if that fails, goes on trying in the background. Never raises for an absent server."""
        self._loop = asyncio.get_running_loop()
        try:
            await asyncio.wait_for(self._connect(), 1.0)
        except (OSError, TimeoutError, ValkeyDown, ValkeyError):
            self._heal()

    async def close(self) -> None:
        """Closes the connection; calls still running fail with `ValkeyDown`."""
        self._loop = None
        if self._healer is not None:
            self._healer.cancel()
            self._healer = None
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        protocol, self._protocol = self._protocol, None
        if protocol is not None:
            protocol.close()

    def call(self, *words: bytes | str | int) -> asyncio.Future[Any]:
        """Sends one command; the future gives its answer (bytes, int, list or None).

        Raises `ValkeyDown` at once without a connection, and in another event loop than the connection's; the future raises it
        if the connection breaks or no answer comes within 0.25 s, and `ValkeyError` if Valkey refuses the command.
        """
        protocol, loop = self._protocol, self._loop
        if protocol is None or loop is None or asyncio.get_running_loop() is not loop:
            raise ValkeyDown
        now = loop.time()
        if self._watchdog is None:
            self._watchdog = loop.call_later(_PATIENCE_S, self._watch)
        return protocol.call(_pack(words), now)

    def _watch(self) -> None:
        """Runs while answers are due: one that is overdue means that the server hangs, so the connection is given up."""
        self._watchdog = None
        protocol, loop = self._protocol, self._loop
        if protocol is None or loop is None or not protocol.due:
            return
        waited = loop.time() - protocol.due[0][0]
        if waited >= _PATIENCE_S:
            self._on_lost(protocol)
            protocol.abort()
        else:
            self._watchdog = loop.call_later(_PATIENCE_S - waited, self._watch)

    def _on_lost(self, protocol: _Protocol) -> None:
        if self._protocol is protocol:
            self._protocol = None
            self._heal()

    def _heal(self) -> None:
        if self._loop is not None and (self._healer is None or self._healer.done()):
            self._healer = self._loop.create_task(self._reconnect())

    async def _reconnect(self) -> None:
        pause = _FIRST_RETRY_S
        while self._protocol is None:
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LAST_RETRY_S)
            try:
                await asyncio.wait_for(self._connect(), 1.0)
            except (OSError, TimeoutError, ValkeyDown, ValkeyError):
                continue

    async def _connect(self) -> None:
        """Opens, authenticates and proves the connection before it is used: a stopped server still accepts at TCP's level."""
        loop, options = asyncio.get_running_loop(), self._options
        protocol = _Protocol(self._on_lost)
        if "path" in options:
            await loop.create_unix_connection(lambda: protocol, options["path"])
        else:
            secure = True if "SSL" in getattr(options.get("connection_class"), "__name__", "") else None
            await loop.create_connection(lambda: protocol, options.get("host", "localhost"), options.get("port", 6379), ssl=secure)
        try:
            if options.get("password"):
                user = [options["username"]] if options.get("username") else []
                await protocol.call(_pack(("AUTH", *user, options["password"])), loop.time())
            if options.get("db"):
                await protocol.call(_pack(("SELECT", options["db"])), loop.time())
            await protocol.call(_pack(("PING",)), loop.time())
        except BaseException:
            protocol.abort()
            raise
        self._protocol = protocol
