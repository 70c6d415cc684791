"""Using a saved view: reading it, checking it against the object as it is now, and turning it into a query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from crm_api.core.errors import BadRequest, FieldError, InvalidValue, NotFound, ValidationFailed
from crm_api.kernel.context import Context
from crm_api.kernel.pattern import combine
from crm_api.kernel.presentation import Checks, refuse_masked
from crm_api.kernel.query.request import SavedQuery
from crm_api.kernel.reader import Reader
from crm_api.kernel.resource import AnyResource

VIEWS: Final = "views"


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view that may be used now. `query` is its part in a list; the rest is about its board."""

    id: UUID
    query: SavedQuery
    group_by: str | None = None
    sums: tuple[str, ...] = ()


async def saved_view(context: Context, reader: Reader, resource: AnyResource, view_id: UUID) -> SavedView:
    """A view of an object, for its caller.

    Raises NotFound for one that is not there or is another user's own, BadRequest for one of another object, ValidationFailed for
    one that names what is no longer there.
    """
    context.policy.require(VIEWS, "read")
    record = await reader.one(context, context.registry[VIEWS], view_id)
    if record.deleted:
        raise NotFound()
    view: dict[str, Any] = orjson.loads(record.json)
    await refuse_masked(context, context.registry[VIEWS], view_id, view, ("sort", "criteria", "group_by", "sums"))
    if view["applies_to"] != resource.name:
        raise BadRequest(errors=[FieldError("unknown_view", parameter="view_id")])
    tree = check_view(context, resource, view)
    query = SavedQuery(tree, tuple(view["sort"]), tuple(view["columns"]))
    return SavedView(view_id, query, view["group_by"], tuple(view["sums"]))


def check_view(context: Context, resource: AnyResource, view: Mapping[str, Any]) -> dict[str, Any] | None:
    """The view's tree. Raises ValidationFailed with what it names that is not there, at its place in the view."""
    checks = Checks(context, resource)
    checks.paths(view["columns"], "columns")
    checks.sort(view["sort"], "sort")
    for index, criterion in enumerate(view["criteria"]):
        checks.tree(criterion, "criteria", index)
    if view["group_by"] is not None:
        checks.field(view["group_by"], lambda _: True, "group_by")
    for index, name in enumerate(view["sums"]):
        checks.field(name, lambda _: True, "sums", index)
    try:
        tree = combine(view["criteria"], view["pattern"])
    except InvalidValue as error:  # only if it was changed behind the API's back
        checks.wrong(error.code, "pattern", **dict(error.params or {}))
        tree = None
    if checks.errors:
        raise ValidationFailed(
            checks.errors,
            detail=f"The view “{view['name']}” names what this object no longer has; change the view.",
        )
    return tree
