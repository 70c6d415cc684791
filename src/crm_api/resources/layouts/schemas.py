"""What a layout looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import MISSING

from crm_api.kernel.schema import Name, Output, RecordCreate, RecordRead, RecordUpdate, about, create_of, update_of
from crm_api.kernel.shapes import APPLIES_TO, IS_DEFAULT, PROFILE, FreeJson, ObjectName, ProfileKey, RelatedLists, Sections

LayoutType = Literal["detail", "card", "edit", "list", "related", "canvas"]
_TYPE = about("Which page it is: the record's own, a business card, a form, rows of a list, related lists, or a free canvas.", "detail")


class LayoutFields(Output):
    """The fields of a layout."""

    name: Name = about("What it is called.", "Deal page for sales")
    profile_id: ProfileKey | None = PROFILE
    is_default: bool = IS_DEFAULT
    sections: Sections = about(
        "Its parts: rows of fields in columns.",
        [{"key": "main", "label": "Deal", "columns": 2, "rows": [[{"field": "name"}, {"field": "amount"}]]}],
    )
    related_lists: RelatedLists = about("Lists of what hangs on the record.", [{"relation": "contacts", "limit": 10}])
    canvas: FreeJson | None = about(
        "The page of a `canvas`: JSON of up to 100,000 characters that user interfaces understand. A member `field` anywhere in it "
        "must name a field of the object.",
        {"width": 1200, "elements": [{"kind": "field", "field": "name", "x": 0, "y": 0}]},
    )


class LayoutRead(LayoutFields, RecordRead):
    """A layout: how one record is shown or edited."""

    object: Literal["layouts"] = about("The object's name.", "layouts")
    applies_to: Annotated[ObjectName, APPLIES_TO]
    type: Annotated[LayoutType, _TYPE]


@create_of(LayoutFields, required=("name",))
class LayoutCreate(RecordCreate):
    """A new layout."""

    applies_to: Annotated[ObjectName, APPLIES_TO]
    type: Annotated[LayoutType | MISSING, _TYPE] = MISSING


@update_of(LayoutFields)
class LayoutUpdate(RecordUpdate):
    """Changes of a layout, as a merge patch; lists are replaced whole."""
