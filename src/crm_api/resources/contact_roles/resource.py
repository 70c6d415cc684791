"""Contact roles: what a contact can be to a deal, a case or an account."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, Resource
from crm_api.models.vocabulary import ContactRole
from crm_api.resources.contact_roles.rules import ContactRoleRules
from crm_api.resources.contact_roles.schemas import ContactRoleCreate, ContactRoleRead, ContactRoleUpdate

contact_roles = Resource[ContactRole, ContactRoleCreate, ContactRoleUpdate, ContactRoleRead](
    name="contact_roles",
    singular="contact_role",
    model=ContactRole,
    create=ContactRoleCreate,
    update=ContactRoleUpdate,
    read=ContactRoleRead,
    display=lambda row: row["label"],
    description="What contacts can be to deals, cases and accounts; links between them carry the keys in `roles`.",
    example={"key": "legal", "label": "Legal counsel"},
    rules=ContactRoleRules(),
    default_sort=("position",),
    verbs=ALL_VERBS - {"merge"},
    owner_defaults_to_caller=False,
    configuration=("key",),
    sharing="none",
)
