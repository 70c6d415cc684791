"""Lead statuses: the states of a lead, as each organisation wants them."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, Resource
from crm_api.models.vocabulary import LeadStatus
from crm_api.resources.lead_statuses.rules import LeadStatusRules
from crm_api.resources.lead_statuses.schemas import LeadStatusCreate, LeadStatusRead, LeadStatusUpdate

lead_statuses = Resource[LeadStatus, LeadStatusCreate, LeadStatusUpdate, LeadStatusRead](
    name="lead_statuses",
    singular="lead_status",
    model=LeadStatus,
    create=LeadStatusCreate,
    update=LeadStatusUpdate,
    read=LeadStatusRead,
    display=lambda row: row["label"],
    description="The states that leads go through. Each has a `role` that says what it means; keys and labels are yours.",
    example={"key": "contacted", "label": "Contacted", "role": "working", "transitions": ["qualified", "lost"]},
    rules=LeadStatusRules(),
    default_sort=("position",),
    verbs=ALL_VERBS - {"merge"},
    owner_defaults_to_caller=False,
    configuration=("key",),
    sharing="none",
)
