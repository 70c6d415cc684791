"""Saved views in lists, searches and bulk jobs; whose they are; what they name when fields go."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
import pytest

from crm_api.core.clock import SystemClock
from crm_api.db.statement import Statement
from crm_api.flows.organizations import system_context
from tests.api import Api, Record

pytestmark = pytest.mark.anyio

HOT_OR_BIG: list[dict[str, Any]] = [
    {"field": "employees", "op": "gte", "value": 100},
    {"field": "industry", "value": "robots"},
    {"field": "tags", "op": "any_of", "value": ["vip"]},
]


async def _accounts(api: Api) -> None:
    for name, employees, industry, tags in (
        ("A", 200, "robots", []), ("B", 200, "bread", []), ("C", 1, "robots", []), ("D", 1, "bread", ["vip"]), ("E", None, None, []),
    ):  # fmt: skip
        await api.make("accounts", name=name, employees=employees, industry=industry, tags=tags)


async def _view(api: Api, **more: Any) -> Record:
    return await api.make("views", **{"name": "Hot or big", "applies_to": "accounts", **more})


def _names(page: Any) -> list[str]:
    return [row["name"] for row in page["data"]]


async def test_a_view_applies_to_lists_and_searches(api: Api) -> None:
    await _accounts(api)
    view = await _view(api, criteria=HOT_OR_BIG, pattern="(1 and 2) or 3", columns=["name", "owner.name"], sort=["-name"])
    page = await api.ok("GET", "/v1/accounts", params={"view_id": view["id"]})
    assert _names(page) == ["D", "A"]
    assert set(page["data"][0]) == {"object", "id", "name", "owner"}
    found = await api.ok("POST", "/v1/accounts/search", json={"view_id": view["id"]})
    assert found["data"] == page["data"]


async def test_parameters_combine_with_a_view(api: Api) -> None:
    await _accounts(api)
    view = await _view(api, criteria=HOT_OR_BIG, pattern="1 or 2 or 3", sort=["-name"])
    assert _names(await api.ok("GET", "/v1/accounts", params={"view_id": view["id"]})) == ["D", "C", "B", "A"]
    params = {"view_id": view["id"], "industry": "robots", "sort": "name", "fields": "name,industry"}
    page = await api.ok("GET", "/v1/accounts", params=params)
    assert _names(page) == ["A", "C"]
    assert set(page["data"][0]) == {"object", "id", "name", "industry"}
    body = {"view_id": view["id"], "filter": {"field": "industry", "value": "bread"}, "sort": ["name"]}
    assert _names(await api.ok("POST", "/v1/accounts/search", json=body)) == ["B", "D"]


async def test_a_cursor_belongs_to_its_view(api: Api) -> None:
    await _accounts(api)
    view = await _view(api, criteria=HOT_OR_BIG, pattern="1 or 2 or 3", sort=["name"])
    seen, params = [], {"view_id": view["id"], "limit": "1"}
    while True:
        page = await api.ok("GET", "/v1/accounts", params=params)
        seen += _names(page)
        if page["page"]["next_cursor"] is None:
            break
        params["cursor"] = page["page"]["next_cursor"]
    assert seen == ["A", "B", "C", "D"]
    await api.fails("GET", "/v1/accounts", 400, "invalid_cursor", params={"cursor": params["cursor"]})
    await api.change(view, pattern="not 1 and not 2 and not 3")
    await api.fails("GET", "/v1/accounts", 400, "invalid_cursor", params=params)


async def test_a_changed_view_holds_at_once(api: Api) -> None:
    await _accounts(api)
    view = await _view(api, criteria=[{"field": "name", "value": "A"}])
    assert _names(await api.ok("GET", "/v1/accounts", params={"view_id": view["id"]})) == ["A"]
    await api.change(view, criteria=[{"field": "name", "value": "B"}])
    assert _names(await api.ok("GET", "/v1/accounts", params={"view_id": view["id"]})) == ["B"]


async def test_bulk_by_view(api: Api) -> None:
    await _accounts(api)
    view = await _view(api, criteria=[{"field": "industry", "value": "bread"}])
    body = {"view_id": view["id"], "action": "tag", "set": {"tags": ["x"]}, "dry_run": True}
    assert (await api.ok("POST", "/v1/accounts/bulk", json=body))["count"] == 2
    narrowed = {**body, "filter": {"field": "name", "value": "B"}}
    assert (await api.ok("POST", "/v1/accounts/bulk", json=narrowed))["count"] == 1
    problem = await api.fails("POST", "/v1/accounts/bulk", 422, "validation_failed", json={**body, "ids": [view["id"]]})
    assert problem["errors"][0]["pointer"] == "/ids"
    await api.fails("POST", "/v1/accounts/bulk", 422, "validation_failed", json={**body, "view_id": None})
    job = await api.ok("POST", "/v1/accounts/bulk", json={**body, "dry_run": False, "expect_count": 2}, status=202)
    assert job["request"]["view_id"] == view["id"]


async def test_wrong_views(api: Api) -> None:
    view = await _view(api)
    for value in ("nonsense", ""):
        problem = await api.fails("GET", "/v1/accounts", 400, "bad_request", params={"view_id": value})
        assert problem["errors"][0]["parameter"] == "view_id"
    problem = await api.fails("GET", "/v1/deals", 400, "bad_request", params={"view_id": view["id"]})
    assert problem["errors"][0]["code"] == "unknown_view"
    problem = await api.fails("POST", "/v1/accounts/search", 422, "validation_failed", json={"view_id": 7})
    assert problem["errors"][0]["pointer"] == "/view_id"
    await api.ok("DELETE", f"/v1/views/{view['id']}")
    await api.fails("GET", "/v1/accounts", 404, "not_found", params={"view_id": view["id"]})


async def test_a_private_view_is_its_owners(api: Api, colleague: Api) -> None:
    await _accounts(api)
    view = await _view(api, criteria=[{"field": "name", "value": "A"}])
    path = f"/v1/views/{view['id']}"
    await colleague.fails("GET", "/v1/accounts", 404, "not_found", params={"view_id": view["id"]})
    problem = await colleague.fails("POST", "/v1/accounts/search", 422, "validation_failed", json={"view_id": view["id"]})
    assert problem["errors"][0]["code"] == "not_found_reference"
    for method, at, body in (
        ("GET", path, None), ("PATCH", path, {}), ("PATCH", path, {"name": "Mine"}), ("DELETE", path, None),
        ("GET", f"{path}/history", None), ("PUT", f"{path}/tags/x", None), ("POST", f"{path}/transfer", {"to": str(colleague.user_id)}),
    ):  # fmt: skip
        await colleague.fails(method, at, 404, "not_found", **({} if body is None else {"json": body}))
    assert await colleague.all("/v1/views") == []
    assert (await colleague.ok("POST", "/v1/views/aggregate", json={}))["data"][0]["count"] == 0
    assert (await api.ok("POST", "/v1/views/aggregate", json={}))["data"][0]["count"] == 1
    await api.change(view, shared_with=[{"type": "user", "id": str(colleague.user_id)}])
    assert _names(await colleague.ok("GET", "/v1/accounts", params={"view_id": view["id"]})) == ["A"]
    await api.change(view, shared_with=[])
    await colleague.fails("GET", path, 404, "not_found")
    await api.change(view, visibility="shared")
    assert (await colleague.ok("GET", path))["id"] == view["id"]
    assert len(await colleague.all("/v1/views")) == 1


async def test_a_view_of_a_field_that_went_says_so(api: Api) -> None:
    view = await _view(api)
    # as if the field had been archived: what is stored names what the object no longer has
    gone = {"columns": ["name", "gone"], "criteria": [{"field": "gone", "value": "robots"}], "sort": ["-gone"]}
    names = tuple(gone)
    update = Statement(
        "UPDATE views SET columns = $1::jsonb, criteria = $2::jsonb, sort = $3::jsonb WHERE id = $4 AND org_id = $5",
        (*names, "id", "org_id"),
    )
    database = api.app.state.services.database
    async with system_context(database, api.org_id, SystemClock(), user_id=api.user_id) as context:
        values = {name: orjson.dumps(gone[name]).decode() for name in names}
        await context.uow.fetch(update, {**values, "id": UUID(view["id"]), "org_id": api.org_id})
    for method, path, more in (
        ("GET", "/v1/accounts", {"params": {"view_id": view["id"]}}),
        ("POST", "/v1/accounts/search", {"json": {"view_id": view["id"]}}),
    ):
        problem = await api.fails(method, path, 422, "validation_failed", **more)
        assert [error["pointer"] for error in problem["errors"]] == ["/columns/1", "/sort/0", "/criteria/0/field"]
        assert problem["errors"][0]["allowed"]
        assert "Hot or big" in problem["detail"]


async def test_views_need_their_scope(api: Api) -> None:
    view = await _view(api)
    narrow = await api.with_scopes("accounts:read")
    await narrow.fails("GET", "/v1/accounts", 403, "insufficient_scope", params={"view_id": view["id"]})
    wide = await api.with_scopes("accounts:read", "views:read")
    await wide.ok("GET", "/v1/accounts", params={"view_id": view["id"]})
    deep = await _view(api, criteria=[{"field": "deals", "any": {"field": "status", "value": "won"}}])
    problem = await wide.fails("GET", "/v1/accounts", 403, "insufficient_scope", params={"view_id": deep["id"]})
    assert problem["required_scopes"] == ["deals:read"]


async def test_custom_fields_in_views(api: Api) -> None:
    await api.ok("POST", "/v1/meta/accounts/fields", json={"api_name": "tier", "label": "Tier", "type": "text"}, status=201)
    await api.make("accounts", name="A", custom_fields={"tier": "gold"})
    await api.make("accounts", name="B", custom_fields={"tier": "silver"})
    view = await _view(api, criteria=[{"field": "custom_fields.tier", "value": "Gold"}], columns=["name", "custom_fields.tier"])
    page = await api.ok("GET", "/v1/accounts", params={"view_id": view["id"]})
    assert [(row["name"], row["custom_fields"]["tier"]) for row in page["data"]] == [("A", "gold")]
