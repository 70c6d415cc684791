"""`DELETE /v1/events/{id}/payload`: taking out of an event what should never have got into it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from crm_api.core.errors import NotFound
from crm_api.db.uow import Uow
from crm_api.http.admin import record_id, require_admin
from crm_api.http.events import feeds_of
from crm_api.http.routing import KernelRoute
from crm_api.kernel import audit
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.writes.erasure import forget_payload, note_removed

router = APIRouter(route_class=KernelRoute, tags=["events"])


@router.delete("/v1/events/{id}/payload", status_code=204, response_class=Response, summary="Remove an event's payload")
async def delete_event_payload(request: Request, context: ContextDep, id: str) -> Response:
    """Takes all values out of one event for good: `record` is null from then on, and so are `old` and `new` of each of its changes, in
    the journal, the stream, the history of the record and what webhooks will still be sent. Id, type, version, `seq` and the names of
    the changed fields stay. Doing it again changes nothing.

    For secrets that somebody typed into the wrong field. The record itself is not changed: correct it first, then remove the payload
    of the event that brought the secret, of the correction (it tells the `old` value), and of those in between (their `record` shows
    it); `GET /v1/{object}/{id}/history` names them. Whoever has received the events before keeps what they got.

    Needs the scope `admin`; the audit log keeps who did it.
    """
    require_admin(context)
    event_id = record_id(id)
    emptied = await forget_payload(context, event_id)
    if emptied is None:
        raise NotFound()
    if emptied.had:
        details = {"event_id": event_id}
        audit.record(context, "event.payload_removed", object=emptied.object, record_id=emptied.record_id, details=details)
        note_removed(context)
        feeds = feeds_of(request)

        async def tell(uow: Uow) -> None:
            await feeds.nudge(uow.org_id)

        context.uow.after_commit.append(tell)
    return Response(status_code=204)
