"""Endpoints that find, on each request, the caller's organisation's own form of the object they are about."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from crm_api.core.errors import NotFound
from crm_api.http.records.call import Endpoint
from crm_api.http.records.routes import Route, link_routes, related_route
from crm_api.kernel.context import Context
from crm_api.kernel.registry import Relation
from crm_api.kernel.resource import AnyResource

OBJECT = "{object}"
"""The name that stands for any object in paths."""


def per_organization(route: Route) -> Endpoint:
    """The endpoint of a standard object's route."""
    operation = route.operation
    standard = route.make(operation.resource)

    async def endpoint(request: Request) -> Response:
        context: Context = request.state.context
        resource = context.registry.get(operation.resource.name)
        if resource is None:
            raise NotFound()
        if resource is operation.resource:
            return await standard(request)
        return await _made(context, route, resource)(request)

    return _as(standard, endpoint)


def for_any_object(route: Route) -> Endpoint:
    """The endpoint of a route with the object in its path: those that organisations made."""

    async def endpoint(request: Request) -> Response:
        context: Context = request.state.context
        resource = context.registry.get(request.path_params["object"])
        if resource is None or resource.made is None:
            raise NotFound()
        return await _made(context, route, resource)(request)

    return _as(route.make(route.operation.resource), endpoint)


def for_any_relation(kind: str, detail: str, template: Endpoint) -> Endpoint:
    """The endpoint of a relation that is in no standard object's paths, on whichever object it is."""

    async def endpoint(request: Request) -> Response:
        context: Context = request.state.context
        resource, name = context.registry.get(request.path_params["object"]), request.path_params["relation"]
        if resource is None:
            raise NotFound()
        relations = (context.registry.relations if kind == "related" else context.registry.edges)[resource.name]
        relation = relations.get(name)
        if relation is None or relation.kind == "to_one":
            raise NotFound()
        return await _made(context, _route(kind, detail, resource, relation), resource)(request)

    return _as(template, endpoint)


def _route(kind: str, detail: str, resource: AnyResource, relation: Relation) -> Route:
    base = f"/v1/{OBJECT}/{{id}}"
    if kind == "related":
        return related_route(resource, relation, f"{base}/{relation.name}")
    found = link_routes(resource, relation, f"{base}/links/{relation.name}")
    return next(r for r in found if r.operation.kind == kind and r.operation.path.endswith(detail))


def _made(context: Context, route: Route, resource: AnyResource) -> Endpoint:
    operation = route.operation
    key = ("endpoint", operation.method, operation.path, resource.key)
    return context.statements.get(key, lambda: route.make(resource))


def _as(template: Endpoint, endpoint: Endpoint) -> Endpoint:
    """Gives an endpoint what decorators noted on the one that it stands for (raw, reads, cost)."""
    endpoint.__dict__.update(template.__dict__)
    return endpoint
