"""What a navigation menu looks like from outside."""

from __future__ import annotations

from typing import Literal

from crm_api.kernel.schema import Name, Output, RecordCreate, RecordRead, RecordUpdate, about, create_of, update_of
from crm_api.kernel.shapes import IS_DEFAULT, PROFILE, MenuEntries, ProfileKey


class NavigationMenuFields(Output):
    """The fields of a navigation menu."""

    name: Name = about("What it is called.", "Sales")
    profile_id: ProfileKey | None = PROFILE
    is_default: bool = IS_DEFAULT
    entries: MenuEntries = about(
        "Its entries in order, in groups at will.",
        [{"key": "home", "type": "home"}, {"key": "deals", "type": "object", "object": "deals", "label": "Deals"}],
    )


class NavigationMenuRead(NavigationMenuFields, RecordRead):
    """A navigation menu: where a user interface offers to go."""

    object: Literal["navigation_menus"] = about("The object's name.", "navigation_menus")


@create_of(NavigationMenuFields, required=("name",))
class NavigationMenuCreate(RecordCreate):
    """A new navigation menu."""


@update_of(NavigationMenuFields)
class NavigationMenuUpdate(RecordUpdate):
    """Changes of a navigation menu, as a merge patch; the entries are replaced whole."""
