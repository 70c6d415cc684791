"""Jobs that follow changes of fields: in pieces, after a pause, and beside people who write meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from time import monotonic

import pytest

from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work
from crm_api.flows.metadata import work
from tests.api import Api
from tests.meta.work import done, field, options

pytestmark = pytest.mark.anyio

_SLOTS = Statement(
    "SELECT count(*) FROM contacts WHERE org_id = $1"
    " AND (slot_text_1 IS NOT NULL OR slot_number_1 IS NOT NULL OR slot_unique_1 IS NOT NULL)",
    ("org_id",),
)


async def slots_in_use(api: Api) -> int:
    services = api.app.state.services
    async with unit_of_work(services.database, api.org_id, services.clock) as uow:
        return int(await uow.fetch_value(_SLOTS, {"org_id": api.org_id}))


async def test_in_pieces(org: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api = org
    monkeypatch.setattr(work, "CHUNK", 2)
    await field(api, "contacts", "code", "text")
    await field(api, "contacts", "tier", "picklist", options=options("a", "b"))
    made = [await api.make("contacts", first_name=f"P{n}", custom_fields={"code": f"c{n}", "tier": "a"}) for n in range(5)]
    path = "/v1/meta/contacts/fields/code"
    begun = await api.ok("PATCH", path, json={"indexed": True, "unique": True})
    assert (await done(api, begun["job_id"]))["result"] == {"records": 5}
    assert await slots_in_use(api) == 5
    assert [row["first_name"] for row in await api.all("/v1/contacts", sort="-custom_fields.code")] == ["P4", "P3", "P2", "P1", "P0"]
    job = await api.ok("POST", "/v1/meta/contacts/fields/tier/options/replace", json={"from": "a", "to": "b"}, status=202)
    assert (await done(api, job["id"]))["result"] == {"records": 5}
    number = await field(api, "contacts", "number", "autonumber")
    assert (await done(api, number["job_id"]))["result"] == {"records": 5}
    assert [(await api.get(record))["custom_fields"]["number"] for record in made] == ["1", "2", "3", "4", "5"]
    formula = await field(api, "contacts", "shout", "formula", formula="upper(custom_fields.code)", returns="text")
    assert (await api.get(made[0]))["custom_fields"]["shout"] == "C0"
    assert (await done(api, formula["job_id"]))["status"] == "succeeded"
    assert (await api.get(made[0]))["custom_fields"]["shout"] == "C0"
    assert (await api.ok("GET", "/v1/meta/contacts/fields/shout"))["state"] == "active"
    again = await api.ok("PATCH", "/v1/meta/contacts/fields/shout", json={"formula": "lower(custom_fields.code)"})
    assert again["state"] == "building"
    assert (await api.get(made[0]))["custom_fields"]["shout"] == "c0"
    assert (await done(api, again["job_id"]))["status"] == "succeeded"
    assert (await api.get(made[0]))["custom_fields"]["shout"] == "c0"
    job = await api.ok("DELETE", path, params={"purge": "true", "force": "true"}, status=202)
    assert (await done(api, job["id"]))["result"] == {"records": 5}
    job = await api.ok("DELETE", "/v1/meta/contacts/fields/number", params={"purge": "true"}, status=202)
    await done(api, job["id"])
    assert await slots_in_use(api) == 0
    assert "code" not in (await api.get(made[0]))["custom_fields"]


async def test_after_a_pause_beside_writers(org: Api) -> None:
    api = org
    services = api.app.state.services
    await field(api, "contacts", "code", "text")
    made = [await api.make("contacts", first_name=f"P{n}", custom_fields={"code": f"c{n}"}) for n in range(4)]
    api.app.state.services = replace(services, settings=services.settings.model_copy(update={"schema_grace_seconds": 1.5}))
    try:
        started = monotonic()
        begun = await api.ok("PATCH", "/v1/meta/contacts/fields/code", json={"indexed": True})
        assert begun["state"] == "building"

        async def write(n: int) -> None:
            await asyncio.sleep(n / 10)
            await api.make("contacts", first_name=f"Q{n}", custom_fields={"code": f"d{n}"})
            await api.change(made[n % 4], custom_fields={"code": f"e{n}"})

        job, *_ = await asyncio.gather(done(api, begun["job_id"]), *(write(n) for n in range(20)))
        assert (job["status"], monotonic() - started > 1.5) == ("succeeded", True)
        assert await slots_in_use(api) == 24
        assert len(await api.all("/v1/contacts", **{"custom_fields.code[gte]": "a", "sort": "custom_fields.code"})) == 24
        started = monotonic()
        ended = await api.ok("PATCH", "/v1/meta/contacts/fields/code", json={"indexed": False})
        assert (await done(api, ended["job_id"]))["status"] == "succeeded"
        assert monotonic() - started > 3  # readers first, writers then
        assert await slots_in_use(api) == 0
    finally:
        api.app.state.services = services


async def test_values_that_become_the_same_meanwhile(org: Api) -> None:
    api = org
    await field(api, "contacts", "code", "text")
    one = await api.make("contacts", first_name="A", custom_fields={"code": "1"})
    two = await api.make("contacts", first_name="B", custom_fields={"code": "2"})
    path = "/v1/meta/contacts/fields/code"
    begun = await api.ok("PATCH", path, json={"unique": True})
    # one has its slot by this write, the other none yet: nobody can see that they clash
    await api.change(one, custom_fields={"code": "2"})
    job = await done(api, begun["job_id"])
    assert (job["status"], job["result"]["errors"][0]["code"]) == ("failed", "not_unique")
    shown = await api.ok("GET", path)
    assert (shown["unique"], shown["state"], shown["job_id"]) == (False, "active", None)
    assert await slots_in_use(api) == 0
    await api.change(two, custom_fields={"code": "3"})
    begun = await api.ok("PATCH", path, json={"unique": True})
    assert (await done(api, begun["job_id"]))["status"] == "succeeded"
    await api.fails("PATCH", f"/v1/contacts/{two['id']}", 409, "duplicate", json={"custom_fields": {"code": "2"}})
