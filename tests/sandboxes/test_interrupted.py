"""A full copy whose worker is killed goes on where it stopped, and holds what the organisation holds in the end."""

from __future__ import annotations

import asyncio
import signal
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from crm_api.embedded import DatabaseUrls
from crm_api.settings import driver_url
from tests.api import Api
from tests.jobs.conftest import Workers
from tests.jobs.support import finished, let_leases_run_out, make_contacts
from tests.sandboxes.test_sandboxes import inside

pytestmark = pytest.mark.anyio
Record = dict[str, Any]


async def written(urls: DatabaseUrls, sandbox_id: str) -> dict[str, str]:
    """The contacts in a sandbox, and in which transaction each was written."""
    connection = await asyncpg.connect(driver_url(urls.database_owner_url))
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL app.org_id = '{UUID(sandbox_id)}'")
            rows = await connection.fetch("SELECT id, xmin::text AS written FROM contacts WHERE org_id = $1", UUID(sandbox_id))
    finally:
        await connection.close()
    return {str(row["id"]): row["written"] for row in rows}


async def interrupted(api: Api, start_worker: Workers) -> Record:
    """The job of a copy whose worker was killed amid the contacts."""
    with start_worker() as process:
        job: Record = await api.ok("POST", "/v1/sandboxes", json={"name": "Trial", "copy": "full", "mask": False}, status=202)
        for _ in range(2_000):
            job = await api.ok("GET", f"/v1/jobs/{job['id']}")
            if job["progress"]["done"] > 1_000:
                break
            await asyncio.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
    await let_leases_run_out(api)
    job = await api.ok("GET", f"/v1/jobs/{job['id']}")
    assert job["status"] == "running"
    return job


async def same(api: Api, there: Api) -> None:
    """The organisation and its copy hold the same records, links and places."""

    async def seen(one: Api) -> dict[str, list[Any]]:
        contacts = await one.all("/v1/contacts", sort="last_name,first_name", expand="account,accounts", limit=200)
        leads = await one.all("/v1/leads", sort="last_name")
        accounts = await one.all("/v1/accounts", sort="name", expand="parent")
        return {
            "contacts": [
                (
                    *(row[name] for name in ("first_name", "last_name", "email", "version", "external_ids")),
                    (row["account"] or {}).get("name"),
                    *sorted(found["name"] for found in row["accounts"]["data"]),
                )
                for row in sorted(contacts, key=lambda row: (row["last_name"] or "", row["first_name"] or ""))
            ],
            "leads": [(row["last_name"], row["version"]) for row in leads],
            "accounts": [(row["name"], row["version"], (row["parent"] or {}).get("name")) for row in accounts],
        }

    assert await seen(there) == await seen(api)


@pytest.mark.chaos
async def test_it_goes_on_where_it_stopped(api: Api, start_worker: Workers, urls: DatabaseUrls) -> None:
    holding, acme, gone = [await api.make("accounts", name=name) for name in ("Holding", "Acme", "Gone")]
    one, two = [await api.make("contacts", last_name=f"A{n}", email=f"a{n}@corp.example", external_ids={"x": str(n)}) for n in (1, 2)]
    bare = await api.make("contacts", last_name="A3", account_id=gone["id"])
    doomed = await api.make("contacts", last_name="A4")
    await api.ok("PUT", f"/v1/contacts/{one['id']}/links/accounts/{acme['id']}", json={})
    await make_contacts(api, 3_000)
    job = await interrupted(api, start_worker)
    sandbox_id = job["request"]["sandbox_id"]
    before = await written(urls, sandbox_id)
    assert 500 <= len(before) < 3_004, job
    # meanwhile everything changes that was copied already, and what it refers to
    await api.change(acme, parent_id=holding["id"])
    await api.change(one, email=None, external_ids={"x": None})
    await api.change(two, email="a1@corp.example", external_ids={"x": "1"})
    await api.change(one, email="a2@corp.example", account_id=holding["id"])
    await api.ok("DELETE", f"/v1/contacts/{doomed['id']}", params={"purge": "true"})
    await api.ok("DELETE", f"/v1/accounts/{gone['id']}", params={"purge": "true", "on_children": "detach"})
    await api.ok("DELETE", f"/v1/contacts/{one['id']}/links/accounts/{acme['id']}")
    new = await api.make("accounts", name="New", parent_id=acme["id"])
    await api.change(bare, account_id=new["id"])
    await api.make("leads", last_name="Late")
    with start_worker():
        done = await finished(api, job, 120)
    assert done["status"] == "succeeded", done
    assert done["progress"]["done"] >= job["progress"]["done"]
    after = await written(urls, sandbox_id)
    kept = [id_ for id_, transaction in before.items() if after.get(id_) == transaction]
    assert len(kept) >= len(before) - 505  # all but what changed, and the chunk whose end wasn't noted
    assert len(after) == 3_003
    async with inside(api, {"id": sandbox_id}) as there:
        await same(api, there)
        [found] = await there.all("/v1/contacts", **{"external_ids.x": "1"})
        assert found["last_name"] == "A2"


@pytest.mark.chaos
async def test_another_schema_begins_it_anew(api: Api, start_worker: Workers, urls: DatabaseUrls) -> None:
    await make_contacts(api, 2_500)
    job = await interrupted(api, start_worker)
    sandbox_id = job["request"]["sandbox_id"]
    before = await written(urls, sandbox_id)
    await api.ok("POST", "/v1/meta/contacts/fields", json={"api_name": "tier", "type": "text", "label": "Tier"}, status=201)
    late = await api.make("contacts", last_name="Late", custom_fields={"tier": "gold"})
    with start_worker():
        done = await finished(api, job, 120)
    assert done["status"] == "succeeded", done
    after = await written(urls, sandbox_id)
    assert len(after) == 2_501
    assert not set(before.items()) & set(after.items())
    async with inside(api, {"id": sandbox_id}) as there:
        [found] = await there.all("/v1/contacts", **{"custom_fields.tier": "gold"})
        assert found["last_name"] == late["last_name"]
