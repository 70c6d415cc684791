"""Request headers that matter to every route, and response headers that every answer carries."""

from collections.abc import Iterable

from crm_api.core.accept import weighted

RawHeaders = list[tuple[bytes, bytes]]

API_PREFIX = "/v1"

WANTED = frozenset(
    {
        b"accept-encoding",
        b"accept-language",
        b"access-control-request-method",
        b"content-length",
        b"crm-version",
        b"origin",
        b"transfer-encoding",
        b"x-request-id",
    }
)

NOTED = frozenset(
    {b"cache-control", b"content-encoding", b"content-length", b"content-security-policy", b"content-type", b"vary", b"x-frame-options"}
)

VARY = b"Authorization, Accept, Accept-Language, CRM-Version"
CACHE_CONTROL = b"private, no-cache"

# An answer of the API is data: should a browser ever show one as a page, nothing in it may run, load or be framed.
CONTENT_SECURITY_POLICY = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


def pick(headers: Iterable[tuple[bytes, bytes]], names: frozenset[bytes]) -> dict[bytes, bytes]:
    """The headers among `names`, the last of equal ones. Names are lower-case already (ASGI)."""
    return {name: value for name, value in headers if name in names}


def security_headers(*, https: bool) -> RawHeaders:
    """Headers that switch browser features off which an API never needs."""
    headers = [
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
    ]
    if https:
        headers.append((b"strict-transport-security", b"max-age=63072000"))
    return headers


def is_api(path: str) -> bool:
    """Whether the path is one of the API's own, where the contract's headers hold."""
    return path.startswith("/v1/") or path == API_PREFIX


def merge_vary(present: bytes, *names: bytes) -> bytes:
    """`present` with `names` appended where they are missing (RFC 9110 12.5.5)."""
    known = {name.strip().lower() for name in present.split(b",")}
    if b"*" in known:
        return present
    return b", ".join([present, *(name for name in names if name.lower() not in known)])


def accepts_json(accept: str | None) -> bool:
    """Whether an `Accept` header admits JSON; for routes that answer nothing else (406 otherwise)."""
    if not accept or accept in ("*/*", "application/json"):
        return True
    best: tuple[int, float] = (-1, 0.0)
    for media, quality in weighted(accept):
        rank = {"*/*": 0, "application/*": 1, "application/json": 2, "application/problem+json": 2}.get(media, -1)
        if rank < 0:
            continue
        best = max(best, (rank, quality))
    return best[1] > 0
