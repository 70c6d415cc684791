"""What a territory looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from crm_api.kernel.schema import (
    Description,
    JsonObject,
    Name,
    Output,
    Position,
    RecordCreate,
    RecordRead,
    RecordUpdate,
    Ref,
    about,
    create_of,
    update_of,
)
from crm_api.kernel.shapes import ObjectName

TerritoryCriteria = Annotated[dict[ObjectName, JsonObject | None], Field(max_length=50)]


class TerritoryFields(Output):
    """The fields of a territory."""

    name: Name = about("What it is called.", "Germany")
    parent_id: Ref | None = about("The territory that it is a part of; null at the top.", None)
    description: Description | None = about("What it is.", "The German market.")
    rules: TerritoryCriteria = about(
        "Which records belong to it, by object: search trees on the objects' own fields. One sent as null is taken away.",
        {"accounts": {"field": "billing_address.country", "value": "DE"}},
    )
    access: Literal["read", "write"] = about("What its users may do with its records, within their profile.", "write")
    position: Position | None = about("Its place among its siblings.", 1)


class TerritoryRead(TerritoryFields, RecordRead):
    """A territory: a part of the market."""

    object: Literal["territories"] = about("The object's name.", "territories")


@create_of(TerritoryFields, required=("name",))
class TerritoryCreate(RecordCreate):
    """A new territory."""


@update_of(TerritoryFields)
class TerritoryUpdate(RecordUpdate):
    """Changes of a territory, as a merge patch."""
