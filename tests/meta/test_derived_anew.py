"""Other rules for names to show, and for what `q` finds, reach the records that are there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crm_api.db.uow import unit_of_work
from crm_api.flows.metadata import work
from crm_api.flows.organizations import organization_info
from crm_api.jobs import claims, schema
from crm_api.jobs.tasks import TASKS, Run
from tests.api import Api, Record
from tests.meta.work import done, field, make_object

pytestmark = pytest.mark.anyio


async def derived(api: Api) -> list[Record]:
    """Ends the jobs of this kind, the newest first."""
    jobs: list[Record] = (await api.ok("GET", "/v1/jobs", params={"type": "schema"}))["data"]
    for job in jobs:
        assert (await done(api, job["id"]))["status"] == "succeeded"
    return jobs


async def found(api: Api, path: str, q: str) -> list[str]:
    return sorted(row["id"] for row in await api.all(path, q=q))


async def test_another_display_field(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "CHUNK", 2)
    await make_object(api, "vessels", "vessel", fields=[{"api_name": "imo", "type": "text"}])
    made = [await api.make("vessels", name=f"Vessel {n}", imo=f"IMO {n}") for n in range(5)]
    await api.ok("DELETE", f"/v1/vessels/{made[4]['id']}")
    await api.ok("PATCH", "/v1/meta/objects/vessels", json={"display_field": "imo"})
    new = await api.make("vessels", name="New", imo="IMO new")
    assert new["display_name"] == "IMO new"
    assert len(await derived(api)) == 1
    after = [await api.get(record) for record in made[:4]]
    assert [record["display_name"] for record in after] == [f"IMO {n}" for n in range(4)]
    assert [record["version"] for record in after] == [1] * 4
    assert [row["display_name"] for row in await api.all("/v1/vessels", sort="display_name")][-1] == "IMO new"
    restored = await api.ok("POST", f"/v1/vessels/{made[4]['id']}/restore")
    assert restored["display_name"] == "IMO 4"
    await api.ok("PATCH", "/v1/meta/objects/vessels", json={"label": "Ship"})
    await api.ok("PATCH", "/v1/meta/objects/vessels", json={"display_field": None})
    assert len(await derived(api)) == 2
    assert (await api.get(made[0]))["display_name"] == "Vessel 0"


async def test_what_is_searched(api: Api) -> None:
    await field(api, "contacts", "motto", "text")
    contact = await api.make("contacts", last_name="King", custom_fields={"motto": "Perseverantia"})
    path = "/v1/meta/contacts/fields/motto"
    assert await found(api, "/v1/contacts", "perseverantia") == [contact["id"]]
    for change, finds in (({"searchable": False}, []), ({"searchable": True}, [contact["id"]])):
        await api.ok("PATCH", path, json=change)
        await derived(api)
        assert await found(api, "/v1/contacts", "perseverantia") == finds
    await api.ok("DELETE", path)
    await derived(api)
    assert await found(api, "/v1/contacts", "perseverantia") == []
    assert await found(api, "/v1/contacts", "king") == [contact["id"]]
    await api.ok("POST", f"{path}/restore")
    await derived(api)
    assert await found(api, "/v1/contacts", "perseverantia") == [contact["id"]]
    assert (await api.get(contact))["version"] == 1


async def test_a_job_that_dies_goes_on_where_it_was(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "CHUNK", 2)
    await make_object(api, "vessels", "vessel", fields=[{"api_name": "imo", "type": "text"}])
    made = [await api.make("vessels", name=f"Vessel {n}", imo=f"IMO {n}") for n in range(5)]
    await api.ok("PATCH", "/v1/meta/objects/vessels", json={"display_field": "imo"})
    services = api.app.state.services
    calls: list[Any] = []
    step = work.step

    async def dying(one: work.Work) -> work.Step:
        calls.append(one.state.get("after"))
        if len(calls) == 2:
            raise RuntimeError("the process is gone")
        return await step(one)

    monkeypatch.setattr(schema, "step", dying)
    async with unit_of_work(services.database, api.org_id, services.clock) as uow:
        await organization_info(uow)
        job = await claims.claim(uow)
    assert job is not None
    with pytest.raises(RuntimeError):
        await TASKS[job.type](Run(job, services.database, services.clock, services.engine, Path(".crm")))
    names = [(await api.get(record))["display_name"] for record in made]
    assert names == ["IMO 0", "IMO 1", "Vessel 2", "Vessel 3", "Vessel 4"]
    await TASKS[job.type](Run(job, services.database, services.clock, services.engine, Path(".crm")))
    assert [(await api.get(record))["display_name"] for record in made] == [f"IMO {n}" for n in range(5)]
    assert calls == [None, made[1]["id"], made[1]["id"], made[3]["id"]]
