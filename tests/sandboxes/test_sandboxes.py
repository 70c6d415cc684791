"""Sandboxes: nothing leads back, personal data is masked, and nothing is left behind."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest

from crm_api.embedded import DatabaseUrls
from crm_api.flows.organizations import create_user
from crm_api.flows.sandboxes.remap import ids_in
from crm_api.flows.sandboxes.tables import GLOBAL, NEVER, kind_of, tenant_tables
from crm_api.http.app import Application
from crm_api.models.identity import PERSONAL
from crm_api.models.oauth import OAUTH
from crm_api.models.tickets import TICKETS
from crm_api.settings import Settings, driver_url
from tests.api import Api, client
from tests.jobs.conftest import Workers, worker_process
from tests.jobs.support import finished, let_leases_run_out, make_contacts

pytestmark = pytest.mark.anyio
Record = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def worker(job_settings: Settings) -> Iterator[None]:
    with worker_process(job_settings):
        yield


async def make(api: Api, **body: Any) -> Record:
    job = await api.ok("POST", "/v1/sandboxes", json={"name": "Trial", **body}, status=202)
    done = await finished(api, job)
    assert done["status"] == "succeeded", done
    found: Record = await api.ok("GET", f"/v1/sandboxes/{done['request']['sandbox_id']}")
    assert found["status"] == "ready"
    return {**found, "rows": done["result"]["rows"]}


@asynccontextmanager
async def inside(api: Api, sandbox: Record) -> AsyncIterator[Api]:
    made = await api.ok("POST", f"/v1/sandboxes/{sandbox['id']}/tokens", json={}, status=201)
    async with client(api.app, made["token"]) as http:
        yield Api(http, api.app, UUID(sandbox["id"]), UUID(made["user_id"]), made["token"])


async def stored(urls: DatabaseUrls, org_id: str) -> dict[str, list[Record]]:
    """Every row of an organisation in every table, as its owner sees them."""
    connection = await asyncpg.connect(driver_url(urls.database_owner_url))
    found = {}
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL app.org_id = '{UUID(org_id)}'")
            for table in tenant_tables():
                rows = await connection.fetch(f"SELECT to_jsonb(t)::text AS row FROM {table.name} t WHERE org_id = $1", UUID(org_id))
                found[str(table.name)] = [orjson.loads(row["row"]) for row in rows]
            found["organizations"] = [
                orjson.loads(row["row"])
                for row in await connection.fetch("SELECT to_jsonb(t)::text AS row FROM organizations t WHERE id = $1", UUID(org_id))
            ]
    finally:
        await connection.close()
    return found


async def furnish(api: Api) -> Record:
    """Records of every kind that refer to each other."""
    colleague = await create_user(
        api.app.state.services.database, org_id=api.org_id, email=f"bob-{api.org_id.hex}@corp.example", name="Bob Builder"
    )
    parent = await api.make("accounts", name="Holding", domain="holding.example")
    account = await api.make(
        "accounts",
        name="Acme",
        parent_id=parent["id"],
        owner_id=str(colleague),
        phone="+49 30 1234567",
        billing_address={"street": "Torstraße 1", "city": "Berlin", "country": "DE"},
        annual_revenue="98765432109876.54",
        currency="EUR",
        external_ids={"hubspot": "51"},
        description=f"Belongs to {parent['id']}",
    )
    contact = await api.make(
        "contacts", first_name="Ada", last_name="King", email="ada@acme.example", account_id=account["id"], tags=["vip"]
    )
    lead = await api.make(
        "leads", first_name="Ada", last_name="King", email="Ada@acme.example", company="Acme", description="Call her mother"
    )
    deal = await api.make("deals", name="Big one", account_id=account["id"], amount="1000.50", currency="EUR")
    await api.ok("PUT", f"/v1/deals/{deal['id']}/links/contacts/{contact['id']}", json={"roles": ["champion"]})
    case = await api.make("cases", subject="Ada is angry", account_id=account["id"], contact_id=contact["id"])
    await api.make("case_comments", case_id=case["id"], body={"format": "text", "content": "Ada King, +49 30 1234567"})
    await api.make("notes", title="On Ada", body={"format": "markdown", "content": f"See [account](/v1/accounts/{account['id']})"})
    first = await api.make("tasks", subject="First")
    await api.make("tasks", subject="Second", depends_on_id=first["id"])
    await api.make(
        "views",
        name="Big",
        applies_to="deals",
        visibility="shared",
        columns=["name"],
        criteria=[{"field": "account_id", "value": account["id"]}],
    )
    return {"account": account, "contact": contact, "lead": lead, "deal": deal, "case": case}


async def test_a_full_copy_leads_nowhere_back(api: Api, urls: DatabaseUrls) -> None:
    made = await furnish(api)
    sandbox = await make(api, copy="full", mask=False)
    assert sandbox["outbound"] == "off"
    original, copy = await stored(urls, str(api.org_id)), await stored(urls, sandbox["id"])
    theirs = set().union(*(ids_in(orjson.dumps(rows).decode()) for name, rows in original.items() if name not in NEVER)) - {api.user_id}
    ours = set().union(*(ids_in(orjson.dumps(rows).decode()) for name, rows in copy.items() if name != "organizations"))
    assert not theirs & ours
    for name in (
        "accounts",
        "contacts",
        "leads",
        "deals",
        "cases",
        "case_comments",
        "notes",
        "tasks",
        "links",
        "members",
        "stages",
        "views",
        "external_ids",
    ):
        assert len(copy[name]) == len(original[name]) > 0, name
    async with inside(api, sandbox) as there:
        me = await there.ok("GET", "/v1/me")
        assert (me["org"]["environment"], me["org"]["outbound"], me["user"]["id"]) == ("sandbox", "off", str(api.user_id))
        [account] = (await there.ok("GET", "/v1/accounts", params={"name": "acme", "expand": "parent,contacts,deals,owner"}))["data"]
        assert account["id"] != made["account"]["id"]
        assert account["annual_revenue"] == "98765432109876.54"
        assert account["parent"]["name"] == "Holding"
        assert account["description"] == f"Belongs to {account['parent_id']}"
        assert account["owner"]["name"] == "Bob Builder"
        assert [found["email"] for found in account["contacts"]["data"]] == ["ada@acme.example"]
        assert [found["name"] for found in account["deals"]["data"]] == ["Big one"]
        assert (await there.ok("GET", "/v1/accounts/by/external_ids.hubspot/51"))["id"] == account["id"]
        [deal] = (await there.ok("GET", "/v1/deals", params={"expand": "contacts"}))["data"]
        assert deal["contacts"]["data"][0]["link"]["attributes"]["roles"] == ["champion"]
        [view] = await there.all("/v1/views")
        assert view["criteria"][0]["value"] == account["id"]
        assert [task["subject"] for task in await there.all("/v1/tasks", **{"depends_on.subject": "First"})] == ["Second"]
        assert [found["subject"] for found in await there.all("/v1/cases", q="angry")] == ["Ada is angry"]
        await there.fails("GET", f"/v1/accounts/{made['account']['id']}", 404, "not_found")
        # it lives on its own: numbers go on, its clock moves, and it makes no sandboxes
        case = await there.make("cases", subject="Another")
        assert case["number"] == made["case"]["number"] + 1
        await there.ok("POST", "/v1/clock/advance", json={"by": "P1M"})
        await there.fails("POST", "/v1/sandboxes", 403, "forbidden", json={"name": "Nested"})
        assert (await there.ok("GET", "/v1/users", params={"email": f"bob-{api.org_id.hex}@corp.example"}))["data"]
    assert len(await api.all("/v1/cases")) == 1


async def test_personal_data_is_masked_alike_everywhere(api: Api, urls: DatabaseUrls) -> None:
    await furnish(api)
    sandbox = await make(api, copy="full", mask={"accounts.name": "name", "contacts.tags": "keep"})
    text = orjson.dumps({name: rows for name, rows in (await stored(urls, sandbox["id"])).items() if name != "members"}).decode()
    for secret in ("ada", "king", r"acme\.example", "30 1234567", "301234567", "torstra(ß|ss)e", "mother", "angry", "bob"):
        assert re.search(rf"\b{secret}\b", text, re.IGNORECASE) is None, secret
    async with inside(api, sandbox) as there:
        [contact], [lead] = await there.all("/v1/contacts"), await there.all("/v1/leads")
        assert contact["email"] == lead["email"]
        assert contact["email"].endswith("@example.com")
        assert contact["emails"][0]["address"] == contact["email"]
        assert (contact["first_name"], contact["last_name"]) == (lead["first_name"], lead["last_name"])
        assert contact["display_name"] == f"{contact['first_name']} {contact['last_name']}"
        assert contact["tags"] == ["vip"]
        assert (await there.ok("GET", f"/v1/contacts/by/email/{contact['email']}"))["id"] == contact["id"]
        assert await there.all("/v1/contacts", q=contact["last_name"])
        assert not await there.all("/v1/contacts", q="king")
        account = next(found for found in await there.all("/v1/accounts") if found["parent_id"])
        assert account["billing_address"]["country"] == "DE"
        assert account["annual_revenue"] == "98765432109876.54"
        assert account["phone"].startswith("+1555")
        assert not [user for user in await there.all("/v1/users") if user["email"].startswith("bob-")]
        assert (await there.ok("GET", "/v1/me"))["user"]["name"] == "Ada Admin"


async def test_samples_are_closed_and_metadata_is_empty(api: Api) -> None:
    await furnish(api)
    await make_contacts(api, 30)
    sample = await make(api, copy="sample", sample_size=2, mask=False)
    async with inside(api, sample) as there:
        assert len(await there.all("/v1/contacts")) == 2
        assert all(contact["account_id"] is None for contact in await there.all("/v1/contacts"))
        [comment] = await there.all("/v1/case_comments")
        assert [case["id"] for case in await there.all("/v1/cases")] == [comment["case_id"]]
        assert await there.all("/v1/links", relation="deals.contacts") == []
    bare = await make(api, copy="metadata")
    async with inside(api, bare) as there:
        for name in ("accounts", "contacts", "deals", "cases", "tasks"):
            assert await there.all(f"/v1/{name}") == [], name
        assert (await there.http.get("/v1/config/export")).json()["stages"] == (await api.http.get("/v1/config/export")).json()["stages"]
        await there.make("deals", name="New")


async def test_configuration_comes_back_from_it(api: Api) -> None:
    await furnish(api)
    sandbox = await make(api, copy="full")
    path = f"/v1/sandboxes/{sandbox['id']}"
    assert (await api.ok("GET", f"{path}/diff"))["changes"] == []
    async with inside(api, sandbox) as there:
        [stage] = [row for row in await there.all("/v1/stages") if row["name"] == "Proposal"]
        await there.change(stage, probability=0.55)
        await there.make("contact_roles", key="legal", label="Legal counsel")
        view = await there.make("views", name="Mine to share", applies_to="contacts", visibility="shared", columns=["email"])
        await there.make("widgets", name="Wall", type="list", source_view_id=view["id"], applies_to="contacts")
    changes = (await api.ok("GET", f"{path}/diff"))["changes"]
    assert [change["path"] for change in changes] == [
        "/contact_roles/legal", "/stages/deals%2FSales~1Proposal/probability", "/views/contacts~1Mine to share", "/widgets/home~1Wall",
    ]  # fmt: skip
    done = await api.ok("POST", f"{path}/promote", json={})
    assert (done["applied"], [change["path"] for change in done["changes"]]) == (True, [change["path"] for change in changes])
    assert (await api.ok("GET", f"{path}/diff"))["changes"] == []
    [snapshot] = (await api.ok("GET", "/v1/config/snapshots"))["data"]
    assert snapshot["reason"] == "promote"
    back = await api.ok("POST", "/v1/config/rollback", json={"to": snapshot["id"]})
    assert len(back["changes"]) == 4


async def test_refresh_and_delete_leave_nothing_old(api: Api, urls: DatabaseUrls) -> None:
    await furnish(api)
    sandbox = await make(api, copy="full")
    path = f"/v1/sandboxes/{sandbox['id']}"
    async with inside(api, sandbox) as there:
        [before] = await there.all("/v1/contacts")
        await there.make("contacts", last_name="Only here")
        await there.make("roles", name="Only here")
        await there.ok("GET", "/v1/events")
        await api.make("contacts", last_name="New there")
        job = await api.ok("POST", f"{path}/refresh", status=202)
        await api.fails("DELETE", path, 409, "conflict")
        assert (await finished(api, job))["status"] == "succeeded"
        contacts = await there.all("/v1/contacts")
        assert len(contacts) == 2
        assert before in contacts
        assert (await there.ok("GET", "/v1/events"))["data"] == []
        assert "role.created" in [entry["action"] for entry in await there.all("/v1/audit")]
        assert (await there.ok("GET", "/v1/audit/verify"))["ok"]
        deleting = await api.ok("DELETE", path, status=202)
        await there.fails("GET", "/v1/me", 401, "token_revoked")
        assert (await finished(api, deleting))["status"] == "succeeded"
        await there.fails("GET", "/v1/me", 401, "token_invalid")
    await api.fails("GET", path, 404, "not_found")
    assert {name: len(rows) for name, rows in (await stored(urls, sandbox["id"])).items() if rows} == {}
    assert len(await api.all("/v1/contacts")) == 2


async def test_there_are_limits(api: Api, other_api: Api) -> None:
    for number in range(5):
        await api.ok("POST", "/v1/sandboxes", json={"name": f"No {number}"}, status=202)
    problem = await api.fails("POST", "/v1/sandboxes", 403, "limit_exceeded", json={"name": "One too many"})
    assert (problem["limit"], problem["max"]) == ("sandboxes", 5)
    listed = (await api.ok("GET", "/v1/sandboxes"))["data"]
    assert [sandbox["name"] for sandbox in listed] == [f"No {number}" for number in range(5)]
    reader = await api.with_scopes("*:read")
    await reader.fails("POST", "/v1/sandboxes", 403, "insufficient_scope", json={"name": "No"})
    await reader.http.aclose()
    for path in ("", "/diff"):
        await other_api.fails("GET", f"/v1/sandboxes/{listed[0]['id']}{path}", 404, "not_found")
    await other_api.fails("DELETE", f"/v1/sandboxes/{listed[0]['id']}", 404, "not_found")
    wrong = {"name": "X", "mask": {"contacts.nothing": "email", "contacts.email": "twist", "nowhere.x": "keep"}}
    problem = await other_api.fails("POST", "/v1/sandboxes", 422, "validation_failed", json=wrong)
    assert [error["code"] for error in problem["errors"]] == ["unknown_field", "enum", "unknown_field"]
    await other_api.fails("POST", "/v1/sandboxes", 422, "validation_failed", json={"name": "X", "sample_size": 5})


async def test_events_of_production_stay_for_ever(api: Api, urls: DatabaseUrls) -> None:
    await api.make("tasks", subject="Keep")
    connection = await asyncpg.connect(driver_url(urls.database_url))
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL app.org_id = '{api.org_id}'")
            assert await connection.execute("DELETE FROM events WHERE org_id = $1", api.org_id) == "DELETE 0"
    finally:
        await connection.close()


async def test_every_table_is_thought_of(app: Application) -> None:
    registry = app.state.services.engine.registry
    assert [table.name for table in tenant_tables() if kind_of(registry, table) is None] == []
    assert {"organizations", "users", "credentials", "encryption_keys", "oauth_clients", *PERSONAL, *OAUTH, *TICKETS} == GLOBAL


@pytest.mark.chaos
async def test_a_killed_worker_spoils_no_copy(api: Api, start_worker: Workers) -> None:
    await furnish(api)
    await make_contacts(api, 3_000)
    with start_worker() as process:
        job = await api.ok("POST", "/v1/sandboxes", json={"name": "Trial", "copy": "full"}, status=202)
        for _ in range(400):
            if (await api.ok("GET", f"/v1/jobs/{job['id']}"))["progress"]["done"] > 500:
                break
            await asyncio.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    await let_leases_run_out(api)
    done = await finished(api, job, 90)
    assert done["status"] == "succeeded"
    sandbox = await api.ok("GET", f"/v1/sandboxes/{done['request']['sandbox_id']}")
    async with inside(api, sandbox) as there:
        assert len(await there.all("/v1/contacts")) == 3_001
