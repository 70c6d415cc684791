"""References of an object to itself must not run in circles, whoever writes at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.locks import ORG, serialize
from crm_api.kernel.resource import Draft


async def refuse_cycles(context: Context, object_name: str, drafts: Sequence[Draft], column: str) -> None:
    """Marks drafts whose reference `column` to their own object would make them their own ancestor (`cycle`).

    Checks run one after the other in an organisation: two transactions that each close one half of a circle would not see
    each other's half. A new record that only points to older ones can't close a circle and costs nothing.
    """
    here = {draft.id for draft in drafts}
    moved = [
        draft
        for draft in drafts
        if draft.new[column] is not None and draft.changed(column) and (draft.old is not None or draft.new[column] in here)
    ]
    if not moved:
        return
    await serialize(context, f"{object_name}.{column}")
    table = context.whole[object_name].table
    statement = context.statements.get(("ancestors", table, column), lambda: _ancestors(table, column))
    rows = await context.uow.fetch(statement, {"org_id": context.uow.org_id, "ids": [draft.new[column] for draft in moved]})
    parents: dict[UUID, UUID | None] = {row[0]: row[1] for row in rows}
    parents.update({draft.id: None for draft in drafts if draft.old is None})
    for draft in moved:
        if _reaches(parents, draft.new[column], draft.id):
            draft.fail(column, "cycle")
        else:
            parents[draft.id] = draft.new[column]


def _reaches(parents: dict[UUID, UUID | None], start: UUID, goal: UUID) -> bool:
    seen: set[UUID] = set()
    current: UUID | None = start
    while current is not None and current not in seen:
        if current == goal:
            return True
        seen.add(current)
        current = parents.get(current)
    return False


def _ancestors(table: sa.Table, column: str) -> Statement:
    """The given records and everything above them: (id, reference)."""
    ids = sa.bindparam("ids", type_=ARRAY(PgUUID(as_uuid=True)))
    up = (
        sa.select(table.c.id, table.c[column].label("above"))
        .where(table.c.org_id == ORG, table.c.id == sa.any_(ids))
        .cte("up", recursive=True)
    )
    higher = sa.select(table.c.id, table.c[column]).where(table.c.org_id == ORG, table.c.id == up.c.above)
    up = up.union(higher)
    return compile_statement(sa.select(up.c.id, up.c.above))
