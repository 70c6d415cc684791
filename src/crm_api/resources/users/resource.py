"""Users: the people of the organisation, who own records."""

from __future__ import annotations

from crm_api.kernel.resource import Resource
from crm_api.models.tenancy import Member
from crm_api.resources.users.rules import UserRules
from crm_api.resources.users.schemas import UserCreate, UserRead, UserUpdate

users = Resource[Member, UserCreate, UserUpdate, UserRead](
    name="users",
    singular="user",
    model=Member,
    create=UserCreate,
    update=UserUpdate,
    read=UserRead,
    display=lambda row: row["name"],
    description="The people of the organisation. `owner_id` of a record is the id of one of them. Making one invites a person: "
    "they get a mail with a link by which they choose a password. Deleting one removes the person from the organisation.",
    example={"name": "Ada King", "email": "ada@acme.example"},
    search=("name", "email"),
    verbs=frozenset({"list", "get", "create", "update", "delete", "restore"}),
    rules=UserRules(),
    owner_defaults_to_caller=False,
    sharing="none",
    governs_access=True,
    access_fields=("profile_id", "role_id", "manager_id", "status"),
)
