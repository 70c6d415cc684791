"""What each kind of record operation does: a record's past, links, merges, sums, and changes of many records."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from crm_api.flows.bulk import MAX_RECORDS
from crm_api.http.openapi.kinds import Maker, write_answers
from crm_api.http.openapi.operations import SINGLE, Described, a, content, many, one, path_parameters, read_scope
from crm_api.http.openapi.parameters import headers, parameter, query
from crm_api.http.openapi.samples import Schema, sample
from crm_api.http.openapi.shared import ref
from crm_api.http.records.bulk import actions_of
from crm_api.http.records.operation import Kind, Operation
from crm_api.kernel.timeline import types_of

if TYPE_CHECKING:
    from crm_api.http.openapi.operations import Builder

_A: Final = "01976f6e-8a00-7000-8000-000000000001"
_B: Final = "01976f6e-8a00-7000-8000-000000000002"


def makers(builder: Builder) -> dict[Kind, Callable[[Operation], Described]]:
    """The descriptions of this file by kind."""
    return {kind: partial(maker, builder) for kind, maker in _MAKERS.items()}


def _history(b: Builder, op: Operation) -> Described:
    example = {"data": [sample(b.schemas["Change"], b.schemas)], "page": {"next_cursor": None, "prev_cursor": None, "has_more": False}}
    only = query("field", {"type": "string"}, "Only changes of this field, showing no other.", next(iter(op.resource.example), "owner_id"))
    return Described(
        f"list_{op.resource.name}_history",
        f"List the changes of {a(op.resource)}",
        f"Everything that happened to the {one(op)}, the newest first: who, when, why, and each field's old and new value. Deleted "
        "records keep their "
        "history.",
        read_scope(op),
        [*path_parameters(op), only, parameter("Limit"), parameter("Cursor")],
        None,
        {"200": {"description": "One page.", "headers": headers(), "content": content(ref("ChangeList"), example)}},
        (404,),
    )


def _timeline(b: Builder, op: Operation) -> Described:
    example = {
        "data": [sample(b.schemas["TimelineEntry"], b.schemas)],
        "page": {"next_cursor": None, "prev_cursor": None, "has_more": False},
    }
    known = list(types_of(b.registry, op.resource))
    types = query(
        "types",
        {"type": "array", "items": {"type": "string", "enum": known}},
        "Only entries of these types, separated by commas.",
        known[:2],
    )
    return Described(
        f"list_{op.resource.name}_timeline",
        f"List all that happened around {a(op.resource)}",
        f"The {one(op)}'s own changes and what belongs to it (notes, tasks, deals, cases and their like), the newest first.",
        read_scope(op),
        [*path_parameters(op), types, parameter("Limit"), parameter("Cursor")],
        None,
        {"200": {"description": "One page.", "headers": headers(), "content": content(ref("TimelineList"), example)}},
        SINGLE,
    )


def _stage_history(b: Builder, op: Operation) -> Described:
    example = {
        "data": [sample(b.schemas["StageMove"], b.schemas)],
        "page": {"next_cursor": None, "prev_cursor": None, "has_more": False},
    }
    return Described(
        f"list_{op.resource.name}_stage_history",
        f"List the stages that {a(op.resource)} has been in",
        f"Every move of the {one(op)} through its pipelines, the newest first, with the time that it had spent in the stage it left.",
        read_scope(op),
        [*path_parameters(op), parameter("Limit"), parameter("Cursor")],
        None,
        {"200": {"description": "One page.", "headers": headers(), "content": content(ref("StageMoveList"), example)}},
        SINGLE,
    )


def _merge(b: Builder, op: Operation) -> Described:
    return Described(
        f"merge_{op.resource.name}",
        f"Merge {many(op.resource)}",
        "The winner keeps its values and gets the losers' where it has none, unless `field_choices` says whose value stays. "
        "References, links, tags and "
        "external ids go over to it. The losers are deleted; their ids lead to the winner (301).",
        f"{op.resource.name}:write",
        [*b.shown(op.resource), parameter("DryRun"), parameter("Prefer")],
        {"required": True, "content": content(ref("Merge"), sample(b.schemas["Merge"], b.schemas))},
        _merge_answers(b, op),
        (*SINGLE, 412, 423),
    )


def _merge_answers(b: Builder, op: Operation) -> dict[str, Schema]:
    found = write_answers(b, op, "The winner.")
    for answer in found.values():
        answer["headers"]["X-Moved"] = {
            "description": "How many references and links went over to the winner, by object, as JSON.",
            "schema": {"type": "string"},
            "example": '{"deals":2,"links":1}',
        }
    return found


def _aggregate(b: Builder, op: Operation) -> Described:
    fields = op.resource.fields
    group = next(
        (name for name in ("stage_id", "status", "industry", "lifecycle_stage", "priority", "owner_id") if name in fields), "owner_id"
    )
    example: dict[str, Any] = {"group_by": [group], "measures": [{"op": "count"}]}
    answer: dict[str, Any] = {"data": [{"group": {group: None}, "count": 42}], "page": {"events_cursor": "AZk1Zm9vYmFy"}}
    if "amount" in fields:
        example["measures"].append({"op": "sum", "field": "amount"})
        answer["data"][0]["sum_amount"] = "48000.00"
    return Described(
        f"aggregate_{op.resource.name}",
        f"Count and add up {many(op.resource)}",
        "Groups what the filter finds and measures each group. `checksum` is a hash of all (id, version) whatever their order: a "
        "mirror compares one "
        "value at `events_cursor`.",
        read_scope(op),
        [parameter("TimeZone")],
        {"required": True, "content": content(ref("Aggregate"), example)},
        {"200": {"description": "One row for each group.", "headers": headers(), "content": content(ref("AggregateResult"), answer)}},
    )


def _bulk(b: Builder, op: Operation) -> Described:
    actions = actions_of(op.resource)
    action = "tag" if "tag" in actions else actions[0]
    values = {"tags": ["reviewed"]} if action == "tag" else {}
    tree = {"field": "created_at", "op": "older_than", "value": "P1Y"}
    example = {"filter": tree, "action": action, "set": values, "expect_count": 12431}
    allowed = "`, `".join(actions)
    return Described(
        f"bulk_{op.resource.name}",
        f"Change any number of {many(op.resource)}",
        f"Starts a job that does one thing (`{allowed}`) to all records of a filter or of a list of ids, up to {MAX_RECORDS:,}. With "
        "`dry_run` it only "
        "counts them.",
        f"{op.resource.name}:write",
        [parameter("DryRun"), parameter("OnChildren")],
        {"required": True, "content": content(ref("Bulk"), example)},
        {
            "200": {
                "description": "With `dry_run`: how many records it would be.",
                "headers": headers(),
                "content": content(ref("BulkPreview"), sample(b.schemas["BulkPreview"], b.schemas)),
            },
            "202": {
                "description": "The job that does it.",
                "headers": headers(Location="Location", Idempotency_Replayed="IdempotencyReplayed"),
                "content": content(ref("JobRead"), shared=b.shared_example("Job", sample(b.schemas["JobRead"], b.schemas))),
            },
        },
    )


def _transfer(b: Builder, op: Operation) -> Described:
    return Described(
        f"transfer_{op.resource.name}",
        f"Give {a(op.resource)} to another owner",
        f"Makes another user the owner of the {one(op)}, and with `cascade` of the open records that hang on it.",
        f"{op.resource.name}:write",
        [*path_parameters(op), *b.shown(op.resource), *(parameter(name) for name in ("DryRun", "IfMatch", "Prefer"))],
        {"required": True, "content": content(ref("Transfer"), _transfer_example(b, op))},
        write_answers(b, op, "The record with its new owner."),
        (*SINGLE, 412, 423),
    )


def _transfer_example(b: Builder, op: Operation) -> dict[str, Any]:
    relations = b.registry.relations[op.resource.name].values()
    followers = [r.name for r in relations if r.kind == "to_many" and "owner_id" in b.registry[r.target].fields]
    return {"to": _B, **({"cascade": followers[:1]} if followers else {})}


_MAKERS: dict[Kind, Maker] = {
    "history": _history,
    "timeline": _timeline,
    "stage_history": _stage_history,
    "merge": _merge,
    "aggregate": _aggregate,
    "bulk": _bulk,
    "transfer": _transfer,
}
