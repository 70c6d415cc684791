"""A copy that was interrupted goes on in a later snapshot of the original: what it has written is brought to that first.

The journal says which records have changed since; their rows are written again, those of purged ones go, and what is about records
without being one (links, places on boards) is copied anew. What changes without an event (when something last happened to a record)
stays as it was copied.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg
import sqlalchemy as sa

from crm_api.db.statement import Statement
from crm_api.flows.sandboxes.progress import Progress
from crm_api.flows.sandboxes.tables import FOLLOWED, SCHEMA, clear, columns_of
from crm_api.kernel.event_json import LINKS

if TYPE_CHECKING:
    from crm_api.flows.sandboxes.copying import Copy, Step

MAX_CHANGED: Final = 20_000
"""Records that may have changed since the interruption; beyond, a copy is begun anew."""

_CHUNK: Final = 500
# Those without a number yet are in the outbox.
_CHANGED: Final = Statement(
    """
    SELECT DISTINCT e.object, e.record_id FROM events e
      JOIN (SELECT j.event_id FROM journal j WHERE j.org_id = $1 AND j.seq > $2
            UNION ALL SELECT o.event_id FROM outbox o WHERE o.org_id = $1) n ON n.event_id = e.id
     WHERE e.org_id = $1 LIMIT $3
    """,
    ("org_id", "head", "limit"),
)


async def catch_up(copy: Copy, progress: Progress) -> bool:
    """Brings what an earlier attempt has written to the copy's snapshot; False where that can't be done, or isn't worth it."""
    context = copy.source
    if progress.place is None or progress.schema_version != context.principal.organization.schema_version:
        return False
    steps = copy.steps()
    reached = next((index for index, step in enumerate(steps) if step.key == progress.place.key), None)
    if reached is None:
        return False
    values = {"org_id": context.uow.org_id, "head": progress.head, "limit": MAX_CHANGED + 1}
    rows = await context.uow.fetch(_CHANGED, values)
    if len(rows) > MAX_CHANGED:
        return False
    by_object: defaultdict[str, list[UUID]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["record_id"]):
        by_object[row["object"]].append(row["record_id"])
    try:
        await _renew(copy, steps[: reached + 1], by_object)
    except asyncpg.IntegrityConstraintViolationError:  # what is stale stands in the way of what is new
        return False
    return True


async def _renew(copy: Copy, written: Sequence[Step], by_object: Mapping[str, list[UUID]]) -> None:
    stale = [(step, ids) for step in written if step.resource is not None and (ids := by_object.get(step.resource.name))]
    for step, ids in stale:
        await _in_chunks(copy, _retire(step.table), ids)
    gone: dict[tuple[str, str | None], list[UUID]] = {}
    for step, ids in stale:
        found = await _write_again(copy, step, ids)
        gone[step.key] = [id_ for id_ in ids if id_ not in found]
    everything = [id_ for name, ids in by_object.items() if name != LINKS for id_ in ids]
    for step in written:
        name = str(step.table.name)
        if step.resource is not None or name in SCHEMA:
            continue
        if name not in FOLLOWED:
            await copy.run_out(clear(step.table))
            await copy.rows_of(step, quiet=True)
            continue
        ids = by_object.get(LINKS, []) if name == LINKS else everything
        await _in_chunks(copy, _remove(step.table, *columns_of(step.table)), ids)
        await _write_again(copy, step, ids)
    for step, _ in reversed(stale):
        await _in_chunks(copy, _remove(step.table, "id"), gone[step.key])
    for step, ids in stale:
        await copy.loops_of(step, ids)


async def _write_again(copy: Copy, step: Step, ids: Sequence[UUID]) -> set[UUID]:
    """Writes the rows of these records as they are in the snapshot; those that there are."""
    found: set[UUID] = set()
    for start in range(0, len(ids), _CHUNK):
        found |= await copy.rows_of(step, ids=ids[start : start + _CHUNK], quiet=True)
    return found


async def _in_chunks(copy: Copy, statement: Statement | None, ids: Sequence[UUID]) -> None:
    if statement is None:
        return
    for start in range(0, len(ids), _CHUNK):
        await copy.in_sandbox(statement, {"ids": [copy.remap.id(id_) for id_ in ids[start : start + _CHUNK]]})


def _retire(table: sa.Table) -> Statement | None:
    """Takes rows out of the way of others that have their unique values now."""
    if "deleted_at" not in table.c:
        return None
    text = f"UPDATE {table.name} SET deleted_at = coalesce(deleted_at, created_at) WHERE org_id = $1 AND id = ANY($2)"
    return Statement(text, ("org_id", "ids"))


def _remove(table: sa.Table, *columns: str) -> Statement:
    named = " OR ".join(f"{column} = ANY($2)" for column in columns)
    return Statement(f"DELETE FROM {table.name} WHERE org_id = $1 AND ({named})", ("org_id", "ids"))


__all__ = ["MAX_CHANGED", "catch_up"]
