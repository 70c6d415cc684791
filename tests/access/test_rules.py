"""Who may say who may do what, and what that must make sense of."""

from __future__ import annotations

from typing import Any

import pytest

from tests.access.people import colleague, share_out
from tests.api import Api, Record

pytestmark = pytest.mark.anyio
ALL = ["read", "create", "update", "delete"]


async def delegate(api: Api, **permissions: list[str]) -> Api:
    """Somebody who may write profiles, roles, rules and the like, but is no super administrator."""
    own = dict.fromkeys(("profiles", "roles", "teams", "sharing_rules", "restriction_rules", "territories", "users"), ALL)
    given = {"*": ["read"], "contacts": ALL, **own, **permissions}
    profile = await api.make("profiles", name="Delegate", permissions=given)
    return await colleague(api, profile_id=profile["id"])


async def profile_of(api: Api, key: str) -> Record:
    return next(one for one in await api.all("/v1/profiles") if one["key"] == key)


async def test_standard_users_only_look(api: Api) -> None:
    grace = await colleague(api)
    role = await api.make("roles", name="Head")
    await grace.get(role)
    for name, body in (
        ("roles", {"name": "Mine"}),
        ("teams", {"name": "Mine"}),
        ("profiles", {"name": "Mine"}),
        ("territories", {"name": "Mine"}),
    ):
        await grace.fails("POST", f"/v1/{name}", 403, "forbidden", json=body)
    await grace.fails("PATCH", f"/v1/roles/{role['id']}", 403, "forbidden", json={"name": "Mine"})
    await grace.fails("DELETE", f"/v1/roles/{role['id']}", 403, "forbidden")


async def test_the_super_administrators_profile_stays(api: Api) -> None:
    profile = await profile_of(api, "super_admin")
    path = f"/v1/profiles/{profile['id']}"
    await api.fails("PATCH", path, 403, "forbidden", json={"permissions": {"*": []}})
    await api.fails("DELETE", path, 403, "forbidden")
    await api.fails("DELETE", path, 403, "forbidden", params={"purge": "true"})


async def test_a_profile_in_use_needs_another(api: Api) -> None:
    old = await api.make("profiles", name="Old", permissions={"*": ["read"]})
    new = await api.make("profiles", name="New", permissions={"*": ["read"]})
    grace = await colleague(api, profile_id=old["id"])
    path = f"/v1/profiles/{old['id']}"
    await api.fails("DELETE", path, 409, "conflict")
    await api.fails("DELETE", path, 409, "conflict", params={"on_children": "detach"})
    await api.fails("DELETE", path, 409, "conflict", params={"on_children": "cascade"})
    await api.fails("DELETE", path, 400, "bad_request", params={"move_to": old["id"]})
    await api.ok("DELETE", path, params={"move_to": new["id"]})
    assert (await api.ok("GET", f"/v1/users/{grace.user_id}"))["profile_id"] == new["id"]
    standard = await profile_of(api, "standard")
    await api.fails("DELETE", f"/v1/profiles/{standard['id']}", 409, "conflict")


async def test_a_role_in_use_needs_another(api: Api) -> None:
    head = await api.make("roles", name="Head")
    north = await api.make("roles", name="North", parent_id=head["id"])
    south = await api.make("roles", name="South", parent_id=north["id"])
    grace = await colleague(api, role_id=north["id"])
    path = f"/v1/roles/{north['id']}"
    problem = await api.fails("DELETE", path, 409, "conflict")
    assert {entry["relation"] for entry in problem["relations"]} == {"children", "users"}
    await api.ok("DELETE", path, params={"move_to": head["id"]})
    assert (await api.get(south))["parent_id"] == head["id"]
    assert (await api.ok("GET", f"/v1/users/{grace.user_id}"))["role_id"] == head["id"]
    await api.ok("DELETE", f"/v1/roles/{head['id']}", params={"on_children": "cascade"})
    assert (await api.ok("GET", f"/v1/users/{grace.user_id}"))["role_id"] is None
    await api.fails("GET", f"/v1/roles/{south['id']}", 410, "deleted")


async def test_circles(api: Api) -> None:
    for name in ("roles", "territories"):
        upper = await api.make(name, name="Upper")
        lower = await api.make(name, name="Lower", parent_id=upper["id"])
        problem = await api.fails("PATCH", f"/v1/{name}/{upper['id']}", 422, "validation_failed", json={"parent_id": lower["id"]})
        assert problem["errors"][0]["code"] == "cycle"


async def test_nobody_gives_more_than_he_has(api: Api) -> None:
    grace = await delegate(api)
    for permissions in (
        {"*": ["read", "delete"]},
        {"organization": ["administer"]},
        {"contacts": [*ALL, "view_all"]},
        {"deals": ["read", "update"]},
    ):
        await grace.fails("POST", "/v1/profiles", 403, "forbidden", json={"name": "More", "permissions": permissions})
    less = await grace.make("profiles", name="Less", permissions={"contacts": ["read"]})
    await grace.fails("PATCH", f"/v1/profiles/{less['id']}", 403, "forbidden", json={"permissions": {"audit": ["administer"]}})
    standard = await profile_of(api, "standard")
    await grace.fails("PATCH", f"/v1/profiles/{standard['id']}", 403, "forbidden", json={"description": "Mine"})


async def test_hidden_fields_stay_hidden_in_what_one_gives(api: Api) -> None:
    own = {"contacts": {"birthdate": "hidden", "title": "read_only"}}
    profile = await api.make("profiles", name="Delegate", permissions={"*": ["read"], "profiles": ALL}, fields=own)
    grace = await colleague(api, profile_id=profile["id"])
    body: dict[str, Any] = {"name": "Other", "permissions": {"*": ["read"]}}
    await grace.fails("POST", "/v1/profiles", 403, "forbidden", json=body)
    await grace.fails("POST", "/v1/profiles", 403, "forbidden", json={**body, "fields": {"contacts": {"title": "hidden"}}})
    await grace.make("profiles", **body, fields=own)


async def test_rules_open_no_more_than_their_authors_see(api: Api) -> None:
    await share_out(api, contacts="private")
    plain = await delegate(api)
    rule = {
        "name": "All Berlin",
        "applies_to": "contacts",
        "criteria": {"field": "address.city", "value": "Berlin"},
        "share_with": {"type": "user", "id": str(plain.user_id)},
    }
    await plain.fails("POST", "/v1/sharing_rules", 403, "forbidden", json=rule)
    place = {"name": "Germany", "rules": {"contacts": {"field": "address.country", "value": "DE"}}}
    await plain.fails("POST", "/v1/territories", 403, "forbidden", json=place)


async def test_those_who_see_all_may_let_others_see(api: Api) -> None:
    await share_out(api, contacts="private")
    grace = await delegate(api, contacts=[*ALL, "view_all"])
    rule = {
        "name": "All Berlin",
        "applies_to": "contacts",
        "criteria": {"field": "address.city", "value": "Berlin"},
        "share_with": {"type": "user", "id": str(grace.user_id)},
    }
    made = await grace.make("sharing_rules", **rule)
    await grace.fails("PATCH", f"/v1/sharing_rules/{made['id']}", 403, "forbidden", json={"access": "write"})


async def test_groups_and_trees_are_for_administrators(api: Api) -> None:
    grace = await delegate(api)
    head = await api.make("roles", name="Head")
    role = await grace.make("roles", name="Somewhere")
    await grace.fails("PATCH", f"/v1/roles/{role['id']}", 403, "forbidden", json={"parent_id": head["id"]})
    await grace.fails("POST", "/v1/roles", 403, "forbidden", json={"name": "Below", "parent_id": head["id"]})
    team = await grace.make("teams", name="Mine")
    await grace.fails("PUT", f"/v1/teams/{team['id']}/links/users/{grace.user_id}", 403, "forbidden", json={})
    await grace.fails("PUT", f"/v1/users/{grace.user_id}/links/teams/{team['id']}", 403, "forbidden", json={})
    await api.ok("PUT", f"/v1/teams/{team['id']}/links/users/{grace.user_id}", json={})


async def test_nobody_lifts_their_own_restriction(api: Api) -> None:
    grace = await delegate(api)
    rule = await api.make(
        "restriction_rules",
        name="Only Berlin",
        applies_to="contacts",
        restricts=[{"type": "user", "id": str(grace.user_id)}],
        criteria={"field": "address.city", "value": "Berlin"},
    )
    path = f"/v1/restriction_rules/{rule['id']}"
    await grace.fails("PATCH", path, 403, "forbidden", json={"is_active": False})
    await grace.fails("DELETE", path, 403, "forbidden")


async def test_fields_that_are_used_are_named(api: Api) -> None:
    """A custom field that a profile hides, or a rule looks at, is not archived unseen."""
    field = await api.ok("POST", "/v1/meta/contacts/fields", json={"api_name": "tier", "label": "Tier", "type": "text"}, status=201)
    profile = await api.make("profiles", name="Blind", permissions={"*": ["read"]}, fields={"contacts": {"custom_fields.tier": "hidden"}})
    tree = {"field": "custom_fields.tier", "value": "gold"}
    people = {"type": "user", "id": str(api.user_id)}
    rule = await api.make("sharing_rules", name="Gold", applies_to="contacts", criteria=tree, share_with=people)
    limit = await api.make("restriction_rules", name="No gold", applies_to="contacts", criteria={"not": tree}, restricts=[people])
    place = await api.make("territories", name="Gold", rules={"contacts": tree})
    problem = await api.fails("DELETE", f"/v1/meta/contacts/fields/{field['api_name']}", 409, "conflict")
    used = {(use["kind"], use["id"], use["at"]) for use in problem["used_by"]}
    assert used == {
        ("profiles", profile["id"], "/fields/contacts/custom_fields.tier"),
        ("sharing_rules", rule["id"], "/criteria/field"),
        ("restriction_rules", limit["id"], "/criteria/not/field"),
        ("territories", place["id"], "/rules/contacts/field"),
    }
