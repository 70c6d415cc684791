"""What a lead looks like from outside."""

from __future__ import annotations

from typing import Literal

from crm_api.kernel.schema import (
    Email,
    JsonObject,
    Key,
    LongText,
    Output,
    Phone,
    RecordCreate,
    RecordRead,
    RecordUpdate,
    Text,
    Timestamp,
    Url,
    Uuid,
    about,
    create_of,
    update_of,
)

_ID = "01976f6e-8a00-7000-8000-0000000000c1"


class LeadFields(Output):
    """The fields of a lead."""

    first_name: Text | None = about("Given name.", "Grace")
    last_name: Text | None = about("Family name.", "Murray")
    company: Text | None = about("Where they work.", "Northwind Logistics")
    email: Email | None = about("E-mail address.", "grace@northwind.example")
    phone: Phone | None = about("Telephone number.", "+1 212 555 0123")
    title: Text | None = about("Position.", "Operations Manager")
    website: Url | None = about("Web site.", "https://northwind.example")
    source: Text | None = about("Where the lead came from.", "web form")
    status: Key = about("Key of a lead status (`/v1/lead_statuses`). Defaults to the one marked `is_default`.", "new")
    status_reason: Text | None = about("Why it has this status; some closing statuses require it.", "no budget this year")
    lifecycle_stage: Key | None = about("Key of a lifecycle stage (`/v1/lifecycle_stages`).", "mql")
    rating: Literal["hot", "warm", "cold"] | None = about("How promising the lead is.", "hot")
    qualification: JsonObject | None = about(
        "Answers to the questions of a qualification framework.", {"framework": "bant", "budget": "approved"}
    )
    description: LongText | None = about("Anything else.", "Asked for a demo.")


class LeadRead(LeadFields, RecordRead):
    """A lead: somebody who may become a contact."""

    object: Literal["leads"] = about("The object's name.", "leads")
    score: int | None = about("Points given by scoring models.", 42)
    converted_at: Timestamp | None = about("When it was converted; a converted lead is read-only.", None)
    converted_account_id: Uuid | None = about("The account that it became.", _ID)
    converted_contact_id: Uuid | None = about("The contact that it became.", _ID)
    converted_deal_id: Uuid | None = about("The deal that it opened.", _ID)


@create_of(LeadFields)
class LeadCreate(RecordCreate):
    """A new lead. At least one of first_name, last_name, email and phone is needed."""


@update_of(LeadFields)
class LeadUpdate(RecordUpdate):
    """Changes of a lead, as a merge patch."""
