"""An organisation's schema described to programs: its own OpenAPI document, types, JSON Schemas, differences, the boot call."""

from __future__ import annotations

from typing import Any

import httpx
import jsonschema_rs
import pytest

from crm_api.http.meta.descriptions import Descriptions, Entry
from tests.api import Api, unchecked
from tests.openapi_validation import Checker, NotDescribed, assert_conforms

pytestmark = pytest.mark.anyio

VESSELS: dict[str, Any] = {
    "api_name": "vessels",
    "singular": "vessel",
    "label": "Vessel",
    "description": "Ships that we charter.",
    "fields": [
        {"api_name": "imo", "type": "text", "label": "IMO number", "unique": True, "required": True},
        {"api_name": "length", "type": "number", "indexed": True, "min": 1},
        {"api_name": "flag", "type": "picklist", "options": [{"key": "dk", "label": "Denmark"}, {"key": "de", "label": "Germany"}]},
        {"api_name": "account_id", "type": "reference", "target": "accounts", "inverse": "vessels"},
        {"api_name": "ports", "type": "reference", "target": "accounts", "multiple": True, "inverse": "calling_vessels"},
    ],
}
TIER: dict[str, Any] = {
    "api_name": "tier",
    "type": "picklist",
    "label": "Tier",
    "indexed": True,
    "options": [{"key": "gold", "label": "Gold"}, {"key": "silver", "label": "Silver"}],
}


async def shaped(api: Api) -> None:
    """Gives the organisation an object and some fields."""
    await api.ok("POST", "/v1/meta/objects", json=VESSELS, status=201)
    await api.ok("POST", "/v1/meta/contacts/fields", json=TIER, status=201)
    await api.ok("POST", "/v1/meta/contacts/fields", json={"api_name": "amount", "type": "decimal", "label": "Amount"}, status=201)


async def narrow(api: Api, *scopes: str) -> Api:
    """A token with few scopes, whose answers are held against what it may see."""
    found = await api.with_scopes(*scopes)
    found.http.event_hooks = {"response": [Checker(lambda: unchecked(found.app, found.token), own=True)]}
    return found


async def document(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = await api.ok("GET", "/v1/meta/openapi.json")
    return found


def named(document: dict[str, Any], path: str, method: str = "get") -> set[str]:
    """The names of an operation's parameters."""
    components = document["components"]["parameters"]
    parameters = document["paths"][path][method]["parameters"]
    return {components[p["$ref"].rpartition("/")[2]]["name"] if "$ref" in p else p["name"] for p in parameters}


async def test_the_document_has_what_the_organisation_added(org: Api) -> None:
    plain = await document(org)
    await shaped(org)
    own = await document(org)
    assert {"/v1/vessels", "/v1/vessels/{id}", "/v1/vessels/search", "/v1/vessels/batch/upsert"} <= own["paths"].keys()
    assert {"/v1/accounts/{id}/vessels", "/v1/accounts/{id}/calling_vessels", "/v1/vessels/{id}/links/ports"} <= own["paths"].keys()
    assert plain["paths"].keys() < own["paths"].keys()
    assert {"imo", "length[gte]", "flag[in]", "account_id", "created_at[within]", "expand"} <= named(own, "/v1/vessels")
    assert {"custom_fields.tier", "custom_fields.tier[in]", "custom_fields.amount[gte]", "email"} <= named(own, "/v1/contacts")
    assert "expand[vessels][limit]" in named(own, "/v1/accounts")
    schemas = own["components"]["schemas"]
    assert schemas["ContactRead"]["properties"]["custom_fields"] == {"$ref": "#/components/schemas/ContactCustomFields"}
    tier = schemas["ContactCustomFields"]["properties"]["tier"]
    assert tier["anyOf"] == [{"$ref": "#/components/schemas/ContactTierOption"}, {"type": "null"}]
    assert schemas["ContactTierOption"]["enum"] == ["gold", "silver"]
    assert tier["description"].startswith("Tier.")
    vessel = schemas["VesselCreate"]
    assert vessel["required"] == ["imo"]
    assert vessel["additionalProperties"] is False
    assert vessel["properties"]["length"]["anyOf"][0] == {"type": "number", "minimum": 1}
    assert schemas["VesselRead"]["properties"]["account"]["anyOf"][0] == {"$ref": "#/components/schemas/AccountRead"}
    assert "vessels" in schemas["AccountRead"]["properties"]
    assert {"vessel.created", "vessel.updated", "vessel.merged"} <= own["webhooks"].keys()
    assert {"name": "vessels", "description": "Ships that we charter."} in own["tags"]
    ids = [operation["operationId"] for methods in own["paths"].values() for operation in methods.values()]
    assert len(set(ids)) == len(ids)


async def test_without_additions_it_is_everybodys(org: Api, anonymous: httpx.AsyncClient) -> None:
    assert await document(org) == (await anonymous.get("/openapi.json")).json()


async def test_answers_are_held_against_it(org: Api) -> None:
    """The hook of these tests sees a wrong value of a field of one's own."""
    await shaped(org)
    checker = Checker(lambda: unchecked(org.app, org.token), own=True)
    described = await checker.description()
    answer = await org.http.post("/v1/vessels", json={"name": "Emma", "imo": "1", "length": 397.7, "flag": "dk"})
    assert_conforms(answer, described)
    with pytest.raises(NotDescribed, match="length"):
        assert_conforms(httpx.Response(201, json={**answer.json(), "length": "long"}, request=answer.request), described)
    contact = await org.http.post("/v1/contacts", json={"last_name": "King", "custom_fields": {"tier": "gold"}})
    wrong = {**contact.json(), "custom_fields": {"tier": "tin"}}
    with pytest.raises(NotDescribed, match="custom_fields/tier"):
        assert_conforms(httpx.Response(201, json=wrong, request=contact.request), described)


async def test_it_shrinks_to_what_the_caller_may_see(org: Api) -> None:
    await shaped(org)
    few = await narrow(org, "contacts:read", "vessels:read")
    seen = await document(few)
    first = {path.split("/")[2] for path in seen["paths"] if path.startswith("/v1/")}
    assert {"contacts", "vessels"} <= first
    assert not {"accounts", "deals", "cases"} & first
    schemas = seen["components"]["schemas"]
    assert not {"AccountRead", "DealRead", "DealList", "CaseCreate"} & schemas.keys()
    assert "account" not in schemas["VesselRead"]["properties"]
    assert "account_id" in schemas["VesselRead"]["properties"]
    assert not any(name.startswith(("deal.", "account.")) for name in seen["webhooks"])
    types = (await few.http.get("/v1/meta/types.ts")).text
    assert "VesselRead" in types
    assert "DealRead" not in types
    overview = await few.ok("GET", "/v1/meta", params={"include": "fields,relations,pipelines,views"})
    assert {o["api_name"] for o in overview["objects"]} == {"contacts", "vessels"}
    assert overview["objects"][0]["permissions"] == {"read": True, "write": False, "delete": False, "export": False, "import": False}
    assert {r["target"] for o in overview["objects"] for r in o["relations"]} <= {"contacts", "vessels"}
    assert overview["pipelines"] == overview["views"] == []
    await few.fails("GET", "/v1/meta/deals", 404, "not_found")
    await few.fails("GET", "/v1/meta/deals/schema.json", 404, "not_found")


async def test_it_is_made_once_and_tagged(org: Api) -> None:
    await shaped(org)
    kept: Descriptions = org.app.state.descriptions
    first = await org.http.get("/v1/meta/openapi.json")
    made = kept.made
    again = await org.http.get("/v1/meta/openapi.json", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert kept.made == made
    packed = await org.http.get("/v1/meta/openapi.json", headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == first.json()
    plain = await org.http.get("/v1/meta/openapi.json", headers={"accept-encoding": "identity"})
    assert plain.content == first.content
    await org.ok("POST", "/v1/meta/contacts/fields", json={"api_name": "later", "type": "boolean"}, status=201)
    changed = await org.http.get("/v1/meta/openapi.json", headers={"if-none-match": first.headers["etag"]})
    assert changed.status_code == 200
    assert "later" in changed.json()["components"]["schemas"]["ContactCustomFields"]["properties"]
    await org.fails("GET", "/v1/meta/openapi.json", 400, "bad_request", headers={"if-none-match": "no tag"})
    await org.fails("GET", "/v1/meta/openapi.json", 400, "unknown_parameter", params={"page": 2})


async def test_organisations_that_added_nothing_share_one(api: Api, other_api: Api) -> None:
    first = await api.http.get("/v1/meta/openapi.json")
    made = api.app.state.descriptions.made
    second = await other_api.http.get("/v1/meta/openapi.json")
    assert second.headers["etag"] == first.headers["etag"]
    assert api.app.state.descriptions.made == made


async def test_descriptions_are_let_go_for_lack_of_room() -> None:
    kept = Descriptions(room=250)
    for number in range(5):
        found = await kept.entry(number, lambda: b"x" * 100)
        assert isinstance(found, Entry)
    assert kept.size == 200
    assert kept.made == 5
    await kept.entry(4, lambda: b"y" * 100)
    assert kept.made == 5
    large = await kept.entry("large", lambda: b"z" * 1_000)
    assert (large.body, kept.size) == (b"z" * 1_000, 0)


@pytest.mark.parametrize("variant", ["read", "create", "update"])
async def test_json_schemas(org: Api, variant: str) -> None:
    await shaped(org)
    schema = await org.ok("GET", "/v1/meta/vessels/schema.json", params={"for": variant})
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    ship = await org.make("vessels", name="Emma", imo="9321483", length=397.7)
    cases: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
        "read": (ship, [{**ship, "length": "long"}, {**ship, "flag": "se"}]),
        "create": ({"name": "Emma", "imo": "1"}, [{"name": "A"}, {"imo": "1", "length": 0}, {"imo": "1", "colour": "red"}, {"imo": None}]),
        "update": ({"length": None}, [{"imo": None}, {"flag": "se"}, {"colour": "red"}]),
    }
    good, bad = cases[variant]
    assert validator.is_valid(good), [error.message for error in validator.iter_errors(good)]
    assert [value for value in bad if validator.is_valid(value)] == []


async def test_json_schemas_of_standard_objects_have_the_custom_fields(org: Api) -> None:
    await shaped(org)
    schema = await org.ok("GET", "/v1/meta/contacts/schema.json", params={"for": "create"})
    validator = jsonschema_rs.Draft202012Validator(schema)
    assert validator.is_valid({"last_name": "King", "custom_fields": {"tier": "gold", "amount": "1.5"}})
    assert not validator.is_valid({"last_name": "King", "custom_fields": {"tier": "tin"}})
    assert not validator.is_valid({"last_name": "King", "custom_fields": {"colour": "red"}})
    for name in ("contacts", "deals", "users", "views"):
        found = await org.ok("GET", f"/v1/meta/{name}/schema.json")
        assert jsonschema_rs.meta.is_valid(found), name
    await org.fails("GET", "/v1/meta/consents/schema.json", 404, "not_found", params={"for": "update"})
    await org.fails("GET", "/v1/meta/contacts/schema.json", 400, "bad_request", params={"for": "delete"})


async def test_types(org: Api) -> None:
    await shaped(org)
    answer = await org.http.get("/v1/meta/types.ts")
    assert answer.headers["content-type"].startswith("text/x-typescript")
    text = answer.text
    assert 'tier?: "gold" | "silver" | null;' in text
    assert 'flag?: "dk" | "de" | null;' in text
    assert "export interface VesselCreate {" in text
    assert "  imo: string;" in text.partition("export interface VesselCreate {")[2].partition("\n}")[0]
    assert "account?: AccountRead | null;" in text.partition("export interface VesselRead {")[2].partition("\n}")[0]
    assert "vessels?: List<VesselRead>;" in text.partition("export interface AccountRead {")[2].partition("\n}")[0]
    assert '"vessel.created"' in text
    assert "vessels: { read: VesselRead; create: VesselCreate; update: VesselUpdate };" in text
    again = await org.http.get("/v1/meta/types.ts", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    everything = await org.http.get("/v1/meta/types.ts", headers={"accept": "*/*"})
    assert everything.text == text


async def test_the_boot_call(org: Api) -> None:
    await shaped(org)
    bare = await org.ok("GET", "/v1/meta")
    assert set(bare) == {"schema_version", "api_version", "objects"}
    assert "fields" not in bare["objects"][0]
    view = await org.make("views", name="Gold", applies_to="contacts", columns=["display_name", "custom_fields.tier"])
    answer = await org.http.get("/v1/meta", params={"include": "fields,relations,pipelines,views,layouts"})
    found = answer.json()
    by_name = {o["api_name"]: o for o in found["objects"]}
    vessels, contacts = by_name["vessels"], by_name["contacts"]
    assert (vessels["label"], vessels["plural_label"], vessels["standard"]) == ("Vessel", "Vessels", False)
    assert vessels["permissions"]["write"] is True
    assert "vessel.created" in vessels["events"]
    fields = {f["path"]: f for f in vessels["fields"]}
    assert [option["label"] for option in fields["flag"]["options"]] == ["Denmark", "Germany"]
    assert fields["imo"]["required"] is True
    assert {"custom_fields.tier", "email"} <= {f["path"] for f in contacts["fields"]}
    relations = {r["name"]: r for r in vessels["relations"]}
    assert relations["account"] == {"name": "account", "kind": "to_one", "target": "accounts", "field": "account_id", "link": None}
    assert relations["ports"]["kind"] == "many_to_many"
    assert [p["is_default"] for p in found["pipelines"]] == [True]
    assert {s["pipeline_id"] for s in found["stages"]} == {found["pipelines"][0]["id"]}
    assert [s["position"] for s in found["stages"]] == sorted(s["position"] for s in found["stages"])
    assert found["vocabularies"]["lead_statuses"]
    assert view["id"] in {v["id"] for v in found["views"]}
    same = await org.http.get(
        "/v1/meta", params={"include": "layouts,views,pipelines,relations,fields"}, headers={"if-none-match": answer.headers["etag"]}
    )
    assert same.status_code == 304
    await org.fails("GET", "/v1/meta", 400, "bad_request", params={"include": "everything"})


async def test_one_object(org: Api) -> None:
    await shaped(org)
    await org.make("views", name="Gold", applies_to="contacts", columns=["display_name"])
    found = await org.ok("GET", "/v1/meta/contacts")
    assert (found["api_name"], [v["name"] for v in found["views"]]) == ("contacts", ["Gold"])
    assert set(found["vocabularies"]) == {"lifecycle_stages"}
    assert "pipelines" not in found
    deals = await org.ok("GET", "/v1/meta/deals")
    assert deals["pipelines"]
    assert deals["views"] == []
    assert (await org.ok("GET", "/v1/meta/vessels"))["schema_version"] == deals["schema_version"]
    await org.fails("GET", "/v1/meta/ships", 404, "not_found")


async def test_differences(org: Api) -> None:
    before = (await org.ok("GET", "/v1/me"))["schema_version"]
    await shaped(org)
    middle = (await org.ok("GET", "/v1/me"))["schema_version"]
    await org.ok("PATCH", "/v1/meta/contacts/fields/tier", json={"label": "Level"})
    await org.ok("DELETE", "/v1/meta/contacts/fields/amount")
    added = await org.ok("GET", "/v1/meta/diff", params={"from": before, "to": middle})
    told = {(c["kind"], c["object"], c["field"]): c["change"] for c in added["changes"]}
    assert told["object", "vessels", None] == "added"
    assert told["field", "vessels", "imo"] == "added"
    assert told["field", "contacts", "tier"] == "added"
    later = await org.ok("GET", "/v1/meta/diff", params={"from": middle})
    told_later = {c["field"]: (c["change"], c["members"]) for c in later["changes"]}
    assert told_later["tier"] == ("changed", {"label": {"old": "Tier", "new": "Level"}})
    assert told_later["amount"][0] == "removed"
    assert (await org.ok("GET", "/v1/meta/diff", params={"from": middle, "to": middle}))["changes"] == []
    back = await org.ok("GET", "/v1/meta/diff", params={"from": middle, "to": before})
    assert {c["change"] for c in back["changes"]} == {"removed"}
    await org.fails("GET", "/v1/meta/diff", 404, "not_found", params={"from": 1, "to": 999})
    await org.fails("GET", "/v1/meta/diff", 400, "bad_request", params={"to": 2})
    few = await narrow(org, "vessels:read")
    seen = await few.ok("GET", "/v1/meta/diff", params={"from": before, "to": middle})
    assert {c["object"] for c in seen["changes"]} == {"vessels"}


async def test_the_changelog(org: Api) -> None:
    found = await org.ok("GET", "/v1/meta/changelog")
    assert found["current"] == found["data"][0]["version"]
    assert found["data"][-1]["title"] == "The first version"


async def test_no_token_no_description(anonymous: httpx.AsyncClient) -> None:
    for path in ("", "/openapi.json", "/types.ts", "/contacts/schema.json", "/diff?from=1", "/changelog", "/contacts"):
        assert (await anonymous.get(f"/v1/meta{path}")).status_code == 401
