"""What boards and their moves do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from crm_api.http.openapi.kinds import write_answers
from crm_api.http.openapi.operations import SINGLE, Described, a, content, many, one, path_parameters, read_scope
from crm_api.http.openapi.parameters import STRING, headers, parameter, query
from crm_api.http.openapi.samples import Schema
from crm_api.http.openapi.shared import ref
from crm_api.http.records.operation import Kind, Operation
from crm_api.kernel.board import columns_of, default_group, groupable
from crm_api.kernel.board_move import MAX_RANKED
from crm_api.kernel.query.plan import DEFAULT_PAGE, MAX_PAGE

if TYPE_CHECKING:
    from crm_api.http.openapi.operations import Builder

_A: Final = "01976f6e-8a00-7000-8000-000000000001"
_CURSOR: Final = "AZk1Zm9vYmFy"
_PAGE: Final = {"next_cursor": None, "prev_cursor": None, "has_more": False, "events_cursor": _CURSOR}


def makers(builder: Builder) -> dict[Kind, Callable[[Operation], Described]]:
    """The descriptions of this file by kind."""
    return {"board": partial(_board, builder), "move": partial(_move, builder)}


def board_schemas() -> dict[str, Schema]:
    """The board, and the body of a move."""
    nullable_string: Schema = {"type": ["string", "null"]}
    column: Schema = {
        "type": "object",
        "description": "One column of a board.",
        "properties": {
            "key": nullable_string | {"description": "The option's key, or the record's id; null for records without a value."},
            "label": nullable_string | {"description": "What to write above it."},
            "count": {"type": "integer", "description": "How many records are in it."},
            "sums": {
                "type": "object",
                "additionalProperties": {"type": ["string", "number", "null"]},
                "description": "Sums over all its records. Amounts are in the organisation's currency, null if one is in another.",
            },
            "data": {"type": "array", "items": {"type": "object"}, "description": "Its first records, in their order."},
            "page": ref("Page"),
        },
        "required": ["key", "label", "count", "sums", "data", "page"],
    }
    return {
        "RecordBoardColumn": column,
        "RecordBoard": {
            "type": "object",
            "description": "Records in columns.",
            "properties": {
                "columns": {"type": "array", "items": ref("RecordBoardColumn"), "description": "The columns in order."},
                "page": {
                    "type": "object",
                    "properties": {"events_cursor": STRING | {"description": "Where to follow the journal from."}},
                    "required": ["events_cursor"],
                },
            },
            "required": ["columns", "page"],
        },
        "MoveCard": {
            "type": "object",
            "description": "Where a card goes. Further members are fields to set along with it.",
            "properties": {
                "to": nullable_string | {"description": "The column's key; null for records without a value."},
                "from": nullable_string | {"description": "The column in which the caller saw it; another one is 409 `moved`."},
                "before_id": {"type": ["string", "null"], "format": "uuid", "description": "Put it in front of this card."},
                "after_id": {"type": ["string", "null"], "format": "uuid", "description": "Put it behind this card."},
            },
            "required": ["to"],
        },
    }


def _group_by(b: Builder, op: Operation) -> Schema:
    names = groupable(b.registry, op.resource)
    first = default_group(b.registry, op.resource)
    also = f" `{first}` if left out." if first is not None else " Here only fields that an organisation has added."
    known = f" One of `{'`, `'.join(names)}`." if names else ""
    return query("group_by", STRING, f"What makes the columns: a picklist, or a reference to records in an order.{known}{also}", first)


def _board(b: Builder, op: Operation) -> Described:
    name = default_group(b.registry, op.resource)
    columns = None if name is None else columns_of(b.registry, op.resource, name)
    parents = [] if columns is None or columns.parent is None else [columns.parent.name]
    card = {"object": op.resource.name, "id": _A}
    example: dict[str, Any] = {
        "columns": [{"key": "open", "label": "Open", "count": 35, "sums": {}, "data": [card], "page": _PAGE}],
        "page": {"events_cursor": _CURSOR},
    }
    text = (
        f"The {many(op.resource)} in columns, in the order in which people have put them; what nobody has moved comes after that, as "
        "it was made. Each column has its count, sums and first page; `column` and `cursor` give the next one. Takes the filters of "
        f"`GET /v1/{op.resource.name}`, and a view. Needs the right to read what makes the columns. Follow `page.events_cursor` to keep "
        "the board up to date."
    )
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE}
    return Described(
        f"get_{op.resource.name}_board",
        f"Board of {many(op.resource)}",
        text,
        read_scope(op),
        [
            _group_by(b, op),
            *(query(parent, {"type": "string", "format": "uuid"}, "Whose columns; the default one's if left out.") for parent in parents),
            query("limit", limit, "Cards of each column.", 50),
            query("column", STRING, "Only this column, by its key; `null` for records without a value."),
            query("cursor", STRING, "Where to go on in `column`: its `next_cursor`."),
            query("sums", {"type": "array", "items": STRING}, "The number fields to sum up; all amounts if left out."),
            parameter("Filter"),
            *([parameter("Q")] if op.resource.has_search else []),
            parameter("ViewId"),
            *b.shown(op.resource),
            parameter("TimeZone"),
        ],
        None,
        {"200": {"description": "The board.", "headers": headers(), "content": content(ref("RecordBoard"), example)}},
        (404, 422),
    )


def _move(b: Builder, op: Operation) -> Described:
    text = (
        f"Moves the {one(op)} into the column `to`: in front of `before_id`, behind `after_id`, or to the end. It is an update of the "
        "field that makes the columns, with everything that follows from one; the place among the cards stands beside the record. Moves by "
        f"several people at once each find their own place. A column may have {MAX_RANKED:,} cards that nobody has moved yet."
    )
    return Described(
        f"move_{op.resource.name}",
        f"Move {a(op.resource)} on a board",
        text,
        f"{op.resource.name}:write",
        [
            *path_parameters(op),
            _group_by(b, op),
            *b.shown(op.resource),
            *(parameter(name) for name in ("DryRun", "IfMatch", "Prefer")),
        ],
        {"required": True, "content": content(ref("MoveCard"), {"to": "open", "from": "new", "before_id": _A})},
        write_answers(b, op, "The record where it is now."),
        (*SINGLE, 412, 423),
    )


__all__ = ["board_schemas", "makers"]
