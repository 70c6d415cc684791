"""At 200,000 rows, what is asked often reads few rows: counted from PostgreSQL's own account of each statement, not from clocks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import pytest

from crm_api.core.cursor import encode_cursor
from crm_api.core.errors import SortNotIndexed
from crm_api.db.statement import Statement
from crm_api.db.uow import Actor, unit_of_work
from crm_api.flows.organizations import SYSTEM_CLOCK
from crm_api.http.api import REGISTRY
from crm_api.http.app import Application
from crm_api.kernel.context import Context
from crm_api.kernel.principal import OrganizationInfo, Principal
from crm_api.kernel.query.request import ReadRequest, search_request
from crm_api.kernel.query.values import Locale
from crm_api.kernel.reader import CURSOR, Reader, ReadPage
from crm_api.settings import Settings
from tests.api import Api, new_organization
from tests.query.volume import account_id, fill

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
Body = dict[str, Any]


@dataclass
class Large:
    """A caller in an organisation with many records."""

    api: Api
    reader: Reader

    async def ask(self, name: str, body: Body, *, cursor: str | None = None) -> tuple[ReadPage, int, list[str]]:
        """A page, the rows that PostgreSQL looked at for it, and the tables it read as a whole."""
        resource = REGISTRY[name]
        async with unit_of_work(self.api.app.state.services.database, self.api.org_id, SYSTEM_CLOCK) as uow:
            context = Context(_principal(self.api.org_id, self.api.user_id), uow, REGISTRY, self.api.app.state.services.engine.statements)
            request = replace(_request(name, body), cursor=cursor)
            statement, values = self.reader.prepared(context, resource, request)
            row = await uow.fetch_row(Statement(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement.sql}", statement.names), values)
            assert row is not None
            page = await self.reader.page(context, resource, request)
        scans = [node for node in _nodes(orjson.loads(row[0])[0]["Plan"]) if "Relation Name" in node]
        looked_at = sum(_rows(node) for node in scans)
        return page, looked_at, [node["Relation Name"] for node in scans if node["Node Type"] == "Seq Scan" and _rows(node) > 1_000]


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _rows(node: dict[str, Any]) -> int:
    filtered = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return int((node["Actual Rows"] + filtered) * node["Actual Loops"])


def _principal(org_id: UUID, user_id: UUID) -> Principal:
    organization = OrganizationInfo(org_id, "Large", "production", "USD", "UTC", "en", "US", 1, 1, {})
    return Principal(organization, user_id, user_id, "test", frozenset({"admin"}), Actor("user", user_id))


def _request(name: str, body: Body) -> ReadRequest:
    return search_request(REGISTRY, REGISTRY[name], body, Locale(datetime.now(UTC), ZoneInfo("UTC"), "US"))


@pytest.fixture(scope="module")
async def large(app: Application, settings: Settings) -> AsyncIterator[Large]:
    async with new_organization(app) as api:
        assert settings.database_owner_url is not None
        await fill(settings.database_owner_url, api.org_id)
        yield Large(api, app.state.services.engine.reader)


ORDERS = [
    *(("contacts", order) for order in ("created_at", "updated_at", "id", "first_name", "last_name", "email", "account_id", "owner_id")),
    *(("accounts", order) for order in ("created_at", "name", "domain", "industry", "employees", "annual_revenue", "parent_id")),
    ("contacts", "created_at,last_name"),
]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(("name", "order"), ORDERS)
async def test_every_offered_order_walks_its_index(large: Large, name: str, order: str, descending: bool) -> None:
    sort = [f"-{key}" if descending else key for key in order.split(",")]
    body: Body = {"sort": sort, "limit": 50, "fields": []}
    cursor = None
    for _ in range(3):
        page, rows, scans = await large.ask(name, body, cursor=cursor)
        assert (rows <= 1_000, scans) == (True, []), f"{rows} rows, {scans}"
        cursor = page.next_cursor
        assert cursor is not None
    _, rows, scans = await large.ask(name, body, cursor=page.prev_cursor)
    assert (rows <= 1_000, scans) == (True, [])


DEEP: list[tuple[str, str, list[Any]]] = [
    ("contacts", "last_name", ["namef0", "nameffffffff", None]),
    ("contacts", "-last_name", ["name00", None]),
    ("contacts", "-created_at", [datetime(2026, 1, 2, 6, tzinfo=UTC)]),
    ("accounts", "-annual_revenue", [Decimal(3000), Decimal(0), None]),
]


@pytest.mark.parametrize(("name", "sort", "starts"), DEEP)
async def test_a_deep_page_costs_what_the_first_does(large: Large, name: str, sort: str, starts: list[Any]) -> None:
    """Somewhere in the middle, after the last record with a value, and among those without."""
    body: Body = {"sort": [sort], "fields": []}
    request = _request(name, body)
    key = large.api.app.state.services.engine.cursor_key + large.api.org_id.bytes
    for start in starts:
        for backwards in (False, True):
            last = UUID("01900000-0000-7000-8000-00000002fff0")
            cursor = encode_cursor(key, CURSOR, request.digest, [backwards, None, None, start, last])
            _, rows, scans = await large.ask(name, body, cursor=cursor)
            assert (rows <= 1_000, scans) == (True, []), f"{start}, backwards {backwards}: {rows} rows, {scans}"


FILTERS: list[tuple[str, Body, int]] = [
    ("contacts", {}, 100),
    ("contacts", {"filter": {"field": "email", "value": "P777@x77.example"}}, 10),
    ("contacts", {"filter": {"field": "email", "op": "in", "value": ["p777@x77.example", "p9@x9.example"]}}, 10),
    ("contacts", {"filter": {"field": "email", "op": "starts_with", "value": "p7777"}}, 50),
    ("contacts", {"filter": {"field": "last_name", "op": "starts_with", "value": "Name00a"}}, 400),
    ("contacts", {"filter": {"field": "email", "op": "contains", "value": "p77712@"}}, 50),
    ("contacts", {"filter": {"field": "last_name", "op": "contains", "value": "8DD2C"}}, 1_500),
    ("contacts", {"filter": {"field": "created_at", "op": "lt", "value": "2026-01-01T01:00:00Z"}}, 200),
    ("contacts", {"filter": {"field": "created_at", "op": "between", "value": ["2026-01-02T01:00:00Z", "2026-01-02T02:00:00Z"]}}, 200),
    ("contacts", {"filter": {"field": "account_id", "value": account_id(16)}}, 50),
    ("contacts", {"filter": {"field": "account_id", "value": account_id(16)}, "sort": ["title"]}, 50),
    ("contacts", {"filter": {"field": "tags", "op": "any_of", "value": ["vip"]}}, 2_000),
    ("contacts", {"filter": {"field": "external_ids.erp", "value": "nothing"}}, 500),
    ("contacts", {"filter": {"field": "account.name", "value": "Account 77"}}, 50),
    ("contacts", {"filter": {"field": "account.industry", "value": "saas"}}, 2_000),
    ("contacts", {"filter": {"field": "account.contacts.email", "value": "p777@x77.example"}}, 100),
    ("accounts", {"filter": {"field": "annual_revenue", "op": "gte", "value": "7490"}}, 500),
    ("accounts", {"filter": {"field": "annual_revenue", "op": "gte", "value": "7490"}, "sort": ["-annual_revenue"]}, 500),
    ("accounts", {"filter": {"field": "employees", "op": "lt", "value": 2}}, 500),
    ("accounts", {"filter": {"field": "contacts", "any": {"field": "email", "value": "p777@x77.example"}}}, 50),
    ("accounts", {"filter": {"field": "contacts.email", "value": "p777@x77.example"}}, 50),
    ("contacts", {"q": "p77712"}, 50),
    ("contacts", {"q": "edsger head p100"}, 6_000),
    ("contacts", {"q": "grace"}, 12_000),
    ("contacts", {"q": "nobody"}, 10),
    ("accounts", {"expand": {"contacts": {"limit": 5}}}, 1_000),
    ("contacts", {"expand": {"account": {"expand": {"contacts": {"limit": 2}}}}}, 2_000),
    ("contacts", {"count": "estimate"}, 11_000),
]


@pytest.mark.parametrize(("name", "body", "bound"), FILTERS, ids=lambda part: str(part)[:60])
async def test_a_filter_reads_about_what_it_finds(large: Large, name: str, body: Body, bound: int) -> None:
    page, rows, scans = await large.ask(name, {"fields": [], **body})
    assert (rows <= bound, scans) == (True, []), f"{rows} rows, {scans}"
    assert bool(page.data) == ("nobody" not in str(body) and "nothing" not in str(body))


async def test_single_records_are_read_by_key(large: Large) -> None:
    """Including what is brought along."""
    resource = REGISTRY["contacts"]
    statements: list[str] = []
    database = large.api.app.state.services.database
    database.observers.append(statements.append)
    try:
        await large.api.ok("GET", f"/v1/contacts/01900000-0000-7000-8000-{777:012x}", params={"expand": "account"})
    finally:
        database.observers.remove(statements.append)
    (sql,) = [sql for sql in statements if resource.table.name in sql and sql.startswith("SELECT")]
    async with unit_of_work(database, large.api.org_id, SYSTEM_CLOCK) as uow:
        await uow.begin()
        row = await uow.connection.driver.fetchrow(
            f"EXPLAIN (FORMAT JSON) {sql}", large.api.org_id, *([UUID(int=1)] if "ANY" not in sql.upper() else [[UUID(int=1)]])
        )
    assert row is not None
    assert {node["Node Type"] for node in _nodes(orjson.loads(row[0])[0]["Plan"]) if "Relation Name" in node} <= {
        "Index Scan",
        "Index Only Scan",
    }


async def test_an_order_without_an_index_needs_a_narrow_filter(large: Large) -> None:
    for sort in (["title"], ["rating"], ["lifecycle_stage"], ["last_name", "first_name"], ["-first_name", "email"]):
        with pytest.raises(SortNotIndexed) as caught:
            await large.ask("contacts", {"sort": sort})
        (error,) = caught.value.errors
        assert error.pointer == "/sort"
        assert {"created_at", "last_name", "email", "account_id"} <= set(error.allowed or ())
        assert not {"title", "rating", "lifecycle_stage"} & set(error.allowed or ())
    await large.api.fails("GET", "/v1/contacts?sort=title", 422, "sort_not_indexed")
    await large.api.ok("GET", f"/v1/contacts?sort=title&account_id={account_id(5)}")
    await large.api.ok("GET", "/v1/contacts?sort=rating,title&email=p777@x77.example")


async def test_a_broad_text_search_ranks_the_newest(large: Large) -> None:
    page = await large.api.ok("GET", "/v1/contacts", params={"q": "grace", "limit": 200, "fields": "first_name,created_at"})
    assert page["page"]["too_broad"] is True
    newest = (await large.api.ok("GET", "/v1/contacts", params={"first_name": "grace", "limit": 1, "fields": "created_at"}))["data"][0][
        "created_at"
    ]
    assert max(record["created_at"] for record in page["data"]) <= newest
    narrow = await large.api.ok("GET", "/v1/contacts", params={"q": "p77712"})
    assert "too_broad" not in narrow["page"]
    assert len(narrow["data"]) == 1
