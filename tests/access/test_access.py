"""Why somebody may, or may not: explanations, who sees a record, and what answers say of the caller's abilities."""

from __future__ import annotations

from typing import Any

import pytest

from tests.access.people import colleague, share_out
from tests.api import Api, Record

pytestmark = pytest.mark.anyio
ACTIONS = ("read", "update", "delete", "restore", "transfer", "share", "purge")


async def told(who: Api, record: Record, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = await who.ok("GET", f"/v1/{record['object']}/{record['id']}/access", params=params)
    return found


async def deciding(who: Api, record: Record, action: str, **params: Any) -> str:
    kind: str = (await told(who, record, **params))["actions"][action]["decided_by"]["kind"]
    return kind


async def test_a_super_administrator(api: Api) -> None:
    contact = await api.make("contacts", last_name="King")
    found = await told(api, contact)
    assert (found["level"], found["user_id"], found["record"]) == ("full", str(api.user_id), {"object": "contacts", "id": contact["id"]})
    assert {name: verdict["allowed"] for name, verdict in found["actions"].items()} == dict.fromkeys(ACTIONS, True)
    assert found["paths"] == [{"kind": "super_admin", "level": "full"}]
    assert found["access_version"] == (await api.ok("GET", "/v1/me"))["access_version"]


async def test_each_way_is_named(api: Api) -> None:
    head = await api.make("roles", name="Head")
    below = await api.make("roles", name="Below", parent_id=head["id"])
    boss, grace = await colleague(api, role_id=head["id"]), await colleague(api, role_id=below["id"])
    bob = await colleague(api)
    contact = await grace.make("contacts", last_name="King", address={"city": "Berlin"})
    assert await deciding(bob, contact, "delete") == "organization_default"
    await share_out(api, contacts="private")
    assert await deciding(grace, contact, "delete") == "owner"
    found = await told(boss, contact)
    assert found["actions"]["delete"]["decided_by"] == {"kind": "role_hierarchy", "level": "full", "owner_id": str(grace.user_id)}
    await bob.fails("GET", f"/v1/contacts/{contact['id']}/access", 404, "not_found")

    rule = await api.make(
        "sharing_rules",
        name="Berlin",
        applies_to="contacts",
        criteria={"field": "address.city", "value": "Berlin"},
        share_with={"type": "user", "id": str(bob.user_id)},
    )
    found = await told(bob, contact)
    assert found["actions"]["read"]["decided_by"] == {"kind": "sharing_rule", "level": "read", "rule_id": rule["id"], "name": "Berlin"}
    assert found["actions"]["update"] == {"allowed": False, "decided_by": {"kind": "level", "level": "read"}}

    share = await grace.ok(
        "POST", f"/v1/contacts/{contact['id']}/shares", json={"user_id": str(bob.user_id), "access": "write"}, status=201
    )
    way = (await told(bob, contact))["actions"]["update"]["decided_by"]
    assert (way["kind"], way["share_id"], way["expires_at"]) == ("share", share["id"], None)
    await grace.ok("PUT", f"/v1/contacts/{contact['id']}/co_owners/{bob.user_id}")
    assert await deciding(bob, contact, "transfer") == "co_owner"
    assert [path["kind"] for path in (await told(bob, contact))["paths"]] == ["co_owner", "sharing_rule"]
    assert await deciding(bob, contact, "purge") == "profile"

    await api.ok("PATCH", "/v1/org", json={"sharing": {"hierarchy": "managers"}})
    await boss.fails("GET", f"/v1/contacts/{contact['id']}/access", 404, "not_found")
    await api.change({"object": "users", "id": str(grace.user_id)}, manager_id=str(boss.user_id))
    assert await deciding(boss, contact, "delete") == "manager_chain"


async def test_what_forbids_is_named(api: Api) -> None:
    grace = await colleague(api)
    contact = await api.make("contacts", last_name="King", address={"city": "Bonn"})
    rule = await api.make(
        "restriction_rules",
        name="Only Berlin",
        applies_to="contacts",
        restricts=[{"type": "user", "id": str(grace.user_id)}],
        criteria={"field": "address.city", "value": "Berlin"},
    )
    found = await told(api, contact, user_id=str(grace.user_id))
    assert found["level"] is None
    assert found["restrictions"] == [{"rule_id": rule["id"], "name": "Only Berlin"}]
    assert found["actions"]["read"]["decided_by"] == {"kind": "restriction_rule", "rule_id": rule["id"], "name": "Only Berlin"}
    profile = await api.make("profiles", name="Readers", permissions={"*": ["read"]})
    reader = await colleague(api, profile_id=profile["id"])
    blocked = (await told(reader, contact))["actions"]["update"]["decided_by"]
    assert blocked == {"kind": "profile", "profile_id": profile["id"], "profile": None, "action": "update"}
    narrow = await api.with_scopes("contacts:read")
    assert await deciding(narrow, contact, "update") == "scope"


async def test_view_all_and_modify_all(api: Api) -> None:
    await share_out(api, contacts="private")
    contact = await api.make("contacts", last_name="King")
    actions = ["read", "update", "delete"]
    seer = await api.make("profiles", name="Seers", permissions={"contacts": [*actions, "view_all"]})
    doer = await api.make("profiles", name="Doers", permissions={"contacts": [*actions, "modify_all"]})
    one, two = await colleague(api, profile_id=seer["id"]), await colleague(api, profile_id=doer["id"])
    assert await deciding(one, contact, "read") == "view_all"
    assert await deciding(one, contact, "update") == "level"
    assert await deciding(two, contact, "delete") == "modify_all"


async def test_whose_access_may_be_asked_for(api: Api) -> None:
    grace, bob = await colleague(api), await colleague(api)
    await share_out(api, contacts="read")
    contact = await grace.make("contacts", last_name="King")
    path = f"/v1/contacts/{contact['id']}/access"
    assert (await told(grace, contact, user_id=str(bob.user_id)))["level"] == "read"
    await bob.fails("GET", path, 403, "forbidden", params={"user_id": str(grace.user_id)})
    await bob.fails("GET", f"{path}/users", 403, "forbidden")
    await api.fails("GET", path, 400, "bad_request", params={"user_id": "seven"})
    await api.fails("GET", path, 400, "bad_request", params={"user_id": contact["id"]})
    await api.fails("GET", path, 400, "unknown_parameter", params={"who": "me"})
    await api.ok("DELETE", f"/v1/contacts/{contact['id']}")
    await api.fails("GET", path, 410, "deleted")


async def test_who_sees_it_page_by_page(api: Api) -> None:
    people = [await colleague(api) for _ in range(4)]
    contact = await api.make("contacts", last_name="King")
    found = await api.all(f"/v1/contacts/{contact['id']}/access/users", limit=2)
    assert [row["user_id"] for row in found] == sorted(str(one.user_id) for one in (api, *people))
    assert {row["decided_by"]["kind"] for row in found} == {"super_admin", "organization_default"}
    assert all(row["name"] for row in found)
    await share_out(api, contacts="private")
    [left] = await api.all(f"/v1/contacts/{contact['id']}/access/users")
    assert left["user_id"] == str(api.user_id)


async def test_fields_that_are_closed(api: Api) -> None:
    """What is hidden is named to those alone who see it."""
    fields = {"contacts": {"birthdate": "hidden", "title": "read_only"}}
    profile = await api.make("profiles", name="Blind", permissions={"*": ["read", "update"]}, fields=fields)
    grace = await colleague(api, profile_id=profile["id"])
    contact = await api.make("contacts", last_name="King")
    own = await told(grace, contact)
    assert (own["hidden_fields"], own["read_only_fields"]) == ([], ["title"])
    seen = await told(api, contact, user_id=str(grace.user_id))
    assert (seen["hidden_fields"], seen["read_only_fields"]) == (["birthdate"], ["title"])


async def test_records_that_hang_on_others(api: Api) -> None:
    """A comment is reached as its case is; the explanation goes through it."""
    await share_out(api, cases="private")
    grace, bob = await colleague(api), await colleague(api)
    case = await grace.make("cases", subject="Broken")
    comment = await grace.make("case_comments", case_id=case["id"], body={"format": "text", "content": "Since when?"})
    found = (await told(grace, comment))["actions"]["read"]["decided_by"]
    assert (found["kind"], found["through"]) == ("owner", {"object": "cases", "id": case["id"]})
    await bob.fails("GET", f"/v1/case_comments/{comment['id']}/access", 404, "not_found")
    share = {"user_id": str(bob.user_id), "access": "read"}
    await grace.ok("POST", f"/v1/cases/{case['id']}/shares", json=share, status=201)
    assert await deciding(bob, comment, "read") == "share"
    assert (await told(bob, comment))["actions"]["update"]["allowed"] is False


async def test_objects_that_nobody_owns(api: Api) -> None:
    role = await api.make("roles", name="Head")
    grace = await colleague(api)
    found = await told(grace, role)
    assert found["actions"]["read"] == {"allowed": True, "decided_by": {"kind": "object", "level": "full"}}
    assert found["actions"]["update"]["decided_by"]["kind"] == "profile"
    assert "share" not in found["actions"]
    await api.fails("GET", f"/v1/roles/{role['id']}/access/users", 404, "not_found")


# --- abilities ------------------------------------------------------------------------------------------------------------

FREE = {"update": True, "delete": True, "transfer": True, "share": True, "read_only_fields": []}


async def test_abilities_come_with_every_answer(api: Api) -> None:
    fields = {"contacts": {"title": "read_only"}}
    actions = ["read", "create", "update", "delete", "transfer", "share"]
    profile = await api.make("profiles", name="Sales", permissions={"*": actions}, fields=fields)
    grace = await colleague(api, profile_id=profile["id"])
    await share_out(api, contacts="read")
    other = await api.make("contacts", last_name="King")
    about = {"include": "abilities"}
    made = await grace.ok("POST", "/v1/contacts", json={"last_name": "Hopper"}, params=about, status=201)
    mine = {**FREE, "read_only_fields": ["title"]}
    theirs = {"update": False, "delete": False, "transfer": False, "share": False, "read_only_fields": ["title"]}
    assert made["abilities"] == mine
    assert (await grace.ok("PATCH", f"/v1/contacts/{made['id']}", json={"last_name": "H"}, params=about))["abilities"] == mine
    assert (await grace.get(made, **about))["abilities"] == mine
    assert (await grace.get(other, **about))["abilities"] == theirs
    listed = {record["id"]: record["abilities"] for record in await grace.all("/v1/contacts", **about)}
    assert listed == {made["id"]: mine, other["id"]: theirs}
    found = await grace.ok("POST", "/v1/contacts/search", json={"include": ["abilities", "labels"], "fields": ["id"]})
    assert {record["id"]: record["abilities"] for record in found["data"]} == listed
    items = {"items": [{"id": other["id"]}, {"id": made["id"]}]}
    read = await grace.ok("POST", "/v1/contacts/batch/read", json=items, params=about, status=207)
    assert [result["record"]["abilities"] for result in read["results"]] == [theirs, mine]
    board = await grace.ok("GET", "/v1/contacts/board", params={**about, "group_by": "lifecycle_stage"})
    assert {card["id"]: card["abilities"] for column in board["columns"] for card in column["data"]} == listed
    assert "abilities" not in await grace.get(other)
    await grace.fails("GET", "/v1/contacts", 400, "bad_request", params={"include": "powers"})


async def test_expanded_records_tell_theirs(api: Api) -> None:
    await share_out(api, accounts="private")
    account = await api.make("accounts", name="Acme")
    contact = await api.make("contacts", last_name="King", account_id=account["id"])
    grace = await colleague(api)
    await api.ok("POST", f"/v1/accounts/{account['id']}/shares", json={"user_id": str(grace.user_id), "access": "read"}, status=201)
    found = await grace.get(contact, expand="account", include="abilities")
    assert (found["abilities"]["update"], found["account"]["abilities"]["update"]) == (True, False)


async def test_abilities_are_what_the_explanation_says(api: Api) -> None:
    """Of every object alike, whether its records have owners, hang on others, or belong to nobody."""
    await share_out(api, contacts="read", cases="private")
    grace = await colleague(api)
    case = await grace.make("cases", subject="Broken")
    made = [
        await api.make("contacts", last_name="King"),
        await grace.make("contacts", last_name="Hopper"),
        await api.make("roles", name="Head"),
        case,
        await grace.make("case_comments", case_id=case["id"], body={"format": "text", "content": "Since when?"}),
        await grace.make("notes", body={"format": "text", "content": "Later."}),
        await grace.make("views", name="Mine", applies_to="contacts", columns=["last_name"]),
    ]
    for record in made:
        abilities = (await grace.get(record, include="abilities"))["abilities"]
        actions = (await told(grace, record))["actions"]
        for action in ("update", "delete", "transfer", "share"):
            assert abilities[action] == actions.get(action, {"allowed": False})["allowed"], (record["object"], action)


async def test_tokens_can_do_no_more_than_they_may(api: Api) -> None:
    contact = await api.make("contacts", last_name="King")
    narrow = await api.with_scopes("contacts:read")
    assert (await narrow.get(contact, include="abilities"))["abilities"] == {**dict.fromkeys(FREE, False), "read_only_fields": []}
    assert (await api.get(contact, include="abilities"))["abilities"] == FREE
