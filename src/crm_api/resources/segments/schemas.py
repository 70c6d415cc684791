"""What a segment looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import MISSING

from crm_api.kernel.schema import (
    Description,
    JsonObject,
    Name,
    Output,
    RecordCreate,
    RecordRead,
    RecordUpdate,
    Timestamp,
    about,
    create_of,
    update_of,
)
from crm_api.kernel.shapes import APPLIES_TO, ObjectName

Kind = Literal["static", "dynamic"]
_KIND = about("`static`: its members are named one by one. `dynamic`: they are the records that `filter` matches. Set once.", "dynamic")
_COUNT = about("How many members it has, as of the last refresh for a dynamic one; null before the first.", 1204)
_CHANGED = about("When its members last changed.", "2026-11-22T03:31:00.000000Z")


class SegmentFields(Output):
    """The fields of a segment."""

    name: Name = about("What it is called.", "Hot in Berlin")
    description: Description | None = about("What it is for.", "Invited to the autumn event.")
    filter: JsonObject | None = about(
        "A search tree as in `POST /v1/{object}/search`; of a dynamic segment.",
        {"and": [{"field": "rating", "value": "hot"}, {"field": "address.city", "value": "Berlin"}]},
    )


class SegmentRead(SegmentFields, RecordRead):
    """A segment: a named set of records of one object."""

    object: Literal["segments"] = about("The object's name.", "segments")
    applies_to: Annotated[ObjectName, APPLIES_TO]
    kind: Annotated[Kind, _KIND]
    member_count: Annotated[int | None, _COUNT]
    members_changed_at: Annotated[Timestamp | None, _CHANGED]


@create_of(SegmentFields, required=("name",))
class SegmentCreate(RecordCreate):
    """A new segment."""

    applies_to: Annotated[ObjectName, APPLIES_TO]
    kind: Annotated[Kind | MISSING, _KIND] = MISSING


@update_of(SegmentFields)
class SegmentUpdate(RecordUpdate):
    """Changes of a segment, as a merge patch; the filter is replaced whole."""
