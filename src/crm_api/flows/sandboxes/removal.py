"""Emptying a sandbox: every row of every table, in chunks, and in the end the organisation itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from crm_api.core.clock import Clock
from crm_api.db.engine import Database
from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work
from crm_api.flows.sandboxes.tables import clear, self_references, tenant_tables

_CHUNK: Final = 2_000
_FORGET: Final = Statement("DELETE FROM organizations WHERE id = $1 AND environment = 'sandbox' AND parent_id IS NOT NULL", ("org_id",))


_STAYING: Final = frozenset({"tokens", "audit_log", "audit_heads", "audit_checkpoints"})
"""What a sandbox keeps when it is filled anew: what lets people in, and what they did."""


async def empty(database: Database, clock: Clock, sandbox_id: UUID, guard: Callable[[int], Awaitable[None]], *, tokens: bool) -> None:
    """Removes all rows of a sandbox; its tokens and its audit log only if `tokens`."""
    for table in reversed(tenant_tables()):
        if table.name in _STAYING and not tokens:
            continue
        for name in self_references(table):
            await _until_done(database, clock, sandbox_id, guard, _loosen(table, name))
        await _until_done(database, clock, sandbox_id, guard, clear(table))


async def forget(database: Database, clock: Clock, sandbox_id: UUID) -> None:
    """Removes the organisation, once it is empty."""
    async with unit_of_work(database, sandbox_id, clock) as uow:
        await uow.fetch(_FORGET, {"org_id": sandbox_id})


async def _until_done(
    database: Database, clock: Clock, sandbox_id: UUID, guard: Callable[[int], Awaitable[None]], statement: Statement
) -> None:
    changed = _CHUNK
    while changed == _CHUNK:
        await guard(0)
        async with unit_of_work(database, sandbox_id, clock) as uow:
            changed = await uow.fetch_value(statement, {"org_id": sandbox_id, "limit": _CHUNK})


def _loosen(table: sa.Table, name: str) -> Statement:
    return Statement(
        f'WITH old AS (SELECT id FROM {table.name} WHERE org_id = $1 AND "{name}" IS NOT NULL LIMIT $2),'
        f' done AS (UPDATE {table.name} t SET "{name}" = NULL FROM old WHERE t.org_id = $1 AND t.id = old.id RETURNING 1)'
        " SELECT count(*) FROM done",
        ("org_id", "limit"),
    )
