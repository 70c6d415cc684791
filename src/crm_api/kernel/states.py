"""Fields whose values are the keys of an object that each organisation shapes: which may follow which.

Such an object has the fields `key`, `role`, `position` and `transitions` (keys that may follow; null means any).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.locks import ORG
from crm_api.kernel.resource import Draft


@dataclass(frozen=True, slots=True)
class State:
    """One key and what it means. `is_default` and `reason_required` are False where the object has no such field."""

    key: str
    role: str
    transitions: tuple[str, ...] | None
    is_default: bool
    reason_required: bool


async def states_of(context: Context, object_name: str) -> dict[str, State]:
    """The live keys of an object, in order."""
    table = context.whole[object_name].table
    statement = context.statements.get(("states", table), lambda: _statement(table))
    rows = await context.uow.fetch(statement, {"org_id": context.uow.org_id})
    return {
        row["key"]: State(
            row["key"],
            row["role"],
            None if row["transitions"] is None else tuple(orjson.loads(row["transitions"])),
            row["is_default"],
            row["reason_required"],
        )
        for row in rows
    }


def check_transitions(drafts: Sequence[Draft], column: str, states: dict[str, State]) -> None:
    """Marks drafts that go from one state to another that may not follow it (`illegal_transition`, with the allowed ones)."""
    for draft in drafts:
        old = None if draft.old is None else draft.old[column]
        new = draft.new[column]
        if old is None or new is None or old == new or draft.operation != "update":
            continue
        before = states.get(old)
        if before is not None and before.transitions is not None and new not in before.transitions:
            params: dict[str, Any] = {"from": old}
            draft.fail(column, "illegal_transition", allowed=[key for key in states if key in before.transitions], **params)


def _statement(table: sa.Table) -> Statement:
    columns: list[sa.ColumnElement[Any]] = [table.c.key, table.c.role, table.c.transitions]
    for name in ("is_default", "reason_required"):
        columns.append(table.c[name] if name in table.c else sa.false().label(name))
    ordered = sa.select(*columns).where(table.c.org_id == ORG, table.c.deleted_at.is_(None)).order_by(table.c.position, table.c.id)
    return compile_statement(ordered)
