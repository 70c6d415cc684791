"""Questions that are wrong: each mistake at its place, with what would have been right; and spellings that are right."""

from __future__ import annotations

from typing import Any

import pytest

from crm_api.http.app import Application
from tests.api import Api

pytestmark = pytest.mark.anyio
Body = dict[str, Any]

QUERIES: list[tuple[str, str, str, str]] = [
    ("foo=1", "unknown_parameter", "foo", "unknown_parameter"),
    ("account.foo=1", "unknown_parameter", "account.foo", "unknown_parameter"),
    ("fields[x]=1", "unknown_parameter", "fields[x]", "unknown_parameter"),
    ("expand[account][size]=1&expand=account", "unknown_parameter", "expand[account][size]", "unknown_parameter"),
    ("after=abc", "unknown_parameter", "after", "unknown_parameter"),
    ("limit=201", "bad_request", "limit", "max"),
    ("limit=0", "bad_request", "limit", "min"),
    ("limit=ten", "bad_request", "limit", "type"),
    ("limit=1&limit=2", "bad_request", "limit", "repeated_parameter"),
    ("sort=nope", "bad_request", "sort", "unknown_field"),
    ("sort=tags", "bad_request", "sort", "not_sortable"),
    ("sort=last_name,-last_name", "bad_request", "sort", "repeated_item"),
    ("sort=id,email,title,phone", "bad_request", "sort", "too_many_items"),
    ("sort=", "bad_request", "sort", "unknown_field"),
    ("fields=email,nope", "bad_request", "fields", "unknown_field"),
    ("fields=account.nope", "bad_request", "fields", "unknown_field"),
    ("fields=deals.name", "bad_request", "fields", "unknown_field"),
    ("expand=nope", "bad_request", "expand", "unknown_relation"),
    ("expand=account.parent.parent.parent", "bad_request", "expand", "expand_depth"),
    ("expand[deals][limit]=3", "bad_request", "expand[deals][limit]", "invalid_combination"),
    ("expand=deals&expand[deals][limit]=51", "bad_request", "expand[deals][limit]", "max"),
    ("expand=deals&expand[deals][limit]=1&expand[deals][limit]=2", "bad_request", "expand[deals][limit]", "type"),
    ("expand=deals&expand[deals][sort]=nope", "bad_request", "expand[deals][sort]", "unknown_field"),
    ("count=all", "bad_request", "count", "enum"),
    ("deleted=yes", "bad_request", "deleted", "enum"),
    ("as_of=yesterday", "bad_request", "as_of", "invalid_timestamp"),
    ("as_of=2999-01-01T00:00:00Z", "bad_request", "as_of", "max"),
    ("consistent=1", "bad_request", "consistent", "enum"),
    ("q=", "bad_request", "q", "min_length"),
    ("q=%20-%20", "bad_request", "q", "min_length"),
    (f"q={'x' * 257}", "bad_request", "q", "max_length"),
    (f"q={'+'.join('abcdefghijklmnopqrstuvwxyz0123456789')}", "bad_request", "q", "too_many_items"),
    ("q=a&as_of=2026-01-01T00:00:00Z", "bad_request", "q", "invalid_combination"),
    ("email[like]=a", "bad_request", "email[like]", "unknown_operator"),
    ("birthdate=1980-02-30", "bad_request", "birthdate", "invalid_date"),
    ("birthdate[gt]=1980", "bad_request", "birthdate[gt]", "invalid_date"),
    ("birthdate[within]=last_decade", "bad_request", "birthdate[within]", "invalid_period"),
    ("birthdate[within]=P1X", "bad_request", "birthdate[within]", "invalid_duration"),
    ("birthdate[between]=1980-01-01", "bad_request", "birthdate[between]", "type"),
    ("account_id=7", "bad_request", "account_id", "invalid_uuid"),
    ("email_opt_out=yes", "bad_request", "email_opt_out", "invalid_boolean"),
    ("rating=lukewarm", "bad_request", "rating", "enum"),
    ("version[gt]=1.5", "bad_request", "version[gt]", "type"),
    ("title[contains]=", "bad_request", "title[contains]", "min_length"),
    ("title=%00", "bad_request", "title", "invalid_characters"),
    ("title=%FF", "bad_request", "title", "invalid_utf8"),
    ("custom_fields=1", "bad_request", "custom_fields", "not_filterable"),
    ("filter=%7B", "bad_request", "filter", "invalid_filter"),
    ("account.parent.parent.name=x", "filter_too_complex", "account.parent.parent.name", "too_many_hops"),
]


@pytest.mark.parametrize(("query", "problem", "parameter", "code"), QUERIES, ids=[query[:40] for query, *_ in QUERIES])
async def test_mistakes_in_query_strings(api: Api, query: str, problem: str, parameter: str, code: str) -> None:
    status = 422 if problem == "filter_too_complex" else 400
    found = await api.fails("GET", f"/v1/contacts?{query}", status, problem)
    (error,) = found["errors"]
    assert (error["parameter"], error["code"]) == (parameter, code)
    if code in ("unknown_parameter", "unknown_field", "unknown_operator", "unknown_relation", "enum", "not_sortable", "invalid_period"):
        assert error["allowed"]


def nested(levels: int) -> Body:
    tree: Body = {"field": "title", "value": "x"}
    for _ in range(levels):
        tree = {"not": tree}
    return tree


BODIES: list[tuple[Body, str, str, str]] = [
    ({"fitler": {}}, "validation_failed", "/fitler", "unknown_field"),
    ({"a/b~c": 1}, "validation_failed", "/a~1b~0c", "unknown_field"),
    ({"filter": []}, "validation_failed", "/filter", "type"),
    ({"filter": {}}, "validation_failed", "/filter/field", "required"),
    ({"filter": {"feild": "x"}}, "validation_failed", "/filter/feild", "unknown_field"),
    ({"filter": {"field": 7}}, "validation_failed", "/filter/field", "type"),
    ({"filter": {"field": "title"}}, "validation_failed", "/filter/value", "required"),
    ({"filter": {"field": "title", "op": "like", "value": "x"}}, "validation_failed", "/filter/op", "unknown_operator"),
    ({"filter": {"field": "title", "op": 1, "value": "x"}}, "validation_failed", "/filter/op", "type"),
    ({"filter": {"field": "nope", "value": 1}}, "validation_failed", "/filter/field", "unknown_field"),
    ({"filter": {"field": "account.nope", "value": 1}}, "validation_failed", "/filter/field", "unknown_field"),
    ({"filter": {"field": "account", "value": 1}}, "validation_failed", "/filter/field", "not_filterable"),
    ({"filter": {"and": []}}, "validation_failed", "/filter/and", "min_items"),
    ({"filter": {"and": {}}}, "validation_failed", "/filter/and", "type"),
    ({"filter": {"or": [{"field": "title", "value": 1}]}}, "validation_failed", "/filter/or/0/value", "type"),
    ({"filter": {"and": [{"field": "title", "value": "x"}], "or": []}}, "validation_failed", "/filter/or", "unknown_field"),
    ({"filter": {"field": "deals", "any": {"field": "amount", "value": 1}}}, "validation_failed", "/filter/any/value", "type"),
    ({"filter": {"field": "account", "any": {"field": "name", "value": "x"}}}, "validation_failed", "/filter/field", "unknown_relation"),
    ({"filter": {"field": "version", "value": "1"}}, "validation_failed", "/filter/value", "type"),
    ({"filter": {"field": "version", "value": True}}, "validation_failed", "/filter/value", "type"),
    ({"filter": {"field": "version", "op": "in", "value": []}}, "validation_failed", "/filter/value", "min_items"),
    ({"filter": {"field": "version", "op": "in", "value": list(range(1001))}}, "validation_failed", "/filter/value", "too_many_items"),
    ({"filter": {"field": "version", "op": "lt", "value": None}}, "validation_failed", "/filter/value", "type"),
    ({"filter": {"field": "title", "op": "is_null", "value": "x"}}, "validation_failed", "/filter/value", "invalid_boolean"),
    ({"filter": {"field": "title", "value": {"field": "birthdate"}}}, "validation_failed", "/filter/value/field", "type"),
    ({"filter": {"field": "title", "value": {"field": "deals.name"}}}, "validation_failed", "/filter/value/field", "not_filterable"),
    ({"filter": {"field": "title", "value": {"fild": "x"}}}, "validation_failed", "/filter/value/fild", "unknown_field"),
    ({"filter": {"field": "title", "op": "in", "value": {"field": "kind"}}}, "validation_failed", "/filter/value", "type"),
    ({"filter": {"field": "title", "value": "a\x00b"}}, "validation_failed", "/filter/value", "invalid_characters"),
    ({"filter": nested(6)}, "filter_too_complex", "/filter/not/not/not/not/not", "filter_depth"),
    ({"filter": {"and": [{"field": "title", "value": "x"}] * 101}}, "filter_too_complex", "/filter/and/100/field", "filter_conditions"),
    ({"sort": "last_name"}, "validation_failed", "/sort", "type"),
    ({"sort": ["last_name", "nope"]}, "validation_failed", "/sort/1", "unknown_field"),
    ({"sort": [1]}, "validation_failed", "/sort/0", "type"),
    ({"fields": ["nope"]}, "validation_failed", "/fields/0", "unknown_field"),
    ({"expand": {"deals": {"limit": 0}}}, "validation_failed", "/expand/deals/limit", "min"),
    ({"expand": {"deals": {"limt": 1}}}, "validation_failed", "/expand/deals/limt", "unknown_field"),
    ({"expand": {"deals": {"sort": ["nope"]}}}, "validation_failed", "/expand/deals/sort/0", "unknown_field"),
    ({"expand": {"deals": {"filter": {"field": "nope", "value": 1}}}}, "validation_failed", "/expand/deals/filter/field", "unknown_field"),
    ({"expand": {"deals": {"expand": {"nope": {}}}}}, "validation_failed", "/expand/deals/expand/nope", "unknown_relation"),
    ({"expand": {"account": {"limit": 1}}}, "validation_failed", "/expand/account/limit", "unknown_field"),
    ({"expand": ["nope"]}, "validation_failed", "/expand/nope", "unknown_relation"),
    ({"limit": "5"}, "validation_failed", "/limit", "type"),
    ({"limit": 500}, "validation_failed", "/limit", "max"),
    ({"count": "many"}, "validation_failed", "/count", "enum"),
    ({"q": 5}, "validation_failed", "/q", "type"),
    ({"cursor": 5}, "validation_failed", "/cursor", "type"),
    ({"explain": "yes"}, "validation_failed", "/explain", "invalid_boolean"),
    ({"as_of": "2999-01-01T00:00:00Z"}, "validation_failed", "/as_of", "max"),
]


@pytest.mark.parametrize(("body", "problem", "pointer", "code"), BODIES, ids=[str(body)[:60] for body, *_ in BODIES])
async def test_mistakes_in_search_bodies(api: Api, body: Body, problem: str, pointer: str, code: str) -> None:
    found = await api.fails("POST", "/v1/contacts/search", 422, problem, json=body)
    (error,) = found["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)
    if code in ("unknown_field", "unknown_operator", "unknown_relation", "enum"):
        assert error["allowed"]
    if problem == "filter_too_complex":
        assert found["max"] in (5, 100)


async def test_all_mistakes_are_told_at_once(api: Api) -> None:
    found = await api.fails("GET", "/v1/contacts?limit=x&sort=nope&email[like]=a", 400, "bad_request")
    assert {error["parameter"] for error in found["errors"]} == {"limit", "sort", "email[like]"}
    body = {"limit": 0, "sort": ["nope"], "filter": {"and": [{"field": "x"}, {"field": "y"}]}}
    found = await api.fails("POST", "/v1/contacts/search", 422, "validation_failed", json=body)
    assert {error["pointer"] for error in found["errors"]} == {"/limit", "/sort/0", "/filter/and/0/field", "/filter/and/1/field"}
    found = await api.fails("GET", '/v1/contacts?filter={"or":[{"field":"title","value":1}]}', 400, "bad_request")
    (error,) = found["errors"]
    assert (error["parameter"], error["pointer"], error["code"]) == ("filter", "/or/0/value", "type")


async def test_limits_of_filters_and_expansions_are_reached(api: Api) -> None:
    await api.ok("POST", "/v1/contacts/search", json={"filter": nested(5)})
    await api.ok("POST", "/v1/contacts/search", json={"filter": {"and": [{"field": "title", "value": "x"}] * 100}})
    await api.ok(
        "GET", "/v1/contacts?account.parent.name=x&expand=account.parent.children&limit=200&expand[account.parent.children][limit]=50"
    )
    await api.ok("GET", "/v1/accounts?limit=200&expand=contacts&expand[contacts][limit]=50")
    problem = await api.fails("GET", "/v1/accounts?limit=200&expand=contacts,deals&expand[contacts][limit]=50", 422, "too_expensive")
    assert (problem["limit"], problem["max"], problem["actual"]) == ("expanded_rows", 10_000, 12_000)
    body = {"limit": 50, "expand": {"contacts": {"limit": 20, "expand": {"deals": {"limit": 10}}}}}
    problem = await api.fails("POST", "/v1/accounts/search", 422, "too_expensive", json=body)
    assert problem["actual"] == 50 * (20 + 20 * 10)


async def test_spellings(api: Api) -> None:
    for name, title in (("A", "x, y"), ("B", "z"), ("C", None)):
        await api.make("contacts", last_name=name, title=title)

    async def found(query: str) -> str:
        page = await api.ok("GET", f"/v1/contacts?fields=last_name&sort=last_name&{query}")
        return "".join(record["last_name"] for record in page["data"])

    assert await found("title%5Bin%5D=z,q") == "B"
    assert await found("title[in]=x%2C%20y,z") == "AB"
    assert await found("title[in]=x%2C%20y&title[in]=z") == "AB"
    assert await found("title=x%2C%20y") == "A"
    assert await found("title=z&title=x%2C+y") == "AB"
    assert await found("title=z,q") == "B"
    assert await found("title[contains]=x,%20y") == "A"
    assert await found("title[is_null]=true") == "C"
    assert await found("title[is_null]=false") == "AB"
    assert await found("title[is_null]") == "C"
    assert await found("title[ne]=Z") == "AC"
    assert await found('filter={"field":"title","value":null}') == "C"
    assert await found('filter={"field":"title","value":{"field":"last_name"}}&last_name=A') == ""
    assert await found("display_name=b") == "B"
    assert await found("created_at[newer_than]=P1D&limit=1") == "A"
    page = await api.ok("GET", "/v1/contacts?fields=last_name%2Ctitle&sort=-last_name&fields=email")
    assert page["data"][0].keys() == {"object", "id", "last_name", "title", "email"}
    page = await api.ok("GET", "/v1/contacts?fields=&limit=1")
    assert page["data"][0].keys() == {"object", "id"}


async def test_fields_reach_across_references(api: Api) -> None:
    group = await api.make("accounts", name="Group")
    account = await api.make("accounts", name="Acme", industry="saas", parent_id=group["id"])
    contact = await api.make("contacts", last_name="King", account_id=account["id"])
    (shown,) = (await api.ok("GET", "/v1/contacts?fields=last_name,account.name,account.parent.name"))["data"]
    inner = {
        "object": "accounts",
        "id": account["id"],
        "name": "Acme",
        "parent": {"object": "accounts", "id": group["id"], "name": "Group"},
    }
    assert shown == {"object": "contacts", "id": contact["id"], "last_name": "King", "account": inner}
    (shown,) = (await api.ok("GET", "/v1/contacts?fields=account.name&expand=account"))["data"]
    assert shown["account"]["industry"] == "saas"
    body = {
        "fields": ["last_name"],
        "expand": {"account": {"fields": ["name"], "expand": {"contacts": {"fields": [], "expand": {"account": {}}}}}},
    }
    (shown,) = (await api.ok("POST", "/v1/contacts/search", json=body))["data"]
    assert shown["account"]["contacts"]["data"][0]["account"]["name"] == "Acme"
    one = await api.ok("GET", f"/v1/contacts/{contact['id']}?fields=account.name")
    assert one.keys() == {"object", "id", "account"}
    await api.ok("DELETE", f"/v1/accounts/{account['id']}?on_children=detach")
    (shown,) = (await api.ok("GET", "/v1/contacts?fields=account.name"))["data"]
    assert shown["account"] is None


async def test_each_read_is_one_statement(api: Api, app: Application) -> None:
    account = await api.make("accounts", name="Acme")
    contact = await api.make("contacts", last_name="King", account_id=account["id"])
    seen: list[str] = []
    database = app.state.services.database
    reads: list[tuple[str, str, Body | None]] = [
        ("GET", f"/v1/contacts/{contact['id']}", None),
        ("GET", f"/v1/contacts/{contact['id']}?expand=account.contacts,deals,accounts&fields=email", None),
        ("GET", "/v1/contacts?expand=account,deals.stage&count=exact&account.name=acme&sort=title", None),
        ("GET", "/v1/contacts?q=king&count=estimate", None),
        ("GET", f"/v1/accounts/{account['id']}/contacts?expand=account", None),
        ("POST", "/v1/contacts/search", {"filter": {"field": "account.contacts", "any": {"field": "last_name", "value": "king"}}}),
        ("POST", "/v1/contacts/batch/read", {"items": [{"id": contact["id"]}]}),
        ("POST", "/v1/contacts/aggregate", {"measures": [{"op": "count"}]}),
        ("GET", "/v1/search?q=king", None),
    ]
    for method, path, body in reads:
        del seen[:]
        database.observers.append(seen.append)
        try:
            await api.ok(method, path, json=body) if body is not None else await api.ok(method, path)
        finally:
            database.observers.remove(seen.append)
        data = [sql for sql in seen if not sql.startswith(("BEGIN", "COMMIT")) and "FROM tokens" not in sql]
        assert len(data) == 1, (path, data)


async def test_explain_adds_the_plan(api: Api) -> None:
    await api.make("contacts", last_name="King")
    body = {"filter": {"and": [{"field": "last_name", "value": "king"}, {"not": {"field": "title", "value": "x"}}]}, "explain": True}
    answer = await api.ok("POST", "/v1/contacts/search", json=body)
    assert answer["data"][0]["last_name"] == "King"
    assert answer["plan"].keys() == {"estimated_rows", "cost", "indexes", "full_scans", "limits"}
    assert answer["plan"]["limits"]["conditions"] == {"used": 2, "max": 100}
    assert answer["plan"]["limits"]["depth"] == {"used": 2, "max": 5}


async def test_what_was_just_written_is_found(api: Api) -> None:
    for number in range(40):
        made = await api.make("contacts", last_name=f"Fresh{number}", email=f"fresh.{number}@corp.example")
        listed = await api.ok("GET", "/v1/contacts?limit=1&fields=")
        searched = await api.ok("POST", "/v1/contacts/search", json={"filter": {"field": "email", "value": made["email"]}, "fields": []})
        full = await api.ok("GET", f"/v1/contacts?q=fresh{number}+corp&fields=")
        part = await api.ok("GET", f"/v1/contacts?last_name[contains]=resh{number}&fields=&limit=1")
        for page in (listed, searched, full, part):
            assert page["data"][0]["id"] == made["id"]


async def test_words_are_found_as_people_write_them(api: Api) -> None:
    await api.make(
        "contacts",
        first_name="Jean-Luc",
        last_name="O'Neill-Müller",
        email="jl.oneill+crm@Sub.Acme.example",
        phone="+49 (30) 123-4567",
        title="a&b|c:*!'",
    )
    await api.make("contacts", first_name="Zoë", description="Serial 9e0y and 469e5a; naïve café")
    for q in (
        "jean", "luc", "jean-luc", "LUC neill", "o'neill", "muller", "MÜLLER", "jl.oneill", "jl.oneill+crm@sub.acme.example",
        "acme.example", "@sub",
        "49301234567", "+49 30 1234567", "(30) 123-4567", "1234567", "30 1234567", "a&b|c:*!'", "muller jean",
    ):  # fmt: skip
        page = await api.ok("GET", "/v1/contacts", params={"q": q, "fields": "first_name"})
        assert [record["first_name"] for record in page["data"]] == ["Jean-Luc"], q
    for q in ("zoe", "9e0y", "469e5a", "469e", "cafe", "NAIVE"):
        page = await api.ok("GET", "/v1/contacts", params={"q": q, "fields": "first_name"})
        assert [record["first_name"] for record in page["data"]] == ["Zoë"], q
    for q in ("jean xavier", "eill", "9e1"):
        assert (await api.ok("GET", "/v1/contacts", params={"q": q}))["data"] == [], q


async def test_names_inside_fields_are_only_names(api: Api) -> None:
    """Members of structured fields become part of statements, whatever characters they hold."""
    contact = await api.make("contacts", last_name="King", external_ids={"hubspot": "51:%a'"}, address={"city": "Köln"})
    for name in ("hub'spot", "hub%spot", "hub:spot", "hub\\spot", 'hub"spot', "$1", "%s", "{}", "x" * 200):
        for op in ("eq", "ne", "is_null"):
            body: Body = {"filter": {"field": f"external_ids.{name}", "op": op, **({} if op == "is_null" else {"value": "51"})}}
            page = await api.ok("POST", "/v1/contacts/search", json=body)
            assert len(page["data"]) == (op != "eq")
    for body in ({"field": "external_ids.hubspot", "value": "51:%a'"}, {"field": "address.city", "op": "contains", "value": "KOL"}):
        page = await api.ok("POST", "/v1/contacts/search", json={"filter": body})
        assert [record["id"] for record in page["data"]] == [contact["id"]]
    assert (await api.ok("GET", "/v1/contacts?external_ids.hubspot=51:%25A'"))["data"] == []
    deleted = await api.make("contacts", last_name="Gone", external_ids={"hubspot": "7"})
    await api.ok("DELETE", f"/v1/contacts/{deleted['id']}")
    assert (await api.ok("GET", "/v1/contacts?external_ids.hubspot=7"))["data"] == []
    assert len((await api.ok("GET", "/v1/contacts?external_ids.hubspot=7&deleted=only"))["data"]) == 1


async def test_an_answer_has_a_size(api: Api) -> None:
    """Ten million bytes; beyond, nothing half is sent."""
    body = {"format": "text", "content": "long " * 19_000}
    for _ in range(3):
        await api.ok("POST", "/v1/notes/batch/create", json={"items": [{"title": "Long", "body": body}] * 40})
    problem = await api.fails("GET", "/v1/notes?limit=120", 422, "too_expensive")
    assert (problem["limit"], problem["max"]) == ("answer_bytes", 10_000_000)
    assert len((await api.ok("GET", "/v1/notes?limit=120&fields=title"))["data"]) == 120
    assert len((await api.ok("GET", "/v1/notes?limit=20&body[contains]=LONG%20long"))["data"]) == 20
