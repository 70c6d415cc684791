"""The log of deliveries and attempts, as it is read: newest first, page by page.

Ids begin with the time of the event (deliveries) or of the request (attempts), so they are the order, the cursor and the way to the
days that a question is about. An app sees what went to its own endpoints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

import orjson

from crm_api.core.clock import format_timestamp
from crm_api.core.cursor import decode_cursor, encode_cursor, query_digest
from crm_api.core.errors import InvalidCursor, NotFound
from crm_api.core.ids import uuid7_floor
from crm_api.db.statement import Statement
from crm_api.kernel.context import Context

DELIVERIES: Final = "webhook_deliveries"
ATTEMPTS: Final = "webhook_attempts"

_KEY: Final = b"webhooks"  # ids are no secret from those who may list them: only tells a damaged cursor from a whole one
_LAST: Final = UUID(int=2**128 - 1)
_FIRST: Final = UUID(int=0)
_DELIVERY: Final = (
    "d.id, d.endpoint_id, d.event_id, d.event_type, d.seq, d.record_id, d.status, d.reason, d.attempts, d.created_at, d.next_attempt_at,"
    " d.finished_at, d.status_code, d.error"
)
_ATTEMPT: Final = (
    "a.id, a.endpoint_id, a.delivery_id, a.message_id, a.number, a.trigger, a.url, a.started_at, a.succeeded, a.status_code, a.error,"
    " a.address, a.timings, a.request_bytes, a.response_headers, a.response_body, a.truncated"
)
_CONDITIONS: Final[Mapping[str, str]] = {
    "endpoint_id": "{row}.endpoint_id = ${n}",
    "delivery_id": "{row}.delivery_id = ${n}",
    "event_id": "{row}.event_id = ${n}",
    "status": "{row}.status = ${n}",
    "types": "{row}.event_type LIKE ANY(${n}::text[])",
    "app_id": "EXISTS (SELECT 1 FROM webhook_endpoints e WHERE e.org_id = $1 AND e.id = {row}.endpoint_id AND e.app_id = ${n})",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which deliveries are asked for; None for no condition. `since` and `until` are about when the events happened."""

    endpoint_id: UUID | None = None
    status: str | None = None
    types: Sequence[str] | None = None
    event_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of finished JSON."""

    rows: list[bytes]
    next_cursor: str | None


@cache
def _list(table: str, row: str, columns: str, names: tuple[str, ...]) -> Statement:
    """One statement for each set of conditions, so that each is found by the index that fits."""
    given = ("org_id", "after", "before", "limit", *names)
    conditions = [_CONDITIONS[name].format(row=row, n=place) for place, name in enumerate(names, 5)]
    where = " AND ".join([f"{row}.org_id = $1", f"{row}.id >= $2", f"{row}.id < $3", *conditions])
    return Statement(f"SELECT {columns} FROM {table} {row} WHERE {where} ORDER BY {row}.id DESC LIMIT $4", given)


async def deliveries(context: Context, asked: Asked, *, limit: int, cursor: str | None) -> Page:
    """A page of deliveries. Raises InvalidCursor."""
    digest = query_digest(
        str(asked.endpoint_id), asked.status, None if asked.types is None else list(asked.types), str(asked.event_id),
        None if asked.since is None else asked.since.isoformat(), None if asked.until is None else asked.until.isoformat(),
    )  # fmt: skip
    conditions = {
        "endpoint_id": asked.endpoint_id,
        "event_id": asked.event_id,
        "status": asked.status,
        "types": None if asked.types is None else list(asked.types),
        "app_id": context.principal.app_id,
    }
    bounds = {
        "after": _FIRST if asked.since is None else uuid7_floor(asked.since),
        "before": _LAST if asked.until is None else uuid7_floor(asked.until),
    }
    return await _page(context, DELIVERIES, "d", _DELIVERY, conditions, bounds, digest, limit, cursor)


async def delivery(context: Context, delivery_id: UUID) -> dict[str, Any]:
    """One delivery. Raises NotFound."""
    names = () if context.principal.app_id is None else ("app_id",)
    values = {
        "org_id": context.uow.org_id, "after": delivery_id, "before": UUID(int=delivery_id.int + 1), "limit": 1,
        "app_id": context.principal.app_id,
    }  # fmt: skip
    row = await context.uow.fetch_row(_list(DELIVERIES, "d", _DELIVERY, names), {name: values[name] for name in _given(names)})
    if row is None:
        raise NotFound()
    return described(dict(row))


async def attempts(
    context: Context, *, limit: int, cursor: str | None, endpoint_id: UUID | None = None, delivery_id: UUID | None = None
) -> Page:
    """A page of the attempts of a delivery, or of an endpoint, tests too. The caller has made sure that they may see it."""
    conditions = {"endpoint_id": endpoint_id, "delivery_id": delivery_id}
    digest = query_digest(str(endpoint_id), str(delivery_id))
    return await _page(context, ATTEMPTS, "a", _ATTEMPT, conditions, {"after": _FIRST, "before": _LAST}, digest, limit, cursor)


async def _page(
    context: Context, table: str, row: str, columns: str, conditions: Mapping[str, Any], bounds: Mapping[str, UUID], digest: str,
    limit: int, cursor: str | None,
) -> Page:  # fmt: skip
    given = {name: value for name, value in conditions.items() if value is not None}
    before = bounds["before"]
    if cursor is not None:
        [place, *more] = [*decode_cursor(_KEY, table, digest, cursor), None]
        if more != [None] or not isinstance(place, UUID):
            raise InvalidCursor("malformed")
        before = min(before, place)
    names = tuple(given)
    values = {"org_id": context.uow.org_id, "after": bounds["after"], "before": before, "limit": limit + 1, **given}
    rows = await context.uow.fetch(_list(table, row, columns, names), values)
    shown = [orjson.dumps(described(dict(found))) for found in rows[:limit]]
    more_follow = len(rows) > limit
    return Page(shown, encode_cursor(_KEY, table, digest, [rows[limit - 1]["id"]]) if more_follow else None)


def _given(names: Sequence[str]) -> tuple[str, ...]:
    return ("org_id", "after", "before", "limit", *names)


def described(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of either table as the API shows it."""
    found: dict[str, Any] = {"object": DELIVERIES if "event_id" in row else ATTEMPTS}
    for name, value in row.items():
        if isinstance(value, UUID):
            found[name] = str(value)
        elif isinstance(value, datetime):
            found[name] = format_timestamp(value)
        elif name in ("timings", "response_headers") and isinstance(value, str):
            found[name] = orjson.loads(value)
        else:
            found[name] = value
    return found


__all__ = ["ATTEMPTS", "DELIVERIES", "Asked", "Page", "attempts", "deliveries", "delivery", "described"]
