"""Custom fields in everything that is done with records: on a standard object, and on one that the organisation made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson
import pytest

from crm_api.http.app import Application
from crm_api.settings import Settings
from tests.api import Api, Record, new_organization
from tests.jobs.conftest import worker_process
from tests.jobs.support import finished
from tests.meta.every_type import VALUES, definitions

pytestmark = pytest.mark.anyio


@dataclass
class Site:
    """The object under test: how its fields are given and named."""

    api: Api
    name: str
    top: bool

    def path(self, field: str) -> str:
        return field if self.top else f"custom_fields.{field}"

    def body(self, **members: Any) -> dict[str, Any]:
        return members if self.top else {"custom_fields": members}

    def get(self, record: Mapping[str, Any], field: str) -> Any:
        return record[field] if self.top else record["custom_fields"][field]

    async def make(self, **members: Any) -> Record:
        named = {"name": "One"} if self.top else {"last_name": "One"}
        return await self.api.make(self.name, **named, **self.body(**members))

    async def change(self, record: Mapping[str, Any], **members: Any) -> Record:
        return await self.api.change(record, **self.body(**members))

    async def found(self, tree: dict[str, Any], **params: Any) -> list[str]:
        page = await self.api.ok("POST", f"/v1/{self.name}/search", json={"filter": tree, "sort": ["id"], "limit": 200}, params=params)
        return [row["id"] for row in page["data"]]

    async def events(self, tree: dict[str, Any]) -> list[tuple[str, str]]:
        params = {"object": self.name, "filter": orjson.dumps(tree).decode(), "limit": 1000}
        return [(e["type"].partition(".")[2], e["record_id"]) for e in (await self.api.ok("GET", "/v1/events", params=params))["data"]]


@pytest.fixture(scope="module")
async def crm(app: Application) -> AsyncIterator[Api]:
    async with new_organization(app) as made:
        made.http.event_hooks = {"response": []}
        for body in definitions():
            await made.ok("POST", "/v1/meta/contacts/fields", json=body, status=201)
        own = [{**body, "inverse": f"{body['inverse']}_things"} if "inverse" in body else body for body in definitions()]
        await made.ok(
            "POST", "/v1/meta/objects", json={"api_name": "things", "singular": "thing", "label": "Thing", "fields": own}, status=201
        )
        yield made


@pytest.fixture(params=["contacts", "things"])
def site(crm: Api, request: pytest.FixtureRequest) -> Site:
    return Site(crm, request.param, request.param == "things")


@pytest.mark.parametrize("field", VALUES)
async def test_the_life_of_a_value(site: Site, field: str) -> None:
    """Written, changed, taken away; told by events, history, the past and their filters."""
    first, second = VALUES[field]
    path = site.path(field)
    record = await site.make(**{field: first})
    assert site.get(record, field) == first
    assert (await site.change(record, **{field: first}))["version"] == 1
    changed = await site.change(record, **{field: second})
    assert (site.get(changed, field), changed["version"]) == (second, 2)
    assert await site.api.get(record) == changed
    cleared = await site.change(record, **{field: None})
    assert (site.get(cleared, field), cleared["version"]) == (None, 3)
    assert (await site.change(record, **{field: None}))["version"] == 3
    told = (await site.api.ok("GET", "/v1/events", params={"record_id": record["id"]}))["data"]
    assert [event["changes"][path] for event in told] == [
        {"old": None, "new": first}, {"old": first, "new": second}, {"old": second, "new": None},
    ]  # fmt: skip
    assert [site.get(event["record"], field) for event in told] == [first, second, None]
    history = (await site.api.ok("GET", f"/v1/{site.name}/{record['id']}/history", params={"field": path}))["data"]
    assert [entry["changes"] for entry in history] == [{path: event["changes"][path]} for event in told][::-1]
    for state in (record, changed, cleared):
        assert await site.api.get(record, as_of=state["updated_at"]) == state
    same = {"field": "id", "value": record["id"]}
    for at, empty in ((record, False), (changed, False), (cleared, True)):
        tree = {"and": [same, {"field": path, "op": "is_null" if empty else "is_not_null"}]}
        assert await site.found(tree, as_of=at["updated_at"]) == [record["id"]]
    if field not in ("a_json", "a_multi", "a_boolean", "a_long_text"):
        for at, value in ((record, first), (changed, second)):
            assert await site.found({"and": [same, {"field": path, "value": value}]}, as_of=at["updated_at"]) == [record["id"]]
            assert await site.found({"and": [same, {"field": path, "op": "ne", "value": value}]}, as_of=at["updated_at"]) == []
    both = {"and": [same, {"field": path, "op": "changed"}]}
    assert len(await site.events(both)) == 3
    assert await site.events({"and": [same, {"field": path, "op": "changed_from", "value": first}]}) == [("updated", record["id"])]
    assert [kind for kind, _ in await site.events({"and": [same, {"field": path, "op": "changed_to", "value": second}]})] == ["updated"]
    assert [kind for kind, _ in await site.events({"and": [same, {"field": path, "op": "changed_to", "value": None}]})] == ["updated"]
    if field not in ("a_json", "a_multi", "a_boolean", "a_long_text"):
        assert await site.events({"and": [same, {"field": path, "value": first}]}) == [("created", record["id"])]


async def test_numbers_and_texts_are_found(site: Site) -> None:
    word = f"quux{uuid4().hex[:8]}"
    record = await site.make(a_text=f"Some {word}", a_long_text="x")
    by = {"field": site.path("a_number_of"), "value": site.get(record, "a_number_of").lower()}
    assert await site.found(by) == [record["id"]]
    assert [row["id"] for row in await site.api.all(f"/v1/{site.name}", q=word)] == [record["id"]]
    hits = (await site.api.ok("GET", "/v1/search", params={"q": word}))["data"]
    assert [(hit["object"], hit["id"]) for hit in hits] == [(site.name, record["id"])]
    await site.change(record, a_text=None)
    assert await site.api.all(f"/v1/{site.name}", q=word) == []


async def test_upsert_by_a_unique_field(site: Site) -> None:
    code = f"Code {uuid4().hex[:8]}"
    path = f"/v1/{site.name}/by/{site.path('a_code')}/{code}"
    answer = await site.api.http.put(path, json=site.body(an_integer=1) | ({"last_name": "U"} if not site.top else {"name": "U"}))
    assert (answer.status_code, answer.headers["x-outcome"]) == (201, "created"), answer.text
    record = answer.json()
    assert site.get(record, "a_code") == code
    answer = await site.api.http.put(
        path.lower().replace("/by/custom_fields.a_code/code", "/by/custom_fields.a_code/CODE"), json=site.body(an_integer=2)
    )
    assert (answer.status_code, answer.headers["x-outcome"]) == (200, "updated"), answer.text
    assert (answer.json()["id"], site.get(answer.json(), "an_integer")) == (record["id"], 2)
    items = [
        site.body(a_code=code.upper(), an_integer=3),
        site.body(a_code=f"{code} B", an_integer=4) | ({} if site.top else {"last_name": "B"}),
    ]
    for outcomes in (["updated", "created"], ["unchanged", "unchanged"]):
        batch = await site.api.ok(
            "POST", f"/v1/{site.name}/batch/upsert", json={"match_on": site.path("a_code"), "items": items}, status=207
        )
        assert [result["outcome"] for result in batch["results"]] == outcomes, batch
        items[0] = site.body(a_code=site.get(batch["results"][0]["record"], "a_code"), an_integer=3)
    found = await site.api.ok("GET", path)
    assert site.get(found, "an_integer") == 3
    assert (await site.api.ok("PATCH", path, json=site.body(an_integer=5)))["id"] == record["id"]
    assert (await site.api.ok("DELETE", path))["id"] == record["id"]
    await site.api.fails("GET", path, 404, "not_found")


async def test_a_unique_value_is_taken_once(site: Site) -> None:
    code = uuid4().hex
    first = await site.make(a_code=code)
    problem = await site.api.fails(
        "POST",
        f"/v1/{site.name}",
        409,
        "duplicate",
        json={**({"name": "X"} if site.top else {"last_name": "X"}), **site.body(a_code=code.upper())},
    )
    assert problem["existing"] == [{"object": site.name, "id": first["id"], "field": site.path("a_code")}]
    second = await site.make()
    problem = await site.api.fails("PATCH", f"/v1/{site.name}/{second['id']}", 409, "duplicate", json=site.body(a_code=code))
    assert problem["existing"][0]["field"] == site.path("a_code")
    batch = await site.api.ok(
        "POST",
        f"/v1/{site.name}/batch/update",
        json={"items": [{"id": second["id"], **site.body(a_code=code)}, {"id": first["id"], **site.body(an_integer=3)}]},
        status=207,
    )
    assert [result["status"] for result in batch["results"]] == [409, 200]
    await site.api.ok("DELETE", f"/v1/{site.name}/{first['id']}")
    await site.change(second, a_code=code)
    problem = await site.api.fails("POST", f"/v1/{site.name}/{first['id']}/restore", 409, "duplicate")
    assert problem["existing"] == [{"object": site.name, "id": second["id"], "field": site.path("a_code")}]
    assert (await site.change(second, a_code=None))["version"] == 3
    assert site.get(await site.api.ok("POST", f"/v1/{site.name}/{first['id']}/restore"), "a_code") == code


async def test_twenty_with_one_value(site: Site) -> None:
    code = uuid4().hex
    body = {**({"name": "X"} if site.top else {"last_name": "X"}), **site.body(a_code=code)}
    answers = await asyncio.gather(*(site.api.http.post(f"/v1/{site.name}", json=body) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    [winner] = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["existing"] == [{"object": site.name, "id": winner, "field": site.path("a_code")}]
    answers = await asyncio.gather(
        *(site.api.http.put(f"/v1/{site.name}/by/{site.path('a_code')}/{code}", json=site.body(an_integer=n)) for n in range(20))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert (await site.api.get(winner and {"object": site.name, "id": winner}))["version"] == 21


async def test_merge(site: Site) -> None:
    accounts = [await site.api.make("accounts", name=f"M {n}") for n in range(3)]
    winner = await site.make(a_text="winner", a_code=uuid4().hex)
    losers = [
        await site.make(
            a_text="loser", an_integer=1, a_json={"n": n}, a_code=uuid4().hex, sponsor_id=accounts[n]["id"], a_date="2026-01-01"
        )
        for n in range(2)
    ]
    for n, loser in enumerate(losers):
        await site.api.ok("PUT", f"/v1/{site.name}/{loser['id']}/links/partners/{accounts[n]['id']}", json={}, status=201)
    request = {
        "winner_id": winner["id"],
        "loser_ids": [loser["id"] for loser in losers],
        "field_choices": {site.path("a_text"): losers[0]["id"], site.path("sponsor_id"): losers[1]["id"]},
    }
    merged = await site.api.ok("POST", f"/v1/{site.name}/merge", json=request)
    assert [site.get(merged, name) for name in ("a_text", "an_integer", "a_json", "sponsor_id", "a_code", "a_date")] == [
        "loser", 1, {"n": 0}, accounts[1]["id"], site.get(winner, "a_code"), "2026-01-01",
    ]  # fmt: skip
    assert site.get(merged, "a_number_of") == site.get(winner, "a_number_of")
    partners = await site.api.all(f"/v1/{site.name}/{winner['id']}/partners")
    assert {row["id"] for row in partners} == {accounts[0]["id"], accounts[1]["id"]}
    gone = await site.api.ok("POST", "/v1/accounts/merge", json={"winner_id": accounts[2]["id"], "loser_ids": [accounts[1]["id"]]})
    assert site.get(await site.api.get(winner), "sponsor_id") == gone["id"]
    wrong = {
        "winner_id": winner["id"],
        "loser_ids": [winner["id"]],
        "field_choices": {site.path("nonsense"): winner["id"], site.path("a_number_of"): winner["id"]},
    }
    problem = await site.api.fails("POST", f"/v1/{site.name}/merge", 422, "validation_failed", json=wrong)
    assert {(e["pointer"], e["code"]) for e in problem["errors"]} >= {
        (f"/field_choices/{site.path('nonsense')}", "unknown_field"), (f"/field_choices/{site.path('a_number_of')}", "read_only"),
    }  # fmt: skip


async def test_what_is_referred_to(site: Site) -> None:
    """Blocks a deletion, is let go, or takes the record along; purging does the same."""
    inverse = "sponsored_things" if site.top else "sponsored"
    for purge in ({}, {"purge": "true"}):
        account = await site.api.make("accounts", name="Target")
        one = await site.make(sponsor_id=account["id"])
        two = await site.make()
        await site.api.ok("PUT", f"/v1/{site.name}/{two['id']}/links/partners/{account['id']}", json={}, status=201)
        assert [row["id"] for row in await site.api.all(f"/v1/accounts/{account['id']}/{inverse}")] == [one["id"]]
        await site.api.fails("DELETE", f"/v1/accounts/{account['id']}", 409, "conflict", params=purge)
        await site.api.ok("DELETE", f"/v1/accounts/{account['id']}", params={"on_children": "detach", **purge})
        left = await site.api.get(one)
        assert (site.get(left, "sponsor_id"), left["version"]) == (None, 2)
        assert await site.found({"and": [{"field": "id", "value": one["id"]}, {"field": site.path("sponsor_id"), "op": "is_null"}]}) == [
            one["id"]
        ]
        assert await site.api.all(f"/v1/{site.name}/{two['id']}/partners") == []
        account = await site.api.make("accounts", name="Target")
        child = await site.make(sponsor_id=account["id"])
        await site.api.ok("DELETE", f"/v1/accounts/{account['id']}", params={"on_children": "cascade", **purge})
        await site.api.fails("GET", f"/v1/{site.name}/{child['id']}", 410, "deleted")
    gone = await site.api.make("accounts", name="Gone")
    await site.api.ok("DELETE", f"/v1/accounts/{gone['id']}")
    unknown: list[tuple[Any, str]] = [
        (gone["id"], "validation_failed"), (one["id"], "validation_failed"), ("nobody", "validation_failed"),
        ({"by": "domain", "value": "nobody.example"}, "unresolved_reference"),
    ]  # fmt: skip
    for wrong, code in unknown:
        body = {**({"name": "X"} if site.top else {"last_name": "X"}), **site.body(sponsor_id=wrong)}
        problem = await site.api.fails("POST", f"/v1/{site.name}", 422, code, json=body)
        assert problem["errors"][0]["pointer"].startswith("/sponsor_id" if site.top else "/custom_fields/sponsor_id")


async def test_links(site: Site) -> None:
    one, accounts = await site.make(), [await site.api.make("accounts", name=f"L {n}") for n in range(3)]
    base = f"/v1/{site.name}/{one['id']}/links/partners"
    await site.api.ok("POST", f"{base}/batch/put", json={"items": [{"id": account["id"]} for account in accounts]}, status=207)
    assert {row["id"] for row in await site.api.all(f"/v1/{site.name}/{one['id']}/partners")} == {account["id"] for account in accounts}
    await site.api.ok("DELETE", f"{base}/{accounts[0]['id']}")
    assert len(await site.api.all(base)) == 2
    inverse = "partnered_things" if site.top else "partnered"
    assert [row["id"] for row in await site.api.all(f"/v1/accounts/{accounts[1]['id']}/{inverse}")] == [one["id"]]
    assert len(await site.api.all(f"/v1/accounts/{accounts[1]['id']}/links/{inverse}")) == 1
    shown = await site.api.get(one, expand="partners")
    assert {row["id"] for row in shown["partners"]["data"]} == {account["id"] for account in accounts[1:]}
    assert await site.found({"field": "partners", "any": {"field": "name", "value": "l 1"}}) == [one["id"]]
    back = await site.api.ok("POST", "/v1/accounts/search", json={"filter": {"field": f"{inverse}.id", "value": one["id"]}})
    assert {row["id"] for row in back["data"]} == {account["id"] for account in accounts[1:]}
    events = (await site.api.ok("GET", "/v1/events", params={"record_id": one["id"], "event_types": "link.*"}))["data"]
    assert [event["type"] for event in events] == ["link.created"] * 3 + ["link.deleted"]


async def test_batches(site: Site) -> None:
    named = {"name": "B"} if site.top else {"last_name": "B"}
    items = [{**named, **site.body(an_integer=1)}, {**named, **site.body(an_integer="1")}, {**named, **site.body(a_number=2)}]
    results = (await site.api.ok("POST", f"/v1/{site.name}/batch/create", json={"items": items}, status=207))["results"]
    assert [result["status"] for result in results] == [201, 422, 201]
    assert results[1]["error"]["errors"][0]["pointer"] == ("/an_integer" if site.top else "/custom_fields/an_integer")
    numbers = [int(site.get(result["record"], "a_number_of").removeprefix("N-")) for result in results if "record" in result]
    assert numbers[1] - numbers[0] == 1
    problem = await site.api.fails(
        "POST", f"/v1/{site.name}/batch/create", 422, "validation_failed", json={"mode": "atomic", "items": items}
    )
    assert problem["errors"][0]["pointer"] == f"/items/1{'' if site.top else '/custom_fields'}/an_integer"
    changes = [{"id": result["record"]["id"], **site.body(an_integer=9)} for result in results if "record" in result]
    results = (await site.api.ok("POST", f"/v1/{site.name}/batch/update", json={"items": changes}, status=207))["results"]
    assert [site.get(result["record"], "an_integer") for result in results] == [9, 9]


async def test_timeline(site: Site) -> None:
    one = await site.make(an_integer=1)
    await site.change(one, an_integer=2)
    entries = (await site.api.ok("GET", f"/v1/{site.name}/{one['id']}/timeline"))["data"]
    assert len(entries) == 2
    assert site.path("an_integer") in orjson.dumps(entries[0]).decode()


async def test_changes_since(site: Site) -> None:
    one = await site.make(an_integer=1)
    cursor = (await site.api.ok("GET", "/v1/me"))["events_cursor"]
    changed = await site.change(one, an_integer=2)
    two = await site.make(an_integer=3)
    await site.api.ok("DELETE", f"/v1/{site.name}/{two['id']}", params={"purge": "true"})
    page = await site.api.ok("GET", f"/v1/{site.name}", params={"since": cursor})
    assert page["data"] == [changed]
    assert [row["id"] for row in page["page"]["purged"]] == [two["id"]]


async def test_members_shown(site: Site) -> None:
    one = await site.make(an_integer=1)
    wanted = [site.path("an_integer"), site.path("a_picklist")]
    few = await site.api.get(one, fields=",".join(wanted))
    assert few == {"object": site.name, "id": one["id"], **site.body(an_integer=1, a_picklist=None)}
    page = await site.api.ok("GET", f"/v1/{site.name}", params={"fields": wanted[0], "id": one["id"]})
    assert page["data"] == [{"object": site.name, "id": one["id"], **site.body(an_integer=1)}]
    problem = await site.api.fails("GET", f"/v1/{site.name}/{one['id']}", 400, "bad_request", params={"fields": site.path("nonsense")})
    assert problem["errors"][0]["parameter"] == "fields"


async def test_conflicts_by_field(site: Site) -> None:
    one = await site.make(an_integer=1)
    await site.change(one, an_integer=2)
    answer = await site.api.http.patch(
        f"/v1/{site.name}/{one['id']}", json=site.body(an_integer=3), params={"conflict": "fields"}, headers={"If-Match": '"1"'}
    )
    assert answer.status_code == 412
    assert [c["field"] for c in answer.json()["conflicts"]] == [site.path("an_integer")]
    merged = await site.api.ok(
        "PATCH", f"/v1/{site.name}/{one['id']}", json=site.body(a_number=3), params={"conflict": "fields"}, headers={"If-Match": '"1"'}
    )
    assert (site.get(merged, "an_integer"), site.get(merged, "a_number")) == (2, 3)


async def test_jobs(site: Site, settings: Settings, tmp_path: Any) -> None:
    """Bulk changes, and the files of a snapshot."""
    mark = uuid4().hex
    made = [await site.make(a_text=mark, an_integer=n) for n in range(3)]
    select = {"field": site.path("a_text"), "value": mark}
    for name, value in (("an_integer", "7"), ("nonsense", 1), ("a_picklist", "no"), ("a_number_of", "N-1")):
        wrong = {"action": "update", "set": site.body(**{name: value}), "filter": select}
        problem = await site.api.fails("POST", f"/v1/{site.name}/bulk", 422, "validation_failed", json=wrong)
        assert [error["pointer"] for error in problem["errors"]] == [f"/set{'' if site.top else '/custom_fields'}/{name}"]
    with worker_process(settings.model_copy(update={"data_dir": site.api.app.state.services.settings.data_dir})):
        job = await site.api.ok(
            "POST", f"/v1/{site.name}/bulk", json={"action": "update", "set": site.body(an_integer=7), "filter": select}, status=202
        )
        assert (await finished(site.api, job))["status"] == "succeeded"
        states = [await site.api.get(record) for record in made]
        assert [site.get(state, "an_integer") for state in states] == [7, 7, 7]
        job = await finished(site.api, await site.api.ok("POST", "/v1/events/snapshot", json={"objects": [site.name]}, status=202))
        assert job["status"] == "succeeded", job
        content = (await site.api.http.get(job["result"]["files"][0]["url"])).content
        rows = {row["id"]: row for row in map(orjson.loads, content.splitlines())}
        assert [rows[record["id"]] for record in made] == states
