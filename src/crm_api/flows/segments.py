"""What one does with segments: naming members, looking who would be one, and bringing dynamic ones up to date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from crm_api.core.errors import Conflict, NotFound, TooExpensive
from crm_api.flows.bulk import MAX_RECORDS, counted, matching
from crm_api.kernel import memberships
from crm_api.kernel.access.rights import EVERYTHING
from crm_api.kernel.context import Context
from crm_api.kernel.presentation import locale_of, refuse_masked
from crm_api.kernel.query.request import ReadRequest, search_request
from crm_api.kernel.reader import Reader
from crm_api.kernel.references import Lookup
from crm_api.kernel.resource import AnyResource, Row
from crm_api.kernel.timers import set_timers
from crm_api.kernel.writer import Writer
from crm_api.kernel.writes.locked import lock
from crm_api.kernel.writes.shape import shape_of
from crm_api.resources.segments.rules import REFRESH

EVERY: Final = timedelta(minutes=15)
"""How often a dynamic segment is brought up to date by itself."""

STEP: Final = 2_000
"""Members that come or go in one transaction."""

MAX_MEMBERS: Final = MAX_RECORDS


@dataclass(frozen=True, slots=True)
class Difference:
    """How a segment's members differ from what its filter matches."""

    added: list[UUID]
    removed: list[UUID]
    total: int


def read(json: bytes) -> dict[str, Any]:
    """A segment's JSON as values."""
    found: dict[str, Any] = orjson.loads(json)
    return found


async def segment_row(context: Context, segment_id: UUID) -> tuple[Row, AnyResource]:
    """A live segment, locked, and the object of its members. Raises NotFound."""
    segments = context.registry[memberships.SEGMENTS]
    row = (await lock(context, shape_of(context, segments), [segment_id])).get(segment_id)
    if row is None or row["deleted_at"] is not None or not context.policy.sees(segments, row):
        raise NotFound()
    target = context.registry.get(row["applies_to"])
    if target is None:
        raise NotFound("The object of this segment is no longer there.")
    return row, target


def selection(context: Context, target: AnyResource, tree: Any) -> ReadRequest:
    """The records that a filter matches. Raises ValidationFailed for one that means nothing (any more)."""
    found = search_request(context.registry, target, {"filter": tree}, locale_of(context))
    context.policy.require_read(found.objects)
    return found


async def difference(context: Context, row: Row, target: AnyResource) -> Difference:
    """What a refresh would change. Raises TooExpensive for more members than a segment may have."""
    present = await memberships.members(context, target.name, row["id"])
    if row["kind"] == "static":
        return Difference([], [], len(present))
    request = selection(context, target, row["filter"])
    wanted = await matching(context, request)
    if len(wanted) > MAX_MEMBERS:
        raise TooExpensive("segment_members", MAX_MEMBERS, await counted(context, request))
    there = set(wanted)
    return Difference([id_ for id_ in wanted if id_ not in present], sorted(present - there), len(wanted))


async def preview(context: Context, reader: Reader, segment_id: UUID, tree: Any = None) -> dict[str, int]:
    """How many members the segment has if it is refreshed now, and how many come and go; `tree` is tried in place of its filter."""
    stored = await reader.one(context, context.registry[memberships.SEGMENTS], segment_id)
    row: Row = {**orjson.loads(stored.json), "id": segment_id}
    if tree is None:
        await refuse_masked(context, context.registry[memberships.SEGMENTS], segment_id, row, ("filter",))
    target = context.registry.get(row["applies_to"])
    if stored.deleted or target is None:
        raise NotFound()
    context.policy.require(target.name, "read")
    if tree is not None and row["kind"] == "static":
        raise Conflict("A static segment has no filter.")
    found = await difference(context, row if tree is None else {**row, "filter": tree}, target)
    return {"count": found.total, "added": len(found.added), "removed": len(found.removed)}


async def refresh(context: Context, segment_id: UUID) -> Difference | None:
    """Brings up to `STEP` members of a dynamic segment up to date; what is left shows in the answer. None for a static one."""
    context = _for_all(context)
    row, target = await segment_row(context, segment_id)
    if row["kind"] == "static":
        return None
    found = await difference(context, row, target)
    gone = await memberships.remove(context, target.name, segment_id, found.removed[:STEP])
    room = STEP - len(found.removed[:STEP])
    come = await memberships.add(context, target.name, segment_id, found.added[:room])
    await _note(context, row, target, changed=bool(gone or come))
    return Difference(found.added[room:], found.removed[STEP:], found.total)


def _for_all(context: Context) -> Context:
    """The context of the product itself: who belongs to a segment doesn't hang on who asked for it to be brought up to date."""
    principal = replace(context.principal, rights=EVERYTHING, scopes=frozenset({"admin"}), token_fields=None)
    return replace(context, principal=principal, registry=context.whole, unnarrowed=None)


async def refresh_on_time(context: Context, segment_id: UUID, now: Any) -> None:
    """A step of the regular refresh, and when the next one is due: at once if there is more to do."""
    left = await refresh(context, segment_id)
    if left is not None:
        more = bool(left.added or left.removed)
        await set_timers(context.uow, REFRESH, {segment_id: now if more else now + EVERY})


async def add_members(context: Context, segment_id: UUID, records: Sequence[UUID]) -> list[UUID | None]:
    """Names records as members of a static segment; gives for each its id, or None where there is no such live record.

    Raises Conflict for a dynamic segment, TooExpensive for too many members.
    """
    row, target = await _static(context, segment_id)
    lookup = Lookup(context, hold=True, reach=True)
    for id_ in records:
        lookup.ask(target.name, "id", id_)
    await lookup.run()
    found = [lookup.id_of(target.name, "id", id_) for id_ in records]
    live = list(dict.fromkeys(id_ for id_ in found if id_ is not None))
    added = await memberships.add(context, target.name, segment_id, live)
    count = await _note(context, row, target, changed=bool(added))
    if count > MAX_MEMBERS:
        raise TooExpensive("segment_members", MAX_MEMBERS, count)
    return found


async def remove_members(context: Context, segment_id: UUID, records: Sequence[UUID]) -> list[UUID | None]:
    """Ends memberships of a static segment; gives for each its id, or None where it was none."""
    row, target = await _static(context, segment_id)
    gone = set(await memberships.remove(context, target.name, segment_id, list(dict.fromkeys(records))))
    await _note(context, row, target, changed=bool(gone))
    return [id_ if id_ in gone else None for id_ in records]


async def _static(context: Context, segment_id: UUID) -> tuple[Row, AnyResource]:
    row, target = await segment_row(context, segment_id)
    context.policy.require_read((target.name,))
    if row["kind"] != "static":
        raise Conflict("The members of a dynamic segment are those that its filter matches.")
    return row, target


async def _note(context: Context, row: Row, target: AnyResource, *, changed: bool) -> int:
    """Notes how many members there are, where that is news."""
    count = await memberships.count(context, target.name, row["id"])
    if changed or row["member_count"] != count:
        values = {"member_count": count, "members_changed_at": context.uow.now}
        await Writer().update_rows(context, context.whole[memberships.SEGMENTS], {row["id"]: values})
    return count
