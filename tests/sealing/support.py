"""Connections with secrets, and what the database holds of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg

from crm_api.core.sealed import Keyring
from crm_api.db.engine import Database
from crm_api.embedded import DatabaseUrls
from crm_api.flows.connections import credentials
from crm_api.flows.organizations import system_context
from crm_api.kernel.context import Context
from crm_api.settings import driver_url
from tests.api import Api, Record

BODY = {"provider": "example_shop", "type": "api_key", "base_url": "https://api.shop.example/v2"}


def key_of(record: Record) -> str:
    """The secret of a connection in these tests."""
    return f"k-marker-{record['id']}"


async def connected(api: Api, count: int) -> list[Record]:
    """Connections, each with its secret."""
    made: list[Record] = []
    for start in range(0, count, 200):
        items = [{"name": f"Shop {number}", **BODY} for number in range(start, min(start + 200, count))]
        answer = await api.ok("POST", "/v1/connections/batch/create", json={"items": items}, status=207)
        made += [result["record"] for result in answer["results"]]
    for record in made:
        await api.ok("PUT", f"/v1/connections/{record['id']}/secret", json={"api_key": key_of(record)})
    return made


@asynccontextmanager
async def context_with(database: Database, api: Api, keys: Keyring) -> AsyncIterator[Context]:
    """A transaction of the organisation with these keys."""
    async with system_context(database, api.org_id, user_id=api.user_id) as context:
        yield replace(context, keys=keys)


async def revealed(database: Database, api: Api, record: Record, keys: Keyring) -> str:
    """A connection's secret, as an integration would get it."""
    async with context_with(database, api, keys) as context:
        return (await credentials(context, UUID(record["id"]), purpose="test")).secret["api_key"]


@asynccontextmanager
async def superuser(urls: DatabaseUrls, admin_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A connection to the test's database that no row-level security binds."""
    connection = await asyncpg.connect(driver_url(admin_url), database=urlsplit(urls.database_url).path.strip("/"))
    try:
        yield connection
    finally:
        await connection.close()
