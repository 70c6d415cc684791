"""Profiles: what their users may do with each object and each field."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, Resource
from crm_api.models.access import Profile
from crm_api.resources.profiles.rules import ProfileRules
from crm_api.resources.profiles.schemas import ProfileCreate, ProfileRead, ProfileUpdate

profiles = Resource[Profile, ProfileCreate, ProfileUpdate, ProfileRead](
    name="profiles",
    singular="profile",
    model=Profile,
    create=ProfileCreate,
    update=ProfileUpdate,
    read=ProfileRead,
    display=lambda row: row["name"],
    description="What users may do with each object, whosever the records are, and which fields they see.",
    example={
        "name": "Sales",
        "permissions": {"contacts": ["read", "create", "update"], "deals": ["read", "create", "update", "delete"]},
        "fields": {"contacts": {"birthdate": "hidden"}},
    },
    search=("name",),
    rules=ProfileRules(),
    verbs=ALL_VERBS - {"merge"},
    owner_defaults_to_caller=False,
    governs_access=True,
    sharing="none",
    configuration=("name",),
)
