"""Fields over HTTP: what they may say, how they change, archive and come back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import Api
from tests.meta.work import done, field, options

pytestmark = pytest.mark.anyio

WRONG: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    (
        "text",
        {"min": 1, "options": [{"key": "a", "label": "A"}], "scale": 2},
        [("not_for_type", "/min"), ("not_for_type", "/options"), ("not_for_type", "/scale")],
    ),
    ("text", {"max_length": 256}, [("max", "/max_length")]),
    ("text", {"pattern": "(a"}, [("invalid_pattern", "/pattern")]),
    ("text", {"pattern": r"(a)\1"}, [("invalid_pattern", "/pattern")]),
    ("text", {"pattern": "[A-Z]{2}", "default": "x"}, [("pattern", "/default")]),
    ("text", {"default": 5}, [("type", "/default")]),
    ("text", {"required": True, "read_only": True}, [("invalid_combination", "/read_only")]),
    ("text", {"unique": True, "default": "x"}, [("invalid_combination", "/default")]),
    ("integer", {"min": 5, "max": 4}, [("min", "/max")]),
    ("integer", {"min": "5"}, [("type", "/min")]),
    ("integer", {"min": 1, "max": 3, "default": 4}, [("max", "/default")]),
    ("decimal", {"min": 5}, [("type", "/min")]),
    ("decimal", {"scale": 2, "max": "1.005"}, [("digits", "/max")]),
    ("date", {"max": "tomorrow"}, [("invalid_date", "/max")]),
    ("picklist", {}, [("required", "/options")]),
    ("picklist", {"options": []}, [("min_items", "/options")]),
    ("picklist", {"options": options("a", "b", "a")}, [("repeated_item", "/options/2/key")]),
    ("picklist", {"options": options("a"), "default": "b"}, [("enum", "/default")]),
    ("picklist", {"options": options("a"), "depends_on": {"field": "nope", "values": {}}}, [("enum", "/depends_on/field")]),
    (
        "picklist",
        {"options": options("de"), "depends_on": {"field": "region", "values": {"asia": ["de"], "emea": ["fr"]}}},
        [("enum", "/depends_on/values/asia"), ("enum", "/depends_on/values/emea/0")],
    ),
    ("reference", {}, [("required", "/target"), ("pattern", "/api_name")]),
    ("reference", {"target": "ships", "multiple": True}, [("enum", "/target"), ("required", "/inverse")]),
    ("reference", {"target": "accounts", "multiple": True, "inverse": "deals"}, [("name_taken", "/inverse")]),
    ("boolean", {"indexed": True}, [("not_for_type", "/indexed")]),
    ("boolean", {"unique": True}, [("not_for_type", "/unique")]),
    ("autonumber", {"default": "1", "required": True}, [("not_for_type", "/required"), ("not_for_type", "/default")]),
    ("json", {"searchable": False}, [("not_for_type", "/searchable")]),
]


async def test_every_wrong_property_is_named(org: Api) -> None:
    api = org
    await field(api, "contacts", "region", "picklist", options=options("emea", "apac"))
    for kind, properties, wanted in WRONG:
        problem = await api.fails(
            "POST", "/v1/meta/contacts/fields", 422, "validation_failed", json={"api_name": "x", "type": kind, **properties}
        )
        found = sorted((error["code"], error["pointer"]) for error in problem["errors"])
        assert found == sorted(wanted), (kind, properties, problem)
        assert all(error["message"] != error["code"] for error in problem["errors"]), problem
    await api.fails("POST", "/v1/meta/contacts/fields", 422, "validation_failed", json={"api_name": "email", "type": "text"})
    await api.fails("POST", "/v1/meta/contacts/fields", 422, "reserved_name", json={"api_name": "owner_id", "type": "text"})
    await api.fails("POST", "/v1/meta/contacts/fields", 409, "duplicate", json={"api_name": "region", "type": "text"})
    await api.fails("POST", "/v1/meta/ships/fields", 404, "not_found", json={"api_name": "x", "type": "text"})
    # what says nothing may be said of any type
    plain = await field(api, "contacts", "flag", "boolean", required=False, read_only=False, searchable=True, multiple=False, prefix="")
    assert plain["path"] == "custom_fields.flag"


async def test_limits(org: Api) -> None:
    api = org
    for number in range(3):
        await field(api, "contacts", f"day{number}", "date", indexed=True)
    problem = await api.fails(
        "POST", "/v1/meta/contacts/fields", 403, "limit_exceeded", json={"api_name": "d", "type": "date", "indexed": True}
    )
    assert (problem["limit"], problem["max"]) == ("date_indexes_per_object", 3)
    limits = (await api.ok("GET", "/v1/limits"))["limits"]
    assert limits["date_indexes_per_object"] == 3
    assert limits["custom_fields_per_object"] == 800


async def test_all_fields_are_listed(org: Api) -> None:
    api = org
    made = await field(api, "contacts", "tier", "picklist", options=options("gold"), help="As agreed", sensitivity="personal")
    answer = await api.http.get("/v1/meta/contacts/fields")
    fields = {shown["api_name"]: shown for shown in answer.json()["data"]}
    assert fields["tier"] == made
    assert fields["email"]["standard"]
    assert (fields["email"]["type"], fields["email"]["unique"], fields["email"]["max_length"]) == ("email", True, 254)
    assert fields["email"]["help"]
    assert [option["key"] for option in fields["kind"]["options"]] == ["person", "organization"]
    assert (fields["kind"]["default"], fields["version"]["read_only"]) == ("person", True)
    assert fields["account_id"]["target"] == "accounts"
    account = {f["api_name"]: f for f in (await api.ok("GET", "/v1/meta/accounts/fields"))["data"]}
    assert (account["name"]["required"], account["domain"]["required"]) == (True, False)
    again = await api.http.get("/v1/meta/contacts/fields", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    await field(api, "contacts", "more", "text")
    again = await api.http.get("/v1/meta/contacts/fields", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 200
    one = await api.http.get("/v1/meta/contacts/fields/email")
    assert one.json() == fields["email"]
    await api.fails("GET", "/v1/meta/contacts/fields/nope", 404, "not_found")
    narrow = await api.with_scopes("contacts:write")
    narrow.http.event_hooks = {"response": []}
    await narrow.fails("GET", "/v1/meta/contacts/fields", 403, "insufficient_scope")
    await narrow.fails("POST", "/v1/meta/contacts/fields", 403, "insufficient_scope", json={"api_name": "y", "type": "text"})


async def test_changing_a_field(org: Api) -> None:
    api = org
    made = await field(api, "contacts", "tier", "text", max_length=10)
    assert made["version"] == 1
    ada = await api.make("contacts", first_name="Ada", custom_fields={"tier": "golden"})
    path = "/v1/meta/contacts/fields/tier"
    answer = await api.http.patch(path, json={"label": "Level", "max_length": 4, "required": True}, headers={"if-match": '"1"'})
    changed = answer.json()
    assert (changed["label"], changed["max_length"], changed["required"], changed["version"]) == ("Level", 4, True, 2)
    assert (answer.headers["x-outcome"], answer.headers["etag"]) == ("updated", '"2"')
    # stricter properties hold for what is written from now on
    assert (await api.get(ada))["custom_fields"]["tier"] == "golden"
    await api.change(ada, last_name="King")
    problem = await api.fails("PATCH", f"/v1/contacts/{ada['id']}", 422, "validation_failed", json={"custom_fields": {"tier": "silver"}})
    assert problem["errors"][0]["code"] == "max_length"
    await api.fails("POST", "/v1/contacts", 422, "validation_failed", json={"first_name": "Bob"})
    stale = await api.fails("PATCH", path, 412, "version_conflict", json={"label": "X"}, headers={"if-match": '"1"'})
    assert stale["record"]["label"] == "Level"
    same = await api.http.patch(path, json={"label": "Level"})
    assert (same.headers["x-outcome"], same.json()["version"]) == ("unchanged", 2)
    loose = await api.ok("PATCH", path, json={"max_length": None, "required": False})
    assert ("max_length" in loose, loose["required"]) == (False, False)
    tried = await api.ok("PATCH", path, params={"dry_run": "true"}, json={"label": "Tried"})
    assert tried["label"] == "Tried"
    assert (await api.ok("GET", path))["label"] == "Level"
    problem = await api.fails("PATCH", path, 422, "validation_failed", json={"min": 3})
    assert problem["errors"][0]["code"] == "not_for_type"
    await api.fails("PATCH", path, 422, "validation_failed", json={"type": "number"})
    reference = await field(api, "contacts", "sponsor_id", "reference", target="accounts", inverse="sponsored")
    problem = await api.fails("PATCH", "/v1/meta/contacts/fields/sponsor_id", 422, "validation_failed", json={"target": "deals"})
    assert problem["errors"] == [{"code": "immutable", "pointer": "/target", "message": "This field can't be changed once it is set."}]
    assert reference["indexed"]
    events = (await api.ok("GET", "/v1/events", params={"object": "schema"}))["data"]
    assert {event["type"] for event in events} == {"schema.updated"}
    assert events[1]["changes"]["contacts.tier"]["new"]["label"] == "Level"


async def test_a_standard_field_has_label_help_and_sensitivity(org: Api) -> None:
    api = org
    path = "/v1/meta/contacts/fields/birthdate"
    changed = await api.ok("PATCH", path, json={"label": "Day of birth", "sensitivity": "personal"})
    assert (changed["label"], changed["sensitivity"], changed["standard"], changed["type"]) == ("Day of birth", "personal", True, "date")
    assert (await api.ok("GET", path)) == changed
    assert (await api.ok("PATCH", path, json={"label": None}))["label"] == "Birthdate"
    problem = await api.fails("PATCH", path, 422, "validation_failed", json={"required": True, "help": "x"})
    assert [error["pointer"] for error in problem["errors"]] == ["/required"]
    await api.fails("DELETE", path, 403, "forbidden")
    await api.fails("DELETE", "/v1/meta/contacts/fields/nope", 404, "not_found")
    await api.make("contacts", first_name="Ada", birthdate="1990-01-01")


async def test_archive_restore_purge(org: Api) -> None:
    api = org
    await field(api, "contacts", "tier", "text", indexed=True, unique=True)
    ada = await api.make("contacts", first_name="Ada", custom_fields={"tier": "gold"})
    path = "/v1/meta/contacts/fields/tier"
    gone = await api.ok("DELETE", path, params={"dry_run": "true"})
    assert gone["archived"]
    gone = await api.ok("DELETE", path)
    assert gone["archived"]
    assert "tier" not in (await api.get(ada))["custom_fields"]
    assert (await api.http.get("/v1/contacts", params={"custom_fields.tier": "gold"})).status_code == 400
    await api.fails(
        "POST", "/v1/contacts/search", 422, "validation_failed", json={"filter": {"field": "custom_fields.tier", "value": "gold"}}
    )
    await api.fails("POST", "/v1/contacts", 422, "validation_failed", json={"first_name": "B", "custom_fields": {"tier": "x"}})
    await api.fails("PATCH", path, 409, "conflict", json={"label": "X"})
    await api.change(ada, custom_fields={}, first_name="Ada L")
    assert [f["api_name"] for f in (await api.ok("GET", "/v1/meta/contacts/fields", params={"archived": "only"}))["data"]] == ["tier"]
    assert (await api.ok("POST", f"{path}/restore"))["archived"] is False
    assert (await api.get(ada))["custom_fields"] == {"tier": "gold"}
    assert [row["id"] for row in await api.all("/v1/contacts", **{"custom_fields.tier": "Gold"})] == [ada["id"]]
    await api.fails("POST", "/v1/contacts", 409, "duplicate", json={"first_name": "B", "custom_fields": {"tier": "GOLD"}})
    version = (await api.get(ada))["version"]
    job = await api.ok("DELETE", path, params={"purge": "true"}, status=202)
    assert (await done(api, job["id"]))["status"] == "succeeded"
    await api.fails("GET", path, 404, "not_found")
    again = await field(api, "contacts", "tier", "integer", unique=True)
    assert again["id"] != gone["id"]
    found = await api.get(ada)
    assert (found["custom_fields"], found["version"]) == ({"tier": None}, version)


async def test_unique_later(org: Api) -> None:
    api = org
    path = "/v1/meta/contacts/fields/badge"
    await field(api, "contacts", "badge", "text")
    ada = await api.make("contacts", first_name="Ada", custom_fields={"badge": "É1"})
    bob = await api.make("contacts", first_name="Bob", custom_fields={"badge": "e1"})
    problem = await api.fails("PATCH", path, 409, "duplicate", json={"unique": True})
    assert problem["existing"] == [{"object": "contacts", "id": r["id"], "field": "custom_fields.badge"} for r in (ada, bob)]
    await api.change(bob, custom_fields={"badge": "e2"})
    begun = await api.ok("PATCH", path, json={"unique": True})
    assert (begun["state"], begun["unique"]) == ("building", True)
    assert (await api.http.get("/v1/contacts/by/custom_fields.badge/e2")).status_code != 200
    assert (await done(api, begun["job_id"]))["status"] == "succeeded"
    assert (await api.ok("GET", path))["state"] == "active"
    assert (await api.ok("GET", "/v1/contacts/by/custom_fields.badge/E2"))["id"] == bob["id"]
    await api.fails("POST", "/v1/contacts", 409, "duplicate", json={"first_name": "C", "custom_fields": {"badge": "E1"}})
    ended = await api.ok("PATCH", path, json={"unique": False})
    assert ended["unique"] is False
    await api.make("contacts", first_name="C", custom_fields={"badge": "E1"})
    assert (await done(api, ended["job_id"]))["status"] == "succeeded"
    assert (await api.ok("GET", path))["job_id"] is None


async def test_an_index_later(org: Api) -> None:
    api = org
    path = "/v1/meta/contacts/fields/score_x"
    await field(api, "contacts", "score_x", "decimal")
    made = [await api.make("contacts", first_name=f"P{n}", custom_fields={"score_x": f"{n}.5"}) for n in range(3)]
    begun = await api.ok("PATCH", path, json={"indexed": True})
    assert (begun["state"], begun["indexed"]) == ("building", True)
    await api.fails("PATCH", path, 409, "conflict", json={"indexed": False})
    sort = {"sort": "-custom_fields.score_x", "custom_fields.score_x[gt]": "1"}
    assert [row["first_name"] for row in await api.all("/v1/contacts", **sort)] == ["P2", "P1"]
    job = await done(api, begun["job_id"])
    assert (job["status"], job["result"]) == ("succeeded", {"records": 3})
    shown = await api.ok("GET", path)
    assert (shown["state"], shown["job_id"]) == ("active", None)
    assert [row["first_name"] for row in await api.all("/v1/contacts", **sort)] == ["P2", "P1"]
    assert (await api.get(made[0]))["version"] == 1
    ended = await api.ok("PATCH", path, json={"indexed": False})
    assert (ended["state"], ended["indexed"]) == ("dropping", False)
    assert [row["first_name"] for row in await api.all("/v1/contacts", **sort)] == ["P2", "P1"]
    assert (await done(api, ended["job_id"]))["status"] == "succeeded"
    assert (await api.ok("GET", path))["state"] == "active"
    # the slot is empty and free again
    again = await api.ok("PATCH", path, json={"indexed": True})
    assert (await done(api, again["job_id"]))["result"] == {"records": 3}
    assert [row["first_name"] for row in await api.all("/v1/contacts", **sort)] == ["P2", "P1"]
