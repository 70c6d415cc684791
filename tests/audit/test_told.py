"""What the log tells of: every change of access, schema and settings, tokens, exports, purges, denied access. Each once, with its actor."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from crm_api.core.clock import SystemClock
from crm_api.flows.organizations import create_token, create_user, revoke_token
from crm_api.http.app import Application
from tests.api import Api

pytestmark = pytest.mark.anyio


class Ears:
    """What was told since it was last asked."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.seq = 0

    async def news(self) -> list[dict[str, Any]]:
        """The new entries, oldest first."""
        found = [entry for entry in await self.api.all("/v1/audit") if entry["seq"] > self.seq][::-1]
        if found:
            self.seq = found[-1]["seq"]
        assert (await self.api.ok("GET", "/v1/audit/verify"))["ok"]
        return found

    async def one(self, action: str) -> dict[str, Any]:
        """The one new entry."""
        (entry,) = await self.news()
        assert entry["action"] == action
        return entry


@pytest.fixture
async def ears(api: Api) -> Ears:
    """From now on."""
    found = Ears(api)
    await found.news()
    return found


async def test_the_beginning_of_an_organization(api: Api) -> None:
    told = await Ears(api).news()
    assert {entry["action"] for entry in told} >= {"organization.created", "profile.created", "user.created"}
    (user,) = [entry for entry in told if entry["action"] == "user.created"]
    assert "email" not in str(user["details"])
    assert user["personal"]["changes"]["email"]["new"].endswith(".example")


@pytest.mark.parametrize(
    ("name", "singular", "body", "change"),
    [
        (
            "profiles",
            "profile",
            {"name": "Sales", "permissions": {"contacts": ["read"]}},
            {"permissions": {"contacts": ["read", "create"]}},
        ),
        ("roles", "role", {"name": "Director"}, {"name": "Directors"}),
        ("teams", "team", {"name": "North"}, {"name": "North and west"}),
        ("territories", "territory", {"name": "Bavaria"}, {"name": "Baden"}),
    ],
)
async def test_objects_that_govern_access(api: Api, ears: Ears, name: str, singular: str, body: Any, change: Any) -> None:
    made = await api.make(name, **body)
    entry = await ears.one(f"{singular}.created")
    assert (entry["object"], entry["record_id"], entry["actor"]["id"]) == (name, made["id"], str(api.user_id))
    assert entry["ip"] == "127.0.0.1"
    assert entry["cause"].keys() == {"token_id"}
    assert entry["request_id"] is not None
    (field,) = change
    await api.change(made, **change)
    entry = await ears.one(f"{singular}.updated")
    assert entry["details"]["changes"].keys() == {field}
    await api.ok("PATCH", f"/v1/{name}/{made['id']}", params={"dry_run": "true"}, json={"description": "tried only"})
    assert await ears.news() == []
    await api.ok("DELETE", f"/v1/{name}/{made['id']}")
    await ears.one(f"{singular}.deleted")
    await api.ok("POST", f"/v1/{name}/{made['id']}/restore")
    await ears.one(f"{singular}.restored")
    await api.ok("DELETE", f"/v1/{name}/{made['id']}", params={"purge": "true"})
    assert (await ears.one("records.purged"))["object"] == name


async def test_who_belongs_to_a_team(api: Api, ears: Ears) -> None:
    team = await api.make("teams", name="North")
    await ears.news()
    await api.ok("PUT", f"/v1/teams/{team['id']}/links/users/{api.user_id}", json={})
    entry = await ears.one("link.created")
    assert (entry["object"], entry["record_id"]) == ("teams", team["id"])
    assert entry["details"]["to"] == {"object": "users", "id": str(api.user_id)}
    await api.ok("DELETE", f"/v1/teams/{team['id']}/links/users/{api.user_id}")
    assert (await ears.one("link.deleted"))["details"]["relation"] == "teams.users"


async def test_ordinary_records_are_not_told(api: Api, ears: Ears) -> None:
    """They have their history; only that one was purged is told."""
    contact = await api.make("contacts", first_name="Ada", email="ada@acme.example")
    account = await api.make("accounts", name="Acme")
    await api.change(contact, account_id=account["id"])
    await api.ok("DELETE", f"/v1/contacts/{contact['id']}")
    assert await ears.news() == []
    await api.ok("DELETE", f"/v1/contacts/{contact['id']}", params={"purge": "true"})
    entry = await ears.one("records.purged")
    assert (entry["object"], entry["record_id"], entry["personal"]) == ("contacts", contact["id"], None)
    assert "acme" not in str(entry).lower()


async def test_the_schema_and_settings(api: Api, ears: Ears) -> None:
    await api.ok("POST", "/v1/meta/contacts/fields", json={"api_name": "tier", "type": "text", "label": "Tier"}, status=201)
    entry = await ears.one("schema.updated")
    assert (entry["object"], list(entry["details"]["changes"])) == ("schema", ["contacts.tier"])
    await api.ok("PATCH", "/v1/org", json={"time_zone": "Europe/Berlin"})
    assert (await ears.one("organization.updated"))["details"]["changes"] == {"time_zone": {"old": "UTC", "new": "Europe/Berlin"}}
    await api.ok("PATCH", "/v1/org", json={"time_zone": "Europe/Berlin"})
    assert await ears.news() == []


async def test_configurations(api: Api, ears: Ears) -> None:
    wanted = {"config": {"format": 1, "settings": {"currency": "EUR"}}}
    await api.ok("POST", "/v1/config/apply", json={**wanted, "dry_run": True})
    assert await ears.news() == []
    applied = await api.ok("POST", "/v1/config/apply", json=wanted)
    told = {entry["action"]: entry for entry in await ears.news()}
    entry = told["configuration.applied"]
    assert (entry["record_id"], entry["details"]["reason"]) == (applied["snapshot_id"], "apply")
    assert entry["details"]["changes"] == [{"path": "/settings/currency", "op": "change"}]
    assert "organization.updated" in told
    await api.ok("POST", "/v1/config/rollback", json={"to": applied["snapshot_id"]})
    assert {entry["details"].get("reason") for entry in await ears.news()} >= {"rollback"}


async def test_tokens(app: Application, api: Api, ears: Ears) -> None:
    made = await api.ok("POST", "/v1/tokens", json={"name": "Sync", "scopes": ["contacts:read"]}, status=201)
    entry = await ears.one("token.created")
    assert (entry["record_id"], entry["details"]["scopes"]) == (made["id"], ["contacts:read"])
    assert made["token"] not in str(entry)
    rotated = await api.ok("POST", f"/v1/tokens/{made['id']}/secret/rotate", json={})
    entry = await ears.one("token.rotated")
    assert rotated["secret"] not in str(entry)
    await api.ok("DELETE", f"/v1/tokens/{made['id']}")
    assert (await ears.one("token.revoked"))["record_id"] == made["id"]
    await api.ok("DELETE", f"/v1/tokens/{made['id']}")
    assert await ears.news() == [], "a second time changes nothing"
    database = app.state.services.database
    line = await create_token(database, org_id=api.org_id, user_id=api.user_id, name="line", scopes=["admin"])
    assert (await ears.one("token.created"))["actor"] == {"type": "system", "id": None}
    await revoke_token(database, org_id=api.org_id, token_id=UUID(line["id"]), clock=SystemClock())
    await ears.one("token.revoked")


async def test_exports_and_sandboxes(api: Api, ears: Ears) -> None:
    await api.ok("POST", "/v1/events/snapshot", json={"objects": ["contacts"]}, status=202)
    assert (await ears.one("records.exported"))["details"]["objects"] == ["contacts"]
    job = await api.ok("POST", "/v1/sandboxes", json={"name": "Trial", "copy": "metadata"}, status=202)
    entry = await ears.one("sandbox.created")
    assert entry["record_id"] == job["request"]["sandbox_id"]


async def test_denied_access(api: Api, ears: Ears) -> None:
    """Told although the request failed, but not again and again."""
    narrow = await api.with_scopes("contacts:read")
    await ears.news()
    for _ in range(3):
        await narrow.fails("POST", "/v1/contacts", 403, "insufficient_scope", json={"first_name": "Ada"})
    entry = await ears.one("access.denied")
    assert entry["details"] == {
        "code": "insufficient_scope", "method": "POST", "required_scopes": ["contacts:write"], "route": "/v1/contacts",
    }  # fmt: skip
    assert entry["actor"]["id"] == str(api.user_id)
    await narrow.fails("DELETE", f"/v1/contacts/{api.user_id}", 403, "insufficient_scope")
    await ears.one("access.denied")
    await narrow.fails("GET", f"/v1/contacts/{api.user_id}", 404, "not_found")
    assert await ears.news() == []


async def test_people(app: Application, api: Api, ears: Ears) -> None:
    """What a user may do is told, with who it is where it can be erased; what users set for themselves is not."""
    database = app.state.services.database
    await create_user(database, org_id=api.org_id, email="grace@acme.example", name="Grace")
    entry = await ears.one("user.created")
    assert entry["personal"]["changes"]["name"] == {"old": None, "new": "Grace"}
    assert "profile_id" in entry["details"]["changes"]
    await api.ok("PATCH", "/v1/me/settings", json={"time_zone": "Europe/Rome"})
    assert await ears.news() == []


async def test_what_a_user_may_do(app: Application, api: Api, ears: Ears) -> None:
    """Told with what it was before, whichever route it came by."""
    user_id = await create_user(app.state.services.database, org_id=api.org_id, email="grace@acme.example")
    role = await api.make("roles", name="Director")
    await ears.news()
    user = await api.ok("GET", f"/v1/users/{user_id}")
    await api.change(user, role_id=role["id"])
    told = {entry["action"]: entry for entry in await ears.news()}
    assert told["user.updated"]["details"]["changes"] == {"role_id": {"old": None, "new": role["id"]}}
    await api.ok("POST", f"/v1/users/{user_id}/suspend")
    told = {entry["action"]: entry for entry in await ears.news()}
    assert told["user.updated"]["details"]["changes"]["status"] == {"old": "active", "new": "suspended"}
    assert told["user.updated"]["record_id"] == str(user_id)
