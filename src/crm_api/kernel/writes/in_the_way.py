"""What is told of records that stand in the way of others: no id of one that the caller doesn't see, no field that is hidden."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.writes.statements import IDS, ORG


async def seen_of(context: Context, resource: AnyResource, ids: Iterable[UUID]) -> frozenset[UUID]:
    """Those of the records that the caller sees; a statement only where some may be out of reach."""
    wanted = frozenset(ids)
    policy = context.policy
    if not wanted or not context.principal.may(resource.name, "read"):
        return frozenset()
    if policy.looks_at(resource) == "nothing":
        return wanted

    def build() -> Statement:
        table = resource.table
        seen = policy.predicate(resource, table)
        assert seen is not None
        return compile_statement(sa.select(table.c.id).where(table.c.org_id == ORG, table.c.id == sa.any_(IDS), seen))

    statement = context.statements.get(("seen", resource.key, context.whole.key, policy.shape), build)
    rows = await context.uow.fetch(statement, {**policy.values, "org_id": context.uow.org_id, "ids": sorted(wanted)})
    return frozenset(row["id"] for row in rows)


def entry(context: Context, resource: AnyResource, holder: UUID | None, field: str, seen: Iterable[UUID]) -> dict[str, Any]:
    """One record in the way, for `existing` of a duplicate."""
    found = {"object": resource.name, "id": str(holder) if holder is not None and holder in frozenset(seen) else None}
    return found if field in context.seen(resource).hidden else {**found, "field": field}
