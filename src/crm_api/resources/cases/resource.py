"""Cases: what customers ask and complain about, from first word to solution."""

from __future__ import annotations

from crm_api.kernel.resource import ManyToMany, Resource
from crm_api.kernel.schema import RoleLink
from crm_api.models.service import Case
from crm_api.resources.cases.rules import CaseRules
from crm_api.resources.cases.schemas import CaseCreate, CaseRead, CaseUpdate

cases = Resource[Case, CaseCreate, CaseUpdate, CaseRead](
    name="cases",
    singular="case",
    model=Case,
    create=CaseCreate,
    update=CaseUpdate,
    read=CaseRead,
    display=lambda row: f"#{row['number']} {row['subject']}",
    description="Questions, problems and requests of customers, numbered without gaps in each organisation.",
    example={"subject": "Robot stops after start", "priority": "high", "channel": "email"},
    search=("subject", "description", "type"),
    links=(ManyToMany("contacts", "contacts", "cases", RoleLink, primary_field="contact_id"),),
    rules=CaseRules(),
    timeline=True,
    searchable=True,
)
