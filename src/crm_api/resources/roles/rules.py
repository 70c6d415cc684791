"""What is special about writing roles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from crm_api.core.errors import BadRequest, FieldError
from crm_api.core.ids import parse_uuid
from crm_api.db.statement import Statement
from crm_api.kernel.access.delegation import refuse_organising
from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.trees import refuse_cycles
from crm_api.kernel.writer import Writer

MOVE_TO: Final = "move_to"
_USERS: Final = Statement(
    "SELECT id FROM members WHERE org_id = $1 AND role_id = ANY($2::uuid[]) AND deleted_at IS NULL ORDER BY id", ("org_id", "ids")
)
_BELOW: Final = Statement(
    "SELECT id FROM roles WHERE org_id = $1 AND parent_id = ANY($2::uuid[]) AND deleted_at IS NULL ORDER BY id", ("org_id", "ids")
)
_LIVE: Final = Statement("SELECT id FROM roles WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL", ("org_id", "id"))


class RoleRules(Rules):
    """Roles form a tree."""

    delete_parameters = (MOVE_TO,)

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Refuses circles."""
        for draft in drafts:
            if draft.changed("parent_id") and (draft.old is not None or draft.new["parent_id"] is not None):
                draft.problem = draft.problem or refuse_organising(context)
        await refuse_cycles(context, "roles", drafts, "parent_id")

    async def before_delete(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Gives the users, and the roles below, another role (`?move_to=`); without it, they are the kernel's `has_children`."""
        named: str | None = context.uow.state.get(MOVE_TO)
        if named is None:
            return
        ids, target = [draft.id for draft in drafts], parse_uuid(named)
        values = {"org_id": context.uow.org_id, "ids": ids}
        below = [row["id"] for row in await context.uow.fetch(_BELOW, values)]
        if target is None or target in ids or await context.uow.fetch_row(_LIVE, {"org_id": context.uow.org_id, "id": target}) is None:
            raise BadRequest(errors=[FieldError("not_found_reference", parameter=MOVE_TO)])
        roles: dict[UUID, dict[str, Any]] = {id_: {"parent_id": target} for id_ in below if id_ != target}
        if target in below:  # it takes the place of the one above
            gone = next(draft for draft in drafts if draft.old is not None)
            roles[target] = {"parent_id": None if gone.old is None else gone.old["parent_id"]}
        await Writer().update_rows(context, context.whole["roles"], roles)
        users: dict[UUID, dict[str, Any]] = {row["id"]: {"role_id": target} for row in await context.uow.fetch(_USERS, values)}
        await Writer().update_rows(context, context.whole["users"], users)
