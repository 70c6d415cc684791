"""Single shares and co-owners: who may give them, what they give, when they end, what becomes of them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from crm_api.core.clock import SystemClock, format_timestamp, parse_timestamp
from crm_api.db.engine import Database
from crm_api.flows.organizations import system_context
from crm_api.http.app import Application
from crm_api.jobs.timers import Timers
from crm_api.settings import Settings
from tests.access.people import colleague, share_out
from tests.api import Api, Record, new_organization

pytestmark = pytest.mark.anyio


def shares(record: Record) -> str:
    return f"/v1/{record['object']}/{record['id']}/shares"


async def share(api: Api, record: Record, access: str = "read", **grantee: Any) -> Record:
    found: Record = await api.ok("POST", shares(record), json={"access": access, **grantee})
    return found


async def sees(api: Api, record: Record) -> bool:
    answer = await api.http.get(f"/v1/{record['object']}/{record['id']}")
    assert answer.status_code in (200, 404)
    return answer.status_code == 200


async def test_each_level_gives_what_it_says(api: Api) -> None:
    await share_out(api, contacts="private")
    grace = await colleague(api)
    contact = await api.make("contacts", last_name="King")
    path = f"/v1/contacts/{contact['id']}"
    assert not await sees(grace, contact)

    made = await share(api, contact, user_id=str(grace.user_id))
    assert (made["object"], made["version"], made["access"], made["source"]) == ("shares", 1, "read", "manual")
    assert made["grantee"] == {"type": "user", "id": str(grace.user_id)}
    assert await sees(grace, contact)
    await grace.fails("PATCH", path, 403, "forbidden", json={"last_name": "Queen"})

    changed = await share(api, contact, "write", user_id=str(grace.user_id))
    assert (changed["id"], changed["version"]) == (made["id"], 2)
    await grace.change(contact, last_name="Queen")
    await grace.fails("DELETE", path, 403, "forbidden")
    await grace.fails("POST", f"{path}/transfer", 403, "forbidden", json={"to": str(grace.user_id)})
    await grace.fails("GET", shares(contact), 403, "forbidden")
    await grace.fails("POST", shares(contact), 403, "forbidden", json={"user_id": str(grace.user_id), "access": "full"})

    await share(api, contact, "full", user_id=str(grace.user_id))
    assert [one["access"] for one in (await grace.ok("GET", shares(contact)))["data"]] == ["full"]
    await grace.ok("DELETE", path)


async def test_sharing_again_changes_nothing(api: Api) -> None:
    grace = await colleague(api)
    contact = await api.make("contacts", last_name="King")
    body = {"user_id": str(grace.user_id), "access": "read"}
    first = await api.http.post(shares(contact), json=body)
    again = await api.http.post(shares(contact), json=body)
    assert (first.status_code, first.headers["x-outcome"]) == (201, "created")
    assert (again.status_code, again.headers["x-outcome"]) == (200, "unchanged")
    assert again.json() == first.json()
    assert (await api.get(contact))["version"] == 1


async def test_roles_teams_and_those_below(api: Api) -> None:
    await share_out(api, contacts="private")
    head = await api.make("roles", name="Head")
    north = await api.make("roles", name="North", parent_id=head["id"])
    team = await api.make("teams", name="Key accounts")
    boss, ada = await colleague(api, role_id=head["id"]), await colleague(api, role_id=north["id"])
    bob = await colleague(api)
    one, two, three = [await api.make("contacts", last_name=f"King {n}") for n in range(3)]
    await share(api, one, role_id=north["id"])
    assert [await sees(who, one) for who in (boss, ada, bob)] == [True, True, False]
    await share(api, two, role_id=head["id"])
    assert [await sees(who, two) for who in (boss, ada, bob)] == [True, False, False]
    await share(api, two, role_id=head["id"], with_subordinates=True)
    assert [await sees(who, two) for who in (boss, ada, bob)] == [True, True, False]
    await share(api, three, team_id=team["id"])
    assert not await sees(bob, three)
    await api.ok("PUT", f"/v1/teams/{team['id']}/links/users/{bob.user_id}", json={})
    assert [await sees(who, three) for who in (boss, ada, bob)] == [False, False, True]
    await api.ok("DELETE", f"/v1/teams/{team['id']}/links/users/{bob.user_id}")
    assert not await sees(bob, three)


async def test_taking_back(api: Api) -> None:
    await share_out(api, contacts="private")
    grace = await colleague(api)
    contact = await api.make("contacts", last_name="King")
    made = await share(api, contact, user_id=str(grace.user_id))
    await grace.fails("DELETE", f"{shares(contact)}/{made['id']}", 403, "forbidden")
    gone = await api.ok("DELETE", f"{shares(contact)}/{made['id']}")
    assert (gone["id"], gone["version"]) == (made["id"], 2)
    assert not await sees(grace, contact)
    await api.fails("DELETE", f"{shares(contact)}/{made['id']}", 404, "not_found")
    assert (await api.ok("GET", shares(contact)))["data"] == []


async def test_co_owners(api: Api) -> None:
    await share_out(api, contacts="private")
    grace, bob = await colleague(api), await colleague(api)
    contact = await api.make("contacts", last_name="King")
    path = f"/v1/contacts/{contact['id']}/co_owners"
    await grace.fails("PUT", f"{path}/{grace.user_id}", 404, "not_found")
    await api.ok("PUT", f"{path}/{grace.user_id}", status=201)
    await grace.ok("PUT", f"{path}/{bob.user_id}", json={"expires_at": "2126-01-01T00:00:00Z"}, status=201)
    await bob.ok("POST", f"/v1/contacts/{contact['id']}/transfer", json={"to": str(bob.user_id)})
    await bob.ok("DELETE", f"{path}/{grace.user_id}")
    assert not await sees(grace, contact)
    await bob.fails("DELETE", f"{path}/{grace.user_id}", 404, "not_found")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"access": "read"}, "/user_id"),
        ({"user_id": "seven", "access": "read"}, "/user_id"),
        ({"user_id": str(uuid4()), "access": "read"}, "/user_id"),
        ({"team_id": str(uuid4()), "access": "read"}, "/team_id"),
        ({"role_id": str(uuid4()), "team_id": str(uuid4()), "access": "read"}, "/team_id"),
        ({"team_id": str(uuid4()), "access": "read", "with_subordinates": True}, "/with_subordinates"),
        ({"role_id": str(uuid4()), "access": "read", "with_subordinates": 1}, "/with_subordinates"),
        ({"role_id": str(uuid4())}, "/access"),
        ({"role_id": str(uuid4()), "access": "all"}, "/access"),
        ({"role_id": str(uuid4()), "access": "read", "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"role_id": str(uuid4()), "access": "read", "expires_at": 7}, "/expires_at"),
        ({"role_id": str(uuid4()), "access": "read", "until": None}, "/until"),
        ([], ""),
    ],
)
async def test_mistakes(api: Api, body: Any, pointer: str) -> None:
    contact = await api.make("contacts", last_name="King")
    problem = await api.fails("POST", shares(contact), 422, "validation_failed", json=body)
    assert pointer in [error["pointer"] for error in problem["errors"]]


async def test_what_has_no_owners_has_no_shares(api: Api) -> None:
    view = await api.make("roles", name="Head")
    await api.fails("GET", f"/v1/roles/{view['id']}/shares", 404, "not_found")


async def test_scopes_and_profile(api: Api) -> None:
    grace = await colleague(api)
    contact = await api.make("contacts", last_name="King")
    body = {"user_id": str(grace.user_id), "access": "read"}
    reader = await api.with_scopes("contacts:read")
    await reader.fails("POST", shares(contact), 403, "insufficient_scope", json=body)
    profile = await api.make("profiles", name="Quiet", permissions={"*": ["read", "create", "update", "delete"]})
    quiet = await colleague(api, profile_id=profile["id"])
    own = await quiet.make("contacts", last_name="Hopper")
    await quiet.fails("POST", shares(own), 403, "forbidden", json=body)


async def test_own_objects_have_shares_too(api: Api) -> None:
    await api.ok("POST", "/v1/meta/objects", json={"api_name": "vessels", "singular": "vessel", "label": "Vessel"}, status=201)
    await share_out(api, vessels="private")
    grace = await colleague(api)
    vessel = await api.make("vessels", name="Ada")
    assert not await sees(grace, vessel)
    made = await share(api, vessel, user_id=str(grace.user_id))
    assert made["record"] == {"object": "vessels", "id": vessel["id"]}
    assert [r["id"] for r in await grace.all("/v1/vessels")] == [vessel["id"]]
    assert (await grace.ok("GET", f"/v1/vessels/{vessel['id']}/access"))["actions"]["read"]["decided_by"]["kind"] == "share"
    await api.ok("DELETE", f"/v1/vessels/{vessel['id']}", params={"purge": "true"}, status=204)


async def test_events_tell_those_concerned(api: Api) -> None:
    """Both ends of a share get its events, with no version of the record; others don't."""
    await share_out(api, contacts="private")
    grace, bob = await colleague(api), await colleague(api)
    contact = await api.make("contacts", last_name="King")
    made = await share(api, contact, user_id=str(grace.user_id), expires_at="2126-01-01T00:00:00Z")
    await share(api, contact, "write", user_id=str(grace.user_id))
    await api.ok("DELETE", f"{shares(contact)}/{made['id']}")
    for who, seen in ((api, True), (grace, True), (bob, False)):
        found = (await who.ok("GET", "/v1/events", params={"event_types": "share.*"}))["data"]
        assert [(e["type"], e["version"]) for e in found] == (
            [("share.created", 1), ("share.updated", 2), ("share.deleted", 3)] if seen else []
        )
    first = found[0] if found else (await grace.ok("GET", "/v1/events", params={"event_types": "share.*"}))["data"][0]
    assert (first["object"], first["record_id"], first["cause"]["action"]) == ("shares", made["id"], "contacts.share")
    assert first["changes"]["grantee"]["new"] == {"type": "user", "id": str(grace.user_id)}
    assert first["changes"]["record_id"] == {"old": None, "new": contact["id"]}
    own = (await api.ok("GET", "/v1/events", params={"record_id": contact["id"]}))["data"]
    assert [event["type"] for event in own] == ["contact.created", "share.created", "share.updated", "share.deleted"]


async def test_the_audit_log_tells(api: Api) -> None:
    grace = await colleague(api)
    contact = await api.make("contacts", last_name="King")
    await share(api, contact, user_id=str(grace.user_id))
    found = await api.ok("GET", "/v1/audit", params={"action": "share.created"})
    [entry] = found["data"]
    assert (entry["object"], entry["record_id"], entry["details"]["access"]) == ("contacts", contact["id"], "read")


async def test_merged_records_bring_their_shares(api: Api) -> None:
    await share_out(api, contacts="private")
    grace, bob = await colleague(api), await colleague(api)
    winner, loser = await api.make("contacts", last_name="King"), await api.make("contacts", last_name="King-Noel")
    await share(api, winner, "read", user_id=str(grace.user_id))
    await share(api, loser, "write", user_id=str(grace.user_id))
    kept = await share(api, loser, "write", user_id=str(bob.user_id))
    await api.ok("POST", "/v1/contacts/merge", json={"winner_id": winner["id"], "loser_ids": [loser["id"]]})
    found = {one["grantee"]["id"]: one for one in (await api.ok("GET", shares(winner)))["data"]}
    assert {who: one["access"] for who, one in found.items()} == {str(grace.user_id): "read", str(bob.user_id): "write"}
    assert (found[str(bob.user_id)]["id"], found[str(bob.user_id)]["version"]) == (kept["id"], 2)
    assert await sees(bob, winner)


async def test_purged_records_leave_no_shares(api: Api) -> None:
    grace = await colleague(api)
    team = await api.make("teams", name="Key accounts")
    one, two = await api.make("contacts", last_name="King"), await api.make("contacts", last_name="Hopper")
    await share(api, one, user_id=str(grace.user_id))
    await share(api, two, team_id=team["id"])
    await share(api, two, user_id=str(grace.user_id))
    await api.ok("DELETE", f"/v1/contacts/{one['id']}", params={"purge": "true"}, status=204)
    await api.fails("GET", shares(one), 410, "deleted")
    await api.ok("DELETE", f"/v1/teams/{team['id']}", params={"purge": "true"}, status=204)
    assert [row["grantee"]["type"] for row in (await api.ok("GET", shares(two)))["data"]] == ["user"]


async def test_deleted_records_are_not_shared(api: Api) -> None:
    contact = await api.make("contacts", last_name="King")
    await api.ok("DELETE", f"/v1/contacts/{contact['id']}")
    await api.fails("POST", shares(contact), 410, "deleted", json={"user_id": str(api.user_id), "access": "read"})
    await api.fails("GET", shares(contact), 410, "deleted")


async def test_expiry_by_the_sandbox_clock(app: Application, settings: Settings, tmp_path: Path) -> None:
    """A share ends when its time has come by the organisation's clock; its timer then tells."""
    async with new_organization(app, environment="sandbox") as box:
        await share_out(box, contacts="private")
        grace = await colleague(box)
        contact = await box.make("contacts", last_name="King")
        now = parse_timestamp((await box.ok("GET", "/v1/clock"))["now"])
        ends = now + timedelta(days=30)
        await share(box, contact, user_id=str(grace.user_id), expires_at=format_timestamp(ends))
        assert await sees(grace, contact)
        await box.ok("POST", "/v1/clock/advance", json={"by": "P31D"})
        assert not await sees(grace, contact)
        assert await grace.all("/v1/contacts") == []
        database = Database(settings.database_url)
        assert await Timers(database, SystemClock(), app.state.services.engine, tmp_path).fire(box.org_id) == 1
        await database.close()
        [event] = (await box.ok("GET", "/v1/events", params={"event_types": "share.deleted"}))["data"]
        assert (event["actor"]["type"], event["cause"]["action"]) == ("system", "shares.expire")


async def test_there_is_a_limit(api: Api) -> None:
    contact = await api.make("contacts", last_name="King")
    grace = await colleague(api)
    async with system_context(api.app.state.services.database, api.org_id, user_id=api.user_id) as context:
        await context.uow.begin()
        await context.uow.connection.driver.execute(
            "INSERT INTO record_shares (org_id, id, version, object, grantee_id, record_id, grantee_type, source, access, created_at,"
            " created_by) SELECT $1, gen_random_uuid(), 1, 'contacts', gen_random_uuid(), $2, 'user', 'manual', 'read', $3, '{}'"
            " FROM generate_series(1, 1000)",
            api.org_id,
            contact["id"],
            context.uow.now,
        )
    body = {"user_id": str(grace.user_id), "access": "read"}
    problem = await api.fails("POST", shares(contact), 403, "limit_exceeded", json=body)
    assert (problem["limit"], problem["max"], problem["actual"]) == ("shares_per_record", 1000, 1001)
    assert (await api.ok("GET", "/v1/limits"))["limits"]["shares_per_record"] == 1000


async def test_twenty_at_once_make_one_share(api: Api) -> None:
    grace = await colleague(api)
    contact = await api.make("contacts", last_name="King")
    body = {"user_id": str(grace.user_id), "access": "write"}
    answers = await asyncio.gather(*(api.http.post(shares(contact), json=body) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len((await api.ok("GET", shares(contact)))["data"]) == 1
