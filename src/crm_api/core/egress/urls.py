"""Reading addresses that users name, in one way for storing and for using them.

The parts are taken apart strictly, so that no two readers can understand a text differently: an IPv4 address is four decimal numbers
and nothing else (RFC 6943 3.1.1 tells what happens otherwise: `0177.1`, `0x7f.1`, `2130706433` and `127.1` are all 127.0.0.1
to some), IPv6 addresses have no zone (RFC 6874), names are ASCII after IDNA (RFC 5891, with UTS #46).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import quote

import idna

from crm_api.core.egress.addresses import Address, plain
from crm_api.core.egress.policy import EgressPolicy
from crm_api.core.egress.resolver import Resolver, Unresolved
from crm_api.core.errors import InvalidValue

MAX_BYTES: Final = 2048
SAVE_LIMIT_S: Final = 2.0
"""Seconds that storing an address waits for name servers."""

_URL: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?P<fragment>#.*)?"
)
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f-\xa0<>\"\\^`{|}\u2028\u2029]")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DEFAULTS: Final = {"http": 80, "https": 443}
_KEPT: Final = "/?:@!$&'()*+,;=-._~%[]"


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart. `host` is lower case ASCII without brackets or final dot; `address` is set where it is an IP address."""

    scheme: str
    host: str
    port: int
    path: str
    address: Address | None

    @property
    def authority(self) -> str:
        """The value of the Host header (RFC 9110 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULTS[self.scheme] else f"{host}:{self.port}"


@lru_cache(maxsize=4096)
def parse(url: str) -> Target:
    """Takes an address apart.

    Raises InvalidValue: `url_too_long`, `invalid_url`, `credentials_in_url`, `fragment_in_url`, `ambiguous_host`.
    """
    if len(url.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise InvalidValue("url_too_long", max_bytes=MAX_BYTES)
    match = None if _UNSAFE.search(url) else _URL.fullmatch(url)
    if match is None or (scheme := match["scheme"].lower()) not in _DEFAULTS:
        raise InvalidValue("invalid_url")
    if "@" in match["authority"]:
        raise InvalidValue("credentials_in_url")
    if match["fragment"] is not None:
        raise InvalidValue("fragment_in_url")
    host, address, port = _authority(match["authority"], scheme)
    try:
        path = quote((match["path"] or "/") + (match["query"] or ""), safe=_KEPT)
    except UnicodeEncodeError:
        raise InvalidValue("invalid_url") from None
    return Target(scheme, host, port, path, address)


def _authority(text: str, scheme: str) -> tuple[str, Address | None, int]:
    if text.startswith("["):
        inside, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise InvalidValue("invalid_url")
        return *_ipv6(inside), _port(rest[1:], scheme)
    name, _, port = text.partition(":")
    host = _name(name)
    return host, _ipv4(host), _port(port, scheme)


def _port(text: str, scheme: str) -> int:
    if not text:
        return _DEFAULTS[scheme]
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or not 0 < int(text) < 65_536:
        raise InvalidValue("invalid_url")
    return int(text)


def _ipv6(text: str) -> tuple[str, Address]:
    try:
        found = ipaddress.IPv6Address(text)
    except ValueError:
        raise InvalidValue("invalid_url") from None
    if found.scope_id is not None:
        raise InvalidValue("invalid_url")
    address = plain(found)
    return str(address), address


def _name(text: str) -> str:
    host = text.lower()
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii").lower()
        except (idna.IDNAError, UnicodeError):
            raise InvalidValue("invalid_url") from None
    host = host.removesuffix(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise InvalidValue("invalid_url")
    return host


def _ipv4(host: str) -> Address | None:
    if _NUMBER.fullmatch(host.rpartition(".")[2]) is None:  # no name ends in a number (WHATWG URL, "ends in a number")
        return None
    try:
        return ipaddress.IPv4Address(host)  # takes neither leading zeros nor fewer than four numbers
    except ValueError:
        raise InvalidValue("ambiguous_host") from None


def judge(target: Target, addresses: Sequence[Address], policy: EgressPolicy) -> None:
    """Holds an address to the policy, with all the IP addresses that it has; none means that they aren't known.

    One that may not be reached is enough to refuse: whoever names it chooses which one is dialled.
    Raises InvalidValue: `address_not_allowed`, `https_required`, `port_not_allowed`.
    """
    if not all(policy.reaches(address) for address in addresses):
        raise InvalidValue("address_not_allowed")
    if addresses and all(policy.excepted(address) for address in addresses):
        return
    if target.scheme != "https":
        raise InvalidValue("https_required")
    if target.port not in policy.ports:
        raise InvalidValue("port_not_allowed", allowed=sorted(policy.ports))


async def check_url(url: str, policy: EgressPolicy, resolver: Resolver) -> None:
    """Checks an address before it is stored.

    A name that can't be resolved within two seconds is held to the rules for public addresses: it is judged again whenever it is used.
    Raises InvalidValue with the codes of `parse` and `judge`.
    """
    target = parse(url)
    judge(target, await _known(target.host, target.address, resolver), policy)


async def check_host(host: str, policy: EgressPolicy, resolver: Resolver) -> None:
    """Checks a host that is reached by another protocol than HTTP, before it is stored. Any port goes.

    Raises InvalidValue: `invalid_host`, `ambiguous_host`, `address_not_allowed`.
    """
    name, address = parse_host(host)
    if not all(policy.reaches(found) for found in await _known(name, address, resolver)):
        raise InvalidValue("address_not_allowed")


def parse_host(host: str) -> tuple[str, Address | None]:
    """A host as it is dialled, and its address if it is one; IPv6 without brackets.

    Raises InvalidValue `invalid_host`, `ambiguous_host`.
    """
    try:
        if ":" in host:
            return _ipv6(host)
        name = _name(host)
    except InvalidValue:
        raise InvalidValue("invalid_host") from None
    return name, _ipv4(name)


async def _known(host: str, address: Address | None, resolver: Resolver) -> tuple[Address, ...]:
    if address is not None:
        return (address,)
    try:
        return await resolver.resolve(host, SAVE_LIMIT_S)
    except Unresolved:
        return ()
