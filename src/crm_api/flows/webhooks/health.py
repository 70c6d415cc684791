"""How an endpoint stands now, and how it has done: what waits, what arrived, how long it took."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from crm_api.core.clock import format_timestamp
from crm_api.core.ids import uuid7_floor
from crm_api.db.statement import Statement
from crm_api.flows.webhooks.reached import reached
from crm_api.kernel.context import Context
from crm_api.models.webhooks import DELIVERY_STATUSES

Interval = Literal["hour", "day"]

_HEALTH: Final = Statement(
    """
    SELECT e.status, e.disabled_reason, e.last_delivered_cursor, s.failing_since, s.last_success_at, s.last_failure_at,
           CASE WHEN s.circuit = 'open' AND s.open_until <= now() THEN 'half_open' ELSE s.circuit END AS circuit,
           CASE WHEN s.open_until > now() THEN s.open_until END AS open_until,
           (SELECT count(*) FROM webhook_queue q WHERE q.org_id = $1 AND q.endpoint_id = $2 AND q.attempts = 0) AS pending,
           (SELECT count(*) FROM webhook_queue q WHERE q.org_id = $1 AND q.endpoint_id = $2 AND q.attempts > 0) AS retrying,
           least((SELECT min(q.due_at) FROM webhook_queue q WHERE q.org_id = $1 AND q.endpoint_id = $2 AND q.attempts = 0),
                 (SELECT min(q.due_at) FROM webhook_queue q WHERE q.org_id = $1 AND q.endpoint_id = $2 AND q.attempts > 0)) AS oldest_due,
           coalesce((SELECT h.seq FROM journal_heads h WHERE h.org_id = $1), 0)
           - coalesce((SELECT min(q.seq) - 1 FROM webhook_queue q WHERE q.org_id = $1 AND q.endpoint_id = $2),
                      (SELECT c.seq FROM journal_consumers c WHERE c.org_id = $1 AND c.name = 'webhooks'), 0) AS lag
      FROM webhook_endpoints e JOIN webhook_states s ON s.org_id = $1 AND s.endpoint_id = e.id
     WHERE e.org_id = $1 AND e.id = $2
    """,
    ("org_id", "endpoint_id"),
)
_COUNTS: Final = ", ".join(f"count(*) FILTER (WHERE d.status = '{name}') AS {name}" for name in DELIVERY_STATUSES)
# Each side is one pass over an index; the empty grouping set is the total.
_STATS: Final = Statement(
    f"""
    WITH told AS (
        SELECT date_trunc($4, d.created_at, 'UTC') AS at, {_COUNTS}
          FROM webhook_deliveries d
         WHERE d.org_id = $1 AND d.endpoint_id = $2 AND d.id >= $3
         GROUP BY GROUPING SETS ((1), ())
    ), tried AS (
        SELECT date_trunc($4, a.started_at, 'UTC') AS at, count(*) AS attempts, count(*) FILTER (WHERE a.succeeded) AS arrived,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY (a.timings ->> 'total_ms')::float8) AS p50,
               percentile_cont(0.95) WITHIN GROUP (ORDER BY (a.timings ->> 'total_ms')::float8) AS p95
          FROM webhook_attempts a
         WHERE a.org_id = $1 AND a.endpoint_id = $2 AND a.id >= $3 AND a.trigger <> 'test'
         GROUP BY GROUPING SETS ((1), ())
    )
    SELECT coalesce(told.at, tried.at) AS at, {", ".join(DELIVERY_STATUSES)}, attempts, arrived, p50, p95
      FROM told FULL JOIN tried ON coalesce(tried.at, '-infinity') = coalesce(told.at, '-infinity') ORDER BY 1 NULLS FIRST
    """,
    ("org_id", "endpoint_id", "since", "interval"),
)


async def health(context: Context, endpoint_id: UUID) -> dict[str, Any]:
    """How an endpoint stands. Raises what `reached` raises."""
    await reached(context, endpoint_id)
    row = await context.uow.fetch_row(_HEALTH, {"org_id": context.uow.org_id, "endpoint_id": endpoint_id})
    assert row is not None
    return {
        "object": "webhook_health",
        "endpoint_id": str(endpoint_id),
        "status": row["status"],
        "disabled_reason": row["disabled_reason"],
        "circuit": {"state": row["circuit"], "open_until": _at(row["open_until"])},
        "failing_since": _at(row["failing_since"]),
        "backlog": {"pending": row["pending"], "retrying": row["retrying"]},
        "oldest_due": _at(row["oldest_due"]),
        "last_success_at": _at(row["last_success_at"]),
        "last_failure_at": _at(row["last_failure_at"]),
        "last_delivered_cursor": row["last_delivered_cursor"],
        "lag": max(row["lag"], 0),
    }


async def stats(context: Context, endpoint_id: UUID, since: datetime, interval: Interval) -> dict[str, Any]:
    """How an endpoint has done since an instant, in all and by the hour or day (UTC). Raises what `reached` raises."""
    await reached(context, endpoint_id)
    values = {"org_id": context.uow.org_id, "endpoint_id": endpoint_id, "since": uuid7_floor(since), "interval": interval}
    total, *spans = await context.uow.fetch(_STATS, values)
    return {
        "object": "webhook_stats",
        "endpoint_id": str(endpoint_id),
        "since": format_timestamp(since),
        "interval": interval,
        "total": _figures(total),
        "intervals": [{"at": _at(row["at"]), **_figures(row)} for row in spans],
    }


def _figures(row: Any) -> dict[str, Any]:
    attempts, arrived = row["attempts"] or 0, row["arrived"] or 0
    return {
        "deliveries": {name: row[name] or 0 for name in DELIVERY_STATUSES},
        "attempts": attempts,
        "succeeded_attempts": arrived,
        "success_rate": None if attempts == 0 else round(arrived / attempts, 4),
        "latency_ms": {name: None if row[name] is None else round(row[name], 1) for name in ("p50", "p95")},
    }


def _at(value: datetime | None) -> str | None:
    return None if value is None else format_timestamp(value)


__all__ = ["Interval", "health", "stats"]
