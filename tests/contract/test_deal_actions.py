"""Winning, losing, reopening and moving deals; the board and the history, over HTTP."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from crm_api.resources.deals.schemas import DealRead
from tests.api import Api, Record

pytestmark = pytest.mark.anyio


async def _stages(api: Api) -> dict[str, Record]:
    return {stage["name"]: stage for stage in await api.all("/v1/stages")}


async def test_win_lose_reopen(api: Api) -> None:
    stages = await _stages(api)
    deal = await api.make("deals", name="Robots", amount="1000.00", probability=0.45)
    path = f"/v1/deals/{deal['id']}"
    await api.change(deal, stage_id=stages["Negotiation"]["id"])
    problem = await api.fails("POST", f"{path}/lose", 422, "validation_failed")
    assert problem["errors"][0]["pointer"] == "/lost_reason"
    lost = await api.ok("POST", f"{path}/lose", json={"lost_reason": "price"})
    assert (lost["status"], lost["stage_id"], lost["lost_reason"]) == ("lost", stages["Lost"]["id"], "price")
    again = await api.ok("POST", f"{path}/reopen")
    assert (again["status"], again["stage_id"], again["probability"]) == ("open", stages["Negotiation"]["id"], 0.45)
    answer = await api.http.post(f"{path}/win", params={"expand": "account", "fields": "id,status,stage.name"})
    assert answer.headers["x-outcome"] == "updated"
    assert answer.json()["status"] == "won"
    assert (await api.http.post(f"{path}/win")).headers["x-outcome"] == "unchanged"
    DealRead.model_validate(await api.get(deal))
    events = await api.ok("GET", "/v1/events", params={"record_id": deal["id"]})
    assert [event["cause"]["action"] for event in events["data"]][-3:] == ["deals.lose", "deals.reopen", "deals.win"]


async def test_bad_actions(api: Api, other_api: Api) -> None:
    stages = await _stages(api)
    deal = await api.make("deals", name="Robots")
    path = f"/v1/deals/{deal['id']}"
    await api.fails("POST", f"{path}/win", 422, "validation_failed", json={"stage_id": stages["Lost"]["id"]})
    await api.fails("POST", f"{path}/win", 422, "validation_failed", json={"weight": 1})
    await api.fails("POST", f"{path}/win", 400, "unknown_parameter", params={"quickly": "true"})
    await api.fails("POST", f"{path}/win", 412, "version_conflict", headers={"If-Match": '"7"'})
    await api.fails("POST", f"/v1/deals/{stages['Won']['id']}/win", 404, "not_found")
    await other_api.fails("POST", f"{path}/win", 404, "not_found")
    await other_api.fails("POST", f"{path}/move", 404, "not_found", json={"to": stages["Won"]["id"]})
    await other_api.fails("GET", f"{path}/stage_history", 404, "not_found")
    await (await api.with_scopes("deals:read")).fails("POST", f"{path}/win", 403, "insufficient_scope")
    assert (await api.ok("POST", f"{path}/win", params={"dry_run": "true"}))["status"] == "won"
    assert (await api.get(deal))["version"] == 1
    await api.ok("DELETE", path)
    await api.fails("POST", f"{path}/win", 410, "deleted")


async def test_moving_on_the_board(api: Api) -> None:
    stages = await _stages(api)
    deals = [await api.make("deals", name=f"{n}", amount="10.00") for n in range(5)]
    board = await api.ok("GET", "/v1/deals/board", params={"group_by": "stage_id"})
    assert [column["label"] for column in board["columns"]] == ["Qualification", "Discovery", "Proposal", "Negotiation", "Won", "Lost"]
    first = board["columns"][0]
    assert ([deal["name"] for deal in first["data"]], first["count"]) == (["0", "1", "2", "3", "4"], 5)
    assert first["sums"] == {"amount_base": "50.00", "weighted_base": "5.00"}

    async def order(stage: str) -> list[str]:
        column = (await api.ok("GET", "/v1/deals/board", params={"column": stages[stage]["id"]}))["columns"][0]
        return [deal["name"] for deal in column["data"]]

    here = stages["Qualification"]["id"]
    moved = await api.ok("POST", f"/v1/deals/{deals[4]['id']}/move", json={"to": here, "before_id": deals[1]["id"], "from": here})
    assert moved["version"] == 2
    await api.ok("POST", f"/v1/deals/{deals[0]['id']}/move", json={"to": here, "after_id": deals[2]["id"]})
    assert await order("Qualification") == ["4", "1", "2", "0", "3"]
    await api.ok("POST", f"/v1/deals/{deals[1]['id']}/move", json={"to": here})
    assert await order("Qualification") == ["4", "2", "0", "3", "1"]
    there = stages["Proposal"]["id"]
    for deal in (deals[0], deals[3]):
        await api.ok("POST", f"/v1/deals/{deal['id']}/move", json={"to": there, "from": here, "amount": "20.00"})
    assert await order("Proposal") == ["0", "3"]
    problem = await api.fails("POST", f"/v1/deals/{deals[0]['id']}/move", 409, "moved", json={"to": there, "from": here})
    assert problem["record"]["stage_id"] == there
    problem = await api.fails(
        "POST", f"/v1/deals/{deals[2]['id']}/move", 422, "validation_failed", json={"to": there, "before_id": deals[1]["id"]}
    )
    assert problem["errors"][0]["pointer"] == "/before_id"
    await api.change(stages["Proposal"], required_fields=["close_date"])
    path = f"/v1/deals/{deals[2]['id']}/move"
    await api.fails("POST", path, 422, "required_on_enter", json={"to": there})
    assert (await api.ok("POST", path, json={"to": there, "close_date": "2026-12-31"}))["close_date"] == "2026-12-31"
    await api.fails("POST", path, 422, "validation_failed", json={"to": there, "stage_id": here})
    await api.fails("POST", path, 422, "validation_failed", json={})


async def test_the_board_has_pages(api: Api) -> None:
    stages = await _stages(api)
    for n in range(7):
        await api.make("deals", name=f"{n}")
    key = stages["Qualification"]["id"]
    seen: list[str] = []
    params: dict[str, Any] = {"limit": 3, "column": key, "fields": "name"}
    while True:
        column = (await api.ok("GET", "/v1/deals/board", params=params))["columns"][0]
        seen += [deal["name"] for deal in column["data"]]
        if column["page"]["next_cursor"] is None:
            break
        params["cursor"] = column["page"]["next_cursor"]
    assert seen == [f"{n}" for n in range(7)]
    await api.fails("GET", "/v1/deals/board", 400, "bad_request", params={"group_by": "owner_id"})
    await api.fails("GET", "/v1/deals/board", 400, "bad_request", params={"limit": "500"})
    await api.fails("GET", "/v1/deals/board", 400, "unknown_parameter", params={"colour": "red"})
    await api.fails("GET", "/v1/deals/board", 404, "not_found", params={"pipeline_id": key})


async def test_order_stands_while_many_move(api: Api) -> None:
    stages = await _stages(api)
    column = stages["Qualification"]["id"]
    deals = [await api.make("deals", name=f"{n}") for n in range(8)]
    chance = random.Random(3)

    async def shuffle() -> None:
        for _ in range(6):
            moved, other = chance.sample(deals, 2)
            where = chance.choice(("before_id", "after_id"))
            await api.ok("POST", f"/v1/deals/{moved['id']}/move", json={"to": column, where: other["id"]})

    await asyncio.gather(*(shuffle() for _ in range(5)))
    rows = await api.all("/v1/deals", stage_id=column, sort="board_position")
    assert len({row["board_position"] for row in rows}) == 8
    assert sorted(row["board_position"] for row in rows) == [row["board_position"] for row in rows]


async def test_stage_history(api: Api) -> None:
    stages = await _stages(api)
    deal = await api.make("deals", name="Robots")
    await api.change(deal, stage_id=stages["Proposal"]["id"])
    history = await api.ok("GET", f"/v1/deals/{deal['id']}/stage_history")
    assert [move["to_stage_id"] for move in history["data"]] == [stages["Proposal"]["id"], stages["Qualification"]["id"]]
    assert history["data"][0]["seconds"] == 0
    assert history["data"][1]["from_stage_id"] is None
    first = await api.ok("GET", f"/v1/deals/{deal['id']}/stage_history", params={"limit": 1})
    second = await api.ok("GET", f"/v1/deals/{deal['id']}/stage_history", params={"limit": 1, "cursor": first["page"]["next_cursor"]})
    assert [*first["data"], *second["data"]] == history["data"]
    assert second["page"]["next_cursor"] is None


async def test_a_period_is_met_by_one_deal_not_by_two(api: Api) -> None:
    """Over a to-many path both ends of a period hold of the same record."""
    account = await api.make("accounts", name="Between")
    for day in ("2000-01-01", "2100-01-01"):
        await api.make("deals", name=day, account_id=account["id"], close_date=day)
    body = {"filter": {"field": "deals.close_date", "op": "within", "value": "this_fiscal_year"}}
    assert (await api.ok("POST", "/v1/accounts/search", json=body))["data"] == []
    today = account["created_at"][:10]
    await api.make("deals", name="now", account_id=account["id"], close_date=today)
    assert [row["id"] for row in (await api.ok("POST", "/v1/accounts/search", json=body))["data"]] == [account["id"]]
