"""From the definition of an organisation's own object to a `Resource` like any other."""

from __future__ import annotations

from typing import Any

from crm_api.kernel.custom.definitions import CustomObject
from crm_api.kernel.custom.schemas import MadeCreate, MadeRead, MadeUpdate
from crm_api.kernel.custom.staged import StagedRules
from crm_api.kernel.resource import AnyResource, Resource, Row, Rules
from crm_api.models.metadata import CustomRecord

NAME = "name"
"""The field that every custom object begins with."""


def resource_of(made: CustomObject) -> AnyResource:
    """The object, still without its fields."""
    return Resource[CustomRecord, Any, Any, Any](
        name=made.api_name,
        singular=made.singular,
        model=CustomRecord,
        create=MadeCreate,
        update=MadeUpdate,
        read=MadeRead,
        display=_display(made.properties.get("display_field") or NAME),
        description=made.properties.get("description") or f"{made.plural_label}, an object of this organisation.",
        example={},
        timeline=True,
        searchable=True,
        rules=StagedRules(made.api_name) if made.properties.get("has_pipeline") else Rules(),
        made=made,
    )


def _display(field: str) -> Any:
    """Makes a record's name from the field that the definition names, else from the first text there is."""

    def display(row: Row) -> str:
        members = row["custom_fields"] or {}
        value = members.get(field)
        if value is None:
            value = next((text for name, text in sorted(members.items()) if isinstance(text, str)), None)
        return str(row["id"]) if value is None else str(value)[:255]

    return display
