"""Changes of rights under readers: nobody ever gets half of one state and half of another."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.access.people import colleague, share_out
from tests.api import Api

pytestmark = pytest.mark.anyio


async def version(api: Api) -> int:
    found: int = (await api.ok("GET", "/v1/me"))["access_version"]
    return found


async def changed(api: Api, path: str, bodies: list[dict[str, Any]]) -> int:
    """Patches at once; how many of them changed something."""
    answers = await asyncio.gather(*(api.http.patch(path, json=body) for body in bodies))
    assert {answer.status_code for answer in answers} == {200}
    return sum(answer.headers["x-outcome"] == "updated" for answer in answers)


async def test_profiles_change_as_a_whole(api: Api) -> None:
    """A profile that allows one object or the other is never seen to allow both, or none, in one request."""
    one = {"contacts": ["read"], "deals": []}
    other = {"contacts": [], "deals": ["read"]}
    profile = await api.make("profiles", name="Either", permissions=one)
    grace = await colleague(api, profile_id=profile["id"])
    operations = [{"method": "GET", "path": "/v1/contacts"}, {"method": "GET", "path": "/v1/deals"}]
    before, done = await version(api), asyncio.Event()
    seen: set[tuple[int, ...]] = set()

    async def read() -> None:
        while not done.is_set():
            answer = await grace.ok("POST", "/v1/composite", json={"atomic": False, "operations": operations})
            seen.add(tuple(result["status"] for result in answer["results"]))

    readers = [asyncio.create_task(read()) for _ in range(4)]
    count = 0
    for _ in range(3):
        bodies = [{"permissions": one if number % 2 else other} for number in range(20)]
        count += await changed(api, f"/v1/profiles/{profile['id']}", bodies)
    done.set()
    await asyncio.gather(*readers)
    assert seen
    assert seen <= {(200, 404), (404, 200)}
    assert await version(api) == before + count


async def test_moved_roles_change_as_a_whole(api: Api) -> None:
    """A role that moves between two superiors is always below one of them, and one alone."""
    await share_out(api, contacts="private")
    north, south = await api.make("roles", name="North"), await api.make("roles", name="South")
    moving = await api.make("roles", name="Moving", parent_id=north["id"])
    ann, bob = await colleague(api, role_id=north["id"]), await colleague(api, role_id=south["id"])
    owner = await colleague(api, role_id=moving["id"])
    contact = await owner.make("contacts", last_name="King")
    path = f"/v1/contacts/{contact['id']}/access/users"
    before, done = await version(api), asyncio.Event()
    seen: set[frozenset[str]] = set()

    async def read() -> None:
        while not done.is_set():
            answer = await api.ok("GET", path)
            seen.add(frozenset(row["user_id"] for row in answer["data"]) - {str(api.user_id), str(owner.user_id)})
            await asyncio.gather(*(who.http.get("/v1/contacts") for who in (ann, bob)))

    readers = [asyncio.create_task(read()) for _ in range(3)]
    count = 0
    for _ in range(2):
        bodies = [{"parent_id": (north if number % 2 else south)["id"]} for number in range(20)]
        count += await changed(api, f"/v1/roles/{moving['id']}", bodies)
    done.set()
    await asyncio.gather(*readers)
    assert seen
    assert seen <= {frozenset({str(ann.user_id)}), frozenset({str(bob.user_id)})}
    assert await version(api) == before + count


async def test_a_change_is_in_force_on_the_next_request(api: Api) -> None:
    """Whatever the process had kept: each state is that of the change before it, twenty times over."""
    await share_out(api, contacts="private")
    contacts = {city: await api.make("contacts", last_name=city, address={"city": city}) for city in ("Berlin", "Bonn")}
    grace = await colleague(api)
    rule = await api.make(
        "sharing_rules",
        name="One city",
        applies_to="contacts",
        criteria={"field": "address.city", "value": "Berlin"},
        share_with={"type": "user", "id": str(grace.user_id)},
    )
    for number in range(20):
        city = ("Bonn", "Berlin")[number % 2]
        await api.change(rule, criteria={"field": "address.city", "value": city})
        assert [record["id"] for record in await grace.all("/v1/contacts")] == [contacts[city]["id"]]


async def test_a_record_that_leaves_under_a_writer(api: Api) -> None:
    """Whether a record may be changed is decided by what it is when it is locked, not by what it was."""
    await share_out(api, contacts="private")
    grace = await colleague(api)
    contact = await api.make("contacts", last_name="King", owner_id=str(grace.user_id))
    path = f"/v1/contacts/{contact['id']}"
    take = {"owner_id": str(api.user_id)}
    answers = await asyncio.gather(api.http.patch(path, json=take), *(grace.http.patch(path, json={"title": f"T{n}"}) for n in range(20)))
    assert answers[0].status_code == 200
    assert {answer.status_code for answer in answers[1:]} <= {200, 404}
    history = (await api.ok("GET", f"{path}/history"))["data"]
    taken = next(entry["version"] for entry in history if "owner_id" in entry["changes"] and entry["version"] > 1)
    assert all(entry["version"] <= taken for entry in history)
