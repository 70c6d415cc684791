"""Networks that tokens are taken from, and whose address a request has behind proxies."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from crm_api.core.errors import InvalidValue
from crm_api.core.networks import allows, client_address, covers, parse_address, parse_network

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48"))


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("203.0.113.0/24", "203.0.113.0/24"),
        ("203.0.113.7", "203.0.113.7/32"),
        (" 2001:DB8::/32 ", "2001:db8::/32"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ],
)
def test_networks_have_one_form(text: str, normal: str) -> None:
    assert str(parse_network(text)) == normal


@pytest.mark.parametrize("text", ["", "203.0.113.7/24", "203.0.113.0/33", "example.com", "203.0.113", "2001:db8::/129", "1/0/0"])
def test_what_is_no_network(text: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        parse_network(text)
    assert raised.value.code == "invalid_network"


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("203.0.113.7", True),
        ("203.0.114.7", False),
        ("::ffff:203.0.113.7", True),
        ("2001:db8::7", True),
        ("2001:db9::7", False),
        ("fe80::1%eth0", False),
        ("testclient", False),
        ("", False),
        (None, False),
    ],
)
def test_addresses_lie_in_networks(address: str | None, inside: bool) -> None:
    assert allows(("203.0.113.0/24", "2001:db8::/32"), address) is inside


def test_narrower_networks_lie_within() -> None:
    outer = ("203.0.113.0/24", "2001:db8::/32")
    assert covers(outer, ["203.0.113.0/24", "203.0.113.128/25", "2001:db8:1::/48"]) == []
    assert covers(outer, ["203.0.112.0/23", "0.0.0.0/0", "::/0", "203.0.113.9/32"]) == ["203.0.112.0/23", "0.0.0.0/0", "::/0"]


def test_addresses_with_ports() -> None:
    assert [str(parse_address(text)) for text in ("192.0.2.1:443", "[2001:db8::1]:443", "[2001:db8::1]", "2001:db8::1")] == [
        "192.0.2.1",
        "2001:db8::1",
        "2001:db8::1",
        "2001:db8::1",
    ]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.1", [], "198.51.100.1"),
        ("198.51.100.1", ["203.0.113.7"], "198.51.100.1"),  # nobody vouches for what a stranger says
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("::ffff:10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("2001:db8:ffff::1", ["2001:db8::9"], "2001:db8::9"),
        ("10.0.0.1", ["1.2.3.4, 203.0.113.7"], "203.0.113.7"),  # the left one was written by the client
        ("10.0.0.1", ["1.2.3.4", "203.0.113.7, 10.0.0.2"], "203.0.113.7"),
        ("10.0.0.1", ["203.0.113.7:4711"], "203.0.113.7"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["203.0.113.7, unknown"], None),
        ("10.0.0.1", ["unknown, 203.0.113.7"], "203.0.113.7"),
        ("testclient", ["203.0.113.7"], "testclient"),
        (None, ["203.0.113.7"], None),
    ],
)
def test_the_client_behind_proxies(peer: str | None, forwarded: list[str], client: str | None) -> None:
    headers = [(b"host", b"x"), *((b"x-forwarded-for", value.encode()) for value in forwarded)]
    assert client_address(peer, headers, PROXIES) == client
    assert client_address(peer, headers, ()) == peer or peer == "::ffff:10.0.0.1"


def test_a_long_chain_is_not_walked_for_ever() -> None:
    headers = [(b"x-forwarded-for", ", ".join(["203.0.113.7"] + ["10.0.0.9"] * 100_000).encode())]
    assert client_address("10.0.0.1", headers, PROXIES) == "10.0.0.9"
