"""Many records in one request, and values that only one of them has."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from tests.contract.checks.subject import Subject, new_id, some_tag


class Batches(Subject):
    """Many records in one request, and values that only one of them has."""

    # --- batches --------------------------------------------------------------------------------------------------

    async def test_batch_create(self) -> None:
        items = [await self.new_body(), await self.new_body(nonsense=1), await self.new_body()]
        results = (await self.crm.ok("POST", f"{self.base}/batch/create", json={"items": items}, status=207))["results"]
        assert [(result["index"], result["status"]) for result in results] == [(0, 201), (1, 422), (2, 201)]
        assert results[1]["error"]["errors"][0]["pointer"] == "/nonsense"
        assert await self.crm.get(results[2]["record"]) == self.read(results[2]["record"])

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
