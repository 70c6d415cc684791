"""Leads: somebody who may become a contact, on the way through statuses that each organisation defines."""

from __future__ import annotations

from crm_api.kernel.resource import Resource, Row
from crm_api.models.sales import Lead
from crm_api.resources.leads.rules import LeadRules
from crm_api.resources.leads.schemas import LeadCreate, LeadRead, LeadUpdate


def display(row: Row) -> str:
    """The name, else how the lead can be reached."""
    name = " ".join(part for part in (row["first_name"], row["last_name"]) if part)
    return name or row["company"] or row["email"] or row["phone"] or ""


leads = Resource[Lead, LeadCreate, LeadUpdate, LeadRead](
    name="leads",
    singular="lead",
    model=Lead,
    create=LeadCreate,
    update=LeadUpdate,
    read=LeadRead,
    display=display,
    description="People who may become contacts. Their `status` moves along the transitions that your lead statuses allow.",
    example={
        "first_name": "Grace",
        "last_name": "Murray",
        "company": "Northwind Logistics",
        "email": "grace@northwind.example",
        "source": "web form",
    },
    search=("first_name", "last_name", "company", "email", "phone", "title", "description"),
    rules=LeadRules(),
    timeline=True,
    searchable=True,
)
