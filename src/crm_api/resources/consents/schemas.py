"""What a consent looks like from outside."""

from __future__ import annotations

from typing import Literal

from crm_api.kernel.schema import (
    Key,
    LongText,
    Output,
    RecordCreate,
    RecordRead,
    RecordUpdate,
    Ref,
    Text,
    Timestamp,
    about,
    create_of,
    update_of,
)


class ConsentFields(Output):
    """The fields of a consent."""

    contact_id: Ref | None = about("Whose it is; either this or `lead_id`.", "01976f6e-8a00-7000-8000-000000000001")
    lead_id: Ref | None = about("Whose it is, if a lead.", None)
    purpose: Key = about("What the person is addressed for; a key of your own.", "newsletter")
    channel: Literal["email", "phone", "sms", "post", "any"] = about("How; `any` speaks for every channel.", "email")
    status: Literal["granted", "withdrawn", "denied"] = about(
        "`granted`, `withdrawn` (after it was granted) or `denied` (asked, and never granted).", "granted"
    )
    legal_basis: Literal["consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests"] | None = (
        about("On what the processing rests (GDPR article 6).", "consent")
    )
    source: Text | None = about("Where it was said.", "web form")
    occurred_at: Timestamp = about("When it was said; now, if left out. Not in the future.", "2026-11-22T03:31:00.000000Z")
    proof: LongText | None = about("What shows it: the wording, the form's version, the address of the request.", "Double opt-in, form 7.")


class ConsentRead(ConsentFields, RecordRead):
    """A consent: what a person said about being addressed."""

    object: Literal["consents"] = about("The object's name.", "consents")


@create_of(ConsentFields, required=("purpose", "status"))
class ConsentCreate(RecordCreate):
    """A new consent. Exactly one of contact_id and lead_id is needed."""


@update_of(ConsentFields)
class ConsentUpdate(RecordUpdate):
    """Consents are not changed; record another one."""
