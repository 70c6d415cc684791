"""The registry of where a person's data can be leaves nothing out."""

from __future__ import annotations

import asyncpg
import pytest

from crm_api.embedded import DatabaseUrls
from crm_api.flows.privacy.hanging import HANGING
from crm_api.flows.privacy.people import OBJECTS
from crm_api.flows.privacy.places import PLACES, tables
from crm_api.kernel.registry import Registry
from crm_api.models.base import table_of
from crm_api.models.columns import FieldType
from crm_api.resources import RESOURCES
from crm_api.settings import driver_url

pytestmark = pytest.mark.anyio


async def test_every_table_is_declared(urls: DatabaseUrls) -> None:
    """Whoever adds a table says in flows/privacy/places.py what it can hold of a person, and what erasing does there."""
    connection = await asyncpg.connect(driver_url(urls.database_owner_url))
    try:
        rows = await connection.fetch(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
            " AND NOT c.relispartition AND c.relname <> 'alembic_version'"
        )
    finally:
        await connection.close()
    there = {row["relname"] for row in rows}
    assert not there - set(PLACES), "say in flows/privacy/places.py what these tables hold of people"
    assert not set(PLACES) - there
    assert all(place.why for place in PLACES.values())


def test_what_the_rules_say_is_done() -> None:
    registry = Registry(RESOURCES)
    names = {table_of(resource.name) for resource in registry}
    assert set(tables("person")) == set(OBJECTS)
    assert {kind.object for kind in HANGING} == (set(tables("delete")) - {"consents"}) | set(tables("blank"))
    assert set(tables("criteria")) - names == {"home_pages", "config_snapshots"}
    # what refers to a person is purged with them, dealt with by its own rule, or emptied of the reference
    for resource in registry:
        for field in resource.all_fields.values():
            if field.type is FieldType.REFERENCE and field.spec.target in OBJECTS and resource.name not in OBJECTS:
                assert PLACES[resource.table.name].rule in ("delete", "blank", "unlink"), (resource.name, field.name)


def test_fields_that_tell_who_somebody_is_are_marked() -> None:
    registry = Registry(RESOURCES)
    for name in OBJECTS:
        marked = {field.name for field in registry[name].fields.values() if field.spec.sensitivity != "none"}
        assert {"first_name", "last_name", "email", "phone", "description"} <= marked
    for resource in registry:
        for field in resource.fields.values():
            if field.type in (FieldType.EMAIL, FieldType.PHONE) and resource.name != "accounts":
                assert field.spec.sensitivity != "none", (resource.name, field.name)


async def test_sensitivity_is_told_and_can_be_changed(api: object) -> None:
    from tests.api import Api

    assert isinstance(api, Api)
    fields = {field["api_name"]: field for field in (await api.ok("GET", "/v1/meta/contacts/fields"))["data"]}
    assert (fields["email"]["sensitivity"], fields["title"]["sensitivity"]) == ("personal", "none")
    changed = await api.ok("PATCH", "/v1/meta/contacts/fields/title", json={"sensitivity": "sensitive"})
    assert changed["sensitivity"] == "sensitive"
