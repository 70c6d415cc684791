"""Jobs in the database: accepting, showing and cancelling them. What workers do with them is `claims.py`'s business."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from crm_api.core.cursor import decode_cursor, encode_cursor, query_digest
from crm_api.core.errors import Conflict, InsufficientScope, InvalidCursor, NotFound
from crm_api.db.statement import Statement, compile_statement
from crm_api.jobs.expiry import FORGET
from crm_api.kernel import events
from crm_api.kernel.context import Context
from crm_api.kernel.enqueue import add_job, due
from crm_api.kernel.job_json import JOBS, job_json
from crm_api.kernel.timers import set_timers
from crm_api.models.base import table
from crm_api.models.jobs import Job, JobError

Status = Literal["queued", "running", "succeeded", "partly_failed", "failed", "cancelled"]
STATUSES: Final[tuple[Status, ...]] = ("queued", "running", "succeeded", "partly_failed", "failed", "cancelled")
KEPT: Final = timedelta(days=7)
CHUNK: Final = 200
"""Records of one chunk: one transaction."""

_KEY: Final = b"jobs"  # ids are no secret from those who may list them: only tells a damaged cursor from a whole one
_jobs, _errors = table(Job), table(JobError)


def _bind(name: str, kind: sa.types.TypeEngine[Any] | None = None) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=sa.Uuid() if kind is None else kind)


_MINE: Final = sa.or_(_bind("everyone", sa.Boolean()), _jobs.c.user_id == _bind("user_id"))
_GET: Final = compile_statement(
    sa.select(job_json(_jobs).label("json")).where(_jobs.c.org_id == _bind("org_id"), _jobs.c.id == _bind("id"), _MINE)
)
_ATTEMPT: Final = compile_statement(
    sa.select(_jobs.c.attempt).where(
        _jobs.c.org_id == _bind("org_id"),
        _jobs.c.id == _bind("id"),
        _MINE,
        _jobs.c.type == _bind("type", sa.Text()),
        _jobs.c.status == sa.literal_column("'succeeded'"),
    )
)
_LIST: Final = compile_statement(
    sa.select(_jobs.c.id, job_json(_jobs).label("json"))
    .where(
        _jobs.c.org_id == _bind("org_id"),
        _MINE,
        _jobs.c.id < _bind("before"),
        _jobs.c.status == sa.func.any(_bind("statuses", ARRAY(sa.Text()))),
        sa.or_(_bind("type", sa.Text()).is_(None), _jobs.c.type == _bind("type", sa.Text())),
    )
    .order_by(_jobs.c.id.desc())
    .limit(_bind("limit", sa.BigInteger()))
)
_ERRORS: Final = compile_statement(
    sa.select(_errors.c.position, _errors.c.record_id, _errors.c.error)
    .where(_errors.c.org_id == _bind("org_id"), _errors.c.job_id == _bind("id"), _errors.c.position > _bind("after", sa.BigInteger()))
    .order_by(_errors.c.position)
    .limit(_bind("limit", sa.BigInteger()))
)
_ADD_CHUNKS: Final = Statement(
    "INSERT INTO job_chunks (org_id, job_id, position, ids) SELECT $1, $2, c.position, array_agg(c.id ORDER BY c.place)"
    " FROM (SELECT id, place, ((place - 1) / $4)::int AS position FROM unnest($3::uuid[]) WITH ORDINALITY AS u (id, place)) c"
    " GROUP BY c.position",
    ("org_id", "id", "ids", "chunk"),
)
_SCOPES: Final = Statement("SELECT principal -> 'scopes' FROM jobs WHERE org_id = $1 AND id = $2", ("org_id", "id"))
_DROP_DUE: Final = Statement("DELETE FROM job_due WHERE org_id = $1 AND job_id = $2", ("org_id", "id"))
_DROP_CHUNKS: Final = Statement("DELETE FROM job_chunks WHERE org_id = $1 AND job_id = $2", ("org_id", "id"))
_LOCK: Final = Statement("SELECT status FROM jobs WHERE org_id = $1 AND id = $2 FOR NO KEY UPDATE", ("org_id", "id"))
# A higher attempt fences off the worker that is at it. Whom it was about is nobody's business any more.
_CANCEL: Final = Statement(
    "UPDATE jobs SET status = 'cancelled', attempt = attempt + 1, finished_at = $3, expires_at = $4, result = result - 'people'"
    " WHERE org_id = $1 AND id = $2",
    ("org_id", "id", "now", "expires_at"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of finished JSON."""

    rows: list[bytes]
    next_cursor: str | None


async def accept(
    context: Context, kind: str, request: Mapping[str, Any], *, ids: Sequence[UUID] | None = None, total: int | None = None
) -> UUID:
    """Stores a job of the caller's, due at once, with the records that it is about."""
    job_id = await add_job(context, kind, request, total if ids is None else len(ids))
    if ids:
        await context.uow.fetch(_ADD_CHUNKS, {"org_id": context.uow.org_id, "id": job_id, "ids": list(ids), "chunk": CHUNK})
    await due(context, job_id)
    return job_id


def _whose(context: Context) -> dict[str, Any]:
    principal = context.principal
    return {"org_id": principal.org_id, "everyone": principal.administers, "user_id": principal.user_id}


async def shown(context: Context, job_id: UUID) -> bytes:
    """One job's JSON. Raises NotFound for a job of somebody else, unless the caller is an administrator."""
    found: str | None = await context.uow.fetch_value(_GET, {**_whose(context), "id": job_id})
    if found is None:
        raise NotFound()
    return found.encode()


async def finished_attempt(context: Context, job_id: UUID, kind: str) -> int:
    """Which attempt at a job succeeded. Raises NotFound as `shown` does, and while the job has not succeeded."""
    found: int | None = await context.uow.fetch_value(_ATTEMPT, {**_whose(context), "id": job_id, "type": kind})
    if found is None:
        raise NotFound()
    return found


async def page(context: Context, *, limit: int, cursor: str | None, statuses: Sequence[str], kind: str | None) -> Page:
    """The caller's jobs (all of them for an administrator), newest first."""
    digest = query_digest(sorted(statuses), kind)
    before = UUID(int=2**128 - 1) if cursor is None else _position(cursor, "jobs", digest, UUID)
    values = {**_whose(context), "before": before, "statuses": list(statuses), "type": kind, "limit": limit + 1}
    rows = await context.uow.fetch(_LIST, values)
    more = len(rows) > limit
    return Page(
        [row["json"].encode() for row in rows[:limit]], encode_cursor(_KEY, "jobs", digest, [rows[limit - 1]["id"]]) if more else None
    )


async def errors(context: Context, job_id: UUID, *, limit: int, cursor: str | None) -> Page:
    """What went wrong with single records of a job, in the order of its selection. Raises NotFound as `shown` does."""
    await shown(context, job_id)
    after = -1 if cursor is None else _position(cursor, "job_errors", job_id.hex, int)
    rows = await context.uow.fetch(_ERRORS, {"org_id": context.uow.org_id, "id": job_id, "after": after, "limit": limit + 1})
    more = len(rows) > limit
    found = [
        b'{"index":%d,"id":"%s","error":%s}' % (row["position"], str(row["record_id"]).encode(), row["error"].encode()) for row in rows
    ]
    return Page(found[:limit], encode_cursor(_KEY, "job_errors", job_id.hex, [rows[limit - 1]["position"]]) if more else None)


def _position(cursor: str, kind: str, digest: str, expected: type[Any]) -> Any:
    values = decode_cursor(_KEY, kind, digest, cursor)
    if len(values) != 1 or not isinstance(values[0], expected):
        raise InvalidCursor("malformed")
    return values[0]


async def cancel(context: Context, job_id: UUID) -> None:
    """Ends a job at the next border between its chunks; what is done stays done. Cancelling it again changes nothing.

    Raises NotFound, InsufficientScope for a token that could not have asked for the job, or Conflict if the job has ended otherwise.
    """
    uow = context.uow
    await shown(context, job_id)
    asked: str = await uow.fetch_value(_SCOPES, {"org_id": uow.org_id, "id": job_id})
    held = context.principal.scopes
    missing = [scope for scope in orjson.loads(asked) if scope not in held and "admin" not in held]
    if missing:
        raise InsufficientScope(missing)
    values: dict[str, Any] = {"org_id": uow.org_id, "id": job_id, "now": uow.now, "expires_at": uow.now + KEPT}
    # The order in which workers lock, so that nobody waits in a circle: `job_due`, then `jobs` (here: until the chunk is through).
    await uow.fetch(_DROP_DUE, values)
    status: Status = await uow.fetch_value(_LOCK, values)
    if status in ("queued", "running"):
        await uow.fetch(_CANCEL, values)
        await uow.fetch(_DROP_CHUNKS, values)
        await set_timers(uow, FORGET, {job_id: values["expires_at"]})
        announce(context, job_id, status, "cancelled")
    elif status != "cancelled":
        raise Conflict(f"The job has ended already: {status}.")


def announce(context: Context, job_id: UUID, old: str, new: Status) -> None:
    """The `job.finished` event."""
    events.emit(context, events.PlainEvent("job.finished", JOBS, job_id, 1, {"status": {"old": old, "new": new}}, snapshot=_jobs))
