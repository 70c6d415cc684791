"""Routes that read the request themselves, so that their signatures say nothing: described by hand, by method and path."""

from __future__ import annotations

from typing import Final

from crm_api.http.openapi.account_overlays import ACCOUNT
from crm_api.http.openapi.event_overlays import EVENTS
from crm_api.http.openapi.meta_overlays import META
from crm_api.http.openapi.operations import content
from crm_api.http.openapi.overlay import Overlay, answer, page_of
from crm_api.http.openapi.parameters import STRING, header, headers, parameter, query
from crm_api.http.openapi.people_overlays import PEOPLE
from crm_api.http.openapi.privacy_overlays import PRIVACY
from crm_api.http.openapi.samples import Schema
from crm_api.http.openapi.schema_overlays import SCHEMA_OVERLAYS
from crm_api.http.openapi.segment_overlays import SEGMENTS
from crm_api.http.openapi.shared import ref
from crm_api.http.openapi.webhook_overlays import WEBHOOKS

_A: Final = "01976f6e-8a00-7000-8000-000000000001"
_LINK: Final = "01976f6e-8a00-7000-8000-0000000000e1"
_EVENT: Final = "01976f6e-8a00-7000-8000-0000000000f1"
_CURSOR: Final = "AZk1Zm9vYmFy"
_EDGE: Final = {
    "id": _LINK,
    "relation": "deals.contacts",
    "from": {"object": "deals", "id": "01976f6e-8a00-7000-8000-0000000000d0"},
    "to": {"object": "contacts", "id": _A},
    "attributes": {"roles": ["decision_maker"], "is_primary": True},
    "version": 1,
}
_DONE: Final = {"next_cursor": None, "prev_cursor": None, "has_more": False}
_OPERATION_SCHEMA: Final[Schema] = {
    "type": "object",
    "description": "One request of the composite.",
    "properties": {
        "ref": {
            "type": "string",
            "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,63}$",
            "description": "A name by which later operations refer to its answer.",
            "examples": ["a"],
        },
        "method": {"type": "string", "enum": ["GET", "POST", "PUT", "PATCH", "DELETE"], "examples": ["POST"]},
        "path": {
            "type": "string",
            "pattern": "^/v1/",
            "description": "Path and query string. A whole segment may be `$ref.path`.",
            "examples": ["/v1/accounts"],
        },
        "body": {
            "description": "The body, in which a whole string `$ref.path` is replaced by that value of an earlier answer; `$$` "
            "stands for `$`."
        },
        "if_match": {"type": "string", "description": "The `If-Match` header of this operation."},
    },
    "required": ["method", "path"],
    "additionalProperties": False,
}

_DEAL_ANSWER: Final = {"headers": headers(ETag="ETag", X_Outcome="XOutcome", Idempotency_Replayed="IdempotencyReplayed")}


def _deal_action() -> Overlay:
    """What winning, losing, reopening and moving a deal have in common with other writes of one record."""
    record = content(ref("DealRead"))
    return Overlay(
        scopes=("deals:write",),
        errors=(404, 410, 412, 423),
        parameters=(parameter("IfMatch"), parameter("Prefer")),
        answers={
            "200": {"description": "The deal.", **_DEAL_ANSWER, "content": record},
            "204": {"description": "Done; `Prefer: return=minimal` asked for no record.", **_DEAL_ANSWER},
        },
    )


OVERLAYS: Final[dict[tuple[str, str], Overlay]] = {
    **PEOPLE,
    ("POST", "/v1/deals/{id}/win"): _deal_action(),
    ("POST", "/v1/deals/{id}/lose"): _deal_action(),
    ("POST", "/v1/deals/{id}/reopen"): _deal_action(),
    ("POST", "/v1/deals/{id}/move"): _deal_action(),
    ("POST", "/v1/composite"): Overlay(
        {
            "operationId": "run_composite",
            "summary": "Run up to 100 requests in one",
            "description": "Runs the operations in order, in one transaction, and answers all of them: writes that belong together, "
            "or all the reads of a "
            "screen. A later operation uses an earlier one's answer by `$ref.path`. `atomic` (the default): the first failure undoes "
            "everything and is "
            "the answer, its pointers below `/operations/{index}`. Otherwise each operation succeeds or fails alone.\n\nScopes: "
            "those of the operations.",
            "parameters": [parameter("DryRun")],
            "requestBody": {
                "required": True,
                "content": content(
                    ref("Composite"),
                    {
                        "atomic": True,
                        "operations": [
                            {"ref": "a", "method": "POST", "path": "/v1/accounts", "body": {"name": "Acme Corp"}},
                            {"method": "POST", "path": "/v1/contacts", "body": {"last_name": "King", "account_id": "$a.id"}},
                        ],
                    },
                ),
            },
            "responses": answer(
                "200",
                "The answers, in order.",
                ref("CompositeResult"),
                {
                    "results": [
                        {
                            "ref": "a",
                            "status": 201,
                            "etag": '"1"',
                            "location": f"/v1/accounts/{_A}",
                            "body": {"object": "accounts", "id": _A},
                        }
                    ]
                },
            ),
        },
        errors=(404, 410, 412, 423),
        schemas={
            "CompositeOperation": _OPERATION_SCHEMA,
            "Composite": {
                "type": "object",
                "description": "Requests to run as one.",
                "properties": {
                    "atomic": {"type": "boolean", "default": True, "description": "All or nothing."},
                    "dry_run": {"type": "boolean", "default": False, "description": "Check everything, store nothing."},
                    "operations": {"type": "array", "minItems": 1, "maxItems": 100, "items": ref("CompositeOperation")},
                },
                "required": ["operations"],
                "additionalProperties": False,
            },
            "CompositeResult": {
                "type": "object",
                "description": "The answers to the operations, in order.",
                "properties": {
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {
                                "ref": {"type": ["string", "null"], "description": "The operation's name."},
                                "status": {"type": "integer", "description": "Its HTTP status."},
                                "etag": {"type": ["string", "null"], "description": "Its `ETag`."},
                                "location": {"type": ["string", "null"], "description": "Its `Location`."},
                                "body": {"description": "Its body: a record, a page, a problem."},
                            },
                            "required": ["ref", "status", "body"],
                        },
                    }
                },
                "required": ["results"],
            },
        },
    ),
    ("GET", "/v1/links"): Overlay(
        {
            "operationId": "list_links",
            "summary": "List links",
            "description": "Every edge of one relation, or of all relations whose ends the caller may read, in the order of their ids.\n\n"
            "Scopes: `<object>:read` of both ends.",
            "parameters": [
                query("relation", STRING, "Only edges of this relation.", "deals.contacts"),
                parameter("Limit"),
                parameter("Cursor"),
            ],
            "responses": answer("200", "One page.", ref("LinkList"), {"data": [_EDGE], "page": _DONE}, ETag="ETag"),
        },
        schemas={"LinkList": page_of("Link", "One page of links.")},
    ),
    ("POST", "/v1/links/batch/read"): Overlay(
        {
            "operationId": "batch_read_links",
            "summary": "Read up to 200 links",
            "description": "Edges by their ids, in the order asked for, each with a status of its own.\n\nScopes: `<object>:read` of "
            "both ends.",
            "requestBody": {"required": True, "content": content(ref("BatchLinkIds"), {"items": [{"id": _LINK}]})},
            "responses": answer(
                "207",
                "Each link, or why not.",
                ref("LinkBatchResult"),
                {"results": [{"index": 0, "status": 200, "id": _LINK, "link": _EDGE}]},
            ),
        },
    ),
    ("GET", "/v1/reports/pipeline"): Overlay(scopes=("deals:read", "pipelines:read", "stages:read"), errors=(404,)),
    ("GET", "/v1/files/snapshots/{job_id}/{object}.ndjson"): Overlay(
        scopes=("events:read",),
        parameters=(header("Range", STRING, "Which bytes to send (RFC 9110 14.2).", "bytes=1048576-"),),
        answers={
            "206": {
                "description": "The part that `Range` asks for.",
                "headers": headers(),
                "content": {"application/x-ndjson": {"schema": STRING, "example": '{"object":"contacts","id":"…","version":3}\n'}},
            },
            "416": {
                "description": "The file is shorter than `Range` thinks.",
                "headers": headers(),
                "content": {"text/plain": {"schema": STRING, "example": "Range Not Satisfiable"}},
            },
        },
    ),
    **ACCOUNT,
    **META,
    **SCHEMA_OVERLAYS,
    **EVENTS,
    ("GET", "/openapi.json"): Overlay(
        {
            "operationId": "get_openapi",
            "summary": "This description",
            "description": "The description of the API that you are reading, as OpenAPI 3.1.",
            "responses": {
                "200": {
                    "description": "The document.",
                    "headers": headers(ETag="ETag"),
                    "content": content({"type": "object"}, {"openapi": "3.1.0"}),
                },
                "304": {"description": "The document is still what `If-None-Match` names.", "headers": {}},
            },
        }
    ),
    **SEGMENTS,
    **PRIVACY,
    **WEBHOOKS,
}
