"""Deals: possible sales on their way through a pipeline."""

from __future__ import annotations

from crm_api.kernel.resource import ManyToMany, Resource
from crm_api.kernel.schema import RoleLink
from crm_api.models.sales import Deal
from crm_api.resources.deals.rules import DealRules
from crm_api.resources.deals.schemas import DealCreate, DealRead, DealUpdate

deals = Resource[Deal, DealCreate, DealUpdate, DealRead](
    name="deals",
    singular="deal",
    model=Deal,
    create=DealCreate,
    update=DealUpdate,
    read=DealRead,
    display=lambda row: row["name"],
    description="Possible sales. A deal moves through the stages of its pipeline until it is won or lost; every move is kept.",
    example={"name": "Acme: 40 picking robots", "amount": "48000.00", "currency": "EUR", "close_date": "2026-12-31"},
    search=("name", "source", "next_step", "lost_reason", "description"),
    links=(ManyToMany("contacts", "contacts", "deals", RoleLink),),
    rules=DealRules(),
    timeline=True,
    searchable=True,
    derived={"weighted_amount": ("amount", "probability")},
)
