"""How far the rights of others may be changed, and that somebody always stays who may do everything."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from crm_api.http.app import Application
from tests.api import Api, Record, unchecked
from tests.users.support import (
    address,
    member,
    profile_named,
    services_of,
)

pytestmark = pytest.mark.anyio


# --- the last super administrator -------------------------------------------------------------------------------------------


async def test_the_last_super_administrator_stays(app: Application, api: Api) -> None:
    me = f"/v1/users/{api.user_id}"
    standard = await profile_named(api, "standard")
    for method, path, body in (
        ("POST", f"{me}/suspend", None), ("DELETE", me, None), ("PATCH", me, {"profile_id": standard["id"]}),
    ):  # fmt: skip
        await api.fails(method, path, 409, "last_super_admin", json=body)
    async with member(app, api, "super_admin") as second:
        await second.ok("POST", f"{me}/suspend")
        await second.fails("DELETE", f"/v1/users/{second.user_id}", 409, "last_super_admin")  # a suspended one is none
        await second.ok("POST", f"{me}/reactivate")
        await api.ok("DELETE", f"/v1/users/{second.user_id}")
    await api.fails("DELETE", me, 409, "last_super_admin")


async def test_two_administrators_who_suspend_each_other(app: Application, api: Api) -> None:
    for _ in range(5):
        async with member(app, api, "super_admin") as second:
            answers = await asyncio.gather(
                api.http.post(f"/v1/users/{second.user_id}/suspend"), second.http.post(f"/v1/users/{api.user_id}/suspend")
            )
            assert sorted(answer.status_code for answer in answers)[0] == 200
            assert sorted(answer.status_code for answer in answers)[1] in (401, 409)
            winner = api if answers[0].status_code == 200 else second
            loser = second if winner is api else api
            assert await _active_super_admins(winner) == [str(winner.user_id)]
            await winner.ok("POST", f"/v1/users/{loser.user_id}/reactivate")
            if winner is not api:
                await api.ok("GET", "/v1/me")
            await api.ok("DELETE", f"/v1/users/{second.user_id}")


async def _active_super_admins(api: Api) -> list[str]:
    profile = await profile_named(api, "super_admin")
    return [user["id"] for user in await api.all("/v1/users") if user["profile_id"] == profile["id"] and user["status"] == "active"]


async def test_twenty_attempts_at_once_leave_one(app: Application, api: Api) -> None:
    """Eight administrators, each of whom is suspended, removed or lowered at the same moment by one of the others."""
    from contextlib import AsyncExitStack

    standard = (await profile_named(api, "standard"))["id"]
    async with AsyncExitStack() as stack:
        admins = [api, *[await stack.enter_async_context(member(app, api, "super_admin")) for _ in range(7)]]

        # Who has been lowered is shown another description, so answers are not compared with one here.
        clients = [await stack.enter_async_context(unchecked(app, one.token)) for one in admins]

        async def attack(number: int) -> int:
            by, path = clients[number % 8], f"/v1/users/{admins[(number + 1) % 8].user_id}"
            if number % 3 == 0:
                return (await by.post(f"{path}/suspend")).status_code
            if number % 3 == 1:
                return (await by.delete(path)).status_code
            return (await by.patch(path, json={"profile_id": standard})).status_code

        statuses = await asyncio.gather(*(attack(number) for number in range(20)))
        assert not {status for status in statuses if status >= 500}
        left = await sql_admins(app, api)
        assert len(left) >= 1


async def sql_admins(app: Application, api: Api) -> list[UUID]:
    from crm_api.flows.organizations import system_context
    from crm_api.resources.users.rights import _REMAINING

    async with system_context(services_of(app).database, api.org_id, user_id=api.user_id) as context:
        return list(await context.uow.fetch(_REMAINING, {"org_id": api.org_id, "leaving": []}))


# --- rights of others -------------------------------------------------------------------------------------------------------


async def manager_profile(api: Api) -> Record:
    """A profile that manages users but may not do everything."""
    actions = ["read", "create", "update", "delete"]
    permissions = {"*": ["read"], "users": actions, "contacts": actions, "profiles": ["read"], "roles": ["read"]}
    return await api.make("profiles", name=f"People manager {uuid4().hex[:6]}", key=f"manager_{uuid4().hex[:6]}", permissions=permissions)


async def test_nobody_gives_what_they_have_not_got(app: Application, api: Api) -> None:
    profile = await manager_profile(api)
    smaller = await api.make("profiles", name="Reader", permissions={"*": [], "contacts": ["read"]})
    standard, everything = await profile_named(api, "standard"), await profile_named(api, "super_admin")
    async with member(app, api, profile["key"], "users:write", "users:delete", "*:read") as manager:
        made = await manager.make("users", email=address("small"), name="Small", profile_id=smaller["id"])
        for wanted in (standard, everything):
            body = {"email": address("big"), "name": "Big", "profile_id": wanted["id"]}
            await manager.fails("POST", "/v1/users", 403, "forbidden", json=body)
            await manager.fails("PATCH", f"/v1/users/{made['id']}", 403, "forbidden", json={"profile_id": wanted["id"]})
        await manager.change(made, profile_id=profile["id"])
        # nor is anything done to those who may do more
        attacks: list[tuple[str, str, dict[str, str] | None]] = [
            ("POST", f"/v1/users/{api.user_id}/suspend", None),
            ("DELETE", f"/v1/users/{api.user_id}", None),
            ("PATCH", f"/v1/users/{api.user_id}", {"profile_id": smaller["id"]}),
        ]
        for method, path, wanted_body in attacks:
            await manager.fails(method, path, 403, "forbidden", json=wanted_body)
        await manager.ok("PATCH", f"/v1/users/{api.user_id}", json={"name": "Renamed"})
        await manager.ok("POST", f"/v1/users/{made['id']}/suspend")
        await manager.ok("DELETE", f"/v1/users/{made['id']}")


async def test_nobody_raises_themselves(app: Application, api: Api) -> None:
    profile, role = await manager_profile(api), await api.make("roles", name="Top")
    smaller = await api.make("profiles", name="Reader", permissions={"*": [], "contacts": ["read"]})
    async with member(app, api, profile["key"], "users:write", "*:read") as manager:
        me = f"/v1/users/{manager.user_id}"
        await manager.fails("PATCH", me, 403, "forbidden", json={"role_id": role["id"]})
        await manager.fails("PATCH", me, 403, "forbidden", json={"profile_id": smaller["id"]})
        await manager.ok("PATCH", me, json={"name": "My Name", "locale": "de"})


async def test_roles_above_ones_own_are_not_given(app: Application, api: Api) -> None:
    top = await api.make("roles", name="Chief")
    middle = await api.make("roles", name="Head", parent_id=top["id"])
    below = await api.make("roles", name="Seller", parent_id=middle["id"])
    profile = await manager_profile(api)
    smaller = await api.make("profiles", name="Reader", permissions={"*": [], "contacts": ["read"]})
    async with member(app, api, profile["key"], "users:write", "*:read") as manager:
        await api.ok("PATCH", f"/v1/users/{manager.user_id}", json={"role_id": middle["id"]})
        made = await manager.make("users", email=address("r"), name="R", profile_id=smaller["id"], role_id=below["id"])
        await manager.fails("PATCH", f"/v1/users/{made['id']}", 403, "forbidden", json={"role_id": top["id"]})


async def test_a_token_for_users_makes_no_super_administrator(api: Api) -> None:
    """What a token may do is no more than its scopes, however mighty its owner."""
    everything = await profile_named(api, "super_admin")
    narrow = await api.with_scopes("users:write", "*:read")
    body = {"email": address("super"), "name": "Super", "profile_id": everything["id"]}
    await narrow.fails("POST", "/v1/users", 403, "forbidden", json=body)
    assert (await api.make("users", **body))["profile_id"] == everything["id"]


async def colleague(api: Api, **more: str) -> Record:
    """An active user; others report to such ones only."""
    made = await api.make("users", email=address("colleague"), name="Colleague", **more)
    found: Record = await api.ok("POST", f"/v1/users/{made['id']}/activate")
    return found


async def test_managers_do_not_report_to_those_below_them(api: Api) -> None:
    first = await colleague(api)
    second = await colleague(api, manager_id=first["id"])
    third = await colleague(api, manager_id=second["id"])
    problem = await api.fails("PATCH", f"/v1/users/{first['id']}", 422, "validation_failed", json={"manager_id": third["id"]})
    assert [(error["code"], error["pointer"]) for error in problem["errors"]] == [("cycle", "/manager_id")]
    await api.fails("PATCH", f"/v1/users/{first['id']}", 422, "validation_failed", json={"manager_id": first["id"]})


async def test_circles_of_managers_do_not_come_about_at_once(api: Api) -> None:
    people = [await colleague(api) for _ in range(4)]
    answers = await asyncio.gather(
        *(api.http.patch(f"/v1/users/{people[n]['id']}", json={"manager_id": people[(n + 1) % 4]["id"]}) for n in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 422]
