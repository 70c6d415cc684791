"""Records go, and come back."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.contract.checks.subject import Subject, some_tag


class Removing(Subject):
    """Records go, and come back."""

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
