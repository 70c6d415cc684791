"""Named consumers: places in the journal that are remembered, go only forward by themselves, and are their owner's alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from crm_api.kernel import event_consumers
from crm_api.kernel.journal import encode_events_cursor
from tests.access.people import colleague
from tests.api import Api, Record

pytestmark = pytest.mark.anyio


async def read(api: Api, name: str, **params: Any) -> Record:
    found: Record = await api.ok("GET", "/v1/events", params={"consumer": name, "limit": 1000, **params})
    return found


async def commit(api: Api, name: str, cursor: str, **more: Any) -> Record:
    found: Record = await api.ok("POST", f"/v1/event_consumers/{name}/commit", json={"cursor": cursor}, status=200, **more)
    return found


async def seek(api: Api, name: str, **to: Any) -> Record:
    found: Record = await api.ok("POST", f"/v1/event_consumers/{name}/seek", json=to, status=200)
    return found


async def now(api: Api) -> str:
    return str((await api.ok("GET", "/v1/me"))["events_cursor"])


async def make(api: Api, count: int) -> list[str]:
    return [(await api.make("accounts", name=f"Account {number}"))["id"] for number in range(count)]


async def test_reading_and_committing_page_by_page(api: Api) -> None:
    """Every event is dealt with once, although the reader keeps nothing."""
    await seek(api, "mirror", cursor="now")
    made = await make(api, 5)
    assert (await api.ok("GET", "/v1/event_consumers/mirror"))["lag"] == 5
    dealt_with = []
    while (page := await read(api, "mirror", limit=2))["data"]:
        again = await read(api, "mirror", limit=2)
        assert again["data"] == page["data"], "reading moves nothing"
        dealt_with += [event["record_id"] for event in page["data"]]
        committed = await commit(api, "mirror", page["page"]["next_cursor"])
    assert dealt_with == made
    assert committed["lag"] == 0
    assert committed["cursor"] == page["page"]["events_cursor"]
    assert (committed["object"], committed["name"], committed["version"]) == ("event_consumers", "mirror", 4)
    assert (committed["user_id"], committed["app_id"], committed["expired"]) == (str(api.user_id), None, False)
    assert committed["updated_at"] > committed["created_at"]


async def test_only_seek_goes_back(api: Api) -> None:
    start = await now(api)
    await make(api, 2)
    page = await api.ok("GET", "/v1/events", params={"cursor": start, "limit": 1})
    first, second = page["page"]["next_cursor"], page["page"]["events_cursor"]
    answer = await api.http.post("/v1/event_consumers/erp.v2-x/commit", json={"cursor": second})
    assert (answer.status_code, answer.headers["etag"], answer.headers["x-outcome"]) == (200, '"1"', "created")
    problem = await api.fails("POST", "/v1/event_consumers/erp.v2-x/commit", 409, "conflict", json={"cursor": first})
    assert problem["cursor"] == second
    answer = await api.http.post("/v1/event_consumers/erp.v2-x/commit", json={"cursor": second})
    assert (answer.headers["etag"], answer.headers["x-outcome"]) == ('"1"', "unchanged")
    assert (await seek(api, "erp.v2-x", cursor=first))["lag"] == 1
    assert len((await read(api, "erp.v2-x"))["data"]) == 1
    assert (await seek(api, "erp.v2-x", cursor="oldest"))["cursor"] == encode_events_cursor(api.org_id, 0)
    assert (await seek(api, "erp.v2-x", cursor="now"))["lag"] == 0
    last = page["data"][0]["occurred_at"]
    assert [event["id"] for event in (await read(api, "erp.v2-x"))["data"]] == []
    await seek(api, "erp.v2-x", since=last)
    assert (await read(api, "erp.v2-x"))["data"][0]["id"] == page["data"][0]["id"]


async def test_of_twenty_commits_at_once_the_furthest_stays(api: Api) -> None:
    start = await now(api)
    await make(api, 20)
    page = await api.ok("GET", "/v1/events", params={"cursor": start})
    cursors = [encode_events_cursor(api.org_id, event["seq"]) for event in page["data"]]
    mixed = cursors[1::2][::-1] + cursors[::2]
    answers = await asyncio.gather(*(api.http.post("/v1/event_consumers/race/commit", json={"cursor": one}) for one in mixed))
    assert {answer.status_code for answer in answers} <= {200, 409}
    found = await api.ok("GET", "/v1/event_consumers/race")
    assert found["cursor"] == cursors[-1]
    moved = [answer for answer in answers if answer.status_code == 200]
    assert sorted(answer.json()["version"] for answer in moved) == list(range(1, len(moved) + 1))
    assert [answer.headers["x-outcome"] for answer in moved].count("created") == 1
    assert found["version"] == len(moved)


async def test_contract_of_writes_and_reads(api: Api) -> None:
    """ETag and preconditions, idempotency, dry runs."""
    cursor = await now(api)
    path = "/v1/event_consumers/mirror"
    await api.fails("POST", f"{path}/commit", 412, "version_conflict", json={"cursor": cursor}, headers={"if-match": "*"})
    await api.ok("POST", f"{path}/commit", json={"cursor": cursor}, params={"dry_run": "true"})
    await api.fails("GET", path, 404, "not_found")
    headers = {"idempotency-key": "k1"}
    await commit(api, "mirror", cursor, headers=headers)
    replayed = await api.http.post(f"{path}/commit", json={"cursor": cursor}, headers=headers)
    assert (replayed.headers["idempotency-replayed"], replayed.headers["x-outcome"]) == ("true", "created")
    read_ = await api.http.get(path)
    tag = read_.headers["etag"]
    assert tag.startswith('"1.')
    assert (await api.http.get(path, headers={"if-none-match": tag})).status_code == 304
    await make(api, 1)
    assert (await api.http.get(path, headers={"if-none-match": tag})).status_code == 200, "the lag has changed"
    after = await now(api)
    await commit(api, "mirror", after, headers={"if-match": tag})
    problem = await api.fails("POST", f"{path}/seek", 412, "version_conflict", json={"cursor": "oldest"}, headers={"if-match": tag})
    assert problem["version"] == 2
    await api.fails("DELETE", path, 412, "version_conflict", headers={"if-match": '"1"'})
    assert [one["name"] for one in (await api.ok("GET", "/v1/event_consumers"))["data"]] == ["mirror"]
    await api.ok("DELETE", path, status=204)
    await api.fails("DELETE", path, 404, "not_found")
    assert (await api.ok("GET", "/v1/event_consumers"))["data"] == []


async def test_what_is_asked_wrongly(api: Api, other_api: Api) -> None:
    cursor, foreign = await now(api), await now(other_api)
    path = "/v1/event_consumers/mirror"
    for wrong in (cursor[:-2], foreign, "now", "oldest"):
        problem = await api.fails("POST", f"{path}/commit", 422, "validation_failed", json={"cursor": wrong})
        assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == ("/cursor", "invalid_cursor")
    for body in ({}, {"cursor": cursor, "since": "2026-01-01T00:00:00Z"}, {"cursor": ""}, {"cursor": 7}, {"since": "soon"}, {"to": "now"}):
        await api.fails("POST", f"{path}/seek", 422, "validation_failed", json=body)
    for name in ("-x", "a" * 81, "a b", "ä"):
        problem = await api.fails("POST", f"/v1/event_consumers/{name}/commit", 400, "bad_request", json={"cursor": cursor})
        assert problem["errors"][0]["parameter"] == "name"
    await api.fails("GET", "/v1/events", 404, "not_found", params={"consumer": "mirror"})
    for params in ({"consumer": "mirror", "cursor": "now"}, {"consumer": "mirror", "since": "2026-01-01T00:00:00Z"}, {"consumer": "-"}):
        problem = await api.fails("GET", "/v1/events", 400, "bad_request", params=params)
        assert problem["errors"][0]["parameter"] == "consumer"
    ahead = encode_events_cursor(api.org_id, 10_000)
    await api.fails("POST", f"{path}/commit", 410, "cursor_expired", json={"cursor": ahead})
    narrow = await api.with_scopes("contacts:read")
    for method, where in (("GET", ""), ("GET", "/mirror"), ("POST", "/mirror/commit"), ("POST", "/mirror/seek"), ("DELETE", "/mirror")):
        sent: dict[str, Any] = {"json": {"cursor": cursor}} if method == "POST" else {}
        await narrow.fails(method, f"/v1/event_consumers{where}", 403, "insufficient_scope", **sent)


async def test_everybody_has_their_own(api: Api, other_api: Api) -> None:
    bob = await colleague(api)
    for one in (api, bob, other_api):
        await seek(one, "mirror", cursor="oldest")
    mine = (await seek(api, "mirror", cursor="now"))["cursor"]
    assert (await bob.ok("GET", "/v1/event_consumers/mirror"))["cursor"] != mine
    assert [one["user_id"] for one in (await bob.ok("GET", "/v1/event_consumers"))["data"]] == [str(bob.user_id)]
    assert [one["user_id"] for one in (await other_api.ok("GET", "/v1/event_consumers"))["data"]] == [str(other_api.user_id)]
    await bob.fails("GET", "/v1/event_consumers", 403, "forbidden", params={"everyone": "true"})
    await bob.fails("DELETE", "/v1/event_consumers/mirror", 403, "forbidden", params={"user_id": str(api.user_id)})
    everyone = (await api.ok("GET", "/v1/event_consumers", params={"everyone": "true"}))["data"]
    assert sorted(one["user_id"] for one in everyone) == sorted([str(api.user_id), str(bob.user_id)])
    whose = {"user_id": str(bob.user_id)}
    assert (await api.ok("GET", "/v1/event_consumers/mirror", params=whose))["user_id"] == str(bob.user_id)
    await api.ok("DELETE", "/v1/event_consumers/mirror", params=whose, status=204)
    assert (await bob.ok("GET", "/v1/event_consumers"))["data"] == []
    assert (await api.ok("GET", "/v1/event_consumers/mirror"))["cursor"] == mine
    # two tokens of one person share their consumers
    other_token = await api.with_scopes("events:read")
    assert (await other_token.ok("GET", "/v1/event_consumers/mirror"))["cursor"] == mine


async def test_there_are_not_too_many(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_consumers, "MAX_CONSUMERS", 5)
    assert (await api.ok("GET", "/v1/limits"))["limits"]["event_consumers"] == 100
    answers = await asyncio.gather(*(api.http.post(f"/v1/event_consumers/c{number}/seek", json={"cursor": "now"}) for number in range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [403] * 7
    problem = next(answer.json() for answer in answers if answer.status_code == 403)
    assert (problem["code"], problem["limit"], problem["max"]) == ("limit_exceeded", "event_consumers", 5)
    kept = (await api.ok("GET", "/v1/event_consumers"))["data"]
    assert len(kept) == 5
    await seek(api, kept[0]["name"], cursor="oldest")  # those that are there still move


async def test_one_that_has_slept_too_long_is_told_so(api: Api) -> None:
    """The journal no longer holds what comes after it: 410 with the oldest cursor, as for any cursor."""
    await seek(api, "sleeper", cursor="oldest")
    await make(api, 3)
    journal = (await api.ok("GET", "/v1/events"))["data"]
    async with api.app.state.services.database.connection() as connection:
        # What the days do in the end: the oldest events lose their places.
        await connection.driver.execute(f"SET app.org_id = '{api.org_id}'")
        await connection.driver.execute("DELETE FROM journal WHERE org_id = $1 AND seq <= $2", api.org_id, journal[-2]["seq"])
        await connection.driver.execute("RESET app.org_id")
    sleeper = await api.ok("GET", "/v1/event_consumers/sleeper")
    assert (sleeper["expired"], sleeper["lag"]) == (True, journal[-1]["seq"])
    problem = await api.fails("GET", "/v1/events", 410, "cursor_expired", params={"consumer": "sleeper"})
    assert problem["oldest_cursor"] == encode_events_cursor(api.org_id, journal[-2]["seq"])
    await api.fails(
        "POST", "/v1/event_consumers/sleeper/commit", 410, "cursor_expired", json={"cursor": encode_events_cursor(api.org_id, 1)}
    )
    woken = await seek(api, "sleeper", cursor="oldest")
    assert (woken["expired"], woken["cursor"]) == (False, problem["oldest_cursor"])
    assert [event["id"] for event in (await read(api, "sleeper"))["data"]] == [journal[-1]["id"]]
