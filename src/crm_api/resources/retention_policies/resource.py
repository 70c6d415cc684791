"""Retention policies: how long records are kept."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, Resource
from crm_api.models.privacy import RetentionPolicy
from crm_api.resources.retention_policies.rules import RetentionRules
from crm_api.resources.retention_policies.schemas import RetentionPolicyCreate, RetentionPolicyRead, RetentionPolicyUpdate

retention_policies = Resource[RetentionPolicy, RetentionPolicyCreate, RetentionPolicyUpdate, RetentionPolicyRead](
    name="retention_policies",
    singular="retention_policy",
    model=RetentionPolicy,
    create=RetentionPolicyCreate,
    update=RetentionPolicyUpdate,
    read=RetentionPolicyRead,
    display=lambda row: row["name"],
    description="How long records are kept after a date of theirs, and what becomes of them then. A policy begins to work once it is "
    "made active; try it out with `POST /v1/retention_policies/{id}/preview` before.",
    example={
        "name": "Dead leads",
        "applies_to": "leads",
        "filter": {"field": "status", "value": "unqualified"},
        "date_field": "updated_at",
        "after": "P2Y",
        "action": "erase",
    },
    rules=RetentionRules(),
    verbs=ALL_VERBS - {"merge"},
    sharing="none",
)
