"""The application: services, routes and middleware put together."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.types import ASGIApp, Scope

from crm_api.core.clock import Clock, SystemClock
from crm_api.core.egress import Egress, EgressGuard
from crm_api.db.engine import Database
from crm_api.flows.users.people import People
from crm_api.http.dispatch import SegmentRouter
from crm_api.http.docs import build_docs_router
from crm_api.http.feed import Feeds
from crm_api.http.health import build_health_router
from crm_api.http.logging import AccessLog
from crm_api.http.metrics import Metrics
from crm_api.http.middleware import Edge, EdgeConfig
from crm_api.http.oauth.routes import build_oauth_router
from crm_api.http.openapi.serve import build_openapi_router
from crm_api.http.origin import configured
from crm_api.http.pages.routes import build_pages_router
from crm_api.http.problem_pages import build_problem_router
from crm_api.http.ratelimit import RateLimiter
from crm_api.http.services import Services
from crm_api.http.token_use import TokenUse
from crm_api.http.valkey import Valkey
from crm_api.kernel.engine import Engine
from crm_api.kernel.events import on_commit
from crm_api.kernel.reader import Reader
from crm_api.kernel.writer import Writer
from crm_api.settings import Settings

_EGRESS_CONNECTIONS: Final = 20
"""Requests to addresses named by users that one API process makes at once; the worker makes most of them."""


class Application(FastAPI):
    """A FastAPI application with the segment router at its top and `Edge` as its only middleware.

    FastAPI's own stack would wrap each request four times and render errors in a shape of its own; here every exception
    reaches `Edge`. Handlers registered with `add_exception_handler` are therefore not consulted.
    """

    def __init__(self, services: Services, access_log: AccessLog | None = None) -> None:
        # Asking whether telemetry is on costs 10 µs a request; metrics and logs of our own are always there.
        off: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
        super().__init__(title="CRM API", version=services.settings.api_version, openapi_url=None, telemetry=off)
        self.router = SegmentRouter(redirect_slashes=False, dependency_overrides_provider=self, lifespan=_lifespan)
        self.state.services = services
        self._access_log = access_log
        self.edge: Edge | None = None

    def build_middleware_stack(self) -> ASGIApp:
        """`Edge` around what was added with `add_middleware`, around the router."""
        services: Services = self.state.services
        app: ASGIApp = self.router
        for cls, args, kwargs in reversed(self.user_middleware):
            app = cls(app, *args, **kwargs)
        metrics, access_log = services.metrics, self._access_log

        def observe(scope: Scope, status: int, seconds: float, sent: int) -> None:
            metrics.observe(scope, status, seconds)
            if access_log is not None:
                access_log.write(scope, status, seconds, sent)

        self.edge = Edge(app, _edge_config(services), observe)
        services.metrics.gauge("crm_http_requests_in_flight", "Requests being served", lambda: self.edge.in_flight if self.edge else 0)
        return self.edge


def _edge_config(services: Services) -> EdgeConfig:
    settings = services.settings
    return EdgeConfig(
        clock=services.clock,
        base_url=settings.base_url,
        public_url=configured(settings),
        api_versions=settings.api_versions,
        cors_origins=settings.cors_origins,
        max_url_bytes=settings.max_url_bytes,
        max_body_bytes=settings.max_body_bytes,
        timeout_s=settings.request_timeout_s,
        trusted_proxies=settings.trusted_proxies,
        rate_headers=services.limiter.untouched.headers(),
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    if services.valkey is not None:
        await services.valkey.start()
    feeds = Feeds(services)
    feeds.start()
    app.state.feeds = feeds
    end_nudges = on_commit(feeds.nudge)
    services.token_use.start()
    try:
        yield
    finally:
        end_nudges()
        await feeds.close()
        await services.token_use.close()
        await services.egress.aclose()
        if services.valkey is not None:
            await services.valkey.close()
        await services.people.close()
        await services.database.close()


def build_services(settings: Settings, clock: Clock | None = None) -> Services:
    """The services of one application. Nothing connects yet: the pool does with its first use, Valkey when the app starts."""
    metrics = Metrics()
    database = Database.of(settings)
    valkey = None if settings.redis_url is None else Valkey(settings.redis_url)
    pool = database.pool
    metrics.gauge("crm_db_connections_in_use", "Pooled database connections in use", lambda: pool.in_use)
    metrics.gauge("crm_db_connections_idle", "Pooled database connections waiting for work", lambda: pool.idle)
    metrics.gauge("crm_valkey_up", "Whether Valkey answers", lambda: float(valkey is not None and valkey.up))
    clock = clock or SystemClock()
    engine = build_engine(settings)
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        engine=engine,
        valkey=valkey,
        limiter=RateLimiter(valkey, settings.rate, metrics),
        token_use=TokenUse(database, clock),
        people=People.of(settings, clock),
        metrics=metrics,
        egress=Egress(settings.egress, max_connections=_EGRESS_CONNECTIONS, resolver=engine.egress.resolver),
    )


def build_engine(settings: Settings) -> Engine:
    """The record engine over all standard objects. Page cursors are signed with a key that all processes of a deployment share."""
    from crm_api.http.api import REGISTRY

    secret = settings.secret_key or settings.database_url
    key = hashlib.blake2b(secret.encode(), digest_size=32, person=b"page cursors").digest()
    return Engine(REGISTRY, Reader(key), Writer(), key, settings.keyring, egress=EgressGuard(settings.egress))


def create_app(
    settings: Settings, *, clock: Clock | None = None, router: APIRouter | None = None, access_log: AccessLog | None = None
) -> FastAPI:
    """The whole HTTP application for these settings.

    `router` holds the API's routes (default: all of them), `access_log` gets one line per request (default: none).
    """
    if router is None:
        from crm_api.http.api import build_router

        router = build_router()
    app = Application(build_services(settings, clock), access_log)
    app.include_router(router)
    app.include_router(build_health_router())
    app.include_router(build_problem_router())
    app.include_router(build_docs_router())
    app.include_router(build_pages_router())
    app.include_router(build_openapi_router())
    app.include_router(build_oauth_router())
    return app
