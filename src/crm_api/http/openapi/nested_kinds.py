"""What each kind of record operation does: single members of lists, and records under their parent's path."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from crm_api.http.openapi import kinds
from crm_api.http.openapi.kinds import Maker, page_answers, write_answers
from crm_api.http.openapi.operations import SINGLE, Described, a, content, many, one, path_parameters, read_scope
from crm_api.http.openapi.parameters import parameter, path
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
        read_scope(op),
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
    child = path("child_id", {"type": "string", "format": "uuid"}, f"The {one(op)}'s id.", _B)
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
    "member_put": _member_put,
    "member_delete": _member_delete,
    "nested_list": _nested_list,
    "nested_create": _nested_create,
    "nested_get": _nested_get,
    "nested_update": _nested_update,
    "nested_delete": _nested_delete,
}
