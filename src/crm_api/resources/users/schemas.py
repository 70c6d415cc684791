"""What a user looks like from outside."""

from __future__ import annotations

from typing import Literal

from crm_api.kernel.schema import Email, Input, Name, RecordRead, Ref, Text60, about


class UserRead(RecordRead):
    """A user: a person's membership of the organisation."""

    object: Literal["users"] = about("The object's name.", "users")
    name: Name = about("Full name.", "Ada King")
    email: Email = about("The address with which they sign in.", "ada@acme.example")
    status: Literal["active", "invited", "suspended"] = about("A suspended user's tokens stop working at once.", "active")
    profile_id: Ref = about("What they may do.", "01976f6e-8a00-7000-8000-0000000000c2")
    role_id: Ref | None = about("Their place in the tree of roles: they see what those below own.", None)
    manager_id: Ref | None = about("Whom they report to.", None)
    time_zone: Text60 | None = about("IANA name; null follows the organisation.", "Europe/Berlin")
    locale: Text60 | None = about("Language tag; null follows the organisation.", "de")


class UserWrite(Input):
    """Users can't be written yet."""
