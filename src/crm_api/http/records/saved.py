"""`view_id`: a saved view as part of a list, a search or a bulk job."""

from __future__ import annotations

from typing import Any, Final

from crm_api.core.errors import BadRequest, FieldError, InvalidValue, NotFound, ValidationFailed
from crm_api.core.ids import parse_uuid
from crm_api.http.records.call import Call
from crm_api.kernel.query.request import split_query
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.saved_views import SavedView, saved_view

VIEW: Final = "view_id"


async def view_of_query(call: Call, resource: AnyResource) -> SavedView | None:
    """The view that the query string names; None if it names none. Raises BadRequest, and what `saved_view` raises."""
    text = call.query
    if "view" not in text and "%" not in text:
        return None
    found = next((",".join(items) for name, items in split_query(text) if name == VIEW), None)
    if found is None:
        return None
    view_id = parse_uuid(found)
    if view_id is None:
        raise BadRequest(errors=[InvalidValue("invalid_uuid").at(parameter=VIEW)])
    if "since" in text:
        call.context.uow.read_only = False  # giving journal numbers writes, and this opens the transaction
    return await saved_view(call.context, call.engine.reader, resource, view_id)


async def view_of_body(call: Call, resource: AnyResource, body: Any) -> SavedView | None:
    """The view that a body names; None if it names none. Raises ValidationFailed, and what `saved_view` raises."""
    if not isinstance(body, dict) or body.get(VIEW) is None:
        return None
    view_id = parse_uuid(body[VIEW]) if isinstance(body[VIEW], str) else None
    if view_id is None:
        raise ValidationFailed([InvalidValue("invalid_uuid").at(pointer=f"/{VIEW}")])
    try:
        return await saved_view(call.context, call.engine.reader, resource, view_id)
    except NotFound:
        raise ValidationFailed([FieldError("not_found_reference", pointer=f"/{VIEW}")]) from None
