"""What is special about writing roles."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.trees import refuse_cycles


class RoleRules(Rules):
    """Roles form a tree."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Refuses circles."""
        await refuse_cycles(context, "roles", drafts, "parent_id")
