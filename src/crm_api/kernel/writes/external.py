"""External ids: one live record for each system and value, kept beside the records in a table of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from crm_api.core.errors import Duplicate
from crm_api.kernel.context import Context
from crm_api.kernel.writes.in_the_way import entry, seen_of
from crm_api.kernel.writes.shape import Shape, encode
from crm_api.kernel.writes.statements import drop_external_ids, holders_of_external_ids, insert_external_ids
from crm_api.kernel.writes.types import Work

Entry = dict[str, Any]


def entries(record_id: UUID, ids: Mapping[str, str]) -> list[Entry]:
    """A record's external ids as rows of the table."""
    return [{"system": system, "value": value, "record_id": record_id} for system, value in ids.items()]


async def take(context: Context, shape: Shape, wanted: Sequence[tuple[Work, Mapping[str, str]]]) -> list[Work]:
    """Takes the ids of several records. Those that could not get theirs are marked `duplicate` and returned, holding none of them."""
    rows = [entry for work, ids in wanted for entry in entries(work.draft.id, ids)]
    if not rows:
        return []
    name = shape.resource.name
    values = {"org_id": context.uow.org_id, "object": name, "rows": encode(rows)}
    taken = {(row["record_id"], row["system"], row["value"]) for row in await context.uow.fetch(insert_external_ids(context), values)}
    lost: list[tuple[Work, str, str]] = []
    for work, ids in wanted:
        lost.extend((work, system, value) for system, value in ids.items() if (work.draft.id, system, value) not in taken)
    if not lost:
        return []
    values["rows"] = encode([{"system": system, "value": value, "record_id": work.draft.id} for work, system, value in lost])
    holders = {(row["system"], row["value"]): row["record_id"] for row in await context.uow.fetch(holders_of_external_ids(context), values)}
    losers: dict[int, Work] = {}
    seen = await seen_of(context, shape.resource, holders.values())
    for work, system, value in lost:
        found = entry(context, shape.resource, holders.get((system, value)), f"external_ids.{system}", seen)
        existing = [*work.draft.problem.extra["existing"], found] if work.draft.problem is not None else [found]
        work.draft.problem = Duplicate(existing)
        losers[work.index] = work
    back = [entry for work, ids in wanted if work.index in losers for entry in entries(work.draft.id, ids)]
    await drop(context, shape, [entry for entry in back if (entry["record_id"], entry["system"], entry["value"]) in taken])
    return list(losers.values())


async def drop(context: Context, shape: Shape, rows: Iterable[Entry]) -> None:
    """Gives external ids back."""
    given = list(rows)
    if given:
        values = {"org_id": context.uow.org_id, "object": shape.resource.name, "rows": encode(given)}
        await context.uow.fetch(drop_external_ids(context), values)
