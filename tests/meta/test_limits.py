"""As much as one organisation may add: 500 fields on one object, and 50 objects; still one statement for a read."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from crm_api.db.statement import Statement
from crm_api.db.uow import Actor, unit_of_work
from crm_api.flows.metadata.changes import begin
from crm_api.flows.metadata.fields import create_field
from crm_api.flows.metadata.objects import create_object
from crm_api.flows.organizations import SYSTEM_CLOCK
from crm_api.http.app import Application
from crm_api.kernel.principal import OrganizationInfo, Principal
from tests.api import Api, new_organization

pytestmark = pytest.mark.anyio

FIELDS, OBJECTS = 500, 50
CYCLE = ("text", "integer", "decimal", "date", "boolean", "datetime", "email", "long_text", "number", "picklist")
VALUES: dict[str, Any] = {
    "text": "Some text", "integer": 7, "decimal": "1.5", "date": "2026-01-02", "boolean": True, "datetime": "2026-01-02T03:04:05.000000Z",
    "email": "a@b.example", "long_text": "Longer", "number": 2.5, "picklist": "gold",
}  # fmt: skip
INSERT = Statement(
    """
    INSERT INTO field_definitions (org_id, id, object, api_name, type, label, properties, position, version, created_at, updated_at,
                                   created_by, updated_by)
    VALUES ($1, $2, 'contacts', $3, $4, $3, $5::jsonb, $6, 1, $7, $7, $8::jsonb, $8::jsonb)
    """,
    ("org_id", "id", "name", "type", "properties", "position", "now", "actor"),
)
OPTIONS: dict[str, Any] = {"options": [{"key": "gold", "label": "Gold"}, {"key": "tin", "label": "Tin"}]}
MAX_ANSWER = 5_000_000
"""Bytes of a list of 50 records with 500 fields each: it has to stay far below what a client takes at once."""


def of(number: int) -> tuple[str, str]:
    """A field's name and type."""
    kind = CYCLE[number % len(CYCLE)]
    return f"f{number:03d}_{kind}", kind


@pytest.fixture(scope="module")
async def large(app: Application) -> AsyncIterator[Api]:
    async with new_organization(app) as made:
        made.http.event_hooks = {"response": []}
        services = app.state.services
        actor = Actor("user", made.user_id)
        async with unit_of_work(services.database, made.org_id, SYSTEM_CLOCK, actor=actor) as uow:
            organization = OrganizationInfo(made.org_id, "Large", "production", "USD", "UTC", "en", "US", 1, 1, {})
            principal = Principal(organization, made.user_id, made.user_id, "test", frozenset({"admin"}), actor)
            schema = await begin(await services.engine.context(principal, uow))
            for number in range(OBJECTS):
                name = f"objects_{number}"
                about = {"api_name": name, "singular": f"object_{number}", "label": name, "plural_label": name, "properties": {}}
                await create_object(schema, about)
                fields: list[dict[str, Any]] = [
                    {"api_name": "name", "type": "text"},
                    {"api_name": "code", "type": "text", "unique": True},
                    {"api_name": "size", "type": "number", "indexed": True},
                ]
                target = "accounts" if number == 0 else f"objects_{number - 1}"
                fields.append({"api_name": "above_id", "type": "reference", "properties": {"target": target, "inverse": f"below_{number}"}})
                for field in fields:
                    await create_field(schema, name, {"label": "F", "indexed": False, "unique": False, "properties": {}, **field})
            for number in range(FIELDS):
                name, kind = of(number)
                properties: dict[str, Any] = OPTIONS if kind == "picklist" else {}
                indexed = number < len(CYCLE) and kind not in ("boolean", "long_text")
                field = {"api_name": name, "type": kind, "label": name, "indexed": indexed, "unique": False, "properties": properties}
                if number < len(CYCLE):
                    await create_field(schema, "contacts", field)
                else:  # each is checked against all others, which is quick once and slow 500 times
                    values = {"org_id": made.org_id, "id": uow.new_id(), "name": name, "type": kind, "position": number, "now": uow.now}
                    await uow.fetch(INSERT, {**values, "properties": orjson.dumps(properties).decode(), "actor": "{}"})
            await uow.commit()
        yield made


def values() -> dict[str, Any]:
    return {of(number)[0]: VALUES[of(number)[1]] for number in range(FIELDS)}


ALL_OF_THE_LAST = {
    "and": [{"field": f"custom_fields.{name}", "value": VALUES[kind]} for name, kind in map(of, range(490, 500)) if kind != "long_text"]
}


async def counted(api: Api, method: str, path: str, **more: Any) -> tuple[Any, list[str], float]:
    """The answer, the statements about contacts that it took, and its seconds."""
    seen: list[str] = []
    database = api.app.state.services.database
    database.observers.append(seen.append)
    started = time.process_time()
    try:
        answer = await api.ok(method, path, **more)
    finally:
        database.observers.remove(seen.append)
    return answer, [sql for sql in seen if " contacts" in sql or "custom_records" in sql], time.process_time() - started


async def test_five_hundred_fields(large: Api) -> None:
    full = await large.make("contacts", last_name="Full", custom_fields=values())
    assert full["custom_fields"] == values()
    empty = await large.make("contacts", last_name="Empty")
    assert empty["custom_fields"] == dict.fromkeys(values())
    items = [{"last_name": f"Nr {n}", "custom_fields": values()} for n in range(48)]
    batch = await large.ok("POST", "/v1/contacts/batch/create", json={"mode": "atomic", "items": items})
    assert all(result["status"] == 201 for result in batch["results"])
    questions: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", f"/v1/contacts/{full['id']}", {}),
        ("GET", "/v1/contacts", {"params": {"limit": 50}}),
        ("GET", "/v1/contacts", {"params": {"limit": 50, "sort": "custom_fields.f000_text"}}),
        ("GET", "/v1/contacts", {"params": {"custom_fields.f003_date": "2026-01-02", "limit": 5}}),
        ("GET", "/v1/contacts", {"params": {"q": "longer", "limit": 5}}),
        ("GET", "/v1/contacts", {"params": {"fields": ",".join(f"custom_fields.{name}" for name in list(values())[:60])}}),
        ("POST", "/v1/contacts/search", {"json": {"filter": ALL_OF_THE_LAST}}),
    ]  # fmt: skip
    for method, path, more in questions:
        answer, statements, first = await counted(large, method, path, **more)
        assert len(statements) == 1, statements
        assert first < 3, f"{path} {more}: {first} s of processor time the first time"
        again, statements, second = await counted(large, method, path, **more)
        assert (again.get("data"), len(statements)) == (answer.get("data"), 1)
        assert second < 0.7, f"{path} {more}: {second} s"
    page = await large.http.get("/v1/contacts", params={"limit": 50})
    assert len(page.json()["data"]) == 50
    assert len(page.content) < MAX_ANSWER
    changed = await large.change(full, custom_fields={"f001_integer": 8, "f499_picklist": None})
    assert (changed["version"], changed["custom_fields"]["f499_picklist"]) == (2, None)
    found = await large.ok("POST", "/v1/contacts/search", json={"filter": {"field": "custom_fields.f001_integer", "value": 8}})
    assert [row["id"] for row in found["data"]] == [full["id"]]
    problem = await large.fails(
        "PATCH", f"/v1/contacts/{full['id']}", 422, "validation_failed", json={"custom_fields": {"f001_integer": "x"}}
    )
    assert problem["errors"][0]["pointer"] == "/custom_fields/f001_integer"
    history = await large.ok("GET", f"/v1/contacts/{full['id']}/history")
    assert len(history["data"]) == 2


async def test_fifty_objects(large: Api) -> None:
    account = await large.make("accounts", name="Root")
    above = account
    for number in range(OBJECTS):
        made, statements, seconds = await counted(
            large,
            "POST",
            f"/v1/objects_{number}",
            json={"name": f"R {number}", "code": f"C{number}", "size": number, "above_id": above["id"]},
        )
        assert seconds < 3
        assert made["above_id"] == above["id"]
        above = made
    last, statements, seconds = await counted(large, "GET", f"/v1/objects_49/{above['id']}", params={"expand": "above.above"})
    assert last["above"]["above"]["name"] == "R 47"
    assert (len(statements), seconds < 3) == (1, True)
    page = await large.ok("GET", "/v1/objects_49", params={"above.above.name": "r 47", "sort": "-size"})
    assert [row["id"] for row in page["data"]] == [above["id"]]
    hits = await large.ok("GET", "/v1/search", params={"q": "R 49"})
    assert above["id"] in [hit["id"] for hit in hits["data"]]
    told = (await large.ok("GET", "/v1/events", params={"limit": 1000, "object": "objects_49"}))["data"]
    assert [event["type"] for event in told] == ["object_49.created"]
