"""Whatever fields an organisation defines: what is written is read, found and sorted as the contract says, and nonsense changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from anyio import from_thread, to_thread
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_api.http.app import Application
from tests.api import Api, Record, new_organization
from tests.meta.random_schemas import SORTED, WRONG, Made, canonical, matches, members, ordered, schemas, stored, trees

pytestmark = pytest.mark.anyio
EXAMPLES = settings(max_examples=10, deadline=None, database=None, suppress_health_check=list(HealthCheck))
numbers = count(1)


@pytest.fixture(scope="module")
async def crm(app: Application) -> AsyncIterator[Api]:
    async with new_organization(app, region="DE") as made:
        made.http.event_hooks = {"response": []}
        yield made


class Case:
    """An object with a random schema and records in it."""

    def __init__(self, api: Api, schema: list[Made]) -> None:
        self.api = api
        self.schema = schema
        self.by_name = {made.name: made for made in schema}
        self.name = f"objects_{next(numbers)}"
        self.records: list[Record] = []

    async def make(self, bodies: list[dict[str, Any]]) -> None:
        body = {"api_name": self.name, "singular": f"{self.name}_one", "label": "Object", "fields": [made.body for made in self.schema]}
        await self.api.ok("POST", "/v1/meta/objects", json=body, status=201)
        items = [{"name": f"Record {n}", **values} for n, values in enumerate(bodies)]
        answer = await self.api.ok("POST", f"/v1/{self.name}/batch/create", json={"mode": "atomic", "items": items})
        self.records = [result["record"] for result in answer["results"]]

    def values(self, record: Record) -> dict[str, Any]:
        return {made.name: canonical(made, record[made.name]) for made in self.schema}

    async def reads_what_was_written(self, bodies: list[dict[str, Any]]) -> None:
        for record, body in zip(self.records, bodies, strict=True):
            assert self.values(record) == stored(self.schema, body)
        read = {record["id"]: record for record in await self.api.all(f"/v1/{self.name}")}
        assert [read[record["id"]] for record in self.records] == self.records

    async def finds(self, tree: dict[str, Any]) -> None:
        page = await self.api.ok("POST", f"/v1/{self.name}/search", json={"filter": tree, "limit": 200, "fields": [], "count": "exact"})
        expected = {record["id"] for record in self.records if matches(self.by_name, record, tree)}
        found = {record["id"] for record in page["data"]}
        differing = [self.values(record) for record in self.records if record["id"] in found ^ expected]
        assert found == expected, f"{tree}\n{differing[:2]}\n{[made.body for made in self.schema]}"
        assert page["page"]["count"] == len(expected)

    async def walks(self, sort: list[str], size: int) -> None:
        expected = [record["id"] for record in ordered(self.by_name, self.records, sort)]
        found: list[str] = []
        cursor: str | None = None
        while True:
            params: dict[str, Any] = {"sort": ",".join(sort), "limit": size, "fields": "id", **({"cursor": cursor} if cursor else {})}
            page = await self.api.ok("GET", f"/v1/{self.name}", params=params)
            found += [record["id"] for record in page["data"]]
            cursor = page["page"]["next_cursor"]
            if cursor is None:
                break
        assert found == expected, f"{sort}\n{[self.values(record) for record in self.records]}"
        back: list[str] = [row["id"] for row in page["data"]]
        cursor = page["page"]["prev_cursor"]
        while cursor is not None:
            page = await self.api.ok("GET", f"/v1/{self.name}", params={**params, "cursor": cursor})
            back = [record["id"] for record in page["data"]] + back
            cursor = page["page"]["prev_cursor"]
        assert back == expected, f"back by {sort}"

    async def refuses(self, made: Made, value: Any) -> None:
        record = self.records[0]
        kept = {name: value for name, value in record.items() if name in self.by_name}
        for method, path, body in (
            ("POST", f"/v1/{self.name}", {"name": "Wrong", **kept, made.name: value}),
            ("PATCH", f"/v1/{self.name}/{record['id']}", {"name": "Wrong", made.name: value}),
        ):
            problem = await self.api.fails(method, path, 422, "validation_failed", json=body)
            pointers = [error["pointer"] for error in problem["errors"]]
            assert all(pointer == f"/{made.name}" or pointer.startswith(f"/{made.name}/") for pointer in pointers), (value, pointers)
        assert await self.api.get(record) == record


async def test_random_schemas_and_records(crm: Api) -> None:
    @given(data=st.data())
    @EXAMPLES
    def run(data: st.DataObject) -> None:
        schema = data.draw(schemas(), "fields")
        bodies = data.draw(st.lists(members(schema), min_size=4, max_size=14), "records")
        case = Case(crm, schema)
        from_thread.run(case.make, bodies)
        from_thread.run(case.reads_what_was_written, bodies)
        for _ in range(6):
            from_thread.run(case.finds, data.draw(trees(schema), "filter"))
        able = [made for made in schema if made.type in SORTED]
        for _ in range(2 if able else 0):
            chosen = data.draw(st.lists(st.sampled_from(able), min_size=1, max_size=2, unique_by=lambda made: made.name), "sort")
            sort = [data.draw(st.sampled_from(("", "-"))) + made.name for made in chosen]
            from_thread.run(case.walks, sort, data.draw(st.integers(1, 4)))
        wrong = [(made, value) for made in schema for value in WRONG[made.type]]
        for made, value in data.draw(st.lists(st.sampled_from(wrong), max_size=4), "wrong") if wrong else ():
            from_thread.run(case.refuses, made, value)

    await to_thread.run_sync(run)
