"""The one cookie, and the token by which a form proves that it came from a page of ours (CSRF).

The cookie names a session once somebody has signed in; before that it is a random value that is stored nowhere and only ties
forms to the browser that got them. Signing in always makes a new one, so a value planted in a browser gives nobody a session.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.tokens import generate, parse
from crm_api.http.services import services_of
from crm_api.settings import Settings

_STATE: Final = "crm_page_cookie"
_SALT: Final = 16
_NAME: Final = "crm_session"


def is_secure(settings: Settings) -> bool:
    """Whether the cookie is for TLS only: always, but on plain http of this very machine."""
    parts = urlsplit(settings.base_url)
    if parts.scheme == "https":
        return True
    host = parts.hostname or ""
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def cookie_name(settings: Settings) -> str:
    """Over TLS the prefix lets browsers refuse a cookie that a sister domain has set (RFC 6265bis, 4.1.3.2)."""
    return f"__Host-{_NAME}" if is_secure(settings) else _NAME


def cookie_of(request: Request) -> str | None:
    """The cookie's value as it came, if it has the form of one of ours."""
    value = request.cookies.get(cookie_name(services_of(request).settings))
    return value if value is not None and parse(value, "crm_ss_") is not None else None


def cookie_for(request: Request) -> tuple[str, bool]:
    """The cookie that the answer's forms are tied to, and whether the browser still has to get it."""
    given = cookie_of(request)
    if given is not None:
        return given, False
    made: str | None = getattr(request.state, _STATE, None)
    if made is None:
        made, _ = generate("crm_ss_")
        setattr(request.state, _STATE, made)
    return made, True


def set_cookie(request: Request, response: Response, value: str) -> None:
    """Gives the browser the cookie until it is closed; how long a session lives, the server decides."""
    settings = services_of(request).settings
    response.set_cookie(cookie_name(settings), value, path="/", secure=is_secure(settings), httponly=True, samesite="lax")


def clear_cookie(request: Request, response: Response) -> None:
    """Takes the cookie away."""
    settings = services_of(request).settings
    response.delete_cookie(cookie_name(settings), path="/", secure=is_secure(settings), httponly=True, samesite="lax")


def csrf_token(request: Request, cookie: str) -> str:
    """What a form carries beside its fields: bound to the cookie, different in each page (which compression would tell otherwise)."""
    salt = secrets.token_hex(_SALT)
    return salt + _mac(request, cookie, salt)


def csrf_holds(request: Request, token: str) -> bool:
    """Whether a form's token belongs to the cookie that came with it."""
    cookie = cookie_of(request)
    salt, mac = token[: 2 * _SALT], token[2 * _SALT :]
    return cookie is not None and token.isascii() and hmac.compare_digest(mac, _mac(request, cookie, salt))


def _mac(request: Request, cookie: str, salt: str) -> str:
    settings = services_of(request).settings
    key = hashlib.blake2b((settings.secret_key or settings.database_url).encode(), digest_size=32, person=b"page forms").digest()
    return hmac.new(key, f"{salt}.{cookie}".encode(), "sha256").hexdigest()
