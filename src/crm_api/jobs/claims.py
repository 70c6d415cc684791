"""What a worker does with a job in the database: take it, keep it, move it on, end it.

A job belongs to the worker that took it last. Taking it raises its `attempt`, and every later write of an earlier taker
finds another number and stops, so a worker that was cut off (or only thought dead) changes nothing any more. Leases are
measured with PostgreSQL's clock, never with that of a worker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from crm_api.core.json import dumps
from crm_api.db.engine import Connection
from crm_api.db.statement import Statement
from crm_api.db.uow import Actor, Uow
from crm_api.jobs.expiry import FORGET
from crm_api.jobs.store import KEPT, Status, announce
from crm_api.kernel.context import Context
from crm_api.kernel.timers import set_timers

LEASE_S: Final = 15
HEARTBEAT_S: Final = 3
MAX_TRIES: Final = 5
"""Attempts without any progress before a job is given up."""


class Fenced(Exception):
    """The job is no longer this worker's: another took it over, or it was cancelled."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job as the worker that took it knows it."""

    org_id: UUID
    id: UUID
    type: str
    request: Mapping[str, Any]
    principal: Mapping[str, Any]
    actor: Actor
    attempt: int
    tries: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a job has come; read under its lock."""

    position: int
    done: int
    failed: int
    total: int | None
    result: dict[str, Any]


# One of the few statements that look across organisations. How many jobs each has does not matter here.
_DUE: Final = Statement("SELECT org_id FROM job_due WHERE due_at <= now() GROUP BY org_id ORDER BY min(due_at)", ())
_PICK: Final = Statement(
    "SELECT job_id FROM job_due WHERE org_id = $1 AND due_at <= now() ORDER BY due_at, job_id LIMIT 1 FOR UPDATE SKIP LOCKED", ("org_id",)
)
_TAKE: Final = Statement(
    "UPDATE jobs SET status = 'running', attempt = attempt + 1, tries = tries + 1, started_at = coalesce(started_at, $3)"
    " WHERE org_id = $1 AND id = $2 AND status IN ('queued', 'running')"
    " RETURNING id, type, request, principal, created_by, attempt, tries",
    ("org_id", "id", "now"),
)
_LEASE: Final = Statement(
    "UPDATE job_due SET attempt = $3, due_at = now() + make_interval(secs => $4) WHERE org_id = $1 AND job_id = $2",
    ("org_id", "id", "attempt", "seconds"),
)
_RENEW: Final = Statement(
    "UPDATE job_due SET due_at = now() + make_interval(secs => $4) WHERE org_id = $1 AND job_id = $2 AND attempt = $3 RETURNING 1",
    ("org_id", "id", "attempt", "seconds"),
)
_DROP: Final = Statement("DELETE FROM job_due WHERE org_id = $1 AND job_id = $2 AND attempt = $3 RETURNING 1", ("org_id", "id", "attempt"))
_ORPHAN: Final = Statement("DELETE FROM job_due WHERE org_id = $1 AND job_id = $2", ("org_id", "id"))
_STANDING: Final = Statement(
    "SELECT position, done, failed, total, result FROM jobs"
    " WHERE org_id = $1 AND id = $2 AND attempt = $3 AND status = 'running' FOR NO KEY UPDATE",
    ("org_id", "id", "attempt"),
)
_CHUNK: Final = Statement("SELECT ids FROM job_chunks WHERE org_id = $1 AND job_id = $2 AND position = $3", ("org_id", "id", "position"))
_ADVANCE: Final = Statement(
    "UPDATE jobs SET position = $4, done = $5, failed = $6, result = $7::jsonb, tries = 0 WHERE org_id = $1 AND id = $2 AND attempt = $3",
    ("org_id", "id", "attempt", "position", "done", "failed", "result"),
)
_NOTE: Final = Statement(
    "UPDATE jobs SET done = $4, result = $5::jsonb WHERE org_id = $1 AND id = $2 AND attempt = $3",
    ("org_id", "id", "attempt", "done", "result"),
)
_PROGRESS: Final = Statement(
    "UPDATE jobs SET done = $4, total = $5 WHERE org_id = $1 AND id = $2 AND attempt = $3 AND status = 'running' RETURNING 1",
    ("org_id", "id", "attempt", "done", "total"),
)
_ERRORS: Final = Statement(
    "INSERT INTO job_errors (org_id, job_id, position, record_id, error)"
    " SELECT $1, $2, e.position, e.record_id, e.error"
    " FROM jsonb_to_recordset($3::jsonb) AS e (position int, record_id uuid, error jsonb)",
    ("org_id", "id", "errors"),
)
_FINISH: Final = Statement(
    "UPDATE jobs SET status = $4, done = $5, failed = $6, total = $7, result = $8::jsonb, finished_at = $9, expires_at = $10"
    " WHERE org_id = $1 AND id = $2 AND attempt = $3 AND status = 'running' RETURNING 1",
    ("org_id", "id", "attempt", "status", "done", "failed", "total", "result", "now", "expires_at"),
)
_DROP_CHUNKS: Final = Statement("DELETE FROM job_chunks WHERE org_id = $1 AND job_id = $2", ("org_id", "id"))


async def organizations_due(connection: Connection) -> list[UUID]:
    """The organisations with a job that nobody works on, those that have waited longest first."""
    return [row["org_id"] for row in await connection.fetch(_DUE, {})]


async def claim(uow: Uow) -> Claimed | None:
    """Takes the organisation's next due job; None if there is none, or if others are just taking what there is."""
    job_id: UUID | None = await uow.fetch_value(_PICK, {"org_id": uow.org_id})
    if job_id is None:
        return None
    values = {"org_id": uow.org_id, "id": job_id}
    row = await uow.fetch_row(_TAKE, {**values, "now": uow.now})
    if row is None:  # it has ended, or is gone
        await uow.fetch(_ORPHAN, values)
        return None
    await uow.fetch(_LEASE, {**values, "attempt": row["attempt"], "seconds": LEASE_S})
    actor = orjson.loads(row["created_by"])
    return Claimed(
        uow.org_id,
        job_id,
        row["type"],
        orjson.loads(row["request"]),
        orjson.loads(row["principal"]),
        Actor(actor["type"], None if actor["id"] is None else UUID(actor["id"])),
        row["attempt"],
        row["tries"],
    )


def _of(job: Claimed) -> dict[str, Any]:
    return {"org_id": job.org_id, "id": job.id, "attempt": job.attempt}


async def renew(uow: Uow, job: Claimed, *, seconds: float = LEASE_S) -> None:
    """Keeps a job for another `seconds`; with a small number it is given back. Raises Fenced."""
    if await uow.fetch_row(_RENEW, {**_of(job), "seconds": seconds}) is None:
        raise Fenced


async def standing(uow: Uow, job: Claimed) -> Standing:
    """Locks the job until the transaction ends, so that nobody takes it over or cancels it meanwhile. Raises Fenced."""
    row = await uow.fetch_row(_STANDING, _of(job))
    if row is None:
        raise Fenced
    result = {} if row["result"] is None else orjson.loads(row["result"])
    return Standing(row["position"], row["done"], row["failed"], row["total"], result)


async def chunk(uow: Uow, job: Claimed, position: int) -> list[UUID] | None:
    """The records of one chunk; None behind the last."""
    found: list[UUID] | None = await uow.fetch_value(_CHUNK, {**_of(job), "position": position})
    return found


async def advance(uow: Uow, job: Claimed, after: Standing, errors: Sequence[Mapping[str, Any]]) -> None:
    """Notes that a chunk is done, in the transaction that did it."""
    if errors:
        await uow.fetch(_ERRORS, {**_of(job), "errors": dumps(errors).decode()})
    values = {"position": after.position, "done": after.done, "failed": after.failed, "result": dumps(after.result).decode()}
    await uow.fetch(_ADVANCE, {**_of(job), **values})


async def note(uow: Uow, job: Claimed, after: Standing) -> None:
    """Keeps how a job stands without saying that it has come further: one that fails there again and again is given up."""
    await uow.fetch(_NOTE, {**_of(job), "done": after.done, "result": dumps(after.result).decode()})


async def report(uow: Uow, job: Claimed, done: int, total: int | None) -> None:
    """Shows how far a job without chunks has come. Raises Fenced."""
    if await uow.fetch_row(_PROGRESS, {**_of(job), "done": done, "total": total}) is None:
        raise Fenced


async def finish(context: Context, job: Claimed, status: Status, after: Standing) -> None:
    """Ends a job, with its event. Raises Fenced."""
    uow = context.uow
    # First the lease, then the job: in the order in which everybody locks them.
    if await uow.fetch_row(_DROP, _of(job)) is None:
        raise Fenced
    expires_at = uow.now + KEPT
    values = {
        "status": status,
        "done": after.done,
        "failed": after.failed,
        "total": after.total,
        "result": dumps(after.result).decode(),
        "now": uow.now,
        "expires_at": expires_at,
    }
    if await uow.fetch_row(_FINISH, {**_of(job), **values}) is None:
        raise Fenced
    await uow.fetch(_DROP_CHUNKS, _of(job))
    await set_timers(uow, FORGET, {job.id: expires_at})
    announce(context, job.id, "running", status)
