"""Sharing rules: access to records for people who neither own them nor stand above their owners."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, Resource
from crm_api.models.access import SharingRule
from crm_api.resources.sharing_rules.rules import SharingRuleRules
from crm_api.resources.sharing_rules.schemas import SharingRuleCreate, SharingRuleRead, SharingRuleUpdate

sharing_rules = Resource[SharingRule, SharingRuleCreate, SharingRuleUpdate, SharingRuleRead](
    name="sharing_rules",
    singular="sharing_rule",
    model=SharingRule,
    create=SharingRuleCreate,
    update=SharingRuleUpdate,
    read=SharingRuleRead,
    display=lambda row: row["name"],
    description="Give some people access to records of an object: those that others own, or those that meet criteria.",
    example={
        "name": "Berlin for the field team",
        "applies_to": "contacts",
        "criteria": {"field": "address.city", "value": "Berlin"},
        "share_with": {"type": "role", "id": "01976f6e-8a00-7000-8000-0000000000c1"},
        "access": "read",
    },
    search=("name",),
    rules=SharingRuleRules(),
    verbs=ALL_VERBS - {"merge"},
    owner_defaults_to_caller=False,
    governs_access=True,
    sharing="none",
    configuration=("applies_to", "name"),
)
