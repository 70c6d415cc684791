"""What a sharing rule looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from crm_api.kernel.access.schema import People
from crm_api.kernel.schema import JsonObject, Name, Output, RecordCreate, RecordRead, RecordUpdate, about, create_of, update_of
from crm_api.kernel.shapes import APPLIES_TO, ObjectName

_PEOPLE = {"type": "role", "id": "01976f6e-8a00-7000-8000-0000000000c1"}


class SharingRuleFields(Output):
    """The fields of a sharing rule."""

    name: Name = about("What it is called.", "Berlin for the field team")
    owned_by: People | None = about("Whose records are shared; null where `criteria` choose them.", None)
    criteria: JsonObject | None = about(
        "Which records are shared: a search tree on the object's own fields without relative dates; null where `owned_by` chooses them.",
        {"field": "address.city", "value": "Berlin"},
    )
    share_with: People = about("Who gets access. What a role gets, those above it get too.", _PEOPLE)
    access: Literal["read", "write"] = about("What they may do with these records, within their profile.", "read")
    is_active: bool = about("Whether the rule is in force.", True)


class SharingRuleRead(SharingRuleFields, RecordRead):
    """A sharing rule: access to records for people who neither own them nor stand above their owners."""

    object: Literal["sharing_rules"] = about("The object's name.", "sharing_rules")
    applies_to: Annotated[ObjectName, APPLIES_TO]


@create_of(SharingRuleFields, required=("name", "share_with"))
class SharingRuleCreate(RecordCreate):
    """A new sharing rule."""

    applies_to: Annotated[ObjectName, APPLIES_TO]


@update_of(SharingRuleFields)
class SharingRuleUpdate(RecordUpdate):
    """Changes of a sharing rule, as a merge patch; `owned_by`, `criteria` and `share_with` are replaced whole."""
