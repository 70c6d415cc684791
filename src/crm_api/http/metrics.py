"""Prometheus metrics of one process: requests by route, the database pool, Valkey and the rate limiter.

Each application has a registry of its own, so that several can live in one process (tests do). The route label is the
path template, never the path, and `unmatched` for addresses that do not exist: a scanner can't grow the metrics.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.types import Scope

from crm_api.http.dispatch import TEMPLATE_KEY

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _Pair(NamedTuple):
    add: Callable[[], None]
    observe: Callable[[float], None]


class Metrics:
    """The numbers of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        labels = ("route", "method")
        self._requests = Counter("crm_http_requests", "Requests answered", (*labels, "status"), registry=self.registry)
        self._seconds = Histogram("crm_http_request_duration_seconds", "Time to answer", labels, buckets=_BUCKETS, registry=self.registry)
        self._failed = Counter("crm_rate_limit_failures", "Requests let through uncounted because Valkey was away", registry=self.registry)
        self._limited = Counter("crm_rate_limited", "Requests refused with 429", registry=self.registry)
        self._pairs: dict[tuple[str, str, int], _Pair] = {}

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Counts one finished request."""
        key = (scope.get(TEMPLATE_KEY, "unmatched"), scope["method"], status)
        pair = self._pairs.get(key)
        if pair is None:
            pair = self._pair(*key)
        pair.add()
        pair.observe(seconds)

    def _pair(self, route: str, method: str, status: int) -> _Pair:
        known = method if method in _METHODS else "OTHER"
        pair = _Pair(self._requests.labels(route, known, str(status)).inc, self._seconds.labels(route, known).observe)
        if known == method:  # made-up methods are not kept, or they would fill the memory
            self._pairs[(route, method, status)] = pair
        return pair

    def gauge(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """A number that is read when the metrics are fetched, such as the size of a pool."""
        Gauge(name, help_text, registry=self.registry).set_function(read)

    def rate_limit_failed(self) -> None:
        """Valkey was away, so a request went uncounted."""
        self._failed.inc()

    def rate_limited(self) -> None:
        """A request was refused."""
        self._limited.inc()

    def text(self) -> bytes:
        """All metrics in Prometheus' text format 0.0.4."""
        return generate_latest(self.registry)
