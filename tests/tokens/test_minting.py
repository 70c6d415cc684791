"""No token makes a wider one: not in scopes, fields, networks or time, neither by making nor by rotating."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from crm_api.core.clock import SystemClock, format_timestamp
from crm_api.core.ids import uuid7
from crm_api.db.uow import unit_of_work
from crm_api.flows.organizations import create_token, create_user, system_context
from crm_api.flows.tokens import create
from tests.api import Api
from tests.tokens.conftest import Caller

pytestmark = pytest.mark.anyio

CLOCK = SystemClock()
NETWORKS = ["203.0.113.0/24", "127.0.0.0/8"]


def _in(days: float) -> str:
    return format_timestamp(CLOCK.now() + timedelta(days=days))


async def _make(api: Api, **body: Any) -> dict[str, Any]:
    made: dict[str, Any] = await api.ok("POST", "/v1/tokens", json={"name": "made", "scopes": ["contacts:read"], **body}, status=201)
    return made


async def _refused(api: Api, pointers: set[str], **body: Any) -> None:
    problem = await api.fails("POST", "/v1/tokens", 403, "forbidden", json={"name": "wider", "scopes": ["contacts:read"], **body})
    assert {error["pointer"] for error in problem["errors"]} == pointers
    assert {error["code"] for error in problem["errors"]} == {"wider_than_token"}


async def test_what_a_token_looks_like(api: Api, caller: Caller) -> None:
    before = CLOCK.now()
    made = await _make(api, fields={"contacts": ["email", "first_name"]}, ip_allow_list=["203.0.113.7", "2001:DB8::/32"])
    secret = made.pop("token")
    assert secret.startswith("crm_pat_")
    assert made["prefix"] == secret[:12] + "…"
    assert (made["kind"], made["user_id"], made["maker_id"]) == ("personal", str(api.user_id), str(api.user_id))
    assert made["fields"] == {"contacts": ["email", "first_name"]}
    assert made["ip_allow_list"] == ["203.0.113.7/32", "2001:db8::/32"]
    assert format_timestamp(before + timedelta(days=365)) < made["expires_at"] <= _in(366)
    assert await api.ok("GET", f"/v1/tokens/{made['id']}") == made
    assert made in (await api.ok("GET", "/v1/tokens"))["data"]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"scopes": ["contacts:fly"]}, "/scopes/0", "enum"),
        ({"scopes": []}, "/scopes", "min_items"),
        ({"scopes": ["contacts:read"] * 101}, "/scopes", "too_many_items"),
        ({"expires_at": _in(367)}, "/expires_at", "max"),
        ({"expires_at": _in(-1)}, "/expires_at", "max"),
        ({"fields": {}}, "/fields", "min_items"),
        ({"fields": {"ships": ["name"]}}, "/fields/ships", "enum"),
        ({"fields": {"contacts": ["email", "nose"]}}, "/fields/contacts/1", "unknown_field"),
        ({"fields": {"contacts": ["email"]}, "scopes": ["admin"]}, "/fields", "invalid_combination"),
        ({"ip_allow_list": []}, "/ip_allow_list", "min_items"),
        ({"ip_allow_list": ["203.0.113.7/24"]}, "/ip_allow_list/0", "invalid_network"),
        ({"ip_allow_list": ["10.0.0.0/8", "home"]}, "/ip_allow_list/1", "invalid_network"),
        ({"ip_allow_list": [f"10.0.{n}.0/24" for n in range(101)]}, "/ip_allow_list", "too_many_items"),
        ({"kind": "robot"}, "/kind", "enum"),
        ({"kind": "service"}, "/profile_id", "required"),
        ({"kind": "service", "profile_id": str(uuid4())}, "/profile_id", "not_found_reference"),
        ({"profile_id": str(uuid4())}, "/profile_id", "invalid_combination"),
        ({"app_id": str(uuid4())}, "/app_id", "unknown_field"),
    ],
)
async def test_what_makes_no_sense(api: Api, body: dict[str, Any], pointer: str, code: str) -> None:
    problem = await api.fails("POST", "/v1/tokens", 422, "validation_failed", json={"name": "x", "scopes": ["contacts:read"], **body})
    assert (pointer, code) in [(error["pointer"], error["code"]) for error in problem["errors"]]


async def test_who_may_not_make_any(api: Api, caller: Caller) -> None:
    reader = caller((await _make(api, scopes=["*:read", "contacts:write"]))["token"])
    problem = await reader.fails("POST", "/v1/tokens", 403, "insufficient_scope", json={"name": "x", "scopes": ["contacts:read"]})
    assert problem["required_scopes"] == ["tokens:write", "admin"]
    own = (await reader.ok("GET", "/v1/tokens"))["data"][0]
    await reader.fails("POST", f"/v1/tokens/{own['id']}/secret/rotate", 403, "insufficient_scope", json={})
    await reader.fails("DELETE", f"/v1/tokens/{own['id']}", 403, "insufficient_scope")


async def test_scopes_do_not_grow(api: Api, caller: Caller) -> None:
    narrow = caller((await _make(api, scopes=["tokens:write", "contacts:write", "deals:read", "events:read"]))["token"])
    await _make(narrow, scopes=["contacts:write", "contacts:read", "deals:read", "tokens:read", "tokens:write", "events:read"])
    await _refused(narrow, {"/scopes/0"}, scopes=["admin"])
    await _refused(narrow, {"/scopes/1", "/scopes/2", "/scopes/3"}, scopes=["contacts:read", "deals:write", "*:read", "contacts:delete"])
    await _refused(narrow, {"/scopes/0"}, scopes=["contacts:export"])
    await _refused(narrow, {"/scopes/0"}, scopes=["meta:read"])
    everything = caller((await _make(api, scopes=["*:read", "tokens:write"]))["token"])
    await _make(everything, scopes=["*:read", "deals:read"])
    await _refused(everything, {"/scopes/0"}, scopes=["deals:write"])


async def test_fields_do_not_grow(api: Api, caller: Caller) -> None:
    limits = {"contacts": ["email", "first_name"], "deals": ["name"]}
    narrow = caller((await _make(api, scopes=["tokens:write", "contacts:read"], fields=limits))["token"])
    assert (await _make(narrow))["fields"] == {"contacts": ["email", "first_name"], "deals": ["name"]}
    fewer = await _make(narrow, fields={"contacts": ["email"], "deals": ["name"], "accounts": ["name"]})
    assert fewer["fields"] == {"contacts": ["email"], "deals": ["name"], "accounts": ["name"]}
    await _refused(narrow, {"/fields/contacts", "/fields/deals"}, fields=None)
    await _refused(narrow, {"/fields/deals"}, fields={"contacts": ["email"]})
    beyond = {"name": "x", "scopes": ["contacts:read"], "fields": {"contacts": ["email", "phone"], "deals": ["name"]}}
    problem = await narrow.fails("POST", "/v1/tokens", 422, "validation_failed", json=beyond)  # it knows of no such field
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [("/fields/contacts/1", "unknown_field")]


async def test_networks_do_not_grow(api: Api, caller: Caller) -> None:
    narrow = caller((await _make(api, scopes=["tokens:write", "contacts:read"], ip_allow_list=NETWORKS))["token"])
    assert (await _make(narrow))["ip_allow_list"] == NETWORKS
    assert (await _make(narrow, ip_allow_list=["203.0.113.128/25"]))["ip_allow_list"] == ["203.0.113.128/25"]
    await _refused(narrow, {"/ip_allow_list"}, ip_allow_list=None)
    await _refused(narrow, {"/ip_allow_list/1"}, ip_allow_list=["127.0.0.1", "203.0.112.0/23"])
    await _refused(narrow, {"/ip_allow_list/0", "/ip_allow_list/1"}, ip_allow_list=["0.0.0.0/0", "::/0"])


async def test_time_does_not_grow(api: Api, caller: Caller) -> None:
    until = _in(10)
    narrow = caller((await _make(api, scopes=["tokens:write", "contacts:read"], expires_at=until))["token"])
    assert (await _make(narrow))["expires_at"] == until
    assert (await _make(narrow, expires_at=None))["expires_at"] == until
    assert (await _make(narrow, expires_at=_in(9)))["expires_at"] < until
    await _refused(narrow, {"/expires_at"}, expires_at=_in(11))


async def test_rotating_is_no_way_around(api: Api, caller: Caller) -> None:
    """Whoever rotates a token gets its secret."""
    scopes = ["tokens:write", "contacts:read"]
    wide = {
        "scopes": await _make(api, scopes=["contacts:write"]),
        "admin": await _make(api, scopes=["admin"]),
        "nowhere": await _make(api),
    }
    narrow = caller((await _make(api, scopes=scopes))["token"])
    for name, pointer in (("scopes", "/scopes/0"), ("admin", "/scopes/0")):
        problem = await narrow.fails("POST", f"/v1/tokens/{wide[name]['id']}/secret/rotate", 403, "forbidden", json={})
        assert problem["errors"][0]["pointer"] == pointer
    await narrow.ok("POST", f"/v1/tokens/{wide['nowhere']['id']}/secret/rotate", json={})
    for more, pointer in (
        ({"ip_allow_list": NETWORKS}, "/ip_allow_list"),
        ({"fields": {"contacts": ["email"]}}, "/fields/contacts"),
        ({"expires_at": _in(3)}, "/expires_at"),
    ):
        confined = caller((await _make(api, scopes=scopes, **more))["token"])
        problem = await confined.fails("POST", f"/v1/tokens/{wide['nowhere']['id']}/secret/rotate", 403, "forbidden", json={})
        assert [error["pointer"] for error in problem["errors"]] == [pointer]
        own = (await confined.ok("GET", "/v1/me"))["token"]
        rotated = await confined.ok("POST", f"/v1/tokens/{own['id']}/secret/rotate", json={})
        for name, value in more.items():  # its own secret may be changed, its limits stay
            assert rotated[name] == value


async def test_a_personal_token_is_nobody_elses(api: Api, caller: Caller) -> None:
    database = api.app.state.services.database
    user_id = await create_user(database, org_id=api.org_id, email=f"bob-{uuid4().hex}@corp.example", name="Bob")
    made = await create_token(database, org_id=api.org_id, user_id=user_id, name="bob's", scopes=["contacts:read", "tokens:write"])
    bob = caller(made["token"])
    await api.fails("POST", f"/v1/tokens/{made['id']}/secret/rotate", 403, "forbidden", json={})
    mine = await _make(api)
    await bob.fails("GET", f"/v1/tokens/{mine['id']}", 404, "not_found")
    await bob.fails("POST", f"/v1/tokens/{mine['id']}/secret/rotate", 404, "not_found", json={})
    await bob.fails("DELETE", f"/v1/tokens/{mine['id']}", 404, "not_found")
    assert {token["user_id"] for token in (await bob.ok("GET", "/v1/tokens"))["data"]} == {str(user_id)}
    await _make(bob)
    # The scope `admin` does not make an administrator of somebody who is none.
    pretender = caller((await create_token(database, org_id=api.org_id, user_id=user_id, name="p", scopes=["admin"]))["token"])
    assert {token["user_id"] for token in (await pretender.ok("GET", "/v1/tokens"))["data"]} == {str(user_id)}
    profile = (await api.ok("GET", "/v1/profiles", params={"key": "super_admin"}))["data"][0]
    service = {"name": "s", "scopes": ["admin"], "kind": "service", "profile_id": profile["id"]}
    await pretender.fails("POST", "/v1/tokens", 403, "forbidden", json=service)
    await pretender.fails("GET", f"/v1/tokens/{mine['id']}", 404, "not_found")
    await api.ok("DELETE", f"/v1/tokens/{made['id']}")
    await bob.fails("GET", "/v1/me", 401, "token_revoked")


async def test_a_service_token_outlives_its_maker(api: Api, caller: Caller) -> None:
    database = api.app.state.services.database
    [standard] = (await api.ok("GET", "/v1/profiles", params={"key": "standard"}))["data"]
    [highest] = (await api.ok("GET", "/v1/profiles", params={"key": "super_admin"}))["data"]
    leaver_id = await create_user(database, org_id=api.org_id, email=f"eve-{uuid4().hex}@corp.example", name="Eve", profile="super_admin")
    leaver = caller((await create_token(database, org_id=api.org_id, user_id=leaver_id, name="eve's", scopes=["admin"]))["token"])
    made = await _make(
        leaver, name="Billing sync", kind="service", profile_id=standard["id"], scopes=["*:read", "contacts:write", "tokens:write"]
    )
    assert (made["kind"], made["maker_id"]) == ("service", str(leaver_id))
    assert made["user_id"] not in (str(leaver_id), str(api.user_id))
    member = await api.ok("GET", f"/v1/users/{made['user_id']}")
    assert (member["name"], member["kind"], member["status"], member["profile_id"]) == ("Billing sync", "service", "active", standard["id"])
    service = caller(made["token"])
    contact = await service.make("contacts", last_name="Lovelace")
    assert contact["created_by"] == {"type": "user", "id": made["user_id"]}
    assert (await service.ok("GET", "/v1/me"))["user"]["id"] == made["user_id"]
    # What it makes acts as the service too.
    child = await _make(service, scopes=["contacts:read"])
    assert (child["kind"], child["user_id"]) == ("service", made["user_id"])
    await service.fails(
        "POST",
        "/v1/tokens",
        403,
        "insufficient_scope",
        json={"name": "s", "scopes": ["contacts:read"], "kind": "service", "profile_id": standard["id"]},
    )
    # Nobody signs in as it.
    async with unit_of_work(database, api.org_id, CLOCK) as uow:
        known = await uow.connection.driver.fetchval(
            "SELECT count(*) FROM users WHERE id = $1 OR email_key = $2", UUID(made["user_id"]), member["email"]
        )
        assert known == 0
        assert await uow.connection.driver.fetchval("SELECT count(*) FROM belongings WHERE user_id = $1", UUID(made["user_id"])) == 0
    await api.ok("DELETE", f"/v1/users/{leaver_id}")
    await leaver.fails("GET", "/v1/me", 401, "token_revoked")
    await service.get(contact)
    rotated = await api.ok("POST", f"/v1/tokens/{made['id']}/secret/rotate", json={})
    await service.fails("GET", "/v1/me", 401, "token_expired")
    assert (await caller(rotated["secret"]).ok("GET", "/v1/me"))["user"]["id"] == made["user_id"]
    # A member who does everything stays one who is a person.
    await _make(api, kind="service", profile_id=highest["id"], scopes=["admin"])
    await api.fails("DELETE", f"/v1/users/{api.user_id}", 409, "last_super_admin")
    # With its member the service ends.
    await api.ok("DELETE", f"/v1/users/{made['user_id']}")
    await caller(rotated["secret"]).fails("GET", "/v1/me", 401, "token_revoked")
    back = await api.ok("POST", f"/v1/users/{made['user_id']}/restore")
    assert back["status"] == "active"
    await caller(rotated["secret"]).fails("GET", "/v1/me", 401, "token_revoked")
    async with database.connection() as connection:
        assert await connection.driver.fetchval("SELECT count(*) FROM mails WHERE user_id = $1", UUID(made["user_id"])) == 0


async def _app_token(api: Api, scopes: list[str], *, first_party: bool, days: float = 30) -> str:
    """A token as an app would have it."""
    services, app_id, grant_id = api.app.state.services, uuid7(CLOCK), uuid7(CLOCK)
    async with system_context(services.database, api.org_id, user_id=api.user_id) as context:
        run, now = context.uow.connection.driver.execute, CLOCK.now()
        await run(
            "INSERT INTO oauth_clients"
            " (id, owner_org_id, name, type, redirect_uris, scopes, grant_types, first_party, created_at, updated_at)"
            " VALUES ($1, $2, 'App', 'public', '{}', $3, '{authorization_code}', $4, $5, $5)",
            app_id, api.org_id, scopes, first_party, now,
        )  # fmt: skip
        await run(
            "INSERT INTO oauth_grants (org_id, id, app_id, user_id, kind, scopes, created_at, expires_at)"
            " VALUES ($1, $2, $3, $4, 'user', $5, $6, $7)",
            api.org_id, grant_id, app_id, api.user_id, scopes, now, now + timedelta(days=days),
        )  # fmt: skip
        text, row = await create(context.uow, user_id=api.user_id, name="App", scopes=scopes, expires_at=now + timedelta(minutes=30))
        await run(
            "UPDATE tokens SET app_id = $3, id = $4, kind = 'at' WHERE org_id = $1 AND id = $2",
            api.org_id,
            UUID(row["id"]),
            app_id,
            grant_id,
        )
    return text


async def test_the_tokens_of_apps_make_none(api: Api, caller: Caller) -> None:
    foreign = caller(await _app_token(api, ["tokens:write", "contacts:read"], first_party=False))
    await foreign.fails("POST", "/v1/tokens", 403, "forbidden", json={"name": "x", "scopes": ["contacts:read"]})
    mine = await _make(api)
    await foreign.fails("POST", f"/v1/tokens/{mine['id']}/secret/rotate", 403, "forbidden", json={})
    own = caller(await _app_token(api, ["tokens:write", "contacts:read"], first_party=True, days=30))
    made = await _make(own)
    assert _in(29) < made["expires_at"] <= _in(30)  # its access token lives for minutes, what it was allowed for as long as this
    await _refused(own, {"/scopes/0"}, scopes=["contacts:write"])
    await _refused(own, {"/expires_at"}, expires_at=_in(31))
    trusted = caller(await _app_token(api, ["admin"], first_party=False))
    await _make(trusted)
    # The tokens of apps are not among the API tokens.
    assert {token["kind"] for token in (await api.ok("GET", "/v1/tokens"))["data"]} == {"personal"}


async def test_a_sandboxs_token_keeps_the_limits(api: Api, caller: Caller) -> None:
    sandbox_id = uuid7(CLOCK)
    async with system_context(api.app.state.services.database, api.org_id, user_id=api.user_id) as context:
        await context.uow.connection.driver.execute(
            "INSERT INTO sandboxes (org_id, id, name, copy, status, job_id, user_id, secret, created_at, created_by)"
            " VALUES ($1, $2, 'Trial', 'metadata', 'ready', $2, $3, $4, now(), '{}')",
            *(api.org_id, sandbox_id, api.user_id, b"s" * 32),
        )
    until = _in(5)
    confined = caller((await _make(api, scopes=["admin"], ip_allow_list=NETWORKS, expires_at=until))["token"])
    made = await confined.ok("POST", f"/v1/sandboxes/{sandbox_id}/tokens", json={"name": "trial"}, status=201)
    async with api.app.state.services.database.connection() as connection:
        row = await connection.driver.fetchrow("SELECT networks, expires_at FROM tokens WHERE id = $1", UUID(made["id"]))
    assert (row["networks"], format_timestamp(row["expires_at"])) == (NETWORKS, until)


async def test_a_token_knows_the_fields_it_names(api: Api, caller: Caller) -> None:
    made = await api.make("contacts", first_name="Ada", last_name="King", email="ada@acme.example", phone="+442071838750", department="R&D")
    confined = caller((await _make(api, scopes=["contacts:write", "events:read"], fields={"contacts": ["email", "first_name"]}))["token"])
    shown = await confined.get(made)
    assert (shown["email"], shown["first_name"]) == ("ada@acme.example", "Ada")
    assert not {"emails", "phone", "phones", "department"} & shown.keys()
    seen = [str(shown), str(await confined.ok("GET", "/v1/contacts")), str(await confined.ok("GET", f"/v1/contacts/{made['id']}/history"))]
    seen.append(str(await confined.ok("GET", "/v1/events", params={"object": "contacts"})))
    for hidden in ("R&D", "+442071838750"):
        assert hidden not in "".join(seen)
    await confined.fails("PATCH", f"/v1/contacts/{made['id']}", 422, "validation_failed", json={"department": "Sales"})
    await confined.fails("GET", "/v1/contacts?department=R%26D", 400, "unknown_parameter")
    await confined.ok("PATCH", f"/v1/contacts/{made['id']}", json={"first_name": "Augusta"})
