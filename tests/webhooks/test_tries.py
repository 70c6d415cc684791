"""Deliveries that fail: tried again by the schedule, given up, and what becomes of the endpoint."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from uuid import UUID

import pytest

from tests.webhooks.conftest import Hooks
from tests.webhooks.receiver import Reply
from tests.webhooks.states import attempts, deliveries, queued, sql, state, time_passes

pytestmark = pytest.mark.anyio
BASES = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]


async def events_of_type(hooks: Hooks, *types: str) -> list[dict[str, object]]:
    page = await hooks.api.ok("GET", "/v1/events", params={"cursor": "oldest", "limit": 1000, "event_types": ",".join(types)})
    return list(page["data"])


async def test_ten_tries_then_it_is_given_up(hooks: Hooks) -> None:
    hooks.receiver.answer = lambda _: Reply(500, body=b"broken")
    endpoint = await hooks.endpoint("contact.*", "webhook_endpoint.failing", "webhook_delivery.*")
    await hooks.api.make("contacts", first_name="Ada")
    await hooks.run()
    for base in BASES:
        [row] = await queued(hooks.api)
        assert base - 2 <= row["wait"] <= base * 1.2, base
        [told] = await deliveries(hooks.api)
        assert (told["status"], told["attempts"], told["status_code"]) == ("retrying", row["attempts"], 500)
        assert told["next_attempt_at"] == row["due_at"]
        await time_passes(hooks.api)
        await hooks.run()
    assert await queued(hooks.api) == []
    # The news of it are not sent to the endpoint that they are about.
    assert len(hooks.receiver.received) == 10
    assert len({one.id for one in hooks.receiver.received}) == 1
    assert {one.body for one in hooks.receiver.received} == {hooks.receiver.received[0].body}
    [told] = await deliveries(hooks.api)
    assert (told["status"], told["reason"], told["attempts"]) == ("exhausted", "tries_used_up", 10)
    assert told["finished_at"] is not None
    assert told["next_attempt_at"] is None
    assert [one["number"] for one in await attempts(hooks.api)] == list(range(1, 11))
    [exhausted] = await events_of_type(hooks, "webhook_delivery.exhausted")
    assert exhausted["record_id"] == str(told["id"])
    assert len(await events_of_type(hooks, "webhook_endpoint.failing")) == 1
    assert (await hooks.api.get(endpoint))["status"] == "enabled"


async def test_others_are_told_of_what_was_given_up(hooks: Hooks, other_hooks: Hooks) -> None:
    hooks.receiver.answer = lambda _: Reply(500)
    endpoint = await hooks.endpoint("contact.created")
    watcher = await hooks.endpoint("webhook_endpoint.*", "webhook_delivery.*", url=other_hooks.receiver.url)
    await hooks.api.make("contacts", first_name="Ada")
    await hooks.run()
    for _ in BASES:
        await time_passes(hooks.api)
        await hooks.run()
    await hooks.run()
    types = [event["type"] for event in other_hooks.receiver.events if event["record_id"] != watcher["id"]]
    assert types == ["webhook_endpoint.failing", "webhook_delivery.exhausted"]
    hooks.receiver.answer = lambda _: Reply()
    await hooks.api.make("contacts", first_name="Grace")
    await time_passes(hooks.api)
    await hooks.run()
    await hooks.run()
    assert [(event["type"], event["record_id"]) for event in other_hooks.receiver.events[-1:]] == [
        ("webhook_endpoint.recovered", endpoint["id"])
    ]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_receiver_may_ask_for_time(hooks: Hooks, status: int) -> None:
    wishes = iter(["3600", format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True), "1", "9999999"])
    hooks.receiver.answer = lambda _: Reply(status, (("retry-after", next(wishes)),))
    await hooks.endpoint("contact.*")
    await hooks.api.make("contacts", first_name="Ada")
    for lowest, highest in ((3_595, 3_600), (7_190, 7_200), (1_795, 2_160), (86_395, 86_400)):
        await hooks.run()
        [row] = await queued(hooks.api)
        assert lowest <= row["wait"] <= highest
        await time_passes(hooks.api)


async def test_only_those_two_answers_may(hooks: Hooks) -> None:
    hooks.receiver.answer = lambda _: Reply(500, (("retry-after", "3600"),))
    await hooks.endpoint("contact.*")
    await hooks.api.make("contacts", first_name="Ada")
    await hooks.run()
    assert (await queued(hooks.api))[0]["wait"] <= 6


async def test_gone_is_gone(hooks: Hooks) -> None:
    hooks.receiver.answer = lambda _: Reply(410)
    endpoint = await hooks.endpoint("contact.*", max_concurrency=1)
    for name in ("Ada", "Grace", "Katherine"):
        await hooks.api.make("contacts", first_name=name)
    await hooks.run()
    off = await hooks.api.get(endpoint)
    assert (off["status"], off["disabled_reason"]) == ("disabled", "gone")
    assert len(hooks.receiver.received) == 1
    found = await deliveries(hooks.api, endpoint)
    assert [(one["status"], one["reason"]) for one in found] == [
        ("exhausted", "gone"), ("cancelled", "endpoint_disabled"), ("cancelled", "endpoint_disabled"),
    ]  # fmt: skip
    assert await queued(hooks.api) == []
    history = (await hooks.api.ok("GET", f"/v1/webhook_endpoints/{endpoint['id']}/history"))["data"]
    [event] = [one for one in history if "status" in one["changes"] and one["type"] != "webhook_endpoint.created"]
    assert event["cause"]["action"] == "webhook_endpoints.disable"
    assert event["changes"]["disabled_reason"] == {"old": None, "new": "gone"}
    log = await hooks.api.all("/v1/audit", action="webhook_endpoint.disabled")
    assert [row["details"] for row in log] == [{"reason": "gone"}]


async def test_redirects_are_failures(hooks: Hooks) -> None:
    hooks.receiver.answer = lambda _: Reply(302, (("location", f"http://127.0.0.1:{hooks.receiver.port}/elsewhere"),))
    await hooks.endpoint("contact.*")
    await hooks.api.make("contacts", first_name="Ada")
    await hooks.run()
    assert [one.path for one in hooks.receiver.received] == ["/hook"]
    [told] = await deliveries(hooks.api)
    assert (told["status"], told["status_code"]) == ("retrying", 302)
    assert "not followed" in told["error"]


async def test_five_days_without_success_switch_it_off(hooks: Hooks) -> None:
    hooks.receiver.answer = lambda _: Reply(500)
    endpoint = await hooks.endpoint("contact.*")
    await hooks.api.make("contacts", first_name="Ada")
    await hooks.run()
    since = (await state(hooks.api, endpoint))["failing_since"]
    assert since is not None
    age = "UPDATE webhook_states SET failing_since = now() - $3::interval WHERE org_id = $1 AND endpoint_id = $2"
    await sql(hooks.api, age, UUID(endpoint["id"]), timedelta(days=4, hours=23))
    await time_passes(hooks.api)
    await hooks.run()
    assert (await hooks.api.get(endpoint))["status"] == "enabled"
    # One that arrives begins the time anew.
    hooks.receiver.answer = lambda _: Reply()
    await time_passes(hooks.api)
    await hooks.run()
    assert (await state(hooks.api, endpoint))["failing_since"] is None
    hooks.receiver.answer = lambda _: Reply(500)
    await hooks.api.make("contacts", first_name="Grace")
    await hooks.run()
    await sql(hooks.api, age, UUID(endpoint["id"]), timedelta(days=5, seconds=1))
    await time_passes(hooks.api)
    await hooks.run()
    off = await hooks.api.get(endpoint)
    assert (off["status"], off["disabled_reason"]) == ("disabled", "failing")
    assert await queued(hooks.api) == []
    # Switched on again it has five days again; what happened meanwhile is not sent.
    await hooks.api.make("contacts", first_name="Not told")
    on = await hooks.api.change(off, status="enabled")
    assert (on["disabled_reason"], on["disabled_at"]) == (None, None)
    assert (await state(hooks.api, endpoint))["failing_since"] is None
    await hooks.api.make("contacts", first_name="Katherine")
    before = len(hooks.receiver.received)
    await hooks.run()
    assert [event["record"]["first_name"] for event in hooks.receiver.events[before:]] == ["Katherine"]
    assert (await hooks.api.get(endpoint))["status"] == "enabled"
    log = await hooks.api.all("/v1/audit", action="webhook_endpoint.disabled")
    assert [row["details"] for row in log] == [{"reason": "failing"}]


async def test_a_circuit_opens_tries_one_and_closes(hooks: Hooks) -> None:
    hooks.receiver.answer = lambda _: Reply(500)
    endpoint = await hooks.endpoint("contact.*", max_concurrency=1)
    for number in range(30):
        await hooks.api.make("contacts", first_name=f"No {number}")
    await hooks.run()
    # What was fetched before it opened is not sent either, but for what went out while results were stored.
    sent = len(hooks.receiver.received)
    assert 10 <= sent < 25
    assert (await state(hooks.api, endpoint))["circuit"] == "open"
    waiting = await queued(hooks.api)
    assert sorted(row["attempts"] for row in waiting) == [0] * (30 - sent) + [1] * sent  # waiting is no try
    [due] = await sql(hooks.api, "SELECT extract(epoch FROM due_at - now())::float8 AS wait FROM webhook_due WHERE org_id = $1")
    assert 25 < due["wait"] <= 30
    # One tries; it fails.
    await time_passes(hooks.api)
    await hooks.run()
    assert len(hooks.receiver.received) == sent + 1
    found = await state(hooks.api, endpoint)
    assert (found["circuit"], found["openings"]) == ("open", 2)
    # One tries; it arrives, and all others follow.
    hooks.receiver.answer = lambda _: Reply()
    await time_passes(hooks.api)
    await hooks.run()
    assert await queued(hooks.api) == []
    assert (await state(hooks.api, endpoint))["circuit"] == "closed"
    assert {one["status"] for one in await deliveries(hooks.api, endpoint)} == {"succeeded"}
