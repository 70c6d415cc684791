"""The routes of one object, made from its declaration: what each is, and how its endpoint is made.

The endpoint is made for an object, not with it: the same route serves each organisation's own form of the object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from crm_api.http.records import access, batch, board, bulk, links, nested, reads, shares, story, verbs, writes
from crm_api.http.records.call import Endpoint
from crm_api.http.records.operation import Kind, Operation
from crm_api.kernel.members import member_lists
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.stage_history import staged


@dataclass(frozen=True, slots=True)
class Route:
    """One route of an object. `make` gives the endpoint for a form of the object."""

    operation: Operation
    make: Callable[[AnyResource], Endpoint]


def routes_of(registry: Registry, resource: AnyResource) -> Iterator[Route]:
    """All routes of one object."""
    yield from _record_routes(resource)
    record = f"/v1/{resource.name}/{{id}}"
    for relation in registry.relations[resource.name].values():
        if relation.kind != "to_one":
            yield related_route(resource, relation, f"{record}/{relation.name}")
    for name, relation in registry.edges[resource.name].items():
        yield from link_routes(resource, relation, f"{record}/links/{name}")
    above = nested.nesting(registry, resource)
    if above is not None:
        yield from _nested_routes(resource, above, f"/v1/{resource.parent}/{{id}}/{above.name}")


def _record_routes(resource: AnyResource) -> Iterator[Route]:
    base, verbs_of = f"/v1/{resource.name}", resource.verbs
    record, by = f"{base}/{{id}}", f"{base}/by/{{unique_field}}/{{value}}"

    def route(kind: Kind, method: str, path: str, make: Callable[[AnyResource], Endpoint], detail: str = "") -> Route:
        return Route(Operation(kind, resource, method, path, detail), make)

    yield route("list", "GET", base, reads.list_endpoint)
    yield route("search", "POST", f"{base}/search", reads.search_endpoint)
    yield route("aggregate", "POST", f"{base}/aggregate", reads.aggregate_endpoint)
    yield route("get", "GET", record, reads.get_endpoint)
    yield route("get_by", "GET", by, reads.get_by_endpoint)
    if "create" in verbs_of:
        yield route("create", "POST", base, writes.create_endpoint)
    if "update" in verbs_of:
        yield route("update", "PATCH", record, writes.update_endpoint)
        yield route("upsert_by", "PUT", by, writes.upsert_by_endpoint)
        yield route("update_by", "PATCH", by, writes.update_by_endpoint)
    if "delete" in verbs_of:
        yield route("delete", "DELETE", record, writes.delete_endpoint)
        yield route("delete_by", "DELETE", by, writes.delete_by_endpoint)
    if "restore" in verbs_of:
        yield route("restore", "POST", f"{record}/restore", writes.restore_endpoint)
    for verb in batch.VERBS:
        if verb == "read" or verb in verbs_of or (verb == "upsert" and "update" in verbs_of):
            yield route("batch", "POST", f"{base}/batch/{verb}", partial(batch.batch_endpoint, verb=verb), verb)
    if bulk.actions_of(resource):
        yield route("bulk", "POST", f"{base}/bulk", bulk.bulk_endpoint)
    if "update" in verbs_of:
        yield route("board", "GET", f"{base}/board", board.board_endpoint)
        if resource.name != "deals":  # whose moves have rules of their own, in http/deals.py
            yield route("move", "POST", f"{record}/move", board.move_endpoint)
    yield route("history", "GET", f"{record}/history", story.history_endpoint)
    if resource.timeline:
        yield route("timeline", "GET", f"{record}/timeline", story.timeline_endpoint)
    if staged(resource):
        yield route("stage_history", "GET", f"{record}/stage_history", story.stage_history_endpoint)
    yield route("access", "GET", f"{record}/access", access.access_endpoint)
    if resource.sharing == "owner" and resource.private is None:
        yield route("access_users", "GET", f"{record}/access/users", access.users_endpoint)
        if "update" in verbs_of:
            yield route("shares", "GET", f"{record}/shares", shares.list_endpoint)
            yield route("share_create", "POST", f"{record}/shares", shares.create_endpoint)
            yield route("share_delete", "DELETE", f"{record}/shares/{{share_id}}", shares.delete_endpoint)
            yield route("co_owner_put", "PUT", f"{record}/co_owners/{{user_id}}", shares.put_co_owner_endpoint)
            yield route("co_owner_delete", "DELETE", f"{record}/co_owners/{{user_id}}", shares.delete_co_owner_endpoint)
    if "merge" in verbs_of:
        yield route("merge", "POST", f"{base}/merge", verbs.merge_endpoint)
    if "update" in verbs_of:
        yield route("transfer", "POST", f"{record}/transfer", verbs.transfer_endpoint)
        for name in member_lists(resource):
            path = f"{record}/{name}/{{key}}"
            yield route("member_put", "PUT", path, partial(verbs.member_endpoint, name=name, method="PUT"), name)
            yield route("member_delete", "DELETE", path, partial(verbs.member_endpoint, name=name, method="DELETE"), name)


def related_route(resource: AnyResource, relation: Relation, path: str) -> Route:
    """The list of what hangs on a record."""
    operation = Operation("related", resource, "GET", path, relation.name, relation)
    return Route(operation, partial(reads.related_endpoint, relation=relation))


def link_routes(resource: AnyResource, relation: Relation, base: str) -> Iterator[Route]:
    """The routes of one many-to-many relation."""

    def route(kind: Kind, method: str, path: str, make: Callable[[AnyResource], Endpoint], detail: str = "") -> Route:
        return Route(Operation(kind, resource, method, path, f"{relation.name}_{detail}".rstrip("_"), relation), make)

    yield route("links", "GET", base, partial(links.list_endpoint, relation=relation))
    yield route("link_put", "PUT", f"{base}/{{other_id}}", partial(links.put_endpoint, relation=relation))
    yield route("link_delete", "DELETE", f"{base}/{{other_id}}", partial(links.delete_endpoint, relation=relation))
    for verb in ("put", "delete"):
        yield route("links_batch", "POST", f"{base}/batch/{verb}", partial(links.batch_endpoint, relation=relation, verb=verb), verb)


def _nested_routes(resource: AnyResource, relation: Relation, base: str) -> Iterator[Route]:
    def route(kind: Kind, method: str, path: str, make: Callable[[AnyResource], Endpoint]) -> Route:
        return Route(Operation(kind, resource, method, path, relation.name, relation), make)

    single = f"{base}/{{child_id}}"
    yield route("nested_create", "POST", base, partial(nested.nested_create_endpoint, relation=relation))
    singles: tuple[tuple[Kind, str, Callable[[AnyResource], Endpoint]], ...] = (
        ("nested_get", "GET", reads.get_endpoint),
        ("nested_update", "PATCH", writes.update_endpoint),
        ("nested_delete", "DELETE", writes.delete_endpoint),
    )
    for kind, method, plain in singles:
        yield route(kind, method, single, partial(_nested, relation=relation, plain=plain))


def _nested(resource: AnyResource, relation: Relation, plain: Callable[[AnyResource], Endpoint]) -> Endpoint:
    return nested.nested_endpoint(resource, relation, plain(resource))
