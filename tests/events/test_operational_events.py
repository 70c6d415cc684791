"""What endpoints and deliveries tell of themselves: declared like all events, and told to whoever sees the endpoint."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from crm_api.flows.organizations import system_context
from crm_api.kernel.events import PlainEvent, emit
from crm_api.models.base import table
from crm_api.models.webhooks import WebhookEndpoint
from tests.access.people import colleague
from tests.api import Api

pytestmark = pytest.mark.anyio


async def test_whoever_sees_the_endpoint_is_told_how_it_stands(api: Api, other_api: Api) -> None:
    body = {"url": "https://example.com/hooks", "event_types": ["contact.*"]}
    endpoint = await api.make("webhook_endpoints", **body)
    endpoint_id, delivery_id = UUID(endpoint["id"]), uuid4()
    cursor = (await api.ok("GET", "/v1/events", params={"cursor": "now"}))["page"]["next_cursor"]
    database = api.app.state.services.database
    async with system_context(database, api.org_id, user_id=api.user_id) as context:
        failing = {"failing": {"old": False, "new": True}}
        emit(context, PlainEvent("webhook_endpoint.failing", "webhook_endpoints", endpoint_id, 1, failing, snapshot=table(WebhookEndpoint)))
        given_up = {name: {"old": None, "new": str(value)} for name, value in (("endpoint_id", endpoint_id), ("event_id", uuid4()))}
        emit(context, PlainEvent("webhook_delivery.exhausted", "webhook_deliveries", delivery_id, 1, given_up))
    asked = {"cursor": cursor, "event_types": "webhook_endpoint.failing,webhook_delivery.*"}
    events = (await api.ok("GET", "/v1/events", params=asked))["data"]
    assert sorted(event["type"] for event in events) == ["webhook_delivery.exhausted", "webhook_endpoint.failing"]
    by_type = {event["type"]: event for event in events}
    assert by_type["webhook_endpoint.failing"]["record"]["url"] == body["url"]
    assert by_type["webhook_delivery.exhausted"]["record_id"] == str(delivery_id)
    assert by_type["webhook_delivery.exhausted"]["changes"]["endpoint_id"]["new"] == endpoint["id"]
    # not to those who may not know of endpoints
    profile = await api.make("profiles", name="None of it", permissions={"*": ["read"], "webhooks": []})
    narrow = await colleague(api, profile_id=profile["id"])
    assert (await narrow.ok("GET", "/v1/events", params={"cursor": cursor, "event_types": "*"}))["data"] != []
    told = (await narrow.ok("GET", "/v1/events", params={"cursor": cursor}))["data"]
    assert not [event for event in told if event["object"].startswith("webhook")]
    await narrow.fails("GET", "/v1/events", 400, "bad_request", params={"event_types": "webhook_delivery.*"})
    await narrow.fails("GET", "/v1/event_types/webhook_delivery.exhausted", 404, "not_found")
    assert (await other_api.ok("GET", "/v1/events", params={"event_types": "webhook_delivery.*"}))["data"] == []


async def test_disabling_and_enabling_are_told_as_what_they_are(api: Api) -> None:
    endpoint = await api.make("webhook_endpoints", url="https://example.com/hooks", event_types=["*"])
    endpoint = await api.change(endpoint, status="paused")
    endpoint = await api.change(endpoint, status="disabled")
    endpoint = await api.change(endpoint, description="Still off")
    await api.change(endpoint, status="enabled", description=None)
    events = (await api.ok("GET", "/v1/events", params={"object": "webhook_endpoints"}))["data"]
    verbs = [event["type"].removeprefix("webhook_endpoint.") for event in events]
    assert verbs == ["created", "updated", "disabled", "updated", "enabled"]
    assert [event["version"] for event in events] == [1, 2, 3, 4, 5]
    assert events[2]["changes"]["status"] == {"old": "paused", "new": "disabled"}
    assert events[2]["record"]["status"] == "disabled"
    assert events[4]["record"]["status"] == "enabled"
