"""Autonumbers: unique, rising, without gaps; and numbers for the records that were there before."""

from __future__ import annotations

import asyncio

import pytest

from tests.api import Api
from tests.meta.work import done, field, make_object

pytestmark = pytest.mark.anyio


async def test_a_hundred_parallel_creates(org: Api) -> None:
    api = org
    number = {"api_name": "number", "type": "autonumber", "prefix": "V-", "suffix": "/26", "padding": 5, "start": 1000}
    await make_object(api, "vessels", "vessel", fields=[number])

    async def make(n: int) -> None:
        if n % 10 == 9:  # what is refused takes no number
            await api.fails("POST", "/v1/vessels", 422, "validation_failed", json={"name": n})
        elif n % 10 == 8:
            await api.ok("POST", "/v1/vessels", json={"name": "tried"}, params={"dry_run": "true"})
        else:
            await api.make("vessels", name=f"Ship {n}")

    await asyncio.gather(*(make(n) for n in range(125)))
    ships = await api.all("/v1/vessels", sort="created_at")
    assert len(ships) == 101
    assert sorted(ship["number"] for ship in ships) == [f"V-{n:05d}/26" for n in range(1000, 1101)]
    problem = await api.fails("PATCH", f"/v1/vessels/{ships[0]['id']}", 422, "validation_failed", json={"number": "V-1"})
    assert problem["errors"][0]["code"] == "read_only"
    found = await api.ok("GET", "/v1/vessels/by/number/v-01005%2F26")
    assert found["number"] == "V-01005/26"


async def test_records_that_were_there_before(org: Api) -> None:
    api = org
    old = [await api.make("contacts", first_name=f"P{n}") for n in range(3)]
    gone = await api.make("contacts", first_name="Gone")
    await api.ok("DELETE", f"/v1/contacts/{gone['id']}")
    made = await field(api, "contacts", "customer_number", "autonumber", prefix="C", padding=3)
    assert (made["state"], made["unique"], made["gaps"]) == ("building", True, "none")
    new = await api.make("contacts", first_name="New")
    assert new["custom_fields"]["customer_number"] == "C001"
    job = await done(api, made["job_id"])
    assert (job["status"], job["result"]) == ("succeeded", {"records": 3})
    after = [await api.get(record) for record in old]
    assert [record["custom_fields"]["customer_number"] for record in after] == ["C002", "C003", "C004"]
    assert [record["version"] for record in after] == [2, 2, 2]
    path = "/v1/meta/contacts/fields/customer_number"
    shown = await api.ok("GET", path)
    assert (shown["state"], shown["job_id"]) == ("active", None)
    # another form holds for new numbers alone
    await api.ok("PATCH", path, json={"prefix": "K", "padding": 5})
    assert (await api.make("contacts", first_name="Newer"))["custom_fields"]["customer_number"] == "K00005"
    problem = await api.fails("PATCH", path, 422, "validation_failed", json={"start": 7})
    assert problem["errors"][0]["code"] == "immutable"
    await api.fails("PATCH", path, 422, "validation_failed", json={"unique": False})
