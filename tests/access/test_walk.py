"""A user from whom fields and objects are hidden goes everywhere, and finds neither their values nor their names.

The routes are those of the organisation's own document as an administrator sees it, custom objects included; the body of each is the
example that stands there.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.access.people import colleague
from tests.access.walk import filled, operations, shown
from tests.api import Api, unchecked
from tests.meta.work import field as make_field
from tests.meta.work import make_object

pytestmark = pytest.mark.anyio

HIDDEN_NAMES = (
    "birthdate", "department", "annual_revenue", "employees", "billing_address", "next_step", "lost_reason", "zqcode", "zqsecret", "zqplain",
    "zqnumber", "zqpick", "zqfollower", "zqboats", "zqboat", "zqmotor", "zqlength", "/leads", '"leads"', "'leads'", "lead.created",
)  # fmt: skip
"""Names that stand for nothing else in the whole product."""

MARKERS = {
    "email": "zqmail@marker.example",
    "department": "Zqdepartmentmarker",
    "birthdate": "1911-11-11",
    "annual_revenue": "987654321.12",
    "employees": 424242,
    "billing_address": "Zqstreetmarker",
    "next_step": "Zqnextstepmarker",
    "zqcode": "Zqcodemarker",
    "zqsecret": "Zqsecretmarker",
    "zqplain": "Zqplainmarker",
    "zqnumber": 77665544,
    "zqpick": "zqoptionmarker",
    "boat": "Zqboatmarker",
    "motor": "Zqmotormarker",
    "lead": "Zqleadmarker",
    "phone": "+49 30 99887766",
}
VALUES = [str(value) for value in MARKERS.values()] + ["zqmail", "99887766", "4930998", "Zqoptionlabel", "155331088"]
"""`155331088` is what the formula makes of the hidden number."""


@dataclass
class World:
    """What was planted, and who looks for it."""

    admin: Api
    user: Api
    ids: dict[str, str] = field(default_factory=dict)
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    cursor: str = ""


PERMISSIONS = {
    "*": ["read", "create", "update", "delete", "export", "import", "bulk", "transfer", "share", "purge"],
    "leads": [],
    "zqboats": [],
    **dict.fromkeys(("profiles", "roles", "sharing_rules", "restriction_rules", "territories", "organization", "audit", "privacy"), []),
    **dict.fromkeys(("connections", "retention_policies", "meta"), []),
}
FIELDS = {
    "contacts": {
        **dict.fromkeys(("birthdate", "department", "email", "emails", "phones"), "hidden"),
        **{f"custom_fields.{name}": "hidden" for name in ("zqsecret", "zqplain", "zqnumber", "zqpick", "zqcode")},
        "title": "read_only",
    },
    "accounts": dict.fromkeys(("annual_revenue", "employees", "billing_address"), "hidden"),
    "deals": dict.fromkeys(("next_step", "lost_reason"), "hidden"),
    "zqships": {"zqmotor": "hidden"},
}


async def planted(api: Api) -> World:
    """An organisation with hidden things in every place that takes one, and a user with a narrow profile."""
    await make_object(api, "zqboats", "zqboat")
    await make_object(api, "zqships", "zqship")
    await make_field(api, "zqboats", "name", "text")
    await make_field(api, "zqships", "name", "text")
    await make_field(api, "zqships", "zqmotor", "text")
    await make_field(api, "contacts", "zqsecret", "text")
    await make_field(api, "contacts", "zqplain", "text", searchable=False)
    await make_field(api, "contacts", "zqcode", "text", unique=True)
    await make_field(api, "contacts", "zqnumber", "integer", indexed=True)
    await make_field(api, "contacts", "zqpick", "picklist", options=[{"key": "zqoptionmarker", "label": "Zqoptionlabel"}])
    await make_field(api, "contacts", "zqfollower", "formula", returns="integer", formula="custom_fields.zqnumber * 2")
    await make_field(api, "contacts", "zqopen", "text")
    profile = await api.make("profiles", name="Narrow", permissions=PERMISSIONS, fields=FIELDS)
    user = await colleague(api, profile_id=profile["id"])
    user.http.event_hooks = {}
    world = World(api, user)
    account = await api.make(
        "accounts", name="Openaccount", annual_revenue=MARKERS["annual_revenue"], employees=MARKERS["employees"],
        billing_address={"street": MARKERS["billing_address"]},
    )  # fmt: skip
    contact = await api.make(
        "contacts", first_name="Open", last_name="Personage", account_id=account["id"], emails=[{"address": MARKERS["email"], "is_primary": True}],
        phones=[{"number": MARKERS["phone"], "is_primary": True}], department=MARKERS["department"], birthdate=MARKERS["birthdate"],
        custom_fields={
            **{name: MARKERS[name] for name in ("zqsecret", "zqplain", "zqcode", "zqnumber", "zqpick")}, "zqopen": "Visible"
        },
    )  # fmt: skip
    nameless = await api.make("contacts", emails=[{"address": "2" + str(MARKERS["email"]), "is_primary": True}])
    deal = await api.make("deals", name="Opendeal", account_id=account["id"], amount="5", next_step=MARKERS["next_step"])
    await api.ok("PUT", f"/v1/deals/{deal['id']}/links/contacts/{contact['id']}", json={})
    lead = await api.make("leads", last_name=MARKERS["lead"], company="X")
    boat = await api.make("zqboats", name=MARKERS["boat"])
    ship = await api.make("zqships", name="Openship", zqmotor=MARKERS["motor"])
    hot = {"field": "custom_fields.zqnumber", "op": "gt", "value": 3}
    view = await api.make(
        "views", name="Telltale", visibility="shared", applies_to="contacts", columns=["last_name", "custom_fields.zqsecret", "department"],
        criteria=[hot], sort=["-birthdate"], kind="board", group_by="custom_fields.zqpick",
    )  # fmt: skip
    columns = await api.make("views", name="Columns", visibility="shared", applies_to="contacts", columns=["last_name", "department", "account.employees"])
    far = await api.make(
        "views", name="Far", visibility="shared", applies_to="deals", columns=["name", "account.annual_revenue"],
        criteria=[{"field": "account.employees", "op": "gt", "value": 1}],
    )  # fmt: skip
    boats = await api.make("views", name="Boats", visibility="shared", applies_to="zqboats", columns=["name"])
    segment = await api.make("segments", name="Telltale", applies_to="contacts", kind="dynamic", filter=hot)
    layout = await api.make(
        "layouts", name="Telltale", applies_to="contacts",
        sections=[{"key": "a", "label": "A", "rows": [[{"field": "last_name"}, {"field": "department"}], [{"field": "custom_fields.zqsecret"}]]}],
    )  # fmt: skip
    link = await api.make("custom_links", name="Telltale", applies_to="contacts", url_template="https://x.example/{department}/{id}")
    world.ids = {
        "accounts": account["id"], "contacts": contact["id"], "deals": deal["id"], "leads": lead["id"], "zqboats": boat["id"],
        "zqships": ship["id"], "views": view["id"], "segments": segment["id"], "layouts": layout["id"], "custom_links": link["id"],
        "users": str(api.user_id), "links": link["id"], "columns": columns["id"], "far": far["id"], "boats": boats["id"],
        "nameless": nameless["id"],
    }  # fmt: skip
    world.names = {"": {"object": "contacts", "unique_field": "zqcode", "value": "x", "api_name": "zqsecret", "other_id": deal["id"], "key": "k"}}
    world.cursor = (await user.ok("GET", "/v1/events"))["page"]["next_cursor"]
    # a history with old and new values
    await api.change(contact, department="Zqdepartmentmarker2", title="Chief", custom_fields={"zqsecret": "Zqsecretmarker2"})
    await api.change(contact, department=str(MARKERS["department"]))
    await api.change(lead, company="Y")
    return world


def told(text: str) -> list[str]:
    """What of the hidden things a text gives away."""
    found = [value for value in VALUES if value.lower() in text.lower()]
    return found + [name for name in HIDDEN_NAMES if re.search(rf"(?<![a-z_]){re.escape(name)}(?![a-z])", text, re.IGNORECASE)]


async def test_every_route_with_its_example(api: Api) -> None:
    """GET, POST, PUT, PATCH and DELETE of all paths; hidden objects are 404 wherever a path names one."""
    world = await planted(api)
    document = await api.ok("GET", "/v1/meta/openapi.json")
    standard = (await api.http.get("/openapi.json")).json()
    seen: set[tuple[str, str]] = set()
    leaks: list[str] = []
    walks = [*operations(document), *operations(standard)]
    async with unchecked(api.app, world.user.token) as http:
        for last in (False, True):  # what only looks comes before what changes and removes
            for operation in walks:
                key = (operation.method, operation.path)
                hidden = any(part in ("leads", "zqboats") for part in operation.path.split("/"))
                changes = operation.method in ("PUT", "PATCH", "DELETE") or (operation.method == "POST" and not operation.path.endswith(("/search", "/aggregate", "/read")))
                if key in seen or changes != last or operation.path.startswith(("/oauth", "/.well-known", "/problems", "/metrics", "/docs")):
                    continue
                if operation.path in ("/v1/events/stream", "/openapi.json", "/v1/me/password", "/v1/tokens/revoke") or operation.path.startswith("/v1/me/totp"):
                    continue
                seen.add(key)
                path = filled(operation.path, world.ids, world.names)
                if hidden:
                    path = path.replace(world.ids["leads"], world.ids["leads"])
                answer = await http.request(operation.method, path, **({"json": operation.body} if operation.body is not None else {}))
                if answer.status_code == 500 or (hidden and answer.status_code != 404):
                    leaks.append(f"{operation.method} {path} → {answer.status_code}: {answer.text[:300]}")
                found = told(_prose(answer) if path.endswith(("openapi.json", "schema.json")) else shown(answer))
                # a path and a body that name a hidden thing get it back at most where they said it
                sent = path + json.dumps(operation.body or {})
                found = [one for one in found if one.lower() not in sent.lower()]
                if found:
                    leaks.append(f"{operation.method} {path} → {answer.status_code}: {found}")
    assert len(seen) > 900
    assert not leaks, "\n".join(leaks)


def _prose(answer: httpx.Response) -> str:
    """A document without its prose, in which standard fields of all organisations serve as examples."""

    def without(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: without(value) for key, value in node.items() if key != "description"}
        return [without(item) for item in node] if isinstance(node, list) else node

    return json.dumps(without(answer.json())) if answer.status_code == 200 else answer.text


LISTS: list[dict[str, Any]] = [
    {"fields": "id,department"}, {"fields": "custom_fields.zqsecret"}, {"sort": "department"}, {"sort": "-birthdate"},
    {"sort": "custom_fields.zqnumber"}, {"department": "x"}, {"birthdate[gt]": "1900-01-01"}, {"custom_fields.zqsecret": "x"},
    {"custom_fields.zqnumber[gt]": "1"}, {"email": str(MARKERS["email"])}, {"account.employees[gt]": "1"}, {"account.annual_revenue_base[gt]": "1"},
    {"expand": "zqboats"}, {"fields": "account.employees"},
    {"filter": '{"field":"department","value":"x"}'}, {"filter": '{"field":"title","value":{"field":"department"}}'},
    {"filter": '{"field":"emails","any":{"field":"address","value":"x"}}'},
]  # fmt: skip


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
        ("POST", "/v1/contacts/merge", {"winner_id": contact, "loser_ids": [world.ids["nameless"]], "field_choices": {"department": contact}}),
        ("POST", "/v1/views", {"name": "N", "applies_to": "contacts", "columns": ["department"]}),
        ("POST", "/v1/views", {"name": "N", "applies_to": "zqboats", "columns": ["name"]}),
        ("POST", "/v1/segments", {"name": "N", "applies_to": "contacts", "kind": "dynamic", "filter": {"field": "department", "value": "x"}}),
        ("POST", "/v1/custom_links", {"name": "N", "applies_to": "contacts", "url_template": "https://x.example/{department}"}),
        ("POST", "/v1/layouts", {"name": "N", "applies_to": "contacts", "sections": [{"key": "a", "label": "A", "rows": [[{"field": "department"}]]}]}),
        ("POST", "/v1/events/snapshot", {"objects": ["zqboats"]}),
    ]  # fmt: skip
    for method, path, body in bodies:
        answer = await user.http.request(method, path, json=body)
        assert answer.status_code == 422, (method, path, body, answer.text)
        assert not [one for one in told(shown(answer)) if one.lower() not in json.dumps(body).lower()], (path, answer.text)
    queries = [
        (f"/v1/contacts/{contact}/history", {"field": "department"}), (f"/v1/contacts/{contact}/history", {"field": "custom_fields.zqsecret"}),
        ("/v1/contacts/board", {"group_by": "custom_fields.zqpick"}), ("/v1/events", {"object": "leads"}), ("/v1/events", {"event_types": "lead.*"}),
        ("/v1/events", {"object": "contacts", "filter": '{"field":"department","op":"changed"}'}), ("/v1/search", {"q": "x", "objects": "leads"}),
        ("/v1/links", {"relation": "leads.x"}),
    ]  # fmt: skip
    for path, params in queries:
        answer = await user.http.get(path, params=params)
        assert answer.status_code == 400, (path, params, answer.text)
        assert not [one for one in told(shown(answer)) if one.lower() not in json.dumps(params).lower()], (path, answer.text)
    for field_name, value in (("email", MARKERS["email"]), ("zqcode", MARKERS["zqcode"]), ("custom_fields.zqcode", MARKERS["zqcode"])):
        for method in ("GET", "PATCH", "PUT", "DELETE"):
            answer = await user.http.request(method, f"/v1/contacts/by/{field_name}/{value}", **({} if method in ("GET", "DELETE") else {"json": {}}))
            other = await user.http.request(method, f"/v1/contacts/by/zzz/{value}", **({} if method in ("GET", "DELETE") else {"json": {}}))
            assert answer.status_code == other.status_code, (method, field_name, answer.text, other.text)
    for match_on in ("email", "custom_fields.zqcode"):
        answer = await user.http.post("/v1/contacts/batch/upsert", json={"match_on": match_on, "items": [{"last_name": "N"}]})
        assert answer.status_code == 422, answer.text
    await user.http.put(f"/v1/contacts/{contact}/emails/x@x.example", json={})
    assert (await user.http.put(f"/v1/contacts/{contact}/emails/x@x.example", json={})).status_code == 404


@pytest.mark.parametrize("word", ["Zqdepartmentmarker", "zqmail", "marker.example", "Zqsecretmarker", "99887766", "Zqsecretmarkr", "zqmial"])
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
    problem = await user.fails("GET", f"/v1/meta/links/{world.ids['custom_links']}/render", 403, "forbidden", params={"record_id": world.ids["contacts"]})
    assert not told(json.dumps(problem))
    for path in ("/v1/views", "/v1/segments", "/v1/layouts", "/v1/custom_links", "/v1/meta/contacts/layouts/effective", "/v1/meta/contacts/layouts"):
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
        ("POST", "/v1/contacts/merge", {"winner_id": contact, "loser_ids": [world.ids["nameless"]], "field_choices": {"title": contact}}, None),
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
        body = {"items": [item], **({"match_on": "external_ids.hub"} if verb == "upsert" else {})}
        answer = await user.http.post(f"/v1/contacts/batch/{verb}", json=body)
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
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (403, pointer), answer.text
        assert (await user.http.delete(path)).status_code == 403


async def test_duplicates_and_conflicts_name_nothing_hidden(api: Api) -> None:
    """What stands in the way is not told by its hidden field; what changed meanwhile neither."""
    world = await planted(api)
    answer = await world.user.http.patch(
        f"/v1/contacts/{world.ids['contacts']}", json={"last_name": "Other"}, headers={"if-match": '"1"'}
    )
    assert answer.status_code == 412
    assert not told(shown(answer))
    await asyncio.sleep(0)
