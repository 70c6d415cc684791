"""Fields and objects that an organisation adds work in the very next request, in every way that standard ones do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import Api

pytestmark = pytest.mark.anyio


async def add_field(api: Api, object_name: str, api_name: str, type_: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = await api.ok(
        "POST", f"/v1/meta/{object_name}/fields", json={"api_name": api_name, "type": type_, **more}, status=201
    )
    return found


async def test_a_field_of_a_standard_object(org: Api) -> None:
    api = org
    options = [{"key": "gold", "label": "Gold"}, {"key": "silver", "label": "Silver"}]
    await add_field(api, "contacts", "tier", "picklist", options=options, indexed=True)
    await add_field(api, "contacts", "badge", "text", unique=True)
    await add_field(api, "contacts", "score_x", "decimal", indexed=True)
    await add_field(api, "contacts", "sponsor_id", "reference", target="accounts", inverse="sponsored")
    account = await api.make("accounts", name="Acme")
    ada = await api.make(
        "contacts",
        first_name="Ada",
        custom_fields={"tier": "gold", "badge": "Ä-1", "score_x": "10.50", "sponsor_id": account["id"]},
    )
    bob = await api.make("contacts", first_name="Bob", custom_fields={"score_x": "9"})
    assert ada["custom_fields"] == {"tier": "gold", "badge": "Ä-1", "score_x": "10.5", "sponsor_id": account["id"]}
    assert bob["custom_fields"] == {"tier": None, "badge": None, "score_x": "9", "sponsor_id": None}
    assert await api.get(ada) == ada

    async def ids(**params: Any) -> list[str]:
        return [row["first_name"] for row in await api.all("/v1/contacts", **params)]

    assert await ids(**{"custom_fields.tier": "gold"}) == ["Ada"]
    assert await ids(**{"custom_fields.tier[ne]": "gold"}) == ["Bob"]
    assert await ids(**{"custom_fields.badge": "a-1"}) == ["Ada"]
    assert await ids(**{"custom_fields.score_x[gt]": "9.5"}) == ["Ada"]
    assert await ids(sort="custom_fields.score_x") == ["Bob", "Ada"]
    assert await ids(sort="-custom_fields.tier") == ["Ada", "Bob"]
    assert await ids(**{"sponsor.name": "acme"}) == ["Ada"]
    assert await ids(q="a-1") == ["Ada"]
    assert [row["id"] for row in await api.all(f"/v1/accounts/{account['id']}/sponsored")] == [ada["id"]]
    shown = await api.ok("GET", f"/v1/contacts/{ada['id']}", params={"fields": "custom_fields.tier,sponsor.name", "expand": "sponsor"})
    assert shown["custom_fields"] == {"tier": "gold"}
    assert shown["sponsor"]["name"] == "Acme"
    found = await api.ok("GET", "/v1/contacts/by/custom_fields.badge/%C3%84-1")
    assert found["id"] == ada["id"]
    problem = await api.fails("POST", "/v1/contacts", 409, "duplicate", json={"first_name": "Eve", "custom_fields": {"badge": "ä-1"}})
    assert problem["existing"] == [{"object": "contacts", "id": ada["id"], "field": "custom_fields.badge"}]
    wrong = {"custom_fields": {"tier": "tin", "x": 1}}
    problem = await api.fails("PATCH", f"/v1/contacts/{ada['id']}", 422, "validation_failed", json=wrong)
    assert [e["pointer"] for e in problem["errors"]] == ["/custom_fields/tier", "/custom_fields/x"]
    changed = await api.change(ada, custom_fields={"tier": None})
    assert changed["version"] == 2
    history = await api.ok("GET", f"/v1/contacts/{ada['id']}/history", params={"field": "custom_fields.tier"})
    assert history["data"][0]["changes"] == {"custom_fields.tier": {"old": "gold", "new": None}}
    gold = {"filter": {"field": "custom_fields.tier", "value": "gold"}}
    past = await api.ok("POST", "/v1/contacts/search", params={"as_of": ada["updated_at"]}, json=gold)
    assert [row["id"] for row in past["data"]] == [ada["id"]]
    await api.fails("DELETE", f"/v1/accounts/{account['id']}", 409, "conflict")
    await api.ok("DELETE", f"/v1/accounts/{account['id']}", params={"on_children": "detach"})
    assert (await api.get(ada))["custom_fields"]["sponsor_id"] is None


async def test_an_object_of_ones_own(org: Api) -> None:
    api = org
    await api.ok(
        "POST",
        "/v1/meta/objects",
        json={
            "api_name": "vessels",
            "singular": "vessel",
            "label": "Vessel",
            "fields": [
                {"api_name": "imo", "type": "text", "unique": True, "required": True},
                {"api_name": "length", "type": "number", "indexed": True},
                {"api_name": "account_id", "type": "reference", "target": "accounts", "inverse": "vessels"},
                {"api_name": "number", "type": "autonumber", "prefix": "V-", "padding": 5},
                {"api_name": "ports", "type": "reference", "target": "accounts", "multiple": True, "inverse": "calling_vessels"},
            ],
        },
        status=201,
    )
    account = await api.make("accounts", name="Maersk", domain="maersk.example")
    ship = await api.make("vessels", name="Emma", imo="9321483", length=397.7, account_id={"by": "domain", "value": "maersk.example"})
    assert ship["object"] == "vessels"
    assert ship["number"] == "V-00001"
    assert ship["display_name"] == "Emma"
    assert ship["account_id"] == account["id"]
    assert "custom_fields" not in ship
    assert [row["id"] for row in await api.all("/v1/vessels", imo="9321483")] == [ship["id"]]
    assert [row["id"] for row in await api.all("/v1/vessels", sort="-length", **{"account.name": "maersk"})] == [ship["id"]]
    assert [row["id"] for row in await api.all(f"/v1/accounts/{account['id']}/vessels")] == [ship["id"]]
    tree = {"field": "vessels", "any": {"field": "length", "op": "gt", "value": 300}}
    assert [row["id"] for row in (await api.ok("POST", "/v1/accounts/search", json={"filter": tree}))["data"]] == [account["id"]]
    await api.ok("PUT", f"/v1/vessels/{ship['id']}/links/ports/{account['id']}", json={}, status=201)
    assert len(await api.all(f"/v1/accounts/{account['id']}/calling_vessels")) == 1
    renamed = await api.change(ship, name="Emma M", length=398)
    assert (renamed["display_name"], renamed["version"]) == ("Emma M", 2)
    events = (await api.ok("GET", "/v1/events", params={"object": "vessels"}))["data"]
    assert [event["type"] for event in events] == ["vessel.created", "vessel.updated"]
    assert events[1]["changes"] == {"name": {"old": "Emma", "new": "Emma M"}, "length": {"old": 397.7, "new": 398}}
    assert events[1]["record"]["name"] == "Emma M"
    hits = await api.ok("GET", "/v1/search", params={"q": "emma"})
    assert [hit["object"] for hit in hits["data"]] == ["vessels"]
    problem = await api.fails("POST", "/v1/vessels", 422, "validation_failed", json={"name": "X", "colour": "red"})
    assert sorted(e["pointer"] for e in problem["errors"]) == ["/colour"]
    problem = await api.fails("POST", "/v1/vessels", 422, "validation_failed", json={"name": "X"})
    assert [e["pointer"] for e in problem["errors"]] == ["/imo"]
    past = await api.ok("GET", f"/v1/vessels/{ship['id']}", params={"as_of": ship["updated_at"]})
    assert past["name"] == "Emma"
    batch = await api.ok(
        "POST",
        "/v1/vessels/batch/upsert",
        json={"match_on": "imo", "items": [{"imo": "9321483", "length": 1}, {"imo": "1", "name": "New"}]},
    )
    assert [result["status"] for result in batch["results"]] == [200, 201]
    await api.ok("DELETE", f"/v1/vessels/{ship['id']}")
    await api.fails("GET", f"/v1/vessels/{ship['id']}", 410, "deleted")
    await api.ok("POST", f"/v1/vessels/{ship['id']}/restore")
    await api.fails("GET", "/v1/ships", 404, "not_found")
    await api.fails("GET", f"/v1/vessels/{account['id']}", 404, "not_found")
