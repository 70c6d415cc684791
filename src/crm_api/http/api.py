"""Every route of the API, put together once."""

from __future__ import annotations

from fastapi import APIRouter

from crm_api.http import (
    account,
    audit,
    clock,
    configuration,
    connections,
    deals,
    encryption,
    event_consumers,
    event_payloads,
    event_types,
    exchange_rates,
    home,
    jobs,
    me,
    preferences,
    privacy,
    reports,
    sandboxes,
    search,
    segments,
    territories,
    tokens,
    users,
    views,
    webhooks,
)
from crm_api.http.composite import composite
from crm_api.http.events_routes import build_events_router
from crm_api.http.meta import description
from crm_api.http.meta import routes as meta
from crm_api.http.oauth import apps as oauth_apps
from crm_api.http.oauth import grants as oauth_grants
from crm_api.http.records import build_record_router, links
from crm_api.http.routing import KernelRoute
from crm_api.kernel.registry import Registry
from crm_api.resources import RESOURCES

REGISTRY = Registry(RESOURCES)


def build_router() -> APIRouter:
    """The routes under /v1."""
    router = APIRouter(route_class=KernelRoute)
    router.include_router(privacy.router)
    router.include_router(build_record_router(REGISTRY))
    router.include_router(account.router)
    router.include_router(tokens.open_router)
    router.include_router(tokens.router)
    router.include_router(audit.router)
    router.include_router(preferences.router)
    router.include_router(me.router)
    router.include_router(users.router)
    router.include_router(exchange_rates.router)
    router.include_router(clock.router)
    router.include_router(configuration.router)
    router.include_router(connections.router)
    router.include_router(encryption.router)
    router.include_router(oauth_apps.router)
    router.include_router(oauth_grants.router)
    router.include_router(sandboxes.router)
    router.include_router(deals.router)
    router.include_router(reports.router)
    router.include_router(search.router)
    router.include_router(views.router)
    router.include_router(home.router)
    router.include_router(segments.router)
    router.include_router(territories.router)
    router.include_router(jobs.router)
    router.include_router(meta.router)
    router.include_router(description.router)
    router.add_api_route("/v1/links", links.list_all, methods=["GET"], response_model=None, name="list_links", tags=["links"])
    router.add_api_route(
        "/v1/links/batch/read", links.read_batch, methods=["POST"], response_model=None, name="batch_read_links", tags=["links"]
    )
    router.include_router(build_events_router())
    router.include_router(event_consumers.router)
    router.include_router(event_payloads.router)
    router.include_router(event_types.router)
    router.include_router(webhooks.router)
    router.add_api_route("/v1/composite", composite, methods=["POST"], response_model=None, tags=["composite"])
    return router
