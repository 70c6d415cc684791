"""What a team looks like from outside."""

from __future__ import annotations

from typing import Literal

from crm_api.kernel.schema import Description, Name, Output, RecordCreate, RecordRead, RecordUpdate, about, create_of, update_of


class TeamFields(Output):
    """The fields of a team."""

    name: Name = about("What it is called.", "Key accounts")
    description: Description | None = about("What it is for.", "Looks after the largest customers.")


class TeamRead(TeamFields, RecordRead):
    """A team: people whom records are shared with together."""

    object: Literal["teams"] = about("The object's name.", "teams")


@create_of(TeamFields, required=("name",))
class TeamCreate(RecordCreate):
    """A new team."""


@update_of(TeamFields)
class TeamUpdate(RecordUpdate):
    """Changes of a team, as a merge patch."""
