"""`components.schemas` around records: changes, events, timelines, and the bodies of merges, sums and bulk changes."""

from __future__ import annotations

from typing import Any, Final

from crm_api.flows.bulk import ACTIONS, MAX_RECORDS
from crm_api.http.openapi.samples import Schema
from crm_api.http.openapi.shared import ITEMS, STRING, UUID, ref

_INSTANT: Final[Schema] = {"type": "string", "format": "date-time", "examples": ["2026-11-22T03:31:00.000000Z"]}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_A: Final = "01976f6e-8a00-7000-8000-000000000001"
_B: Final = "01976f6e-8a00-7000-8000-000000000002"


def _page_of(name: str, description: str) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": {"data": {"type": "array", "items": ref(name)}, "page": ref("Page")},
        "required": ["data", "page"],
    }


def _object(properties: Schema, required: list[str], description: str, **more: Any) -> Schema:
    return {"type": "object", "description": description, "properties": properties, "required": required, **more}


_CHANGES: Final[Schema] = {
    "type": "object",
    "description": "Each changed field with its old and new value; members of `custom_fields` and `external_ids` by their dotted names.",
    "additionalProperties": {"type": "object", "properties": {"old": {}, "new": {}}},
    "examples": [{"title": {"old": None, "new": "Head of Purchasing"}}],
}
_CAUSE: Final[Schema] = {
    "type": "object",
    "description": "Why it happened: the action, the request, its Idempotency-Key, the app or token.",
    "examples": [{"action": "contacts.update", "request_id": "01976f6e-8a00-7000-8000-00000000000f"}],
}
_OR_NULL: Final[Schema] = {"type": ["string", "null"]}
_VERSION: Final[Schema] = {"type": "integer", "description": "The record's version after it.", "examples": [7]}


def story_schemas() -> dict[str, Schema]:
    """What is about records without being one."""
    return {**_events(), **_bodies()}


def _events() -> dict[str, Schema]:
    event_type = STRING | {"description": "`<object in the singular>.<verb>`.", "examples": ["contact.updated"]}
    return {
        "Change": _object(
            {
                "id": UUID | {"description": "The event's id.", "examples": ["01976f6e-8a00-7000-8000-0000000000f1"]},
                "version": _VERSION,
                "occurred_at": _INSTANT,
                "actor": ref("ActorValue"),
                "cause": _CAUSE,
                "type": event_type,
                "changes": _CHANGES,
            },
            ["id", "version", "occurred_at", "actor", "cause", "type", "changes"],
            "One change of a record.",
        ),
        "ChangeList": _page_of("Change", "One page of changes, the newest first."),
        "Event": _object(
            {
                "id": UUID
                | {
                    "description": "The event's id; the same in journal, stream and webhooks.",
                    "examples": ["01976f6e-8a00-7000-8000-0000000000f1"],
                },
                "seq": {
                    "type": ["integer", "null"],
                    "description": "Its number in the organisation, gap-free and increasing; null in `GET /v1/events/{id}` for an event "
                    "that is older than the journal goes back.",
                    "examples": [48211],
                },
                "type": event_type,
                "org_id": UUID | {"examples": ["01976f6e-8a00-7000-8000-0000000000c0"]},
                "object": STRING | {"examples": ["contacts"]},
                "record_id": UUID | {"examples": [_A]},
                "version": _VERSION,
                "occurred_at": _INSTANT,
                "api_version": STRING | {"description": "The dated version in which `record` is shown.", "examples": ["2026-12-01"]},
                "actor": ref("ActorValue"),
                "cause": _CAUSE,
                "transaction": _object(
                    {"id": UUID | {"examples": ["01976f6e-8a00-7000-8000-0000000000f0"]}, "index": _COUNT, "last": {"type": "boolean"}},
                    ["id", "index", "last"],
                    "The transaction it happened in, its place there, and whether it is the last.",
                ),
                "changes": _CHANGES,
                "record": {
                    "type": ["object", "null"],
                    "description": "The state after `version`, as far as the reader may see it.",
                    "examples": [None],
                },
                "test": {"type": "boolean", "description": "Whether it comes from a sandbox.", "examples": [False]},
                "truncated": {
                    "type": "boolean",
                    "const": True,
                    "description": "Only in webhooks: the record was left out, because the body would have been longer than 256 KB.",
                },
                "coalesced": {
                    "type": "array",
                    "items": UUID,
                    "description": "Only in webhooks of endpoints that wait for further changes: the ids of the events before it that this "
                    "one tells of too, the oldest first.",
                },
            },
            [
                "id",
                "seq",
                "type",
                "org_id",
                "object",
                "record_id",
                "version",
                "occurred_at",
                "api_version",
                "actor",
                "cause",
                "transaction",
                "changes",
                "record",
                "test",
            ],
            "One change of one record in one transaction. Journal, stream and webhooks show the same.",
        ),
        "TimelineEntry": _object(
            {
                "type": STRING
                | {
                    "description": "`changes` (of the record), `links` (at it), or the object of what belongs to it.",
                    "examples": ["notes"],
                },
                "id": UUID | {"description": "The event's or the record's id.", "examples": ["01976f6e-8a00-7000-8000-0000000000d5"]},
                "occurred_at": _INSTANT,
                "actor": ref("ActorValue"),
                "event": _OR_NULL | {"description": "The event's type, for changes and links.", "examples": [None]},
                "object": STRING | {"description": "The object it is about.", "examples": ["notes"]},
                "record_id": UUID | {"description": "The record it is about.", "examples": ["01976f6e-8a00-7000-8000-0000000000d5"]},
                "version": _VERSION,
                "changes": {"type": ["object", "null"], "description": "For changes and links: old and new values.", "examples": [None]},
                "record": {"type": ["object", "null"], "description": "For what belongs to the record: it, as it is now."},
            },
            ["type", "id", "occurred_at", "actor", "event", "object", "record_id", "version", "changes", "record"],
            "Something that happened to the record or around it.",
        ),
        "StageMove": _object(
            {
                "id": UUID | {"description": "The move's id.", "examples": ["01976f6e-8a00-7000-8000-0000000000da"]},
                "pipeline_id": UUID | {"description": "The pipeline that it went into.", "examples": [_A]},
                "from_stage_id": _OR_NULL
                | {"format": "uuid", "description": "The stage that it left; null for a new record.", "examples": [None]},
                "to_stage_id": UUID | {"description": "The stage that it came into.", "examples": [_B]},
                "at": _INSTANT,
                "seconds": {
                    "type": ["integer", "null"],
                    "description": "How long it had been in the stage that it left; null for a new record.",
                    "examples": [None],
                },
                "actor": ref("ActorValue"),
            },
            ["id", "pipeline_id", "from_stage_id", "to_stage_id", "at", "seconds", "actor"],
            "One move of a record through a pipeline.",
        ),
        "StageMoveList": _page_of("StageMove", "One page of a record's moves, the newest first."),
        "TimelineList": _page_of("TimelineEntry", "One page of a timeline, the newest first."),
    }


def _bodies() -> dict[str, Schema]:
    id_ = UUID | {"description": "The id of the record at the other end."}
    link_item = _object({"id": id_}, ["id"], "An edge, by the record it leads to.", additionalProperties=False)
    return {
        "BatchLinkIds": _object(
            {
                "mode": {"type": "string", "enum": ["partial", "atomic"], "default": "partial"},
                "items": {"type": "array", "minItems": 1, "maxItems": ITEMS, "items": link_item},
            },
            ["items"],
            "Edges, by the records they lead to.",
            additionalProperties=False,
        ),
        "LinkBatchResult": _object(
            {
                "results": {
                    "type": "array",
                    "items": _object(
                        {
                            "index": _COUNT,
                            "status": {"type": "integer"},
                            "outcome": ref("Outcome"),
                            "id": UUID | {"description": "The edge's id."},
                            "version": {"type": "integer"},
                            "link": ref("Link"),
                            "error": ref("Problem"),
                        },
                        ["index", "status"],
                        "What became of one item.",
                    ),
                }
            },
            ["results"],
            "What became of each item, in the order of the items.",
        ),
        "Merge": _object(
            {
                "winner_id": UUID | {"description": "The record that stays.", "examples": [_A]},
                "loser_ids": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 20,
                    "items": UUID,
                    "description": "The records that end.",
                    "examples": [[_B]],
                },
                "field_choices": {
                    "type": "object",
                    "additionalProperties": UUID,
                    "description": "For a field, the id of the record whose value stays.",
                    "examples": [{"phone": _B}],
                },
                "dry_run": {
                    "type": "boolean",
                    "default": False,
                    "description": "Answer with the outcome, but store nothing.",
                    "examples": [False],
                },
            },
            ["winner_id", "loser_ids"],
            "Records that are one and the same.",
            additionalProperties=False,
        ),
        "Transfer": _object(
            {
                "to": UUID | {"description": "The user who becomes the owner.", "examples": [_B]},
                "cascade": {
                    "type": "array",
                    "items": STRING,
                    "description": "To-many relations whose records go along, as far as they have the same owner now.",
                    "examples": [["deals"]],
                },
            },
            ["to"],
            "To whom a record goes.",
            additionalProperties=False,
        ),
        "Aggregate": _object(
            {
                "filter": ref("Filter"),
                "group_by": {
                    "type": "array",
                    "maxItems": 3,
                    "items": {
                        "anyOf": [
                            STRING,
                            _object(
                                {"field": STRING, "by": {"type": "string", "enum": ["day", "week", "month", "quarter", "year"]}},
                                ["field"],
                                "A field, dates by calendar unit.",
                                additionalProperties=False,
                            ),
                        ]
                    },
                },
                "measures": {
                    "type": "array",
                    "maxItems": 10,
                    "items": _object(
                        {"op": {"type": "string", "enum": ["count", "sum", "avg", "min", "max", "median", "checksum"]}, "field": STRING},
                        ["op"],
                        "A measure.",
                    ),
                },
            },
            [],
            "What to count and add up, in which groups. Without measures: the count.",
            additionalProperties=False,
        ),
        "AggregateResult": _object(
            {
                "data": {
                    "type": "array",
                    "items": _object(
                        {"group": {"type": "object", "description": "The group's values."}},
                        ["group"],
                        "One group with its measures (`count`, `sum_amount`).",
                        additionalProperties={"type": ["string", "number", "null"]},
                    ),
                },
                "page": _object({"events_cursor": STRING}, ["events_cursor"], "Where the journal stood."),
            },
            ["data", "page"],
            "The groups.",
        ),
        "Bulk": _object(
            {
                "filter": ref("Filter"),
                "view_id": UUID | {"description": "The records of a saved view; with `filter`, those of both."},
                "ids": {
                    "type": "array",
                    "items": UUID,
                    "minItems": 1,
                    "maxItems": MAX_RECORDS,
                    "description": "These records, instead of a filter.",
                },
                "except_ids": {"type": "array", "items": UUID, "maxItems": MAX_RECORDS, "description": "But not these."},
                "expect_count": _COUNT
                | {"description": "How many records the caller counts on; another number is 409 `selection_changed`."},
                "action": {"type": "string", "enum": list(ACTIONS), "description": "What to do."},
                "set": {
                    "type": "object",
                    "description": "The new values: fields for `update`, `owner_id` for `transfer`, `tags` for `tag` and `untag`.",
                },
                "dry_run": {"type": "boolean", "default": False, "description": "Only count."},
            },
            ["action"],
            "What to do to which records: those of `filter` or of a view, or those of `ids`.",
            additionalProperties=False,
        ),
        "BulkPreview": _object(
            {"dry_run": {"type": "boolean", "const": True}, "object": STRING, "action": STRING, "count": _COUNT},
            ["dry_run", "object", "action", "count"],
            "How many records a bulk change would be about.",
            examples=[{"dry_run": True, "object": "contacts", "action": "tag", "count": 12431}],
        ),
    }
