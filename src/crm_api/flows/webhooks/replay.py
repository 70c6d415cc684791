"""Sending again: what failed, what was never sent, or all there was; single events; and the other way round, not sending what waits.

An event's delivery to an endpoint is one row for ever, its id made of both: sending again sets it back to waiting and keeps
`webhook-id`, so that receivers know what they have had. Everything here first takes the lock that workers take before they touch an
endpoint's deliveries, so what is read is what is changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal
from uuid import UUID

from crm_api.core.errors import Conflict, NotFound
from crm_api.db.statement import Statement
from crm_api.flows.webhooks.dispatch import STRETCH, chosen_by
from crm_api.flows.webhooks.endpoints import Endpoint
from crm_api.flows.webhooks.ids import delivery_id
from crm_api.flows.webhooks.reached import hold, reached, refuse_silent
from crm_api.kernel.context import Context
from crm_api.kernel.engine import Engine
from crm_api.kernel.event_query import EventMatch, EventQuery, match_events, reader_of
from crm_api.resources.webhook_endpoints.standing import CONSUMER, wake

Only = Literal["failed", "missing", "all"]
CANCELLED_AT_ONCE: Final = 2_000
COUNTED: Final = 200
"""Stretches of the journal that are looked at to count what a replay would send."""

_FAILED: Final = frozenset({"exhausted", "cancelled"})
_DONE: Final = frozenset({"exhausted", "cancelled", "succeeded", "skipped"})
_COALESCED: Final = "coalesced"

_CONSUMED: Final = Statement("SELECT seq FROM journal_consumers WHERE org_id = $1 AND name = $2", ("org_id", "name"))
_SEQ: Final = Statement("SELECT seq FROM journal WHERE org_id = $1 AND event_id = $2", ("org_id", "event_id"))
_KNOWN: Final = Statement(
    "SELECT id, event_id, record_id, seq, status, reason FROM webhook_deliveries"
    " WHERE org_id = $1 AND id = ANY($2::uuid[]) AND id >= $3 AND id <= $4 ORDER BY seq",
    ("org_id", "ids", "low", "high"),
)
# In the order in which everybody locks: the queue, then the log. What waits already is left as it is.
_SEND: Final = Statement(
    """
    WITH given AS (
        SELECT u.id, u.event_id, u.type, u.seq, u.record_id, u.fresh, ARRAY(
                   SELECT g.event_id FROM unnest($8::uuid[], $9::uuid[], $10::bigint[]) AS g (head, event_id, seq)
                    WHERE g.head = u.id ORDER BY g.seq
               ) AS gathered
          FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::uuid[], $11::boolean[])
               AS u (id, event_id, type, seq, record_id, fresh)
    ), queued AS (
        INSERT INTO webhook_queue (org_id, id, endpoint_id, seq, events, record_id, due_at, manual)
        SELECT $1, id, $2, seq, ARRAY[event_id] || gathered, record_id, now(), true FROM given ORDER BY id
            ON CONFLICT (org_id, id) DO NOTHING
        RETURNING id
    ), made AS (
        INSERT INTO webhook_deliveries (org_id, id, endpoint_id, event_id, event_type, seq, record_id, status, created_at, next_attempt_at)
        SELECT $1, g.id, $2, g.event_id, g.type, g.seq, g.record_id, 'pending', now(), now()
          FROM given g JOIN queued q ON q.id = g.id WHERE g.fresh
            ON CONFLICT (org_id, id) DO NOTHING
    ), again AS (
        UPDATE webhook_deliveries d SET status = 'pending', reason = NULL, next_attempt_at = now(), finished_at = NULL
          FROM given g JOIN queued q ON q.id = g.id
         WHERE d.org_id = $1 AND d.id = g.id AND NOT g.fresh AND d.id >= $12 AND d.id <= $13
    )
    SELECT count(*) FROM queued
    """,
    ("org_id", "endpoint_id", "ids", "events", "types", "seqs", "records", "heads", "gathered", "gathered_seqs", "fresh", "low", "high"),
)
_HURRY: Final = Statement(
    "UPDATE webhook_queue SET due_at = now(), manual = true WHERE org_id = $1 AND id = $2 AND due_at > now()", ("org_id", "id")
)
_CANCEL: Final = Statement(
    """
    WITH first AS (SELECT id FROM webhook_queue WHERE org_id = $1 AND endpoint_id = $2 AND id < $3 ORDER BY id LIMIT $4),
         gone AS (DELETE FROM webhook_queue q USING first f WHERE q.org_id = $1 AND q.id = f.id RETURNING q.id),
         told AS (UPDATE webhook_deliveries d SET status = 'cancelled', reason = 'cancelled', finished_at = now(), next_attempt_at = NULL
                    FROM gone WHERE d.org_id = $1 AND d.id = gone.id)
    SELECT count(*) FROM gone
    """,
    ("org_id", "endpoint_id", "before", "limit"),
)
_SKIP: Final = Statement(
    """
    WITH head AS (SELECT id, batch_id FROM webhook_queue WHERE org_id = $1 AND endpoint_id = $2 ORDER BY seq LIMIT 1),
         gone AS (DELETE FROM webhook_queue q USING head h
                   WHERE q.org_id = $1 AND q.endpoint_id = $2 AND (q.id = h.id OR q.batch_id = h.batch_id) RETURNING q.id),
         told AS (UPDATE webhook_deliveries d SET status = 'skipped', reason = 'skipped', finished_at = now(), next_attempt_at = NULL
                    FROM gone WHERE d.org_id = $1 AND d.id = gone.id)
    SELECT id FROM gone ORDER BY id
    """,
    ("org_id", "endpoint_id"),
)


@dataclass(frozen=True, slots=True)
class Replay:
    """What is to be sent again: of the events numbered in (after, until] those of some types (None: all that the endpoint asks for)."""

    endpoint_id: UUID
    after: int
    until: int
    only: Only
    types: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """How many events a replay would send. Not `complete`: there may be more after those that were looked at."""

    count: int
    complete: bool


@dataclass(slots=True)
class _Chosen:
    """Deliveries to be sent, and which events were gathered into which of them."""

    events: list[tuple[EventMatch, bool]]
    gathered: list[tuple[UUID, UUID, int]]


async def reaches_to(context: Context, until: int) -> int:
    """How far a replay may go: deliveries of what comes after are only about to be made, by those who make them anyway."""
    seq: int | None = await context.uow.fetch_value(_CONSUMED, {"org_id": context.uow.org_id, "name": CONSUMER})
    return min(until, seq or 0)


async def stretch(context: Context, engine: Engine, asked: Replay, after: int, api_version: str) -> tuple[int, int]:
    """Sends what a stretch of the journal behind `after` has to be sent again; tells how many that were, and how far it came.

    `context` is the caller's. Doing a stretch twice sends nothing twice that still waits. Raises what `reached` and `refuse_silent` do.
    """
    uow = context.uow
    await hold(context, asked.endpoint_id)
    endpoint = await reached(context, asked.endpoint_id)
    refuse_silent(context, endpoint)
    until = min(after + STRETCH, await reaches_to(context, asked.until))
    if until <= after:
        return 0, asked.until
    chosen = await _choose(context, engine, endpoint, asked, after, until, api_version)
    if not chosen.events:
        return 0, until
    await wake(uow, [endpoint.id])
    return await _send(context, endpoint, chosen), until


async def count(context: Context, engine: Engine, asked: Replay, api_version: str) -> Counted:
    """What a replay would send, without sending it."""
    endpoint = await reached(context, asked.endpoint_id)
    refuse_silent(context, endpoint)
    found, after, last = 0, asked.after, await reaches_to(context, asked.until)
    for _ in range(COUNTED):
        until = min(after + STRETCH, last)
        if until <= after:
            return Counted(found, complete=True)
        found += len((await _choose(context, engine, endpoint, asked, after, until, api_version)).events)
        after = until
    return Counted(found, complete=after >= last)


async def resend(context: Context, engine: Engine, endpoint_id: UUID, event_id: UUID, api_version: str) -> UUID:
    """Sends one event once more, or at once if it waits; tells the delivery's id. Its type need not be one that the endpoint asks for,
    but the endpoint must be one that may be told of it. Raises NotFound, Conflict, and what `refuse_silent` does."""
    uow = context.uow
    await hold(context, endpoint_id)
    endpoint = await reached(context, endpoint_id)
    refuse_silent(context, endpoint)
    seq: int | None = await uow.fetch_value(_SEQ, {"org_id": uow.org_id, "event_id": event_id})
    if seq is None:
        raise NotFound()
    if seq > await reaches_to(context, seq):
        raise Conflict("The event's deliveries are only about to be made.")
    own = await engine.context(endpoint.principal(context.principal.organization), uow)
    matched = await match_events(own, reader_of(own, endpoint.api_version or api_version), EventQuery(), seq - 1, seq, 1)
    if not matched:
        raise NotFound()
    id = delivery_id(event_id, endpoint.id)
    known = await _known(context, [id])
    await wake(uow, [endpoint.id])
    if not await _send(context, endpoint, _Chosen([(matched[0], id not in known)], [])):
        await uow.fetch(_HURRY, {"org_id": uow.org_id, "id": id})
    return id


async def cancel(context: Context, endpoint_id: UUID, before: UUID) -> int:
    """Gives up some of what waits for an endpoint, of events before `before`; tells how many. Fewer than CANCELLED_AT_ONCE: that was all.

    What is under way just then may still arrive.
    """
    uow = context.uow
    await hold(context, endpoint_id)
    await reached(context, endpoint_id)
    values = {"org_id": uow.org_id, "endpoint_id": endpoint_id, "before": before, "limit": CANCELLED_AT_ONCE}
    gone: int = await uow.fetch_value(_CANCEL, values)
    return gone


async def skip(context: Context, endpoint_id: UUID) -> list[UUID]:
    """Gives up what holds up an ordered endpoint: the first delivery that waits, or the batch that it was sent in. Raises Conflict."""
    uow = context.uow
    await hold(context, endpoint_id)
    endpoint = await reached(context, endpoint_id)
    if not endpoint.fifo:
        raise Conflict("Only where events are sent in order (`ordering` `fifo`) does one hold up the others.")
    await wake(uow, [endpoint_id])
    gone = [row["id"] for row in await uow.fetch(_SKIP, {"org_id": uow.org_id, "endpoint_id": endpoint_id})]
    if not gone:
        raise Conflict("Nothing waits for this endpoint.")
    return gone


async def _choose(context: Context, engine: Engine, endpoint: Endpoint, asked: Replay, after: int, until: int, api_version: str) -> _Chosen:
    """Which events of a stretch are sent again: those that the endpoint would be sent today, by what became of them."""
    own = await engine.context(endpoint.principal(context.principal.organization), context.uow)
    reader = reader_of(own, endpoint.api_version or api_version)
    matched = await match_events(own, reader, EventQuery(), after, until, STRETCH)
    events = await chosen_by(own, reader, endpoint, matched, after, until)
    if asked.types is not None:
        narrowed = replace(endpoint, event_types=asked.types)
        events = [event for event in events if narrowed.wants(event.type)]
    if not events:
        return _Chosen([], [])
    known = await _known(context, [delivery_id(event.id, endpoint.id) for event in events])
    return _sort(endpoint, events, known, asked.only)


def _sort(endpoint: Endpoint, events: Sequence[EventMatch], known: Mapping[UUID, Any], only: Only) -> _Chosen:
    """Changes that were gathered go again with the delivery that they went with."""
    again = frozenset[str]() if only == "missing" else _FAILED if only == "failed" else _DONE
    chosen = _Chosen([], [])
    heads: dict[UUID, UUID | None] = {}
    for event in events:
        id = delivery_id(event.id, endpoint.id)
        row = known.get(id)
        if row is None:
            if only != "failed":
                chosen.events.append((event, True))
        elif row["status"] == "skipped" and row["reason"] == _COALESCED:
            head = heads.get(event.record_id)
            if head is not None:
                chosen.gathered.append((head, event.id, event.seq))
        elif row["status"] in again:
            chosen.events.append((event, False))
            heads[event.record_id] = id
        else:
            heads[event.record_id] = None
    return chosen


async def _known(context: Context, ids: Sequence[UUID]) -> dict[UUID, Any]:
    rows = await context.uow.fetch(_KNOWN, {"org_id": context.uow.org_id, "ids": list(ids), "low": min(ids), "high": max(ids)})
    return {row["id"]: row for row in rows}


async def _send(context: Context, endpoint: Endpoint, chosen: _Chosen) -> int:
    ids = [delivery_id(event.id, endpoint.id) for event, _ in chosen.events]
    events = [event for event, _ in chosen.events]
    values = {
        "org_id": context.uow.org_id,
        "endpoint_id": endpoint.id,
        "ids": ids,
        "events": [event.id for event in events],
        "types": [event.type for event in events],
        "seqs": [event.seq for event in events],
        "records": [event.record_id for event in events],
        "heads": [head for head, _, _ in chosen.gathered],
        "gathered": [id for _, id, _ in chosen.gathered],
        "gathered_seqs": [seq for _, _, seq in chosen.gathered],
        "fresh": [fresh for _, fresh in chosen.events],
        "low": min(ids),
        "high": max(ids),
    }
    found: int = await context.uow.fetch_value(_SEND, values)
    return found


__all__ = [
    "CANCELLED_AT_ONCE", "Counted", "Only", "Replay", "cancel", "count", "reaches_to", "resend", "skip", "stretch",
]  # fmt: skip
