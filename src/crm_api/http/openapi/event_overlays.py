"""The routes of the journal, which read their requests themselves."""

from __future__ import annotations

from typing import Final

from crm_api.http.openapi.overlay import Overlay, answer, page_of
from crm_api.http.openapi.parameters import STRING, header, headers, parameter, path, query
from crm_api.http.openapi.shared import ref

_A: Final = "01976f6e-8a00-7000-8000-000000000001"
_EVENT: Final = "01976f6e-8a00-7000-8000-0000000000f1"
_CURSOR: Final = "AZk1Zm9vYmFy"
_EXAMPLE_EVENT: Final = {
    "id": _EVENT,
    "seq": 48211,
    "type": "contact.updated",
    "org_id": "01976f6e-8a00-7000-8000-0000000000c0",
    "object": "contacts",
    "record_id": _A,
    "version": 7,
    "occurred_at": "2026-11-22T03:31:00.000000Z",
    "api_version": "2026-12-01",
    "actor": {"type": "user", "id": _A},
    "cause": {"action": "contacts.update", "request_id": "01976f6e-8a00-7000-8000-00000000000f"},
    "transaction": {"id": "01976f6e-8a00-7000-8000-0000000000f0", "index": 0, "last": True},
    "changes": {"title": {"old": None, "new": "Head of Purchasing"}},
    "record": None,
    "test": False,
}


_EVENT_FILTERS: Final = [
    query(
        "event_types",
        {"type": "array", "items": STRING},
        "Only events of these types, separated by commas; `*` stands for any verb or object.",
        ["contact.*", "deal.updated"],
    ),
    query("object", STRING, "Only events of this object.", "deals"),
    query("record_id", {"type": "string", "format": "uuid"}, "Only events of this record; also links that it is an end of.", _A),
    query(
        "filter",
        STRING,
        "A search tree as JSON over the record's fields, with the operators `changed`, `changed_from` and `changed_to`. Needs `object`.",
        '{"field":"stage_id","op":"changed"}',
    ),
    query("exclude_own", {"type": "boolean", "default": False}, "Leave out what the calling token itself did."),
]
_FROM: Final = query("cursor", STRING, "Where to go on: `next_cursor`, any `events_cursor`, `now`, or `oldest`.", _CURSOR)
_CONSUMER: Final = query(
    "consumer", STRING, "Go on where this consumer of the caller stands, instead of at a cursor; see `/v1/event_consumers`.", "billing-sync"
)
_MOVE: Final = Overlay(scopes=("events:read",), errors=(404, 410, 412), parameters=(parameter("IfMatch"),))
_SINCE: Final = query(
    "since",
    {"type": "string", "format": "date-time"},
    "Begin with the first event at or after this instant.",
    "2026-11-22T03:31:00.000000Z",
)

EVENTS: Final[dict[tuple[str, str], Overlay]] = {
    ("GET", "/v1/events"): Overlay(
        {
            "operationId": "list_events",
            "summary": "Read the journal",
            "description": "Every change of every record, in one order without gaps: read from a cursor, apply, keep `next_cursor`, "
            "go on. With `wait` the "
            "answer is held back until there is something. The same records appear as `Event` in the stream and in webhooks. Events "
            "are kept for at "
            "least 30 days; an older cursor is 410 `cursor_expired`. Single shares of records have events of their own (`share.created`, "
            "`share.updated`, `share.deleted`, object `shares`), which tell who gains or loses sight of a record; they are found under the "
            "record's id too, and go to its owner, to those whom the share is for, and to super administrators."
            "\n\nScope: `events:read`; events of objects that the token may "
            "not read are left out.",
            "parameters": [
                _FROM,
                _SINCE,
                _CONSUMER,
                *_EVENT_FILTERS,
                query("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "Events on a page.", 500),
                query(
                    "wait",
                    {"type": "integer", "minimum": 0, "maximum": 20, "default": 0},
                    "Seconds to wait for an event if there is none.",
                    15,
                ),
            ],
            "responses": answer(
                "200",
                "The next events.",
                ref("EventList"),
                {
                    "data": [_EXAMPLE_EVENT],
                    "page": {"next_cursor": _CURSOR, "prev_cursor": None, "has_more": False, "events_cursor": _CURSOR, "access_version": 1},
                },
            ),
        },
        ("events:read",),
        (410,),
        {"EventList": page_of("Event", "One page of the journal; `next_cursor` is always given, also at the end.")},
    ),
    ("GET", "/v1/events/{id}"): Overlay(
        {
            "operationId": "get_event",
            "summary": "Get an event",
            "description": "One event by its id.\n\nScope: `events:read`.",
            "parameters": [path("id", {"type": "string", "format": "uuid"}, "The event's id.", _EVENT)],
            "responses": answer("200", "The event.", ref("Event"), _EXAMPLE_EVENT),
        },
        ("events:read",),
        (404,),
    ),
    ("GET", "/v1/events/stream"): Overlay(
        {
            "operationId": "stream_events",
            "summary": "Follow the journal",
            "description": "The journal as server-sent events: `id:` is the cursor, `data:` the event. Control lines have an "
            "`event:` name: `ready`, `resync`, "
            "`end`. A comment every 15 seconds keeps the connection open. After a break go on with `Last-Event-ID`. At most 5 "
            "streams per token. The token's rights are looked at before each event.\n\n"
            "With `filter` or `view_id` the stream is a live query: it tells of the records that match after an event or matched before "
            "it. Of one that matches no longer it tells `<object>.hidden` (`cause.action` is `query.leave`), as if nothing existed but "
            "what matches. A change of the view ends the stream with the reason `view_changed`. At most 100 different live queries of an "
            "organisation are open at once.\n\n"
            "A browser's `EventSource` sends no headers: `POST /v1/events/tickets` gives an address for it.\n\n"
            "Scope: `events:read`.",
            "parameters": [
                _FROM,
                _SINCE,
                _CONSUMER,
                *_EVENT_FILTERS,
                query(
                    "view_id",
                    {"type": "string", "format": "uuid"},
                    "A live query: the conditions of this saved view. Not with `filter`.",
                    _A,
                ),
                query("ticket", STRING, "In place of `Authorization`, see `POST /v1/events/tickets`.", "crm_et_…"),
                header("Last-Event-ID", STRING, "The last `id:` received; goes on after it.", _CURSOR),
            ],
            "responses": {
                "200": {
                    "description": "The stream.",
                    "headers": headers(),
                    "content": {
                        "text/event-stream": {
                            "schema": STRING,
                            "examples": {"example": {"value": ': open\n\nid: AZk1Zm9vYmFy\ndata: {"type":"contact.updated"}\n\n'}},
                        }
                    },
                }
            },
        },
        ("events:read",),
        (410,),
    ),
    ("POST", "/v1/events/tickets"): Overlay(scopes=("events:read",), errors=(404, 410)),
    ("GET", "/v1/event_consumers"): Overlay(scopes=("events:read",)),
    ("GET", "/v1/event_consumers/{name}"): Overlay(
        scopes=("events:read",),
        parameters=(parameter("IfNoneMatch"),),
        answers={"304": {"description": "The consumer is still what `If-None-Match` names.", "headers": headers(ETag="ETag")}},
    ),
    ("POST", "/v1/event_consumers/{name}/commit"): _MOVE,
    ("POST", "/v1/event_consumers/{name}/seek"): _MOVE,
    ("DELETE", "/v1/event_consumers/{name}"): Overlay(scopes=("events:read",), errors=(404, 412), parameters=(parameter("IfMatch"),)),
    ("DELETE", "/v1/events/{id}/payload"): Overlay(scopes=("admin",), errors=(404,)),
    **{
        ("GET", template): Overlay(
            scopes=("events:read",),
            parameters=(parameter("IfNoneMatch"),),
            answers={"304": {"description": "It is still what `If-None-Match` names.", "headers": headers(ETag="ETag")}},
        )
        for template in ("/v1/event_types", "/v1/event_types/{type}")
    },
}
