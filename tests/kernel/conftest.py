"""A migrated database for the kernel's tests, and an organisation with two members for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest

from crm_api.core.clock import SystemClock
from crm_api.core.ids import uuid7
from crm_api.db.engine import Database
from crm_api.db.statement import StatementCache
from crm_api.db.uow import Actor, unit_of_work
from crm_api.embedded import DatabaseUrls
from crm_api.kernel.context import Context
from crm_api.kernel.principal import OrganizationInfo, Principal
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.writer import Outcome, Patch, Target, WriteOptions, Writer
from tests.databases import migrated, server
from tests.kernel.objects import REGISTRY

CLOCK = SystemClock()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def urls() -> Iterator[DatabaseUrls]:
    with server() as admin_url, migrated(admin_url) as found:
        yield found


@pytest.fixture
async def database(urls: DatabaseUrls) -> AsyncIterator[Database]:
    database = Database(urls.database_url, pool_size=20, org_connections=20, wait_seconds=30)
    yield database
    await database.close()


STATEMENTS = StatementCache()

WRITER = Writer()


@dataclass
class Org:
    """An organisation under test; each call is a transaction of its own."""

    database: Database
    principal: Principal

    @property
    def id(self) -> UUID:
        return self.principal.org_id

    @asynccontextmanager
    async def context(self, **more: Any) -> AsyncIterator[Context]:
        async with unit_of_work(self.database, self.id, CLOCK, actor=self.principal.actor, **more) as uow:
            yield Context(self.principal, uow, REGISTRY, STATEMENTS)

    async def create(self, name: str, *bodies: dict[str, Any], **options: Any) -> list[Outcome]:
        async with self.context() as context:
            return await WRITER.create(context, REGISTRY[name], bodies, options=WriteOptions(**options))

    async def make(self, name: str, /, **body: Any) -> dict[str, Any]:
        """Creates one record and gives it as its JSON."""
        return read(*await self.create(name, body))

    async def update(self, name: str, id: str | UUID, body: dict[str, Any], *, if_match: int | None = None, **options: Any) -> Outcome:
        async with self.context() as context:
            patch = Patch(UUID(str(id)), body, if_match)
            return (await WRITER.update(context, REGISTRY[name], [patch], options=WriteOptions(**options)))[0]

    async def delete(self, name: str, *ids: str | UUID, **options: Any) -> list[Outcome]:
        async with self.context() as context:
            targets = [Target(UUID(str(id))) for id in ids]
            return await WRITER.delete(context, REGISTRY[name], targets, options=WriteOptions(**options))

    async def restore(self, name: str, *ids: str | UUID, **options: Any) -> list[Outcome]:
        async with self.context() as context:
            targets = [Target(UUID(str(id))) for id in ids]
            return await WRITER.restore(context, REGISTRY[name], targets, options=WriteOptions(**options))

    async def upsert(self, name: str, by: str, *bodies: dict[str, Any], values: list[str] | None = None, **options: Any) -> list[Outcome]:
        async with self.context() as context:
            return await WRITER.upsert(context, REGISTRY[name], by, bodies, values=values, options=WriteOptions(**options))

    async def sql(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """Rows of a query over this organisation."""
        async with self.context() as context:
            await context.uow.begin()
            found: list[asyncpg.Record] = await context.uow.connection.driver.fetch(query, *arguments)
            return found

    async def events(self, id: str | UUID | None = None) -> list[dict[str, Any]]:
        """The events of a record (or all), oldest first."""
        found = await self.sql(
            "SELECT * FROM events WHERE org_id = $1 AND ($2::uuid IS NULL OR record_id = $2) ORDER BY id",
            self.id,
            id and UUID(str(id)),
        )
        structured = ("actor", "cause", "changes", "visibility", "related")
        return [{key: orjson.loads(value) if key in structured else value for key, value in row.items()} for row in found]


def read(outcome: Outcome) -> dict[str, Any]:
    """An outcome's record."""
    assert outcome.problem is None, outcome.problem.to_dict()
    found: dict[str, Any] = orjson.loads(outcome.record)
    return found


def resource(name: str) -> AnyResource:
    return REGISTRY[name]


def principal(org_id: UUID, user_id: UUID, *scopes: str) -> Principal:
    organization = OrganizationInfo(org_id, "Test", "production", "EUR", "Europe/Berlin", "en", "DE", 1, 1, {})
    token_id = uuid7(CLOCK)
    return Principal(organization, user_id, token_id, "test", frozenset(scopes or ("admin",)), Actor("user", user_id))


MakeOrg = Callable[[], AbstractAsyncContextManager[Org]]


async def new_org(database: Database, *scopes: str) -> Org:
    org_id, user_id = uuid7(CLOCK), uuid7(CLOCK)
    org = Org(database, principal(org_id, user_id, *scopes))
    await add_member(org, user_id, "active")
    return org


async def add_member(org: Org, user_id: UUID, status: str) -> None:
    await org.sql(
        "INSERT INTO profiles (org_id, id, version, created_at, updated_at, created_by, updated_by, name, name_key)"
        " VALUES ($1, $1, 1, now(), now(), '{}', '{}', 'Standard', 'standard') ON CONFLICT DO NOTHING",
        org.id,
    )
    await org.sql(
        "INSERT INTO members (org_id, id, version, created_at, updated_at, created_by, updated_by, name, status, profile_id)"
        " VALUES ($1, $2, 1, now(), now(), '{}', '{}', 'Ada', $3, $1)",
        org.id,
        user_id,
        status,
    )


@pytest.fixture
async def org(database: Database) -> Org:
    return await new_org(database)


@pytest.fixture
async def other(database: Database) -> Org:
    """Another tenant."""
    return await new_org(database)
