"""What a user looks like from outside."""

from __future__ import annotations

from typing import Literal

from crm_api.kernel.schema import Email, Input, Name, RecordRead, Text60, about


class UserRead(RecordRead):
    """A user: a person's membership of the organisation."""

    object: Literal["users"] = about("The object's name.", "users")
    name: Name = about("Full name.", "Ada King")
    email: Email = about("The address with which they sign in.", "ada@acme.example")
    status: Literal["active", "invited", "suspended"] = about("A suspended user's tokens stop working at once.", "active")
    role: Literal["super_admin", "standard"] = about("A super administrator may do everything in the organisation.", "standard")
    time_zone: Text60 | None = about("IANA name; null follows the organisation.", "Europe/Berlin")
    locale: Text60 | None = about("Language tag; null follows the organisation.", "de")


class UserWrite(Input):
    """Users can't be written yet."""
