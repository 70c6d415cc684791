"""Regular cleaning: what has outlived its use is removed, and partitions for the coming days are made.

Each sweep may run at any time, twice, or in two processes at once, and stops in the middle without harm.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from crm_api.core.clock import Clock
from crm_api.core.ids import uuid7_floor
from crm_api.core.signing import Signer
from crm_api.db.engine import Database
from crm_api.db.partitions import maintain
from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work
from crm_api.flows import audit_checkpoints
from crm_api.flows.event_tickets import clean_tickets
from crm_api.flows.oauth import cleaning
from crm_api.jobs.people import forget_expired

IDEMPOTENCY: Final = timedelta(hours=24)
JOURNAL: Final = timedelta(days=37)
ATTEMPTS: Final = timedelta(days=32)
CHUNK: Final = 5_000
"""Rows removed in one transaction, so that a sweep never holds up anybody for long."""

_PAGE: Final = 500

log = structlog.get_logger("crm_api.sweeps")


@dataclass(frozen=True, slots=True)
class Jobs:
    """What sweeps work with. `owner_url` (`postgresql://`) is None where the worker may not change the schema.

    `data_dir` holds the files that jobs made. `signer` signs how far audit logs go; without one nothing is signed.
    """

    database: Database
    clock: Clock
    owner_url: str | None = None
    data_dir: Path = Path(".crm")
    signer: Signer | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep and how often it runs."""

    name: str
    every: timedelta
    run: Callable[[Jobs], Awaitable[None]]


_ORGANIZATIONS: Final = Statement("SELECT id FROM organizations WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2", ("after", "limit"))

_KEYS: Final = Statement(
    """
    WITH old AS (SELECT principal_id, key FROM idempotency_keys WHERE org_id = $1 AND created_at < $2 LIMIT $3),
         gone AS (DELETE FROM idempotency_keys k USING old
                   WHERE k.org_id = $1 AND k.principal_id = old.principal_id AND k.key = old.key RETURNING 1)
    SELECT count(*) FROM gone
    """,
    ("org_id", "before", "limit"),
)

# Expired days are dropped as whole partitions; these find what lies in the DEFAULT partitions, or in all where the worker has
# no owner's address.
_JOURNAL: Final = Statement(
    """
    WITH old AS (SELECT seq, event_id FROM journal WHERE org_id = $1 AND event_id < $2 LIMIT $3),
         gone AS (DELETE FROM journal j USING old WHERE j.org_id = $1 AND j.seq = old.seq AND j.event_id = old.event_id RETURNING 1)
    SELECT count(*) FROM gone
    """,
    ("org_id", "before", "limit"),
)
_SNAPSHOTS: Final = Statement(
    """
    WITH old AS (SELECT event_id FROM event_snapshots WHERE org_id = $1 AND event_id < $2 LIMIT $3),
         gone AS (DELETE FROM event_snapshots s USING old WHERE s.org_id = $1 AND s.event_id = old.event_id RETURNING 1)
    SELECT count(*) FROM gone
    """,
    ("org_id", "before", "limit"),
)

_DELIVERIES: Final = Statement(
    """
    WITH old AS (SELECT id FROM webhook_deliveries WHERE org_id = $1 AND id < $2 LIMIT $3),
         gone AS (DELETE FROM webhook_deliveries d USING old WHERE d.org_id = $1 AND d.id = old.id AND d.id < $2 RETURNING 1)
    SELECT count(*) FROM gone
    """,
    ("org_id", "before", "limit"),
)
_ATTEMPTS: Final = Statement(
    """
    WITH old AS (SELECT id FROM webhook_attempts WHERE org_id = $1 AND id < $2 LIMIT $3),
         gone AS (DELETE FROM webhook_attempts a USING old WHERE a.org_id = $1 AND a.id = old.id AND a.id < $2 RETURNING 1)
    SELECT count(*) FROM gone
    """,
    ("org_id", "before", "limit"),
)
_QUEUE: Final = Statement(
    """
    WITH old AS (SELECT id FROM webhook_queue WHERE org_id = $1 AND id < $2 LIMIT $3),
         gone AS (DELETE FROM webhook_queue q USING old WHERE q.org_id = $1 AND q.id = old.id RETURNING 1)
    SELECT count(*) FROM gone
    """,
    ("org_id", "before", "limit"),
)
"""What an endpoint that was paused all the time never got: its events can't be read any more."""


async def organizations(jobs: Jobs) -> AsyncIterator[UUID]:
    """Every organisation, a page of them at a time."""
    after: UUID | None = None
    while True:
        async with jobs.database.connection() as connection:
            page = [row["id"] for row in await connection.fetch(_ORGANIZATIONS, {"after": after, "limit": _PAGE})]
        for org_id in page:
            yield org_id
        if len(page) < _PAGE:
            return
        after = page[-1]


async def expire_rows(jobs: Jobs) -> None:
    """Removes answers kept for repeated requests after a day, and what is kept of events and deliveries past its time."""
    now = jobs.clock.now()
    journal, attempts = uuid7_floor(now - JOURNAL), uuid7_floor(now - ATTEMPTS)
    of_events = [(statement, journal) for statement in (_JOURNAL, _SNAPSHOTS, _QUEUE, _DELIVERIES)]
    async for org_id in organizations(jobs):
        for statement, before in ((_KEYS, now - IDEMPOTENCY), *of_events, (_ATTEMPTS, attempts)):
            removed = CHUNK
            while removed == CHUNK:
                async with unit_of_work(jobs.database, org_id, jobs.clock) as uow:
                    removed = await uow.fetch_value(statement, {"org_id": org_id, "before": before, "limit": CHUNK})


async def clean_oauth(jobs: Jobs) -> None:
    """Removes codes, tokens and grants of OAuth, and tickets to the stream, that nobody can use any more."""
    await cleaning.clean_codes(jobs.database, jobs.clock)
    await clean_tickets(jobs.database, jobs.clock)
    async for org_id in organizations(jobs):
        await cleaning.clean_organization(jobs.database, jobs.clock, org_id)


async def keep_partitions(jobs: Jobs) -> None:
    """Makes the coming days' partitions and drops the expired ones, as the tables' owner."""
    if jobs.owner_url is None:
        log.info("partitions_not_kept", reason="DATABASE_OWNER_URL is not set; new rows go to the DEFAULT partitions")
        return
    connection = await asyncpg.connect(jobs.owner_url)
    try:
        await maintain(connection, jobs.clock.now(), report=lambda what: log.info("partitions", what=what))
    finally:
        await connection.close()


async def sign_audit_logs(jobs: Jobs) -> None:
    """Signs how far each organisation's audit log goes, where it has grown."""
    if jobs.signer is None:
        return
    async for org_id in organizations(jobs):
        async with unit_of_work(jobs.database, org_id, jobs.clock) as uow:
            await audit_checkpoints.sign(uow, jobs.signer)


SWEEPS: Final = (
    Sweep("forget_expired", timedelta(hours=1), forget_expired),
    Sweep("keep_partitions", timedelta(hours=6), keep_partitions),
    Sweep("expire_rows", timedelta(hours=1), expire_rows),
    Sweep("clean_oauth", timedelta(hours=1), clean_oauth),
    Sweep("sign_audit_logs", timedelta(hours=1), sign_audit_logs),
)
