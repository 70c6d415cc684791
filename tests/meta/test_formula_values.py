"""Values of computed fields that stand in the records: those from before the definition, many at once, the past, the limits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from crm_api.db.statement import Statement
from crm_api.db.uow import Actor, unit_of_work
from crm_api.kernel.context import Context
from crm_api.kernel.principal import OrganizationInfo, Principal
from crm_api.kernel.writes import recompute
from crm_api.kernel.writes.backfill import backfill_chunk
from tests.api import Api, Record

pytestmark = pytest.mark.anyio

_ORG = Statement("SELECT * FROM organizations WHERE id = $1", ("org_id",))
_READY = Statement("UPDATE field_definitions SET state = 'active' WHERE org_id = $1", ("org_id",))
_IDLE = Statement("UPDATE jobs SET status = 'cancelled' WHERE org_id = $1 AND status = 'queued'", ("org_id",))
_RAISE = Statement("UPDATE organizations SET schema_version = schema_version + 1 WHERE id = $1", ("org_id",))


async def add(api: Api, object_name: str, api_name: str, type_: str, **more: Any) -> None:
    await api.ok("POST", f"/v1/meta/{object_name}/fields", json={"api_name": api_name, "type": type_, **more}, status=201)


@asynccontextmanager
async def inside(api: Api) -> AsyncIterator[Context]:
    """A transaction of the organisation's administrator, below the API."""
    services = api.app.state.services
    async with unit_of_work(services.database, api.org_id, services.clock, actor=Actor("user", api.user_id)) as uow:
        row = await uow.fetch_row(_ORG, {"org_id": api.org_id})
        assert row is not None
        organization = OrganizationInfo.of(api.org_id, dict(row))
        principal = Principal(organization, api.user_id, api.user_id, "test", frozenset({"admin"}), Actor("user", api.user_id))
        yield await services.engine.context(principal, uow)


async def settle(api: Api, *objects: str, limit: int = 500) -> None:
    """What the job does after a definition: gives all records their values, then has them read from there."""
    for name in objects:
        after: UUID | None = None
        while True:
            async with inside(api) as context:
                after, _ = await backfill_chunk(context, context.registry[name], after, limit)
            if after is None:
                break
    async with inside(api) as context:
        await context.uow.fetch(_READY, {"org_id": api.org_id})
        await context.uow.fetch(_RAISE, {"org_id": api.org_id})


async def stored(api: Api, record: Record) -> dict[str, Any]:
    """The members as they stand in the row."""
    async with inside(api) as context:
        statement = Statement(f"SELECT custom_fields FROM {record['object']} WHERE org_id = $1 AND id = $2", ("org_id", "id"))
        found: dict[str, Any] = orjson.loads(await context.uow.fetch_value(statement, {"org_id": api.org_id, "id": UUID(record["id"])}))
        return found


async def test_records_from_before_get_their_values_without_a_version(org: Api) -> None:
    api = org
    account = await api.make("accounts", name="Acme", currency="EUR")
    deals = [await api.make("deals", name=f"d{n}", amount=str(n), currency="EUR", account_id=account["id"]) for n in range(7)]
    await api.ok("DELETE", f"/v1/deals/{deals[6]['id']}")
    await add(api, "deals", "fee", "formula", formula="amount / 10", returns="currency", indexed=True)
    await add(api, "deals", "label", "formula", formula="account.name & ' ' & custom_fields.fee", returns="text")
    await add(api, "accounts", "fees", "rollup", relation="deals", function="sum", field="custom_fields.fee")
    assert await stored(api, deals[3]) == {}
    shown = await api.get(deals[3])
    assert shown["custom_fields"] == {"fee": "0.30", "label": "Acme 0.3"}
    assert (await api.get(account))["custom_fields"] == {"fees": "1.50"}

    await settle(api, "deals", "accounts", limit=3)
    assert await stored(api, deals[3]) == {"fee": "0.30", "label": "Acme 0.3"}
    assert await stored(api, deals[6]) == {"fee": "0.60", "label": "Acme 0.6"}
    assert await stored(api, account) == {"fees": "1.50"}
    assert await api.get(deals[3]) == shown
    assert shown["version"] == 1
    assert [row["name"] for row in await api.all("/v1/deals", sort="-custom_fields.fee")] == ["d5", "d4", "d3", "d2", "d1", "d0"]
    assert [row["name"] for row in await api.all("/v1/deals", **{"custom_fields.fee[gte]": "0.4"})] == ["d5", "d4"]
    assert [row["name"] for row in await api.all("/v1/deals", q="Acme 0.2")] == ["d2"]
    await api.change(deals[5], amount="70")
    assert (await api.get(account))["custom_fields"] == {"fees": "8.00"}
    assert (await api.ok("GET", "/v1/deals", params={"sort": "-custom_fields.fee", "limit": 1}))["data"][0]["name"] == "d5"
    assert [row["name"] for row in await api.all("/v1/deals", **{"custom_fields.label": "ACME 7"})] == ["d5"]


async def test_a_changed_formula_shows_at_once_and_so_does_what_follows_from_it(org: Api) -> None:
    api = org
    await add(api, "deals", "fee", "formula", formula="amount / 10", returns="currency")
    await add(api, "deals", "shown", "formula", formula="'fee ' & custom_fields.fee", returns="text")
    await add(api, "accounts", "fees", "rollup", relation="deals", function="sum", field="custom_fields.fee")
    await settle(api)
    account = await api.make("accounts", name="Acme", currency="EUR")
    deal = await api.make("deals", name="x", amount="100", currency="EUR", account_id=account["id"])
    assert (await api.get(account))["custom_fields"] == {"fees": "10.00"}
    async with inside(api) as context:  # a job of the definition is still under way as far as the API is concerned
        await context.uow.fetch(_IDLE, {"org_id": api.org_id})
    await api.ok("PATCH", "/v1/meta/deals/fields/fee", json={"formula": "amount / 5"})
    assert (await api.get(deal))["custom_fields"] == {"fee": "20.00", "shown": "fee 20"}
    assert (await api.get(account))["custom_fields"] == {"fees": "20.00"}
    assert await stored(api, deal) == {"fee": "10.00", "shown": "fee 10"}
    assert [row["id"] for row in await api.all("/v1/deals", **{"custom_fields.shown": "fee 20"})] == [deal["id"]]
    await settle(api, "deals", "accounts")
    assert await stored(api, deal) == {"fee": "20.00", "shown": "fee 20"}
    assert await stored(api, account) == {"fees": "20.00"}
    assert (await api.get(deal))["version"] == 1

    async with inside(api) as context:
        await context.uow.fetch(_IDLE, {"org_id": api.org_id})
    problem = await api.fails(
        "PATCH", "/v1/meta/deals/fields/fee", 422, "validation_failed", json={"formula": "account.custom_fields.fees / 2"}
    )
    error = problem["errors"][0]
    assert (error["pointer"], error["code"]) == ("/formula", "formula_cycle")
    assert set(error["params"]["fields"]) == {"deals.fee", "accounts.fees"}
    assert (await api.get(deal))["custom_fields"]["fee"] == "20.00"


async def test_the_past_shows_the_values_of_then(org: Api) -> None:
    api = org
    await add(api, "accounts", "total", "rollup", relation="deals", function="sum", field="amount")
    await add(api, "deals", "industry", "formula", formula="account.industry", returns="text")
    await settle(api)
    account = await api.make("accounts", name="Acme", industry="Robots", currency="EUR")
    deal = await api.make("deals", name="x", amount="10", account_id=account["id"], currency="EUR")
    before = (await api.get(account))["updated_at"]
    await api.change(account, industry="Ships")
    await api.change(deal, amount="20")
    for path, name, then, now in (
        (f"/v1/accounts/{account['id']}", "total", "10.00", "20.00"),
        (f"/v1/deals/{deal['id']}", "industry", "Robots", "Ships"),
    ):
        assert (await api.ok("GET", path))["custom_fields"][name] == now
        assert (await api.ok("GET", path, params={"as_of": before}))["custom_fields"][name] == then
        history = await api.ok("GET", f"{path}/history", params={"field": f"custom_fields.{name}"})
        changes = [entry["changes"][f"custom_fields.{name}"] for entry in history["data"]]
        assert changes[0] == {"old": then, "new": now}


async def test_a_batch_makes_one_event_of_each_record(org: Api) -> None:
    api = org
    await add(api, "accounts", "total", "rollup", relation="deals", function="sum", field="amount")
    await add(api, "accounts", "size", "formula", formula="if(custom_fields.total > 20, 'big', 'small')", returns="text")
    await add(api, "deals", "of", "formula", formula="account.custom_fields.size", returns="text")
    await settle(api)
    account = await api.make("accounts", name="Acme", currency="EUR")
    bodies = [{"name": str(n), "amount": "10", "account_id": account["id"], "currency": "EUR"} for n in range(3)]
    made = await api.ok("POST", "/v1/deals/batch/create", json={"items": bodies}, status=207)
    found = await api.get(account)
    assert (found["custom_fields"], found["version"]) == ({"total": "30.00", "size": "big"}, 2)
    rows = await api.all("/v1/deals")
    assert {(row["custom_fields"]["of"], row["version"]) for row in rows} == {("big", 1)}
    assert [result["record"]["custom_fields"]["of"] for result in made["results"]] == ["big"] * 3
    patches = [{"id": row["id"], "amount": "1"} for row in rows]
    await api.ok("POST", "/v1/deals/batch/update", json={"items": patches}, status=207)
    found = await api.get(account)
    assert (found["custom_fields"], found["version"]) == ({"total": "3.00", "size": "small"}, 3)
    assert {(row["custom_fields"]["of"], row["version"]) for row in await api.all("/v1/deals")} == {("small", 2)}
    events = await api.ok("GET", "/v1/events", params={"object": "deals", "limit": 200})
    assert [event["type"] for event in events["data"]] == ["deal.created"] * 3 + ["deal.updated"] * 3


async def test_a_parent_with_too_many_dependants_is_refused(org: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api = org
    await add(api, "deals", "of", "formula", formula="account.name", returns="text")
    await settle(api)
    account = await api.make("accounts", name="Acme")
    for n in range(4):
        await api.make("deals", name=str(n), account_id=account["id"])
    monkeypatch.setattr(recompute, "MAX_DEPENDANTS", 3)
    problem = await api.fails("PATCH", f"/v1/accounts/{account['id']}", 422, "too_expensive", json={"name": "Other"})
    assert (problem["limit"], problem["max"], problem["actual"]) == ("formula_dependants", 3, 4)
    assert (await api.get(account))["name"] == "Acme"
    await api.change(account, phone="+49 30 1234567")


async def test_organisations_without_computed_fields_pay_nothing(org: Api) -> None:
    api = org
    await add(api, "deals", "tier", "text")
    account = await api.make("accounts", name="Acme")
    seen: list[str] = []
    observers = api.app.state.services.database.observers
    note = seen.append
    observers.append(note)
    try:
        await api.make("deals", name="x", account_id=account["id"])
        plain = len(seen)
        await add(api, "deals", "fee", "formula", formula="amount / 10", returns="currency")
        await api.make("deals", name="y", account_id=account["id"])  # fills the caches
        seen.clear()
        await api.make("deals", name="z", account_id=account["id"])
        assert len(seen) <= plain + 1
    finally:
        observers.remove(note)


async def test_values_within_an_hour_of_another_days_zone(org: Api) -> None:
    """`today()` is the organisation's day, `now()` the request's moment."""
    api = org
    await add(api, "deals", "today", "formula", formula="today()", returns="date")
    await add(api, "deals", "now", "formula", formula="now()", returns="datetime")
    deal = await api.make("deals", name="x")
    async with inside(api) as context:
        zone = context.principal.organization.time_zone
        assert context.uow.zone == zone
        moment = context.uow.now
    shown = await api.get(deal)
    assert shown["custom_fields"]["now"][:13] in {moment.strftime("%Y-%m-%dT%H"), (moment + timedelta(minutes=1)).strftime("%Y-%m-%dT%H")}
    assert len(shown["custom_fields"]["today"]) == 10
