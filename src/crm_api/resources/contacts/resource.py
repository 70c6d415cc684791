"""Contacts: people (and organisations) that one talks to, each at any number of accounts."""

from __future__ import annotations

from crm_api.kernel.resource import ManyToMany, Resource, Row
from crm_api.kernel.schema import RoleLink
from crm_api.models.sales import Contact
from crm_api.resources.contacts.rules import ContactRules
from crm_api.resources.contacts.schemas import ContactCreate, ContactRead, ContactUpdate


def display(row: Row) -> str:
    """The name, else the address or number by which the contact is known."""
    name = " ".join(part for part in (row["first_name"], row["last_name"]) if part)
    return name or row["email"] or row["phone"] or ""


contacts = Resource[Contact, ContactCreate, ContactUpdate, ContactRead](
    name="contacts",
    singular="contact",
    model=Contact,
    create=ContactCreate,
    update=ContactUpdate,
    read=ContactRead,
    display=display,
    description="People, and organisations as such, that you talk to. A contact may belong to several accounts, one of them the primary.",
    example={
        "first_name": "Ada",
        "last_name": "King",
        "email": "ada@acme.example",
        "phone": "+49 30 1234567",
        "title": "Head of Purchasing",
    },
    search=("first_name", "last_name", "email", "emails", "phone", "phones", "title", "department", "description"),
    links=(ManyToMany("accounts", "accounts", "contacts", RoleLink, primary_field="account_id"),),
    rules=ContactRules(),
    timeline=True,
    searchable=True,
)
