"""Hidden fields are unknown in queries and bodies and lead to nothing; read-only ones are refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.access.walk import shown
from tests.access.world import MARKERS, planted, told
from tests.api import Api

pytestmark = pytest.mark.anyio


LISTS: list[dict[str, Any]] = [
    {"fields": "id,department"},
    {"fields": "custom_fields.zqsecret"},
    {"sort": "department"},
    {"sort": "-birthdate"},
    {"sort": "custom_fields.zqnumber"},
    {"department": "x"},
    {"birthdate[gt]": "1900-01-01"},
    {"custom_fields.zqsecret": "x"},
    {"custom_fields.zqnumber[gt]": "1"},
    {"email": str(MARKERS["email"])},
    {"account.employees[gt]": "1"},
    {"account.annual_revenue_base[gt]": "1"},
    {"expand": "zqboats"},
    {"fields": "account.employees"},
    {"filter": '{"field":"department","value":"x"}'},
    {"filter": '{"field":"title","value":{"field":"department"}}'},
    {"filter": '{"field":"emails","any":{"field":"address","value":"x"}}'},
]


async def test_queries_that_name_hidden_fields_know_nothing_of_them(api: Api) -> None:
    """400 in queries, 422 in bodies, as for a name that never was; and nothing is found by a hidden value."""
    world = await planted(api)
    user, contact = world.user, world.ids["contacts"]
    for params in LISTS:
        answer = await user.http.get("/v1/contacts", params=params)
        assert answer.status_code == 400, (params, answer.text)
        unknown = {name.replace("department", "zzz").replace("birthdate", "zzz"): value for name, value in params.items()}
        assert (await user.http.get("/v1/contacts", params=unknown)).status_code == 400
        assert not [one for one in told(shown(answer)) if one.lower() not in json.dumps(params).lower()], (params, answer.text)
    bodies: list[tuple[str, str, Any]] = [
        ("POST", "/v1/contacts/search", {"filter": {"field": "department", "value": "x"}}),
        ("POST", "/v1/contacts/search", {"sort": ["custom_fields.zqnumber"]}),
        ("POST", "/v1/contacts/search", {"fields": ["department"]}),
        ("POST", "/v1/deals/search", {"filter": {"field": "contacts", "any": {"field": "department", "value": "x"}}}),
        ("POST", "/v1/contacts/aggregate", {"group_by": ["department"], "measures": [{"op": "count"}]}),
        ("POST", "/v1/contacts/aggregate", {"measures": [{"op": "sum", "field": "custom_fields.zqnumber"}]}),
        ("POST", "/v1/accounts/aggregate", {"measures": [{"op": "sum", "field": "annual_revenue_base"}]}),
        ("POST", "/v1/contacts", {"last_name": "N", "department": "x"}),
        ("POST", "/v1/contacts", {"last_name": "N", "custom_fields": {"zqsecret": "x"}}),
        ("POST", "/v1/contacts", {"last_name": "N", "emails": [{"address": "x@x.example"}]}),
        ("PATCH", f"/v1/contacts/{contact}", {"department": "x"}),
        ("PATCH", f"/v1/contacts/{contact}", {"custom_fields": {"zqpick": None}}),
        ("POST", "/v1/contacts/bulk", {"ids": [contact], "action": "update", "set": {"department": "x"}, "expect_count": 1}),
        (
            "POST",
            "/v1/contacts/merge",
            {"winner_id": contact, "loser_ids": [world.ids["nameless"]], "field_choices": {"department": contact}},
        ),
        ("POST", "/v1/views", {"name": "N", "applies_to": "contacts", "columns": ["department"]}),
        ("POST", "/v1/views", {"name": "N", "applies_to": "zqboats", "columns": ["name"]}),
        (
            "POST",
            "/v1/segments",
            {"name": "N", "applies_to": "contacts", "kind": "dynamic", "filter": {"field": "department", "value": "x"}},
        ),
        ("POST", "/v1/custom_links", {"name": "N", "applies_to": "contacts", "url_template": "https://x.example/{department}"}),
        (
            "POST",
            "/v1/layouts",
            {"name": "N", "applies_to": "contacts", "sections": [{"key": "a", "label": "A", "rows": [[{"field": "department"}]]}]},
        ),
        ("POST", "/v1/events/snapshot", {"objects": ["zqboats"]}),
    ]
    for method, path, body in bodies:
        answer = await user.http.request(method, path, json=body)
        assert answer.status_code == 422, (method, path, body, answer.text)
        assert not [one for one in told(shown(answer)) if one.lower() not in json.dumps(body).lower()], (path, answer.text)
    queries = [
        (f"/v1/contacts/{contact}/history", {"field": "department"}),
        (f"/v1/contacts/{contact}/history", {"field": "custom_fields.zqsecret"}),
        ("/v1/contacts/board", {"group_by": "custom_fields.zqpick"}),
        ("/v1/events", {"object": "leads"}),
        ("/v1/events", {"event_types": "lead.*"}),
        ("/v1/events", {"object": "contacts", "filter": '{"field":"department","op":"changed"}'}),
        ("/v1/search", {"q": "x", "objects": "leads"}),
        ("/v1/links", {"relation": "leads.x"}),
    ]
    for path, params in queries:
        answer = await user.http.get(path, params=params)
        assert answer.status_code == 400, (path, params, answer.text)
        assert not [one for one in told(shown(answer)) if one.lower() not in json.dumps(params).lower()], (path, answer.text)
    for field_name, value in (("email", MARKERS["email"]), ("zqcode", MARKERS["zqcode"]), ("custom_fields.zqcode", MARKERS["zqcode"])):
        for method in ("GET", "PATCH", "PUT", "DELETE"):
            sent: Any = None if method in ("GET", "DELETE") else {}
            answer = await user.http.request(method, f"/v1/contacts/by/{field_name}/{value}", json=sent)
            other = await user.http.request(method, f"/v1/contacts/by/zzz/{value}", json=sent)
            assert answer.status_code == other.status_code, (method, field_name, answer.text, other.text)
    for match_on in ("email", "custom_fields.zqcode"):
        answer = await user.http.post("/v1/contacts/batch/upsert", json={"match_on": match_on, "items": [{"last_name": "N"}]})
        assert answer.status_code == 422, answer.text
    await user.http.put(f"/v1/contacts/{contact}/emails/x@x.example", json={})
    assert (await user.http.put(f"/v1/contacts/{contact}/emails/x@x.example", json={})).status_code == 404


@pytest.mark.parametrize(
    "word", ["Zqdepartmentmarker", "zqmail", "marker.example", "Zqsecretmarker", "99887766", "Zqsecretmarkr", "zqmial"]
)
async def test_words_of_hidden_fields_find_nothing(api: Api, word: str) -> None:
    """`q` in lists, searches, counts, bulk jobs and the search of everything, near misses included."""
    world = await planted(api)
    user = world.user
    assert (await user.ok("GET", "/v1/contacts", params={"q": word, "count": "exact"}))["page"]["count"] == 0
    assert (await user.ok("POST", "/v1/contacts/search", json={"q": word}))["data"] == []
    assert (await user.ok("GET", "/v1/search", params={"q": word}))["data"] == []
    assert (await user.ok("GET", f"/v1/accounts/{world.ids['accounts']}/contacts", params={"q": word}))["data"] == []
    assert [hit["id"] for hit in (await user.ok("GET", "/v1/search", params={"q": "Personage"}))["data"]] == [world.ids["contacts"]]
    assert [hit["id"] for hit in (await user.ok("GET", "/v1/search", params={"q": "Personags"}))["data"]] == [world.ids["contacts"]]
    assert len((await user.ok("GET", "/v1/contacts", params={"q": "visible pers"}))["data"]) == 1


async def test_what_names_are_made_of(api: Api) -> None:
    """A contact that is called by its hidden address has no name, nowhere."""
    world = await planted(api)
    found = await world.user.ok("GET", f"/v1/contacts/{world.ids['nameless']}", params={"include": "labels"})
    assert found["display_name"] == ""
    await world.user.ok("POST", "/v1/me/recent", json={"object": "contacts", "id": world.ids["nameless"]})
    for path in ("/v1/me/recent", "/v1/me/home", "/v1/contacts?include=labels", "/v1/events?object=contacts"):
        assert not told(shown(await world.user.http.get(path))), path


async def test_views_and_their_like_show_what_is_left_of_them(api: Api) -> None:
    """Columns go; a view that filters or sorts by what is hidden can't be used, without saying by what."""
    world = await planted(api)
    user = world.user
    columns = await user.ok("GET", f"/v1/views/{world.ids['columns']}")
    assert columns["columns"] == ["last_name"]
    assert "last_name" in (await user.ok("GET", "/v1/contacts", params={"view_id": world.ids["columns"]}))["data"][0]
    for name in ("views", "far"):
        target = "contacts" if name == "views" else "deals"
        problem = await user.fails("GET", f"/v1/{target}", 403, "forbidden", params={"view_id": world.ids[name]})
        assert not told(json.dumps(problem))
    await user.fails("GET", f"/v1/views/{world.ids['boats']}", 404, "not_found")
    problem = await user.fails(
        "GET", f"/v1/meta/links/{world.ids['custom_links']}/render", 403, "forbidden", params={"record_id": world.ids["contacts"]}
    )
    assert not told(json.dumps(problem))
    for path in (
        "/v1/views",
        "/v1/segments",
        "/v1/layouts",
        "/v1/custom_links",
        "/v1/meta/contacts/layouts/effective",
        "/v1/meta/contacts/layouts",
    ):
        answer = await user.http.get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert not told(shown(answer)), (path, told(shown(answer)))


async def test_read_only_fields_are_named_wherever_they_are_written(api: Api) -> None:
    """403 with the fields, in every way of writing; the record stays as it is."""
    world = await planted(api)
    user, contact = world.user, world.ids["contacts"]
    single = [
        ("POST", "/v1/contacts", {"last_name": "N", "title": "Dr"}, "/title"),
        ("PATCH", f"/v1/contacts/{contact}", {"title": "Dr"}, "/title"),
        ("PATCH", f"/v1/contacts/{contact}", {"title": None}, "/title"),
        ("POST", "/v1/contacts/bulk", {"ids": [contact], "action": "update", "set": {"title": "Dr"}, "expect_count": 1}, "/set/title"),
        (
            "POST",
            "/v1/contacts/merge",
            {"winner_id": contact, "loser_ids": [world.ids["nameless"]], "field_choices": {"title": contact}},
            None,
        ),
    ]
    for method, path, body, pointer in single:
        answer = await user.http.request(method, path, json=body)
        assert answer.status_code == 403, (method, path, answer.text)
        assert answer.json()["code"] == "forbidden"
        if pointer is not None:
            assert answer.json()["errors"][0]["pointer"] == pointer, answer.text
    await api.change({"object": "contacts", "id": contact}, external_ids={"hub": "1"})
    items: dict[str, dict[str, Any]] = {
        "create": {"last_name": "N", "title": "Dr"},
        "update": {"id": contact, "title": "Dr"},
        "upsert": {"external_ids": {"hub": "1"}, "title": "Dr"},
    }
    for verb, item in items.items():
        batch = {"items": [item], **({"match_on": "external_ids.hub"} if verb == "upsert" else {})}
        answer = await user.http.post(f"/v1/contacts/batch/{verb}", json=batch)
        assert answer.status_code == 207, (verb, answer.text)
        [result] = answer.json()["results"]
        assert (result["status"], result["error"]["code"]) == (403, "forbidden"), result
        assert result["error"]["errors"][0]["pointer"].endswith("/title")
    assert (await api.ok("GET", f"/v1/contacts/{contact}"))["title"] == "Chief"
    profile = (await api.ok("GET", "/v1/profiles", params={"name": "Narrow"}))["data"][0]
    fields = {"contacts": {"email": "read_only", "emails": None, "address": "read_only", "tags": "read_only"}}
    await api.change(profile, fields=fields)
    for path, body, pointer in (
        (f"/v1/contacts/{contact}/emails/x@x.example", {"type": "work"}, "/emails"),
        (f"/v1/contacts/{contact}/addresses/main", {"city": "Bonn"}, "/address"),
        (f"/v1/contacts/{contact}/tags/vip", {}, "/tags"),
    ):
        answer = await user.http.put(path, json=body)
        assert answer.status_code == 403, (path, answer.text)
        assert answer.json()["errors"][0]["pointer"] == pointer, answer.text
        assert (await user.http.delete(path)).status_code == 403


async def test_duplicates_and_conflicts_name_nothing_hidden(api: Api) -> None:
    """What stands in the way is not told by its hidden field; what changed meanwhile neither."""
    world = await planted(api)
    answer = await world.user.http.patch(f"/v1/contacts/{world.ids['contacts']}", json={"last_name": "Other"}, headers={"if-match": '"1"'})
    assert answer.status_code == 412
    assert not told(shown(answer))
