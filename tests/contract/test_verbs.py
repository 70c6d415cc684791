"""Merge, transfer, single members of lists, links and composites, over HTTP."""

import asyncio

import pytest

from tests.api import Api

pytestmark = pytest.mark.anyio


async def test_a_merge_moves_everything_and_redirects(api: Api) -> None:
    winner = await api.make("accounts", name="Acme", tags=["a"])
    loser = await api.make("accounts", name="ACME Inc", industry="saas", tags=["b"], external_ids={"erp": "7"})
    contact = await api.make("contacts", last_name="King", account_id=loser["id"])
    deal = await api.make("deals", name="Robots", account_id=loser["id"])
    body = {"winner_id": winner["id"], "loser_ids": [loser["id"]]}
    rehearsed = await api.http.post("/v1/accounts/merge", json={**body, "dry_run": True})
    assert rehearsed.status_code == 200, rehearsed.text
    assert (await api.get(contact))["account_id"] == loser["id"]
    merged = await api.ok("POST", "/v1/accounts/merge", json=body)
    assert (merged["id"], merged["industry"], merged["tags"], merged["external_ids"]) == (winner["id"], "saas", ["a", "b"], {"erp": "7"})
    assert (await api.get(contact))["account_id"] == winner["id"]
    assert (await api.get(deal))["account_id"] == winner["id"]
    answer = await api.http.get(f"/v1/accounts/{loser['id']}")
    assert (answer.status_code, answer.headers["location"]) == (301, f"/v1/accounts/{winner['id']}")
    assert answer.json() == {"merged_into": winner["id"]}
    for method, path in (("PATCH", ""), ("DELETE", ""), ("POST", "/restore")):
        await api.fails(
            method, f"/v1/accounts/{loser['id']}{path}", 409, "merged", **({"json": {"name": "x"}} if method == "PATCH" else {})
        )
    events = (await api.ok("GET", "/v1/events", params={"record_id": winner["id"], "event_types": "account.*"}))["data"]
    assert [e["type"] for e in events] == ["account.created", "account.merged"]


async def test_a_wrong_merge_names_its_mistakes(api: Api) -> None:
    account = await api.make("accounts", name="Acme")
    body = {"winner_id": account["id"], "loser_ids": [account["id"]], "field_choices": {"bogus": account["id"]}}
    await api.fails("POST", "/v1/accounts/merge", 422, "validation_failed", json=body)
    problem = await api.fails("POST", "/v1/accounts/merge", 422, "validation_failed", json={"loser_ids": [], "x": 1})
    assert problem["errors"][0]["pointer"] == "/x"


async def test_a_transfer_takes_along_what_the_owner_owned(api: Api) -> None:
    from crm_api.flows.organizations import create_user

    user = await create_user(api.app.state.services.database, org_id=api.org_id, email="grace@corp.example", name="Grace")
    other = str(user)
    account = await api.make("accounts", name="Acme")
    mine = await api.make("contacts", last_name="Mine", account_id=account["id"])
    theirs = await api.make("contacts", last_name="Theirs", account_id=account["id"], owner_id=other)
    moved = await api.ok("POST", f"/v1/accounts/{account['id']}/transfer", json={"to": other, "cascade": ["contacts"]})
    assert moved["owner_id"] == other
    assert (await api.get(mine))["owner_id"] == other
    assert (await api.get(theirs))["version"] == 1
    [event] = (await api.ok("GET", "/v1/events", params={"record_id": mine["id"], "event_types": "contact.updated"}))["data"]
    assert event["cause"]["action"] == "accounts.transfer"
    problem = await api.fails(
        "POST", f"/v1/accounts/{account['id']}/transfer", 422, "validation_failed", json={"to": account["id"], "cascade": ["owner"]}
    )
    assert "contacts" in problem["errors"][0]["allowed"]


async def test_tags_set_in_parallel_are_all_kept(api: Api) -> None:
    account = await api.make("accounts", name="Acme")
    answers = await asyncio.gather(*(api.http.put(f"/v1/accounts/{account['id']}/tags/t{n}") for n in range(20)))
    assert {a.status_code for a in answers} == {200}
    assert sorted((await api.get(account))["tags"]) == sorted(f"t{n}" for n in range(20))
    assert "t3" not in (await api.ok("DELETE", f"/v1/accounts/{account['id']}/tags/t3"))["tags"]
    again = await api.http.delete(f"/v1/accounts/{account['id']}/tags/t3")
    assert (again.status_code, again.headers["x-outcome"]) == (200, "unchanged")


async def test_emails_have_one_primary(api: Api) -> None:
    contact = await api.make("contacts", email="ada@corp.example")
    at = f"/v1/contacts/{contact['id']}/emails"
    changed = await api.ok("PUT", f"{at}/ada@home.example", json={"type": "home", "is_primary": True})
    assert changed["email"] == "ada@home.example"
    assert [(e["address"], e["is_primary"]) for e in changed["emails"]] == [("ada@corp.example", False), ("ada@home.example", True)]
    removed = await api.ok("DELETE", f"{at}/ada@home.example")
    assert (removed["email"], len(removed["emails"])) == ("ada@corp.example", 1)
    await api.fails("PUT", f"{at}/nonsense", 422, "validation_failed")
    address = await api.ok("PUT", f"/v1/contacts/{contact['id']}/addresses/main", json={"city": "Berlin"})
    assert address["address"]["city"] == "Berlin"


async def test_links_carry_roles_and_one_primary(api: Api) -> None:
    deal = await api.make("deals", name="Robots")
    ada, grace = await api.make("contacts", last_name="Ada"), await api.make("contacts", last_name="Grace")
    roles = [role["key"] for role in await api.all("/v1/contact_roles")]
    at = f"/v1/deals/{deal['id']}/links/contacts"
    made = await api.http.put(f"{at}/{ada['id']}", json={"roles": roles[:1], "is_primary": True})
    assert made.status_code == 201, made.text
    link = made.json()
    assert (link["relation"], link["from"]["id"], link["to"]["id"]) == ("deals.contacts", deal["id"], ada["id"])
    again = await api.http.put(f"{at}/{ada['id']}", json={"roles": roles[:1], "is_primary": True})
    assert (again.status_code, again.headers["x-outcome"]) == (200, "unchanged")
    await api.ok("PUT", f"{at}/{grace['id']}", json={"roles": roles[1:2], "is_primary": True})
    page = await api.ok("GET", at)
    assert [(row["record"]["id"], row["link"]["attributes"]["is_primary"]) for row in page["data"]] == [
        (ada["id"], False),
        (grace["id"], True),
    ]
    by_role = await api.ok("GET", f"/v1/deals/{deal['id']}/contacts", params={"link.roles": roles[1]})
    assert [row["id"] for row in by_role["data"]] == [grace["id"]]
    assert by_role["data"][0]["link"]["attributes"]["roles"] == [roles[1]]
    expanded = await api.get(deal, expand="contacts")
    assert {row["id"] for row in expanded["contacts"]["data"]} == {ada["id"], grace["id"]}
    problem = await api.fails("PUT", f"{at}/{ada['id']}", 422, "validation_failed", json={"roles": ["emperor"]})
    assert problem["errors"][0]["pointer"] == "/roles/0"
    assert (await api.get(deal))["version"] == 1
    for record in (deal, ada):
        types = [e["type"] for e in (await api.ok("GET", "/v1/events", params={"record_id": record["id"]}))["data"]]
        assert "link.created" in types
        assert "link.updated" in types
    await api.ok("DELETE", f"{at}/{ada['id']}")
    await api.fails("DELETE", f"{at}/{ada['id']}", 404, "not_found")
    listed = await api.ok("GET", "/v1/links", params={"relation": "deals.contacts"})
    assert [row["to"]["id"] for row in listed["data"]] == [grace["id"]]
    read = await api.ok("POST", "/v1/links/batch/read", json={"items": [{"id": listed["data"][0]["id"]}, {"id": deal["id"]}]}, status=207)
    assert [row["status"] for row in read["results"]] == [200, 404]


async def test_links_in_batches(api: Api) -> None:
    deal = await api.make("deals", name="Robots")
    people = [await api.make("contacts", last_name=f"P{n}") for n in range(3)]
    at = f"/v1/deals/{deal['id']}/links/contacts/batch"
    items = [{"id": person["id"]} for person in people]
    made = await api.ok("POST", f"{at}/put", json={"items": [*items, {"id": deal["id"]}]}, status=207)
    assert [row["status"] for row in made["results"]] == [201, 201, 201, 404]
    atomic = await api.http.post(f"{at}/delete", json={"mode": "atomic", "items": [items[0], {"id": deal["id"]}]})
    assert atomic.status_code == 404
    gone = await api.ok("POST", f"{at}/delete", json={"items": items}, status=207)
    assert [row["outcome"] for row in gone["results"]] == ["deleted"] * 3


async def test_a_composite_is_one_transaction(api: Api) -> None:
    operations = [
        {"ref": "a", "method": "POST", "path": "/v1/accounts", "body": {"name": "$$5 Shop"}},
        {"ref": "c", "method": "POST", "path": "/v1/contacts", "body": {"last_name": "King", "account_id": "$a.id"}},
        {"method": "PATCH", "path": "/v1/accounts/$a.id", "body": {"industry": "retail"}},
        {"method": "GET", "path": "/v1/contacts/$c.id?fields=account.name"},
    ]
    made = await api.ok("POST", "/v1/composite", json={"operations": operations})
    assert [row["status"] for row in made["results"]] == [201, 201, 200, 200]
    assert made["results"][3]["body"]["account"]["name"] == "$5 Shop"
    account = made["results"][2]["body"]
    assert account["version"] == 1
    events = (await api.ok("GET", "/v1/events", params={"record_id": account["id"], "event_types": "account.*"}))["data"]
    assert [(e["type"], e["changes"]["industry"]["new"]) for e in events] == [("account.created", "retail")]
    failing = [operations[0], {"method": "POST", "path": "/v1/contacts", "body": {"last_name": 1}}]
    before = len(await api.all("/v1/accounts"))
    problem = await api.fails("POST", "/v1/composite", 422, "validation_failed", json={"operations": failing})
    assert problem["errors"][0]["pointer"] == "/operations/1/body/last_name"
    assert [row["status"] for row in problem["results"]] == [424, 422]
    assert len(await api.all("/v1/accounts")) == before
    partly = await api.ok("POST", "/v1/composite", json={"atomic": False, "operations": failing})
    assert [row["status"] for row in partly["results"]] == [201, 422]
    assert len(await api.all("/v1/accounts")) == before + 1
    await api.ok("POST", "/v1/composite", json={"dry_run": True, "operations": operations})
    assert len(await api.all("/v1/accounts")) == before + 1


async def test_a_wrong_composite_names_its_mistakes(api: Api) -> None:
    operations = [
        {"method": "BREW", "path": "/v1/x"},
        {"method": "GET", "path": "/etc"},
        {"method": "GET", "path": "/v1/composite", "x": 1},
    ]
    problem = await api.fails("POST", "/v1/composite", 422, "validation_failed", json={"operations": operations})
    assert {e["pointer"] for e in problem["errors"]} == {
        "/operations/0/method",
        "/operations/1/path",
        "/operations/2/path",
        "/operations/2/x",
    }
    many = [{"method": "GET", "path": "/v1/accounts"}] * 101
    await api.fails("POST", "/v1/composite", 422, "validation_failed", json={"operations": many})


async def test_a_token_ends_at_once_and_rotates_with_overlap(api: Api) -> None:
    narrow = await api.with_scopes("accounts:read")
    [mine] = [t for t in (await api.ok("GET", "/v1/tokens"))["data"] if t["scopes"] == ["accounts:read"]]
    rotated = await api.ok("POST", f"/v1/tokens/{mine['id']}/secret/rotate", json={"grace_seconds": 60})
    await narrow.ok("GET", "/v1/accounts")
    await narrow.ok("GET", "/v1/accounts", headers={"authorization": f"Bearer {rotated['secret']}"})
    await api.ok("DELETE", f"/v1/tokens/{mine['id']}")
    await narrow.fails("GET", "/v1/accounts", 401, "token_revoked")
    await narrow.fails("GET", "/v1/accounts", 401, "token_invalid", headers={"authorization": "Bearer crm_pat_" + "x" * 49})
    await narrow.http.aclose()
    problem = await api.fails("POST", "/v1/tokens", 422, "validation_failed", json={"name": "x", "scopes": ["everything"]})
    assert problem["errors"][0]["pointer"] == "/scopes/0"
