"""An endpoint that a caller names: found, theirs to see, and, where that is asked for, theirs to aim."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final
from uuid import UUID

from crm_api.core.errors import Conflict, Deleted, Forbidden, NotFound
from crm_api.db.statement import Statement
from crm_api.flows.webhooks.endpoints import Endpoint, endpoints_of
from crm_api.kernel.context import Context
from crm_api.resources.webhook_endpoints.rules import may_aim, seen

_LOCK: Final = Statement("SELECT 1 FROM webhook_endpoints WHERE org_id = $1 AND id = $2 FOR NO KEY UPDATE", ("org_id", "id"))
_LOCK_STATE: Final = Statement("SELECT 1 FROM webhook_states WHERE org_id = $1 AND endpoint_id = $2 FOR NO KEY UPDATE", ("org_id", "id"))


async def reached(context: Context, endpoint_id: UUID, *, aimed: bool = False, locked: bool = False) -> Endpoint:
    """The endpoint. `aimed`: the caller must be one who decides what it is told; `locked`: nobody changes it until the transaction ends.

    Raises NotFound (for an app also where the endpoint is another's), Deleted, or Forbidden.
    """
    uow = context.uow
    if locked:
        await uow.fetch(_LOCK, {"org_id": uow.org_id, "id": endpoint_id})
    endpoint = (await endpoints_of(uow, [endpoint_id], uow.clock.now())).get(endpoint_id)
    if endpoint is None or not seen({"app_id": endpoint.app_id}, context.principal.user_id, context.principal.app_id):
        raise NotFound()
    if endpoint.deleted:
        raise Deleted(restorable=True)
    if aimed and not may_aim(context, asdict(endpoint)):
        raise Forbidden("Only who made this endpoint, or an administrator, may do this.")
    return endpoint


async def hold(context: Context, endpoint_id: UUID) -> None:
    """Keeps workers from the endpoint's deliveries until the transaction ends: they take this lock first, and so must everybody who
    changes what waits or what became of it."""
    uow = context.uow
    await uow.fetch(_LOCK_STATE, {"org_id": uow.org_id, "id": endpoint_id})


def refuse_silent(context: Context, endpoint: Endpoint) -> None:
    """Raises Conflict for an endpoint that nothing is sent to: what would be put before it were cancelled at once."""
    if context.principal.organization.parent_id is not None:
        raise Conflict("Nothing leaves a sandbox.")
    if endpoint.status == "disabled":
        raise Conflict("The endpoint is disabled; set its status to enabled or paused before.")
    if endpoint.refusal is not None:
        raise Conflict("The endpoint acts for somebody who may no longer read anything.")


__all__ = ["hold", "reached", "refuse_silent"]
