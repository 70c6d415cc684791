"""What is special about writing accounts."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.trees import refuse_cycles


class AccountRules(Rules):
    """No account is its own ancestor."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Refuses circles of parents."""
        await refuse_cycles(context, "accounts", drafts, "parent_id")
