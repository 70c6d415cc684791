"""The list of a segment's members, which reads its request itself, and what members' routes may answer besides."""

from __future__ import annotations

from typing import Final

from crm_api.http.openapi.overlay import Overlay, answer
from crm_api.http.openapi.parameters import NAMES, parameter, path, query
from crm_api.http.openapi.samples import Schema
from crm_api.http.openapi.shared import ref

_A: Final = "01976f6e-8a00-7000-8000-000000000001"
_MEMBERS: Final[Schema] = {
    "type": "object",
    "description": "One page of a segment's members.",
    "properties": {
        "data": {"type": "array", "items": {"type": "object"}, "description": "Records of the segment's object."},
        "page": ref("Page"),
    },
    "required": ["data", "page"],
}
_PAGE: Final = {"next_cursor": None, "prev_cursor": None, "has_more": False, "events_cursor": "AZk1Zm9vYmFy"}
_EXAMPLE: Final = {"data": [{"object": "contacts", "id": _A}], "page": _PAGE}
_WRITE: Final = Overlay(scopes=("segments:write",), errors=(404, 409, 422))

SEGMENTS: Final[dict[tuple[str, str], Overlay]] = {
    ("GET", "/v1/segments/{id}/members"): Overlay(
        {
            "operationId": "list_segment_members",
            "summary": "List the members of a segment",
            "description": "One page of the segment's records. Those of a dynamic segment are found by its filter now; its memberships "
            "(`segments` in filters and expansions of records, and the events) follow with the next refresh. Takes the filters of the "
            "object's list.\n\nScopes: `segments:read` and the object's read.",
            "parameters": [
                path("id", {"type": "string", "format": "uuid"}, "The segment's id.", _A),
                parameter("Limit"),
                parameter("Cursor"),
                query("sort", NAMES, "The order: fields, descending with `-` in front.", ["-created_at"]),
                query("fields", NAMES, "The fields to show, separated by commas.", ["display_name"]),
                query("expand", NAMES, "Related records to bring along, separated by commas.", ["owner"]),
                *(parameter(name) for name in ("Count", "Q", "Filter", "IfNoneMatch", "TimeZone")),
            ],
            "responses": {
                **answer(
                    "200", "One page.", ref("SegmentMembers"), {"data": [{"object": "contacts", "id": _A}], "page": _PAGE}, ETag="ETag"
                ),
                "304": {"description": "The page is still what `If-None-Match` names."},
            },
        },
        ("segments:read",),
        (404, 410, 422),
        {"SegmentMembers": _MEMBERS},
    ),
    ("PUT", "/v1/segments/{id}/members/{record_id}"): _WRITE,
    ("DELETE", "/v1/segments/{id}/members/{record_id}"): _WRITE,
    ("POST", "/v1/segments/{id}/members/batch/put"): _WRITE,
    ("POST", "/v1/segments/{id}/members/batch/delete"): _WRITE,
    ("POST", "/v1/segments/{id}/preview"): Overlay(scopes=("segments:read",), errors=(404, 409, 422)),
    ("POST", "/v1/segments/{id}/refresh"): Overlay(scopes=("segments:write",), errors=(404,)),
}
