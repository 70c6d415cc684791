"""Redirect URIs: which an app may register, and when one in a request is the registered one (RFC 9700 2.1, RFC 8252 7, 8.4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, urlsplit

LONGEST: Final = 2_048
MOST: Final = 20
_LITERALS: Final = frozenset({"127.0.0.1", "::1"})
_LOOPBACK: Final = _LITERALS | {"localhost"}
_PLAIN: Final = re.compile(r"[!-~]+")
_PRIVATE: Final = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
_LOOPBACK_URI: Final = re.compile(r"http://(127\.0\.0\.1|\[::1\])(?::(\d{1,5}))?(/[^#]*|\?[^#]*)?")


def fault(uri: str, *, native: bool) -> str | None:
    """Why a URI can't be registered; None if it can. `native` apps may use a scheme of their own (`com.example.app:/done`)."""
    if len(uri) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    if _PLAIN.fullmatch(uri) is None or any(character in uri for character in '\\"<>^`{|}'):
        return "it has characters that a URI can't have; percent-encode them"
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return "it is no URI"
    if "#" in uri:
        return "it has a fragment"
    if "*" in uri:
        return "it has a wildcard; only exact URIs can be registered"
    if parts.scheme in ("http", "https"):
        return _web_fault(uri, parts.scheme, parts.hostname, parts.netloc, parts.path, port)
    if not native:
        return "it must begin with https://, or with http:// on this machine (127.0.0.1, [::1], localhost)"
    if _PRIVATE.fullmatch(parts.scheme) is None or not uri.startswith(parts.scheme):
        return "a scheme of the app's own is a reversed domain name, such as com.example.app:/done (RFC 8252 7.1)"
    return None


def _web_fault(uri: str, scheme: str, host: str | None, netloc: str, path: str, port: int | None) -> str | None:
    if not uri.startswith(f"{scheme}://") or not host:
        return "it names no host"
    if "@" in netloc:
        return "it has a user name"
    if scheme == "http" and host not in _LOOPBACK:
        return "http:// is for this machine only (127.0.0.1, [::1], localhost)"
    if port == 0:
        return "it names no port"
    if any(segment in (".", "..") or segment.lower().replace("%2e", ".") in (".", "..") for segment in path.split("/")):
        return "its path has dot segments"
    return None


def matches(registered: Sequence[str], given: str) -> bool:
    """Whether a URI is one of the registered ones: character by character, but for the port of a loopback address.

    Apps on a person's machine take whatever port is free, hence that one exception (RFC 8252 7.3); it is for the addresses
    `127.0.0.1` and `[::1]`, not for the name `localhost`.
    """
    if given in registered:
        return True
    found = _LOOPBACK_URI.fullmatch(given)
    if found is None or fault(given, native=False) is not None:
        return False
    return any((other := _LOOPBACK_URI.fullmatch(uri)) is not None and (other[1], other[3]) == (found[1], found[3]) for uri in registered)


def with_parameters(uri: str, parameters: Sequence[tuple[str, str]]) -> str:
    """The URI with parameters added to its query, which it keeps. Values come back to the app byte by byte."""
    text = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters)
    if "?" not in uri:
        return f"{uri}?{text}"
    return f"{uri}{text}" if uri.endswith(("?", "&")) else f"{uri}&{text}"


def origin(uri: str) -> str:
    """What a Content-Security-Policy calls the place that a URI leads to: `https://app.example`, or `com.example.app:`."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
