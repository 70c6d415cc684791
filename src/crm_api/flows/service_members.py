"""Members that are no people: what a service token acts as, so that it outlives whoever made it."""

from __future__ import annotations

from uuid import UUID

from crm_api.kernel import audit, events
from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft
from crm_api.kernel.writes.shape import shape_of
from crm_api.kernel.writes.store import store_new
from crm_api.kernel.writes.types import Work

DOMAIN = "service.example"
"""Where their addresses seem to be; mail to that domain reaches nobody (RFC 2606 3)."""


async def make_service_member(context: Context, name: str, profile_id: UUID) -> UUID:
    """A member with this profile, whom no sign-in knows: there is no user behind it, and no organisation that it belongs to."""
    users, uow = context.whole["users"], context.uow
    shape = shape_of(context, users)
    row = shape.fresh()
    user_id, actor = uow.new_id(), uow.actor.json()
    row.update(id=user_id, version=1, created_at=uow.now, updated_at=uow.now, created_by=actor, updated_by=actor)
    row.update(name=name, email=f"{user_id}@{DOMAIN}", kind="service", status="active", profile_id=profile_id, owner_id=None)
    work = Work(0, Draft(user_id, "create", None, row), client_id=True)
    await store_new(context, shape, [work])
    problem = work.problem()
    if problem is not None:
        raise problem
    events.collect(context, users, user_id, None, row, 1)
    audit.record(context, "user.service_created", object="users", record_id=user_id, details={"name": name, "profile_id": profile_id})
    return user_id
