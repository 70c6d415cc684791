"""Webhook endpoints keep the contract of records."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from tests.api import Api
from tests.contract.contract import ResourceContract

pytestmark = pytest.mark.anyio


class TestWebhookEndpoints(ResourceContract):
    name = "webhook_endpoints"
    change = ("description", "Other")
    required = ("url", "event_types")
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"url": "ftp://example.com/"}, "/url"),
        ({"url": "http://example.com/"}, "/url"),
        ({"url": "https://ada:pw@example.com/"}, "/url"),
        ({"url": "https://10.0.0.1/"}, "/url"),
        ({"url": "https://169.254.169.254/latest"}, "/url"),
        ({"event_types": []}, "/event_types"),
        ({"event_types": ["dragon.created"]}, "/event_types/0"),
        ({"filters": [{"object": "dragons", "filter": {"field": "name", "value": "x"}}]}, "/filters/0/object"),
        ({"filters": [{"object": "deals", "filter": {"field": "wings", "value": "x"}}]}, "/filters/0/filter/field"),
        ({"headers": {"webhook-id": "x"}}, "/headers/webhook-id"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "/headers/x-a"),
        ({"headers": {"X-A": "********"}}, "/headers/X-A"),
        ({"ordering": "fifo", "debounce_s": 5}, "/debounce_s"),
        ({"batch": {"size": 10}}, "/batch"),
        ({"status": "asleep"}, "/status"),
        ({"max_concurrency": 0}, "/max_concurrency"),
        ({"rate_per_s": 1001}, "/rate_per_s"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"url": f"https://example.com/hooks/{n}", "description": f"Hook {n}", "event_types": ["contact.*"]}

    async def test_every_documented_field_is_there(self) -> None:
        record = await self.crm.make(self.name, **await self.new_body())
        assert set(record) == self.shown | {"secret"}
        assert set(await self.crm.get(record)) == self.shown

    async def test_what_is_read_only(self) -> None:
        made = await self.new()
        for field, value in (
            ("acts_as", "user"), ("app_id", made["id"]), ("grant_id", made["id"]), ("acting_user_id", made["id"]),
            ("disabled_reason", "gone"), ("disabled_at", made["created_at"]), ("last_delivered_cursor", "x"), ("secret", "whsec_x"),
        ):  # fmt: skip
            problem = await self.crm.fails("PATCH", self.path(made), 422, "validation_failed", json={field: value})
            assert problem["errors"][0]["pointer"] == f"/{field}"

    async def test_values_of_headers_are_never_shown(self) -> None:
        made = await self.new(headers={"X-Api-Key": "k-very-secret"})
        shown = made["headers"]["X-Api-Key"]
        assert shown.startswith("********")
        kept = await self.crm.change(made, headers={"X-Api-Key": shown, "X-More": "1"})
        assert kept["headers"]["X-Api-Key"] == shown
        changed = await self.crm.change(made, headers={"X-Api-Key": "another", "X-More": None})
        assert changed["headers"].keys() == {"X-Api-Key"}
        assert changed["headers"]["X-Api-Key"] != shown
        seen = await self.crm.http.get("/v1/events", params={"record_id": made["id"]})
        assert "k-very-secret" not in seen.text

    async def test_disabling_says_since_when(self) -> None:
        made = await self.new()
        off = await self.crm.change(made, status="disabled")
        assert (off["disabled_reason"], off["disabled_at"] is None) == ("manual", False)
        on = await self.crm.change(made, status="enabled")
        assert (on["disabled_reason"], on["disabled_at"]) == (None, None)
