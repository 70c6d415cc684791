"""What follows from answers: deliveries that are done or are tried again, the log of attempts, and how the endpoint stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from crm_api.core.clock import format_timestamp
from crm_api.core.json import dumps
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.flows.webhooks.endpoints import Endpoint
from crm_api.flows.webhooks.schedule import FAILING_FOR, MAX_TRIES, Circuit, delay
from crm_api.kernel.audit import record
from crm_api.kernel.context import Context
from crm_api.kernel.event_catalog import ENDPOINTS
from crm_api.kernel.events import PlainEvent, emit
from crm_api.kernel.writer import Writer
from crm_api.models.base import table
from crm_api.models.webhooks import WebhookEndpoint

Trigger = Literal["scheduled", "manual", "test"]
FAILING_TRIES: Final = 4
"""After so many tries of one delivery the endpoint is said to be failing."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request and its answer, as the log keeps them."""

    id: UUID
    message_id: str
    number: int
    trigger: Trigger
    url: str
    started_at: datetime
    succeeded: bool
    status_code: int | None
    error: str | None
    address: str | None
    timings: Mapping[str, float | None]
    request_bytes: int
    response_headers: Sequence[tuple[str, str]] | None = None
    response_body: str | None = None
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one delivery. `sent` is how many of its events were in the request, `tries` how many tries there are by now.

    `again_in` seconds it is tried again; None if it is done. `attempt` is None for what was never sent.
    """

    delivery_id: UUID
    status: Literal["succeeded", "retrying", "exhausted", "skipped"]
    sent: int
    tries: int
    attempt: Attempt | None = None
    reason: str | None = None
    again_in: float | None = None
    gone: bool = False

    @classmethod
    def skipped(cls, delivery_id: UUID, sent: int, reason: str) -> Result:
        """A delivery that is not made."""
        return cls(delivery_id, "skipped", sent, 0, reason=reason)

    @classmethod
    def of(cls, delivery_id: UUID, sent: int, tries_before: int, attempt: Attempt, hint: float | None, *, forever: bool) -> Result:
        """What follows from an attempt: done, tried again by the schedule or as late as the receiver asks, or given up."""
        tries = tries_before + 1
        if attempt.succeeded:
            return cls(delivery_id, "succeeded", sent, tries, attempt)
        if attempt.status_code == 410:
            return cls(delivery_id, "exhausted", sent, tries, attempt, "gone", gone=True)
        wait = delay(tries, forever=forever)
        if wait is None:
            return cls(delivery_id, "exhausted", sent, tries, attempt, "tries_used_up")
        return cls(delivery_id, "retrying", sent, tries, attempt, again_in=max(wait, hint or 0.0))


@dataclass(frozen=True, slots=True)
class Standing:
    """How an endpoint stands after results; `disable` is why it is to be disabled."""

    circuit: Circuit
    disable: str | None = None


@dataclass(slots=True)
class _Columns:
    ids: list[UUID] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    reasons: list[str | None] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)
    waits: list[float | None] = field(default_factory=list)
    codes: list[int | None] = field(default_factory=list)
    errors: list[str | None] = field(default_factory=list)


# A row that gathered more events while it was sent stays in the queue with those, and begins anew.
_WRITE: Final = Statement(
    """
    WITH given AS (
        SELECT * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::int[], $6::float8[], $7::smallint[], $8::text[])
            AS u (id, status, reason, sent, wait, code, error)
    ), gone AS (
        DELETE FROM webhook_queue q USING given g
         WHERE q.org_id = $1 AND q.id = g.id AND g.wait IS NULL AND cardinality(q.events) <= g.sent
        RETURNING q.id
    ), more AS (
        UPDATE webhook_queue q SET events = q.events[g.sent + 1:], attempts = 0, due_at = now(), manual = false
          FROM given g WHERE q.org_id = $1 AND q.id = g.id AND g.wait IS NULL AND cardinality(q.events) > g.sent
        RETURNING q.id
    ), kept AS (
        UPDATE webhook_queue q SET attempts = q.attempts + 1, due_at = now() + make_interval(secs => g.wait), manual = false
          FROM given g WHERE q.org_id = $1 AND q.id = g.id AND g.wait IS NOT NULL
        RETURNING q.id
    ), known AS (
        SELECT id, false AS more FROM gone UNION ALL SELECT id, true FROM more UNION ALL SELECT id, false FROM kept
    )
    UPDATE webhook_deliveries d
       SET status = CASE WHEN k.more THEN 'pending' ELSE g.status END,
           reason = CASE WHEN NOT k.more THEN g.reason END,
           attempts = d.attempts + (g.status <> 'skipped')::int,
           status_code = g.code, error = g.error,
           next_attempt_at = CASE WHEN k.more THEN now() ELSE now() + make_interval(secs => g.wait) END,
           finished_at = CASE WHEN g.wait IS NULL AND NOT k.more THEN now() END
      FROM given g JOIN known k ON k.id = g.id
     WHERE d.org_id = $1 AND d.id = g.id AND d.id >= $9 AND d.id <= $10
    RETURNING d.id, d.event_id, d.event_type, g.status
    """,
    ("org_id", "ids", "statuses", "reasons", "sent", "waits", "codes", "errors", "low", "high"),
)
# Stored again when a commit's answer was lost.
_LOG: Final = Statement(
    """
    INSERT INTO webhook_attempts (org_id, id, endpoint_id, delivery_id, message_id, number, trigger, url, started_at, succeeded,
                                  status_code, error, address, timings, request_bytes, response_headers, response_body, truncated)
    SELECT $1, id, $2, delivery_id, message_id, number, trigger, url, started_at, succeeded, status_code, error, address, timings,
           request_bytes, response_headers, response_body, truncated
      FROM jsonb_to_recordset($3::jsonb) AS a (id uuid, delivery_id uuid, message_id text, number smallint, trigger text, url text,
           started_at timestamptz, succeeded boolean, status_code smallint, error text, address text, timings jsonb, request_bytes int,
           response_headers jsonb, response_body text, truncated boolean)
    ON CONFLICT (org_id, id) DO NOTHING
    """,
    ("org_id", "endpoint_id", "attempts"),
)
_STAND: Final = Statement(
    """
    UPDATE webhook_states SET circuit = $3, open_until = $4, openings = $5, window_at = $6, window_total = $7, window_failed = $8,
           failing_since = $9, told_failing = $10, last_success_at = coalesce($11, last_success_at),
           last_failure_at = coalesce($12, last_failure_at)
     WHERE org_id = $1 AND endpoint_id = $2
    """,
    ("org_id", "endpoint_id", "circuit", "open_until", "openings", "window_at", "total", "failed", "failing_since", "told", "success_at",
     "failure_at"),
)  # fmt: skip
_FREE: Final = Statement("SELECT 1 FROM webhook_endpoints WHERE org_id = $1 AND id = $2 FOR UPDATE NOWAIT", ("org_id", "endpoint_id"))
_CIRCUIT: Final = Statement(
    "UPDATE webhook_states SET circuit = $3, open_until = $4 WHERE org_id = $1 AND endpoint_id = $2",
    ("org_id", "endpoint_id", "circuit", "open_until"),
)


async def store(
    context: Context, endpoint: Endpoint | None, results: Sequence[Result], state: Mapping[str, Any], circuit: Circuit, now: datetime
) -> Standing:
    """Stores results under the lease, and works out how the endpoint stands. `now` is PostgreSQL's time."""
    uow = context.uow
    endpoint_id: UUID = state["endpoint_id"]
    exhausted = await write(uow, endpoint_id, results)
    failing_since: datetime | None = state["failing_since"]
    told: bool = state["told_failing"]
    success_at = failure_at = None
    disable = None
    attempts = {result.attempt.id: result for result in results if result.attempt is not None}
    for result in attempts.values():  # a batch is one attempt
        assert result.attempt is not None
        circuit = circuit.after(result.attempt.succeeded, now)
        if result.attempt.succeeded:
            success_at, failing_since = now, None
        else:
            failure_at = now
            failing_since = failing_since or now
            disable = "gone" if result.gone else disable
    if disable is None and failing_since is not None and now - failing_since >= FAILING_FOR:
        disable = "failing"
    if endpoint is not None:
        if told and failing_since is None:
            told = False
            _tell(context, endpoint, "webhook_endpoint.recovered")
        elif not told and any(result.status != "succeeded" and result.tries >= FAILING_TRIES for result in attempts.values()):
            told = True
            _tell(context, endpoint, "webhook_endpoint.failing")
        for row in exhausted:
            changes = {"endpoint_id": {"old": None, "new": str(endpoint.id)}, "event_id": {"old": None, "new": str(row["event_id"])}}
            emit(context, PlainEvent("webhook_delivery.exhausted", "webhook_deliveries", row["id"], 1, changes))
    values = {
        "org_id": uow.org_id, "endpoint_id": endpoint_id, "circuit": circuit.state, "open_until": circuit.open_until,
        "openings": circuit.openings, "window_at": circuit.window_at, "total": circuit.total, "failed": circuit.failed,
        "failing_since": failing_since, "told": told, "success_at": success_at, "failure_at": failure_at,
    }  # fmt: skip
    await uow.fetch(_STAND, values)
    return Standing(circuit, disable)


async def write(uow: Uow, endpoint_id: UUID, results: Sequence[Result]) -> list[Any]:
    """Moves deliveries on and logs attempts; tells which deliveries were given up. What was cancelled meanwhile stays so."""
    columns = _Columns()
    for result in results:
        attempt = result.attempt
        columns.ids.append(result.delivery_id)
        columns.statuses.append(result.status)
        columns.reasons.append(result.reason)
        columns.sent.append(result.sent)
        columns.waits.append(result.again_in)
        columns.codes.append(None if attempt is None else attempt.status_code)
        columns.errors.append(None if attempt is None else attempt.error)
    values = {name: getattr(columns, name) for name in _Columns.__slots__}
    rows = await uow.fetch(_WRITE, {"org_id": uow.org_id, **values, "low": min(columns.ids), "high": max(columns.ids)})
    await log_attempts(uow, endpoint_id, [(result.delivery_id, result.attempt) for result in results if result.attempt is not None])
    return [row for row in rows if row["status"] == "exhausted"]


async def log_attempts(uow: Uow, endpoint_id: UUID, attempts: Sequence[tuple[UUID | None, Attempt]]) -> None:
    """Adds to the log. One request that carried several deliveries is a row for each; the answer stands in the first."""
    seen: set[UUID] = set()
    rows = []
    for delivery_id, attempt in attempts:
        again = attempt.id in seen
        seen.add(attempt.id)
        rows.append(
            {
                "id": uow.new_id() if again else attempt.id,
                "delivery_id": delivery_id,
                "message_id": attempt.message_id,
                "number": attempt.number,
                "trigger": attempt.trigger,
                "url": attempt.url,
                "started_at": format_timestamp(attempt.started_at),
                "succeeded": attempt.succeeded,
                "status_code": attempt.status_code,
                "error": attempt.error,
                "address": attempt.address,
                "timings": attempt.timings,
                "request_bytes": attempt.request_bytes,
                "response_headers": None if again else attempt.response_headers,
                "response_body": None if again else attempt.response_body,
                "truncated": attempt.truncated,
            }
        )
    if rows:
        await uow.fetch(_LOG, {"org_id": uow.org_id, "endpoint_id": endpoint_id, "attempts": dumps(rows).decode()})


async def note_circuit(uow: Uow, endpoint_id: UUID, circuit: Circuit) -> None:
    """Stores that one delivery is about to try."""
    values = {"org_id": uow.org_id, "endpoint_id": endpoint_id, "circuit": circuit.state, "open_until": circuit.open_until}
    await uow.fetch(_CIRCUIT, values)


async def disable(context: Context, writer: Writer, endpoint: Endpoint, reason: str) -> None:
    """Switches an endpoint off, with its event and a line in the audit log.

    Fails if somebody is just writing the endpoint: they may be waiting for the caller's locks.
    """
    uow = context.uow
    await uow.fetch(_FREE, {"org_id": uow.org_id, "endpoint_id": endpoint.id})
    uow.cause.action = "webhook_endpoints.disable"
    values = {"status": "disabled", "disabled_reason": reason, "disabled_at": uow.clock.now()}
    await writer.update_rows(context, context.whole["webhook_endpoints"], {endpoint.id: values})
    record(context, "webhook_endpoint.disabled", object="webhook_endpoints", record_id=endpoint.id, details={"reason": reason})


def _tell(context: Context, endpoint: Endpoint, event_type: str) -> None:
    changes = {"failing": {"old": event_type.endswith("recovered"), "new": event_type.endswith("failing")}}
    # whoever sees the endpoint is told, which its row decides
    emit(context, PlainEvent(event_type, ENDPOINTS, endpoint.id, endpoint.version, changes, snapshot=table(WebhookEndpoint)))


__all__ = ["MAX_TRIES", "Attempt", "Result", "Standing", "disable", "log_attempts", "note_circuit", "store", "write"]
