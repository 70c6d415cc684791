"""People in an organisation: invited, activated, suspended, removed; and how far others' rights may be changed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from uuid import UUID, uuid4

import httpx
import pytest

from crm_api.db.engine import Database
from crm_api.flows.organizations import create_organization
from crm_api.http.app import Application
from crm_api.jobs.runner import Runner
from tests.api import Api, client, new_organization
from tests.jobs.support import finished
from tests.users.support import (
    COOKIE,
    OTHER,
    PASSWORD,
    Person,
    address,
    browser,
    link_in,
    mailed,
    member,
    profile_named,
    read,
    send,
    services_of,
    sign_in,
    sql,
)

pytestmark = pytest.mark.anyio


# --- invitations ------------------------------------------------------------------------------------------------------------


async def test_invites_by_mail(app: Application, api: Api, http: httpx.AsyncClient) -> None:
    email = address("ines")
    user = await api.make("users", email=email, name="Ines Invited", locale="de")
    assert (user["status"], user["email"], user["owner_id"]) == ("invited", email, None)
    assert user["profile_id"] == (await profile_named(api, "standard"))["id"]
    [text] = await mailed(app, email)
    assert "Du bist zu Test eingeladen" in text
    page = await http.get(link_in(text))
    shown = read(page)
    assert "Join Test" in shown.text
    assert shown.form.attributes["password"]["autocomplete"] == "new-password"
    assert (await send(http, page, password="short")).status_code == 422
    done = await send(http, page, password=OTHER)
    assert done.headers["location"] == "/login?notice=joined"
    assert (await api.get(user))["status"] == "active"
    assert (await http.get(link_in(text))).status_code == 410
    assert (await sign_in(http, email, OTHER)).headers["location"] == "/account"
    verbs = [event["type"] for event in (await api.ok("GET", f"/v1/users/{user['id']}/history"))["data"]]
    assert verbs == ["user.updated", "user.created"]


async def test_accepting_twenty_times_at_once_happens_once(app: Application, api: Api) -> None:
    from crm_api.flows.users.change import LinkSpent
    from crm_api.flows.users.invitations import accept

    email = address("race")
    user = await api.make("users", email=email, name="Race")
    token = link_in((await mailed(app, email))[0]).partition("token=")[2]
    services = services_of(app)

    async def attempt(number: int) -> bool:
        try:
            await accept(services.people, services.engine, token, f"an unusual sentence {number}")
        except LinkSpent:
            return False
        return True

    assert (await asyncio.gather(*(attempt(number) for number in range(20)))).count(True) == 1
    assert (await api.get(user))["version"] == 2


async def test_somebody_who_has_a_password_only_accepts(app: Application, api: Api, http: httpx.AsyncClient) -> None:
    async with new_organization(app, admin_password=PASSWORD) as elsewhere:
        email = (await elsewhere.ok("GET", f"/v1/users/{elsewhere.user_id}"))["email"]
    user = await api.make("users", email=email.upper().replace("CORP", "corp"), name="Known Elsewhere")
    assert UUID(user["id"]) == elsewhere.user_id
    page = await http.get(link_in((await mailed(app, user["email"]))[-1]))
    assert "password" not in read(page).form.fields
    await send(http, page)
    assert (await api.get(user))["status"] == "active"
    assert (await sign_in(http, email)).status_code == 303  # with the password of before


async def test_invitations_are_sent_again(app: Application, api: Api) -> None:
    email = address("again")
    user = await api.make("users", email=email, name="Again")
    await api.ok("POST", f"/v1/users/{user['id']}/resend_invitation")
    assert len(await mailed(app, email)) == 2
    await sql(app, "DELETE FROM mails WHERE recipient = $1", email)  # as a mail server would have it
    for _ in range(3):
        await api.ok("POST", f"/v1/users/{user['id']}/resend_invitation")
    await api.fails("POST", f"/v1/users/{user['id']}/resend_invitation", 429, "rate_limited")
    await api.ok("POST", f"/v1/users/{user['id']}/activate")
    await api.fails("POST", f"/v1/users/{user['id']}/resend_invitation", 409, "conflict")


async def test_a_link_is_worth_nothing_once_the_invitation_is_taken_back(app: Application, api: Api, http: httpx.AsyncClient) -> None:
    email = address("taken-back")
    user = await api.make("users", email=email, name="Taken Back")
    link = link_in((await mailed(app, email))[0])
    await api.ok("DELETE", f"/v1/users/{user['id']}")
    assert (await http.get(link)).status_code == 410


async def test_an_invitation_that_was_taken_back_is_not_sent(app: Application, api: Api) -> None:
    email = address("unsent")
    user = await api.make("users", email=email, name="Unsent")
    await api.ok("DELETE", f"/v1/users/{user['id']}")
    assert await mailed(app, email) == []


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"name": "N"}, "required", "/email"),
        ({"email": "a@corp.example"}, "required", "/name"),
        ({"name": "N", "email": "no address"}, "invalid_email", "/email"),
        ({"name": "N", "email": "a@corp.example", "status": "active"}, "read_only", "/status"),
        ({"name": "N", "email": "a@corp.example", "time_zone": "Mars/Olympus"}, "invalid_time_zone", "/time_zone"),
        ({"name": "N", "email": "a@corp.example", "locale": "xx-yy"}, "invalid_language", "/locale"),
        ({"name": "N", "email": "a@corp.example", "profile_id": str(uuid4())}, "not_found_reference", "/profile_id"),
    ],
)
async def test_bad_invitations(api: Api, body: dict[str, str], code: str, pointer: str) -> None:
    answer = await api.http.post("/v1/users", json=body)
    assert answer.status_code == 422, answer.text
    assert (code, pointer) in [(error["code"], error["pointer"]) for error in answer.json()["errors"]]


async def test_nobody_is_invited_twice(api: Api) -> None:
    email = address("twice")
    user = await api.make("users", email=email, name="Twice")
    problem = await api.fails("POST", "/v1/users", 409, "duplicate", json={"email": email.upper(), "name": "Twice"})
    assert problem["existing"][0]["id"] == user["id"]
    both = {"items": [{"email": address("b"), "name": "B"}] * 2, "mode": "partial"}
    results = (await api.ok("POST", "/v1/users/batch/create", json=both))["results"]
    assert [one["status"] for one in results] == [201, 422]


async def test_the_address_stays(api: Api) -> None:
    user = await api.make("users", email=address("stays"), name="Stays")
    await api.fails("PATCH", f"/v1/users/{user['id']}", 422, "validation_failed", json={"email": address("other")})
    changed = await api.change(user, name="Changed", locale="fr", time_zone="Europe/Paris")
    assert (changed["name"], changed["locale"], changed["email"]) == ("Changed", "fr", user["email"])


# --- suspension and removal -------------------------------------------------------------------------------------------------


async def test_suspension_holds_from_the_next_request_on(app: Application, api: Api, http: httpx.AsyncClient) -> None:
    async with member(app, api) as other:
        user = await api.ok("GET", f"/v1/users/{other.user_id}")
        await sign_in(http, user["email"])
        assert (await http.get("/account")).status_code == 200
        assert (await api.ok("POST", f"/v1/users/{user['id']}/suspend"))["status"] == "suspended"
        await other.fails("GET", "/v1/me", 401, "user_suspended")
        assert (await http.get("/account")).status_code == 303
        assert (await api.ok("POST", f"/v1/users/{user['id']}/suspend"))["version"] == user["version"] + 1  # again: unchanged
        assert (await api.ok("POST", f"/v1/users/{user['id']}/reactivate"))["status"] == "active"
        await other.ok("GET", "/v1/me")
        assert (await http.get("/account")).status_code == 303  # sessions don't come back


async def test_sessions_end_with_the_last_organisation(app: Application, person: Person, http: httpx.AsyncClient) -> None:
    async with new_organization(app) as second:
        there = await second.make("users", email=person.email, name="Both")
        await second.ok("POST", f"/v1/users/{there['id']}/activate")
        await sign_in(http, person.email)
        await second.ok("POST", f"/v1/users/{there['id']}/suspend")
        assert (await http.get("/account")).status_code == 200
        await person.api.ok("GET", "/v1/me")  # a token is one organisation's
        await second.ok("POST", f"/v1/users/{there['id']}/reactivate")
        await second.ok("DELETE", f"/v1/users/{there['id']}")
        assert (await http.get("/account")).status_code == 200


async def test_removed_people_are_out_and_their_records_stay_theirs(app: Application, api: Api, http: httpx.AsyncClient) -> None:
    async with member(app, api) as other:
        user = await api.ok("GET", f"/v1/users/{other.user_id}")
        await sign_in(http, user["email"])
        contact = await other.make("contacts", last_name="Owned")
        assert contact["owner_id"] == user["id"]
        await api.ok("DELETE", f"/v1/users/{user['id']}")
        await other.fails("GET", "/v1/me", 401, "token_revoked")
        token = other.token
    assert (await http.get("/account")).status_code == 303
    assert (await sign_in(http, user["email"])).status_code == 401
    await api.fails("GET", f"/v1/users/{user['id']}", 410, "deleted")
    assert (await api.get(contact))["owner_id"] == user["id"]
    problem = await api.fails("POST", "/v1/users", 409, "duplicate", json={"email": user["email"], "name": "Again"})
    assert "restore" in problem["detail"]
    back = await api.ok("POST", f"/v1/users/{user['id']}/restore")
    assert back["status"] == "invited"
    page = await http.get(link_in((await mailed(app, user["email"]))[-1]))
    await send(http, page)
    assert (await sign_in(http, user["email"])).status_code == 303
    async with client(app, token) as again:
        assert (await again.get("/v1/me")).json()["code"] == "token_revoked"  # what was ended stays ended


async def test_records_are_handed_over_by_a_job(app: Application, api: Api) -> None:
    async with member(app, api) as other:
        contacts = [await other.make("contacts", last_name=f"Owned {number}") for number in range(3)]
        deal = await other.make("deals", name="Owned")
        kept = await api.make("contacts", last_name="Mine")
        await api.fails("DELETE", f"/v1/users/{other.user_id}?transfer_to={uuid4()}", 422, "validation_failed")
        await api.fails("DELETE", f"/v1/users/{other.user_id}?transfer_to={other.user_id}", 422, "validation_failed")
        await api.ok("DELETE", f"/v1/users/{other.user_id}?transfer_to={api.user_id}")
    [job] = (await api.ok("GET", "/v1/jobs?type=hand_over_records"))["data"]
    services = services_of(app)
    database = Database(services.settings.database_url, pool_size=4)  # a worker's own; it also looks across organisations
    runner = asyncio.create_task(Runner(database, services.clock, services.engine, services.settings.data_dir).run())
    try:
        done = await finished(api, job)
    finally:
        runner.cancel()
        with suppress(asyncio.CancelledError):
            await runner
        await database.close()
    assert (done["status"], done["result"]) == ("succeeded", {"records": 4})
    for record in (*contacts, deal):
        found = await api.get(record)
        assert (found["owner_id"], found["version"]) == (str(api.user_id), 2)
    assert (await api.get(kept))["version"] == 1


async def test_nobody_is_purged(api: Api) -> None:
    user = await api.make("users", email=address("purge"), name="Purge")
    await api.fails("DELETE", f"/v1/users/{user['id']}?purge=true", 403, "forbidden")


@pytest.mark.parametrize("step", ["activate", "suspend", "reactivate", "resend_invitation"])
async def test_steps_are_for_those_who_may(app: Application, api: Api, other_api: Api, step: str) -> None:
    user = await api.make("users", email=address("steps"), name="Steps")
    path = f"/v1/users/{user['id']}/{step}"
    await other_api.fails("POST", path, 404, "not_found")
    narrow = await api.with_scopes("users:read")
    await narrow.fails("POST", path, 403, "insufficient_scope")
    async with member(app, api) as plain:
        await plain.fails("POST", path, 403, "forbidden")
    await api.fails("POST", f"/v1/users/{uuid4()}/{step}", 404, "not_found")


async def test_steps_from_where_they_lead(api: Api) -> None:
    user = await api.make("users", email=address("from"), name="From")
    path = f"/v1/users/{user['id']}"
    await api.fails("POST", f"{path}/reactivate", 409, "conflict")
    assert (await api.ok("POST", f"{path}/activate"))["status"] == "active"
    assert (await api.ok("POST", f"{path}/activate"))["version"] == 2
    await api.ok("POST", f"{path}/suspend")
    await api.fails("POST", f"{path}/activate", 409, "conflict")
    first = (await api.http.get(path)).headers["etag"]
    await api.ok("PATCH", path, json={"name": "Meanwhile"})
    assert (await api.http.post(f"{path}/reactivate", headers={"if-match": first})).status_code == 412


# --- the rest ---------------------------------------------------------------------------------------------------------------


async def test_administration_is_in_the_audit_log(app: Application, api: Api) -> None:
    user = await api.make("users", email=address("audited"), name="Audited")
    path = f"/v1/users/{user['id']}"
    await api.ok("POST", f"{path}/activate")
    await api.change(user, profile_id=(await profile_named(api, "super_admin"))["id"])
    await api.ok("POST", f"{path}/suspend")
    await api.ok("POST", f"{path}/reactivate")
    await api.ok("DELETE", path)
    entries = [entry for entry in await api.all("/v1/audit") if entry["record_id"] == user["id"] and entry["action"].startswith("user.")]
    actions = [entry["action"] for entry in sorted(entries, key=lambda entry: entry["seq"])]
    expected = ["user.invited", "user.activated", "user.rights_changed", "user.suspended", "user.reactivated", "user.removed"]
    assert [action for action in actions if action in expected] == expected


async def test_organisations_made_on_the_command_line_sign_in(app: Application, http: httpx.AsyncClient) -> None:
    email = address("cli")
    await create_organization(services_of(app).database, name="Made", admin_email=email, admin_password=PASSWORD)
    assert (await sign_in(http, email)).status_code == 303
    assert http.cookies[COOKIE]


async def test_every_place_where_people_belong_is_kept(app: Application, api: Api) -> None:
    """What sign-in knows without an organisation is always what the organisation says."""
    first = await api.make("users", email=address("kept"), name="Kept")
    second = await api.make("users", email=address("kept"), name="Kept Too")
    await api.ok("POST", f"/v1/users/{first['id']}/activate")
    await api.ok("POST", f"/v1/users/{first['id']}/suspend")
    await api.ok("DELETE", f"/v1/users/{second['id']}")
    rows = await sql(app, "SELECT user_id, status FROM belongings WHERE org_id = $1", api.org_id)
    users = {user["id"]: user["status"] for user in await api.all("/v1/users")}
    assert {str(row["user_id"]): row["status"] for row in rows} == users


async def test_a_strangers_browser_is_of_no_use(app: Application, api: Api) -> None:
    async with browser(app) as http:
        http.cookies.set(COOKIE, "crm_ss_" + "0" * 49)
        assert (await http.get("/account")).status_code == 303
