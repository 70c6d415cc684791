"""Options of picklists: stable keys, inactive ones, dependent ones, and replacing one by another."""

from __future__ import annotations

import pytest

from tests.api import Api
from tests.meta.work import done, field, options

pytestmark = pytest.mark.anyio


async def test_inactive_options_stay_readable(org: Api) -> None:
    api = org
    await field(api, "contacts", "tier", "picklist", options=options("gold", "silver"))
    ada = await api.make("contacts", first_name="Ada", custom_fields={"tier": "gold"})
    path = "/v1/meta/contacts/fields/tier"
    problem = await api.fails("PATCH", path, 409, "conflict", json={"options": options("silver")})
    assert problem["errors"][0]["params"] == {"count": 1}
    listed = [{"key": "silver", "label": "Silver!"}, {"key": "gold", "label": "Gold", "active": False}, {"key": "tin", "label": "Tin"}]
    changed = await api.ok("PATCH", path, json={"options": listed})
    assert [option["key"] for option in changed["options"]] == ["silver", "gold", "tin"]
    assert (await api.get(ada))["custom_fields"]["tier"] == "gold"
    assert [row["id"] for row in await api.all("/v1/contacts", **{"custom_fields.tier": "gold"})] == [ada["id"]]
    # what has it may keep it, nobody gets it anew
    await api.change(ada, custom_fields={"tier": "gold"}, last_name="King")
    problem = await api.fails("POST", "/v1/contacts", 422, "validation_failed", json={"first_name": "B", "custom_fields": {"tier": "gold"}})
    assert problem["errors"][0]["allowed"] == ["silver", "tin"]
    await api.ok("PATCH", path, json={"options": [*listed[:2]]})


async def test_dependent_picklists(org: Api) -> None:
    api = org
    await field(api, "contacts", "continent", "picklist", options=options("europe", "asia"))
    rule = {"field": "continent", "values": {"europe": ["fr", "de"], "asia": ["jp"]}}
    await field(api, "contacts", "land", "picklist", options=options("fr", "de", "jp"), depends_on=rule)
    good = await api.make("contacts", first_name="A", custom_fields={"continent": "asia", "land": "jp"})
    problem = await api.fails(
        "POST", "/v1/contacts", 422, "validation_failed", json={"first_name": "B", "custom_fields": {"continent": "asia", "land": "fr"}}
    )
    assert (problem["errors"][0]["pointer"], problem["errors"][0]["allowed"]) == ("/custom_fields/land", ["jp"])
    await api.fails("PATCH", f"/v1/contacts/{good['id']}", 422, "validation_failed", json={"custom_fields": {"continent": "europe"}})
    await api.change(good, custom_fields={"continent": "europe", "land": "de"})
    problem = await api.fails("PATCH", "/v1/meta/contacts/fields/continent", 409, "conflict", json={"options": options("europe")})
    assert problem["errors"][0]["params"] == {"kind": "fields", "name": "land"}
    back = {"field": "land", "values": {"fr": ["europe"]}}
    problem = await api.fails("PATCH", "/v1/meta/contacts/fields/continent", 422, "validation_failed", json={"depends_on": back})
    assert (problem["errors"][0]["code"], problem["errors"][0]["pointer"]) == ("cycle", "/depends_on/field")


async def test_replacing_an_option(org: Api) -> None:
    api = org
    await field(api, "contacts", "tier", "picklist", options=options("gold", "silver", "tin"), indexed=True, default="tin")
    await field(api, "contacts", "topics", "multi_picklist", options=options("a", "b", "c"))
    ada = await api.make("contacts", first_name="Ada", custom_fields={"tier": "tin", "topics": ["a", "b"]})
    bob = await api.make("contacts", first_name="Bob", custom_fields={"tier": "gold", "topics": ["c"]})
    path = "/v1/meta/contacts/fields/tier"
    problem = await api.fails("POST", f"{path}/options/replace", 422, "validation_failed", json={"from": "zinc", "to": "tin2"})
    assert [error["pointer"] for error in problem["errors"]] == ["/from", "/to"]
    asked = {"from": "tin", "to": "silver"}
    assert await api.ok("POST", f"{path}/options/replace", json={**asked, "dry_run": True}, status=200) == {"dry_run": True, "count": 1}
    assert await api.ok("POST", f"{path}/options/replace?dry_run=true", json=asked) == {"dry_run": True, "count": 1}
    job = await api.ok("POST", f"{path}/options/replace", json=asked, status=202)
    assert job["request"]["from"] == "tin"
    ended = await done(api, job["id"])
    assert (ended["status"], ended["result"]) == ("succeeded", {"records": 1})
    after = await api.get(ada)
    assert (after["custom_fields"]["tier"], after["version"]) == ("silver", 2)
    assert (await api.get(bob))["version"] == 1
    assert [row["id"] for row in await api.all("/v1/contacts", **{"custom_fields.tier": "silver"})] == [ada["id"]]
    event = (await api.ok("GET", "/v1/events", params={"object": "contacts"}))["data"][-1]
    assert event["changes"] == {"custom_fields.tier": {"old": "tin", "new": "silver"}}
    assert event["cause"]["action"] == "meta.replace_option"
    shown = await api.ok("GET", path)
    assert (shown["default"], [o["active"] for o in shown["options"]], shown["state"]) == ("silver", [True, True, False], "active")
    topics = "/v1/meta/contacts/fields/topics"
    for old, new, wanted in (("a", "b", ["b"]), ("b", None, [])):
        job = await api.ok("POST", f"{topics}/options/replace", json={"from": old, "to": new}, status=202)
        assert (await done(api, job["id"]))["status"] == "succeeded"
        assert (await api.get(ada))["custom_fields"]["topics"] == wanted
    await api.ok("PATCH", topics, json={"options": options("c")})
