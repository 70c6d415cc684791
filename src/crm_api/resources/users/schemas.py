"""What a user looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import MISSING

from crm_api.kernel.schema import (
    CustomFields,
    Email,
    ExternalIds,
    Input,
    Name,
    Output,
    RecordRead,
    RecordUpdate,
    Ref,
    Reference,
    Tags,
    Text60,
    about,
    create_of,
    update_of,
)

_PROFILE = "01976f6e-8a00-7000-8000-0000000000c2"


class UserFields(Output):
    """The fields of a user that may be written."""

    name: Name = about("Full name.", "Ada King")
    profile_id: Ref = about("What they may do. New users get the organisation's default profile.", _PROFILE)
    role_id: Ref | None = about("Their place in the tree of roles: they see what those below own.", None)
    manager_id: Ref | None = about("Whom they report to.", None)
    time_zone: Text60 | None = about("IANA name; null follows the organisation.", "Europe/Berlin")
    locale: Text60 | None = about("Language tag; null follows the organisation.", "de")


class UserRead(UserFields, RecordRead):
    """A user: a person's membership of the organisation."""

    object: Literal["users"] = about("The object's name.", "users")
    email: Email = about("The address with which they sign in.", "ada@acme.example")
    kind: Literal["person", "service"] = about("`service`: what a service token acts as; nobody can sign in as it.", "person")
    status: Literal["active", "invited", "suspended"] = about(
        "Invited users have not accepted yet. A suspended user's tokens stop working at once.", "active"
    )


@create_of(UserFields, required=("name",))
class UserCreate(Input):
    """An invitation. The address gets a mail with a link, by which the person chooses a password."""

    email: Annotated[Email, about("The address with which they will sign in. It can't be changed.", "ada@acme.example")]
    owner_id: Annotated[Reference | MISSING | None, about("The user who looks after this one.", None)] = MISSING
    custom_fields: Annotated[CustomFields | MISSING, about("Values of the organisation's own fields.", {})] = MISSING
    tags: Annotated[Tags | MISSING, about("Free labels.", ["remote"])] = MISSING
    external_ids: Annotated[ExternalIds | MISSING, about("Ids in other systems.", {"hr": "4711"})] = MISSING


@update_of(UserFields)
class UserUpdate(RecordUpdate):
    """Changes of a user, as a merge patch. Nobody changes their own profile and role."""
