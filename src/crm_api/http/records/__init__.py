"""The record contract over HTTP: the same routes for every object, made from its declaration."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from fastapi import APIRouter

from crm_api.http.records import links, reads
from crm_api.http.records.operation import add, record_router
from crm_api.http.records.routes import routes_of
from crm_api.http.records.serving import OBJECT, for_any_object, for_any_relation, per_organization
from crm_api.kernel.custom.definitions import CustomObject
from crm_api.kernel.custom.objects import resource_of
from crm_api.kernel.registry import Registry, Relation


def build_record_router(registry: Registry) -> APIRouter:
    """All routes of all standard objects, and those with the object in the path, which serve the objects that organisations made."""
    router = record_router()
    for resource in registry:
        for route in routes_of(registry, resource):
            add(router, route.operation, per_organization(route))
    _add_any_object(router, registry)
    return router


def _add_any_object(router: APIRouter, registry: Registry) -> None:
    template = resource_of(CustomObject(UUID(int=0), OBJECT, "record", "Record", "Records", {"has_pipeline": True}))
    for route in routes_of(Registry([*registry, template]), template):
        operation = route.operation
        router.add_api_route(
            operation.path,
            for_any_object(route),
            methods=[operation.method],
            response_model=None,
            include_in_schema=False,
            name=f"any_{operation.kind}_{operation.detail}".rstrip("_"),
        )
    relation = Relation("{relation}", OBJECT, OBJECT, "to_many")
    record = f"/v1/{OBJECT}/{{id}}"
    edges = f"{record}/links/{{relation}}"
    for kind, method, path, detail, make in (
        ("related", "GET", f"{record}/{{relation}}", "", reads.related_endpoint),
        ("links", "GET", edges, "", links.list_endpoint),
        ("link_put", "PUT", f"{edges}/{{other_id}}", "", links.put_endpoint),
        ("link_delete", "DELETE", f"{edges}/{{other_id}}", "", links.delete_endpoint),
        ("links_batch", "POST", f"{edges}/batch/put", "put", partial(links.batch_endpoint, verb="put")),
        ("links_batch", "POST", f"{edges}/batch/delete", "delete", partial(links.batch_endpoint, verb="delete")),
    ):
        endpoint = for_any_relation(kind, detail, make(template, relation))
        name = f"any_{kind}_{detail}".rstrip("_")
        router.add_api_route(path, endpoint, methods=[method], response_model=None, include_in_schema=False, name=name)


__all__ = ["build_record_router"]
