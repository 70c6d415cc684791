"""The rows beside an endpoint by which workers know how it stands; made, woken and reset with the endpoint's record."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from crm_api.db.statement import Statement
from crm_api.db.uow import Uow

CONSUMER: Final = "webhooks"
"""The consumer of the journal that makes deliveries."""

_BEGIN: Final = Statement("INSERT INTO webhook_states (org_id, endpoint_id, after_seq) VALUES ($1, $2, $3)", ("org_id", "id", "seq"))
_FOLLOW: Final = Statement(
    "INSERT INTO journal_consumers (org_id, name, seq) VALUES ($1, $2, $3) ON CONFLICT (org_id, name) DO NOTHING", ("org_id", "name", "seq")
)
_COUNT: Final = Statement("SELECT count(*) FROM webhook_endpoints WHERE org_id = $1 AND deleted_at IS NULL", ("org_id",))
_AFRESH: Final = Statement(
    "UPDATE webhook_states SET after_seq = $3, circuit = 'closed', open_until = NULL, openings = 0, window_at = NULL, window_total = 0,"
    " window_failed = 0, failing_since = NULL, told_failing = false WHERE org_id = $1 AND endpoint_id = $2",
    ("org_id", "id", "seq"),
)
_WAKE: Final = Statement(
    "INSERT INTO webhook_due (org_id, endpoint_id, due_at) SELECT $1, u.id, now() FROM unnest($2::uuid[]) AS u (id) ORDER BY u.id"
    " ON CONFLICT (org_id, endpoint_id) DO UPDATE SET due_at = least(webhook_due.due_at, excluded.due_at)",
    ("org_id", "ids"),
)


async def begin(uow: Uow, endpoint_id: UUID, head: int) -> None:
    """Starts an endpoint behind the journal's last number."""
    await uow.fetch(_BEGIN, {"org_id": uow.org_id, "id": endpoint_id, "seq": head})
    await uow.fetch(_FOLLOW, {"org_id": uow.org_id, "name": CONSUMER, "seq": head})


async def count(uow: Uow) -> int:
    """How many endpoints the organisation has."""
    found: int = await uow.fetch_value(_COUNT, {"org_id": uow.org_id})
    return found


async def begin_afresh(uow: Uow, endpoint_id: UUID, head: int) -> None:
    """Forgets earlier failures of an endpoint that is switched on again, and what happened while it was off."""
    await uow.fetch(_AFRESH, {"org_id": uow.org_id, "id": endpoint_id, "seq": head})


async def wake(uow: Uow, endpoints: list[UUID]) -> None:
    """Has a worker look at these endpoints at once."""
    if endpoints:
        await uow.fetch(_WAKE, {"org_id": uow.org_id, "ids": endpoints})
