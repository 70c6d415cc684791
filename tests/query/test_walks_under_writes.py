"""Long walks while others write: nothing is left out, nothing comes twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import asyncpg
import pytest

from crm_api.http.app import Application
from crm_api.settings import Settings, driver_url
from tests.api import Api, new_organization
from tests.query.volume import ACTOR

pytestmark = pytest.mark.anyio
ROWS = 25_000
_FILL = f"""
INSERT INTO contacts (org_id, id, version, created_at, updated_at, created_by, updated_by, display_name, display_name_key,
                      last_name, last_name_key, title, title_key)
SELECT $1, ('01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, 1, at, at, {ACTOR}, {ACTOR}, n, n, n, n, t, t
  FROM (SELECT i, timestamptz '2026-01-01' + i * interval '1 second' AS at, 'n' || (i * 7919 % 1009) AS n,
               CASE WHEN i % 3 = 0 THEN NULL ELSE 'walker' END AS t
          FROM generate_series(1, $2::int) i) x
"""


@pytest.fixture(scope="module")
async def crowd(app: Application, settings: Settings) -> AsyncIterator[Api]:
    async with new_organization(app) as api:
        assert settings.database_owner_url is not None
        connection = await asyncpg.connect(driver_url(settings.database_owner_url))
        async with connection.transaction():
            await connection.execute(f"SET LOCAL app.org_id = '{api.org_id}'")
            await connection.execute(_FILL, api.org_id, ROWS)
        await connection.execute("ANALYZE contacts")
        await connection.close()
        yield api


async def _write(api: Api, rnd: Random, stop: asyncio.Event, made: list[str]) -> int:
    """Inserts on both sides of the walk, changes of what it isn't sorted by, deletions of new records."""
    done = 0
    while not stop.is_set():
        names = [f"n{rnd.randrange(1009)}" for _ in range(5)]
        answer = await api.ok("POST", "/v1/contacts/batch/create", json={"items": [{"last_name": name} for name in names]})
        made += [result["id"] for result in answer["results"]]
        chosen = [f"01900000-0000-7000-8000-{rnd.randrange(1, ROWS + 1):012x}" for _ in range(5)]
        items = [{"id": id_, "department": f"d{rnd.random()}"} for id_ in dict.fromkeys(chosen)]
        await api.ok("POST", "/v1/contacts/batch/update", json={"items": items})
        await api.ok("DELETE", f"/v1/contacts/{rnd.choice(made)}")
        done += 1
        await asyncio.sleep(0.02)
    return done


@pytest.mark.parametrize("sort", ["-created_at", "last_name", "-last_name,id"])
async def test_twenty_five_thousand_records_come_once_each(crowd: Api, sort: str) -> None:
    stop, made = asyncio.Event(), list[str]()
    writers = [asyncio.create_task(_write(crowd, Random(seed), stop, made)) for seed in (1, 2)]
    try:
        if sort == "-last_name,id":  # two keys without an index of their own: as many as a filter leaves
            seen = await crowd.all("/v1/contacts", sort=sort, fields="id", last_name=["n7", "n8"])
            expected = {i for i in range(1, ROWS + 1) if i * 7919 % 1009 in (7, 8)}
        else:
            seen = await crowd.all("/v1/contacts", sort=sort, fields="id")
            expected = set(range(1, ROWS + 1))
    finally:
        stop.set()
        written = await asyncio.gather(*writers)
    assert min(written) > 0
    ids = [record["id"] for record in seen]
    assert len(ids) == len(set(ids))
    old = {int(id_[-12:], 16) for id_ in ids if id_.startswith("01900000-0000-7000-8000-")}
    assert old == expected


async def test_a_consistent_walk_shows_one_instant(api: Api) -> None:
    """Also of records that change, vanish and come on the way."""
    items = [{"last_name": f"n{i % 40}", "title": None if i % 3 == 0 else "walker"} for i in range(200)]
    await api.ok("POST", "/v1/contacts/batch/create", json={"items": items})
    query: dict[str, Any] = {"sort": "title,last_name", "fields": "title,last_name"}
    before = {record["id"]: record["title"] for record in await api.all("/v1/contacts", **query)}
    query["consistent"] = "true"
    first = await api.ok("GET", "/v1/contacts", params={**query, "limit": 50})
    ids = list(before)
    changed = [{"id": id_, "title": "aaa" if before[id_] else "zzz"} for id_ in ids[10:200:3]]
    await api.ok("POST", "/v1/contacts/batch/update", json={"items": changed})
    for id_ in ids[11:60:7]:
        await api.ok("DELETE", f"/v1/contacts/{id_}")
    await api.make("contacts", last_name="n3", title="mmm")
    seen, cursor = list(first["data"]), first["page"]["next_cursor"]
    while cursor is not None:
        page = await api.ok("GET", "/v1/contacts", params={**query, "limit": 37, "cursor": cursor})
        seen += page["data"]
        cursor = page["page"]["next_cursor"]
    assert [(record["id"], record["title"]) for record in seen] == list(before.items())


async def test_a_search_of_the_past_finds_what_was_there(api: Api) -> None:
    account = await api.make("accounts", name="Old name", industry="saas")
    king = await api.make("contacts", last_name="King", title="Clerk", account_id=account["id"], description="Große Straße")
    gone = await api.make("contacts", last_name="Gone", title="Clerk")
    then = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    await api.change(king, title="Head")
    await api.change(account, name="New name")
    await api.ok("DELETE", f"/v1/contacts/{gone['id']}")
    await api.make("contacts", last_name="Late", title="Clerk")

    async def found(**body: Any) -> list[str]:
        page = await api.ok("POST", "/v1/contacts/search", json={"as_of": then, "sort": ["last_name"], **body})
        return [record["last_name"] for record in page["data"]]

    assert await found() == ["Gone", "King"]
    assert await found(filter={"field": "title", "value": "clerk"}) == ["Gone", "King"]
    assert await found(filter={"field": "last_name", "op": "contains", "value": "ing"}) == ["King"]
    assert await found(filter={"field": "description", "op": "contains", "value": "STRASSE"}) == ["King"]
    assert await found(filter={"field": "account.name", "value": "old name"}) == ["King"]
    assert await found(filter={"field": "account.contacts", "any": {"field": "title", "value": "clerk"}}) == ["King"]
    page = await api.ok("GET", "/v1/contacts", params={"as_of": then, "expand": "account", "last_name": "King", "count": "exact"})
    assert page["page"]["count"] == 1
    assert (page["data"][0]["title"], page["data"][0]["account"]["name"]) == ("Clerk", "Old name")
    accounts = await api.ok("GET", "/v1/accounts", params={"as_of": then, "expand": "contacts", "expand[contacts][limit]": 1})
    assert [r["title"] for r in accounts["data"][0]["contacts"]["data"]] == ["Clerk"]
    first = await api.ok("GET", "/v1/contacts", params={"as_of": then, "limit": 1, "sort": "last_name"})
    second = await api.ok(
        "GET", "/v1/contacts", params={"as_of": then, "limit": 1, "sort": "last_name", "cursor": first["page"]["next_cursor"]}
    )
    assert [r["last_name"] for r in first["data"] + second["data"]] == ["Gone", "King"]


async def test_what_changed_since_a_cursor(api: Api) -> None:
    quiet = await api.make("contacts", last_name="Quiet")
    changed = await api.make("contacts", last_name="Changed")
    doomed = await api.make("contacts", last_name="Doomed")
    since = (await api.ok("GET", "/v1/me"))["events_cursor"]
    await api.change(changed, title="x")
    await api.change(changed, title="y")
    await api.ok("DELETE", f"/v1/contacts/{doomed['id']}")
    late = await api.make("contacts", last_name="Late")
    page = await api.ok("GET", "/v1/contacts", params={"since": since, "deleted": "include"})
    shown = {record["id"]: record for record in page["data"]}
    assert shown.keys() == {changed["id"], doomed["id"], late["id"]}
    assert shown[changed["id"]]["title"] == "y"
    assert shown[doomed["id"]]["deleted_at"] is not None
    assert quiet["id"] not in shown
    again = await api.ok("GET", "/v1/contacts", params={"since": page["page"]["events_cursor"], "deleted": "include"})
    assert again["data"] == []
