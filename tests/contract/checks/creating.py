"""Records are made and read as they are described."""

from __future__ import annotations

from uuid import uuid4

from tests.contract.checks.subject import Subject, new_id


class Creating(Subject):
    """Records are made and read as they are described."""

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
