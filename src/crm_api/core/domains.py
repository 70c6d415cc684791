"""Domain names of accounts and web addresses in fields."""

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

import idna

from crm_api.core.errors import InvalidValue

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_ASCII_HOST: Final = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})")
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f<>\"\\^`{|}]")
MAX_URL: Final = 2048


def normalize_domain(raw: str) -> str:
    """`https://www.Acme.com:443/about` → `acme.com`: what makes two accounts the same company.

    Scheme, user, port, path, the final dot and a leading `www.` go; other subdomains stay, since `shop.acme.com` may
    be another business. International names become ASCII (IDNA 2008 with UTS #46). Addresses by IP number and names
    without a dot are refused. Raises InvalidValue `invalid_domain`.
    """
    text = _SCHEME.sub("", raw.strip(), count=1)
    text = re.split(r"[/?#\\]", text, maxsplit=1)[0].rpartition("@")[2]
    host, colon, port = text.partition(":")
    if colon and not (port.isascii() and (port.isdigit() or not port)):
        raise InvalidValue("invalid_domain")
    host = host.lower()
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise InvalidValue("invalid_domain") from None
    host = host.removesuffix(".")
    bare = host.removeprefix("www.")
    if "." in bare:
        host = bare
    if len(host) > 253 or _ASCII_HOST.fullmatch(host) is None:
        raise InvalidValue("invalid_domain")
    return host


def check_url(raw: str) -> str:
    """A web address as given (trimmed), after checks: http or https, a host, no spaces or control characters.

    `acme.com/x` gets `https://` in front, as a browser's address bar would do. Raises InvalidValue `invalid_url`.
    """
    text = raw.strip()
    if "://" not in text and _ASCII_HOST.match(text.lower()):
        text = "https://" + text
    if len(text) > MAX_URL or _UNSAFE.search(text):
        raise InvalidValue("invalid_url")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise InvalidValue("invalid_url") from None
    if parts.scheme.lower() not in ("http", "https") or not host or not _is_host(host):
        raise InvalidValue("invalid_url")
    return text


def _is_host(host: str) -> bool:
    if ":" in host or host.replace(".", "").isdigit():
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return False
        return True
    if host.isascii():
        return re.fullmatch(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9])?\.?", host) is not None and ".." not in host
    try:
        idna.encode(host, uts46=True)
    except (idna.IDNAError, UnicodeError):
        return False
    return True
