"""The routes around endpoints: secrets, tests, the log, and how they stand."""

from __future__ import annotations

from typing import Any

import pytest

from crm_api.core.webhook_signing import SigningKey, signature
from tests.api import Api, Record
from tests.webhooks.conftest import Hooks
from tests.webhooks.receiver import Received, Reply

pytestmark = pytest.mark.anyio

ENDPOINT = {"url": "https://example.com/hooks", "event_types": ["contact.*"]}


def verifies(received: Received, secret: str) -> bool:
    """Whether one of the request's signatures was made with a secret."""
    key = SigningKey.parse(secret)
    own = signature([key], received.id, int(received.headers["webhook-timestamp"]), received.body)
    return own in received.headers["webhook-signature"].split(" ")


def path(endpoint: Record, *more: str) -> str:
    return "/".join(("/v1/webhook_endpoints", endpoint["id"], *more))


async def told(api: Api, event_type: str) -> list[Record]:
    found: list[Record] = (await api.ok("GET", "/v1/events", params={"event_types": event_type, "since": "2026-01-01T00:00:00Z"}))["data"]
    return found


# --- secrets ----------------------------------------------------------------------------------------------------------------


async def test_the_secret_is_shown_once(api: Api) -> None:
    """By every way to make one; a repeated answer has it blanked, and nothing else ever has it."""
    answer = await api.http.post("/v1/webhook_endpoints", json=ENDPOINT, headers={"idempotency-key": "a"})
    made = answer.json()
    assert made["secret"].startswith("whsec_")
    assert answer.headers["cache-control"] == "no-store"
    assert "x-once-shown" not in answer.headers
    again = await api.http.post("/v1/webhook_endpoints", json=ENDPOINT, headers={"idempotency-key": "a"})
    assert (again.json()["id"], again.json()["secret"]) == (made["id"], None)
    assert "secret" not in await api.get(made)
    tried = await api.ok("POST", "/v1/webhook_endpoints", params={"dry_run": "true"}, json=ENDPOINT)
    assert tried["secret"] is None
    two = {"items": [ENDPOINT, ENDPOINT]}
    batch = await api.http.post("/v1/webhook_endpoints/batch/create", json=two, headers={"idempotency-key": "b"})
    secrets = [result["record"]["secret"] for result in batch.json()["results"]]
    assert len({*secrets, made["secret"]}) == 3
    assert (await api.ok("GET", path({"id": batch.json()["results"][0]["id"]}, "secret")))["secret"] == secrets[0]
    batch = await api.http.post("/v1/webhook_endpoints/batch/create", json=two, headers={"idempotency-key": "b"})
    assert [result["record"]["secret"] for result in batch.json()["results"]] == [None, None]
    body = {"operations": [{"method": "POST", "path": "/v1/webhook_endpoints", "body": ENDPOINT}]}
    composite = await api.http.post("/v1/composite", json=body, headers={"idempotency-key": "c"})
    assert composite.json()["results"][0]["body"]["secret"].startswith("whsec_")
    composite = await api.http.post("/v1/composite", json=body, headers={"idempotency-key": "c"})
    assert composite.json()["results"][0]["body"]["secret"] is None
    seen = (await api.http.get("/v1/events", params={"since": "2026-01-01T00:00:00Z"})).text + (await api.http.get("/v1/audit")).text
    assert not any(secret in seen for secret in (made["secret"], *secrets))


async def test_showing_the_secret_is_audited(api: Api) -> None:
    made = await api.make("webhook_endpoints", **ENDPOINT)
    shown = await api.ok("GET", path(made, "secret"))
    assert (shown["secret"], shown["type"], shown["public_key"]) == (made["secret"], "v1", None)
    [key] = shown["keys"]
    assert (key["type"], key["expires_at"]) == ("v1", None)
    await api.ok("GET", path(made, "secret"))
    entries = (await api.ok("GET", "/v1/audit", params={"action": "webhook_endpoint.secret_shown"}))["data"]
    assert [entry["record_id"] for entry in entries] == [made["id"], made["id"]]
    reader = await api.with_scopes("webhooks:read")
    problem = await reader.fails("GET", path(made, "secret"), 403, "insufficient_scope")
    assert problem["required_scopes"] == ["webhooks:write"]


async def test_rotation_overlaps(hooks: Hooks) -> None:
    """Both keys verify while the grace lasts; without grace the old one ends at once."""
    api = hooks.api
    made = await hooks.endpoint("contact.created")
    rotated = await api.ok("POST", path(made, "secret", "rotate"), json={"grace_seconds": 3600})
    assert rotated["secret"] != made["secret"]
    assert [key["expires_at"] is None for key in rotated["keys"]] == [True, False]
    await api.make("contacts", first_name="Ada")
    await hooks.run()
    [received] = hooks.receiver.received
    assert verifies(received, made["secret"])
    assert verifies(received, rotated["secret"])
    last = await api.ok("POST", path(made, "secret", "rotate"), json={"grace_seconds": 0})
    assert len(last["keys"]) == 1
    await api.make("contacts", first_name="Grace")
    await hooks.run()
    received = hooks.receiver.received[-1]
    assert verifies(received, last["secret"])
    assert not verifies(received, rotated["secret"])
    events = await told(api, "webhook_endpoint.secret_rotated")
    assert [(event["record_id"], event["version"]) for event in events] == [(made["id"], 1)] * 2
    assert events[0]["changes"]["old_secret_until"]["new"] is not None
    text = str(events)
    assert rotated["secret"] not in text
    assert last["secret"] not in text


async def test_a_public_key_is_beside_the_secret(api: Api) -> None:
    made = await api.make("webhook_endpoints", **ENDPOINT)
    first = await api.ok("POST", path(made, "secret", "rotate"), json={"type": "v1a", "grace_seconds": 0})
    assert (first["type"], first["secret"], first["public_key"][:5]) == ("v1a", None, "whpk_")
    second = await api.ok("POST", path(made, "secret", "rotate"), json={"type": "v1a"})
    assert second["public_key"] != first["public_key"]
    shown = await api.ok("GET", path(made, "secret"))
    assert (shown["secret"], shown["public_key"]) == (made["secret"], second["public_key"])
    assert sorted((key["type"], key["expires_at"] is None) for key in shown["keys"]) == [("v1", True), ("v1a", False), ("v1a", True)]
    await api.ok("POST", path(made, "secret", "rotate"), json={})
    await api.ok("POST", path(made, "secret", "rotate"), json={})
    problem = await api.fails("POST", path(made, "secret", "rotate"), 403, "limit_exceeded", json={})
    assert (problem["max"], problem["actual"]) == (5, 6)
    last = await api.ok("POST", path(made, "secret", "rotate"), json={"grace_seconds": 0})
    assert len([key for key in last["keys"] if key["type"] == "v1"]) == 1
    for wrong in ({"grace_seconds": 604_801}, {"grace_seconds": -1}, {"type": "v2"}, {"grace": 1}):
        await api.fails("POST", path(made, "secret", "rotate"), 422, "validation_failed", json=wrong)


# --- tests ------------------------------------------------------------------------------------------------------------------


async def test_a_test_event(hooks: Hooks) -> None:
    """Signed, thin or in a batch as the endpoint wants it; logged, and counted for nothing."""
    api = hooks.api
    thin = await hooks.endpoint("deal.updated", payload="thin", status="paused")
    hooks.receiver.answer = lambda _: Reply(503, body=b"not now")
    answer = await api.ok("POST", path(thin, "test"), json={"event_type": "contact.updated"})
    [received] = hooks.receiver.received
    event = received.event
    assert (event["type"], event["test"], "record" in event, received.id) == ("contact.updated", True, False, event["id"])
    assert event["org_id"] == str(api.org_id)
    assert verifies(received, thin["secret"])
    assert (answer["succeeded"], answer["status_code"], answer["response_body"]) == (False, 503, "not now")
    assert (answer["trigger"], answer["message_id"], answer["delivery_id"]) == ("test", event["id"], None)
    assert answer["timings"]["total_ms"] > 0
    assert (await api.ok("GET", path(thin, "attempts")))["data"] == [answer]
    health = await api.ok("GET", path(thin, "health"))
    assert (health["failing_since"], health["last_failure_at"], health["backlog"]) == (None, None, {"pending": 0, "retrying": 0})
    assert (await api.ok("GET", path(thin, "stats")))["total"]["attempts"] == 0
    batched = await hooks.endpoint("deal.updated", ordering="fifo", batch={"size": 10})
    hooks.receiver.answer = lambda _: Reply(200)
    answer = await api.ok("POST", path(batched, "test"), json={"event_type": "deal.created"})
    [event] = hooks.receiver.received[-1].event["events"]
    assert (answer["succeeded"], event["type"], answer["message_id"] == event["id"]) == (True, "deal.created", False)
    assert event["record"]["id"] == event["record_id"]
    problem = await api.fails("POST", path(batched, "test"), 422, "validation_failed", json={"event_type": "deal.*"})
    assert "deal.updated" in problem["errors"][0]["allowed"]
    reader = await api.with_scopes("webhooks:read")
    await reader.fails("POST", path(batched, "test"), 403, "insufficient_scope", json={"event_type": "deal.created"})


async def test_a_test_of_nobody(api: Api) -> None:
    """A receiver that can't be reached is an answer, not an error."""
    made = await api.make("webhook_endpoints", url="http://127.0.0.1:1/hook", event_types=["*"])
    answer = await api.ok("POST", path(made, "test"), json={"event_type": "contact.created"})
    assert (answer["succeeded"], answer["status_code"]) == (False, None)
    assert answer["error"]


# --- the log ----------------------------------------------------------------------------------------------------------------


async def test_the_log(hooks: Hooks) -> None:
    api = hooks.api
    good, bad = await hooks.endpoint("contact.*"), await hooks.endpoint("contact.created")
    contact = await api.make("contacts", first_name="Ada")
    await api.change(contact, first_name="Grace")
    await hooks.relay.step()
    hooks.receiver.answer = lambda received: Reply(200 if verifies(received, good["secret"]) else 500, body=b"x" * 20_000)
    await hooks.run()
    page = await api.ok("GET", "/v1/webhook_deliveries")
    assert page["data"][0]["event_type"] == "contact.updated"
    assert sorted(one["status"] for one in page["data"]) == ["retrying", "succeeded", "succeeded"]

    async def listed(**params: Any) -> list[Record]:
        return await api.all("/v1/webhook_deliveries", **{"limit": 1, **params})

    assert [one["id"] for one in await listed()] == [one["id"] for one in page["data"]]
    [retrying] = await listed(status="retrying")
    assert (retrying["endpoint_id"], retrying["attempts"], retrying["status_code"]) == (bad["id"], 1, 500)
    assert retrying["next_attempt_at"] is not None
    assert len(await listed(endpoint_id=good["id"])) == 2
    assert len(await listed(event_type="*.created")) == 2
    assert [one["endpoint_id"] for one in await listed(event_id=retrying["event_id"], endpoint_id=bad["id"])] == [bad["id"]]
    assert await listed(until=contact["created_at"]) == []
    assert len(await listed(since="2026-01-01T00:00:00Z", endpoint_id=good["id"])) == 2
    assert await api.ok("GET", f"/v1/webhook_deliveries/{retrying['id']}") == retrying
    [attempt] = (await api.ok("GET", f"/v1/webhook_deliveries/{retrying['id']}/attempts"))["data"]
    assert (attempt["status_code"], attempt["number"], attempt["trigger"], attempt["truncated"]) == (500, 1, "scheduled", True)
    assert attempt["response_body"] == "x" * 16_384
    assert len(await api.all(path(good, "attempts"), limit=1)) == 2
    for wrong in ({"status": "lost"}, {"endpoint_id": "x"}, {"limit": "201"}, {"event_type": "dragon.created"}, {"nonsense": "1"}):
        answer = await api.http.get("/v1/webhook_deliveries", params=wrong)
        assert answer.status_code == 400, (wrong, answer.text)
    cursor = (await api.ok("GET", "/v1/webhook_deliveries", params={"limit": 1}))["page"]["next_cursor"]
    await api.fails("GET", "/v1/webhook_deliveries", 400, "invalid_cursor", params={"cursor": cursor, "status": "pending"})


async def test_how_an_endpoint_stands(hooks: Hooks) -> None:
    api = hooks.api
    made = await hooks.endpoint("contact.created")
    await api.make("contacts", first_name="Ada")
    await hooks.run()
    hooks.receiver.answer = lambda _: Reply(500)
    for _ in range(2):
        await api.make("contacts", first_name="Grace")
    await hooks.run()
    health = await api.ok("GET", path(made, "health"))
    assert (health["status"], health["circuit"]["state"], health["backlog"]) == ("enabled", "closed", {"pending": 0, "retrying": 2})
    assert health["lag"] >= 2
    assert None not in (health["failing_since"], health["last_success_at"], health["last_failure_at"], health["oldest_due"])
    stats = await api.ok("GET", path(made, "stats"), params={"interval": "day"})
    total = stats["total"]
    assert (total["deliveries"]["succeeded"], total["deliveries"]["retrying"], total["attempts"]) == (1, 2, 3)
    assert (total["success_rate"], total["succeeded_attempts"]) == (0.3333, 1)
    assert 0 < total["latency_ms"]["p50"] <= total["latency_ms"]["p95"]
    assert sum(span["attempts"] for span in stats["intervals"]) == 3
    await api.fails("GET", path(made, "stats"), 400, "bad_request", params={"since": "2020-01-01T00:00:00Z"})
    await api.fails("GET", path(made, "stats"), 400, "bad_request", params={"interval": "minute"})
