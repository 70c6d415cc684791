"""Objects that an organisation makes: changed, archived, restored, purged; and everything that works for all objects works for them."""

from __future__ import annotations

import pytest

from tests.api import Api
from tests.meta.work import done, field, make_object

pytestmark = pytest.mark.anyio


async def test_definitions(org: Api) -> None:
    api = org
    made = await make_object(api, "vessels", "vessel", description="Ships.")
    assert (made["version"], made["plural_label"], made["standard"], made["display_field"]) == (1, "Vessels", False, "name")
    listed = {item["api_name"]: item for item in (await api.ok("GET", "/v1/meta/objects"))["data"]}
    assert listed["vessels"] == made
    assert listed["contacts"]["standard"]
    assert await api.ok("GET", "/v1/meta/objects/vessels") == made
    await api.fails("POST", "/v1/meta/objects", 409, "duplicate", json={"api_name": "vessels", "singular": "ship", "label": "X"})
    await api.fails("POST", "/v1/meta/objects", 422, "reserved_name", json={"api_name": "deals", "singular": "ship", "label": "X"})
    bad = {"api_name": "ships", "singular": "ship", "label": "X", "fields": [{"api_name": "a", "type": "text", "min": 1}]}
    problem = await api.fails("POST", "/v1/meta/objects", 422, "validation_failed", json=bad)
    assert problem["errors"][0]["pointer"] == "/fields/0/min"
    # `name` may be another field while there are no records
    number = await field(api, "vessels", "name", "autonumber", prefix="V")
    assert number["type"] == "autonumber"
    ship = await api.make("vessels")
    assert ship["display_name"] == "V1"
    await api.fails("POST", "/v1/meta/vessels/fields", 409, "duplicate", json={"api_name": "name", "type": "text"})
    await field(api, "vessels", "imo", "text")
    path = "/v1/meta/objects/vessels"
    problem = await api.fails("PATCH", path, 422, "validation_failed", json={"display_field": "x"})
    assert problem["errors"][0]["allowed"] == ["imo", "name"]
    changed = await api.ok("PATCH", path, json={"label": "Ship", "display_field": "imo"}, headers={"if-match": f'"{made["version"]}"'})
    assert (changed["label"], changed["version"], changed["description"]) == ("Ship", 2, "Ships.")
    assert (await api.change(ship, imo="77"))["display_name"] == "77"
    impact = (await api.ok("GET", "/v1/meta/vessels/fields/imo/impact"))["data"]
    assert [(use["kind"], use["at"]) for use in impact] == [("objects", "/display_field")]
    await api.fails("PATCH", "/v1/meta/objects/contacts", 403, "forbidden", json={"label": "X"})
    limits = (await api.ok("GET", "/v1/limits"))["limits"]
    assert limits["custom_objects"] == 200


async def test_archive_restore_purge(org: Api) -> None:
    api = org
    await make_object(api, "vessels", "vessel", fields=[{"api_name": "imo", "type": "text", "unique": True}])
    await field(api, "vessels", "account_id", "reference", target="accounts", inverse="vessels")
    account = await api.make("accounts", name="Acme")
    ship = await api.make("vessels", name="Emma", imo="1", account_id=account["id"])
    path = "/v1/meta/objects/vessels"
    await field(api, "contacts", "ship_id", "reference", target="vessels", inverse="crew")
    ada = await api.make("contacts", first_name="Ada", custom_fields={"ship_id": ship["id"]})
    problem = await api.fails("DELETE", path, 409, "conflict")
    assert problem["used_by"] == ["contacts.ship_id"]
    gone = await api.ok("DELETE", path, params={"force": "true"})
    assert gone["archived"]
    await api.fails("GET", "/v1/vessels", 404, "not_found")
    await api.fails("GET", f"/v1/accounts/{account['id']}/vessels", 404, "not_found")
    assert "ship_id" not in (await api.get(ada))["custom_fields"]
    assert [item["api_name"] for item in (await api.ok("GET", "/v1/meta/objects", params={"archived": "only"}))["data"]] == ["vessels"]
    assert (await api.ok("GET", "/v1/search", params={"q": "emma"}))["data"] == []
    await api.ok("POST", f"{path}/restore")
    assert await api.get(ship) == ship
    assert (await api.get(ada))["custom_fields"]["ship_id"] == ship["id"]
    job = await api.ok("DELETE", path, params={"purge": "true", "force": "true"}, status=202)
    assert (await done(api, job["id"]))["status"] == "succeeded"
    await api.fails("GET", path, 404, "not_found")
    again = await make_object(api, "vessels", "vessel")
    assert again["id"] != gone["id"]
    assert await api.all("/v1/vessels") == []
    for left in (await api.ok("GET", "/v1/jobs", params={"type": "schema"}))["data"]:
        await done(api, left["id"])
    await api.fails("GET", "/v1/meta/contacts/fields/ship_id", 404, "not_found")
    assert (await api.get(ada))["custom_fields"] == {}


async def test_everything_that_objects_can_do(org: Api) -> None:
    api = org
    fields = [
        {"api_name": "imo", "type": "text", "unique": True},
        {"api_name": "length", "type": "number", "indexed": True},
        {"api_name": "flag", "type": "picklist", "options": [{"key": "dk", "label": "DK"}, {"key": "de", "label": "DE"}], "indexed": True},
        {"api_name": "account_id", "type": "reference", "target": "accounts", "inverse": "vessels"},
        {"api_name": "sister_id", "type": "reference", "target": "vessels", "inverse": "sisters"},
        {"api_name": "ports", "type": "reference", "target": "accounts", "multiple": True, "inverse": "calling_vessels"},
    ]
    await make_object(api, "vessels", "vessel", fields=fields)
    account = await api.make("accounts", name="Acme")
    emma = await api.make("vessels", name="Emma", imo="1", length=10, flag="dk", account_id=account["id"])
    ella = await api.make("vessels", name="Ella", imo="2", length=30, flag="de", account_id=account["id"], sister_id=emma["id"])
    # aggregates
    found = await api.ok(
        "POST", "/v1/vessels/aggregate", json={"group_by": ["flag"], "measures": [{"op": "count"}, {"op": "sum", "field": "length"}]}
    )
    assert len(found["groups"] if "groups" in found else found["data"]) == 2
    # links, merge
    await api.ok("PUT", f"/v1/vessels/{ella['id']}/links/ports/{account['id']}", json={}, status=201)
    merged = await api.ok("POST", "/v1/vessels/merge", json={"winner_id": emma["id"], "loser_ids": [ella["id"]]})
    assert merged["id"] == emma["id"]
    assert len(await api.all(f"/v1/accounts/{account['id']}/calling_vessels")) == 1
    moved = await api.http.get(f"/v1/vessels/{ella['id']}")
    assert moved.status_code == 301
    # bulk
    job = await api.ok("POST", "/v1/vessels/bulk", json={"ids": [emma["id"]], "action": "update", "set": {"length": 11}}, status=202)
    assert (await done(api, job["id"]))["status"] == "succeeded"
    assert (await api.get(emma))["length"] == 11
    # timeline, 360
    timeline = await api.http.get(f"/v1/vessels/{emma['id']}/timeline")
    assert timeline.status_code == 200, timeline.text
    # a snapshot
    snapshot = await api.ok("POST", "/v1/events/snapshot", json={"objects": ["vessels"]}, status=202)
    ended = await done(api, snapshot["id"])
    assert [(file["object"], file["rows"]) for file in ended["result"]["files"]] == [("vessels", 1)]
    # scopes
    narrow = await api.with_scopes("vessels:read")
    narrow.http.event_hooks = {"response": []}
    assert len(await narrow.all("/v1/vessels")) == 1
    await narrow.fails("POST", "/v1/vessels", 403, "insufficient_scope", json={"name": "x"})
    await narrow.fails("GET", "/v1/accounts", 403, "insufficient_scope")
    await api.fails("POST", "/v1/tokens", 422, "validation_failed", json={"name": "n", "scopes": ["ships:read"]})
    # transfer
    given = await api.ok("POST", f"/v1/vessels/{emma['id']}/transfer", json={"to": str(api.user_id)})
    assert given["owner_id"] == str(api.user_id)
