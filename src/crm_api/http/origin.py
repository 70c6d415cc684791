"""The address under which clients reach us, which OAuth calls the issuer: the configured one, else the one they have used."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request
from starlette.types import Scope

from crm_api.http.services import services_of
from crm_api.settings import Settings

_HOST: Final = re.compile(rb"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")


def configured(settings: Settings) -> str | None:
    """`CRM_BASE_URL` if somebody has set it."""
    return settings.base_url if "base_url" in settings.model_fields_set else None


def origin_of(scope: Scope, base_url: str | None, default: str) -> str:
    """Scheme and host of a request, unless the address is configured; `default` for a request without a proper `Host`."""
    if base_url is not None:
        return base_url
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    return f"{scope['scheme']}://{host.decode('ascii').lower()}" if _HOST.fullmatch(host) else default


def issuer_of(request: Request) -> str:
    """The issuer identifier (RFC 8414 2): without a slash at its end."""
    settings = services_of(request).settings
    return origin_of(request.scope, configured(settings), settings.base_url)
