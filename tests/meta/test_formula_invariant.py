"""Whatever is written in whatever order, by one or many: in the end each stored value is what its definition makes of the records."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any
from uuid import UUID

import pytest

from crm_api.kernel.resource import Draft
from crm_api.kernel.writes.computed import put, values_of
from crm_api.kernel.writes.locked import lock
from crm_api.kernel.writes.shape import shape_of
from tests.api import Api
from tests.meta.test_formula_values import inside, settle

pytestmark = pytest.mark.anyio

FORMULAS = [
    ("deals", "fee", "currency", "amount * 0.1"),
    ("deals", "route", "text", "account.parent.name & '>' & account.name & '>' & name"),
    ("deals", "rank_of", "text", "account.custom_fields.rank & custom_fields.fee"),
    ("accounts", "rank", "text", "case(custom_fields.small, 0, 'none', 1, 'one', 'many')"),
    ("contacts", "worth", "decimal", "account.custom_fields.total + account.parent.custom_fields.total"),
]
ROLLUPS: list[tuple[str, dict[str, Any]]] = [
    ("total", {"relation": "deals", "function": "sum", "field": "custom_fields.fee"}),
    ("small", {"relation": "deals", "function": "count", "filter": {"field": "amount", "op": "lt", "value": "50"}}),
    ("below", {"relation": "children", "function": "max", "field": "annual_revenue"}),
]
OBJECTS = ("accounts", "deals", "contacts")


async def define(api: Api) -> None:
    bodies = [("accounts", {"api_name": name, "type": "rollup", **body}) for name, body in ROLLUPS]
    for object_name, name, returns, text in FORMULAS:
        bodies.append((object_name, {"api_name": name, "type": "formula", "returns": returns, "formula": text}))
    first = ["fee", "total", "small", "rank"]  # the others use these
    bodies.sort(key=lambda item: first.index(item[1]["api_name"]) if item[1]["api_name"] in first else len(first))
    for object_name, body in bodies:
        await api.ok("POST", f"/v1/meta/{object_name}/fields", json=body, status=201)
    await settle(api)


async def act(api: Api, random: Random, ids: dict[str, list[str]]) -> None:
    """One random write; it may be refused."""
    name = random.choice(OBJECTS)
    known = ids[name]

    def account() -> str | None:
        return random.choice([*ids["accounts"], None]) if ids["accounts"] else None

    bodies: dict[str, dict[str, Any]] = {
        "accounts": {"name": f"a{random.randrange(9)}", "annual_revenue": str(random.randrange(99)), "parent_id": account()},
        "deals": {
            "name": f"d{random.randrange(9)}", "amount": str(random.randrange(100)), "account_id": account(),
            "currency": random.choice(["EUR", "EUR", "EUR", "USD"]),
        },
        "contacts": {"first_name": "x", "account_id": account()},
    }  # fmt: skip
    body = bodies[name]
    action = random.choice(["create", "create", "change", "change", "change", "change", "delete", "restore", "batch", "merge", "purge"])
    if action == "create" or not known:
        answer = await api.http.post(f"/v1/{name}", json=body)
        if answer.status_code == 201:
            known.append(answer.json()["id"])
        return
    id = random.choice(known)
    if action == "change":
        some = {key: value for key, value in body.items() if random.random() < 0.6}
        answer = await api.http.patch(f"/v1/{name}/{id}", json=some)
    elif action in ("delete", "purge"):
        children = random.choice(["detach", "cascade"])
        purge = {"purge": "true"} if action == "purge" else {}
        answer = await api.http.delete(f"/v1/{name}/{id}", params={"on_children": children, **purge})
    elif action == "restore":
        answer = await api.http.post(f"/v1/{name}/{id}/restore")
    elif action == "batch":
        chosen = random.sample(known, min(len(known), 3))
        answer = await api.http.post(f"/v1/{name}/batch/update", json={"items": [{"id": one, **body} for one in chosen]})
    else:
        other = random.choice(known)
        answer = await api.http.post(f"/v1/{name}/merge", json={"winner_id": id, "loser_ids": [other]})
    assert answer.status_code < 500, f"{action} {name}: {answer.text}"


async def differences(api: Api) -> list[str]:
    """Live records whose stored values are not what they would be if they were worked out now."""
    found = []
    async with inside(api) as context:
        computations = context.registry.computations
        assert computations is not None
        for name in OBJECTS:
            resource = context.registry[name]
            shape = shape_of(context, resource)
            records = await api.all(f"/v1/{name}")
            rows = list((await lock(context, shape, [UUID(record["id"]) for record in records])).values())
            if not rows:
                continue
            own = computations.stored[name]
            drafts = [Draft(row["id"], "update", row, dict(row)) for row in rows]
            put(own, drafts, await values_of(context, shape, own, rows))
            for draft in drafts:
                assert draft.old is not None
                if draft.new["custom_fields"] != draft.old["custom_fields"]:
                    found.append(f"{name} {draft.id}: {draft.old['custom_fields']} is {draft.new['custom_fields']}")
    return found


@pytest.mark.parametrize("seed", range(2))
async def test_one_writer(org: Api, seed: int) -> None:
    await define(org)
    random = Random(seed)
    ids: dict[str, list[str]] = {name: [] for name in OBJECTS}
    for _ in range(50):
        await act(org, random, ids)
    assert not await differences(org)


async def test_many_writers(org: Api) -> None:
    await define(org)
    ids: dict[str, list[str]] = {name: [] for name in OBJECTS}
    for seed in range(12):
        await act(org, Random(seed), ids)

    async def worker(seed: int) -> None:
        random = Random(seed)
        for _ in range(12):
            await act(org, random, ids)

    await asyncio.gather(*(worker(100 + seed) for seed in range(5)))
    assert not await differences(org)
