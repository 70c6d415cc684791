"""The standard objects in an organisation as it is made, written to through the kernel."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from crm_api.core.clock import FixedClock
from crm_api.core.errors import Problem
from crm_api.db.engine import Database
from crm_api.db.uow import Actor
from crm_api.embedded import DatabaseUrls
from crm_api.flows.organizations import create_organization, system_context
from crm_api.kernel.context import Context
from crm_api.kernel.writer import Outcome, Patch, Target, WriteOptions, Writer

Record = dict[str, Any]
WRITER = Writer()


@pytest.fixture
async def database(urls: DatabaseUrls) -> AsyncIterator[Database]:
    database = Database(urls.database_url, pool_size=25, org_connections=25, wait_seconds=30)
    yield database
    await database.close()


@dataclass
class Crm:
    """One organisation; each call is a transaction of its own. Failing writes raise their problem."""

    database: Database
    org_id: UUID
    user_id: UUID
    clock: FixedClock

    @asynccontextmanager
    async def context(self) -> AsyncIterator[Context]:
        actor = Actor("user", self.user_id)
        async with system_context(self.database, self.org_id, self.clock, user_id=self.user_id, actor=actor) as context:
            yield context

    async def make(self, name: str, /, **body: Any) -> Record:
        """Creates one record."""
        async with self.context() as context:
            return read((await WRITER.create(context, context.registry[name], [body]))[0])

    async def make_many(self, name: str, bodies: list[dict[str, Any]], **options: Any) -> list[Outcome]:
        async with self.context() as context:
            return await WRITER.create(context, context.registry[name], bodies, options=WriteOptions(**options))

    async def change(self, record: Record, /, **body: Any) -> Record:
        """Merge-patches a record."""
        async with self.context() as context:
            return read((await WRITER.update(context, context.registry[record["object"]], [Patch(UUID(record["id"]), body)]))[0])

    async def delete(self, record: Record, *, state: dict[str, Any] | None = None, **options: Any) -> Record:
        async with self.context() as context:
            context.uow.state.update(state or {})
            targets = [Target(UUID(record["id"]))]
            return read((await WRITER.delete(context, context.registry[record["object"]], targets, options=WriteOptions(**options)))[0])

    async def restore(self, record: Record) -> Record:
        async with self.context() as context:
            return read((await WRITER.restore(context, context.registry[record["object"]], [Target(UUID(record["id"]))]))[0])

    async def all(self, name: str, **equal: Any) -> list[Record]:
        """Live rows as stored, by position or creation."""
        async with self.context() as context:
            table = context.registry[name].table
            await context.uow.begin()
            order = "position, id" if "position" in table.c else "id"
            query = f"SELECT * FROM {table.name} WHERE org_id = $1 AND deleted_at IS NULL ORDER BY {order}"
            rows = await context.uow.connection.driver.fetch(query, self.org_id)
        found = [{"object": name, **dict(row), "id": str(row["id"])} for row in rows]
        return [row for row in found if all(row[key] == value for key, value in equal.items())]

    async def get(self, record: Record) -> Record:
        """The present state of a record."""
        return next(row for row in await self.all(record["object"]) if row["id"] == record["id"])

    async def sql(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        async with self.context() as context:
            await context.uow.begin()
            rows: list[asyncpg.Record] = await context.uow.connection.driver.fetch(query, *arguments)
            return rows

    async def events(self, record: Record) -> list[dict[str, Any]]:
        rows = await self.sql(
            "SELECT type, changes FROM events WHERE org_id = $1 AND record_id = $2 ORDER BY id", self.org_id, UUID(record["id"])
        )
        return [{"type": row["type"], "changes": orjson.loads(row["changes"])} for row in rows]

    async def stages(self) -> dict[str, Record]:
        """The stages of the default pipeline by name."""
        [pipeline] = [row for row in await self.all("pipelines") if row["is_default"]]
        return {row["name"]: row for row in await self.all("stages") if str(row["pipeline_id"]) == pipeline["id"]}


def read(outcome: Outcome) -> Record:
    assert outcome.problem is None
    found: Record = orjson.loads(outcome.record)
    return found


def codes(problem: Problem) -> list[tuple[str | None, str]]:
    """Where and what is wrong."""
    return [(error.pointer, error.code) for error in problem.errors]


@pytest.fixture
async def crm(database: Database) -> Crm:
    clock = FixedClock(datetime(2026, 11, 22, 9, 0, tzinfo=UTC))
    made = await create_organization(
        database,
        name="Test",
        admin_email=f"{uuid4().hex}@acme.example",
        currency="EUR",
        region="DE",
        time_zone="Europe/Berlin",
        clock=clock,
    )
    clock.advance(timedelta(seconds=1))
    return Crm(database, UUID(made["org_id"]), UUID(made["user_id"]), clock)
