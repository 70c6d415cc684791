"""Configuration as one document: equal bytes, differences, all-or-nothing, and the way back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import Api

pytestmark = pytest.mark.anyio
Document = dict[str, Any]


async def export(api: Api) -> Document:
    found: Document = await api.ok("GET", "/v1/config/export")
    return found


async def apply(api: Api, config: Document, **more: Any) -> Document:
    found: Document = await api.ok("POST", "/v1/config/apply", json={"config": config, **more})
    return found


async def differences(api: Api, **body: Any) -> list[Document]:
    found: list[Document] = (await api.ok("POST", "/v1/config/diff", json=body))["changes"]
    return found


async def shape(api: Api) -> None:
    """A configuration of one's own."""
    partner = await api.make("pipelines", name="Partners / EMEA")
    for index, (name, category) in enumerate((("Talk", "open"), ("Signed", "won"), ("Gone", "lost"))):
        await api.make("stages", name=name, pipeline_id=partner["id"], category=category, position=index)
    await api.make("contact_roles", key="legal", label="Legal counsel")
    statuses = {row["key"]: row for row in await api.all("/v1/lead_statuses")}
    await api.change(statuses["contacted"], label="Talked to", is_default=True)
    [negotiation] = [row for row in await api.all("/v1/stages") if row["name"] == "Negotiation"]
    await api.change(negotiation, probability=0.75, required_fields=["amount"])
    view = await api.make(
        "views",
        name="At the table",
        applies_to="deals",
        visibility="shared",
        columns=["name", "amount"],
        criteria=[{"field": "stage_id", "op": "eq", "value": negotiation["id"]}],
    )
    await api.make("views", name="Mine", applies_to="deals", columns=["name"])
    await api.make("widgets", name="Hot", type="list", source_view_id=view["id"], applies_to="deals")
    await api.ok("PATCH", "/v1/org", json={"currency": "CHF", "time_zone": "Europe/Zurich"})


async def test_equal_configurations_are_equal_bytes(api: Api, other_api: Api) -> None:
    for made in (api, other_api):
        await shape(made)
    first, second = [await made.http.get("/v1/config/export") for made in (api, other_api)]
    assert first.content == second.content
    assert (await api.http.get("/v1/config/export")).content == first.content
    text = first.text
    assert api.org_id.hex not in text
    for stage in await api.all("/v1/stages"):
        assert stage["id"] not in text
    document = first.json()
    assert [view["name"] for view in document["views"]] == ["At the table"]
    assert document["widgets"][0]["source_view_id"] == "deals/At the table"
    assert document["views"][0]["criteria"][0]["value"] == {"$config": "stages:deals%2FSales/Negotiation"}
    assert document["settings"]["currency"] == "CHF"


async def test_from_one_organisation_to_another_and_back(api: Api, other_api: Api) -> None:
    before = await export(other_api)
    await shape(api)
    wanted = await export(api)
    told = await differences(other_api, to=wanted)
    assert {change["path"].split("/")[1] for change in told} == {
        "contact_roles", "lead_statuses", "pipelines", "settings", "stages", "views", "widgets",
    }  # fmt: skip
    assert {"path": "/stages/deals%2FSales~1Negotiation/probability", "op": "change", "old": 0.8, "new": 0.75} in told
    trial = await apply(other_api, wanted, dry_run=True)
    assert (trial["changes"], trial["applied"], trial["snapshot_id"]) == (told, False, None)
    assert await export(other_api) == before
    done = await apply(other_api, wanted)
    assert (done["changes"], done["applied"]) == (told, True)
    assert (await other_api.http.get("/v1/config/export")).content == (await api.http.get("/v1/config/export")).content
    head = (await other_api.ok("GET", "/v1/me"))["events_cursor"]
    again = await apply(other_api, wanted)
    assert (again["changes"], again["applied"], again["snapshot_id"]) == ([], False, None)
    assert (await other_api.ok("GET", "/v1/me"))["events_cursor"] == head
    assert await differences(other_api, to=wanted) == []
    [snapshot] = (await other_api.ok("GET", "/v1/config/snapshots"))["data"]
    assert (snapshot["id"], snapshot["reason"]) == (done["snapshot_id"], "apply")
    assert (await other_api.ok("GET", f"/v1/config/snapshots/{snapshot['id']}"))["config"] == before
    back = await other_api.ok("POST", "/v1/config/rollback", json={"to": snapshot["id"]})
    assert back["applied"] is True
    assert await export(other_api) == before
    forth = await other_api.ok("POST", "/v1/config/rollback", json={"to": back["snapshot_id"]})
    assert forth["applied"] is True
    assert await export(other_api) == wanted


async def test_filters_of_segments_are_configuration_and_members_are_not(api: Api, other_api: Api) -> None:
    pipeline = await api.make("pipelines", name="Partners")
    talk = await api.make("stages", name="Talk", pipeline_id=pipeline["id"])
    deal = await api.make("deals", name="D", stage_id=talk["id"])
    tree = {"and": [{"field": "stage_id", "value": talk["id"]}, {"field": "amount", "op": "is_null"}]}
    dynamic = await api.make("segments", name="Talking", applies_to="deals", kind="dynamic", filter=tree)
    static = await api.make("segments", name="Chosen", applies_to="deals")
    await api.ok("PUT", f"/v1/segments/{static['id']}/members/{deal['id']}")
    wanted = await export(api)
    [item] = wanted["segments"]
    assert (item["name"], item["applies_to"], item["kind"]) == ("Talking", "deals", "dynamic")
    assert item["filter"]["and"][0]["value"] == {"$config": "stages:deals%2FPartners/Talk"}
    assert set(item) == {"name", "applies_to", "kind", "description", "filter"}
    kept = await other_api.make("segments", name="Talking", applies_to="deals")  # a static one of this name is another
    done = await apply(other_api, {**wanted, "settings": {}})
    assert "/segments/deals~1Talking" in {change["path"].replace("%2F", "~1") for change in done["changes"]}
    assert (await export(other_api))["segments"] == wanted["segments"]
    theirs = await other_api.all("/v1/segments")
    assert sorted((row["name"], row["kind"]) for row in theirs) == [("Talking", "dynamic"), ("Talking", "static")]
    assert (await apply(other_api, {**wanted, "settings": {}}))["applied"] is False
    # another filter, and back
    [there] = [row for row in theirs if row["kind"] == "dynamic"]
    await other_api.change(there, filter={"field": "name", "value": "x"})
    assert [change["op"] for change in await differences(other_api, to={**wanted, "settings": {}})] == ["change"]
    await other_api.ok("POST", "/v1/config/rollback", json={"to": done["snapshot_id"]})
    assert [row["id"] for row in await other_api.all("/v1/segments")] == [kept["id"]]
    # members and static ones are no part of it
    wrong = {"format": 1, "segments": [{"name": "Chosen", "applies_to": "deals", "kind": "static"}]}
    problem = await api.fails("POST", "/v1/config/apply", 422, "validation_failed", json={"config": wrong})
    assert [(error["pointer"], error["allowed"]) for error in problem["errors"]] == [("/segments/0/kind", ["dynamic"])]
    await apply(api, {"format": 1, "segments": []}, prune=True)
    assert [row["id"] for row in await api.all("/v1/segments")] == [static["id"]]
    assert dynamic["id"] not in {row["id"] for row in await api.all("/v1/segments")}


async def test_what_is_left_out_stays_unless_pruned(api: Api) -> None:
    await api.make("contact_roles", key="legal", label="Legal counsel")
    some = {"format": 1, "contact_roles": [{"key": "board", "label": "Board member"}]}
    done = await apply(api, some)
    assert [(change["path"], change["op"]) for change in done["changes"]] == [("/contact_roles/board", "add")]
    keys = [role["key"] for role in (await export(api))["contact_roles"]]
    assert {"board", "legal", "champion"} <= set(keys)
    await apply(api, {"format": 1, "contact_roles": [{"key": "legal"}]}, prune=True)
    assert [role["key"] for role in (await export(api))["contact_roles"]] == ["legal"]
    told = await api.ok("GET", "/v1/events", params={"event_types": "contact_role.deleted", "limit": 100})
    assert {event["cause"]["action"] for event in told["data"]} == {"config.apply"}


async def test_all_or_nothing(api: Api) -> None:
    before = await export(api)
    broken = {
        "format": 1,
        "contact_roles": [{"key": "legal", "label": "Legal counsel"}],
        "stages": [{"pipeline_id": "deals/Sales", "name": "Odd", "category": "nowhere"}],
        "lifecycle_stages": [{"key": "new", "label": "New"}],
    }
    problem = await api.fails("POST", "/v1/config/apply", 422, "validation_failed", json={"config": broken})
    assert [error["pointer"] for error in problem["errors"]] == ["/stages/0/category"]
    assert await export(api) == before
    assert (await api.ok("GET", "/v1/config/snapshots"))["data"] == []
    # what is in use can't be rolled back from under it
    done = await apply(api, {"format": 1, "stages": [{"pipeline_id": "deals/Sales", "name": "Odd", "position": 6}]})
    [stage] = [row for row in await api.all("/v1/stages") if row["name"] == "Odd"]
    await api.make("deals", name="Stuck", stage_id=stage["id"])
    await api.fails("POST", "/v1/config/rollback", 409, "conflict", json={"to": done["snapshot_id"]})
    assert [row for row in await api.all("/v1/stages") if row["name"] == "Odd"]


@pytest.mark.parametrize(
    ("config", "pointer", "code"),
    [
        ({}, "/format", "enum"),
        ({"format": 2}, "/format", "enum"),
        ({"format": 1, "contacts": []}, "/contacts", "unknown_field"),
        ({"format": 1, "settings": {"colour": 1}}, "/settings/colour", "unknown_field"),
        ({"format": 1, "stages": {}}, "/stages", "type"),
        ({"format": 1, "stages": [{"name": "X"}]}, "/stages/0/pipeline_id", "required"),
        ({"format": 1, "stages": [{"name": "X", "pipeline_id": "deals/None"}]}, "/stages/0/pipeline_id", "unresolved_reference"),
        ({"format": 1, "contact_roles": [{"key": "x", "label": "X", "size": 1}]}, "/contact_roles/0/size", "unknown_field"),
    ],
)
async def test_mistakes_are_named(api: Api, config: Document, pointer: str, code: str) -> None:
    problem = await api.fails("POST", "/v1/config/apply", 422, "validation_failed", json={"config": config})
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, code)]


async def test_it_is_for_administrators(api: Api) -> None:
    reader = await api.with_scopes("*:read")
    await reader.fails("GET", "/v1/config/export", 403, "insufficient_scope")
    await reader.fails("POST", "/v1/config/apply", 403, "insufficient_scope", json={"config": {"format": 1}})
    await reader.http.aclose()
    await api.fails("GET", "/v1/config/snapshots/none", 404, "not_found")


async def test_objects_and_fields_go_with_it(api: Api, other_api: Api) -> None:
    wanted = {
        "format": 1,
        "objects": [{"api_name": "vessels", "singular": "vessel", "label": "Vessel", "plural_label": "Vessels"}],
        "fields": [
            {
                "object": "accounts",
                "api_name": "net",
                "label": "Net",
                "type": "formula",
                "properties": {"formula": "custom_fields.gross * 2", "returns": "decimal"},
            },
            {"object": "accounts", "api_name": "gross", "label": "Gross", "type": "decimal"},
            {
                "object": "accounts",
                "api_name": "tier",
                "label": "Tier",
                "type": "picklist",
                "indexed": True,
                "properties": {"options": [{"key": "gold", "label": "Gold"}, {"key": "tin", "label": "Tin"}]},
            },
            {"object": "vessels", "api_name": "flag", "label": "Flag", "type": "text"},
            {"object": "contacts", "api_name": "title", "standard": True, "label": "Position", "properties": {"help": "On the card."}},
        ],
        "views": [{"applies_to": "vessels", "name": "Flags", "visibility": "shared", "columns": ["flag"]}],
    }
    for made in (api, other_api):
        before = await export(made)
        done = await apply(made, wanted)
        assert done["applied"] is True
        assert (await apply(made, wanted))["changes"] == []
    assert (await api.http.get("/v1/config/export")).content == (await other_api.http.get("/v1/config/export")).content
    vessel = await api.make("vessels", flag="PA")
    account = await api.make("accounts", name="Acme", custom_fields={"tier": "gold", "gross": "21"})
    assert (await api.get(account))["custom_fields"]["net"] == "42"
    changed = await export(api)
    [tier] = [field for field in changed["fields"] if field["api_name"] == "tier"]
    tier["label"] = "Level"
    tier["properties"]["options"].append({"key": "zinc", "label": "Zinc"})
    told = await apply(api, changed)
    assert [change["path"] for change in told["changes"]] == ["/fields/accounts~1tier/label", "/fields/accounts~1tier/properties"]
    await api.make("accounts", name="Zinc", custom_fields={"tier": "zinc"})
    [first] = (await other_api.ok("GET", "/v1/config/snapshots"))["data"]
    await other_api.ok("POST", "/v1/config/rollback", json={"to": first["id"]})
    assert await export(other_api) == before
    await other_api.fails("GET", "/v1/vessels", 404, "not_found")
    again = await apply(other_api, wanted)  # what was archived is brought back
    assert again["applied"] is True
    assert await other_api.all("/v1/vessels") == []
    assert (await api.get(vessel))["flag"] == "PA"
    problem = await api.fails(
        "POST",
        "/v1/config/apply",
        422,
        "validation_failed",
        json={"config": {"format": 1, "fields": [{"object": "accounts", "api_name": "x", "label": "X", "type": "colour"}]}},
    )
    assert problem["errors"][0]["pointer"] == "/fields/0/type"
