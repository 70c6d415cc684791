"""At 30,000 rows, orders and filters by indexed custom fields read few rows: by PostgreSQL's own account of each statement."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import orjson
import pytest

from crm_api.db.statement import Statement
from crm_api.db.uow import Actor, unit_of_work
from crm_api.flows.organizations import SYSTEM_CLOCK
from crm_api.http.app import Application
from crm_api.kernel.context import Context
from crm_api.kernel.principal import OrganizationInfo, Principal
from crm_api.kernel.query.request import search_request
from crm_api.kernel.query.values import Locale
from crm_api.settings import Settings, driver_url
from tests.api import Api, new_organization
from tests.query.test_plans import _nodes, _rows

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

FILL = """
INSERT INTO contacts (org_id, id, version, created_at, updated_at, created_by, updated_by, display_name, display_name_key, kind,
                      last_name, last_name_key, custom_fields, custom_fields_key, slot_text_1, slot_number_1, slot_date_1)
SELECT $1, ('01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, 1, at, at, '{"type": "system"}',
       '{"type": "system"}', 'x', 'x', 'person', 'x', 'x', jsonb_build_object('code', 'c' || i, 'size', i % 997, 'day', day),
       jsonb_build_object('code', 'c' || i), 'c' || i, i % 997, day
  FROM generate_series(1, 30000) i,
       LATERAL (SELECT timestamptz '2026-01-01' + i * interval '1 second' AS at, date '2020-01-01' + (i % 2000) AS day) x
"""


@pytest.fixture(scope="module")
async def large(app: Application, settings: Settings) -> AsyncIterator[Api]:
    async with new_organization(app) as made:
        made.http.event_hooks = {"response": []}
        for name, kind in (("code", "text"), ("size", "integer"), ("day", "date")):
            await made.ok("POST", "/v1/meta/contacts/fields", json={"api_name": name, "type": kind, "indexed": True}, status=201)
        assert settings.database_owner_url is not None
        connection = await asyncpg.connect(driver_url(settings.database_owner_url))
        await connection.execute(f"SET app.org_id = '{made.org_id}'")
        await connection.execute(FILL.replace("$1", f"'{made.org_id}'::uuid"))
        await connection.execute("ANALYZE contacts")
        await connection.close()
        yield made


async def looked_at(api: Api, body: dict[str, Any], cursor: str | None = None) -> tuple[str | None, str | None, int]:
    """The cursors of the next and the previous page, and how many rows of contacts PostgreSQL looked at."""
    services = api.app.state.services
    version = (await api.ok("GET", "/v1/meta"))["schema_version"]
    organization = OrganizationInfo(api.org_id, "Large", "production", "USD", "UTC", "en", "US", version, 1, {})
    principal = Principal(organization, api.user_id, api.user_id, "test", frozenset({"admin"}), Actor("user", api.user_id))
    async with unit_of_work(services.database, api.org_id, SYSTEM_CLOCK) as uow:
        context: Context = await services.engine.context(principal, uow)
        resource = context.registry["contacts"]
        locale = Locale(uow.now, ZoneInfo("UTC"), "US")
        asked = {**body, **({"cursor": cursor} if cursor else {})}
        request = search_request(context.registry, resource, asked, locale)
        statement, values = services.engine.reader.prepared(context, resource, request)
        row = await uow.fetch_row(Statement(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement.sql}", statement.names), values)
        assert row is not None
        page = await services.engine.reader.page(context, resource, request)
    plan = orjson.loads(row[0])[0]["Plan"]
    return page.next_cursor, page.prev_cursor, sum(_rows(node) for node in _nodes(plan) if node.get("Relation Name") == "contacts")


@pytest.mark.parametrize("sort", [f"{sign}custom_fields.{name}" for name in ("code", "size", "day") for sign in ("", "-")])
async def test_every_order_walks_its_index(large: Api, sort: str) -> None:
    """Both ways and page by page; those without a value are not looked for while there are some with one."""
    body = {"sort": [sort], "limit": 50, "fields": []}
    cursor = previous = None
    for _ in range(3):
        cursor, previous, rows = await looked_at(large, body, cursor)
        assert rows <= 300
        assert cursor is not None
    _, _, rows = await looked_at(large, body, previous)
    assert rows <= 300


@pytest.mark.parametrize(
    ("tree", "sort", "bound"),
    [
        ({"field": "custom_fields.code", "value": "C777"}, None, 5),
        ({"field": "custom_fields.code", "op": "in", "value": ["c1", "c2", "c3"]}, None, 10),
        ({"field": "custom_fields.code", "op": "starts_with", "value": "c777"}, None, 60),
        ({"field": "custom_fields.size", "value": 500}, None, 200),
        ({"field": "custom_fields.size", "op": "gte", "value": 500}, "custom_fields.size", 300),
        ({"field": "custom_fields.size", "op": "lt", "value": 3}, None, 400),
        ({"field": "custom_fields.day", "op": "between", "value": ["2021-01-01", "2021-01-03"]}, None, 200),
        ({"field": "custom_fields.day", "op": "gt", "value": "2021-01-01"}, "-custom_fields.day", 300),
    ],
    ids=str,
)
async def test_a_filter_reads_about_what_it_finds(large: Api, tree: dict[str, Any], sort: str | None, bound: int) -> None:
    body = {"filter": tree, "limit": 50, "fields": [], **({"sort": [sort]} if sort else {})}
    _, _, rows = await looked_at(large, body)
    assert rows <= bound
