"""What a record route is, for the OpenAPI document: the route is made from the same value that describes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter

from crm_api.http.records.call import Endpoint
from crm_api.http.routing import KernelRoute
from crm_api.kernel.registry import Relation
from crm_api.kernel.resource import AnyResource

Kind = Literal[
    "list",
    "search",
    "get",
    "create",
    "update",
    "delete",
    "restore",
    "get_by",
    "upsert_by",
    "update_by",
    "delete_by",
    "batch",
    "related",
    "history",
    "timeline",
    "stage_history",
    "links",
    "link_put",
    "link_delete",
    "links_batch",
    "merge",
    "aggregate",
    "bulk",
    "board",
    "move",
    "transfer",
    "shares",
    "share_create",
    "share_delete",
    "co_owner_put",
    "co_owner_delete",
    "access",
    "access_users",
    "member_put",
    "member_delete",
    "nested_list",
    "nested_create",
    "nested_get",
    "nested_update",
    "nested_delete",
]


@dataclass(frozen=True, slots=True)
class Operation:
    """One route over records. `detail` is the batch verb, the relation or the member list it is about."""

    kind: Kind
    resource: AnyResource
    method: str
    path: str
    detail: str = ""
    relation: Relation | None = None


OPERATION = "operation"


def add(router: APIRouter, operation: Operation, endpoint: Endpoint) -> None:
    """Registers a route and remembers what it is."""
    setattr(endpoint, OPERATION, operation)
    router.add_api_route(
        operation.path,
        endpoint,
        methods=[operation.method],
        response_model=None,
        name=f"{operation.kind}_{operation.resource.name}_{operation.detail}".rstrip("_"),
        tags=[operation.resource.name],
    )


def operation_of(endpoint: Any) -> Operation | None:
    """The operation behind a route's endpoint; None for an ordinary FastAPI route."""
    found: Operation | None = getattr(endpoint, OPERATION, None)
    return found


def record_router() -> APIRouter:
    """An empty router whose routes are the kernel's."""
    return APIRouter(route_class=KernelRoute)
