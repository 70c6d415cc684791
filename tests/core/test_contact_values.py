"""Telephone numbers, e-mail addresses, domains, web addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_api.core.domains import check_url, normalize_domain
from crm_api.core.email import normalize_email
from crm_api.core.errors import InvalidValue
from crm_api.core.phone import normalize_phone


@pytest.mark.parametrize(
    ("raw", "region", "key"),
    [
        ("030 123456", "DE", "+4930123456"),
        ("(030) 12 34-56", "DE", "+4930123456"),
        ("0049 30 123456", "DE", "+4930123456"),
        ("+49 (0)30 123456", "US", "+4930123456"),
        ("+1 212 555 0100", None, "+12125550100"),
        ("212-555-0100 ext. 7", "US", "+12125550100;ext=7"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("tel:+442079460000", "DE", "+442079460000"),
    ],
)
def test_numbers_are_normalised(raw: str, region: str | None, key: str) -> None:
    phone = normalize_phone(raw, region)
    assert phone is not None
    assert phone.original == raw
    assert phone.key == key


@pytest.mark.parametrize("raw", ["", "  ", "abc", "123", "+", "+999 123", "555 0100", "1" * 40, "x" * 101])
def test_what_is_no_complete_number_gives_none(raw: str) -> None:
    assert normalize_phone(raw, "US") is None


@given(st.text(max_size=120))
def test_any_text_gives_a_number_or_none(raw: str) -> None:
    phone = normalize_phone(raw, "DE")
    assert phone is None or phone.e164.startswith("+")


@pytest.mark.parametrize(
    ("raw", "display", "key"),
    [
        ("Ada.King@Example.COM", "Ada.King@example.com", "ada.king@example.com"),
        (" a@b.example ", "a@b.example", "a@b.example"),
        ("jörg@MÜNCHEN.de", "jörg@münchen.de", "jörg@xn--mnchen-3ya.de"),
        ("a+b@sub.example.org", "a+b@sub.example.org", "a+b@sub.example.org"),
    ],
)
def test_addresses_are_normalised(raw: str, display: str, key: str) -> None:
    assert normalize_email(raw) == (display, key)


@pytest.mark.parametrize(
    "raw", ["", "a", "a@", "@b.com", "a b@c.com", "a@b", "a@b.test", "a@localhost", "a@[127.0.0.1]", "a@b..com", "a" * 65 + "@b.com"]
)
def test_other_addresses_are_refused(raw: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        normalize_email(raw)
    assert caught.value.code == "invalid_email"
    assert caught.value.params["reason"]


@pytest.mark.parametrize(
    ("raw", "domain"),
    [
        ("https://www.Acme.com/x", "acme.com"),
        ("ACME.COM.", "acme.com"),
        ("http://user:pw@shop.acme.co.uk:8080?q#f", "shop.acme.co.uk"),
        ("www.com", "www.com"),
        ("MÜNCHEN.de", "xn--mnchen-3ya.de"),
        ("xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
        ("acme.com:", "acme.com"),
    ],
)
def test_domains_are_normalised(raw: str, domain: str) -> None:
    assert normalize_domain(raw) == domain
    assert normalize_domain(domain) == domain


@pytest.mark.parametrize(
    "raw",
    ["", "localhost", "10.0.0.1", "[::1]", "a b.com", "acme", "-a.com", "a..com", ".com", "acme.com:x", "a" * 64 + ".com", "\x00.com"],
)
def test_other_domains_are_refused(raw: str) -> None:
    with pytest.raises(InvalidValue, match="not a domain"):
        normalize_domain(raw)


@given(st.text(max_size=80))
def test_a_normalised_domain_stays_as_it_is(raw: str) -> None:
    try:
        domain = normalize_domain(raw)
    except InvalidValue:
        return
    assert normalize_domain(domain) == domain or domain.startswith("www.")


@pytest.mark.parametrize(
    ("raw", "url"),
    [
        ("acme.com/about", "https://acme.com/about"),
        (" http://localhost:8000/x?y=z#f ", "http://localhost:8000/x?y=z#f"),
        ("https://münchen.de/ü", "https://münchen.de/ü"),
        ("http://[2001:db8::1]/", "http://[2001:db8::1]/"),
        ("HTTPS://ACME.COM", "HTTPS://ACME.COM"),
    ],
)
def test_web_addresses(raw: str, url: str) -> None:
    assert check_url(raw) == url


_NO_WEB_ADDRESS = [
    *("", "x", "javascript:alert(1)", "ftp://a.b", "https://", "http://a b", "http://x:99999", "http://[::1"),
    *("http://1.2.3", "http://a..b", "//a.b", "https://a.b/\x00"),
]


@pytest.mark.parametrize("raw", [*_NO_WEB_ADDRESS, "http://a.b/" + "x" * 2048])
def test_other_web_addresses_are_refused(raw: str) -> None:
    with pytest.raises(InvalidValue, match="not a web address"):
        check_url(raw)
