"""What holds for every object. A resource's test subclasses `ResourceContract`, says how a record is made, and inherits the rest."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar
from uuid import UUID, uuid4

import httpx
import pytest

from crm_api.core.clock import SystemClock
from crm_api.core.ids import uuid7
from crm_api.http.api import REGISTRY
from crm_api.kernel.resource import AnyResource
from tests.api import Api, Record

ENVELOPE = ["object", "id", "version", "display_name", "created_at", "updated_at", "deleted_at", "created_by", "updated_by", "owner_id"]


class ResourceContract:
    """Subclass with `name` and what is special: `required` fields, a writable `text` field that is filterable, `sort`able fields."""

    name: ClassVar[str]
    required: ClassVar[tuple[str, ...]] = ()
    text: ClassVar[str] = "name"
    nullable: ClassVar[str | None] = None
    sort: ClassVar[str] = "-created_at"
    unique: ClassVar[str | None] = None

    pytestmark = pytest.mark.anyio

    # --- to be overridden where a record needs more ------------------------------------------------------------------

    async def body(self, api: Api, number: int = 0) -> dict[str, Any]:
        """The least body of a record; `number` makes it different from others."""
        return {self.text: f"Zeta {number}"}

    def unique_value(self, number: int) -> str:
        """A value of the unique field."""
        return f"value{number}"

    # --- helpers -----------------------------------------------------------------------------------------------------

    @property
    def resource(self) -> AnyResource:
        return REGISTRY[self.name]

    @property
    def path(self) -> str:
        return f"/v1/{self.name}"

    async def make(self, api: Api, number: int = 0, **more: Any) -> Record:
        return await api.make(self.name, **{**await self.body(api, number), **more})

    def at(self, record: Record) -> str:
        return f"{self.path}/{record['id']}"

    async def events(self, api: Api, record: Record) -> list[Record]:
        page = await api.ok("GET", "/v1/events", params={"record_id": record["id"], "limit": 1000})
        found: list[Record] = page["data"]
        return found

    # --- create and get ----------------------------------------------------------------------------------------------

    async def test_create_answers_201_with_location_etag_and_outcome(self, api: Api) -> None:
        answer = await api.http.post(self.path, json=await self.body(api))
        assert answer.status_code == 201, answer.text
        record = answer.json()
        assert answer.headers["location"] == self.at(record)
        assert answer.headers["etag"] == '"1"'
        assert answer.headers["x-outcome"] == "created"
        assert record["version"] == 1

    async def test_the_envelope_comes_first_and_in_order(self, api: Api) -> None:
        record = await self.make(api)
        assert list(record)[: len(ENVELOPE)] == ENVELOPE
        assert record["object"] == self.name
        assert record["created_by"] == {"type": "user", "id": str(api.user_id)}
        assert record["deleted_at"] is None

    async def test_the_answer_is_what_a_get_shows(self, api: Api) -> None:
        record = await self.make(api)
        assert await api.get(record) == record

    async def test_the_record_is_what_the_read_schema_says(self, api: Api) -> None:
        record = await self.make(api)
        assert set(record) == set(self.resource.read.model_fields)
        assert set(self.resource.fields) | {"object"} == set(self.resource.read.model_fields)

    async def test_a_get_is_answered_304_if_nothing_changed(self, api: Api) -> None:
        record = await self.make(api)
        first = await api.http.get(self.at(record))
        tag = first.headers["etag"]
        assert tag.startswith('"1.')
        assert (await api.http.get(self.at(record), headers={"if-none-match": tag})).status_code == 304
        other = await api.http.get(self.at(record), params={"fields": "id"}, headers={"if-none-match": tag})
        assert other.status_code == 200

    async def test_head_is_a_get_without_a_body(self, api: Api) -> None:
        answer = await api.http.head(self.at(await self.make(api)))
        assert answer.status_code == 200
        assert answer.content == b""

    async def test_every_answer_names_its_request(self, api: Api) -> None:
        answer = await api.http.get(self.path, headers={"x-request-id": "mine-1"})
        assert answer.headers["x-request-id"] == "mine-1"
        assert "crm-version" in answer.headers

    async def test_an_id_may_be_given_and_is_taken_once(self, api: Api) -> None:
        body = {**await self.body(api), "id": str(uuid7(SystemClock()))}
        record = await api.make(self.name, **body)
        assert record["id"] == body["id"]
        problem = await api.fails("POST", self.path, 409, "duplicate", json={**await self.body(api, 1), "id": body["id"]})
        assert problem["existing"][0]["id"] == body["id"]
        assert problem["existing"][0]["field"] == "id"

    async def test_a_given_id_must_be_a_uuid_of_version_7(self, api: Api) -> None:
        for wrong in ("7", str(uuid4())):
            problem = await api.fails("POST", self.path, 422, "validation_failed", json={**await self.body(api), "id": wrong})
            assert problem["errors"][0]["pointer"] == "/id"

    async def test_a_dry_run_stores_nothing(self, api: Api) -> None:
        before = await api.ok("GET", self.path, params={"count": "exact", "limit": 1})
        answer = await api.http.post(self.path, params={"dry_run": "true"}, json=await self.body(api))
        assert answer.status_code == 201
        await api.fails("GET", self.at(answer.json()), 404, "not_found")
        after = await api.ok("GET", self.path, params={"count": "exact", "limit": 1})
        assert after["page"]["count"] == before["page"]["count"]

    async def test_prefer_minimal_leaves_the_body_out(self, api: Api) -> None:
        answer = await api.http.post(self.path, json=await self.body(api), headers={"prefer": "return=minimal"})
        assert (answer.status_code, answer.content) == (201, b"")
        assert answer.headers["location"].startswith(self.path)

    async def test_an_idempotency_key_gives_the_first_answer_again(self, api: Api) -> None:
        body, key = await self.body(api), {"idempotency-key": uuid4().hex}
        first = await api.http.post(self.path, json=body, headers=key)
        again = await api.http.post(self.path, json=body, headers=key)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["idempotency-replayed"] == "true"
        assert again.headers["location"] == first.headers["location"]
        await api.fails("POST", self.path, 422, "idempotency_key_reused", json={**body, "tags": ["x"]}, headers=key)

    # --- bad input ---------------------------------------------------------------------------------------------------

    async def test_an_unknown_key_is_named_with_those_allowed(self, api: Api) -> None:
        problem = await api.fails("POST", self.path, 422, "validation_failed", json={**await self.body(api), "bogus": 1})
        [error] = problem["errors"]
        assert (error["pointer"], error["code"]) == ("/bogus", "unknown_field")
        assert self.text in error["allowed"]

    async def test_a_read_only_key_is_refused(self, api: Api) -> None:
        problem = await api.fails("POST", self.path, 422, "validation_failed", json={**await self.body(api), "version": 7})
        assert problem["errors"][0]["code"] == "read_only"

    async def test_what_is_required_is_required(self, api: Api) -> None:
        for name in self.required:
            body = await self.body(api)
            body.pop(name)
            problem = await api.fails("POST", self.path, 422, "validation_failed", json=body)
            assert {"pointer": f"/{name}", "code": "required"}.items() <= problem["errors"][0].items()
            problem = await api.fails("POST", self.path, 422, "validation_failed", json={**body, name: None})
            assert problem["errors"][0]["pointer"] == f"/{name}"

    @pytest.mark.parametrize("wrong", [7, True, ["x"], {"a": 1}, 1.5])
    async def test_a_wrong_type_is_named(self, api: Api, wrong: Any) -> None:
        problem = await api.fails("POST", self.path, 422, "validation_failed", json={**await self.body(api), self.text: wrong})
        assert problem["errors"][0]["pointer"].startswith(f"/{self.text}")

    async def test_text_has_a_greatest_length_and_no_nul(self, api: Api) -> None:
        problem = await api.fails("POST", self.path, 422, "validation_failed", json={**await self.body(api), self.text: "x" * 40_000})
        assert problem["errors"][0]["pointer"] == f"/{self.text}"
        body = b'{"%s":"a\\u0000b"}' % self.text.encode()
        answer = await api.http.post(self.path, content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 422, answer.text

    @pytest.mark.parametrize(
        ("content", "status"),
        [
            (b"{", 400),
            (b'{"name":"\xff"}', 400),
            (b"[" * 60 + b"]" * 60, 400),
            (b"[]", 422),
            (b"null", 422),
            (b"", 400),
            (b'{"a":1e999}', 400),
        ],
    )
    async def test_a_body_that_is_no_object_is_refused(self, api: Api, content: bytes, status: int) -> None:
        answer = await api.http.post(self.path, content=content, headers={"content-type": "application/json"})
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"

    async def test_another_content_type_is_415(self, api: Api) -> None:
        await api.fails("POST", self.path, 415, "unsupported_media_type", content=b"a=1", headers={"content-type": "text/plain"})

    async def test_a_body_beyond_the_limit_is_413(self, api: Api) -> None:
        await api.fails("POST", self.path, 413, "payload_too_large", content=b" " * 5_000_001, headers={"content-type": "application/json"})

    async def test_what_is_no_id_names_nothing(self, api: Api) -> None:
        for wrong in ("7", "%00", str(uuid7(SystemClock()))):
            assert (await api.http.get(f"{self.path}/{wrong}")).status_code == 404

    async def test_another_method_is_405_and_says_which_are_there(self, api: Api) -> None:
        answer = await api.http.put(self.at(await self.make(api)), json={})
        assert answer.status_code == 405
        assert "GET" in answer.headers["allow"]

    async def test_nothing_refused_leaves_a_trace(self, api: Api) -> None:
        before = await api.ok("GET", "/v1/events", params={"cursor": "now"})
        await api.http.post(self.path, json={"bogus": 1})
        after = await api.ok("GET", "/v1/events", params={"cursor": before["page"]["next_cursor"]})
        assert after["data"] == []

    # --- update ------------------------------------------------------------------------------------------------------

    async def test_a_patch_raises_the_version_by_one(self, api: Api) -> None:
        record = await self.make(api)
        answer = await api.http.patch(self.at(record), json={self.text: "Changed"})
        assert answer.status_code == 200, answer.text
        assert (answer.headers["etag"], answer.headers["x-outcome"]) == ('"2"', "updated")
        assert answer.json()[self.text] == "Changed"
        assert (await api.get(record))["version"] == 2

    async def test_a_patch_that_changes_nothing_makes_no_version_and_no_event(self, api: Api) -> None:
        record = await self.make(api)
        answer = await api.http.patch(self.at(record), json={self.text: record[self.text]})
        assert (answer.headers["x-outcome"], answer.json()["version"]) == ("unchanged", 1)
        assert len(await self.events(api, record)) == 1

    async def test_null_clears(self, api: Api) -> None:
        if self.nullable is None:
            record = await self.make(api, external_ids={"erp": "1"})
            assert (await api.change(record, external_ids={"erp": None}))["external_ids"] == {}
            return
        record = await self.make(api, **{self.nullable: "Something"})
        assert (await api.change(record, **{self.nullable: None}))[self.nullable] is None

    async def test_a_stale_version_is_412_and_says_what_collides(self, api: Api) -> None:
        record = await self.make(api)
        await api.change(record, **{self.text: "Theirs"})
        problem = await api.fails("PATCH", self.at(record), 412, "version_conflict", json={self.text: "Mine"}, headers={"if-match": '"1"'})
        assert problem["version"] == 2
        [conflict] = problem["conflicts"]
        assert (conflict["field"], conflict["base"], conflict["yours"], conflict["theirs"]) == (
            self.text,
            record[self.text],
            "Mine",
            "Theirs",
        )
        assert problem["record"][self.text] == "Theirs"
        await api.ok("PATCH", self.at(record), json={self.text: "Mine"}, headers={"if-match": '"2"'})

    async def test_conflict_fields_lets_disjoint_changes_through(self, api: Api) -> None:
        record = await self.make(api)
        await api.change(record, **{self.text: "Theirs"})
        answer = await api.http.patch(self.at(record), params={"conflict": "fields"}, json={"tags": ["vip"]}, headers={"if-match": '"1"'})
        assert answer.status_code == 200, answer.text
        stale = await api.http.patch(self.at(record), params={"conflict": "fields"}, json={self.text: "Mine"}, headers={"if-match": '"1"'})
        assert stale.status_code == 412

    async def test_of_twenty_writers_with_one_etag_one_wins(self, api: Api) -> None:
        record = await self.make(api)
        calls = [api.http.patch(self.at(record), json={self.text: f"W{i}"}, headers={"if-match": '"1"'}) for i in range(20)]
        answers = await asyncio.gather(*calls)
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 19

    async def test_tags_are_a_set_and_filterable(self, api: Api) -> None:
        record = await self.make(api, tags=["vip", "vip", "new"])
        assert record["tags"] == ["vip", "new"]
        assert [r["id"] for r in await api.all(self.path, tags="vip")] == [record["id"]]
        assert (await api.change(record, tags=[]))["tags"] == []

    # --- delete, restore, purge --------------------------------------------------------------------------------------

    async def test_a_deleted_record_is_gone_but_not_lost(self, api: Api) -> None:
        record = await self.make(api)
        answer = await api.http.delete(self.at(record))
        assert (answer.status_code, answer.headers["x-outcome"]) == (200, "deleted"), answer.text
        assert answer.json()["deleted_at"] is not None
        problem = await api.fails("GET", self.at(record), 410, "deleted")
        assert problem["restorable"] is True
        assert record["id"] not in [r["id"] for r in await api.all(self.path)]
        assert record["id"] in [r["id"] for r in await api.all(self.path, deleted="only")]
        assert (await api.http.delete(self.at(record))).headers["x-outcome"] == "unchanged"

    async def test_a_restored_record_is_back(self, api: Api) -> None:
        record = await self.make(api)
        await api.ok("DELETE", self.at(record))
        answer = await api.http.post(f"{self.at(record)}/restore")
        assert (answer.status_code, answer.headers["x-outcome"]) == (200, "restored"), answer.text
        assert (await api.get(record))["version"] == 3

    async def test_a_purged_record_leaves_its_id_taken(self, api: Api) -> None:
        record = await self.make(api)
        answer = await api.http.delete(self.at(record), params={"purge": "true"})
        assert answer.status_code == 204, answer.text
        await api.fails("GET", self.at(record), 404, "not_found")
        await api.fails("POST", self.path, 409, "duplicate", json={**await self.body(api, 1), "id": record["id"]})

    # --- lists and searches ------------------------------------------------------------------------------------------

    async def three(self, api: Api) -> list[Record]:
        return [await self.make(api, number, tags=["three"]) for number in range(3)]

    async def test_a_list_is_paged_both_ways(self, api: Api) -> None:
        ids = {record["id"] for record in await self.three(api)}
        first = await api.ok("GET", self.path, params={"tags": "three", "limit": 2, "sort": self.sort})
        assert (len(first["data"]), first["page"]["has_more"], first["page"]["prev_cursor"]) == (2, True, None)
        cursor = first["page"]["next_cursor"]
        second = await api.ok("GET", self.path, params={"tags": "three", "limit": 2, "sort": self.sort, "cursor": cursor})
        assert {r["id"] for r in first["data"] + second["data"]} == ids
        assert (second["page"]["has_more"], second["page"]["next_cursor"]) == (False, None)
        back = await api.ok(
            "GET", self.path, params={"tags": "three", "limit": 2, "sort": self.sort, "cursor": second["page"]["prev_cursor"]}
        )
        assert back["data"] == first["data"]

    async def test_the_default_order_is_newest_first_or_by_position(self, api: Api) -> None:
        made = await self.three(api)
        listed = [r["id"] for r in await api.all(self.path, tags="three")]
        order = [r["id"] for r in made]
        assert listed == (order[::-1] if self.resource.default_sort[0].startswith("-") else order)

    async def test_a_limit_beyond_the_maximum_is_an_error(self, api: Api) -> None:
        for wrong in ("0", "201", "x", "-1"):
            problem = await api.fails("GET", self.path, 400, "bad_request", params={"limit": wrong})
            assert problem["errors"][0]["parameter"] == "limit"

    async def test_an_unknown_parameter_is_an_error(self, api: Api) -> None:
        problem = await api.fails("GET", self.path, 400, "unknown_parameter", params={"after": "x"})
        assert problem["errors"][0]["parameter"] == "after"
        assert "cursor" in problem["errors"][0]["allowed"]

    async def test_a_foreign_cursor_is_an_error(self, api: Api) -> None:
        await self.three(api)
        cursor = (await api.ok("GET", self.path, params={"tags": "three", "limit": 1}))["page"]["next_cursor"]
        for wrong in ({"cursor": "garbage"}, {"cursor": cursor}, {"cursor": cursor, "tags": "other"}):
            await api.fails("GET", self.path, 400, "invalid_cursor", params={**wrong, "limit": 1})

    async def test_text_is_compared_without_regard_to_case(self, api: Api) -> None:
        made = await self.three(api)
        value = made[1][self.text]
        if self.resource.fields[self.text].type.value == "rich_text":
            return
        assert made[1]["id"] in [r["id"] for r in await api.all(self.path, **{self.text: value.upper()})]
        assert made[1]["id"] not in [r["id"] for r in await api.all(self.path, **{f"{self.text}[ne]": value.upper()})]
        assert made[1]["id"] in [r["id"] for r in await api.all(self.path, **{f"{self.text}[starts_with]": value[:3].lower()})]

    async def test_fields_are_those_asked_for(self, api: Api) -> None:
        record = await self.make(api)
        assert list(await api.get(record, fields=f"{self.text}")) == ["object", "id", self.text]
        await api.fails("GET", self.at(record), 400, "bad_request", params={"fields": "bogus"})

    async def test_a_count_is_given_when_asked_for(self, api: Api) -> None:
        await self.three(api)
        assert "count" not in (await api.ok("GET", self.path))["page"]
        assert (await api.ok("GET", self.path, params={"tags": "three", "count": "exact", "limit": 1}))["page"]["count"] == 3

    async def test_a_search_takes_a_tree(self, api: Api) -> None:
        made = await self.three(api)
        tree = {"and": [{"field": "tags", "op": "any_of", "value": ["three"]}, {"not": {"field": "id", "value": made[0]["id"]}}]}
        found = await api.ok("POST", f"{self.path}/search", json={"filter": tree, "fields": ["id"], "count": "exact"})
        assert {r["id"] for r in found["data"]} == {r["id"] for r in made[1:]}
        assert found["page"]["count"] == 2
        same = await api.all(self.path, filter='{"field":"tags","op":"any_of","value":["three"]}')
        assert len(same) == 3

    async def test_a_wrong_search_names_every_mistake(self, api: Api) -> None:
        body = {
            "filter": {"or": [{"field": "bogus", "value": 1}, {"field": "id", "op": "like", "value": "x"}]},
            "sort": ["nope"],
            "more": 1,
        }
        problem = await api.fails("POST", f"{self.path}/search", 422, "validation_failed", json=body)
        assert {e["pointer"] for e in problem["errors"]} == {"/filter/or/0/field", "/filter/or/1/op", "/sort/0", "/more"}

    async def test_a_new_record_is_found_at_once(self, api: Api) -> None:
        for number in range(5):
            record = await self.make(api, number, tags=[f"now{number}"])
            assert [r["id"] for r in await api.all(self.path, tags=f"now{number}")] == [record["id"]]

    # --- unique values and external ids ------------------------------------------------------------------------------

    async def test_upsert_by_external_id_creates_then_updates_then_leaves(self, api: Api) -> None:
        path, body = f"{self.path}/by/external_ids.erp/a%2F7", await self.body(api)
        first = await api.http.put(path, json=body)
        assert (first.status_code, first.headers["x-outcome"]) == (201, "created"), first.text
        assert first.json()["external_ids"] == {"erp": "a/7"}
        second = await api.http.put(path, json={self.text: "Other"})
        assert (second.status_code, second.headers["x-outcome"], second.json()["id"]) == (200, "updated", first.json()["id"]), second.text
        third = await api.http.put(path, json={self.text: "Other"})
        assert third.headers["x-outcome"] == "unchanged"
        assert (await api.ok("GET", path))["id"] == first.json()["id"]
        assert (await api.ok("PATCH", path, json={"tags": ["x"]}))["tags"] == ["x"]
        await api.ok("DELETE", path)
        await api.fails("GET", path, 404, "not_found")

    async def test_a_taken_unique_value_names_its_holder(self, api: Api) -> None:
        name = self.unique or "external_ids.erp"
        first = {self.unique: self.unique_value(1)} if self.unique else {"external_ids": {"erp": "1"}}
        record = await self.make(api, 1, **first)
        problem = await api.fails("POST", self.path, 409, "duplicate", json={**await self.body(api, 2), **first})
        assert problem["existing"] == [{"object": self.name, "id": record["id"], "field": name}]
        await api.ok("DELETE", self.at(record))
        second = await self.make(api, 2, **first)
        assert second["id"] != record["id"]
        await api.fails("POST", f"{self.at(record)}/restore", 409, "duplicate")

    async def test_of_twenty_creates_with_one_unique_value_one_wins(self, api: Api) -> None:
        same = {self.unique: self.unique_value(9)} if self.unique else {"external_ids": {"erp": "9"}}
        bodies = [{**await self.body(api, number), **same} for number in range(20)]
        answers = await asyncio.gather(*(api.http.post(self.path, json=body) for body in bodies))
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19

    # --- batches -----------------------------------------------------------------------------------------------------

    async def test_a_partial_batch_writes_what_is_right(self, api: Api) -> None:
        items = [await self.body(api, 0), {"bogus": 1}, await self.body(api, 2)]
        answer = await api.http.post(f"{self.path}/batch/create", json={"items": items})
        assert answer.status_code == 207, answer.text
        results = answer.json()["results"]
        assert [(r["index"], r["status"]) for r in results] == [(0, 201), (1, 422), (2, 201)]
        assert results[0]["outcome"] == "created"
        assert results[0]["record"]["id"] == results[0]["id"]
        assert results[1]["error"]["code"] == "validation_failed"

    async def test_an_atomic_batch_writes_all_or_nothing(self, api: Api) -> None:
        items = [{**await self.body(api, 0), "tags": ["atomic"]}, {"bogus": 1}]
        body = {"mode": "atomic", "items": items}
        problem = await api.fails("POST", f"{self.path}/batch/create", 422, "validation_failed", json=body)
        assert any(e["pointer"].startswith("/items/1/") for e in problem["errors"])
        assert [r["status"] for r in problem["results"]] == [424, 422]
        assert await api.all(self.path, tags="atomic") == []

    async def test_batches_read_update_delete_and_restore(self, api: Api) -> None:
        made = await self.three(api)
        missing = str(uuid7(SystemClock()))
        ids = [{"id": record["id"]} for record in made]
        read = await api.ok("POST", f"{self.path}/batch/read", json={"items": [*ids, {"id": missing}]}, status=207)
        assert [r["status"] for r in read["results"]] == [200, 200, 200, 404]
        assert read["results"][0]["record"] == made[0]
        items = [{"id": r["id"], self.text: f"New {i}", "if_match": 1} for i, r in enumerate(made)]
        items[2]["if_match"] = 9
        updated = await api.ok("POST", f"{self.path}/batch/update", json={"items": items}, status=207)
        assert [r["status"] for r in updated["results"]] == [200, 200, 412]
        deleted = await api.ok("POST", f"{self.path}/batch/delete", json={"items": ids}, status=207)
        assert [r["outcome"] for r in deleted["results"]] == ["deleted"] * 3
        restored = await api.ok("POST", f"{self.path}/batch/restore", json={"items": ids}, status=207)
        assert [r["outcome"] for r in restored["results"]] == ["restored"] * 3

    async def test_a_batch_takes_a_record_once(self, api: Api) -> None:
        record = await self.make(api)
        items = [{"id": record["id"], "tags": ["a"]}, {"id": record["id"], "tags": ["b"]}]
        results = (await api.ok("POST", f"{self.path}/batch/update", json={"items": items}, status=207))["results"]
        assert (results[0]["status"], results[1]["error"]["code"]) == (200, "repeated_item")

    async def test_a_batch_has_a_greatest_size(self, api: Api) -> None:
        for items in ([], [{}] * 201, "x"):
            problem = await api.fails("POST", f"{self.path}/batch/create", 422, "validation_failed", json={"items": items})
            assert problem["errors"][0]["pointer"] == "/items"

    async def test_a_batch_upserts_by_external_id(self, api: Api) -> None:
        items = [{**await self.body(api, n), "external_ids": {"erp": str(n)}} for n in range(2)]
        body = {"match_on": "external_ids.erp", "items": items}
        first = (await api.ok("POST", f"{self.path}/batch/upsert", json=body, status=207))["results"]
        assert [r.get("outcome") for r in first] == ["created", "created"], first
        body["items"][1]["tags"] = ["again"]
        again = (await api.ok("POST", f"{self.path}/batch/upsert", json=body, status=207))["results"]
        assert [r.get("outcome") for r in again] == ["unchanged", "updated"], again
        assert [r["id"] for r in again] == [r["id"] for r in first]

    # --- past --------------------------------------------------------------------------------------------------------

    async def test_each_change_is_one_event(self, api: Api) -> None:
        record = await self.make(api)
        await api.change(record, **{self.text: "Changed"})
        await api.ok("DELETE", self.at(record))
        await api.ok("POST", f"{self.at(record)}/restore")
        events = await self.events(api, record)
        singular = self.resource.singular
        assert [e["type"] for e in events] == [f"{singular}.{verb}" for verb in ("created", "updated", "deleted", "restored")]
        assert [e["version"] for e in events] == [1, 2, 3, 4]
        assert events[0]["changes"][self.text]["old"] is None
        assert events[1]["changes"][self.text] == {"old": record[self.text], "new": "Changed"}
        assert events[1]["record"][self.text] == "Changed"
        assert events[1]["actor"] == {"type": "user", "id": str(api.user_id)}
        assert events[1]["cause"]["action"] == f"{self.name}.update"
        assert UUID(events[1]["transaction"]["id"])

    async def test_history_is_newest_first(self, api: Api) -> None:
        record = await self.make(api)
        for number in range(3):
            await api.change(record, **{self.text: f"N{number}"})
        history = await api.ok("GET", f"{self.at(record)}/history", params={"field": self.text})
        assert [e["version"] for e in history["data"]] == [4, 3, 2, 1]
        page = await api.ok("GET", f"{self.at(record)}/history", params={"limit": 3})
        rest = await api.ok("GET", f"{self.at(record)}/history", params={"limit": 3, "cursor": page["page"]["next_cursor"]})
        assert [e["version"] for e in page["data"] + rest["data"]] == [4, 3, 2, 1]

    async def test_the_past_can_be_read(self, api: Api) -> None:
        record = await self.make(api)
        await api.change(record, **{self.text: "Later"})
        then = await api.get(record, as_of=record["created_at"])
        assert (then[self.text], then["version"]) == (record[self.text], 1)
        assert (await api.get(record))[self.text] == "Later"

    # --- who may -----------------------------------------------------------------------------------------------------

    async def test_another_organisation_sees_nothing(self, api: Api, other_api: Api) -> None:
        record = await self.make(api, external_ids={"erp": "secret"})
        stranger, at = other_api, self.at(record)
        await stranger.fails("GET", at, 404, "not_found")
        await stranger.fails("PATCH", at, 404, "not_found", json={"tags": ["x"]})
        await stranger.fails("DELETE", at, 404, "not_found")
        await stranger.fails("POST", f"{at}/restore", 404, "not_found")
        await stranger.fails("GET", f"{at}/history", 404, "not_found")
        await stranger.fails("GET", f"{self.path}/by/external_ids.erp/secret", 404, "not_found")
        assert record["id"] not in [r["id"] for r in await stranger.all(self.path, deleted="include")]
        read = await stranger.ok("POST", f"{self.path}/batch/read", json={"items": [{"id": record["id"]}]}, status=207)
        assert read["results"][0]["status"] == 404
        assert (await stranger.ok("GET", "/v1/events", params={"record_id": record["id"]}))["data"] == []
        assert await api.get(record) == record

    async def test_scopes_decide(self, api: Api) -> None:
        record = await self.make(api)
        reader, stranger = await api.with_scopes(f"{self.name}:read"), await api.with_scopes("events:read")
        assert await reader.get(record) == record
        problem = await reader.fails("POST", self.path, 403, "insufficient_scope", json=await self.body(api, 1))
        assert problem["required_scopes"] == [f"{self.name}:write"]
        await reader.fails("PATCH", self.at(record), 403, "insufficient_scope", json={})
        await reader.fails("DELETE", self.at(record), 403, "insufficient_scope")
        for path in (self.path, self.at(record), f"{self.at(record)}/history"):
            await stranger.fails("GET", path, 403, "insufficient_scope")
        await stranger.fails("POST", f"{self.path}/search", 403, "insufficient_scope", json={})
        assert (await stranger.ok("GET", "/v1/events", params={"record_id": record["id"]}))["data"] == []
        await reader.http.aclose()
        await stranger.http.aclose()

    async def test_without_a_token_there_is_nothing(self, anonymous: httpx.AsyncClient) -> None:
        for method, path in (("GET", self.path), ("POST", self.path), ("POST", f"{self.path}/search"), ("GET", f"{self.path}/x")):
            answer = await anonymous.request(method, path)
            assert answer.status_code == 401
            assert answer.json()["code"] == "token_missing"
            assert "resource_metadata=" in answer.headers["www-authenticate"]
