"""Connections keep the contract of records; their secrets are in none of it."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

import pytest

from crm_api.core.clock import SystemClock
from crm_api.db.uow import unit_of_work
from tests.api import Api
from tests.contract.contract import ResourceContract

pytestmark = pytest.mark.anyio

KEY = "k-very-secret-31f0"


class TestConnections(ResourceContract):
    name = "connections"
    change = ("is_active", False)
    required = ("name", "provider", "type", "base_url")
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"type": "ldap"}, "/type"),
        ({"base_url": "http://api.shop.example"}, "/base_url"),
        ({"base_url": "https://ada:pw@api.shop.example"}, "/base_url"),
        ({"base_url": "https://api.shop.example#x"}, "/base_url"),
        ({"base_url": "ftp://api.shop.example"}, "/base_url"),
        ({"base_url": None}, "/base_url"),
        ({"provider": "Shop!"}, "/provider"),
        ({"host": "mail.corp.example"}, "/host"),
        ({"username": "crm"}, "/username"),
        ({"scopes": ["orders.read"]}, "/scopes"),
        ({"header_name": "Host"}, "/header_name"),
        ({"header_name": "X Key"}, "/header_name"),
        ({"type": "smtp"}, "/base_url"),
        ({"type": "basic"}, "/username"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"name": f"Shop {n}", "provider": "example_shop", "type": "api_key", "base_url": "https://api.shop.example/v2"}

    async def test_its_type_stays(self) -> None:
        made = await self.new()
        problem = await self.crm.fails("PATCH", self.path(made), 422, "validation_failed", json={"type": "bearer"})
        assert problem["errors"][0]["pointer"] == "/type"

    async def test_what_is_read_only(self) -> None:
        made = await self.new()
        for field, value in (("has_secret", True), ("status", "working"), ("secret_set_at", made["created_at"]), ("last_error", "x")):
            problem = await self.crm.fails("PATCH", self.path(made), 422, "validation_failed", json={field: value})
            assert problem["errors"][0]["pointer"] == f"/{field}"

    async def test_smtp_needs_a_server(self) -> None:
        made = await self.crm.make("connections", name="Mail", provider="smtp", type="smtp", host="mail.corp.example", port=587)
        assert (made["status"], made["header_name"]) == ("no_secret", None)

    async def test_the_secret_is_set_and_never_shown(self) -> None:
        made = await self.new()
        assert (made["has_secret"], made["status"], made["secret_set_at"], made["header_name"]) == (False, "no_secret", None, "X-Api-Key")
        path = f"{self.path(made)}/secret"
        answer = await self.crm.http.put(
            path, json={"api_key": KEY, "expires_at": "2027-01-01T00:00:00Z"}, headers={"idempotency-key": made["id"]}
        )
        assert answer.status_code == 200, answer.text
        shown = answer.json()
        assert (shown["has_secret"], shown["status"], shown["expires_at"]) == (True, "ready", "2027-01-01T00:00:00.000000Z")
        assert shown["version"] == made["version"] + 1
        assert shown["secret_set_at"] is not None
        seen = [answer.text]
        for url in (
            self.path(made),
            f"{self.path(made)}/history",
            "/v1/connections",
            f"/v1/events?record_id={made['id']}",
            "/v1/config/export",
            "/v1/search?q=shop",
        ):
            got = await self.crm.http.get(url)
            assert got.status_code in (200, 404), (url, got.text)
            seen.append(got.text)
        replayed = await self.crm.http.put(
            path, json={"api_key": KEY, "expires_at": "2027-01-01T00:00:00Z"}, headers={"idempotency-key": made["id"]}
        )
        assert replayed.headers["idempotency-replayed"] == "true"
        assert KEY not in "".join([*seen, replayed.text])
        cleared = await self.crm.ok("DELETE", path)
        assert (cleared["has_secret"], cleared["status"], cleared["expires_at"], cleared["secret_set_at"]) == (
            False,
            "no_secret",
            None,
            None,
        )
        assert (await self.crm.ok("DELETE", path))["version"] == cleared["version"]

    @pytest.mark.parametrize(
        ("body", "pointer", "code"),
        [
            ({}, "/api_key", "required"),
            ({"api_key": None}, "/api_key", "required"),
            ({"api_key": KEY, "password": "x"}, "/password", "not_for_type"),
            ({"api_key": "a\r\nX-Evil: 1"}, "/api_key", "invalid_characters"),
            ({"api_key": ""}, "/api_key", "min_length"),
            ({"api_key": "x" * 8193}, "/api_key", "max_length"),
            ({"api_key": KEY, "colour": "red"}, "/colour", "unknown_field"),
        ],
    )
    async def test_the_secret_has_the_parts_of_the_type(self, body: dict[str, Any], pointer: str, code: str) -> None:
        made = await self.new()
        answer = await self.crm.http.put(f"{self.path(made)}/secret", json=body)
        assert answer.status_code == 422, answer.text
        assert (pointer, code) in [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
        assert KEY not in answer.text

    @pytest.mark.parametrize(
        ("change", "kept"),
        [
            ({"base_url": "https://api.shop.example/v3"}, True),
            ({"base_url": "HTTPS://API.shop.example:443/v2"}, True),
            ({"name": "Renamed shop"}, True),
            ({"base_url": "https://evil.example/v2"}, False),
            ({"base_url": "https://api.shop.example:8443/v2"}, False),
            ({"base_url": "http://localhost/v2"}, False),
        ],
    )
    async def test_a_secret_does_not_follow_to_another_host(self, change: dict[str, Any], kept: bool) -> None:
        made = await self.new()
        await self.crm.ok("PUT", f"{self.path(made)}/secret", json={"api_key": KEY})
        changed = await self.crm.change(made, **change)
        assert changed["has_secret"] is kept
        assert (changed["status"] == "ready") is kept
        await self.crm.ok("DELETE", self.path(made))

    async def test_a_deleted_connection_keeps_no_secret(self) -> None:
        made = await self.new()
        await self.crm.ok("PUT", f"{self.path(made)}/secret", json={"api_key": KEY})
        deleted = await self.crm.ok("DELETE", self.path(made))
        assert (deleted["has_secret"], deleted["status"]) == (False, "no_secret")
        restored = await self.crm.ok("POST", f"{self.path(made)}/restore")
        assert restored["has_secret"] is False

    async def test_a_purge_takes_the_secret_along(self) -> None:
        made = await self.new()
        await self.crm.ok("PUT", f"{self.path(made)}/secret", json={"api_key": KEY})
        assert (await self.crm.http.delete(f"{self.path(made)}?purge=true")).status_code == 204
        async with unit_of_work(self.crm.app.state.services.database, self.crm.org_id, SystemClock()) as uow:
            left = await uow.connection.driver.fetchval(
                "SELECT count(*) FROM connection_secrets WHERE connection_id = $1", UUID(made["id"])
            )
        assert left == 0

    async def test_others_have_no_way_to_it(self) -> None:
        made = await self.new()
        await self.other.fails("PUT", f"{self.path(made)}/secret", 404, "not_found", json={"api_key": KEY})
        await self.other.fails("DELETE", f"{self.path(made)}/secret", 404, "not_found")
        reader = await self.crm.with_scopes("connections:read")
        problem = await reader.fails("PUT", f"{self.path(made)}/secret", 403, "insufficient_scope", json={"api_key": KEY})
        assert problem["required_scopes"] == ["connections:write"]
        await reader.http.aclose()
