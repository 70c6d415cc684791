"""What every object of the API does, checked over HTTP: one subclass for each object inherits all of it.

A subclass says which object it is, how a valid record looks, and one field that may change. Everything else follows from the
object's declaration. Two organisations are shared by the checks of one object; records are the check's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest

from crm_api.core.clock import SystemClock
from crm_api.core.ids import uuid7
from crm_api.kernel.resource import AnyResource
from crm_api.resources import RESOURCES
from tests.api import Api, Record

CLOCK = SystemClock()
OBJECTS: dict[str, AnyResource] = {resource.name: resource for resource in RESOURCES}
numbers: Iterator[int] = count(1)


def new_id() -> str:
    """An id of the client's own."""
    return str(uuid7(CLOCK))


def some_tag() -> str:
    """A tag that no other check uses, by which a check finds its records."""
    return f"t-{uuid4().hex[:12]}"


class ResourceContract:
    """At least: `name`, `body` and `change`."""

    name: ClassVar[str]
    change: ClassVar[tuple[str, Any]]
    """A field and a value that it does not have in `body`."""
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = []
    """Bodies that are wrong in one place, with the pointer to it."""
    required: ClassVar[tuple[str, ...]] = ()

    crm: Api
    other: Api

    @pytest.fixture(autouse=True)
    def _organisations(self, contract_api: Api, contract_other: Api) -> None:
        self.crm, self.other = contract_api, contract_other

    @property
    def resource(self) -> AnyResource:
        return OBJECTS[self.name]

    @property
    def shown(self) -> set[str]:
        """The members of a record."""
        return set(self.resource.read.model_fields)

    @property
    def changeable(self) -> set[str]:
        """What a PATCH may name."""
        return set(self.resource.update.model_fields)

    @property
    def base(self) -> str:
        return f"/v1/{self.name}"

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        """A valid body, another one for each number."""
        raise NotImplementedError  # each object's test says how its records look

    async def new_body(self, api: Api | None = None, /, **more: Any) -> dict[str, Any]:
        return {**await self.body(api or self.crm, next(numbers)), **more}

    async def new(self, api: Api | None = None, /, **more: Any) -> Record:
        api = api or self.crm
        return await api.make(self.name, **await self.new_body(api, **more))

    def path(self, record: Record) -> str:
        return f"{self.base}/{record['id']}"

    async def events(self, record: Record) -> list[Record]:
        found: list[Record] = (await self.crm.ok("GET", "/v1/events", params={"record_id": record["id"]}))["data"]
        return found

    # --- create and get -------------------------------------------------------------------------------------------

    async def test_create(self) -> None:
        body = await self.new_body()
        answer = await self.crm.http.post(self.base, json=body)
        assert answer.status_code == 201, answer.text
        record = answer.json()
        assert answer.headers["location"] == self.path(record)
        assert answer.headers["etag"] == '"1"'
        assert answer.headers["x-outcome"] == "created"
        assert (record["object"], record["version"], record["deleted_at"]) == (self.name, 1, None)
        assert record["created_by"] == record["updated_by"] == {"type": "user", "id": str(self.crm.user_id)}
        self.resource.read.model_validate(record)

    async def test_every_documented_field_is_there(self) -> None:
        record = await self.new()
        assert set(record) == self.shown

    async def test_what_was_sent_is_what_is_read(self) -> None:
        body = await self.new_body(tags=["a", "b"])
        record = await self.crm.make(self.name, **body)
        for name, value in body.items():
            if isinstance(value, str | int | bool) and name not in ("domain", "phone"):
                assert record[name] == value

    async def test_owner(self) -> None:
        record = await self.new()
        assert record["owner_id"] == (str(self.crm.user_id) if self.resource.owner_defaults_to_caller else None)
        assert (await self.new(owner_id=None))["owner_id"] is None

    async def test_get(self) -> None:
        record = await self.new()
        answer = await self.crm.http.get(self.path(record))
        assert answer.json() == record
        tag = answer.headers["etag"]
        assert tag.startswith('"1.')
        again = await self.crm.http.get(self.path(record), headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")

    async def test_what_is_not_there(self) -> None:
        for id in (new_id(), str(uuid4()), "seven"):
            await self.crm.fails("GET", f"{self.base}/{id}", 404, "not_found")
        for method in ("PATCH", "DELETE"):
            await self.crm.fails(method, f"{self.base}/{new_id()}", 404, "not_found", json={})

    async def test_fields(self) -> None:
        record = await self.new()
        few = await self.crm.get(record, fields="version,created_at")
        assert few == {name: record[name] for name in ("object", "id", "version", "created_at")}
        problem = await self.crm.fails("GET", self.path(record), 400, "bad_request", params={"fields": "nonsense"})
        assert problem["errors"][0]["parameter"] == "fields"

    async def test_expand_owner(self) -> None:
        record = await self.new(owner_id=str(self.crm.user_id))
        shown = await self.crm.get(record, expand="owner")
        assert (shown["owner"]["object"], shown["owner"]["id"]) == ("users", str(self.crm.user_id))
        await self.crm.fails("GET", self.path(record), 400, "bad_request", params={"expand": "nonsense"})

    async def test_unknown_parameters(self) -> None:
        record = await self.new()
        for method, path in (("GET", self.base), ("GET", self.path(record)), ("PATCH", self.path(record)), ("DELETE", self.path(record))):
            problem = await self.crm.fails(method, path, 400, "unknown_parameter", params={"nonsense": "1"}, json={})
            assert problem["errors"][0]["parameter"] == "nonsense"

    # --- refusals -------------------------------------------------------------------------------------------------

    async def test_unknown_fields(self) -> None:
        problem = await self.crm.fails("POST", self.base, 422, "validation_failed", json=await self.new_body(nonsense=1))
        assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == ("/nonsense", "unknown_field")
        assert problem["errors"][0]["allowed"]

    async def test_read_only_fields(self) -> None:
        for name, value in (("version", 7), ("updated_at", "2026-01-01T00:00:00Z"), ("display_name", "x")):
            problem = await self.crm.fails("POST", self.base, 422, "validation_failed", json=await self.new_body(**{name: value}))
            assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == (f"/{name}", "read_only")

    async def test_required_fields(self) -> None:
        for name in self.required:
            body = await self.new_body()
            for wrong in ({key: value for key, value in body.items() if key != name}, {**body, name: None}):
                problem = await self.crm.fails("POST", self.base, 422, "validation_failed", json=wrong)
                assert [error["pointer"] for error in problem["errors"]] == [f"/{name}"]

    async def test_wrong_values(self) -> None:
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"tags": "a"}, "/tags"),
            ({"tags": [1]}, "/tags/0"),
            ({"tags": [""]}, "/tags/0"),
            ({"owner_id": "somebody"}, "/owner_id"),
            ({"owner_id": new_id()}, "/owner_id"),
            ({"owner_id": {"by": "shoe_size", "value": "44"}}, "/owner_id/by"),
            ({"external_ids": {"erp": 1}}, "/external_ids/erp"),
            ({"custom_fields": {"nonsense": 1}}, "/custom_fields/nonsense" if self.resource.made is None else "/custom_fields"),
            ({"id": str(uuid4())}, "/id"),
            ({"id": 7}, "/id"),
            *self.invalid,
        ]
        for part, pointer in wrong:
            answer = await self.crm.http.post(self.base, json=await self.new_body(**part))
            assert answer.status_code == 422, f"{part}: {answer.text}"
            assert pointer in [error["pointer"] for error in answer.json()["errors"]], f"{part}: {answer.text}"

    async def test_bodies_that_are_no_objects(self) -> None:
        for body in ("[]", '"text"', "1", "null"):
            answer = await self.crm.http.post(self.base, content=body, headers={"content-type": "application/json"})
            assert answer.status_code == 422, f"{body}: {answer.text}"
        for content in (b"", b"{", b'{"a": NaN}', b"\xff\xfe", b"[" * 40 + b"]" * 40):
            answer = await self.crm.http.post(self.base, content=content, headers={"content-type": "application/json"})
            assert (answer.status_code, answer.json()["code"]) == (400, "bad_request"), content

    async def test_text_that_cannot_be_stored(self) -> None:
        for text in ("\\u0000", "\\ud800"):
            content = '{"tags": ["a' + text + '"]}'
            answer = await self.crm.http.post(self.base, content=content, headers={"content-type": "application/json"})
            assert answer.status_code == 422, answer.text

    async def test_methods(self) -> None:
        record = await self.new()
        problem = await self.crm.http.put(self.path(record), json={})
        assert problem.status_code == 405
        assert "PATCH" in problem.headers["allow"]

    # --- tenants and tokens ---------------------------------------------------------------------------------------

    async def test_another_organisation_sees_nothing(self) -> None:
        record = await self.new()
        field, value = self.change
        for method, path, body in (
            ("GET", self.path(record), None),
            ("PATCH", self.path(record), {field: value}),
            ("DELETE", self.path(record), None),
            ("POST", f"{self.path(record)}/restore", None),
            ("GET", f"{self.path(record)}/history", None),
            ("POST", f"{self.path(record)}/transfer", {"to": str(self.other.user_id)}),
            ("PUT", f"{self.path(record)}/tags/x", None),
        ):
            await self.other.fails(method, path, 404, "not_found", **({} if body is None else {"json": body}))
        assert await self.other.all(self.base, id=record["id"]) == []
        assert (await self.other.ok("POST", f"{self.base}/search", json={"filter": {"field": "id", "value": record["id"]}}))["data"] == []
        results = (await self.other.ok("POST", f"{self.base}/batch/read", json={"items": [{"id": record["id"]}]}))["results"]
        assert results[0]["status"] == 404
        assert await self.crm.get(record) == record

    async def test_references_do_not_cross_organisations(self) -> None:
        problem = await self.crm.fails(
            "POST", self.base, 422, "validation_failed", json=await self.new_body(owner_id=str(self.other.user_id))
        )
        assert problem["errors"][0]["pointer"] == "/owner_id"

    async def test_ids_of_one_organisation_are_free_in_another(self) -> None:
        record = await self.new()
        twin = await self.new(self.other, id=record["id"])
        assert twin["id"] == record["id"]

    async def test_scopes(self) -> None:
        record = await self.new()
        field, value = self.change
        reader, nobody = await self.crm.with_scopes(f"{self.name}:read"), await self.crm.with_scopes("events:read")
        assert await reader.get(record) == record
        problem = await reader.fails("PATCH", self.path(record), 403, "insufficient_scope", json={field: value})
        assert problem["required_scopes"] == [f"{self.name}:write"]
        for method, path in (("POST", self.base), ("DELETE", self.path(record)), ("POST", f"{self.base}/batch/update")):
            await reader.fails(method, path, 403, "insufficient_scope", json={})
        for method, path in (("GET", self.base), ("GET", self.path(record)), ("POST", f"{self.base}/search")):
            await nobody.fails(method, path, 403, "insufficient_scope", **({"json": {}} if method == "POST" else {}))
        writer = await self.crm.with_scopes(f"{self.name}:write", "users:read")
        await writer.ok("PATCH", self.path(record), json={field: value})
        answer = await self.crm.http.get(self.path(record), headers={"authorization": ""})
        assert (answer.status_code, answer.json()["code"]) == (401, "token_missing")

    # --- update ---------------------------------------------------------------------------------------------------

    async def test_update(self) -> None:
        record = await self.new()
        field, value = self.change
        answer = await self.crm.http.patch(self.path(record), json={field: value})
        assert answer.status_code == 200, answer.text
        changed = answer.json()
        assert (changed[field], changed["version"]) == (value, 2)
        assert (answer.headers["etag"], answer.headers["x-outcome"]) == ('"2"', "updated")
        assert changed["created_at"] == record["created_at"]
        assert changed["updated_at"] > record["updated_at"]
        assert await self.crm.get(record) == changed

    async def test_update_that_changes_nothing(self) -> None:
        record = await self.new()
        answer = await self.crm.http.patch(self.path(record), json={"tags": record["tags"], **dict([self.change])})
        answer = await self.crm.http.patch(self.path(record), json=dict([self.change]))
        assert (answer.json()["version"], answer.headers["x-outcome"]) == (2, "unchanged")
        assert len(await self.events(record)) == 2

    async def test_update_refuses_as_create_does(self) -> None:
        record = await self.new()
        for body, code in (
            ({"nonsense": 1}, "unknown_field"),
            ({"version": 3}, "read_only"),
            ({"created_at": "2020-01-01T00:00:00Z"}, "read_only"),
        ):
            problem = await self.crm.fails("PATCH", self.path(record), 422, "validation_failed", json=body)
            assert problem["errors"][0]["code"] == code
        assert await self.crm.get(record) == record

    async def test_tags_replace(self) -> None:
        record = await self.new(tags=["a", "b", "a"])
        assert record["tags"] == ["a", "b"]
        assert (await self.crm.change(record, tags=["c"]))["tags"] == ["c"]

    async def test_single_tags(self) -> None:
        record = await self.new(tags=["a"])
        await asyncio.gather(*(self.crm.ok("PUT", f"{self.path(record)}/tags/n{n}") for n in range(5)))
        assert set((await self.crm.get(record))["tags"]) == {"a", *(f"n{n}" for n in range(5))}
        await self.crm.ok("DELETE", f"{self.path(record)}/tags/a")
        assert "a" not in (await self.crm.get(record))["tags"]

    async def test_external_ids_merge(self) -> None:
        one, two = uuid4().hex, uuid4().hex
        record = await self.new(external_ids={"erp": one, "shop": two})
        assert (await self.crm.change(record, external_ids={"shop": None}))["external_ids"] == {"erp": one}

    # --- versions -------------------------------------------------------------------------------------------------

    async def test_if_match(self) -> None:
        record = await self.new()
        field, value = self.change
        tag = (await self.crm.http.get(self.path(record))).headers["etag"]
        changed = await self.crm.ok("PATCH", self.path(record), json={field: value}, headers={"If-Match": tag})
        problem = await self.crm.fails("PATCH", self.path(record), 412, "version_conflict", json={field: value}, headers={"If-Match": tag})
        assert (problem["version"], problem["record"]) == (2, changed)
        assert problem["conflicts"][0]["field"] == field
        await self.crm.fails("DELETE", self.path(record), 412, "version_conflict", headers={"If-Match": '"1"'})
        await self.crm.fails("PATCH", self.path(record), 400, "bad_request", json={}, headers={"If-Match": "nonsense"})

    async def test_conflicts_by_field(self) -> None:
        record = await self.new()
        await self.crm.change(record, tags=["theirs"])
        field, value = self.change
        merged = await self.crm.ok(
            "PATCH", self.path(record), json={field: value}, params={"conflict": "fields"}, headers={"If-Match": '"1"'}
        )
        assert (merged["version"], merged["tags"]) == (3, ["theirs"])

    async def test_one_of_many_with_the_same_version_wins(self) -> None:
        record = await self.new()
        answers = await asyncio.gather(
            *(self.crm.http.patch(self.path(record), json={"tags": [f"{n}"]}, headers={"If-Match": '"1"'}) for n in range(8))
        )
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7

    # --- safe retries ---------------------------------------------------------------------------------------------

    async def test_an_id_of_ones_own(self) -> None:
        body = await self.new_body(id=new_id())
        record = await self.crm.make(self.name, **body)
        assert record["id"] == body["id"]
        problem = await self.crm.fails("POST", self.base, 409, "duplicate", json={**await self.new_body(), "id": body["id"]})
        assert problem["existing"][0] == {"object": self.name, "id": body["id"], "field": "id"}

    async def test_many_with_one_id_make_one(self) -> None:
        id = new_id()
        bodies = [await self.new_body(id=id) for _ in range(6)]
        answers = await asyncio.gather(*(self.crm.http.post(self.base, json=body) for body in bodies))
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5

    async def test_idempotency(self) -> None:
        headers, body = {"Idempotency-Key": uuid4().hex}, await self.new_body()
        first = await self.crm.http.post(self.base, json=body, headers=headers)
        again = await self.crm.http.post(self.base, json=body, headers=headers)
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["idempotency-replayed"] == "true"
        await self.crm.fails("POST", self.base, 422, "idempotency_key_reused", json=await self.new_body(tags=["x"]), headers=headers)

    async def test_dry_run(self) -> None:
        body = await self.new_body(id=new_id())
        await self.crm.ok("POST", self.base, json=body, params={"dry_run": "true"}, status=201)
        await self.crm.fails("GET", f"{self.base}/{body['id']}", 404, "not_found")
        record = await self.new()
        shown = await self.crm.ok("PATCH", self.path(record), json=dict([self.change]), params={"dry_run": "true"})
        assert shown["version"] == 2
        await self.crm.ok("DELETE", self.path(record), params={"dry_run": "true"})
        assert await self.crm.get(record) == record

    async def test_minimal_answers(self) -> None:
        headers = {"Prefer": "return=minimal"}
        answer = await self.crm.http.post(self.base, json=await self.new_body(), headers=headers)
        assert (answer.status_code, answer.content, answer.headers["x-outcome"]) == (204, b"", "created")
        answer = await self.crm.http.patch(answer.headers["location"], json=dict([self.change]), headers=headers)
        assert (answer.status_code, answer.headers["etag"]) == (204, '"2"')

    # --- delete, restore, purge -----------------------------------------------------------------------------------

    async def test_delete_and_restore(self) -> None:
        record = await self.new()
        deleted = await self.crm.ok("DELETE", self.path(record))
        assert (deleted["version"], deleted["deleted_at"]) == (2, deleted["updated_at"])
        problem = await self.crm.fails("GET", self.path(record), 410, "deleted")
        assert (problem["restorable"], problem["merged_into"]) == (True, None)
        await self.crm.fails("PATCH", self.path(record), 410, "deleted", json=dict([self.change]))
        again = await self.crm.http.delete(self.path(record))
        assert (again.status_code, again.headers["x-outcome"], again.json()["version"]) == (200, "unchanged", 2)
        restored = await self.crm.ok("POST", f"{self.path(record)}/restore")
        assert (restored["version"], restored["deleted_at"]) == (3, None)
        assert [event["type"].partition(".")[2] for event in await self.events(record)] == ["created", "deleted", "restored"]

    async def test_deleted_records_in_lists(self) -> None:
        tag = some_tag()
        live, gone = await self.new(tags=[tag]), await self.new(tags=[tag])
        await self.crm.ok("DELETE", self.path(gone))
        for deleted, expected in (("exclude", {live["id"]}), ("only", {gone["id"]}), ("include", {live["id"], gone["id"]})):
            assert {row["id"] for row in await self.crm.all(self.base, tags=tag, deleted=deleted)} == expected

    async def test_purge(self) -> None:
        record = await self.new()
        answer = await self.crm.http.delete(self.path(record), params={"purge": "true"})
        assert (answer.status_code, answer.content) == (204, b"")
        for method, path in (("GET", ""), ("GET", "?as_of=2026-01-01T00:00:00Z"), ("PATCH", ""), ("DELETE", ""), ("POST", "/restore")):
            body: dict[str, Any] = {"json": {}} if method == "PATCH" else {}
            problem = await self.crm.fails(method, self.path(record) + path, 410, "deleted", **body)
            assert problem["restorable"] is False
        read = await self.crm.ok("POST", f"{self.base}/batch/read", json={"items": [{"id": record["id"]}, {"id": str(uuid4())}]})
        assert [item["status"] for item in read["results"]] == [410, 404]
        other = "/v1/tasks" if self.base != "/v1/tasks" else "/v1/notes"
        await self.crm.fails("GET", f"{other}/{record['id']}", 404, "not_found")
        assert (await self.events(record))[-1]["type"].endswith(".purged")
        await self.crm.fails("POST", self.base, 409, "duplicate", json=await self.new_body(id=record["id"]))

    # --- lists and searches ---------------------------------------------------------------------------------------

    async def test_pages(self) -> None:
        tag = some_tag()
        made = [(await self.new(tags=[tag]))["id"] for _ in range(5)]
        for sort in ("created_at", "-created_at", "-updated_at", "id"):
            found: list[str] = []
            cursor: str | None = None
            while True:
                params: dict[str, Any] = {"tags": tag, "sort": sort, "limit": 2, **({"cursor": cursor} if cursor else {})}
                page = await self.crm.ok("GET", self.base, params=params)
                found += [row["id"] for row in page["data"]]
                cursor = page["page"]["next_cursor"]
                assert page["page"]["has_more"] is (cursor is not None)
                if cursor is None:
                    break
            assert found == (made[::-1] if sort.startswith("-") else made)

    async def test_list_envelope(self) -> None:
        tag = some_tag()
        record = await self.new(tags=[tag])
        page = await self.crm.ok("GET", self.base, params={"tags": tag, "count": "exact"})
        assert page["data"] == [record]
        assert page["page"]["count"] == 1
        assert page["page"]["events_cursor"]
        changed = await self.crm.change(record, tags=[tag, "x"])
        news = await self.crm.ok("GET", "/v1/events", params={"cursor": page["page"]["events_cursor"]})
        # It may start a little earlier than the answer, whose events had no numbers yet; it never starts later.
        assert (changed["id"], 2) == [(event["record_id"], event["version"]) for event in news["data"]][-1]

    async def test_list_refusals(self) -> None:
        for params in (
            {"limit": "0"},
            {"limit": "201"},
            {"limit": "many"},
            {"sort": "nonsense"},
            {"count": "maybe"},
            {"created_at[gte]": "soon"},
        ):
            await self.crm.fails("GET", self.base, 400, "bad_request", params=params)
        await self.crm.fails("GET", self.base, 400, "invalid_cursor", params={"cursor": "nonsense"})
        await self.crm.fails("GET", self.base, 400, "bad_request", params={"created_at[about]": "2026-01-01T00:00:00Z"})

    async def test_search(self) -> None:
        tag = some_tag()
        one, two, three = [await self.new(tags=[tag]) for _ in range(3)]
        tree = {
            "and": [
                {"field": "tags", "op": "any_of", "value": [tag]},
                {"or": [{"field": "id", "value": one["id"]}, {"field": "id", "op": "in", "value": [two["id"]]}]},
                {"not": {"field": "id", "value": three["id"]}},
            ]
        }
        found = await self.crm.ok("POST", f"{self.base}/search", json={"filter": tree, "sort": ["id"], "fields": ["id"], "count": "exact"})
        assert found["data"] == [{"object": self.name, "id": row["id"]} for row in sorted((one, two), key=lambda row: str(row["id"]))]
        assert found["page"]["count"] == 2
        for body, pointer in (
            ({"filter": {"field": "nonsense", "value": 1}}, "/filter/field"),
            ({"filter": {"field": "id", "op": "resembles", "value": "x"}}, "/filter/op"),
            ({"sort": ["nonsense"]}, "/sort/0"),
            ({"nonsense": 1}, "/nonsense"),
        ):
            problem = await self.crm.fails("POST", f"{self.base}/search", 422, "validation_failed", json=body)
            assert problem["errors"][0]["pointer"] == pointer

    async def test_what_was_just_written_is_found(self) -> None:
        for _ in range(5):
            record = await self.new()
            assert [row["id"] for row in await self.crm.all(self.base, id=record["id"])] == [record["id"]]
            assert (await self.crm.ok("GET", self.base, params={"limit": 1, "sort": "-created_at"}))["data"][0]["id"] == record["id"]

    async def test_the_past(self) -> None:
        record = await self.new()
        changed = await self.crm.change(record, **dict([self.change]))
        assert await self.crm.get(record, as_of=record["updated_at"]) == record
        assert await self.crm.get(record, as_of=changed["updated_at"]) == changed
        await self.crm.fails("GET", self.path(record), 404, "not_found", params={"as_of": "2001-01-01T00:00:00Z"})

    # --- batches --------------------------------------------------------------------------------------------------

    async def test_batch_create(self) -> None:
        items = [await self.new_body(), await self.new_body(nonsense=1), await self.new_body()]
        results = (await self.crm.ok("POST", f"{self.base}/batch/create", json={"items": items}, status=207))["results"]
        assert [(result["index"], result["status"]) for result in results] == [(0, 201), (1, 422), (2, 201)]
        assert results[1]["error"]["errors"][0]["pointer"] == "/nonsense"
        assert await self.crm.get(results[2]["record"]) == results[2]["record"]

    async def test_atomic_batch(self) -> None:
        tag = some_tag()
        items = [await self.new_body(tags=[tag]), await self.new_body(tags=[tag], nonsense=1)]
        problem = await self.crm.fails(
            "POST", f"{self.base}/batch/create", 422, "validation_failed", json={"mode": "atomic", "items": items}
        )
        assert problem["errors"][0]["pointer"] == "/items/1/nonsense"
        assert [result["status"] for result in problem["results"]] == [424, 422]
        assert await self.crm.all(self.base, tags=tag) == []

    async def test_batch_update_read_delete_restore(self) -> None:
        one, two = await self.new(), await self.new()
        field, value = self.change
        ids = [{"id": one["id"]}, {"id": new_id()}, {"id": two["id"]}]

        async def batch(verb: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = (await self.crm.ok("POST", f"{self.base}/batch/{verb}", json={"items": items}, status=207))[
                "results"
            ]
            return found

        updated = await batch("update", [{**item, field: value} for item in ids] + [{"id": one["id"], field: value}])
        assert [result["status"] for result in updated] == [200, 404, 200, 422]
        assert updated[3]["error"]["code"] == "repeated_item"
        assert [result["status"] for result in await batch("read", ids)] == [200, 404, 200]
        assert [result.get("outcome") for result in await batch("delete", ids)] == ["deleted", None, "deleted"]
        assert [result["status"] for result in await batch("read", ids)] == [410, 404, 410]
        assert [result.get("outcome") for result in await batch("restore", ids)] == ["restored", None, "restored"]

    async def test_batch_limits(self) -> None:
        wrong: list[Any] = [[], [{}] * 201, "all", None]
        for items in wrong:
            await self.crm.fails("POST", f"{self.base}/batch/create", 422, "validation_failed", json={"items": items})

    # --- unique values --------------------------------------------------------------------------------------------

    async def test_upsert_by_external_id(self) -> None:
        path = f"{self.base}/by/external_ids.erp/{uuid4().hex}"
        body = await self.new_body()
        made = await self.crm.http.put(path, json=body)
        assert (made.status_code, made.headers["x-outcome"]) == (201, "created"), made.text
        patch = {name: value for name, value in body.items() if name in self.changeable} | dict([self.change])
        changed = await self.crm.http.put(path, json=patch)
        assert (changed.status_code, changed.headers["x-outcome"]) == (200, "updated"), changed.text
        assert (await self.crm.http.put(path, json=patch)).headers["x-outcome"] == "unchanged"
        assert (await self.crm.ok("GET", path))["id"] == made.json()["id"]
        assert (await self.crm.ok("DELETE", path))["id"] == made.json()["id"]
        await self.crm.fails("GET", path, 404, "not_found")

    async def test_batch_upsert(self) -> None:
        keys = [uuid4().hex for _ in range(2)]
        bodies = [await self.new_body(external_ids={"erp": key}) for key in keys]
        for expected in ("created", "unchanged"):
            request = {"match_on": "external_ids.erp", "items": bodies}
            results = (await self.crm.ok("POST", f"{self.base}/batch/upsert", json=request, status=207))["results"]
            assert [result.get("outcome") for result in results] == [expected] * 2, results

    async def test_external_ids_are_unique(self) -> None:
        key = uuid4().hex
        first = await self.new(external_ids={"erp": key})
        problem = await self.crm.fails("POST", self.base, 409, "duplicate", json=await self.new_body(external_ids={"erp": key}))
        assert problem["existing"] == [{"object": self.name, "id": first["id"], "field": "external_ids.erp"}]
        await self.crm.ok("DELETE", self.path(first))
        await self.new(external_ids={"erp": key})
        await self.crm.fails("POST", f"{self.path(first)}/restore", 409, "duplicate")

    async def test_unique_fields(self) -> None:
        for name in self.resource.unique_fields:
            if self.resource.all_fields[name].spec.writable == "never":
                continue
            first = await self.new()
            taken = await self.new_body(**{name: first[name].upper() if name != "key" else first[name]})
            taken.pop("emails", None)
            problem = await self.crm.fails("POST", self.base, 409, "duplicate", json=taken)
            assert problem["existing"] == [{"object": self.name, "id": first["id"], "field": name}]
            assert (await self.crm.ok("GET", f"{self.base}/by/{name}/{first[name]}"))["id"] == first["id"]
            bodies = [await self.new_body(**{name: f"race{uuid4().hex[:8]}{first[name]}"}) for _ in range(1)] * 6
            answers = await asyncio.gather(*(self.crm.http.post(self.base, json=body) for body in bodies))
            assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5

    # --- the past and the journal ---------------------------------------------------------------------------------

    async def test_events(self) -> None:
        record = await self.new()
        field, value = self.change
        await self.crm.change(record, **{field: value})
        created, updated = await self.events(record)
        assert (created["type"], updated["type"]) == (f"{self.resource.singular}.created", f"{self.resource.singular}.updated")
        assert (created["version"], updated["version"]) == (1, 2)
        assert updated["changes"][field] == {"old": record[field], "new": value}
        assert updated["record"][field] == value
        assert created["actor"] == {"type": "user", "id": str(self.crm.user_id)}
        assert created["object"] == self.name
        assert created["seq"] < updated["seq"]

    async def test_history(self) -> None:
        record = await self.new()
        field, value = self.change
        await self.crm.change(record, **{field: value})
        await self.crm.change(record, tags=["x"])
        entries = (await self.crm.ok("GET", f"{self.path(record)}/history"))["data"]
        assert [entry["version"] for entry in entries] == [3, 2, 1]
        entries = (await self.crm.ok("GET", f"{self.path(record)}/history", params={"field": "tags"}))["data"]
        assert entries[0]["version"] == 3

    async def test_import_of_creation_times(self) -> None:
        record = await self.new(created_at="2019-05-04T03:02:01Z")
        assert record["created_at"] == "2019-05-04T03:02:01.000000Z"
        narrow = await self.crm.with_scopes(f"{self.name}:write", "*:read")
        problem = await narrow.fails(
            "POST", self.base, 422, "validation_failed", json=await self.new_body(created_at="2019-05-04T03:02:01Z")
        )
        assert problem["errors"][0]["pointer"] == "/created_at"

    # --- what several records do together -------------------------------------------------------------------------

    async def test_composite(self) -> None:
        operations = [
            {"ref": "a", "method": "POST", "path": self.base, "body": await self.new_body()},
            {"method": "PATCH", "path": f"{self.base}/$a.id", "body": dict([self.change])},
        ]
        del operations[1]
        operations.append({"ref": "b", "method": "POST", "path": self.base, "body": await self.new_body(tags=["x"])})
        results = (await self.crm.ok("POST", "/v1/composite", json={"operations": operations}))["results"]
        assert [result["status"] for result in results] == [201, 201]
        assert await self.crm.get(results[0]["body"]) == results[0]["body"]

    async def test_transfer(self) -> None:
        record = await self.new(owner_id=None)
        moved = await self.crm.ok("POST", f"{self.path(record)}/transfer", json={"to": str(self.crm.user_id)})
        assert (moved["owner_id"], moved["version"]) == (str(self.crm.user_id), 2)
        await self.crm.fails("POST", f"{self.path(record)}/transfer", 422, "validation_failed", json={"to": str(self.other.user_id)})

    async def test_merge(self) -> None:
        if "merge" not in self.resource.verbs:
            await self.crm.fails("POST", f"{self.base}/merge", 405, "method_not_allowed", json={})
            return
        winner, loser = await self.new(tags=["w"]), await self.new(tags=["l"])
        merged = await self.crm.ok("POST", f"{self.base}/merge", json={"winner_id": winner["id"], "loser_ids": [loser["id"]]})
        assert (merged["id"], set(merged["tags"])) == (winner["id"], {"w", "l"})
        answer = await self.crm.http.get(self.path(loser), follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (301, self.path(winner))
        problem = await self.crm.fails("PATCH", self.path(loser), 409, "merged", json=dict([self.change]))
        assert problem["merged_into"] == winner["id"]
        UUID(problem["merged_into"])
