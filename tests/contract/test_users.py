"""Users are records like all others, as far as people can be."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from tests.api import Api
from tests.contract.contract import ResourceContract, new_id

pytestmark = pytest.mark.anyio


class TestUsers(ResourceContract):
    name = "users"
    change = ("name", "Another Name")
    required = ("name", "email")
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"email": "nobody"}, "/email"),
        ({"locale": "nonsense-language"}, "/locale"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"profile_id": str(uuid4())}, "/profile_id"),
        ({"manager_id": str(uuid4())}, "/manager_id"),
        ({"status": "active"}, "/status"),
    ]

    async def test_ids_of_one_organisation_are_free_in_another(self) -> None:
        """The id of a user is the person's, the same in all their organisations."""
        record = await self.new()
        twin = await self.other.make("users", email=record["email"], name="The Same")
        assert twin["id"] == record["id"]

    async def test_an_id_of_ones_own(self) -> None:
        """People have theirs."""
        problem = await self.crm.fails("POST", self.base, 422, "validation_failed", json=await self.new_body(id=new_id()))
        assert problem["errors"][0]["pointer"] == "/id"

    async def test_many_with_one_id_make_one(self) -> None:
        """What is unique is the address."""
        bodies = [await self.new_body(email=f"one-{uuid4().hex}@corp.example")] * 6
        answers = await asyncio.gather(*(self.crm.http.post(self.base, json=body) for body in bodies))
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5

    async def test_dry_run(self) -> None:
        body = await self.new_body()
        await self.crm.ok("POST", self.base, json=body, params={"dry_run": "true"}, status=201)
        await self.crm.fails("GET", f"{self.base}/by/email/{body['email']}", 404, "not_found")
        record = await self.new()
        await self.crm.ok("DELETE", self.path(record), params={"dry_run": "true"})
        assert await self.crm.get(record) == record

    async def test_purge(self) -> None:
        record = await self.new()
        await self.crm.fails("DELETE", self.path(record), 403, "forbidden", params={"purge": "true"})

    async def test_import_of_creation_times(self) -> None:
        body = await self.new_body(created_at="2019-05-04T03:02:01Z")
        await self.crm.fails("POST", self.base, 422, "validation_failed", json=body)

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"name": f"Ada King {n}", "email": f"user-{uuid4().hex}@corp.example"}
