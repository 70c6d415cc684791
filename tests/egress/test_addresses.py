"""Which addresses are reached, and how many ways there are to write them."""

from __future__ import annotations

import ipaddress

import pytest

from crm_api.core.egress import EgressPolicy, SystemResolver, Unresolved, check_url
from crm_api.core.egress.addresses import is_public
from crm_api.core.egress.urls import check_host, parse
from crm_api.core.errors import InvalidValue
from crm_api.settings import Settings
from tests.egress.support import LOOPBACK, Names

pytestmark = pytest.mark.anyio

PRIVATE = (
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.1.1",
    "192.175.48.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2620:4f:8000::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
)
PUBLIC = ("8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.32.0.1", "192.0.1.1", "223.255.255.255", "::ffff:8.8.8.8")
PUBLIC_V6 = ("2606:4700:4700::1111", "2a00:1450:4001:80b::200e", "2400:cb00::1", "2001:4860:4860::8888")


@pytest.mark.parametrize("text", PRIVATE)
def test_what_is_not_the_internet(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", [*PUBLIC, *PUBLIC_V6])
def test_what_is(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


SPELLINGS = (
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.01/",
    "https://127.0.0.0x1/",
    "https://127.0.0.1./",
    "https://1.2.3.4.5/",
    "https://0/",
    "https://0.0.0.0/",
    "https://[::1]/",
    "https://[::]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[::1%251]/",
    "https://[v1.fe80::a]/",
    "https://[127.0.0.1]/",
    "https://[::1/",
    "https://::1/",
    "https://１２７.０.０.１/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://127%2e0%2e0%2e1/",
    "https://%31%32%37.0.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/",
    "https://0xa9fea9fe/",
    "https://[fd00:ec2::254]/",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost./",
    "https://user@127.0.0.1/",
    "https://shop.example@127.0.0.1/",
    "https://127.0.0.1@shop.example/",
    "https://shop.example:443@127.0.0.1/",
    "https://shop.example\\@127.0.0.1/",
    "https://shop.example#@127.0.0.1/",
    "https://127.0.0.1\t/",
    "https://127.0.0.1\n.shop.example/",
    "https:/127.0.0.1/",
    "https:127.0.0.1/",
    "https:///127.0.0.1/",
    "https://",
    "https://:443/",
    "https://./",
    "https://shop..example/",
    "https://-shop.example/",
    "https://shop.example:0/",
    "https://shop.example:65536/",
    "https://shop.example:4 43/",
    "https://shop.example:+443/",
    "https://shop.example:４４３/",
    "//127.0.0.1/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_",
    "ftp://shop.example/",
    "dict://127.0.0.1:11211/",
    "javascript://shop.example/",
    "",
    "https://" + "a" * 2050 + "/",
    "https://shop.example/" + "ä" * 1020,
    "https://" + "a" * 64 + ".example/",
    "https://" + "a." * 127 + "example/",
)


@pytest.mark.parametrize("url", SPELLINGS)
async def test_no_spelling_leads_inside(url: str) -> None:
    """Whatever a text is taken for, it is refused before anything is looked up, or for where it leads."""
    names = Names(localhost=[["127.0.0.1"]])
    with pytest.raises(InvalidValue) as refused:
        await check_url(url, EgressPolicy(), names)
    assert str(refused.value) != refused.value.code  # there is a text for it
    assert set(names.asked) <= {"localhost"}


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://shop.example/", "https_required"),
        ("http://8.8.8.8/", "https_required"),
        ("https://shop.example:8080/", "port_not_allowed"),
        ("https://8.8.8.8:22/", "port_not_allowed"),
        ("https://ada:pw@shop.example/", "credentials_in_url"),
        ("https://@shop.example/", "credentials_in_url"),
        ("https://shop.example/#x", "fragment_in_url"),
        ("https://10.0.0.1/", "address_not_allowed"),
        ("http://10.0.0.1:80/", "address_not_allowed"),
        ("https://0x7f.1/", "ambiguous_host"),
        ("https://shop.example/" + "x" * 2048, "url_too_long"),
        ("ftp://shop.example/", "invalid_url"),
    ],
)
async def test_what_is_wrong_is_said(url: str, code: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        await check_url(url, EgressPolicy(), Names(shop_example=[["8.8.8.8"]]))
    assert refused.value.code == code
    if code == "port_not_allowed":
        assert refused.value.allowed == [443, 8443]


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "authority"),
    [
        ("https://shop.example", "shop.example", 443, "/", "shop.example"),
        ("HTTPS://Shop.Example:443/a?b=c", "shop.example", 443, "/a?b=c", "shop.example"),
        ("https://shop.example.:8443?x", "shop.example", 8443, "/?x", "shop.example:8443"),
        ("https://bücher.example/straße?q=ä%20b", "xn--bcher-kva.example", 443, "/stra%C3%9Fe?q=%C3%A4%20b", "xn--bcher-kva.example"),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/", "8.8.8.8"),
        ("https://[2606:4700:4700:0::1111]:8443/", "2606:4700:4700::1111", 8443, "/", "[2606:4700:4700::1111]:8443"),
        ("https://[::ffff:8.8.8.8]/", "8.8.8.8", 443, "/", "8.8.8.8"),
        ("https://my_shop.example/", "my_shop.example", 443, "/", "my_shop.example"),
        ("https://7.shop.example/", "7.shop.example", 443, "/", "7.shop.example"),
    ],
)
async def test_how_addresses_are_read(url: str, host: str, port: int, path: str, authority: str) -> None:
    target = parse(url)
    assert (target.host, target.port, target.path, target.authority) == (host, port, path, authority)
    await check_url(url, EgressPolicy(), Names())


async def test_one_bad_address_is_enough() -> None:
    for found in (["8.8.8.8", "10.0.0.1"], ["10.0.0.1", "8.8.8.8"], ["8.8.8.8", "::1"], ["127.0.0.1", "8.8.8.8"]):
        with pytest.raises(InvalidValue, match="network"):
            await check_url("https://shop.example/", EgressPolicy(), Names(shop_example=[found]))
    await check_url("https://shop.example/", EgressPolicy(), Names(shop_example=[["8.8.8.8", "2606:4700:4700::1111"]]))


async def test_networks_that_are_reached_on_purpose() -> None:
    names = Names(receiver=[["127.0.0.1"]], both_example=[["127.0.0.1", "8.8.8.8"]], shop_example=[["8.8.8.8"]])
    for url in (
        "http://127.0.0.1:8080/",
        "http://[::1]:9/",
        "http://[::ffff:127.0.0.1]:81/",
        "http://receiver:3000/",
        "https://receiver:22/",
    ):
        await check_url(url, LOOPBACK, names)
    for url, code in (
        ("http://10.0.0.1/", "address_not_allowed"),
        ("http://0.0.0.0/", "address_not_allowed"),
        ("http://both.example/", "https_required"),  # it may be the public one that is dialled
        ("https://both.example:22/", "port_not_allowed"),
        ("http://shop.example/", "https_required"),
        ("http://unknown.example/", "https_required"),
    ):
        with pytest.raises(InvalidValue) as refused:
            await check_url(url, LOOPBACK, names)
        assert refused.value.code == code, url


async def test_hosts_of_other_protocols() -> None:
    names = Names(mail_example=[["8.8.8.8"]], inside_example=[["10.0.0.5"]])
    for host in ("mail.example", "8.8.8.8", "2606:4700:4700::1111", "unknown.example"):
        await check_host(host, EgressPolicy(), names)
    for host, code in (
        ("inside.example", "address_not_allowed"),
        ("::1", "address_not_allowed"),
        ("10.0.0.1", "address_not_allowed"),
        ("010.1", "ambiguous_host"),
        ("mail.example:25", "invalid_host"),
        ("fe80::1%eth0", "invalid_host"),
        ("a b", "invalid_host"),
    ):
        with pytest.raises(InvalidValue) as refused:
            await check_host(host, EgressPolicy(), names)
        assert refused.value.code == code, host


def test_settings() -> None:
    found = Settings.model_validate({"egress_allow": "10.1.0.0/16, ::ffff:192.168.0.0/112, fd12::/16", "egress_ports": "443, 9443"}).egress
    assert [str(network) for network in found.allow] == ["10.1.0.0/16", "192.168.0.0/16", "fd12::/16"]
    assert found.ports == {443, 9443}
    assert found.reaches(ipaddress.ip_address("192.168.3.4"))
    assert not found.reaches(ipaddress.ip_address("10.2.0.1"))
    assert Settings().egress.ports == {443, 8443}
    with pytest.raises(ValueError, match="65535"):
        Settings.model_validate({"egress_ports": "70000"})


async def test_the_systems_resolver() -> None:
    resolver = SystemResolver()
    assert ipaddress.ip_address("127.0.0.1") in await resolver.resolve("localhost", 5)
    with pytest.raises(Unresolved):
        await resolver.resolve("no-such-name.invalid", 5)
    with pytest.raises(Unresolved):
        await resolver.resolve("a" * 300, 5)
