"""What a contact role looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from crm_api.kernel.schema import Key, Output, Position, RecordCreate, RecordRead, RecordUpdate, Text120, about, create_of, update_of

_KEY = about("What links hold in `roles`; it never changes.", "decision_maker")


class ContactRoleFields(Output):
    """The fields of a contact role that may change."""

    label: Text120 = about("What people see.", "Decision maker")
    position: Position = about("Place in the order. Defaults to the end.", 0)


class ContactRoleRead(ContactRoleFields, RecordRead):
    """What a contact is to a deal, a case or an account."""

    object: Literal["contact_roles"] = about("The object's name.", "contact_roles")
    key: Annotated[Key, _KEY]


@create_of(ContactRoleFields, required=("label",))
class ContactRoleCreate(RecordCreate):
    """A new contact role."""

    key: Annotated[Key, _KEY]


@update_of(ContactRoleFields)
class ContactRoleUpdate(RecordUpdate):
    """Changes of a contact role, as a merge patch."""
