"""The one wrapper around the application: what happens to a request before its route, and to the answer after it.

In order: request id, length of the URL, API version, preflight, size of the body, time limit and gone clients; then
the answer's headers (CORS, security, caching, rate limit), compression, metrics and the access log. Whatever fails
below arrives here as an exception and leaves as problem+json, so errors carry the same headers as answers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Receive, Scope, Send

from crm_api.core.clock import Clock
from crm_api.core.networks import Network, client_address
from crm_api.http.middleware import cors, headers
from crm_api.http.middleware.exchange import Exchange
from crm_api.http.middleware.headers import RawHeaders

Observer = Callable[[Scope, int, float, int], None]
"""Told of each finished request: scope, status, seconds, bytes of body sent."""


@dataclass(frozen=True, slots=True)
class EdgeConfig:
    """What the wrapper needs to know; taken from the settings once, by `create_app`."""

    clock: Clock
    base_url: str
    api_versions: tuple[str, ...]
    cors_origins: tuple[str, ...] = ("*",)
    max_url_bytes: int = 8_192
    max_body_bytes: int = 5_000_000
    timeout_s: float = 30.0
    untimed_paths: frozenset[str] = frozenset({"/v1/events", "/v1/events/stream"})
    """Long-poll and streams end by themselves."""
    public_url: str | None = None
    """The address that clients use, if somebody has set it; else it is taken from each request."""
    trusted_proxies: tuple[Network, ...] = ()
    """Networks of the proxies whose `X-Forwarded-For` is believed."""
    rate_headers: RawHeaders = field(default_factory=list)
    """Rate-limit headers of answers to requests that no limiter has counted, such as a 401."""


class Edge:
    """ASGI application that serves HTTP through `app` and passes everything else on as it is."""

    def __init__(self, app: ASGIApp, config: EdgeConfig, observe: Observer | None = None) -> None:
        self.app = app
        self.config = config
        self.observe = observe
        self.cors = cors.Cors(config.cors_origins)
        self.versions = {version.encode("ascii"): version for version in config.api_versions}
        self.version_headers = {version: (b"crm-version", version.encode("ascii")) for version in config.api_versions}
        self.default_version = config.api_versions[-1]
        self._security = headers.security_headers(https=config.base_url.startswith("https:"))
        self._blocks: dict[tuple[bool, bool, bool, bytes | None], RawHeaders] = {}
        self.in_flight = 0

    def block(self, api: bool, shared: bool, squeezable: bool, origin: bytes | None) -> RawHeaders:
        """The headers that depend only on the kind of path and on where the request comes from; made once per kind."""
        key = (api, shared, squeezable, self.cors.known(origin))
        block = self._blocks.get(key)
        if block is None:
            block = self._blocks[key] = self._make_block(*key)
        return block

    def _make_block(self, api: bool, shared: bool, squeezable: bool, origin: bytes | None) -> RawHeaders:
        block = [*self._security, (b"content-security-policy", headers.CONTENT_SECURITY_POLICY)]
        vary = []
        if api:
            block.append((b"cache-control", headers.CACHE_CONTROL))
            vary.append(headers.VARY)
        if shared:
            block.extend(self.cors.answer(origin))
            if self.cors.varies:
                vary.append(b"Origin")
        if squeezable:
            vary.append(b"Accept-Encoding")
        if vary:
            block.append((b"vary", b", ".join(vary)))
        return block

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self.config.trusted_proxies and scope["client"] is not None:
            # Once for all who ask for the address: limits, tokens, sessions, the audit log.
            address = client_address(scope["client"][0], scope["headers"], self.config.trusted_proxies)
            scope["client"] = None if address is None else (address, 0)
        self.in_flight += 1
        try:
            await Exchange(self, scope, receive, send).run()
        finally:
            self.in_flight -= 1
