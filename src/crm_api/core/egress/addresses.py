"""Which IP addresses belong to somebody else on the internet, and not to the network that this server stands in.

`ipaddress`' `is_global` is not enough: it calls addresses global behind which others hide (NAT64, 6to4, IPv4-compatible), multicast,
and what clouds keep for themselves; and it differs between Python's versions. So the ranges stand here, from IANA's registries of
special-purpose addresses (RFC 6890), and an address must pass both.
"""

from __future__ import annotations

import ipaddress
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_REFUSED_V4: Final = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this host (RFC 791)
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # shared by carriers (RFC 6598), and metadata of some clouds
        "127.0.0.0/8",  # loopback (RFC 1122)
        "168.63.129.16/32",  # Azure's own services, an address that is public elsewhere
        "169.254.0.0/16",  # link-local (RFC 3927), and metadata of most clouds
        "172.16.0.0/12",  # private (RFC 1918)
        "192.0.0.0/24",  # protocol assignments (RFC 6890), and metadata of some clouds
        "192.0.2.0/24",  # documentation (RFC 5737)
        "192.31.196.0/24",  # AS112 (RFC 7535)
        "192.52.193.0/24",  # AMT relays (RFC 7450)
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "192.168.0.0/16",  # private (RFC 1918)
        "192.175.48.0/24",  # AS112 (RFC 7534)
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "198.51.100.0/24",  # documentation (RFC 5737)
        "203.0.113.0/24",  # documentation (RFC 5737)
        "224.0.0.0/4",  # multicast (RFC 5771)
        "240.0.0.0/4",  # reserved (RFC 1112), and broadcast
    )
)
_UNICAST_V6: Final = ipaddress.IPv6Network("2000::/3")
"""All that is given out (RFC 4291 2.4). Outside lie loopback, `::a.b.c.d`, NAT64, 5f00::/16, fc00::/7, fe80::/10, fec0::/10, ff00::/8."""

_REFUSED_V6: Final = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments (RFC 2928): Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation (RFC 3849)
        "2002::/16",  # 6to4 (RFC 3056): an IPv4 address hides behind it
        "2620:4f:8000::/48",  # AS112 (RFC 7534)
        "3fff::/20",  # documentation (RFC 9637)
    )
)


def plain(address: Address) -> Address:
    """The address that is really dialled: IPv4 in IPv6 form (`::ffff:192.0.2.1`, RFC 4291 2.5.5.2) is IPv4."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_public(address: Address) -> bool:
    """Whether an address is reached over the internet, and nothing else hides behind it."""
    address = plain(address)
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not any(address in network for network in _REFUSED_V4)
    if address.scope_id is not None:  # a zone means an interface of this machine
        return False
    return address.is_global and address in _UNICAST_V6 and not any(address in network for network in _REFUSED_V6)


def within(address: Address, networks: tuple[Network, ...]) -> bool:
    """Whether an address lies in one of the networks."""
    address = plain(address)
    return any(address in network for network in networks if network.version == address.version)
