"""Many writers at once: what is computed is what one after the other would have made of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.api import Api, Record

pytestmark = pytest.mark.anyio


async def add(api: Api, object_name: str, api_name: str, type_: str, **more: Any) -> None:
    await api.ok("POST", f"/v1/meta/{object_name}/fields", json={"api_name": api_name, "type": type_, **more}, status=201)


async def test_new_children_follow_a_parent_that_changes_meanwhile(org: Api) -> None:
    api = org
    await add(api, "deals", "of", "formula", formula="account.name & '/' & account.parent.name", returns="text")
    top = await api.make("accounts", name="Top 0")
    account = await api.make("accounts", name="Acme 0", parent_id=top["id"])
    for turn in range(1, 6):
        made = await asyncio.gather(
            *(api.make("deals", name=str(n), account_id=account["id"]) for n in range(4)),
            api.change(account, name=f"Acme {turn}"),
            api.change(top, name=f"Top {turn}"),
            *(api.make("deals", name=str(n), account_id=account["id"]) for n in range(4)),
        )
        assert len(made) == 10
        rows = await api.all("/v1/deals")
        assert {row["custom_fields"]["of"] for row in rows} == {f"Acme {turn}/Top {turn}"}, turn


async def test_children_that_move_while_sums_follow_both_ways(org: Api) -> None:
    """Roll-ups upwards and formulas downwards at the same time: no lost update, and every wait for each other is resolved."""
    api = org
    await add(api, "accounts", "total", "rollup", relation="deals", function="sum", field="amount")
    await add(api, "accounts", "number_of", "rollup", relation="deals", function="count")
    await add(api, "deals", "account_total", "formula", formula="account.custom_fields.total", returns="currency")
    accounts = [await api.make("accounts", name=str(n), currency="EUR") for n in range(3)]
    deals = [await api.make("deals", name=str(n), amount=str(n + 1), currency="EUR", account_id=accounts[n % 3]["id"]) for n in range(9)]

    async def move(deal: Record, turn: int) -> None:
        await api.change(deal, account_id=accounts[(int(deal["name"]) + turn) % 3]["id"], amount=str(int(deal["name"]) + turn))

    for turn in range(3):
        await asyncio.gather(*(move(deal, turn) for deal in deals))
    rows = await api.all("/v1/deals")
    for account in await api.all("/v1/accounts"):
        mine = [row for row in rows if row["account_id"] == account["id"]]
        total = sum(int(float(row["amount"])) for row in mine)
        assert account["custom_fields"] == {"total": f"{total}.00", "number_of": len(mine)}
        assert {row["custom_fields"]["account_total"] for row in mine} <= {f"{total}.00"}
