"""Recent records and the home page: one's own, permitted, in few statements."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from crm_api.flows import home
from tests.api import Api, Record
from tests.statements import Recorder

pytestmark = pytest.mark.anyio


async def _recent(api: Api, **params: Any) -> list[tuple[str, str]]:
    found = (await api.ok("GET", "/v1/me/recent", params=params))["data"]
    return [(item["display_name"], item["how"]) for item in found]


async def _view(api: Api, record: Record) -> None:
    await api.ok("POST", "/v1/me/recent", json={"object": record["object"], "id": record["id"]}, status=204)


async def test_what_was_changed_and_viewed(api: Api, colleague: Api) -> None:
    first = await api.make("accounts", name="First")
    second = await api.make("deals", name="Second")
    others = await colleague.make("contacts", last_name="Other")
    assert await _recent(api) == [("Second", "changed"), ("First", "changed")]
    await api.get(others)
    assert len(await _recent(api)) == 2  # reading alone is not noted
    await _view(api, others)
    await _view(api, first)
    assert await _recent(api) == [("First", "viewed"), ("Other", "viewed"), ("Second", "changed")]
    await api.change(others, title="Boss")
    assert await _recent(api, limit=1) == [("Other", "changed")]
    assert await _recent(colleague) == [("Other", "changed")]
    await api.ok("DELETE", f"/v1/deals/{second['id']}")
    assert ("Second", "changed") not in await _recent(api)


async def test_only_what_may_be_read(api: Api) -> None:
    await api.make("accounts", name="First")
    deal = await api.make("deals", name="Second")
    narrow = await api.with_scopes("accounts:read", "deals:read")
    await _view(narrow, deal)
    accounts = await api.with_scopes("accounts:read")
    assert await _recent(accounts) == [("First", "changed")]
    await accounts.fails("POST", "/v1/me/recent", 403, "insufficient_scope", json={"object": "deals", "id": deal["id"]})


async def test_bounded_and_refused(api: Api, other_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "RECENT", 3)
    accounts = [await api.make("accounts", name=f"{n}") for n in range(5)]
    for account in accounts:
        await _view(api, account)
    await asyncio.gather(*(_view(api, accounts[4]) for _ in range(3)))
    assert [name for name, how in await _recent(api) if how == "viewed"] == ["4", "3", "2"]
    body = {"object": "accounts", "id": accounts[0]["id"]}
    await other_api.fails("POST", "/v1/me/recent", 404, "not_found", json=body)
    problem = await api.fails("POST", "/v1/me/recent", 422, "validation_failed", json={**body, "object": "weather"})
    assert "accounts" in problem["errors"][0]["allowed"]
    await api.fails("POST", "/v1/me/recent", 422, "validation_failed", json={**body, "id": "x"})
    await api.fails("GET", "/v1/me/recent", 400, "bad_request", params={"limit": "51"})


async def test_the_home_page(api: Api, colleague: Api) -> None:
    await api.make("tasks", subject="Late", due_at="2026-01-01T00:00:00Z")
    await api.make("tasks", subject="Later", due_at="2026-02-01T00:00:00Z")
    await api.make("tasks", subject="Done", status="done")
    await colleague.make("tasks", subject="Not mine")
    await api.make("deals", name="Robots", close_date="2026-03-01")
    widgets = {widget["key"]: widget for widget in (await api.ok("GET", "/v1/me/home"))["widgets"]}
    assert [row["subject"] for row in widgets["tasks"]["data"]] == ["Late", "Later"]
    assert [row["name"] for row in widgets["deals"]["data"]] == ["Robots"]
    assert widgets["recent"]["data"][0]["display_name"] == "Robots"
    assert widgets["recent"]["object"] is None


async def test_setting_it_up(api: Api, colleague: Api) -> None:
    await api.make("deals", name="Small", amount="1.00")
    await api.make("deals", name="Big", amount="1000.00")
    criteria = [{"field": "amount", "op": "gte", "value": "100"}]
    view = await api.make("views", name="Big", applies_to="deals", columns=["name"], criteria=criteria)
    body = {
        "widgets": [{"key": "big", "type": "view", "view_id": view["id"], "title": "Big deals", "limit": 5}, {"key": "t", "type": "tasks"}]
    }
    for shown in (await api.ok("PUT", "/v1/me/home", json=body), await api.ok("GET", "/v1/me/home")):
        assert [widget["key"] for widget in shown["widgets"]] == ["big", "t"]
        assert [row["name"] for row in shown["widgets"][0]["data"]] == ["Big"]
        assert shown["widgets"][0]["title"] == "Big deals"
    assert [widget["key"] for widget in (await colleague.ok("GET", "/v1/me/home"))["widgets"]] == ["recent", "tasks", "deals"]
    for widgets, pointer in (
        ([{"key": "a", "type": "view"}], "/widgets/0/view_id"),
        ([{"key": "a", "type": "tasks", "view_id": view["id"]}], "/widgets/0/view_id"),
        ([{"key": "a", "type": "tasks"}, {"key": "a", "type": "deals"}], "/widgets/1/key"),
        ([{"key": "a", "type": "weather"}], "/widgets/0/type"),
        ([{"key": f"w{n}", "type": "tasks"} for n in range(13)], "/widgets"),
    ):
        problem = await api.fails("PUT", "/v1/me/home", 422, "validation_failed", json={"widgets": widgets})
        assert problem["errors"][0]["pointer"] == pointer
    hidden = {"widgets": [{"key": "a", "type": "view", "view_id": view["id"]}]}
    await colleague.fails("PUT", "/v1/me/home", 422, "validation_failed", json=hidden)
    await api.ok("DELETE", f"/v1/views/{view['id']}")
    gone = (await api.ok("GET", "/v1/me/home"))["widgets"][0]
    assert (gone["data"], gone["problem"]) == ([], "not_found")
    narrow = await api.with_scopes("tasks:read")
    assert [widget["key"] for widget in (await narrow.ok("GET", "/v1/me/home"))["widgets"]] == ["big", "t"]


async def test_in_few_statements(api: Api) -> None:
    await api.make("tasks", subject="Late")
    await api.make("accounts", name="Acme")
    await api.make("deals", name="Robots")
    recorder = Recorder()
    api.app.state.services.database.observers.append(recorder)
    try:
        await api.ok("GET", "/v1/me/recent")
        recent = [sql for sql in recorder.seen if sql.lstrip().startswith(("SELECT", "(SELECT", "WITH")) and "tokens" not in sql]
        recorder.seen.clear()
        await api.ok("GET", "/v1/me/home")
        page = [sql for sql in recorder.seen if sql.lstrip().startswith(("SELECT", "(SELECT", "WITH")) and "tokens" not in sql]
    finally:
        api.app.state.services.database.observers.remove(recorder)
    assert len(recent) == 2, recent
    assert len(page) == 3, page  # one of them looks what the person has set up
