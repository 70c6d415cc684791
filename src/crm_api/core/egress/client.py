"""The client for requests to addresses that users name."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from socket import socket as Socket
from time import perf_counter
from types import TracebackType
from typing import Final, Self

import structlog

from crm_api.core.egress.addresses import Address
from crm_api.core.egress.answers import Answer, EgressFailed, Timings
from crm_api.core.egress.connection import Connection
from crm_api.core.egress.dialer import Dialer, Limits, Marks
from crm_api.core.egress.policy import EgressPolicy
from crm_api.core.egress.pool import EXPIRY_S, Pool
from crm_api.core.egress.resolver import Resolver, SystemResolver
from crm_api.core.egress.urls import Target, parse
from crm_api.core.errors import InvalidValue

OURS: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that nobody else sets: they are about the connection and the framing (RFC 9110 7.6.1), or would change what comes back."""

USER_AGENT: Final = "crm-api"
log = structlog.stdlib.get_logger("crm_api.egress")

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Egress:
    """Requests to addresses that users name; one for a process and event loop.

    Each new connection goes to an address that was resolved and judged for it. Nothing is taken from the environment (no proxies),
    no redirect is followed, no answer is decoded. `max_connections` requests run at once, the others wait; as many connections may
    wait for another request.
    """

    def __init__(
        self,
        policy: EgressPolicy,
        *,
        max_connections: int = 200,
        resolver: Resolver | None = None,
        context: ssl.SSLContext | None = None,
        limits: Limits | None = None,
        keep_alive_s: float = EXPIRY_S,
    ) -> None:
        self.policy: Final = policy
        self.dialer: Final = Dialer(policy, resolver or SystemResolver(), context, limits or Limits())
        self._slots = asyncio.Semaphore(max_connections)
        self._pool = Pool(max_connections, keep_alive_s)
        self._open: set[Connection] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes all connections; requests that run fail with `closed`."""
        self._closed = True
        self._pool.close()
        for connection in list(self._open):
            connection.close()
        await asyncio.sleep(0)  # the transports let their sockets go in the loop's next round

    @property
    def idle(self) -> int:
        """Connections that wait for another request."""
        return len(self._pool)

    @property
    def busy(self) -> int:
        """Connections that carry a request."""
        return len(self._open)

    async def request(
        self,
        method: str,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        *,
        keep: int = 16_384,
        total_s: float = 15.0,
        repeatable: bool = False,
    ) -> Answer:
        """Sends one request and returns the first `keep` bytes of the answer; what is beyond them is not read.

        `total_s` covers everything from the look-up of the name to the last byte; waiting for a free connection comes before and may
        take as long. `repeatable` says that receiving the request twice does no harm (as for GET, which needs not say so): then one
        that an idle connection swallowed, because the server was just closing it, goes out once more on a new one.

        Raises EgressFailed; ValueError for headers that are not the caller's to set.
        """
        ours = [name for name, _ in headers if name.lower() in OURS]
        if ours:
            raise ValueError(f"not the caller's to set: {', '.join(ours)}")
        try:
            target = parse(url)
        except InvalidValue as error:
            raise EgressFailed("address_not_allowed", f"{error.code}: {error}", timings=Timings(total_ms=0.0)) from None
        try:
            async with asyncio.timeout(total_s):
                await self._slots.acquire()
        except TimeoutError:
            raise EgressFailed("timeout", f"No connection was free within {total_s:g} s.") from None
        marks = Marks()
        try:
            async with asyncio.timeout(total_s):
                return await self._request(method, target, _complete(target, headers, method, body), body, keep, marks, repeatable)
        except TimeoutError:
            detail = f"There was no whole answer within {total_s:g} s."
            raise EgressFailed(marks.phase, detail, timings=marks.timings(), address=marks.address) from None
        except EgressFailed as failed:
            failed.timings, failed.address = marks.timings(), marks.address
            if failed.kind == "address_not_allowed":
                log.warning("egress_refused", detail=failed.detail)
            raise
        finally:
            self._slots.release()

    async def socket(self, host: str, port: int, marks: Marks) -> tuple[Socket, Address]:
        """A connected socket to a host that users name, for another protocol than HTTP; the caller closes it, and limits the time.

        Any port goes. `marks` takes what the phases took. Raises EgressFailed.
        """
        try:
            return await self.dialer.socket(host, port, marks)
        except EgressFailed as failed:
            failed.timings, failed.address = marks.timings(), marks.address
            if failed.kind == "address_not_allowed":
                log.warning("egress_refused", detail=failed.detail)
            raise

    async def _request(
        self, method: str, target: Target, headers: Sequence[tuple[str, str]], body: bytes, keep: int, marks: Marks, repeatable: bool
    ) -> Answer:
        origin = (target.scheme, target.host, target.port)
        waiting = self._pool.take(origin, perf_counter())
        if waiting is not None:
            marks.address, marks.phase = waiting.address, "timeout"
            try:
                return await self._over(waiting, method, target, headers, body, keep, marks)
            except EgressFailed as failed:
                if failed.kind != "closed" or waiting.heard or self._closed or not (repeatable or method in _SAFE):
                    raise
            marks.sent, marks.address, marks.phase = None, None, "dns"
        connection = await self.dialer.connect(target, Connection, marks)
        connection.address = marks.address
        return await self._over(connection, method, target, headers, body, keep, marks)

    async def _over(
        self, connection: Connection, method: str, target: Target, headers: Sequence[tuple[str, str]], body: bytes, keep: int, marks: Marks
    ) -> Answer:
        if self._closed:
            connection.close()
            raise EgressFailed("closed", "The process ends.")
        self._open.add(connection)
        try:
            answer = await connection.exchange(method, target.path, headers, body, keep, marks)
        except BaseException:
            connection.close()
            raise
        finally:
            self._open.discard(connection)
        self._pool.give((target.scheme, target.host, target.port), connection, perf_counter())
        return answer


def _complete(target: Target, headers: Sequence[tuple[str, str]], method: str, body: bytes) -> list[tuple[str, str]]:
    complete = [("Host", target.authority), ("Accept-Encoding", "identity"), *headers]
    if body or method not in _SAFE:
        complete.append(("Content-Length", str(len(body))))
    if not any(name.lower() == "user-agent" for name, _ in headers):
        complete.append(("User-Agent", USER_AGENT))
    return complete
