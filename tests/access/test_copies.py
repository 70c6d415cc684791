"""What a sandbox takes along of who may do what."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from crm_api.http.app import Application
from tests.access.people import colleague, share_out
from tests.api import Api, client, new_organization
from tests.jobs.conftest import app, job_settings, worker
from tests.jobs.support import finished

__all__ = ["app", "job_settings", "worker"]
pytestmark = pytest.mark.anyio


@pytest.fixture
async def api(app: Application) -> AsyncIterator[Api]:
    async with new_organization(app) as made:
        yield made


async def test_a_copy_has_groups_rules_and_shares_of_its_own(api: Api, worker: subprocess.Popen[bytes]) -> None:
    await share_out(api, contacts="private")
    grace = await colleague(api)
    team = await api.make("teams", name="Key accounts")
    await api.ok("PUT", f"/v1/teams/{team['id']}/links/users/{grace.user_id}", json={})
    contact = await api.make("contacts", last_name="King")
    await api.ok("POST", f"/v1/contacts/{contact['id']}/shares", json={"team_id": team["id"], "access": "write"}, status=201)
    other = await api.make("contacts", last_name="Hopper")
    await api.ok("PUT", f"/v1/contacts/{other['id']}/co_owners/{grace.user_id}", status=201)

    job = await finished(api, await api.ok("POST", "/v1/sandboxes", json={"name": "Trial", "copy": "full"}, status=202))
    assert job["status"] == "succeeded", job
    sandbox = job["request"]["sandbox_id"]
    made = await api.ok("POST", f"/v1/sandboxes/{sandbox}/tokens", json={}, status=201)
    async with client(api.app, made["token"]) as http:
        inside = Api(http, api.app, UUID(sandbox), UUID(made["user_id"]), made["token"])
        for record in await inside.all("/v1/contacts"):
            [share] = (await inside.ok("GET", f"/v1/contacts/{record['id']}/shares"))["data"]
            assert share["record"]["id"] == record["id"]
            assert share["id"] not in (contact["id"], other["id"])
            levels = [row["decided_by"]["kind"] for row in await inside.all(f"/v1/contacts/{record['id']}/access/users")]
            assert sorted(levels) in (["share", "super_admin"], ["co_owner", "super_admin"])
            assert share["grantee"]["id"] not in (team["id"], str(grace.user_id))
