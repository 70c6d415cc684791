"""The catalogue over HTTP: every type there can be, with schemas that hold what is really emitted, as far as the caller may know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest

from crm_api.http.api import REGISTRY
from crm_api.http.openapi.events import BATCH
from crm_api.kernel.event_catalog import SYSTEM_OBJECTS, event_types
from tests.access.people import colleague, share_out
from tests.api import Api, Record, unchecked
from tests.event_validation import EventChecker, OwnTypes, assert_events, standard, strict, told
from tests.meta.work import field, make_object, options
from tests.openapi_validation import NotDescribed, document, resolved

pytestmark = pytest.mark.anyio


async def cursor_of(api: Api) -> str:
    found: str = (await api.ok("GET", "/v1/events", params={"cursor": "now"}))["page"]["next_cursor"]
    return found


async def since(api: Api, cursor: str, **params: Any) -> list[Record]:
    found: list[Record] = (await api.ok("GET", "/v1/events", params={"cursor": cursor, "limit": 1000, **params}))["data"]
    return found


async def types_of(api: Api, **params: Any) -> list[Record]:
    """All pages of the catalogue."""
    found: list[Record] = []
    cursor: str | None = None
    while True:
        page = await api.ok("GET", "/v1/event_types", params={**params, **({"cursor": cursor} if cursor else {})})
        found += page["data"]
        cursor = page["page"]["next_cursor"]
        assert page["page"]["has_more"] == (cursor is not None)
        if cursor is None:
            return found


async def names_of(api: Api, **params: Any) -> list[str]:
    return [kind["type"] for kind in await types_of(api, **params)]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def fits(schema: dict[str, Any], event: Any) -> bool:
    found: bool = jsonschema_rs.Draft202012Validator(schema, validate_formats=True).is_valid(event)
    return found


async def test_every_type_has_a_schema_complete_in_itself_and_an_example_that_fits(api: Api) -> None:
    kinds = await types_of(api, include="schema,example")
    assert [kind["type"] for kind in kinds] == list(event_types(REGISTRY))
    for kind in kinds:
        for schema, event in (("schema", "example"), ("thin_schema", "thin_example")):
            jsonschema_rs.meta.validate(kind[schema])
            known = {f"#/$defs/{name}" for name in kind[schema].get("$defs", ())}
            assert set(references(kind[schema])) <= known, kind["type"]
            assert fits(kind[schema], kind[event]), kind["type"]
        assert kind["example"]["type"] == kind["type"]
        assert kind["example"]["object"] == kind["object_name"]
        assert not fits(kind["schema"], {**kind["example"], "type": "deal.invented"})
        assert not fits(kind["schema"], kind["thin_example"])
    assert {kind["object"] for kind in kinds} == {"event_types"}
    assert {kind["version"] for kind in kinds} == {1}
    assert not any(kind["deprecated"] for kind in kinds)


async def test_it_is_read_in_pages_by_object_and_one_by_one(api: Api) -> None:
    whole = await names_of(api)
    assert await names_of(api, limit=7) == whole
    assert len(set(whole)) == len(whole)
    deals = ["deal.created", "deal.updated", "deal.deleted", "deal.restored", "deal.purged", "deal.merged", "deal.hidden"]
    assert await names_of(api, object="deals") == deals
    assert await names_of(api, object="jobs") == ["job.finished"]
    assert await names_of(api, object="links") == ["link.created", "link.updated", "link.deleted"]
    assert {"segment.member_added", "segment.member_removed"} <= set(await names_of(api, object="segments"))
    # only people are erased, and nobody merges users
    assert {name for name in whole if name.endswith(".erased")} == {"contact.erased", "lead.erased"}
    assert "user.merged" not in whole
    page = await api.ok("GET", "/v1/event_types", params={"limit": 3})
    assert set(page["data"][0]) == {"object", "type", "object_name", "title", "description", "version", "deprecated"}
    one = await api.http.get("/v1/event_types/deal.updated")
    assert one.status_code == 200
    assert one.json()["title"] == "A deal was changed"
    again = await api.http.get("/v1/event_types/deal.updated", headers={"if-none-match": one.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    problem = await api.fails("GET", "/v1/event_types", 400, "bad_request", params={"object": "things"})
    assert "deals" in problem["errors"][0]["allowed"]
    await api.fails("GET", "/v1/event_types", 400, "bad_request", params={"include": "everything"})
    await api.fails("GET", "/v1/event_types", 400, "invalid_cursor", params={"object": "deals", "cursor": page["page"]["next_cursor"]})
    await api.fails("GET", "/v1/event_types", 400, "unknown_parameter", params={"colour": "red"})
    for name in ("deal.won", "deal", "deal.*", "nothing.created"):
        await api.fails("GET", f"/v1/event_types/{name}", 404, "not_found")


async def test_the_journal_takes_the_types_of_the_catalogue_and_no_others(api: Api) -> None:
    cursor = await cursor_of(api)
    account = await api.make("accounts", name="Acme")
    await api.change(account, name="Acme Corp")
    await api.make("contacts", last_name="King", account_id=account["id"])
    for names, wanted in (
        ("account.updated", ["account.updated"]),
        ("account.*,link.*", ["account.created", "account.updated", "link.created"]),
        ("*.created", ["account.created", "contact.created", "link.created"]),
        ("segment.member_added,*.member_removed", []),
        ("app.*,share.created,webhook_delivery.*,job.finished", []),
    ):
        try:
            found = await since(api, cursor, event_types=names)
        except AssertionError:
            assert "webhook_delivery" in names  # known once there are endpoints
            assert "webhook_endpoints" not in REGISTRY
            continue
        assert sorted(event["type"] for event in found) == wanted
    allowed = {
        "deal.won": "deal.updated", "user.merged": "user.*", "contact.unmerged": "contact.*", "link.merged": "link.*",
        "job.created": "job.finished", "*.invented": "*", "deal": "deal.*", "thing.*": "*", "dea%.created": "*",
    }  # fmt: skip
    for name, wanted_instead in allowed.items():
        problem = await api.fails("GET", "/v1/events", 400, "bad_request", params={"event_types": f"account.*,{name}"})
        error = problem["errors"][0]
        assert (error["parameter"], error["code"]) == ("event_types", "enum")
        assert wanted_instead in error["allowed"], name


async def test_what_an_organisation_adds_is_typed_and_stays_its_own(api: Api, other_api: Api) -> None:
    await field(api, "contacts", "tier", "picklist", options=options("gold", "silver"))
    await field(api, "contacts", "score", "integer")
    await make_object(api, "vessels", "vessel")
    await field(api, "vessels", "length", "integer")
    cursor = await cursor_of(api)
    contact = await api.make("contacts", last_name="King", custom_fields={"tier": "gold"})
    await api.change(contact, custom_fields={"tier": "silver", "score": 7})
    vessel = await api.make("vessels", length=30)
    await api.change(vessel, length=31)
    events = [event for event in await since(api, cursor) if event["object"] in ("contacts", "vessels")]
    assert [event["type"] for event in events] == ["contact.created", "contact.updated", "vessel.created", "vessel.updated"]
    for event in events:
        kind = await api.ok("GET", f"/v1/event_types/{event['type']}")
        assert fits(kind["schema"], event)
        assert fits(kind["schema"], kind["example"])
        assert kind["title"] in ("A contact was created", "A contact was changed", "A vessel was created", "A vessel was changed")
        broken = json.loads(json.dumps(event))
        if event["object"] == "contacts":
            assert "custom_fields.tier" in event["changes"]
            broken["changes"]["custom_fields.tier"]["new"] = "lead"
            assert not fits(kind["schema"], broken)
            broken = {**event, "record": {**event["record"], "custom_fields": {"score": "many"}}}
        else:
            assert event["changes"]["length"]["new"] in (30, 31)
            assert set(kind["example"]["changes"]) <= {"name", "length"}
            broken["changes"]["length"]["new"] = "long"
        assert not fits(kind["schema"], broken)
    own = EventChecker(lambda: unchecked(api.app, api.token))  # by the organisation's own catalogue: the standard one knows no vessels
    assert standard().problems(events[2]) is None
    await own(await api.http.get("/v1/events", params={"cursor": cursor}))
    assert "vessel.created" in await names_of(api)
    assert not [name for name in await names_of(other_api) if name.startswith("vessel.")]
    await other_api.fails("GET", "/v1/event_types/vessel.created", 404, "not_found")
    assert "tier" not in json.dumps(await other_api.ok("GET", "/v1/event_types/contact.updated"))
    await other_api.fails("GET", "/v1/events", 400, "bad_request", params={"event_types": "vessel.*"})
    told_there = (await api.ok("GET", "/v1/meta/openapi.json"))["webhooks"]
    assert set(told_there) == {*(await names_of(api)), BATCH}
    await api.ok("DELETE", "/v1/meta/objects/vessels", headers={"if-match": "*"})
    assert not [name for name in await names_of(api) if name.startswith("vessel.")]


async def test_nobody_is_told_of_types_and_fields_that_they_may_not_see(api: Api) -> None:
    await field(api, "contacts", "secret_tier", "text")
    permissions = {"*": ["read", "create", "update"], "leads": [], "webhook_endpoints": [], "webhooks": []}
    profile = await api.make(
        "profiles",
        name="Narrow",
        permissions=permissions,
        fields={"contacts": {"birthdate": "hidden", "custom_fields.secret_tier": "hidden"}},
    )
    narrow = await colleague(api, profile_id=profile["id"])
    names = await names_of(narrow)
    assert "contact.created" in names
    assert not [name for name in names if name.startswith("lead.")]
    await narrow.fails("GET", "/v1/event_types/lead.created", 404, "not_found")
    problem = await narrow.fails("GET", "/v1/event_types", 400, "bad_request", params={"object": "leads"})
    assert "leads" not in problem["errors"][0]["allowed"]
    text = json.dumps([await narrow.ok("GET", f"/v1/event_types/contact.{verb}") for verb in ("created", "updated", "hidden")])
    assert "birthdate" not in text
    assert "secret_tier" not in text
    assert "birthdate" in json.dumps(await api.ok("GET", "/v1/event_types/contact.updated"))
    assert "secret_tier" in json.dumps(await api.ok("GET", "/v1/event_types/contact.updated"))
    # what such a reader gets is described by what such a reader is told
    cursor = await cursor_of(narrow)
    await api.make("contacts", last_name="King", birthdate="1990-01-01", custom_fields={"secret_tier": "x"})
    (event,) = await since(narrow, cursor)
    assert fits((await narrow.ok("GET", "/v1/event_types/contact.created"))["schema"], event)


async def test_it_is_for_those_who_may_read_events_or_webhooks(api: Api, anonymous: httpx.AsyncClient) -> None:
    for scopes in (("events:read", "contacts:read"), ("webhooks:read", "contacts:read")):
        narrow = await api.with_scopes(*scopes)
        names = await names_of(narrow)
        assert {"contact.created", "link.created", "job.finished"} <= set(names)
        assert not [name for name in names if name.startswith("deal.")]
        await narrow.fails("GET", "/v1/event_types/deal.created", 404, "not_found")
    narrow = await api.with_scopes("contacts:read")
    for path in ("/v1/event_types", "/v1/event_types/contact.created"):
        assert (await narrow.fails("GET", path, 403, "insufficient_scope"))["required_scopes"] == ["events:read"]
        assert (await anonymous.get(path)).status_code == 401


async def test_the_description_has_every_type_with_the_headers_of_webhooks() -> None:
    hooks = document()["webhooks"]
    assert set(hooks) == {*event_types(REGISTRY), BATCH}
    for name, hook in hooks.items():
        given = {parameter["name"]: parameter for parameter in map(resolved, hook["post"]["parameters"])}
        assert set(given) == {"webhook-id", "webhook-timestamp", "webhook-signature"}, name
        assert all(parameter["in"] == "header" and parameter["required"] for parameter in given.values())


async def test_emitted_events_fit_in_every_form(api: Api) -> None:
    """Links, shares, segments, jobs, purges, merges, what goes out of sight: whole, thin, cut and gathered."""
    await share_out(api, deals="private")
    bob = await colleague(api)
    cursor, from_bob = await cursor_of(api), await cursor_of(bob)
    deal = await bob.make("deals", name="Robots", amount="10.50")
    await api.ok("POST", f"/v1/deals/{deal['id']}/shares", json={"user_id": str(api.user_id), "access": "read"}, status=None)
    await bob.change(deal, owner_id=str(api.user_id))
    one, two = [await api.make("contacts", last_name=name) for name in ("King", "Kong")]
    await api.ok("PUT", f"/v1/deals/{deal['id']}/links/contacts/{one['id']}", json={"roles": ["decision_maker"]})
    await api.ok("PUT", f"/v1/deals/{deal['id']}/links/contacts/{one['id']}", json={"roles": []})
    segment = await api.make("segments", name="Fair", applies_to="contacts", kind="static")
    await api.ok("PUT", f"/v1/segments/{segment['id']}/members/{one['id']}")
    await api.ok("POST", "/v1/contacts/merge", json={"winner_id": one["id"], "loser_ids": [two["id"]]})
    await api.ok("DELETE", f"/v1/contacts/{one['id']}", params={"purge": "true"})
    events = await since(api, cursor)
    seen = {event["type"] for event in events}
    assert {"deal.created", "share.created", "link.created", "link.updated", "link.deleted", "contact.merged", "contact.purged"} <= seen
    assert "segment.member_added" in seen
    to_bob = await since(bob, from_bob)
    assert "deal.hidden" in {event["type"] for event in to_bob}
    known = standard()
    for event in [*events, *to_bob]:
        assert known.problems(event) == [], event
        thin = {
            **{name: value for name, value in event.items() if name not in ("record", "changes")},
            "changed_fields": list(event["changes"]),
        }
        assert known.problems(thin) == []
        assert known.problems({**event, "coalesced": [event["id"]]}) == []
        assert known.problems({**event, "record": None, "truncated": True}) == []


async def test_the_check_tells_what_is_wrong_with_an_event(api: Api) -> None:
    cursor = await cursor_of(api)
    await api.make("contacts", last_name="King", custom_fields={})
    (event,) = await since(api, cursor)
    known, own = standard(), OwnTypes(api.http)
    record = event["record"]
    changed = {"old": None, "new": "x"}
    broken = {
        "surprise": {**event, "surprise": 1},
        "odd": {**event, "record": {**record, "odd": 1}},
        "last_name": {**event, "record": {**record, "last_name": 5}},
        "invented": {**event, "changes": {"invented": changed}},
        "birthdate": {**event, "changes": {"birthdate": changed}},
        "new": {**event, "changes": {"last_name": {"old": None}}},
        "seq": {name: value for name, value in event.items() if name != "seq"},
    }
    for word, one in broken.items():
        found = known.problems(one)
        assert found, word
        assert word in " ".join(found) or "record: " in found[0]
        assert await own.problems(one)
        with pytest.raises(NotDescribed, match=r"contact\.created"):
            await assert_events([one], own)
    with pytest.raises(NotDescribed, match="no type of event"):
        await assert_events([{**event, "type": "contact.invented"}], own)
    await assert_events([event], own)
    gone = {**event, "type": "contact.purged", "record": None}
    assert known.problems(gone)  # it tells no changes
    assert known.problems({**gone, "changes": {}}) == []
    kind = known.types["contact.created"]
    assert told(strict(kind, (await api.ok("GET", "/v1/event_types/contact.created"))["schema"]), event) == []


def test_each_object_of_events_is_in_the_catalogue() -> None:
    known = event_types(REGISTRY)
    assert all(kind.name == name and kind.name.count(".") == 1 for name, kind in known.items())
    objects = {kind.object for kind in known.values()}
    assert {resource.name for resource in REGISTRY} <= objects
    assert objects - {resource.name for resource in REGISTRY} <= set(SYSTEM_OBJECTS)
