"""Values of computed fields for records that were there before the definition."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.resource import AnyResource, Draft
from crm_api.kernel.writes.computed import COLUMN, computations_of, put, settle, values_of
from crm_api.kernel.writes.locked import lock
from crm_api.kernel.writes.shape import shape_of
from crm_api.kernel.writes.statements import ORG
from crm_api.kernel.writes.store import store_changes
from crm_api.kernel.writes.types import Work

CHUNK: Final = 500
"""Records that one step looks at."""


async def backfill_chunk(
    context: Context, resource: AnyResource, after: UUID | None, limit: int = CHUNK, *, derived: bool = False
) -> tuple[UUID | None, int]:
    """Stores the values of all computed fields of the next `limit` records after an id, deleted ones too. The last id, or None at the
    end, and how many records there were.

    No versions and no events: a field that is being built is worked out on reading, so nothing changes for anybody. With `derived`
    also what follows from values (names to show, what `q` finds), whose rules the schema has changed.
    """
    computations = computations_of(context)
    own = () if computations is None else computations.stored.get(resource.name, ())
    if not own and not derived:
        return None, 0
    shape = shape_of(context, resource)
    values = {"org_id": context.uow.org_id, "after": after, "limit": limit}
    ids = [row["id"] for row in await context.uow.fetch(_next(context, resource), values)]
    rows = list((await lock(context, shape, ids)).values())
    if rows:
        drafts = [Draft(row["id"], "update", row, dict(row)) for row in rows]
        if own:
            put(own, drafts, await values_of(context, shape, own, rows))
        works = [
            Work(index, draft)
            for index, draft in enumerate(drafts)
            if draft.old is not None and (derived or draft.new[COLUMN] != draft.old[COLUMN])
        ]
        for work in works:
            settle(context, shape, work, whole=derived)
        await store_changes(context, shape, works)
    return (ids[-1] if len(ids) == limit else None), len(ids)


def _next(context: Context, resource: AnyResource) -> Statement:
    def build() -> Statement:
        table = resource.table
        after = sa.bindparam("after", type_=sa.Uuid())
        query = sa.select(table.c.id).where(table.c.org_id == ORG, *resource.scope(table), sa.or_(after.is_(None), table.c.id > after))
        return compile_statement(query.order_by(table.c.id).limit(sa.bindparam("limit", type_=sa.BigInteger())))

    return context.statements.get(("backfill", resource.key), build)
