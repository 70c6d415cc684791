"""Events of apps: registered ones for administrators, what they were allowed for the person concerned too, and never a secret."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from crm_api.db.uow import unit_of_work
from crm_api.flows.oauth.issuing import end_grants_of_user
from crm_api.flows.organizations import create_organization, create_token, create_user
from crm_api.http.app import Application
from tests.access.people import colleague
from tests.api import Api, Record, client
from tests.oauth.support import PASSWORD, Browser, register, unauthenticated

pytestmark = pytest.mark.anyio


@pytest.fixture
async def person(app: Application) -> AsyncIterator[tuple[Api, Browser]]:
    """An administrator: the API's client, and a browser."""
    email = f"admin-{uuid4().hex}@corp.example"
    database = app.state.services.database
    made = await create_organization(database, name="Acme", admin_email=email, admin_name="Ada", admin_password=PASSWORD)
    async with client(app, made["token"]) as http, unauthenticated(app) as browsing:
        yield Api(http, app, UUID(made["org_id"]), UUID(made["user_id"]), made["token"]), Browser(browsing, email)


async def told(api: Api, **params: Any) -> list[Record]:
    """What somebody is told of apps."""
    found: list[Record] = (await api.ok("GET", "/v1/events", params={"event_types": "app.*", "limit": 1000, **params}))["data"]
    return found


async def test_a_registered_app_tells_what_changes_and_no_secret(api: Api, other_api: Api) -> None:
    made = await api.ok("POST", "/v1/oauth_apps", json={"name": "Mail", "redirect_uris": [], "scopes": ["contacts:read"]}, status=201)
    path = f"/v1/oauth_apps/{made['id']}"
    await api.ok("PATCH", path, json={"name": "Post"})
    await api.ok("PATCH", path, json={"name": "Post"})  # nothing new, no event
    await api.ok("PATCH", path, json={"active": False})
    rotated = await api.ok("POST", f"{path}/secret/rotate", json={"grace_seconds": 3600})
    await api.ok("DELETE", path)
    events = await told(api)
    assert [event["type"] for event in events] == ["app.created", "app.updated", "app.updated", "app.secret_rotated", "app.deleted"]
    assert [event["version"] for event in events] == [1, 2, 3, 4, 5]
    assert {(event["object"], event["record_id"], event["record"]) for event in events} == {("oauth_apps", made["id"], None)}
    assert events[0]["changes"]["name"] == {"old": None, "new": "Mail"}
    assert events[1]["changes"] == {"name": {"old": "Mail", "new": "Post"}}
    assert events[2]["changes"] == {"active": {"old": True, "new": False}}
    assert set(events[3]["changes"]) == {"secret_prefix", "old_secret_until"}
    assert events[4]["changes"]["name"] == {"old": "Post", "new": None}
    assert [event["cause"]["action"] for event in events] == [
        "oauth_apps.create", "oauth_apps.update", "oauth_apps.update", "oauth_apps.rotate_secret", "oauth_apps.delete",
    ]  # fmt: skip
    assert all(event["actor"]["type"] in ("user", "token") for event in events)
    text = json.dumps(events)
    assert made["client_secret"] not in text
    assert rotated["secret"] not in text
    assert await told(await colleague(api)) == []
    assert await told(other_api) == []


async def test_what_an_app_was_allowed_is_told_to_the_person_and_administrators(app: Application, person: tuple[Api, Browser]) -> None:
    api, browser = person
    bob, eve = await colleague(api), await colleague(api)
    async with unauthenticated(app) as http:
        mail = await register(api, http)
        tokens = await mail.tokens(browser)
        grant = (await api.ok("GET", "/v1/me/grants"))["data"][0]
        (event,) = await told(api, object="oauth_grants")
        assert (event["type"], event["record_id"], event["version"]) == ("app.authorized", grant["id"], 1)
        assert {name: change["new"] for name, change in event["changes"].items()} == {
            "app_id": mail.id, "app_name": "Mail for CRM", "user_id": str(api.user_id), "kind": "user",
            "scopes": ["contacts:read", "deals:write"],
        }  # fmt: skip
        assert tokens["access_token"] not in json.dumps(event)
        assert tokens["refresh_token"] not in json.dumps(event)
        refreshed = (await mail.refresh(tokens["refresh_token"])).json()  # no other grant
        assert [found["type"] for found in await told(api, record_id=mail.id)] == ["app.created", "app.authorized"]
        await api.ok("DELETE", f"/v1/oauth_grants/{grant['id']}")
        await api.ok("DELETE", f"/v1/oauth_grants/{grant['id']}")  # it had ended
        await mail.refresh(refreshed["refresh_token"])
        _, ended = await told(api, object="oauth_grants")
        assert (ended["type"], ended["record_id"], ended["version"]) == ("app.revoked", grant["id"], 2)
        assert ended["changes"]["revoked_because"]["new"] == grant_end(await api.ok("GET", f"/v1/oauth_grants/{grant['id']}"))
        assert ended["changes"]["app_id"] == {"old": mail.id, "new": None}
        for other in (bob, eve):
            assert await told(other) == []
            await other.fails("GET", f"/v1/events/{ended['id']}", 404, "not_found")


def grant_end(grant: Record) -> str:
    because: str = grant["revoked_because"]
    return because


async def test_whom_it_concerns_is_told_and_a_new_password_ends_all_grants(app: Application, person: tuple[Api, Browser]) -> None:
    api, _ = person
    email, database = f"bob-{uuid4().hex}@corp.example", app.state.services.database
    bob_id = await create_user(database, org_id=api.org_id, email=email, password=PASSWORD)
    token = (await create_token(database, org_id=api.org_id, user_id=bob_id, name="test", scopes=("admin",)))["token"]
    eve = await colleague(api)
    async with unauthenticated(app) as http, unauthenticated(app) as browsing, client(app, token) as bobs:
        bob = Api(bobs, app, api.org_id, bob_id, token)
        apps = [await register(api, http, name=name) for name in ("One", "Two")]
        for found in apps:
            await found.tokens(Browser(browsing, email))
            browsing.cookies.clear()
        assert [event["type"] for event in await told(bob)] == ["app.authorized"] * 2
        assert len(await told(api)) == 4
        assert await told(eve) == []
        async with unit_of_work(database, api.org_id, app.state.services.clock) as uow:
            assert await end_grants_of_user(uow, bob_id, "password_changed") == 2
        revoked = [event for event in await told(bob) if event["type"] == "app.revoked"]
        assert {event["changes"]["app_id"]["old"] for event in revoked} == {one.id for one in apps}
        assert {event["changes"]["revoked_because"]["new"] for event in revoked} == {"password_changed"}
        assert len({event["transaction"]["id"] for event in revoked}) == 1
        assert await told(eve) == []
        # who may see everything but administers nothing is told no more than that
        narrow = await bob.with_scopes("events:read")
        assert [event["type"] for event in await told(narrow)] == ["app.authorized", "app.authorized", "app.revoked", "app.revoked"]
