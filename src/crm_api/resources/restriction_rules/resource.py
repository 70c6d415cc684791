"""Restriction rules: confine people to some of an object's records."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, Resource
from crm_api.models.access import RestrictionRule
from crm_api.resources.restriction_rules.rules import RestrictionRuleRules
from crm_api.resources.restriction_rules.schemas import RestrictionRuleCreate, RestrictionRuleRead, RestrictionRuleUpdate

restriction_rules = Resource[RestrictionRule, RestrictionRuleCreate, RestrictionRuleUpdate, RestrictionRuleRead](
    name="restriction_rules",
    singular="restriction_rule",
    model=RestrictionRule,
    create=RestrictionRuleCreate,
    update=RestrictionRuleUpdate,
    read=RestrictionRuleRead,
    display=lambda row: row["name"],
    description="Confine some people to the records of an object that meet criteria, whatever else gives them access.",
    example={
        "name": "Agency sees leads only",
        "applies_to": "contacts",
        "restricts": [{"type": "profile", "id": "01976f6e-8a00-7000-8000-0000000000c2"}],
        "criteria": {"field": "lifecycle_stage", "value": "lead"},
    },
    search=("name",),
    rules=RestrictionRuleRules(),
    verbs=ALL_VERBS - {"merge"},
    owner_defaults_to_caller=False,
    governs_access=True,
    sharing="none",
    configuration=("applies_to", "name"),
)
