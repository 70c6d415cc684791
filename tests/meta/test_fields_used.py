"""What uses a field; that adding one locks nothing; and that its event comes before the records that use it."""

from __future__ import annotations

from time import monotonic

import pytest

from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work
from tests.api import Api
from tests.meta.work import field, options

pytestmark = pytest.mark.anyio


async def test_impact(org: Api) -> None:
    api = org
    tier = "/v1/meta/accounts/fields/tier"
    await field(api, "accounts", "tier", "picklist", options=options("gold", "tin"))
    await field(api, "accounts", "seats", "integer", indexed=True)
    await field(api, "contacts", "sponsor_id", "reference", target="accounts", inverse="sponsored")
    await api.make("accounts", name="Acme", custom_fields={"tier": "gold"})
    assert await api.ok("GET", f"{tier}/impact") == {"data": [], "records": 1}
    rule = {"field": "tier", "values": {"gold": ["a"]}}
    await field(api, "accounts", "perk", "picklist", options=options("a"), depends_on=rule)
    await field(api, "accounts", "seats2", "formula", formula="custom_fields.seats * 2", returns="decimal")
    tree = {"and": [{"field": "account.custom_fields.tier", "value": "gold"}, {"field": "first_name", "value": "tier"}]}
    segment = await api.make("segments", name="Gold people", kind="dynamic", applies_to="contacts", filter=tree)
    view = await api.make(
        "views",
        name="By sponsor",
        applies_to="contacts",
        columns=["first_name", "sponsor.custom_fields.tier"],
        sort=["-custom_fields.sponsor_id"],
        criteria=[{"field": "sponsor.custom_fields.tier", "value": "gold"}],
    )
    link = await api.make("custom_links", name="Wiki", applies_to="accounts", url_template="https://wiki.example/{custom_fields.tier}")
    sections = [{"key": "tier", "label": "Main", "rows": [[{"field": "name"}, {"field": "custom_fields.tier"}]]}]
    layout = await api.make("layouts", name="Detail", applies_to="accounts", sections=sections)
    used = (await api.ok("GET", f"{tier}/impact"))["data"]
    found = {(use["kind"], use["name"], use["at"]) for use in used}
    assert found == {
        ("fields", "accounts.perk", "/depends_on/field"),
        ("segments", "Gold people", "/filter/and/0/field"),
        ("views", "By sponsor", "/columns/1"),
        ("views", "By sponsor", "/criteria/0/field"),
        ("custom_links", "Wiki", "/url_template"),
        ("layouts", "Detail", "/sections/0/rows/0/1/field"),
    }
    assert {use["id"] for use in used} >= {segment["id"], view["id"], link["id"], layout["id"]}
    seats = (await api.ok("GET", "/v1/meta/accounts/fields/seats/impact"))["data"]
    assert {(use["kind"], use["at"]) for use in seats} == {("fields", "/formula")}
    sponsor = (await api.ok("GET", "/v1/meta/contacts/fields/sponsor_id/impact"))["data"]
    assert {(use["kind"], use["at"]) for use in sponsor} == {("views", "/columns/1"), ("views", "/sort/0"), ("views", "/criteria/0/field")}
    problem = await api.fails("DELETE", tier, 409, "conflict")
    assert len(problem["used_by"]) == 6
    await api.ok("DELETE", tier, params={"force": "true"})
    await api.ok("POST", f"{tier}/restore")


_WRITE = Statement("UPDATE contacts SET owner_id = owner_id WHERE org_id = $1", ("org_id",))
_LOCKS = Statement(
    "SELECT c.relname, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
    " WHERE c.relname IN ('contacts', 'custom_records', 'accounts')"
    " AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')",
    (),
)


async def test_adding_a_field_locks_no_data(org: Api) -> None:
    api = org
    await api.make("contacts", first_name="Ada")
    services = api.app.state.services
    async with unit_of_work(services.database, api.org_id, services.clock) as writing:
        await writing.fetch(_WRITE, {"org_id": api.org_id})
        started = monotonic()
        for number in range(3):
            await field(api, "contacts", f"n{number}", "integer", indexed=number == 0, unique=number == 1)
            await api.make("contacts", first_name="Bob", custom_fields={f"n{number}": 1})
        assert monotonic() - started < 5
        assert await writing.fetch(_LOCKS, {}) == []


async def test_the_schema_comes_first_in_the_journal(org: Api) -> None:
    api = org
    operations = [
        {"method": "POST", "path": "/v1/meta/contacts/fields", "body": {"api_name": "tier", "type": "text"}},
        {"method": "POST", "path": "/v1/contacts", "body": {"first_name": "Ada"}},
    ]
    await api.ok("POST", "/v1/composite", json={"operations": operations})
    await field(api, "contacts", "level", "text")
    await api.make("contacts", first_name="Bob", custom_fields={"level": "1", "tier": "2"})
    events = (await api.ok("GET", "/v1/events"))["data"]
    types = [event["type"] for event in events if event["type"] in ("schema.updated", "contact.created")]
    # numbered together: changes of the schema first
    assert types == ["schema.updated", "schema.updated", "contact.created", "contact.created"]
    assert events[0]["version"] < events[1]["version"]


_VERSIONS = Statement("SELECT version, schema FROM schema_versions WHERE org_id = $1 ORDER BY version", ("org_id",))


async def test_versions_of_the_schema_are_kept(org: Api) -> None:
    api = org
    await field(api, "contacts", "tier", "text", help="x")
    await api.ok("DELETE", "/v1/meta/contacts/fields/tier", params={"dry_run": "true"})
    await api.ok("PATCH", "/v1/meta/contacts/fields/tier", json={"label": "Level"})
    services = api.app.state.services
    async with unit_of_work(services.database, api.org_id, services.clock) as uow:
        rows = await uow.fetch(_VERSIONS, {"org_id": api.org_id})
    assert len(rows) == 2
    assert '"label": "Level"' in rows[1]["schema"]
    assert (await api.ok("GET", "/v1/me"))["schema_version"] == rows[1]["version"]
