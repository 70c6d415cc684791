"""What a role looks like from outside."""

from __future__ import annotations

from typing import Literal

from crm_api.kernel.schema import Description, Name, Output, RecordCreate, RecordRead, RecordUpdate, Ref, about, create_of, update_of


class RoleFields(Output):
    """The fields of a role."""

    name: Name = about("What it is called.", "Sales manager")
    parent_id: Ref | None = about("The role above it; null at the top.", None)
    description: Description | None = about("What it is for.", "Leads a sales team.")


class RoleRead(RoleFields, RecordRead):
    """A role: a place in the tree by which people see records of others."""

    object: Literal["roles"] = about("The object's name.", "roles")


@create_of(RoleFields, required=("name",))
class RoleCreate(RecordCreate):
    """A new role."""


@update_of(RoleFields)
class RoleUpdate(RecordUpdate):
    """Changes of a role, as a merge patch."""
