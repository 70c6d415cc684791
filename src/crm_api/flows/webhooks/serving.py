"""Serving one endpoint: the lease on it, what is to be sent next, and what follows from answers.

One worker serves an endpoint at a time. All that it writes stands under the lease, in one transaction with the look at what comes
next (a turn), and nothing is open while requests are under way. A worker that was cut off longer than the lease finds that it no
longer holds, and writes nothing: whoever took over sends again what was not known to have arrived.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from crm_api.db.engine import Connection
from crm_api.db.statement import Statement
from crm_api.db.uow import SYSTEM, Uow
from crm_api.flows.organizations import organization_info
from crm_api.flows.webhooks import outcomes
from crm_api.flows.webhooks.endpoints import Endpoint, endpoints_of
from crm_api.flows.webhooks.outcomes import Result
from crm_api.flows.webhooks.payloads import batch_of, body_of, message_id
from crm_api.flows.webhooks.schedule import Circuit
from crm_api.kernel.context import Context
from crm_api.kernel.engine import Engine
from crm_api.kernel.event_query import read_chosen, reader_of
from crm_api.kernel.journal import encode_events_cursor
from crm_api.kernel.principal import OrganizationInfo, Principal
from crm_api.resources.webhook_endpoints.secrets import Secrets, secrets_of

LEASE_S: Final = 15
HEARTBEAT_S: Final = 3
CANCELLED_AT_ONCE: Final = 2_000
LARGEST_BATCH: Final = 100
MAX_BATCH_BYTES: Final = 1024 * 1024

# One of the few statements that look across organisations: one row for each endpoint with something to do.
_DUE: Final = Statement("SELECT org_id, endpoint_id FROM webhook_due WHERE due_at <= now() ORDER BY due_at LIMIT $1", ("limit",))
_TAKE: Final = Statement(
    "UPDATE webhook_states SET lease_id = $3, lease_until = now() + make_interval(secs => $4) WHERE org_id = $1 AND endpoint_id ="
    " (SELECT endpoint_id FROM webhook_states WHERE org_id = $1 AND endpoint_id = $2 AND (lease_until IS NULL OR lease_until < now())"
    " FOR UPDATE SKIP LOCKED) RETURNING 1",
    ("org_id", "endpoint_id", "lease", "seconds"),
)
_TURN: Final = Statement(
    """
    WITH mine AS (
        UPDATE webhook_states SET lease_until = now() + make_interval(secs => $4)
         WHERE org_id = $1 AND endpoint_id = $2 AND lease_id = $3 RETURNING *
    ), due AS (
        INSERT INTO webhook_due (org_id, endpoint_id, due_at) SELECT org_id, endpoint_id, lease_until FROM mine
            ON CONFLICT (org_id, endpoint_id) DO UPDATE SET due_at = excluded.due_at
    )
    SELECT *, now() AS now FROM mine
    """,
    ("org_id", "endpoint_id", "lease", "seconds"),
)
_FIRST_AND_AGAIN: Final = Statement(
    """
    SELECT * FROM (
        (SELECT id, seq, events, attempts, manual, batch_id, due_at FROM webhook_queue
          WHERE org_id = $1 AND endpoint_id = $2 AND attempts = 0 AND due_at <= now() AND id <> ALL($3::uuid[])
          ORDER BY due_at, seq LIMIT $4)
        UNION ALL
        (SELECT id, seq, events, attempts, manual, batch_id, due_at FROM webhook_queue
          WHERE org_id = $1 AND endpoint_id = $2 AND attempts > 0 AND due_at <= now() AND id <> ALL($3::uuid[])
          ORDER BY due_at, seq LIMIT $4)
    ) AS q
    """,
    ("org_id", "endpoint_id", "flying", "limit"),
)
_IN_ORDER: Final = Statement(
    "SELECT id, seq, events, attempts, manual, batch_id, due_at FROM webhook_queue WHERE org_id = $1 AND endpoint_id = $2"
    " ORDER BY seq LIMIT $3",
    ("org_id", "endpoint_id", "limit"),
)
_NEXT: Final = Statement(
    """
    SELECT least((SELECT min(due_at) FROM webhook_queue WHERE org_id = $1 AND endpoint_id = $2 AND attempts = 0),
                 (SELECT min(due_at) FROM webhook_queue WHERE org_id = $1 AND endpoint_id = $2 AND attempts > 0))
    """,
    ("org_id", "endpoint_id"),
)
_HEAD_DUE: Final = Statement(
    "SELECT due_at FROM webhook_queue WHERE org_id = $1 AND endpoint_id = $2 ORDER BY seq LIMIT 1", ("org_id", "endpoint_id")
)
_TOGETHER: Final = Statement(
    "UPDATE webhook_queue SET batch_id = $3 WHERE org_id = $1 AND id = ANY($2::uuid[])", ("org_id", "ids", "batch_id")
)
_LET_GO: Final = Statement(
    """
    WITH mine AS (
        UPDATE webhook_states SET lease_id = NULL, lease_until = NULL WHERE org_id = $1 AND endpoint_id = $2 AND lease_id = $3
        RETURNING org_id, endpoint_id
    ), later AS (
        UPDATE webhook_due d SET due_at = $4 FROM mine m
         WHERE d.org_id = $1 AND d.endpoint_id = m.endpoint_id AND $4::timestamptz IS NOT NULL
    )
    DELETE FROM webhook_due d USING mine m WHERE d.org_id = $1 AND d.endpoint_id = m.endpoint_id AND $4::timestamptz IS NULL
    """,
    ("org_id", "endpoint_id", "lease", "due_at"),
)
_FORGET: Final = Statement(
    "DELETE FROM webhook_due d WHERE d.org_id = $1 AND d.endpoint_id = $2"
    " AND NOT EXISTS (SELECT FROM webhook_states s WHERE s.org_id = $1 AND s.endpoint_id = $2)",
    ("org_id", "endpoint_id"),
)
_CANCEL: Final = Statement(
    """
    WITH part AS (SELECT id FROM webhook_queue WHERE org_id = $1 AND endpoint_id = $2 LIMIT $3),
         gone AS (DELETE FROM webhook_queue q USING part WHERE q.org_id = $1 AND q.id = part.id RETURNING q.id),
         told AS (UPDATE webhook_deliveries d SET status = 'cancelled', reason = $4, finished_at = now(), next_attempt_at = NULL
                    FROM gone WHERE d.org_id = $1 AND d.id = gone.id)
    SELECT count(*) FROM gone
    """,
    ("org_id", "endpoint_id", "limit", "reason"),
)
# Who writes the record waits for the row that wakes us; nobody here may wait for the record, then.
_CURSOR: Final = Statement(
    """
    WITH free AS (
        SELECT id FROM webhook_endpoints WHERE org_id = $1 AND id = $2 AND last_delivered_cursor IS DISTINCT FROM $3
           FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE webhook_endpoints e SET last_delivered_cursor = $3 FROM free WHERE e.org_id = $1 AND e.id = free.id
    """,
    ("org_id", "endpoint_id", "cursor"),
)
_DELIVERED_TO: Final = Statement(
    "SELECT coalesce((SELECT min(seq) - 1 FROM webhook_queue WHERE org_id = $1 AND endpoint_id = $2),"
    " (SELECT seq FROM journal_consumers WHERE org_id = $1 AND name = 'webhooks'), 0)",
    ("org_id", "endpoint_id"),
)

log = structlog.get_logger("crm_api.webhooks")


class Fenced(Exception):
    """The lease is another's by now."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to serve an endpoint."""

    org_id: UUID
    endpoint_id: UUID
    id: UUID


@dataclass(frozen=True, slots=True)
class Parcel:
    """One request to be made: the deliveries it carries, with how many of the queue row's events are in it."""

    deliveries: tuple[UUID, ...]
    sent: tuple[int, ...]
    tries: tuple[int, ...]
    message_id: str
    body: bytes
    manual: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn came to: the endpoint as it is now, what to send, and whether the lease was given back.

    `hold`: nothing is to be sent for the time being, what was fetched before neither. `again`: there is more to do at once.
    """

    endpoint: Endpoint | None = None
    secrets: Secrets = Secrets()  # noqa: RUF009  # frozen
    parcels: tuple[Parcel, ...] = ()
    over: bool = False
    hold: bool = False
    again: bool = False


async def due_endpoints(connection: Connection, limit: int) -> list[tuple[UUID, UUID]]:
    """Organisations and endpoints with something to do, those that have waited longest first."""
    return [(row["org_id"], row["endpoint_id"]) for row in await connection.fetch(_DUE, {"limit": limit})]


async def take(uow: Uow, lease: Lease) -> bool:
    """Takes an endpoint that nobody serves. One that is no more is forgotten."""
    of = {"org_id": uow.org_id, "endpoint_id": lease.endpoint_id}
    if await uow.fetch_row(_TAKE, {**of, "lease": lease.id, "seconds": LEASE_S}) is not None:
        return True
    await uow.fetch(_FORGET, of)
    return False


async def turn(
    uow: Uow, engine: Engine, lease: Lease, results: Sequence[Result], flying: Collection[UUID], room: int, api_version: str,
    *, told: bool = False, rest: float = 0.0,
) -> Turn:  # fmt: skip
    """Keeps the lease, stores results, and says what to send next: at most `room` deliveries beside those that are `flying`.

    `told`: `last_delivered_cursor` was brought up to date a moment ago. `rest`: an endpoint that is given back is looked at in so many
    seconds at the earliest. Raises Fenced if the lease is another's; nothing is stored then.
    """
    of = {"org_id": uow.org_id, "endpoint_id": lease.endpoint_id}
    state = await uow.fetch_row(_TURN, {**of, "lease": lease.id, "seconds": LEASE_S})
    if state is None:
        raise Fenced
    organization = await organization_info(uow)
    now: datetime = state["now"]
    endpoint = (await endpoints_of(uow, [lease.endpoint_id], uow.clock.now())).get(lease.endpoint_id)
    circuit = _circuit(state).ready(now)
    own = await engine.context(_system(organization), uow)
    if results:
        standing = await outcomes.store(own, endpoint, results, state, circuit, now)
        circuit = standing.circuit
        if standing.disable is not None and endpoint is not None and endpoint.status != "disabled":
            await outcomes.disable(own, engine.writer, endpoint, standing.disable)
            endpoint = replace(endpoint, status="disabled")
    if endpoint is not None and endpoint.refusal is not None and endpoint.status != "disabled" and not endpoint.deleted:
        await outcomes.disable(own, engine.writer, endpoint, endpoint.refusal)
        endpoint = replace(endpoint, status="disabled")
    if endpoint is None or endpoint.deleted or endpoint.status == "disabled" or organization.parent_id is not None:
        return await _end(uow, lease, endpoint, flying)
    if endpoint.status == "paused":
        if not flying:
            await _tell_cursor(uow, endpoint)
            await uow.fetch(_LET_GO, {**of, "lease": lease.id, "due_at": None})
        return Turn(endpoint, over=not flying, hold=True)
    if circuit.state == "half_open":
        room = min(room, 1 - len(flying))
    parcels: list[Parcel] = []
    secrets = Secrets()
    if room > 0 and circuit.state != "open":
        context = await engine.context(endpoint.principal(organization), uow)
        parcels = await _parcels(uow, context, endpoint, flying, room, 1 if circuit.state == "half_open" else room, api_version)
        if parcels:
            secrets = (await secrets_of(uow, own, [endpoint.id]))[endpoint.id]
            if circuit.state == "half_open":
                await outcomes.note_circuit(uow, endpoint.id, circuit)
    if parcels or flying:
        if results and not told:
            await _tell_cursor(uow, endpoint)
        return Turn(endpoint, secrets, tuple(parcels), hold=circuit.state == "open")
    await _tell_cursor(uow, endpoint)
    next_at: datetime | None = await uow.fetch_value(_HEAD_DUE, of) if endpoint.fifo else await uow.fetch_value(_NEXT, of)
    if next_at is not None and circuit.state == "open" and circuit.open_until is not None:
        next_at = max(next_at, circuit.open_until)
    if next_at is not None and rest:
        next_at = max(next_at, now + timedelta(seconds=rest))
    await uow.fetch(_LET_GO, {**of, "lease": lease.id, "due_at": next_at})
    return Turn(endpoint, over=True)


async def release(uow: Uow, lease: Lease) -> None:
    """Gives an endpoint back in the middle of its work: another worker goes on at once."""
    of = {"org_id": uow.org_id, "endpoint_id": lease.endpoint_id, "lease": lease.id}
    await uow.fetch(_LET_GO, {**of, "due_at": uow.clock.now()})


def _system(organization: OrganizationInfo) -> Principal:
    return Principal(organization, organization.id, organization.id, "webhooks", frozenset({"admin"}), SYSTEM)


def _circuit(state: Mapping[str, Any]) -> Circuit:
    return Circuit(
        state["circuit"], state["open_until"], state["openings"], state["window_at"], state["window_total"], state["window_failed"]
    )


async def _end(uow: Uow, lease: Lease, endpoint: Endpoint | None, flying: Collection[UUID]) -> Turn:
    """An endpoint that is told nothing any more: what waits for it is cancelled, a part in each turn."""
    of = {"org_id": uow.org_id, "endpoint_id": lease.endpoint_id}
    reason = "endpoint_deleted" if endpoint is None or endpoint.deleted else "endpoint_disabled"
    gone: int = await uow.fetch_value(_CANCEL, {**of, "limit": CANCELLED_AT_ONCE, "reason": reason})
    if gone < CANCELLED_AT_ONCE and not flying:
        await uow.fetch(_LET_GO, {**of, "lease": lease.id, "due_at": None})
        return Turn(endpoint, over=True)
    return Turn(endpoint, hold=True, again=gone == CANCELLED_AT_ONCE)


async def _parcels(
    uow: Uow, context: Context, endpoint: Endpoint, flying: Collection[UUID], room: int, most: int, api_version: str
) -> list[Parcel]:
    of = {"org_id": uow.org_id, "endpoint_id": endpoint.id}
    if endpoint.fifo:
        if flying:
            return []
        size = most if endpoint.batch is None else int(endpoint.batch["size"])
        # The head may be a batch that was made when more were allowed.
        limit = size if endpoint.batch is None else max(size, LARGEST_BATCH)
        rows = [dict(row) for row in await uow.fetch(_IN_ORDER, {**of, "limit": limit})]
        rows = _head(endpoint, rows, uow.clock.now(), size)
    else:
        found = [dict(row) for row in await uow.fetch(_FIRST_AND_AGAIN, {**of, "flying": list(flying), "limit": room})]
        rows = _mixed(found, most)
    if not rows:
        return []
    reader = reader_of(context, endpoint.api_version or api_version)
    events = await read_chosen(context, reader, [event for row in rows for event in row["events"]])
    bodies: list[tuple[dict[str, Any], bytes]] = []
    unseen: list[Result] = []
    for row in rows:
        known = [events[event] for event in row["events"] if event in events]
        if known:
            bodies.append((row, body_of(known, endpoint.payload)))
        else:
            unseen.append(Result.skipped(row["id"], len(row["events"]), "not_visible"))
    if unseen:
        await outcomes.write(uow, endpoint.id, unseen)
    if endpoint.batch is not None and bodies:
        return [await _batch(uow, bodies)]
    return [
        Parcel((row["id"],), (len(row["events"]),), (row["attempts"],), message_id(row["events"], None), body, row["manual"])
        for row, body in bodies
    ]


def _mixed(rows: Sequence[dict[str, Any]], room: int) -> list[dict[str, Any]]:
    """First tries take at least three of four places, repeated ones the rest; places that nobody wants go to the others."""
    first = [row for row in rows if row["attempts"] == 0]
    again = [row for row in rows if row["attempts"] > 0]
    kept = min(len(again), max(room // 4, room - len(first)))
    return [*first[: room - kept], *again[:kept]]


def _head(endpoint: Endpoint, rows: list[dict[str, Any]], now: datetime, size: int) -> list[dict[str, Any]]:
    """What goes first in an ordered queue: nothing while the first is to wait."""
    if not rows:
        return []
    head = rows[0]
    if head["batch_id"] is not None:
        together = [row for row in rows if row["batch_id"] == head["batch_id"]]
        return together if head["due_at"] <= now else []
    if endpoint.batch is not None:
        rows = [row for row in rows if row["batch_id"] is None][:size]
        return rows if (head["attempts"] == 0 and len(rows) >= size) or head["due_at"] <= now else []
    ready = []
    for row in rows:
        if row["due_at"] > now:
            break
        ready.append(row)
    return ready


async def _batch(uow: Uow, bodies: Sequence[tuple[dict[str, Any], bytes]]) -> Parcel:
    """Several deliveries in one request. Which they are stays, and so does the id, however often it is tried."""
    rows = [row for row, _ in bodies]
    batch_id = rows[0]["batch_id"]
    if batch_id is None:
        batch_id, bodies = uow.new_id(), _fitting(bodies)
        rows = rows[: len(bodies)]
        await uow.fetch(_TOGETHER, {"org_id": uow.org_id, "ids": [row["id"] for row in rows], "batch_id": batch_id})
    return Parcel(
        tuple(row["id"] for row in rows),
        tuple(len(row["events"]) for row in rows),
        tuple(row["attempts"] for row in rows),
        message_id((), batch_id),
        batch_of([body for _, body in bodies]),
        any(row["manual"] for row in rows),
    )


def _fitting(bodies: Sequence[tuple[dict[str, Any], bytes]]) -> Sequence[tuple[dict[str, Any], bytes]]:
    """The first of them, as many as one request may carry."""
    size = 0
    for index, (_, body) in enumerate(bodies):
        size += len(body)
        if index and size > MAX_BATCH_BYTES:
            return bodies[:index]
    return bodies


async def _tell_cursor(uow: Uow, endpoint: Endpoint) -> None:
    """Brings `last_delivered_cursor` up to date; it follows from deliveries and makes no version."""
    seq: int = await uow.fetch_value(_DELIVERED_TO, {"org_id": uow.org_id, "endpoint_id": endpoint.id})
    await uow.fetch(_CURSOR, {"org_id": uow.org_id, "endpoint_id": endpoint.id, "cursor": encode_events_cursor(uow.org_id, seq)})


__all__ = ["HEARTBEAT_S", "LEASE_S", "Fenced", "Lease", "Parcel", "Turn", "due_endpoints", "release", "take", "turn"]
