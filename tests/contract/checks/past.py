"""What was, and what several records do together."""

from __future__ import annotations

from uuid import UUID

from tests.contract.checks.subject import Subject


class Past(Subject):
    """What was, and what several records do together."""

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
        narrow = await self.crm.with_scopes(f"{self.scope}:write", "*:read")
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
        assert await self.crm.get(results[0]["body"]) == self.read(results[0]["body"])

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
