"""What a request holds: whole or thin, gathered, with headers of one's own; and what the log keeps of the answer."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from crm_api.flows.webhooks.payloads import MAX_BYTES, body_of
from tests.webhooks.conftest import Hooks
from tests.webhooks.receiver import Received, Reply
from tests.webhooks.states import attempts, deliveries, queued, sql, time_passes

pytestmark = pytest.mark.anyio


async def test_thin(hooks: Hooks) -> None:
    await hooks.endpoint("contact.*", payload="thin")
    made = await hooks.api.make("contacts", first_name="Ada")
    await hooks.api.change(made, title="Countess")
    await hooks.run()
    [event] = [one for one in hooks.receiver.events if one["type"] == "contact.updated"]
    assert event["changed_fields"] == ["title"]
    assert event["record_id"] == made["id"]
    assert not {"record", "changes"} & event.keys()


def test_what_is_too_large_comes_without_its_record() -> None:
    large = orjson.dumps({"id": "e", "record": {"description": "é" * MAX_BYTES}, "changes": {"title": {"old": "a", "new": "b"}}})
    assert orjson.loads(body_of([large], "full")) == {
        "id": "e", "record": None, "truncated": True, "changes": {"title": {"old": "a", "new": "b"}},
    }  # fmt: skip
    small = b'{"id": "e", "record": {}}'
    assert body_of([small], "full") is small


async def test_changes_are_gathered(hooks: Hooks) -> None:
    endpoint = await hooks.endpoint("contact.*", debounce_s=60)
    made = await hooks.api.make("contacts", first_name="Ada", title="a")
    await hooks.run()
    assert [event["type"] for event in hooks.receiver.events] == ["contact.created"]
    for title in "bcd":
        await hooks.api.change(made, title=title)
        await hooks.run()
    await hooks.api.change(made, first_name="Augusta")
    await hooks.run()
    assert len(hooks.receiver.received) == 1
    [row] = await queued(hooks.api)
    assert len(row["events"]) == 4
    await time_passes(hooks.api)
    await hooks.run()
    last = hooks.receiver.events[-1]
    assert last["changes"] == {"title": {"old": "a", "new": "d"}, "first_name": {"old": "Ada", "new": "Augusta"}}
    assert last["coalesced"] == [str(id) for id in row["events"][:-1]]
    assert hooks.receiver.received[-1].id == str(row["events"][-1]) == last["id"]
    assert [(one["status"], one["reason"]) for one in await deliveries(hooks.api, endpoint)] == [
        ("succeeded", None), ("succeeded", None), *[("skipped", "coalesced")] * 3,
    ]  # fmt: skip


async def test_a_deletion_sends_off_what_was_gathered(hooks: Hooks) -> None:
    await hooks.endpoint("contact.*", debounce_s=60)
    made = await hooks.api.make("contacts", first_name="Ada")
    other = await hooks.api.make("contacts", first_name="Grace")
    await hooks.run()
    await hooks.api.change(made, title="a")
    await hooks.run()
    await hooks.api.change(made, title="b")
    await hooks.api.change(other, title="x")  # both in one stretch of the journal
    await hooks.api.ok("DELETE", f"/v1/contacts/{made['id']}")
    await hooks.api.ok("DELETE", f"/v1/contacts/{other['id']}")
    await hooks.run()
    found = [(event["type"], event["record_id"], len(event.get("coalesced", []))) for event in hooks.receiver.events[2:]]
    assert sorted(found) == sorted(
        [
            ("contact.updated", made["id"], 1), ("contact.deleted", made["id"], 0),
            ("contact.updated", other["id"], 0), ("contact.deleted", other["id"], 0),
        ]
    )  # fmt: skip
    assert await queued(hooks.api) == []


async def test_what_joins_while_it_is_sent_is_sent_next(hooks: Hooks) -> None:
    await hooks.endpoint("contact.updated", debounce_s=60)
    made = await hooks.api.make("contacts", first_name="Ada", title="a")
    await hooks.api.change(made, title="b")
    await hooks.run()
    go = asyncio.Event()

    async def answer(_: Received) -> Reply:
        await go.wait()
        return Reply()

    hooks.receiver.answer = answer
    await time_passes(hooks.api)
    await hooks.sender.step()
    async with asyncio.timeout(10):
        while hooks.receiver.most == 0:
            await asyncio.sleep(0.01)
    # As if the window were still open for a dispatcher that looked a moment ago.
    await sql(hooks.api, "UPDATE webhook_queue SET due_at = now() + interval '1 minute' WHERE org_id = $1")
    await hooks.api.change(made, title="c")
    await hooks.relay.step()
    await hooks.dispatcher.step()
    assert len((await queued(hooks.api))[0]["events"]) == 2
    go.set()
    await hooks.sender.idle()
    await hooks.run()
    assert [event["changes"]["title"] for event in hooks.receiver.events] == [{"old": "a", "new": "b"}, {"old": "b", "new": "c"}]
    assert await queued(hooks.api) == []
    assert [one["status"] for one in await deliveries(hooks.api)] == ["succeeded", "skipped"]


async def test_headers_of_ones_own(hooks: Hooks) -> None:
    endpoint = await hooks.endpoint("contact.*", headers={"X-Api-Key": "first", "X-Team": "blue"})
    assert all(value.startswith("********") for value in endpoint["headers"].values())
    changed = await hooks.api.change(endpoint, headers={**endpoint["headers"], "X-Team": "green"})
    assert changed["headers"]["X-Api-Key"] == endpoint["headers"]["X-Api-Key"]
    assert changed["headers"]["X-Team"] != endpoint["headers"]["X-Team"]
    await hooks.api.make("contacts", first_name="Ada")
    await hooks.run()
    [received] = hooks.receiver.received
    assert (received.headers["x-api-key"], received.headers["x-team"]) == ("first", "green")
    await hooks.api.change(endpoint, headers=None)
    await hooks.api.change(endpoint, headers={"X-Other": "third"})
    await hooks.api.make("contacts", first_name="Grace")
    await hooks.run()
    later = hooks.receiver.received[1].headers
    assert "x-api-key" not in later
    assert later["x-other"] == "third"


async def test_the_log_of_attempts(hooks: Hooks) -> None:
    bodies = iter([b"\0 \xff bad", b"x" * 20_000])
    hooks.receiver.answer = lambda _: Reply(500, (("x-odd", "caf\u00e9\u0001"),), next(bodies))
    endpoint = await hooks.endpoint("contact.*")
    await hooks.api.make("contacts", first_name="Ada")
    await hooks.run()
    await time_passes(hooks.api)
    await hooks.run()
    first, second = await attempts(hooks.api)
    sent = hooks.receiver.received[0]
    assert (first["number"], first["trigger"], first["url"]) == (1, "scheduled", endpoint["url"])
    assert (first["address"], first["status_code"], first["succeeded"]) == ("127.0.0.1", 500, False)
    assert first["response_body"] == "\ufffd \ufffd bad"
    assert first["message_id"] == sent.id
    assert first["request_bytes"] == len(sent.body)
    assert '"total_ms"' in first["timings"]
    assert (second["response_body"], second["truncated"], second["number"]) == ("x" * 16_384, True, 2)


@pytest.mark.parametrize(
    "garbage", [b"", b"\0" * 500, b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 999999 x\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-le"]
)
async def test_receivers_that_speak_no_http(hooks: Hooks, garbage: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(garbage)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        await hooks.endpoint("contact.*", url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x")
        await hooks.api.make("contacts", first_name="Ada")
        await hooks.run()
    finally:
        server.close()
    [told] = await deliveries(hooks.api)
    assert (told["status"], told["attempts"], told["status_code"]) == ("retrying", 1, None)
    assert told["error"]


async def test_its_own_changes_are_left_out(hooks: Hooks) -> None:
    await hooks.endpoint("contact.*", exclude_own=True)
    colleague = await hooks.api.with_scopes("contacts:write")
    await hooks.api.make("contacts", first_name="Own")
    made: Any = await colleague.make("contacts", first_name="Other")
    await hooks.run()
    assert [event["record_id"] for event in hooks.receiver.events] == [made["id"]]
