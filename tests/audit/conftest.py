"""Audit logs for tests: an organisation of one's own, looked at and spoilt as the role that owns the tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from crm_api.core.clock import FixedClock, SystemClock
from crm_api.core.ids import uuid7
from crm_api.core.signing import Signer
from crm_api.db.engine import Database
from crm_api.db.uow import Actor, Cause, Uow, unit_of_work
from crm_api.embedded import DatabaseUrls
from crm_api.flows import audit_checkpoints
from crm_api.flows.audit_checkpoints import Checkpoint
from crm_api.kernel import audit
from crm_api.kernel.audit_verify import Verdict, verify
from crm_api.settings import driver_url

CLOCK = SystemClock()
SIGNER = Signer([bytes(32)])


@dataclass
class Log:
    """One organisation's audit log."""

    database: Database
    owner: asyncpg.Connection
    org_id: UUID

    async def write(
        self, *actions: str, personal: Mapping[str, Any] | None = None, actor: Actor | None = None, ip: str | None = None
    ) -> None:
        """One transaction with these entries."""
        async with unit_of_work(self.database, self.org_id, CLOCK, cause=Cause(ip=ip, request_id="req_1")) as uow:
            for action in actions:
                audit.record(uow, action, object="things", record_id=self.org_id, details={"said": action}, personal=personal, actor=actor)

    async def verify(self, signer: Signer = SIGNER, **more: Any) -> Verdict:
        """What verifying finds, as the application's role."""
        async with unit_of_work(self.database, self.org_id, CLOCK, read_only=True) as uow:
            return await verify(uow, signer, **more)

    async def wrong(self, **more: Any) -> tuple[int, str] | None:
        """The first broken entry and why."""
        found = await self.verify(**more)
        assert found.json()["ok"] is (found.broken is None)
        return None if found.broken is None else (found.broken.seq, found.broken.reason)

    async def sign(self, signer: Signer = SIGNER) -> Checkpoint | None:
        """A checkpoint, if one is due."""
        async with unit_of_work(self.database, self.org_id, FixedClock(datetime(2026, 11, 22, tzinfo=UTC) + timedelta(hours=1))) as uow:
            return await audit_checkpoints.sign(uow, signer)

    async def rows(self) -> list[asyncpg.Record]:
        """The entries, oldest first."""
        async with self.owner.transaction():
            await self.owner.execute(f"SET LOCAL app.org_id = '{self.org_id}'")
            found: list[asyncpg.Record] = await self.owner.fetch("SELECT * FROM audit_log WHERE org_id = $1 ORDER BY seq", self.org_id)
            return found

    async def spoil(self, *statements: str) -> None:
        """Changes rows as whoever owns the tables could: with the fences down."""
        async with self.owner.transaction():
            await self.owner.execute(f"SET LOCAL app.org_id = '{self.org_id}'")
            for table in ("audit_log", "audit_heads", "audit_checkpoints"):
                await self.owner.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
            for statement in statements:
                await self.owner.execute(f"{statement} AND org_id = '{self.org_id}'")
            for table in ("audit_log", "audit_heads", "audit_checkpoints"):
                await self.owner.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")

    async def inside(self, work: Any) -> None:
        """Runs `work(uow)` in a transaction."""
        async with unit_of_work(self.database, self.org_id, CLOCK) as uow:
            assert isinstance(uow, Uow)
            await work(uow)


@pytest.fixture
async def log(urls: DatabaseUrls) -> AsyncIterator[Log]:
    """An empty log."""
    database = Database(urls.database_url, pool_size=30, org_connections=30, wait_seconds=30)
    owner = await asyncpg.connect(driver_url(urls.database_owner_url))
    yield Log(database, owner, uuid7(CLOCK))
    await owner.close()
    await database.close()
