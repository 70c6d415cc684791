"""What a profile looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import MISSING

from crm_api.kernel.access.schema import FieldPermissions, Permissions
from crm_api.kernel.schema import Description, Key, Name, Output, RecordCreate, RecordRead, RecordUpdate, about, create_of, update_of
from crm_api.kernel.shapes import IS_DEFAULT

_KEY = about("A name for programs, set once; profiles that organisations start with have `super_admin` and `standard`.", "sales")


class ProfileFields(Output):
    """The fields of a profile."""

    name: Name = about("What it is called.", "Sales")
    description: Description | None = about("What it is for.", "For those who sell.")
    permissions: Permissions = about(
        "The actions it allows, by object; `*` stands for every object that is not named. One sent as null is taken away.",
        {"*": ["read"], "contacts": ["read", "create", "update"]},
    )
    fields: FieldPermissions = about(
        "Fields that are not as open as their object: `hidden` ones are as if they weren't there, `read_only` ones can't be written.",
        {"contacts": {"birthdate": "hidden", "email": "read_only"}},
    )
    is_default: bool = IS_DEFAULT


class ProfileRead(ProfileFields, RecordRead):
    """A profile: what its users may do."""

    object: Literal["profiles"] = about("The object's name.", "profiles")
    key: Annotated[Key | None, _KEY]
    is_system: Annotated[bool, about("Whether it belongs to every organisation and can't be changed.", False)]


@create_of(ProfileFields, required=("name",))
class ProfileCreate(RecordCreate):
    """A new profile."""

    key: Annotated[Key | MISSING | None, _KEY] = MISSING


@update_of(ProfileFields)
class ProfileUpdate(RecordUpdate):
    """Changes of a profile, as a merge patch: single objects and fields can be changed without sending the others."""
