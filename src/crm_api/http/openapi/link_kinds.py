"""What each kind of record operation does: the edges of many-to-many relations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from crm_api.http.openapi.kinds import Maker
from crm_api.http.openapi.operations import SINGLE, WRITE_HEADERS, Described, a, content, many, one, path_parameters, read_scope
from crm_api.http.openapi.parameters import headers, parameter
from crm_api.http.openapi.samples import Schema, sample
from crm_api.http.openapi.schemas import stem
from crm_api.http.openapi.shared import ref
from crm_api.http.records.operation import Kind, Operation

if TYPE_CHECKING:
    from crm_api.http.openapi.operations import Builder

_A: Final = "01976f6e-8a00-7000-8000-000000000001"
_B: Final = "01976f6e-8a00-7000-8000-000000000002"


def makers(builder: Builder) -> dict[Kind, Callable[[Operation], Described]]:
    """The descriptions of this file by kind."""
    return {kind: partial(maker, builder) for kind, maker in _MAKERS.items()}


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
        f"The edges of `{op.relation.link_name}` at this {one(op)}, each with the record at its other end.",
        read_scope(op),
        [*path_parameters(op), parameter("Limit"), parameter("Cursor")],
        None,
        {
            "200": {
                "description": "One page.",
                "headers": headers(ETag="ETag"),
                "content": content(ref(name), shared=b.shared_example(name, example)),
            }
        },
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
        f"Makes the edge of `{op.relation.link_name}` between the two records, or gives it these attributes. The records' own "
        "versions stay.",
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
    answer = {
        "results": [{"index": 0, "status": 200, "outcome": "updated", "id": _B, "version": 2, "link": sample(b.schemas["Link"], b.schemas)}]
    }
    return Described(
        f"batch_{verb}_{op.resource.name}_{op.relation.name}_links",
        f"{'Link' if verb == 'put' else 'Unlink'} {a(op.resource)} and up to 200 {_relation_words(op)}",
        f"{'Makes or changes' if verb == 'put' else 'Ends'} up to 200 edges of `{op.relation.link_name}` at this {one(op)}. `id` is "
        "that of the record at the "
        "other end.",
        f"{op.resource.name}:write",
        [*path_parameters(op), parameter("DryRun")],
        {"required": True, "content": content(body, {"items": [item]})},
        {"207": {"description": "What became of each item.", "headers": headers(), "content": content(ref("LinkBatchResult"), answer)}},
        SINGLE,
    )


_MAKERS: dict[Kind, Maker] = {
    "links": _links,
    "link_put": _link_put,
    "link_delete": _link_delete,
    "links_batch": _links_batch,
}
