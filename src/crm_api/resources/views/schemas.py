"""What a saved view looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from crm_api.kernel.schema import Name, Output, RecordCreate, RecordRead, RecordUpdate, about, create_of, update_of
from crm_api.kernel.shapes import APPLIES_TO, ColumnSettings, Criteria, ObjectName, Paths, PathText, Shares, Sorts

Pattern = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class ViewFields(Output):
    """The fields of a view."""

    name: Name = about("What it is called.", "Big open deals")
    kind: Literal["list", "board"] = about("How it is shown. A board has columns by `group_by`.", "list")
    visibility: Literal["private", "shared"] = about(
        "Who sees it: its owner and those in `shared_with`, or everybody in the organisation.", "shared"
    )
    shared_with: Shares = about("Who else sees a private view.", [])
    columns: Paths = about("The fields to show, over relations to one record too (`account.name`). Empty: all.", ["name", "amount"])
    sort: Sorts = about("Its order, `-` for descending.", ["-amount"])
    criteria: Criteria = about(
        "Its conditions, numbered from 1 by their place.",
        [{"field": "amount", "op": "gte", "value": "1000.00"}, {"field": "status", "value": "open"}],
    )
    pattern: Pattern | None = about(
        "How the conditions go together: numbers with `and`, `or`, `not` and parentheses. All must hold if left out.", "1 and 2"
    )
    group_by: PathText | None = about("What makes a board's columns: a picklist, or a reference to records in an order.", "stage_id")
    sums: Paths = about("Fields whose sums a board shows above its columns.", ["amount"])
    column_settings: ColumnSettings = about("How single columns look, by path or by the key of a board's column.", [{"key": "amount"}])


class ViewRead(ViewFields, RecordRead):
    """A view: a saved list or board of one object."""

    object: Literal["views"] = about("The object's name.", "views")
    applies_to: Annotated[ObjectName, APPLIES_TO]


@create_of(ViewFields, required=("name",))
class ViewCreate(RecordCreate):
    """A new view."""

    applies_to: Annotated[ObjectName, APPLIES_TO]


@update_of(ViewFields)
class ViewUpdate(RecordUpdate):
    """Changes of a view, as a merge patch; lists are replaced whole."""
