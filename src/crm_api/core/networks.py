"""Addresses and networks, IPv4 and IPv6: who a request comes from, and whether that is where a token may be used."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from crm_api.core.errors import InvalidValue

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_FORWARDED: Final = b"x-forwarded-for"
_MOST_HOPS: Final = 32
"""Hops of a chain of proxies that are looked at; nobody's is longer."""


def parse_address(text: str) -> Address | None:
    """An address as text, also with a port (`192.0.2.1:443`, `[2001:db8::1]:443`) or a zone; None for what is none.

    IPv4 addresses in IPv6 form (`::ffff:192.0.2.1`) become IPv4 ones, so that one network covers both.
    """
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found


def parse_network(text: str) -> Network:
    """A network in CIDR notation (RFC 4632, RFC 4291 2.3), or a single address.

    Raises InvalidValue `invalid_network`, also where bits behind the prefix are set: they say that something else was meant.
    """
    try:
        found = ipaddress.ip_network(text.strip())
    except ValueError as error:
        raise InvalidValue("invalid_network", reason=str(error)) from None
    if isinstance(found, ipaddress.IPv6Network) and found.prefixlen >= 96 and found.network_address.ipv4_mapped is not None:
        return ipaddress.IPv4Network((found.network_address.ipv4_mapped, found.prefixlen - 96))
    return found


@lru_cache(maxsize=4096)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


def allows(networks: Sequence[str], address: str | None) -> bool:
    """Whether an address lies in one of the networks; an unknown one lies in none."""
    found = None if address is None else parse_address(address)
    return found is not None and any(found in network for network in _networks(tuple(networks)) if network.version == found.version)


def covers(outer: Sequence[str], inner: Iterable[str]) -> list[str]:
    """Those of the inner networks that don't lie within one of the outer ones."""
    known = _networks(tuple(outer))
    return [text for text in inner if not any(_within(_networks((text,))[0], network) for network in known)]


def _within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, ipaddress.IPv4Network):
        return isinstance(outer, ipaddress.IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, ipaddress.IPv6Network) and inner.subnet_of(outer)


def client_address(peer: str | None, headers: Iterable[tuple[bytes, bytes]], trusted: Sequence[Network]) -> str | None:
    """The address of the client behind the proxies that we trust: the last one that none of them vouches for.

    `peer` is the other end of the connection. Its `X-Forwarded-For` counts only if it is trusted, and is read from the right,
    since whatever stands to the left of an untrusted address may have been written by anybody. None where a trusted proxy names
    something that is no address.
    """
    found = None if peer is None else parse_address(peer)
    if found is None or not _trusted(found, trusted):
        return peer if found is None else str(found)
    hops = [hop for name, value in headers if name == _FORWARDED for hop in value.decode("latin-1").split(",") if hop.strip()]
    for hop in reversed(hops[-_MOST_HOPS:]):
        found = parse_address(hop)
        if found is None:
            return None
        if not _trusted(found, trusted):
            break
    return str(found)


def _trusted(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted if network.version == address.version)
