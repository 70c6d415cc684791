"""`since=`: the present state of each record that changed, once, and what is left of those that were purged."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import Api
from tests.jobs.support import make_contacts

pytestmark = pytest.mark.anyio


async def now(api: Api) -> str:
    cursor: str = (await api.ok("GET", "/v1/me"))["events_cursor"]
    return cursor


async def walk(api: Api, **params: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All records and all purged ones, page by page."""
    records: list[dict[str, Any]] = []
    purged: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await api.ok("GET", "/v1/contacts", params={**params, **({"cursor": cursor} if cursor else {})})
        assert len(page["data"]) <= params.get("limit", 50)
        records += page["data"]
        purged += page["page"]["purged"]
        cursor = page["page"]["next_cursor"]
        assert page["page"]["has_more"] == (cursor is not None)
        if cursor is None:
            return records, purged


async def test_each_changed_record_comes_once(api: Api) -> None:
    made = await make_contacts(api, 12)
    cursor = await now(api)
    assert await walk(api, since=cursor) == ([], [])
    for title in ("a", "b", "c"):
        await api.change(made[0], title=title)
    await api.change(made[1], title="x")
    await api.ok("DELETE", f"/v1/contacts/{made[2]['id']}")
    for row in made[3:8]:
        await api.ok("DELETE", f"/v1/contacts/{row['id']}?purge=true", status=204)
    [fresh] = await make_contacts(api, 1)
    short = await make_contacts(api, 1)
    await api.ok("DELETE", f"/v1/contacts/{short[0]['id']}?purge=true", status=204)
    gone = sorted([*made[3:8], *short], key=lambda row: str(row["id"]))
    for limit in (1, 2, 3, 4, 5, 50):
        records, purged = await walk(api, since=cursor, limit=limit)
        assert [row["id"] for row in records] == [fresh["id"], made[2]["id"], made[1]["id"], made[0]["id"]]
        assert records[-1]["title"] == "c"
        assert records[1]["deleted_at"] is not None
        assert purged == [{"object": "contacts", "id": row["id"], "version": 2, "purged": True} for row in gone]
    live = await api.ok("GET", "/v1/contacts", params={"since": cursor, "deleted": "exclude"})
    assert [row["id"] for row in live["data"]] == [fresh["id"], made[1]["id"], made[0]["id"]]
    assert "purged" not in live["page"]
    assert "purged" not in (await api.ok("GET", "/v1/contacts"))["page"]
    assert await walk(api, since=live["page"]["events_cursor"]) == ([], [])


async def test_a_cursor_is_of_its_list(api: Api) -> None:
    made = await make_contacts(api, 3)
    cursor = await now(api)
    for row in made:
        await api.ok("DELETE", f"/v1/contacts/{row['id']}?purge=true", status=204)
    page = (await api.ok("GET", "/v1/contacts", params={"since": cursor, "limit": 1}))["page"]
    assert len(page["purged"]) == 1
    for params in ({"since": await now(api)}, {"since": cursor, "title": "x"}, {}):
        await api.fails("GET", "/v1/contacts", 400, "invalid_cursor", params={**params, "cursor": page["next_cursor"]})
    await api.fails("GET", "/v1/contacts", 400, "invalid_cursor", params={"since": cursor, "cursor": page["next_cursor"][:-3]})
    await api.fails("GET", "/v1/contacts", 400, "invalid_cursor", params={"since": "nothing"})


async def test_a_number_from_the_future_is_expired(api: Api, other_api: Api) -> None:
    from crm_api.kernel.journal import encode_events_cursor

    cursor = encode_events_cursor(api.org_id, 10_000)
    problem = await api.fails("GET", "/v1/contacts", 410, "cursor_expired", params={"since": cursor})
    await api.ok("GET", "/v1/contacts", params={"since": problem["oldest_cursor"]})
    await other_api.fails("GET", "/v1/contacts", 400, "invalid_cursor", params={"since": cursor})
