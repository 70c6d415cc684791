"""The record contract over HTTP: the same routes for every object, made from its declaration."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter

from crm_api.http.records import batch, bulk, links, nested, reads, story, verbs, writes
from crm_api.http.records.call import Endpoint
from crm_api.http.records.operation import Kind, Operation, add, record_router
from crm_api.kernel.members import member_lists
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource


def build_record_router(registry: Registry) -> APIRouter:
    """All routes of all objects."""
    router = record_router()
    for resource in registry:
        _resource_routes(router, registry, resource)
    return router


def _resource_routes(router: APIRouter, registry: Registry, resource: AnyResource) -> None:
    base, verbs_of = f"/v1/{resource.name}", resource.verbs
    record, by = f"{base}/{{id}}", f"{base}/by/{{unique_field}}/{{value}}"

    def route(kind: Kind, method: str, path: str) -> Operation:
        return Operation(kind, resource, method, path)

    add(router, route("list", "GET", base), reads.list_endpoint(resource))
    add(router, route("search", "POST", f"{base}/search"), reads.search_endpoint(resource))
    add(router, route("aggregate", "POST", f"{base}/aggregate"), reads.aggregate_endpoint(resource))
    add(router, route("get", "GET", record), reads.get_endpoint(resource))
    add(router, route("get_by", "GET", by), reads.get_by_endpoint(resource))
    if "create" in verbs_of:
        add(router, route("create", "POST", base), writes.create_endpoint(resource))
    if "update" in verbs_of:
        add(router, route("update", "PATCH", record), writes.update_endpoint(resource))
        add(router, route("upsert_by", "PUT", by), writes.upsert_by_endpoint(resource))
        add(router, route("update_by", "PATCH", by), writes.update_by_endpoint(resource))
    if "delete" in verbs_of:
        add(router, route("delete", "DELETE", record), writes.delete_endpoint(resource))
        add(router, route("delete_by", "DELETE", by), writes.delete_by_endpoint(resource))
    if "restore" in verbs_of:
        add(router, route("restore", "POST", f"{record}/restore"), writes.restore_endpoint(resource))
    for verb in batch.VERBS:
        if verb == "read" or verb in verbs_of or (verb == "upsert" and "update" in verbs_of):
            add(router, Operation("batch", resource, "POST", f"{base}/batch/{verb}", verb), batch.batch_endpoint(resource, verb))
    if bulk.actions_of(resource):
        add(router, route("bulk", "POST", f"{base}/bulk"), bulk.bulk_endpoint(resource))
    add(router, route("history", "GET", f"{record}/history"), story.history_endpoint(resource))
    if resource.timeline:
        add(router, route("timeline", "GET", f"{record}/timeline"), story.timeline_endpoint(resource))
    if "merge" in verbs_of:
        add(router, route("merge", "POST", f"{base}/merge"), verbs.merge_endpoint(resource))
    if "update" in verbs_of:
        add(router, route("transfer", "POST", f"{record}/transfer"), verbs.transfer_endpoint(resource))
        for name in member_lists(resource):
            path = f"{record}/{name}/{{key}}"
            add(router, Operation("member_put", resource, "PUT", path, name), verbs.member_endpoint(resource, name, "PUT"))
            add(router, Operation("member_delete", resource, "DELETE", path, name), verbs.member_endpoint(resource, name, "DELETE"))
    for relation in registry.relations[resource.name].values():
        if relation.kind != "to_one":
            path = f"{record}/{relation.name}"
            add(router, Operation("related", resource, "GET", path, relation.name, relation), reads.related_endpoint(resource, relation))
    for name, relation in registry.edges[resource.name].items():
        _link_routes(router, resource, relation, f"{record}/links/{name}")
    above = nested.nesting(registry, resource)
    if above is not None:
        _nested_routes(router, resource, above, f"/v1/{resource.parent}/{{id}}/{above.name}")


def _nested_routes(router: APIRouter, resource: AnyResource, relation: Relation, base: str) -> None:
    def route(kind: Kind, method: str, path: str) -> Operation:
        return Operation(kind, resource, method, path, relation.name, relation)

    single = f"{base}/{{child_id}}"
    add(router, route("nested_create", "POST", base), nested.nested_create_endpoint(resource, relation))
    singles: tuple[tuple[Kind, str, Callable[[AnyResource], Endpoint]], ...] = (
        ("nested_get", "GET", reads.get_endpoint),
        ("nested_update", "PATCH", writes.update_endpoint),
        ("nested_delete", "DELETE", writes.delete_endpoint),
    )
    for kind, method, plain in singles:
        add(router, route(kind, method, single), nested.nested_endpoint(resource, relation, plain(resource)))


def _link_routes(router: APIRouter, resource: AnyResource, relation: Relation, base: str) -> None:
    def route(kind: Kind, method: str, path: str, detail: str = "") -> Operation:
        return Operation(kind, resource, method, path, f"{relation.name}_{detail}".rstrip("_"), relation)

    add(router, route("links", "GET", base), links.list_endpoint(resource, relation))
    add(router, route("link_put", "PUT", f"{base}/{{other_id}}"), links.put_endpoint(resource, relation))
    add(router, route("link_delete", "DELETE", f"{base}/{{other_id}}"), links.delete_endpoint(resource, relation))
    for verb in ("put", "delete"):
        add(router, route("links_batch", "POST", f"{base}/batch/{verb}", verb), links.batch_endpoint(resource, relation, verb))
