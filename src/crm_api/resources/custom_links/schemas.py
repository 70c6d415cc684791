"""What a custom link looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from crm_api.kernel.schema import Name, Output, Position, RecordCreate, RecordRead, RecordUpdate, about, create_of, update_of
from crm_api.kernel.shapes import APPLIES_TO, PROFILE, ObjectName, ProfileKey

Template = Annotated[str, StringConstraints(min_length=8, max_length=2000)]


class CustomLinkFields(Output):
    """The fields of a custom link."""

    name: Name = about("What is written on it.", "Search the news")
    url_template: Template = about(
        "An http or https address with `{field}` where values of the record go, percent-encoded. Not in the host.",
        "https://news.example/search?q={name}",
    )
    placement: Literal["detail", "list", "related"] = about("Where it stands.", "detail")
    opens_in: Literal["new", "same"] = about("Whether it opens a window of its own.", "new")
    profile_id: ProfileKey | None = PROFILE
    position: Position | None = about("Its place among the links.", 1)


class CustomLinkRead(CustomLinkFields, RecordRead):
    """A custom link: an address that holds values of the record beside which it stands."""

    object: Literal["custom_links"] = about("The object's name.", "custom_links")
    applies_to: Annotated[ObjectName, APPLIES_TO]


@create_of(CustomLinkFields, required=("name", "url_template"))
class CustomLinkCreate(RecordCreate):
    """A new custom link."""

    applies_to: Annotated[ObjectName, APPLIES_TO]


@update_of(CustomLinkFields)
class CustomLinkUpdate(RecordUpdate):
    """Changes of a custom link, as a merge patch."""
