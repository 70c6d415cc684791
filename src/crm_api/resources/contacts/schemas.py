"""What a contact looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from crm_api.kernel.schema import (
    Address,
    DateValue,
    Email,
    Emails,
    Key,
    LongText,
    Output,
    Phone,
    Phones,
    RecordCreate,
    RecordRead,
    RecordUpdate,
    Ref,
    Text,
    about,
    create_of,
    update_of,
)

Rating = Annotated[Literal["hot", "warm", "cold"], "rating"]


class ContactFields(Output):
    """The fields of a contact."""

    kind: Literal["person", "organization"] = about("A person, or an organisation as such.", "person")
    first_name: Text | None = about("Given name.", "Ada")
    last_name: Text | None = about("Family name, or the organisation's name.", "King")
    email: Email | None = about("The primary e-mail address, unique among live contacts without regard to case.", "ada@acme.example")
    emails: Emails = about(
        "All e-mail addresses; exactly one is primary.", [{"address": "ada@acme.example", "type": "work", "is_primary": True}]
    )
    phone: Phone | None = about("The primary telephone number.", "+49 30 1234567")
    phones: Phones = about(
        "All telephone numbers; exactly one is primary.", [{"number": "+49 30 1234567", "type": "work", "is_primary": True}]
    )
    title: Text | None = about("Position.", "Head of Purchasing")
    department: Text | None = about("Department.", "Purchasing")
    account_id: Ref | None = about(
        "The main account of the contact: the primary link of `accounts`.", "01976f6e-8a00-7000-8000-0000000000a1"
    )
    lifecycle_stage: Key | None = about("Key of a lifecycle stage (`/v1/lifecycle_stages`).", "customer")
    rating: Rating | None = about("How promising the contact is.", "warm")
    source: Text | None = about("Where the contact came from.", "trade fair")
    birthdate: DateValue | None = about("Date of birth.", "1985-12-10")
    address: Address | None = about("Postal address.", {"city": "Berlin", "country": "DE"})
    email_opt_out: bool = about("Wants no e-mail.", False)
    do_not_call: bool = about("Wants no calls.", False)
    description: LongText | None = about("Anything else.", "Prefers mornings.")


class ContactRead(ContactFields, RecordRead):
    """A contact: a person, or an organisation, that one talks to."""

    object: Literal["contacts"] = about("The object's name.", "contacts")


@create_of(ContactFields)
class ContactCreate(RecordCreate):
    """A new contact. At least one of first_name, last_name, email and phone is needed."""


@update_of(ContactFields)
class ContactUpdate(RecordUpdate):
    """Changes of a contact, as a merge patch."""
