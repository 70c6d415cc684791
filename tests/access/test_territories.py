"""Territories: what a run would change, what it changes, who sees what it has put where."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from typing import Any

import pytest

from crm_api.flows import territories
from crm_api.flows.organizations import system_context
from crm_api.flows.territories import Place
from crm_api.http.app import Application
from tests.access.people import colleague, share_out
from tests.api import Api, Record, new_organization
from tests.jobs.conftest import app, job_settings, worker
from tests.jobs.support import finished

__all__ = ["app", "job_settings", "worker"]
pytestmark = pytest.mark.anyio


@pytest.fixture
async def api(app: Application) -> AsyncIterator[Api]:
    async with new_organization(app) as made:
        yield made


def country(code: str) -> dict[str, Any]:
    return {"field": "address.country", "value": code}


async def run(api: Api, **body: Any) -> dict[str, Any]:
    job = await api.ok("POST", "/v1/territories/run", json=body, status=202)
    found = await finished(api, job)
    assert (found["type"], found["status"]) == ("run_territories", "succeeded"), found
    result: dict[str, Any] = found["result"]
    return result


async def preview(api: Api, **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = await api.ok("POST", "/v1/territories/run", json=body, params={"dry_run": "true"}, status=200)
    return found


async def seen(who: Api) -> list[str]:
    return sorted(record["last_name"] for record in await who.all("/v1/contacts"))


async def assign(api: Api, territory: Record, who: Api) -> None:
    await api.ok("PUT", f"/v1/territories/{territory['id']}/links/users/{who.user_id}", json={})


async def test_a_run_puts_records_where_they_belong(api: Api, worker: subprocess.Popen[bytes]) -> None:
    await share_out(api, contacts="private")
    europe = await api.make(
        "territories", name="Europe", rules={"contacts": {"field": "address.country", "op": "in", "value": ["DE", "FR"]}}
    )
    germany = await api.make("territories", name="Germany", parent_id=europe["id"], rules={"contacts": country("DE")}, access="write")
    boss, grace = await colleague(api), await colleague(api)
    await assign(api, europe, boss)
    await assign(api, germany, grace)
    ada = await api.make("contacts", last_name="Ada", address={"country": "DE"})
    await api.make("contacts", last_name="Blaise", address={"country": "FR"})
    await api.make("contacts", last_name="Grace", address={"country": "US"})
    before = (await api.ok("GET", "/v1/me"))["access_version"]

    told = await preview(api, objects=["contacts"])
    assert (told["added"], told["changed"], told["removed"]) == (3, 0, 0)
    assert {(c["record_id"], c["territory_id"]) for c in told["changes"]} >= {(ada["id"], europe["id"]), (ada["id"], germany["id"])}
    assert await seen(boss) == []

    assert await run(api, objects=["contacts"]) == {"added": 3, "changed": 0, "removed": 0}
    assert await seen(boss) == ["Ada", "Blaise"]
    assert await seen(grace) == ["Ada"]
    await grace.change(ada, title="Countess")
    assert (await boss.ok("GET", f"/v1/contacts/{ada['id']}/access"))["actions"]["update"]["decided_by"]["kind"] == "territory"
    assert (await api.ok("GET", "/v1/me"))["access_version"] == before + 1
    [own] = [s for s in (await api.ok("GET", f"/v1/contacts/{ada['id']}/shares"))["data"] if s["grantee"]["id"] == germany["id"]]
    assert (own["source"], own["access"]) == ("territory", "write")
    await api.fails("DELETE", f"/v1/contacts/{ada['id']}/shares/{own['id']}", 404, "not_found")

    assert await run(api) == {"added": 0, "changed": 0, "removed": 0}
    assert (await api.ok("GET", "/v1/me"))["access_version"] == before + 1

    await api.change(ada, address={"country": "US"})
    await api.change(europe, access="write")
    assert await seen(grace) == ["Ada"]  # until the next run
    told = await preview(api)
    assert (told["added"], told["changed"], told["removed"]) == (0, 1, 2)
    assert await run(api) == {"added": 0, "changed": 1, "removed": 2}
    assert await seen(grace) == []
    assert await seen(boss) == ["Blaise"]

    await api.change(europe, rules={"contacts": None})
    assert (await run(api))["removed"] == 1
    assert await seen(boss) == []


async def test_a_deleted_territory_opens_nothing(api: Api, worker: subprocess.Popen[bytes]) -> None:
    await share_out(api, contacts="private")
    germany = await api.make("territories", name="Germany", rules={"contacts": country("DE")})
    grace = await colleague(api)
    await assign(api, germany, grace)
    await api.make("contacts", last_name="Ada", address={"country": "DE"})
    await run(api)
    assert await seen(grace) == ["Ada"]
    await api.ok("DELETE", f"/v1/territories/{germany['id']}")
    assert await seen(grace) == []
    await api.ok("POST", f"/v1/territories/{germany['id']}/restore")
    assert await seen(grace) == ["Ada"]


async def test_a_step_that_is_repeated_does_nothing_twice(api: Api) -> None:
    """A worker that dies after any step leaves a place from which the next goes on."""
    await api.make("territories", name="Germany", rules={"contacts": country("DE")})
    items = [{"last_name": f"Ada {n}", "address": {"country": "DE"}} for n in range(30)]
    await api.ok("POST", "/v1/contacts/batch/create", json={"items": items}, status=207)
    place, added, steps = Place(), 0, 0
    while True:
        for attempt in range(2):  # the first is as if it had been cut off before its commit
            async with system_context(api.app.state.services.database, api.org_id, user_id=api.user_id) as context:
                done = await territories.step(context, ["contacts"], place)
                context.uow.dry_run = attempt == 0
        added += done.added
        steps += 1
        if done.next is None:
            break
        place = Place.of(done.next.json())
    assert (added, steps > 3) == (30, True)
    assert (await preview(api))["added"] == 0


async def test_only_administrators_run_them(api: Api) -> None:
    grace = await colleague(api)
    await grace.fails("POST", "/v1/territories/run", 403, "forbidden", json={})
    problem = await api.fails("POST", "/v1/territories/run", 422, "validation_failed", json={"objects": ["contacts", "roles"]})
    assert problem["errors"][0]["pointer"] == "/objects/1"


async def test_own_objects(api: Api, worker: subprocess.Popen[bytes]) -> None:
    await api.ok("POST", "/v1/meta/objects", json={"api_name": "vessels", "singular": "vessel", "label": "Vessel"}, status=201)
    field = {"api_name": "flag", "label": "Flag", "type": "text"}
    await api.ok("POST", "/v1/meta/vessels/fields", json=field, status=201)
    await share_out(api, vessels="private")
    place = await api.make("territories", name="Germany", rules={"vessels": {"field": "flag", "value": "DE"}})
    grace = await colleague(api)
    await assign(api, place, grace)
    await api.make("vessels", name="Ada", flag="DE")
    await api.make("vessels", name="Grace", flag="US")
    assert (await run(api))["added"] == 1
    assert [vessel["name"] for vessel in await grace.all("/v1/vessels")] == ["Ada"]
