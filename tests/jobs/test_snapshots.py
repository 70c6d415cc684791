"""Snapshots: files and cursor of one instant, and the mirror that they and the journal make."""

from __future__ import annotations

import asyncio
import hashlib
import random
import subprocess
from typing import Any

import httpx
import orjson
import pytest

from tests.api import Api
from tests.jobs.support import finished, make_contacts

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("worker")]
Worker = subprocess.Popen[bytes]


async def snapshot(api: Api, *objects: str, **more: Any) -> dict[str, Any]:
    job = await api.ok("POST", "/v1/events/snapshot", json={"objects": list(objects), **more}, status=202)
    done = await finished(api, job)
    assert done["status"] == "succeeded", done
    return done


async def lines(api: Api, file: dict[str, Any]) -> list[dict[str, Any]]:
    """A file's records, its description checked."""
    async with api.http.stream("GET", file["url"]) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/x-ndjson"
        content = b"".join([piece async for piece in answer.aiter_bytes()])
    assert len(content) == file["bytes"]
    assert hashlib.sha256(content).hexdigest() == file["sha256"]
    rows = [orjson.loads(line) for line in content.splitlines()]
    assert len(rows) == file["rows"]
    return rows


async def test_files_hold_what_a_get_shows(api: Api) -> None:
    accounts = [await api.make("accounts", name=f"Acme {number}", annual_revenue="12.50") for number in range(3)]
    contact = await api.make("contacts", last_name="King\nof lines", account_id=accounts[0]["id"])
    await api.ok("DELETE", f"/v1/accounts/{accounts[2]['id']}")
    job = await snapshot(api, "accounts", "contacts", "links", "deals")
    assert job["type"] == "snapshot"
    assert job["request"] == {"objects": ["accounts", "contacts", "links", "deals"], "deleted": "exclude"}
    assert job["progress"] == {"done": 4, "total": 4, "failed": 0}
    result = job["result"]
    files = {file["object"]: await lines(api, file) for file in result["files"]}
    assert files["accounts"] == [await api.get(accounts[0]), await api.get(accounts[1])]
    assert files["contacts"] == [await api.get(contact)]
    assert files["deals"] == []
    [link] = files["links"]
    assert (link["relation"], link["from"]["id"], link["to"]["id"]) == ("contacts.accounts", contact["id"], accounts[0]["id"])
    await api.change(contact, title="Dr")
    told = (await api.ok("GET", "/v1/events", params={"cursor": result["cursor"]}))["data"]
    assert [event["type"] for event in told] == ["job.finished", "contact.updated"]
    with_deleted = (await snapshot(api, "accounts", deleted="include"))["result"]
    assert [row["id"] for row in await lines(api, with_deleted["files"][0])] == [row["id"] for row in accounts]


async def test_files_are_for_those_who_may_read_them(api: Api, other_api: Api, anonymous: httpx.AsyncClient) -> None:
    await make_contacts(api, 2)
    [file] = (await snapshot(api, "contacts"))["result"]["files"]
    assert (await anonymous.get(file["url"])).status_code == 401
    await other_api.fails("GET", file["url"], 404, "not_found")
    narrow = await api.with_scopes("deals:read", "events:read")
    await narrow.fails("GET", file["url"], 403, "insufficient_scope")
    await narrow.fails("POST", "/v1/events/snapshot", 403, "insufficient_scope", json={"objects": ["contacts"]})
    silent = await api.with_scopes("contacts:read")
    await silent.fails("POST", "/v1/events/snapshot", 403, "insufficient_scope", json={"objects": ["contacts"]})
    await api.fails("GET", file["url"].replace("contacts.ndjson", "accounts.ndjson"), 404, "not_found")
    await api.fails("GET", file["url"].replace("contacts.ndjson", "..%2Fcontacts.ndjson"), 404, "not_found")
    part = await api.http.get(file["url"], headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.content) == (206, b'{"object":')
    for objects, pointer, code in (
        (["nope"], "/objects/0", "enum"),
        (["deals", "deals"], "/objects/1", "repeated_item"),
        ([], "/objects", "min_items"),
    ):
        problem = await api.fails("POST", "/v1/events/snapshot", 422, "validation_failed", json={"objects": objects})
        assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, code)]


class Writers:
    """Changes of every kind, several at once, until told to stop."""

    def __init__(self, api: Api, seed: int) -> None:
        self.api = api
        self.chance = random.Random(seed)
        self.ids: list[str] = []
        self.accounts: list[str] = []
        self.stop = asyncio.Event()
        self.count = 0

    async def run(self) -> None:
        while not self.stop.is_set():
            await self.step()
            self.count += 1

    async def step(self) -> None:
        http, chance = self.api.http, self.chance
        kind = chance.random()
        if kind < 0.3 or len(self.ids) < 10:
            body = {"last_name": f"N{chance.random()}", "account_id": chance.choice(self.accounts)}
            answer = await http.post("/v1/contacts", json=body)
            self.ids.append(answer.json()["id"])
            return
        record = chance.choice(self.ids)
        if kind < 0.65:
            answer = await http.patch(f"/v1/contacts/{record}", json={"title": f"T{chance.randrange(5)}"})
        elif kind < 0.75:
            answer = await http.delete(f"/v1/contacts/{record}")
        elif kind < 0.85:
            answer = await http.post(f"/v1/contacts/{record}/restore")
        elif kind < 0.9:
            answer = await http.delete(f"/v1/contacts/{record}", params={"purge": "true"})
        else:
            answer = await http.put(
                f"/v1/contacts/{record}/links/accounts/{chance.choice(self.accounts)}", json={"is_primary": chance.random() < 0.5}
            )
        assert answer.status_code in (200, 201, 204, 404, 410), answer.text


class Mirror:
    """A copy kept by the recipe: the files, then events with a version greater than the stored one."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any] | None] = {}
        self.versions: dict[str, int] = {}

    def load(self, row: dict[str, Any]) -> None:
        self.rows[row["id"]], self.versions[row["id"]] = row, row["version"]

    def apply(self, event: dict[str, Any]) -> None:
        key, version = event["record_id"], event["version"]
        if version <= self.versions.get(key, 0):
            return
        gone = event["type"] in ("contact.purged", "link.deleted")
        self.rows[key], self.versions[key] = None if gone else event["record"], version


async def follow(api: Api, cursor: str, mirror: Mirror, objects: tuple[str, ...]) -> str:
    while True:
        page = await api.ok("GET", "/v1/events", params={"cursor": cursor, "limit": 100})
        for event in page["data"]:
            if event["object"] in objects:
                mirror.apply(event)
        cursor = page["page"]["next_cursor"]
        if not page["page"]["has_more"]:
            return cursor


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_mirror_is_exact_while_others_write(api: Api, seed: int) -> None:
    writers = Writers(api, seed)
    writers.accounts = [(await api.make("accounts", name=f"A{number}"))["id"] for number in range(4)]
    writers.ids = [row["id"] for row in await make_contacts(api, 300)]
    running = [asyncio.create_task(writers.run()) for _ in range(6)]
    mirrors = []
    try:
        while writers.count < 40:
            await asyncio.sleep(0.02)
        for _ in range(3):
            result = (await snapshot(api, "contacts", "links", deleted="include"))["result"]
            mirror = Mirror()
            for file in result["files"]:
                for row in await lines(api, file):
                    mirror.load(row)
            mirrors.append((mirror, await follow(api, result["cursor"], mirror, ("contacts", "links"))))
    finally:
        writers.stop.set()
        await asyncio.gather(*running)
    contacts = {row["id"]: row for row in await api.all("/v1/contacts", deleted="include")}
    links = {row["id"]: row for row in await api.all("/v1/links", relation="contacts.accounts")}
    for mirror, cursor in mirrors:
        await follow(api, cursor, mirror, ("contacts", "links"))
        assert {key: row for key, row in mirror.rows.items() if row is not None} == contacts | links
    assert writers.count > 60
