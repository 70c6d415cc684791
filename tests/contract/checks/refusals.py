"""What is refused, and from whom: wrong requests, other organisations, tokens without the scope."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.contract.checks.subject import Subject, new_id


class Refusals(Subject):
    """What is refused, and from whom: wrong requests, other organisations, tokens without the scope."""

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
        reader, nobody = await self.crm.with_scopes(f"{self.scope}:read"), await self.crm.with_scopes("events:read")
        assert await reader.get(record) == record
        problem = await reader.fails("PATCH", self.path(record), 403, "insufficient_scope", json={field: value})
        assert problem["required_scopes"] == [f"{self.scope}:write"]
        for method, path in (("POST", self.base), ("DELETE", self.path(record)), ("POST", f"{self.base}/batch/update")):
            await reader.fails(method, path, 403, "insufficient_scope", json={})
        for method, path in (("GET", self.base), ("GET", self.path(record)), ("POST", f"{self.base}/search")):
            await nobody.fails(method, path, 403, "insufficient_scope", **({"json": {}} if method == "POST" else {}))
        writer = await self.crm.with_scopes(f"{self.scope}:write", "users:read")
        await writer.ok("PATCH", self.path(record), json={field: value})
        answer = await self.crm.http.get(self.path(record), headers={"authorization": ""})
        assert (answer.status_code, answer.json()["code"]) == (401, "token_missing")
