"""Removing what nobody can use any more: codes and pushed requests, tokens a day after their end, grants a month after theirs."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from crm_api.core.clock import Clock
from crm_api.db.engine import Database
from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work

TOKENS: Final = timedelta(days=1)
"""For so long an expired token is told apart from one that never was."""

GRANTS: Final = timedelta(days=30)
_CHUNK: Final = 5_000

_CODES: Final = tuple(
    Statement(f"DELETE FROM {name} WHERE expires_at < $1", ("before",)) for name in ("oauth_codes", "oauth_requests", "oauth_device_codes")
)
_TOKENS: Final = Statement(
    "WITH old AS (SELECT hash FROM tokens WHERE org_id = $1 AND kind = ANY('{at,app,rt}'::text[]) AND expires_at < $2 LIMIT $3),"
    " gone AS (DELETE FROM tokens t USING old WHERE t.hash = old.hash RETURNING 1) SELECT count(*) FROM gone",
    ("org_id", "before", "limit"),
)
_GRANTS: Final = Statement(
    "DELETE FROM oauth_grants g WHERE g.org_id = $1 AND (g.revoked_at < $2 OR g.expires_at < $2)", ("org_id", "before")
)


async def clean_codes(database: Database, clock: Clock) -> None:
    """Codes and requests, of all organisations. A used code stays for a day, so that its replay is noticed."""
    async with database.connection() as connection:
        for statement in _CODES:
            await connection.fetch(statement, {"before": clock.now() - TOKENS})


async def clean_organization(database: Database, clock: Clock, org_id: UUID) -> None:
    """Tokens and grants of one organisation."""
    now = clock.now()
    removed = _CHUNK
    while removed == _CHUNK:
        async with unit_of_work(database, org_id, clock) as uow:
            removed = await uow.fetch_value(_TOKENS, {"org_id": org_id, "before": now - TOKENS, "limit": _CHUNK})
    async with unit_of_work(database, org_id, clock) as uow:
        await uow.fetch(_GRANTS, {"org_id": org_id, "before": now - GRANTS})
