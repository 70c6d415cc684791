"""What each kind of record operation does: a record's past, links, merges, sums, and changes of many records."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from crm_api.http.openapi import kinds
from crm_api.http.openapi.kinds import Maker, page_answers, write_answers
from crm_api.http.openapi.operations import SINGLE, WRITE_HEADERS, Described, a, content, many, path_parameters
from crm_api.http.openapi.parameters import headers, parameter, path, query
from crm_api.http.openapi.samples import Schema, sample
from crm_api.http.openapi.schemas import ref, stem
from crm_api.flows.bulk import MAX_RECORDS
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


def _read(op: Operation) -> str:
    return f"{op.resource.name}:read"


def _one(op: Operation) -> str:
    return op.resource.singular.replace("_", " ")


def _history(b: Builder, op: Operation) -> Described:
    example = {"data": [sample(b.schemas["Change"], b.schemas)], "page": {"next_cursor": None, "prev_cursor": None, "has_more": False}}
    only = query("field", {"type": "string"}, "Only changes of this field, showing no other.", next(iter(op.resource.example), "owner_id"))
    return Described(
        f"list_{op.resource.name}_history",
        f"List the changes of {a(op.resource)}",
        f"Everything that happened to the {_one(op)}, the newest first: who, when, why, and each field's old and new value. Deleted records keep their "
        "history.",
        _read(op),
        [*path_parameters(op), only, parameter("Limit"), parameter("Cursor")],
        None,
        {"200": {"description": "One page.", "headers": headers(), "content": content(ref("ChangeList"), example)}},
        (404,),
    )


def _timeline(b: Builder, op: Operation) -> Described:
    example = {"data": [sample(b.schemas["TimelineEntry"], b.schemas)], "page": {"next_cursor": None, "prev_cursor": None, "has_more": False}}
    known = list(types_of(b.registry, op.resource))
    types = query("types", {"type": "array", "items": {"type": "string", "enum": known}}, "Only entries of these types, separated by commas.", known[:2])
    return Described(
        f"list_{op.resource.name}_timeline",
        f"List all that happened around {a(op.resource)}",
        f"The {_one(op)}'s own changes and what belongs to it (notes, tasks, deals, cases and their like), the newest first.",
        _read(op),
        [*path_parameters(op), types, parameter("Limit"), parameter("Cursor")],
        None,
        {"200": {"description": "One page.", "headers": headers(), "content": content(ref("TimelineList"), example)}},
        SINGLE,
    )


# --- links -----------------------------------------------------------------------------------------------------------


def _attributes(op: Operation) -> Schema:
    assert op.relation is not None
    assert op.relation.link is not None
    return ref(op.relation.link.attributes.__name__)


def _relation_words(op: Operation) -> str:
    assert op.relation is not None
    return op.relation.name.replace("_", " ")


def _links(b: Builder, op: Operation) -> Described:
    assert op.relation is not None
    target = b.registry[op.relation.target]
    linked = {
        "type": "object",
        "description": f"One page of edges with the {many(target)} they lead to.",
        "properties": {
            "data": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"link": ref("Link"), "record": ref(f"{stem(target)}Read")},
                    "required": ["link", "record"],
                },
            },
            "page": ref("Page"),
        },
        "required": ["data", "page"],
    }
    name = f"{stem(target)}LinkList"
    b.schemas.setdefault(name, linked)
    page = {"next_cursor": None, "prev_cursor": None, "has_more": False}
    example = {"data": [{"link": sample(b.schemas["Link"], b.schemas), "record": b.example(target)}], "page": page}
    return Described(
        f"list_{op.resource.name}_{op.relation.name}_links",
        f"List the links from {a(op.resource)} to {_relation_words(op)}",
        f"The edges of `{op.relation.link_name}` at this {_one(op)}, each with the record at its other end.",
        _read(op),
        [*path_parameters(op), parameter("Limit"), parameter("Cursor")],
        None,
        {"200": {"description": "One page.", "headers": headers(ETag="ETag"), "content": content(ref(name), shared=b.shared_example(name, example))}},
        SINGLE,
    )


def _link_answers(text: str, b: Builder, *, created: bool) -> dict[str, Schema]:
    shown = content(ref("Link"), shared=b.shared_example("Link", sample(b.schemas["Link"], b.schemas)))
    found: dict[str, Schema] = {"200": {"description": text, "headers": headers(**WRITE_HEADERS), "content": shown}}
    if created:
        found["201"] = {"description": "Linked.", "headers": headers(**WRITE_HEADERS), "content": shown}
    return found


def _link_put(b: Builder, op: Operation) -> Described:
    schema = _attributes(op)
    properties = b.schemas[schema["$ref"].rpartition("/")[2]].get("properties", {})
    example = {name: sample(inner, b.schemas) for name, inner in properties.items()}
    assert op.relation is not None
    return Described(
        f"put_{op.resource.name}_{op.relation.name}_link",
        f"Link {a(op.resource)} with one of its {_relation_words(op)}",
        f"Makes the edge of `{op.relation.link_name}` between the two records, or gives it these attributes. The records' own versions stay.",
        f"{op.resource.name}:write",
        [*path_parameters(op), parameter("DryRun")],
        {"required": False, "content": content(schema, example)},
        _link_answers("The edge, changed or unchanged.", b, created=True),
        SINGLE,
    )


def _link_delete(b: Builder, op: Operation) -> Described:
    assert op.relation is not None
    return Described(
        f"delete_{op.resource.name}_{op.relation.name}_link",
        f"Unlink {a(op.resource)} from one of its {_relation_words(op)}",
        f"Ends the edge of `{op.relation.link_name}` between the two records.",
        f"{op.resource.name}:write",
        [*path_parameters(op), parameter("DryRun")],
        None,
        _link_answers("The edge as it was.", b, created=False),
        SINGLE,
    )


def _links_batch(b: Builder, op: Operation) -> Described:
    assert op.relation is not None
    verb = op.path.rpartition("/")[2]
    item: dict[str, Any] = {"id": _A} if verb == "delete" else {"id": _A, "is_primary": True}
    body = ref("BatchLinkIds")
    if verb == "put":
        attributes = b.schemas[_attributes(op)["$ref"].rpartition("/")[2]]
        name = f"Batch{_attributes(op)['$ref'].rpartition('/')[2]}"
        id_ = {"type": "string", "format": "uuid", "description": "The id of the record at the other end."}
        inner = {**attributes, "properties": {"id": id_, **attributes.get("properties", {})}, "required": ["id"]}
        item = {"id": _A, **{key: sample(value, b.schemas) for key, value in attributes.get("properties", {}).items()}}
        template = b.schemas["BatchLinkIds"]
        b.schemas.setdefault(
            name,
            {
                **template,
                "description": "Edges to make or change.",
                "properties": {**template["properties"], "items": {**template["properties"]["items"], "items": inner}},
            },
        )
        body = ref(name)
    answer = {"results": [{"index": 0, "status": 200, "outcome": "updated", "id": _B, "version": 2, "link": sample(b.schemas["Link"], b.schemas)}]}
    return Described(
        f"batch_{verb}_{op.resource.name}_{op.relation.name}_links",
        f"{'Link' if verb == 'put' else 'Unlink'} {a(op.resource)} and up to 200 {_relation_words(op)}",
        f"{'Makes or changes' if verb == 'put' else 'Ends'} up to 200 edges of `{op.relation.link_name}` at this {_one(op)}. `id` is that of the record at the "
        "other end.",
        f"{op.resource.name}:write",
        [*path_parameters(op), parameter("DryRun")],
        {"required": True, "content": content(body, {"items": [item]})},
        {"207": {"description": "What became of each item.", "headers": headers(), "content": content(ref("LinkBatchResult"), answer)}},
        SINGLE,
    )


# --- many records ----------------------------------------------------------------------------------------------------


def _merge(b: Builder, op: Operation) -> Described:
    return Described(
        f"merge_{op.resource.name}",
        f"Merge {many(op.resource)}",
        "The winner keeps its values and gets the losers' where it has none, unless `field_choices` says whose value stays. References, links, tags and "
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
    group = next((name for name in ("stage_id", "status", "industry", "lifecycle_stage", "priority", "owner_id") if name in fields), "owner_id")
    example: dict[str, Any] = {"group_by": [group], "measures": [{"op": "count"}]}
    answer: dict[str, Any] = {"data": [{"group": {group: None}, "count": 42}], "page": {"events_cursor": "AZk1Zm9vYmFy"}}
    if "amount" in fields:
        example["measures"].append({"op": "sum", "field": "amount"})
        answer["data"][0]["sum_amount"] = "48000.00"
    return Described(
        f"aggregate_{op.resource.name}",
        f"Count and add up {many(op.resource)}",
        "Groups what the filter finds and measures each group. `checksum` is a hash of all (id, version) whatever their order: a mirror compares one "
        "value at `events_cursor`.",
        _read(op),
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
        f"Starts a job that does one thing (`{allowed}`) to all records of a filter or of a list of ids, up to {MAX_RECORDS:,}. With `dry_run` it only "
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
        f"Makes another user the owner of the {_one(op)}, and with `cascade` of the open records that hang on it.",
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


_MEMBERS: Final = {
    "tags": ("a tag", "vip", "The tag."),
    "emails": ("an e-mail address", "ada@acme.example", "The address, percent-encoded."),
    "phones": ("a telephone number", "+49 30 1234567", "The number, percent-encoded."),
    "addresses": ("a postal address", "billing", "Which address: the field's name without `_address`; `main` for `address`."),
}


def _member_path(op: Operation) -> list[Schema]:
    _, example, text = _MEMBERS[op.detail]
    return [parameter("RecordId"), path("key", {"type": "string", "minLength": 1}, text, example)]


def _member_put(b: Builder, op: Operation) -> Described:
    what = _MEMBERS[op.detail][0]
    words = f"Adds {what}, or replaces what is said of it, without touching the others: two writers don't undo each other."
    body: Schema | None = None
    if op.detail != "tags":
        source = {"emails": "EmailItem", "phones": "PhoneItem", "addresses": "Address"}[op.detail]
        known = b.schemas[source]["properties"]
        properties = {name: inner for name, inner in known.items() if name not in ("address", "number")}
        example = {name: sample(inner, b.schemas) for name, inner in properties.items()}
        schema = {"type": "object", "properties": properties, "additionalProperties": False}
        name = {"emails": "EmailMember", "phones": "PhoneMember", "addresses": "AddressMember"}[op.detail]
        b.schemas.setdefault(name, schema | {"description": f"What is said of {what}."})
        body = {"required": False, "content": content(ref(name), example)}
    return Described(
        f"put_{op.resource.name}_{op.detail}",
        f"Add or replace {what} of {a(op.resource)}",
        words,
        f"{op.resource.name}:write",
        [*_member_path(op), *b.shown(op.resource), *(parameter(name) for name in ("DryRun", "IfMatch", "Prefer"))],
        body,
        write_answers(b, op, "The record, changed or unchanged."),
        (*SINGLE, 412, 422, 423),
    )


def _member_delete(b: Builder, op: Operation) -> Described:
    what = _MEMBERS[op.detail][0]
    return Described(
        f"delete_{op.resource.name}_{op.detail}",
        f"Take {what} away from {a(op.resource)}",
        f"Takes {what} away without touching the others. One that isn't there changes nothing.",
        f"{op.resource.name}:write",
        [*_member_path(op), *b.shown(op.resource), *(parameter(name) for name in ("DryRun", "IfMatch", "Prefer"))],
        None,
        write_answers(b, op, "The record, changed or unchanged."),
        (*SINGLE, 412, 422, 423),
    )


# --- under a parent ---------------------------------------------------------------------------------------------------


def _parent(op: Operation) -> str:
    """`a pipeline`: what the record belongs to."""
    assert op.relation is not None
    word = op.relation.source.removesuffix("s").replace("_", " ")
    return f"{'an' if word[0] in 'aeio' else 'a'} {word}"


def _nested_list(b: Builder, op: Operation) -> Described:
    return Described(
        f"list_{op.resource.parent}_{op.resource.name}",
        f"List the {many(op.resource)} of {_parent(op)}",
        f"One page of the {many(op.resource)} that belong to the record in the path.",
        _read(op),
        [*path_parameters(op), *b.list_parameters(op.resource)],
        None,
        page_answers(b, op, b.page(op.resource)),
        (*SINGLE, 422),
    )


def _nested_create(b: Builder, op: Operation) -> Described:
    return Described(
        f"create_{op.resource.parent}_{op.detail}",
        f"Create {a(op.resource)} of {_parent(op)}",
        f"Creates {a(op.resource)} that belongs to the record in the path.",
        f"{op.resource.name}:write",
        [*path_parameters(op), *b.shown(op.resource), *(parameter(name) for name in ("DryRun", "AllowDuplicates", "Prefer"))],
        {"required": True, "content": content(ref(f"{stem(op.resource)}Create"), _nested_example(b, op))},
        write_answers(b, op, "", created=True),
        (*SINGLE, 423),
    )


def _nested_example(b: Builder, op: Operation) -> dict[str, Any]:
    """The example of a create without the parent, which the path names."""
    assert op.relation is not None
    assert op.relation.field is not None
    return {name: value for name, value in op.resource.example.items() if name != op.relation.field.name}


def _nested(b: Builder, op: Operation, plain: Maker, verb: str) -> Described:
    """A single record by its parent's id and its own: the plain operation with a longer path."""
    described = plain(b, op)
    child = path("child_id", {"type": "string", "format": "uuid"}, f"The {_one(op)}'s id.", _B)
    described.id = f"{verb}_{op.resource.parent}_{op.detail}"
    described.summary += f" of {_parent(op)}"
    described.description += " 404 unless it belongs to the record in the path."
    described.parameters.insert(1, child)
    described.parameters = [p for p in described.parameters if p.get("name") != "child_id" or p is child]
    return described


def _nested_get(b: Builder, op: Operation) -> Described:
    return _nested(b, op, kinds.get, "get")


def _nested_update(b: Builder, op: Operation) -> Described:
    return _nested(b, op, kinds.update, "update")


def _nested_delete(b: Builder, op: Operation) -> Described:
    return _nested(b, op, kinds.delete, "delete")


_MAKERS: dict[Kind, Maker] = {
    "history": _history,
    "timeline": _timeline,
    "links": _links,
    "link_put": _link_put,
    "link_delete": _link_delete,
    "links_batch": _links_batch,
    "merge": _merge,
    "aggregate": _aggregate,
    "bulk": _bulk,
    "transfer": _transfer,
    "member_put": _member_put,
    "member_delete": _member_delete,
    "nested_list": _nested_list,
    "nested_create": _nested_create,
    "nested_get": _nested_get,
    "nested_update": _nested_update,
    "nested_delete": _nested_delete,
}
