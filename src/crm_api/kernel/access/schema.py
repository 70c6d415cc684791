"""Shapes that the resources about access share: actions, permissions, grantees."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, with_config
from typing_extensions import TypedDict

from crm_api.kernel.schema import STRICT, about
from crm_api.kernel.shapes import ObjectName, PathText, UuidText

Action = Literal[
    "read", "create", "update", "delete", "export", "import", "bulk", "transfer", "share", "purge", "view_all", "modify_all", "administer"
]
ACTIONS: Final[tuple[str, ...]] = (
    "read", "create", "update", "delete", "export", "import", "bulk", "transfer", "share", "purge", "view_all", "modify_all", "administer",
)  # fmt: skip
Actions = Annotated[list[Action], Field(max_length=20)]
Permissions = Annotated[dict[ObjectName, Actions | None], Field(max_length=500)]
FieldAccess = Literal["hidden", "read_only"]
FieldPermissions = Annotated[
    dict[ObjectName, Annotated[dict[PathText, FieldAccess | None], Field(max_length=1000)] | None], Field(max_length=500)
]
GranteeType = Literal["user", "role", "role_tree", "team", "territory", "everyone"]


@with_config(STRICT)
class People(TypedDict):
    """Some of an organisation's users."""

    type: Annotated[
        Literal["user", "role", "role_tree", "team", "profile"],
        about("A user, those with a role, with a role or one below it, in a team, or with a profile.", "role"),
    ]
    id: Annotated[UuidText, about("Which one.", "01976f6e-8a00-7000-8000-0000000000c1")]


PeopleList = Annotated[list[People], Field(max_length=100)]
