"""Looks at what is stored about deliveries, and moves its times: who waits for hours does so in no time."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from crm_api.db.uow import unit_of_work
from tests.api import Api, Record


async def sql(api: Api, statement: str, *values: Any) -> list[dict[str, Any]]:
    """What a statement finds in the caller's organisation, which is its $1."""
    services = api.app.state.services
    async with unit_of_work(services.database, api.org_id, services.clock) as uow:
        await uow.begin()
        return [dict(row) for row in await uow.connection.driver.fetch(statement, api.org_id, *values)]


async def queued(api: Api, endpoint: Record | None = None) -> list[dict[str, Any]]:
    """What still waits, in the order of the journal; with `wait`, the seconds until it is due."""
    only = "" if endpoint is None else " AND endpoint_id = $2"
    values = [] if endpoint is None else [UUID(endpoint["id"])]
    columns = "*, extract(epoch FROM due_at - now())::float8 AS wait"
    return await sql(api, f"SELECT {columns} FROM webhook_queue WHERE org_id = $1{only} ORDER BY seq", *values)


async def deliveries(api: Api, endpoint: Record | None = None) -> list[dict[str, Any]]:
    """The log of deliveries, in the order of the journal."""
    only = "" if endpoint is None else " AND endpoint_id = $2"
    values = [] if endpoint is None else [UUID(endpoint["id"])]
    return await sql(api, f"SELECT * FROM webhook_deliveries WHERE org_id = $1{only} ORDER BY seq", *values)


async def attempts(api: Api) -> list[dict[str, Any]]:
    """The log of attempts, as they were made."""
    return await sql(api, "SELECT * FROM webhook_attempts WHERE org_id = $1 ORDER BY started_at, id")


async def state(api: Api, endpoint: Record) -> dict[str, Any]:
    """How an endpoint stands."""
    [found] = await sql(api, "SELECT * FROM webhook_states WHERE org_id = $1 AND endpoint_id = $2", UUID(endpoint["id"]))
    return found


async def time_passes(api: Api, *, circuits: bool = True) -> None:
    """Everything that waits is due, and circuits that are open have been for long enough."""
    await sql(api, "UPDATE webhook_queue SET due_at = now() - interval '1 second' WHERE org_id = $1 AND due_at > now()")
    if circuits:
        await sql(api, "UPDATE webhook_states SET open_until = now() - interval '1 second' WHERE org_id = $1 AND open_until > now()")
    await wake(api)


async def wake(api: Api) -> None:
    """Whatever has something to do is due."""
    await sql(
        api,
        "INSERT INTO webhook_due (org_id, endpoint_id, due_at) SELECT DISTINCT $1::uuid, endpoint_id, now() FROM webhook_queue"
        " WHERE org_id = $1 ON CONFLICT (org_id, endpoint_id) DO UPDATE SET due_at = excluded.due_at",
    )


async def lose_lease(api: Api, endpoint: Record) -> None:
    """As if whoever serves the endpoint had been frozen for longer than its lease."""
    id = UUID(endpoint["id"])
    await sql(api, "UPDATE webhook_states SET lease_until = now() - interval '1 second' WHERE org_id = $1 AND endpoint_id = $2", id)
    await sql(
        api,
        "INSERT INTO webhook_due (org_id, endpoint_id, due_at) VALUES ($1, $2, now() - interval '1 second')"
        " ON CONFLICT (org_id, endpoint_id) DO UPDATE SET due_at = excluded.due_at",
        id,
    )
