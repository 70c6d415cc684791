"""Lists and searches."""

from __future__ import annotations

from typing import Any

from tests.contract.checks.subject import Subject, some_tag


class Listing(Subject):
    """Lists and searches."""

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
