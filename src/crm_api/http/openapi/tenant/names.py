"""Names that an organisation's objects have among the document's: for their schemas and for their operations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from crm_api.http.openapi.tenant.fields import example_of, needed
from crm_api.kernel.custom.definitions import CustomField
from crm_api.kernel.resource import AnyResource

SUFFIXES: Final = (
    "Read",
    "Create",
    "Update",
    "Upsert",
    "List",
    "LinkList",
    "Event",
    "BatchResult",
    "BatchCreate",
    "BatchUpdate",
    "BatchUpdateItem",
    "BatchUpsert",
    "CustomFields",
    "CustomFieldsCreate",
    "CustomFieldsUpdate",
)
"""What the schemas of one object are called behind its own name."""

SHOWN: Final = 6
"""Fields of an object in its example, beside those that a record needs."""


def prepared(resources: Iterable[AnyResource], taken: Iterable[str]) -> dict[str, AnyResource]:
    """The objects with examples that have an organisation's fields, and its own objects with names for their schemas.

    `taken` are names of schemas; an object whose schemas would be called like one of them gets a longer name.
    """
    used = set(taken)
    found: dict[str, AnyResource] = {}
    for resource in resources:
        if resource.made is not None:
            name = _free(_camel(resource.singular), used)
            used.update(name + suffix for suffix in SUFFIXES)
            resource = named(replace(resource, example=_example(resource)), name)
        elif resource.custom:
            resource = replace(resource, example={**resource.example, "custom_fields": _example(resource)})
        found[resource.name] = resource
    return found


def unique_id(wanted: str, used: set[str]) -> str:
    """An operation's id that no other has; notes it as used."""
    found, number = wanted, 2
    while found in used:
        found, number = f"{wanted}_{number}", number + 1
    used.add(found)
    return found


def named(resource: AnyResource, name: str) -> AnyResource:
    """An object of an organisation with a name for its schemas. It has no model of its own; of this one only the name is looked at."""
    form: Any = type(f"{name}Read", (), {})
    return replace(resource, read=form)


def _camel(singular: str) -> str:
    return "".join(part.capitalize() for part in singular.split("_"))


def _free(wanted: str, used: set[str]) -> str:
    found, number = wanted, 1
    while any(found + suffix in used for suffix in SUFFIXES):
        found = f"Custom{wanted}" if number == 1 else f"Custom{wanted}{number}"
        number += 1
    return found


def _example(resource: AnyResource) -> dict[str, Any]:
    """Values of the writable fields: all that a record needs, and the first few beside them."""
    found: dict[str, Any] = {}
    definitions: list[CustomField] = [f.definition for f in resource.custom.values() if f.definition is not None]
    for definition in definitions:
        if definition.read_only or not (needed(definition) or len(found) < SHOWN):
            continue
        value = example_of(definition)
        if value is not None:
            found[definition.api_name] = value
    return found
