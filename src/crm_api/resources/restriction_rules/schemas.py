"""What a restriction rule looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from crm_api.kernel.access.schema import PeopleList
from crm_api.kernel.schema import JsonObject, Name, Output, RecordCreate, RecordRead, RecordUpdate, about, create_of, update_of
from crm_api.kernel.shapes import APPLIES_TO, ObjectName


class RestrictionRuleFields(Output):
    """The fields of a restriction rule."""

    name: Name = about("What it is called.", "Agency sees leads only")
    restricts: PeopleList = about("Whom it restricts.", [{"type": "profile", "id": "01976f6e-8a00-7000-8000-0000000000c2"}])
    criteria: JsonObject | None = about(
        "The records that are left to them: a search tree on the object's own fields without relative dates; null leaves none.",
        {"field": "lifecycle_stage", "value": "lead"},
    )
    is_active: bool = about("Whether the rule is in force.", True)


class RestrictionRuleRead(RestrictionRuleFields, RecordRead):
    """A restriction rule: confines people to some of an object's records."""

    object: Literal["restriction_rules"] = about("The object's name.", "restriction_rules")
    applies_to: Annotated[ObjectName, APPLIES_TO]


@create_of(RestrictionRuleFields, required=("name", "restricts"))
class RestrictionRuleCreate(RecordCreate):
    """A new restriction rule."""

    applies_to: Annotated[ObjectName, APPLIES_TO]


@update_of(RestrictionRuleFields)
class RestrictionRuleUpdate(RecordUpdate):
    """Changes of a restriction rule, as a merge patch; `restricts` and `criteria` are replaced whole."""
