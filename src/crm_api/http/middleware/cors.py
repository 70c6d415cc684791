"""Cross-origin access as the contract's paragraph "Browsers" has it (Fetch standard, section "CORS protocol").

No cookie is ever read on these paths, so `*` gives a page nothing that its user did not put there as a token. The
pages on which people log in and consent are left out: no other site may read those.
"""

from collections.abc import Sequence

from crm_api.http.middleware.headers import RawHeaders

_OAUTH_PATHS = frozenset({"/oauth/token", "/oauth/revoke", "/oauth/par", "/oauth/device_authorization", "/oauth/register"})

ALLOWED_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"

# `*` would not cover Authorization, so all names are spelled out.
ALLOWED_HEADERS = (
    b"Authorization, Accept, Accept-Language, Cache-Control, Content-Type, CRM-Version, Idempotency-Key, If-Match, "
    b"If-Modified-Since, If-None-Match, Last-Event-ID, Prefer, Range, Time-Zone, traceparent, tracestate, X-Automation, "
    b"X-Request-Id, Tus-Resumable, Upload-Checksum, Upload-Concat, Upload-Defer-Length, Upload-Length, Upload-Metadata, Upload-Offset"
)

EXPOSED_HEADERS = (
    b"Allow, Content-Disposition, CRM-Version, Deprecation, ETag, Idempotency-Replayed, Link, Location, Preference-Applied, "
    b"RateLimit, RateLimit-Policy, Retry-After, Sunset, WWW-Authenticate, X-Outcome, X-Request-Id, "
    b"Tus-Extension, Tus-Max-Size, Tus-Resumable, Tus-Version, Upload-Expires, Upload-Length, Upload-Metadata, Upload-Offset"
)

MAX_AGE = b"7200"

_ORIGIN = b"access-control-allow-origin"


def is_shared(path: str) -> bool:
    """Whether pages of other origins may read this path's answers."""
    return path.startswith(("/v1/", "/.well-known/")) or path in ("/v1", "/openapi.json") or path in _OAUTH_PATHS


class Cors:
    """The policy for one list of origins; `*` in it means every origin."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._any = "*" in origins
        self._origins = frozenset(origin.rstrip("/").lower().encode("ascii") for origin in origins)
        expose = (b"access-control-expose-headers", EXPOSED_HEADERS)
        self._open: RawHeaders = [(_ORIGIN, b"*")]
        self._open_exposed: RawHeaders = [(_ORIGIN, b"*"), expose]
        self._expose = expose
        self._preflight: RawHeaders = [
            (b"access-control-allow-methods", ALLOWED_METHODS),
            (b"access-control-allow-headers", ALLOWED_HEADERS),
            (b"access-control-max-age", MAX_AGE),
        ]

    @property
    def varies(self) -> bool:
        """Whether answers differ by `Origin`, so that `Vary` must name it."""
        return not self._any

    def known(self, origin: bytes | None) -> bytes | None:
        """The origin reduced to what makes a difference for the answer, so that answers' headers can be kept per origin."""
        if origin is None:
            return None
        if self._any:
            return b"*"
        return origin if origin.lower() in self._origins else None

    def answer(self, origin: bytes | None) -> RawHeaders:
        """The headers of an ordinary answer on a shared path."""
        if self._any:
            return self._open if origin is None else self._open_exposed
        if origin is None or origin.lower() not in self._origins:
            return []
        return [(_ORIGIN, origin), self._expose]

    def preflight(self, origin: bytes) -> RawHeaders:
        """What a preflight's answer has beside an ordinary one's headers; nothing for an origin that is not allowed."""
        return self._preflight if self.answer(origin) else []
