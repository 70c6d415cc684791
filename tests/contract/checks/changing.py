"""Records change, beside others who change them, and requests are repeated without harm."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from tests.contract.checks.subject import Subject, new_id


class Changing(Subject):
    """Records change, beside others who change them, and requests are repeated without harm."""

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
        assert (again.status_code, again.json()) == (201, first.json() | dict.fromkeys(self.resource.shown_once))
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
