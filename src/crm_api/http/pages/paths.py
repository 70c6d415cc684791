"""Addresses of our own pages, and which of them a browser may be sent back to."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from crm_api.http.services import services_of

_SAFE: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""An absolute path with an optional query: visible ASCII without backslashes, not `//host`."""

_NEVER: Final = ("/login", "/logout", "/password/", "/activate", "/v1")
"""Going there after signing in would be a circle, or no page."""

LONGEST: Final = 6_000


def public_path(request: Request, path: str) -> str:
    """One of our paths as browsers see it: behind the path of CRM_BASE_URL, if that has one."""
    return urlsplit(services_of(request).settings.base_url).path + path


def safe_return(text: str | None) -> str | None:
    """The path if it is one of our own that signing in may lead back to, else None; so nobody is sent to another site."""
    if text is None or len(text) > LONGEST or _SAFE.fullmatch(text) is None:
        return None
    parts = urlsplit(text)
    if parts.scheme or parts.netloc or any(parts.path == path.rstrip("/") or parts.path.startswith(path) for path in _NEVER):
        return None
    return text


def here(request: Request) -> str:
    """The path and query that a request came to, as it was written."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    query: bytes = request.scope["query_string"]
    return (raw + (b"?" + query if query else b"")).decode("latin-1")


def address(request: Request) -> str:
    """The client's network address. Behind a proxy it is what the server takes from trusted forwarding headers."""
    return request.client.host if request.client is not None else "unknown"
