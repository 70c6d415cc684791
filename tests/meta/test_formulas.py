"""Formulas and roll-ups over HTTP: they follow every change, in the same transaction, and show in the journal."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.api import Api, Record

pytestmark = pytest.mark.anyio


async def add(api: Api, object_name: str, api_name: str, type_: str, **more: Any) -> Record:
    found: Record = await api.ok("POST", f"/v1/meta/{object_name}/fields", json={"api_name": api_name, "type": type_, **more}, status=201)
    return found


async def formula(api: Api, object_name: str, api_name: str, text: str, returns: str, **more: Any) -> Record:
    return await add(api, object_name, api_name, "formula", formula=text, returns=returns, **more)


async def rollup(api: Api, object_name: str, api_name: str, relation: str, function: str, **more: Any) -> Record:
    return await add(api, object_name, api_name, "rollup", relation=relation, function=function, **more)


async def value(api: Api, record: Record, name: str) -> Any:
    return (await api.get(record))["custom_fields"][name]


async def events_of(api: Api, record: Record) -> list[Record]:
    found: list[Record] = (await api.ok("GET", f"/v1/{record['object']}/{record['id']}/history"))["data"]
    return found[::-1]


async def test_a_formula_of_the_records_own_fields(org: Api) -> None:
    await formula(org, "deals", "fee", "amount * 0.2", "currency")
    await formula(org, "deals", "size", "if(custom_fields.fee >= 100, 'big', 'small')", "text")
    deal = await org.make("deals", name="x", amount="1000.10", currency="EUR")
    assert deal["custom_fields"] == {"fee": "200.02", "size": "big"}
    changed = await org.change(deal, amount="10")
    assert changed["custom_fields"] == {"fee": "2.00", "size": "small"}
    assert changed["version"] == 2
    last = (await events_of(org, deal))[-1]
    assert last["changes"]["custom_fields.fee"] == {"old": "200.02", "new": "2.00"}
    assert last["changes"]["custom_fields.size"] == {"old": "big", "new": "small"}
    problem = await org.fails("PATCH", f"/v1/deals/{deal['id']}", 422, "validation_failed", json={"custom_fields": {"fee": "1"}})
    assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == ("/custom_fields/fee", "read_only")
    same = await org.change(changed, name="y")
    assert "custom_fields.fee" not in (await events_of(org, deal))[-1]["changes"]
    cleared = await org.change(same, amount=None)
    assert cleared["custom_fields"] == {"fee": None, "size": "small"}


async def test_dependants_follow_in_the_same_transaction(org: Api) -> None:
    api = org
    await formula(api, "deals", "industry", "account.industry", "text")
    await formula(api, "deals", "group", "account.parent.name & ''", "text")
    await formula(api, "deals", "both", "custom_fields.industry & '/' & custom_fields.group", "text")
    group = await api.make("accounts", name="Group")
    account = await api.make("accounts", name="Acme", industry="Robots", parent_id=group["id"])
    deal = await api.make("deals", name="x", account_id=account["id"])
    other = await api.make("deals", name="y")
    assert deal["custom_fields"] == {"industry": "Robots", "group": "Group", "both": "Robots/Group"}
    assert other["custom_fields"] == {"industry": None, "group": "", "both": "/"}

    account = await api.change(account, industry="Ships")
    found = await api.get(deal)
    assert found["custom_fields"] == {"industry": "Ships", "group": "Group", "both": "Ships/Group"}
    assert found["version"] == 2
    _, second = await events_of(api, deal)
    assert second["type"] == "deal.updated"
    assert set(second["changes"]) == {"custom_fields.industry", "custom_fields.both"}
    changes = (await api.ok("GET", "/v1/events", params={"event_types": "account.updated,deal.updated"}))["data"]
    assert len({event["transaction"]["id"] for event in changes}) == 1
    assert (await api.get(other))["version"] == 1

    await api.change(group, name="Holding")
    assert await value(api, deal, "both") == "Ships/Holding"
    assert (await api.get(account))["version"] == 2  # itself it has no formula
    await api.change(account, phone="+49 30 1234567")
    assert (await api.get(deal))["version"] == 3

    elsewhere = await api.make("accounts", name="Elsewhere")
    await api.change(account, parent_id=elsewhere["id"])
    assert await value(api, deal, "group") == "Elsewhere"
    await api.change(other, account_id=account["id"])
    assert await value(api, other, "both") == "Ships/Elsewhere"
    await api.ok("DELETE", f"/v1/accounts/{elsewhere['id']}", params={"on_children": "detach"})
    assert await value(api, deal, "group") == ""


async def test_a_rollup_follows_its_children(org: Api) -> None:
    api = org
    await rollup(api, "accounts", "total", "deals", "sum", field="amount", indexed=True)
    await rollup(api, "accounts", "won", "deals", "count", filter={"field": "status", "value": "won"})
    await rollup(api, "accounts", "newest", "deals", "max", field="close_date")
    account = await api.make("accounts", name="Acme", currency="EUR")
    second = await api.make("accounts", name="Second", currency="EUR")
    assert account["custom_fields"] == {"total": "0.00", "won": 0, "newest": None}
    one = await api.make("deals", name="one", amount="10", account_id=account["id"], close_date="2026-01-01", currency="EUR")
    two = await api.make("deals", name="two", amount="5.5", account_id=account["id"], close_date="2026-02-01", currency="EUR")
    found = await api.get(account)
    assert found["custom_fields"] == {"total": "15.50", "won": 0, "newest": "2026-02-01"}
    assert found["version"] == 3
    await api.change(one, name="renamed")
    assert (await api.get(account))["version"] == 3
    await api.ok("POST", f"/v1/deals/{two['id']}/win", json={})
    assert (await value(api, account, "won")) == 1

    await api.change(one, account_id=second["id"])
    assert await value(api, account, "total") == "5.50"
    assert await value(api, second, "total") == "10.00"
    await api.ok("DELETE", f"/v1/deals/{two['id']}")
    assert (await api.get(account))["custom_fields"] == {"total": "0.00", "won": 0, "newest": None}
    await api.ok("POST", f"/v1/deals/{two['id']}/restore")
    assert (await api.get(account))["custom_fields"] == {"total": "5.50", "won": 1, "newest": "2026-02-01"}
    await api.change(two, currency="USD")
    assert await value(api, account, "total") is None  # dollars and euros make no sum
    await api.ok("DELETE", f"/v1/deals/{two['id']}", params={"purge": "true"})
    assert await value(api, account, "total") == "0.00"


async def test_a_chain_through_three_objects(org: Api) -> None:
    """cases → contacts → accounts, and back to the cases."""
    api = org
    await rollup(api, "contacts", "cases_count", "cases", "count")
    await rollup(api, "accounts", "cases_total", "contacts", "sum", field="custom_fields.cases_count")
    await formula(api, "accounts", "busy", "custom_fields.cases_total >= 2", "boolean")
    await formula(api, "cases", "account_busy", "contact.account.custom_fields.busy", "boolean")
    account = await api.make("accounts", name="Acme")
    contact = await api.make("contacts", first_name="Ada", account_id=account["id"])
    first = await api.make("cases", subject="1", contact_id=contact["id"])
    assert first["custom_fields"]["account_busy"] is False
    second = await api.make("cases", subject="2", contact_id=contact["id"])
    assert second["custom_fields"]["account_busy"] is True
    assert second["version"] == 1
    assert [event["type"] for event in await events_of(api, second)] == ["case.created"]
    assert await value(api, first, "account_busy") is True
    assert (await api.get(account))["custom_fields"] == {"cases_total": 2, "busy": True}
    await api.ok("DELETE", f"/v1/cases/{first['id']}")
    assert await value(api, second, "account_busy") is False


async def test_circles_are_refused(org: Api) -> None:
    api = org
    await rollup(api, "accounts", "total", "deals", "sum", field="amount")
    await formula(api, "deals", "share", "amount / account.custom_fields.total", "decimal")
    await rollup(api, "accounts", "parts", "deals", "sum", field="custom_fields.share")  # longer, but no circle
    account = await api.make("accounts", name="Acme", currency="EUR")
    deals = [await api.make("deals", name=str(n), amount="10", account_id=account["id"], currency="EUR") for n in range(4)]
    assert {(await api.get(deal))["custom_fields"]["share"] for deal in deals} == {"0.25"}
    assert (await value(api, account, "parts"), (await api.get(account))["version"]) == ("1", 5)
    body = {"api_name": "x", "type": "formula", "formula": "custom_fields.x + 1", "returns": "integer"}
    problem = await api.fails("POST", "/v1/meta/accounts/fields", 422, "validation_failed", json=body)
    assert problem["errors"][0]["code"] == "unknown_field"


async def test_mistakes_are_told_with_their_place(org: Api) -> None:
    api = org
    body: dict[str, Any] = {"api_name": "x", "type": "formula", "formula": "1 +\n nme", "returns": "integer"}
    problem = await api.fails("POST", "/v1/meta/accounts/fields", 422, "validation_failed", json=body)
    error = problem["errors"][0]
    assert (error["pointer"], error["code"]) == ("/formula", "unknown_field")
    assert (error["params"]["line"], error["params"]["column"]) == (2, 2)
    for body, pointer, code in (
        ({"formula": "1", "type": "formula"}, "/returns", "required"),
        ({"formula": "1", "type": "formula", "returns": "json"}, "/returns", "enum"),
        ({"formula": "'a'", "type": "formula", "returns": "integer"}, "/formula", "formula_type"),
        ({"type": "rollup", "relation": "owner", "function": "count"}, "/relation", "unknown_relation"),
        ({"type": "rollup", "relation": "deals", "function": "sum"}, "/field", "required"),
        ({"type": "rollup", "relation": "deals", "function": "sum", "field": "name"}, "/field", "unknown_field"),
        ({"type": "rollup", "relation": "deals", "function": "count", "field": "amount"}, "/field", "invalid_combination"),
        (
            {"type": "rollup", "relation": "deals", "function": "count", "filter": {"field": "nme", "value": 1}},
            "/filter/field",
            "unknown_field",
        ),
        (
            {
                "type": "rollup",
                "relation": "deals",
                "function": "count",
                "filter": {"field": "close_date", "op": "newer_than", "value": "P1D"},
            },
            "/filter",
            "rollup_volatile",
        ),
        (
            {"type": "rollup", "relation": "deals", "function": "count", "filter": {"field": "stage.name", "value": "x"}},
            "/filter",
            "rollup_filter",
        ),
    ):
        problem = await api.fails("POST", "/v1/meta/accounts/fields", 422, "validation_failed", json={"api_name": "x", **body})
        assert [(e["pointer"], e["code"]) for e in problem["errors"]] == [(pointer, code)], problem


async def test_parallel_children_make_the_right_sum(org: Api) -> None:
    api = org
    await rollup(api, "accounts", "total", "deals", "sum", field="amount")
    await formula(api, "deals", "of", "account.name", "text")
    account = await api.make("accounts", name="Acme", currency="EUR")
    made = await asyncio.gather(
        *(api.make("deals", name=str(n), amount=str(n), account_id=account["id"], currency="EUR") for n in range(1, 21))
    )
    found = await api.get(account)
    assert found["custom_fields"]["total"] == "210.00"
    assert found["version"] == 21
    await asyncio.gather(
        *(api.change(deal, amount="1") for deal in made[:10]), *(api.ok("DELETE", f"/v1/deals/{d['id']}") for d in made[10:])
    )
    assert await value(api, account, "total") == "10.00"


async def test_reads_filters_and_sorts(org: Api) -> None:
    api = org
    await api.make("deals", name="old", amount="7", currency="EUR")
    await formula(api, "deals", "fee", "amount * 2", "currency", indexed=True)
    await formula(api, "deals", "label", "upper(name) & '!'", "text")
    await api.make("deals", name="new", amount="3", currency="EUR")
    rows = await api.all("/v1/deals", sort="-custom_fields.fee")
    assert [(row["name"], row["custom_fields"]["fee"], row["custom_fields"]["label"]) for row in rows] == [
        ("old", "14.00", "OLD!"),
        ("new", "6.00", "NEW!"),
    ]
    assert [row["name"] for row in await api.all("/v1/deals", **{"custom_fields.fee[gt]": "10"})] == ["old"]
    assert [row["name"] for row in await api.all("/v1/deals", **{"custom_fields.label": "new!"})] == ["new"]
    assert [row["name"] for row in await api.all("/v1/deals", **{"custom_fields.label[contains]": "d!"})] == ["old"]


async def test_what_depends_on_the_present_is_worked_out_when_read(org: Api) -> None:
    api = org
    await formula(api, "deals", "due_in", "days_between(today(), close_date)", "integer")
    await formula(api, "deals", "late", "custom_fields.due_in < 0", "boolean")
    deal = await api.make("deals", name="x", close_date="2000-01-01")
    assert deal["custom_fields"]["due_in"] < -9000
    assert (await api.get(deal))["custom_fields"]["late"] is True
    assert [row["name"] for row in await api.all("/v1/deals", **{"custom_fields.late": "true"})] == ["x"]
    assert [row["name"] for row in await api.all("/v1/deals", sort="custom_fields.due_in")] == ["x"]
    assert set((await events_of(api, deal))[0]["changes"]) >= {"name"}
    assert not any(name.startswith("custom_fields") for name in (await events_of(api, deal))[0]["changes"])
    body = {"api_name": "n", "type": "rollup", "relation": "deals", "function": "max", "field": "custom_fields.due_in"}
    problem = await api.fails("POST", "/v1/meta/accounts/fields", 422, "validation_failed", json=body)
    assert [(e["pointer"], e["code"]) for e in problem["errors"]] == [("/field", "rollup_volatile")]


async def test_merged_records_pass_their_children_on(org: Api) -> None:
    api = org
    await rollup(api, "accounts", "total", "deals", "sum", field="amount")
    await formula(api, "accounts", "twice", "custom_fields.total * 2", "currency")
    winner = await api.make("accounts", name="Winner", currency="EUR")
    loser = await api.make("accounts", name="Loser", currency="EUR")
    await api.make("deals", name="a", amount="1", account_id=winner["id"], currency="EUR")
    await api.make("deals", name="b", amount="2", account_id=loser["id"], currency="EUR")
    await api.ok("POST", "/v1/accounts/merge", json={"winner_id": winner["id"], "loser_ids": [loser["id"]]})
    found = await api.get(winner)
    assert found["custom_fields"] == {"total": "3.00", "twice": "6.00"}
    types = [event["type"] for event in await events_of(api, winner)]
    assert types == ["account.created", "account.updated", "account.merged"]


async def test_custom_objects_have_formulas_too(org: Api) -> None:
    api = org
    fields = [
        {"api_name": "length", "type": "number"},
        {"api_name": "account_id", "type": "reference", "target": "accounts", "inverse": "vessels"},
        {"api_name": "kinds", "type": "multi_picklist", "options": [{"key": "tanker", "label": "T"}, {"key": "ferry", "label": "F"}]},
    ]
    await api.ok(
        "POST", "/v1/meta/objects", json={"api_name": "vessels", "singular": "vessel", "label": "Vessel", "fields": fields}, status=201
    )
    await formula(api, "vessels", "feet", "round(length * 3.28084, 1)", "number")
    await formula(api, "vessels", "sign", "account.name & ': ' & name", "text")
    await formula(api, "vessels", "is_tanker", "includes(kinds, 'tanker')", "boolean")
    await rollup(api, "accounts", "fleet", "vessels", "sum", field="length")
    account = await api.make("accounts", name="Maersk")
    ship = await api.make("vessels", name="Emma", length=397.7, account_id=account["id"], kinds=["tanker"])
    assert (ship["feet"], ship["sign"], ship["is_tanker"]) == (1304.8, "Maersk: Emma", True)
    assert await value(api, account, "fleet") == 397.7
    await api.change(account, name="Møller")
    assert (await api.get(ship))["sign"] == "Møller: Emma"
    assert (await events_of(api, ship))[-1]["changes"] == {"sign": {"old": "Maersk: Emma", "new": "Møller: Emma"}}
    assert [row["id"] for row in await api.all("/v1/vessels", **{"feet[gt]": "1000"})] == [ship["id"]]
    await api.ok("DELETE", f"/v1/vessels/{ship['id']}")
    assert await value(api, account, "fleet") == 0
