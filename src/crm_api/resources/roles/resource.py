"""Roles: the tree by which people see what those below them own."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, Resource
from crm_api.models.access import Role
from crm_api.resources.roles.rules import RoleRules
from crm_api.resources.roles.schemas import RoleCreate, RoleRead, RoleUpdate

roles = Resource[Role, RoleCreate, RoleUpdate, RoleRead](
    name="roles",
    singular="role",
    model=Role,
    create=RoleCreate,
    update=RoleUpdate,
    read=RoleRead,
    display=lambda row: row["name"],
    description="Places in the tree of roles. Who has a role sees and changes what users with roles below it own.",
    example={"name": "Sales manager", "description": "Leads a sales team."},
    search=("name",),
    rules=RoleRules(),
    verbs=ALL_VERBS - {"merge"},
    owner_defaults_to_caller=False,
    governs_access=True,
    sharing="none",
    configuration=("name",),
)
