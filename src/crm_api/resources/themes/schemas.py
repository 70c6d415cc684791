"""What a theme looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from crm_api.kernel.schema import Name, Output, RecordCreate, RecordRead, RecordUpdate, Url, about, create_of, update_of
from crm_api.kernel.shapes import IS_DEFAULT, PROFILE, Colour, ProfileKey

Role = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Colours = Annotated[dict[Role, Colour | None], Field(max_length=50)]


class ThemeFields(Output):
    """The fields of a theme."""

    name: Name = about("What it is called.", "Evening")
    profile_id: ProfileKey | None = PROFILE
    is_default: bool = IS_DEFAULT
    mode: Literal["light", "dark", "auto"] = about("Light or dark, or as the device says.", "auto")
    density: Literal["comfortable", "compact"] = about("How much room there is between things.", "compact")
    colors: Colours | None = about("Colours by what they are for. One sent as null is taken away.", {"accent": "#0a7d55"})
    logo_url: Url | None = about("The logo.", "https://acme.example/logo.svg")


class ThemeRead(ThemeFields, RecordRead):
    """A theme: how a user interface looks."""

    object: Literal["themes"] = about("The object's name.", "themes")


@create_of(ThemeFields, required=("name",))
class ThemeCreate(RecordCreate):
    """A new theme."""


@update_of(ThemeFields)
class ThemeUpdate(RecordUpdate):
    """Changes of a theme, as a merge patch."""
