"""What has to be done about people beside requests: handing over the records of those who have gone, and forgetting what has expired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from crm_api.db.statement import Statement, compile_statement
from crm_api.flows.users.attempts import KEPT as ATTEMPTS_KEPT
from crm_api.flows.users.sessions import IDLE
from crm_api.jobs import claims
from crm_api.jobs.claims import Standing
from crm_api.jobs.steps import until_done
from crm_api.jobs.store import Status
from crm_api.kernel.access.rights import EVERYTHING
from crm_api.kernel.context import Context
from crm_api.kernel.locks import ORG
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.writer import WriteOptions

if TYPE_CHECKING:
    from crm_api.jobs.sweeps import Jobs
    from crm_api.jobs.tasks import Run

_CHUNK: Final = 200
MAILS_KEPT: Final = timedelta(days=7)
LINKS_KEPT: Final = timedelta(days=7)

_EXPIRED: Final = (
    Statement("DELETE FROM sessions WHERE expires_at < $1 OR used_at < $2 RETURNING user_id, id", ("now", "idle_since")),
    Statement("DELETE FROM failed_attempts WHERE since < $1", ("attempts_before",)),
    Statement("DELETE FROM mail_links WHERE expires_at < $1", ("links_before",)),
    Statement("DELETE FROM mails WHERE created_at < $1", ("mails_before",)),
)
_FORGET_DEVICE: Final = Statement("DELETE FROM session_devices WHERE user_id = $1 AND session_id = $2", ("user_id", "id"))


async def forget_expired(jobs: Jobs) -> None:
    """Removes sessions that have ended, old failures, links and mails."""
    now = jobs.clock.now()
    values = {
        "now": now,
        "idle_since": now - IDLE,
        "attempts_before": now - ATTEMPTS_KEPT,
        "links_before": now - LINKS_KEPT,
        "mails_before": now - MAILS_KEPT,
    }
    async with jobs.database.connection() as connection:
        for statement in _EXPIRED:
            for row in await connection.fetch(statement, values):
                await connection.fetch(_FORGET_DEVICE, {"user_id": row["user_id"], "id": row["id"]})


async def hand_over_records(run: Run) -> None:
    """Gives the records of removed users to another, some in each transaction. Deleted ones stay with whom they were."""
    standing = await until_done(lambda: _next_step(run))
    status: Status = "partly_failed" if standing.failed else "succeeded"
    await run.finish(status, replace(standing, total=standing.done, result={"records": standing.done - standing.failed}))


async def _next_step(run: Run) -> Standing | None:
    """Hands over some records of one object; where there are none left, how the job stands."""
    job = run.job
    async with run.context(action="users.hand_over_records") as caller:
        # As the product itself: whoever could remove the user need not reach all of their records.
        principal = replace(caller.principal, rights=EVERYTHING)
        context = replace(caller, principal=principal, registry=caller.whole, unnarrowed=None)
        standing = await claims.standing(context.uow, job)
        owned = [resource for resource in context.whole if resource.name != "users"]
        if standing.position >= len(owned):
            return standing
        resource = owned[standing.position]
        after = standing.result.get("after")
        ids = await _owned_by(context, resource, job.request["from"], None if after is None else UUID(after))
        failed = 0
        if ids:
            values = {id: {"owner_id": UUID(job.request["to"])} for id in ids}
            done = await run.engine.writer.update_rows(context, resource, values, options=WriteOptions(atomic=False))
            failed = sum(outcome.failed for outcome in done)
        through = len(ids) < _CHUNK
        following = replace(
            standing,
            position=standing.position + through,
            done=standing.done + len(ids),
            failed=standing.failed + failed,
            result={} if through else {"after": str(ids[-1])},
        )
        await claims.advance(context.uow, job, following, [])
    return None


async def _owned_by(context: Context, resource: AnyResource, owners: Sequence[str], after: UUID | None) -> list[UUID]:
    """The next records of these owners, in the order of their ids."""

    def build() -> Statement:
        table = resource.table
        query = sa.select(table.c.id).where(
            table.c.org_id == ORG,
            table.c.owner_id == sa.any_(sa.bindparam("owners", type_=ARRAY(sa.Uuid()))),
            table.c.deleted_at.is_(None),
            table.c.id > sa.bindparam("after", type_=sa.Uuid()),
            *resource.scope(table),
        )
        return compile_statement(query.order_by(table.c.id).limit(sa.literal_column(str(_CHUNK))))

    statement = context.statements.get(("owned by", resource.key), build)
    values = {"org_id": context.uow.org_id, "owners": [UUID(text) for text in owners], "after": after or UUID(int=0)}
    return [row["id"] for row in await context.uow.fetch(statement, values)]
