"""Earlier states of a configuration, to go back to: one is kept for everything that was applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import orjson

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import NotFound
from crm_api.core.json import dumps
from crm_api.db.statement import Statement
from crm_api.flows.configuration.apply import apply
from crm_api.kernel import audit
from crm_api.kernel.context import Context

KEPT: Final = 100
"""States of an organisation; the oldest go."""

_TOLD: Final = 200
"""Paths of changes that an entry of the audit log holds."""

_ADD: Final = Statement(
    "INSERT INTO config_snapshots (org_id, id, reason, config, created_at, created_by) VALUES ($1, $2, $3, $4::jsonb, $5, $6::jsonb)",
    ("org_id", "id", "reason", "config", "now", "actor"),
)
_TRIM: Final = Statement(
    "DELETE FROM config_snapshots WHERE org_id = $1 AND id <= ("
    "SELECT id FROM config_snapshots WHERE org_id = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)",
    ("org_id", "kept"),
)
_LIST: Final = Statement(
    "SELECT id, reason, created_at, created_by FROM config_snapshots WHERE org_id = $1 ORDER BY id DESC LIMIT $2", ("org_id", "kept")
)
_GET: Final = Statement(
    "SELECT id, reason, created_at, created_by, config FROM config_snapshots WHERE org_id = $1 AND id = $2", ("org_id", "id")
)


async def change(context: Context, target: Mapping[str, Any], reason: str, *, prune: bool, dry_run: bool) -> dict[str, Any]:
    """Applies a configuration and keeps the state before it. The answer tells what was different.

    With `dry_run` everything is done and taken back, so that whatever would go wrong is found. Raises as `apply` does.
    """
    uow = context.uow
    uow.dry_run = uow.dry_run or dry_run
    uow.cause.action = f"config.{reason}"
    done = await apply(context, target, prune=prune)
    snapshot_id: UUID | None = None
    if done.changes and not uow.dry_run:
        snapshot_id = uow.new_id()
        values = {"org_id": uow.org_id, "id": snapshot_id, "reason": reason, "config": dumps(done.before).decode(), "now": uow.now}
        await uow.fetch(_ADD, {**values, "actor": dumps(uow.actor.json()).decode()})
        await uow.fetch(_TRIM, {"org_id": uow.org_id, "kept": KEPT})
        details: dict[str, Any] = {
            "reason": reason,
            "changes": [{name: found.json()[name] for name in ("path", "op")} for found in done.changes[:_TOLD]],
        }
        details |= {"count": len(done.changes), "prune": prune}
        audit.record(uow, "configuration.applied", object="configuration", record_id=snapshot_id, details=details)
    return {
        "object": "config_changes",
        "changes": [found.json() for found in done.changes],
        "applied": bool(done.changes) and not uow.dry_run,
        "dry_run": uow.dry_run,
        "snapshot_id": None if snapshot_id is None else str(snapshot_id),
    }


async def listed(context: Context) -> list[dict[str, Any]]:
    """The states that are kept, newest first, without their contents."""
    return [_described(row) for row in await context.uow.fetch(_LIST, {"org_id": context.uow.org_id, "kept": KEPT})]


async def get(context: Context, snapshot_id: UUID) -> dict[str, Any]:
    """One state with its contents. Raises NotFound."""
    row = await context.uow.fetch_row(_GET, {"org_id": context.uow.org_id, "id": snapshot_id})
    if row is None:
        raise NotFound()
    return {**_described(row), "config": orjson.loads(row["config"])}


def _described(row: Any) -> dict[str, Any]:
    return {
        "object": "config_snapshots",
        "id": str(row["id"]),
        "reason": row["reason"],
        "created_at": format_timestamp(row["created_at"]),
        "created_by": orjson.loads(row["created_by"]),
    }
