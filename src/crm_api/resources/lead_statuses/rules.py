"""What is special about writing lead statuses."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.vocabulary import check_followers, keep_default, keep_one_default, place_last, refuse_used


class LeadStatusRules(Rules):
    """One status is the default, and a status that leads have can't go."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Places new ones at the end, checks transitions, hands the default over."""
        await place_last(context, "lead_statuses", drafts)
        await check_followers(context, "lead_statuses", drafts)
        await keep_one_default(context, "lead_statuses", drafts)

    async def before_delete(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Keeps the default and what leads have."""
        keep_default(drafts)
        await refuse_used(context, drafts, ("leads", "status"))
