"""Connections to addresses that were judged."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from socket import socket as Socket
from time import perf_counter
from typing import Final, Literal, TypeVar

import certifi

from crm_api.core.egress.addresses import Address
from crm_api.core.egress.answers import EgressFailed, Timings
from crm_api.core.egress.policy import EgressPolicy
from crm_api.core.egress.resolver import Resolver, Unresolved
from crm_api.core.egress.urls import Target, judge, parse_host
from crm_api.core.errors import InvalidValue

MOST_TRIED: Final = 4
"""Addresses of one name that are dialled in turn; the time for connecting is shared among them."""

_SHUTDOWN_S: Final = 1.0

P = TypeVar("P", bound=asyncio.Protocol)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that the phases may take; TLS gets as long as connecting again."""

    dns_s: float = 5.0
    connect_s: float = 5.0


@dataclass(slots=True)
class Marks:
    """When the phases of one request began (`began`, `asked`, `dialled`) and ended.

    By `time.perf_counter`: an event loop's own clock may be no finer than milliseconds.
    """

    began: float = field(default_factory=perf_counter)
    asked: float | None = None
    resolved: float | None = None
    dialled: float | None = None
    connected: float | None = None
    secured: float | None = None
    sent: float | None = None
    headed: float | None = None
    address: str | None = None
    phase: Literal["dns", "connect", "tls", "timeout"] = "dns"

    def timings(self) -> Timings:
        """The phases so far. Name and connection are None where an open connection was used."""
        now = perf_counter()
        return Timings(
            dns_ms=_ms(self.asked, self.resolved),
            connect_ms=_ms(self.dialled, self.connected),
            tls_ms=_ms(self.connected, self.secured),
            wait_ms=_ms(self.sent, self.headed),
            read_ms=_ms(self.headed, now),
            total_ms=_ms(self.began, now),
        )


def _ms(begin: float | None, end: float | None) -> float | None:
    return None if begin is None or end is None else round((end - begin) * 1000, 3)


@lru_cache(maxsize=2)
def trusted(application: str | None = None) -> ssl.SSLContext:
    """TLS 1.2 and newer, certificates checked against the system's authorities (SSL_CERT_FILE, SSL_CERT_DIR) and Mozilla's.

    `application` is the protocol that is named to the server (ALPN, RFC 7301): one that speaks another may hang up.
    """
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    if application is not None:
        context.set_alpn_protocols([application])
    return context


class Dialer:
    """Resolves, judges and connects."""

    def __init__(self, policy: EgressPolicy, resolver: Resolver, context: ssl.SSLContext | None, limits: Limits) -> None:
        self._policy = policy
        self._resolver = resolver
        self._context = context
        self._limits = limits

    async def connect(self, target: Target, protocol: Callable[[], P], marks: Marks) -> P:
        """A new connection to one of the host's addresses, with TLS if the target has it. Raises EgressFailed."""
        addresses = await self._addresses(target.host, target.address, marks)
        try:
            judge(target, addresses, self._policy)
        except InvalidValue as refused:
            raise _refused(f"{refused.code}: {target.scheme}://{target.authority}", addresses) from None
        connected, _ = await self._socket(addresses, target.port, marks)
        try:
            made = await (self._secured if target.scheme == "https" else _plain)(connected, protocol, target.host, marks)
        except BaseException:
            connected.close()
            raise
        marks.phase = "timeout"
        return made

    async def socket(self, host: str, port: int, marks: Marks) -> tuple[Socket, Address]:
        """A connected socket for another protocol than HTTP, on any port of a host that may be reached. Raises EgressFailed."""
        try:
            name, address = parse_host(host)
        except InvalidValue as error:
            raise EgressFailed("address_not_allowed", f"{error.code}: {host}") from None
        addresses = await self._addresses(name, address, marks)
        if not all(self._policy.reaches(address) for address in addresses):
            raise _refused(f"{host}:{port}", addresses)
        return await self._socket(addresses, port, marks)

    @property
    def tls(self) -> ssl.SSLContext:
        """What TLS is spoken with in other protocols than HTTP."""
        return self._context or trusted()

    async def _addresses(self, host: str, address: Address | None, marks: Marks) -> Sequence[Address]:
        if address is not None:
            return (address,)
        marks.asked = perf_counter()
        try:
            found = await self._resolver.resolve(host, self._limits.dns_s)
        except Unresolved as error:
            raise EgressFailed("dns", f"{host}: {error}") from None
        marks.resolved = perf_counter()
        if not found:  # nothing to judge is not a pass
            raise EgressFailed("dns", f"{host}: no address")
        return found

    async def _socket(self, addresses: Sequence[Address], port: int, marks: Marks) -> tuple[Socket, Address]:
        marks.phase = "connect"
        marks.dialled = perf_counter()
        deadline = marks.dialled + self._limits.connect_s
        tried = addresses[:MOST_TRIED]
        failure = "no address"
        for position, address in enumerate(tried):
            seconds = (deadline - perf_counter()) / (len(tried) - position)
            try:
                async with asyncio.timeout(seconds):
                    connected = await _connected(address, port)
            except TimeoutError:
                failure = f"{address} port {port}: no answer within {seconds:.1f} s"
            except OSError as error:
                failure = f"{address} port {port}: {error.strerror or error}"
            else:
                marks.connected = perf_counter()
                marks.address = str(address)
                return connected, address
        raise EgressFailed("connect", failure)

    async def _secured(self, connected: Socket, protocol: Callable[[], P], host: str, marks: Marks) -> P:
        """TLS from the first byte on: nothing that is said before it is taken for an answer."""
        marks.phase = "tls"
        try:
            async with asyncio.timeout(self._limits.connect_s):
                _, made = await asyncio.get_running_loop().create_connection(
                    protocol,
                    sock=connected,
                    ssl=self._context or trusted("http/1.1"),
                    server_hostname=host,
                    ssl_handshake_timeout=self._limits.connect_s + 1,
                    ssl_shutdown_timeout=_SHUTDOWN_S,
                )
        except TimeoutError:
            raise EgressFailed("tls", "The TLS handshake took too long.") from None
        except ssl.SSLCertVerificationError as error:
            raise EgressFailed("tls", f"The certificate was not accepted: {error.verify_message}.") from None
        except (ssl.SSLError, OSError) as error:
            raise EgressFailed("tls", f"The TLS handshake failed: {_reason(error)}.") from None
        marks.secured = perf_counter()
        return made


async def _plain(connected: Socket, protocol: Callable[[], P], host: str, marks: Marks) -> P:
    _, made = await asyncio.get_running_loop().create_connection(protocol, sock=connected)
    return made


async def _connected(address: Address, port: int) -> Socket:
    family = socket.AF_INET if isinstance(address, ipaddress.IPv4Address) else socket.AF_INET6
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(made, (str(address), port))
    except BaseException:
        made.close()
        raise
    return made


def _refused(what: str, addresses: Sequence[Address]) -> EgressFailed:
    return EgressFailed("address_not_allowed", f"{what} at {', '.join(map(str, addresses))}")


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return error.strerror or type(error).__name__
