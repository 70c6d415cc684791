"""What an account looks like from outside."""

from __future__ import annotations

from typing import Literal

from crm_api.kernel.schema import (
    Address,
    Count,
    Currency,
    Domain,
    LongText,
    Money,
    Name,
    Output,
    Phone,
    RecordCreate,
    RecordRead,
    RecordUpdate,
    Ref,
    Text,
    Text60,
    Url,
    about,
    create_of,
    update_of,
)

ACCOUNT_ID = "01976f6e-8a00-7000-8000-0000000000a1"


class AccountFields(Output):
    """The fields of an account."""

    name: Name = about("The company's name.", "Acme Robotics")
    domain: Domain | None = about("Its domain, unique among live accounts; scheme, `www.` and path are cut off.", "acme.example")
    website: Url | None = about("Its web site.", "https://acme.example")
    phone: Phone | None = about("Its telephone number.", "+49 30 1234567")
    industry: Text | None = about("What it does.", "robotics")
    employees: Count | None = about("How many people work there.", 240)
    annual_revenue: Money | None = about("Revenue of a year, in `currency`.", "12500000.00")
    currency: Currency = about("ISO 4217 code of all money of this record. Defaults to the organisation's.", "EUR")
    parent_id: Ref | None = about("The account it belongs to. A cycle is refused (422 `cycle`).", ACCOUNT_ID)
    type: Text60 | None = about("What it is to you, such as customer, partner or supplier.", "customer")
    billing_address: Address | None = about(
        "Where invoices go.", {"street": "Torstraße 1", "city": "Berlin", "postal_code": "10119", "country": "DE"}
    )
    shipping_address: Address | None = about("Where goods go.", {"city": "Berlin", "country": "DE"})
    description: LongText | None = about("Anything else.", "Builds picking robots for warehouses.")


class AccountRead(AccountFields, RecordRead):
    """An account: a company or other organisation that one does business with."""

    object: Literal["accounts"] = about("The object's name.", "accounts")
    annual_revenue_base: Money | None = about(
        "`annual_revenue` in the organisation's currency, by the rate of the day on which the record was made; null without one.",
        "12500000.00",
    )


@create_of(AccountFields, required=("name",))
class AccountCreate(RecordCreate):
    """A new account."""


@update_of(AccountFields)
class AccountUpdate(RecordUpdate):
    """Changes of an account, as a merge patch."""
