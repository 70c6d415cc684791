"""Random setups: what the API shows and allows is what the plain evaluator says, for everybody, by whichever way one asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from anyio import from_thread, to_thread
from hypothesis import HealthCheck, given, settings

from crm_api.http.app import Application
from tests.access.reference import FULL, READ, WRITE, Setup
from tests.access.setups import RECORDS, SETUPS, World, make_world
from tests.api import Api, new_organization

pytestmark = pytest.mark.anyio
EASY = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
LEVELS = {0: None, READ: "read", WRITE: "write", FULL: "full"}


@pytest.fixture(scope="module")
async def world(app: Application) -> AsyncIterator[World]:
    async with new_organization(app) as api:
        yield await make_world(api)


async def test_everything_agrees(world: World) -> None:
    async def look(setup: Setup) -> None:
        await world.become(setup)
        for number, user in enumerate(world.users):
            await check_user(world, setup, number, user)
        await check_everybody(world, setup)

    @given(setup=SETUPS)
    @EASY
    def check(setup: Setup) -> None:
        from_thread.run(look, setup)

    await to_thread.run_sync(check)


async def check_user(world: World, setup: Setup, number: int, user: Api) -> None:
    if not setup.may(number, "read"):
        await user.fails("GET", "/v1/contacts", 404, "not_found")
        await user.fails("GET", f"/v1/contacts/{world.records[0]}", 404, "not_found")
        await user.fails("GET", f"/v1/contacts/{world.records[0]}/access", 404, "not_found")
        return
    expected = {world.records[n] for n in setup.seen(number)}
    about = {"fields": "id", "include": "abilities", "count": "exact", "limit": 200}
    listed = await user.ok("GET", "/v1/contacts", params=about)
    assert {record["id"] for record in listed["data"]} == expected
    assert listed["page"]["count"] == len(expected)
    for record in listed["data"]:
        place = world.records.index(record["id"])
        found = {action: record["abilities"][action] for action in ("update", "delete", "transfer", "share")}
        assert found == {action: setup.allowed(number, place, action) for action in found}
    searched = await user.ok("POST", "/v1/contacts/search", json={"q": "king", "fields": ["id"]})
    assert {record["id"] for record in searched["data"]} == expected
    total = await user.ok("POST", "/v1/contacts/aggregate", json={"measures": [{"op": "count"}]})
    assert sum(group["count"] for group in total["data"]) == len(expected)
    board = await user.ok("GET", "/v1/contacts/board", params={"group_by": "lifecycle_stage", "fields": "id"})
    assert {card["id"] for column in board["columns"] for card in column["data"]} == expected
    assert sum(column["count"] for column in board["columns"]) == len(expected)
    everywhere = await user.ok("GET", "/v1/search", params={"q": "king", "objects": "contacts", "limit": 20})
    assert {hit["id"] for hit in everywhere["data"]} == expected
    read = await user.ok("POST", "/v1/contacts/batch/read", json={"items": [{"id": id_} for id_ in world.records]})
    assert [result["status"] for result in read["results"]] == [200 if id_ in expected else 404 for id_ in world.records]
    single = await asyncio.gather(*(user.http.get(f"/v1/contacts/{id_}", params={"fields": "id"}) for id_ in world.records))
    assert [answer.status_code for answer in single] == [200 if id_ in expected else 404 for id_ in world.records]
    await check_writes(world, setup, number, user)
    for place in range(RECORDS):
        await check_explained(world, setup, number, user, place)


async def check_writes(world: World, setup: Setup, number: int, user: Api) -> None:
    """What is tried is what is allowed; nothing is stored."""
    for action, verb, more in (("update", "update", {"title": "Tried"}), ("delete", "delete", {})):
        items = [{"id": id_, **more} for id_ in world.records]
        answer = await user.http.post(f"/v1/contacts/batch/{verb}", params={"dry_run": "true"}, json={"items": items})
        if not setup.may(number, action):
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
            continue
        expected = []
        for place in range(RECORDS):
            expected.append(200 if setup.allowed(number, place, action) else 403 if place in setup.seen(number) else 404)
        assert [result["status"] for result in answer.json()["results"]] == expected, action


async def check_explained(world: World, setup: Setup, number: int, user: Api, place: int) -> None:
    """The explanation is the outcome, by oneself and by an administrator."""
    path = f"/v1/contacts/{world.records[place]}/access"
    told = await world.admin.ok("GET", path, params={"user_id": str(user.user_id)})
    for action in ("read", "update", "delete", "transfer", "share"):
        assert told["actions"][action]["allowed"] == setup.allowed(number, place, action), (action, told)
    assert told["level"] == LEVELS[setup.level(number, place)]
    strongest = [found["level"] for found in told["paths"]][:1]
    assert told["restrictions"] or strongest == [told["level"]][: 1 if told["level"] else 0]
    own = await user.http.get(path)
    if place in setup.seen(number):
        assert own.json() == told
    else:
        assert own.status_code == 404


async def check_everybody(world: World, setup: Setup) -> None:
    """Who sees a record is who finds it."""
    for place, id_ in enumerate(world.records):
        listed = await world.admin.ok("GET", f"/v1/contacts/{id_}/access/users")
        levels: dict[str, Any] = {row["user_id"]: row["level"] for row in listed["data"]}
        assert levels.pop(str(world.admin.user_id)) == "full"
        assert levels == {
            str(user.user_id): LEVELS[setup.level(number, place)]
            for number, user in enumerate(world.users)
            if setup.allowed(number, place, "read")
        }
