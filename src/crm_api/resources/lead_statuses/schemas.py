"""What a lead status looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from crm_api.kernel.schema import Key, Keys, Output, Position, RecordCreate, RecordRead, RecordUpdate, Text120, about, create_of, update_of

_KEY = about("What leads hold in `status`; it never changes.", "contacted")


class LeadStatusFields(Output):
    """The fields of a lead status that may change."""

    label: Text120 = about("What people see.", "Contacted")
    role: Literal["open", "working", "qualified", "converted", "remarket", "junk", "dead"] = about(
        "What the status means to the product; labels mean nothing to it.", "working"
    )
    position: Position = about("Place in the order. Defaults to the end.", 1)
    is_default: bool = about("Whether new leads get it. Making one the default ends that of the other.", False)
    reason_required: bool = about("Whether a lead needs `status_reason` to enter.", False)
    transitions: Keys | None = about("Keys of the statuses that may follow; null means any.", ["qualified", "lost"])


class LeadStatusRead(LeadStatusFields, RecordRead):
    """A state that a lead may be in."""

    object: Literal["lead_statuses"] = about("The object's name.", "lead_statuses")
    key: Annotated[Key, _KEY]


@create_of(LeadStatusFields, required=("label",))
class LeadStatusCreate(RecordCreate):
    """A new lead status."""

    key: Annotated[Key, _KEY]


@update_of(LeadStatusFields)
class LeadStatusUpdate(RecordUpdate):
    """Changes of a lead status, as a merge patch."""
