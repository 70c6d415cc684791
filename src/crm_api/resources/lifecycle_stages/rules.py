"""What is special about writing lifecycle stages."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.vocabulary import check_followers, place_last, refuse_used


class LifecycleStageRules(Rules):
    """A stage that contacts or leads are in can't go."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Places new ones at the end, checks transitions."""
        await place_last(context, "lifecycle_stages", drafts)
        await check_followers(context, "lifecycle_stages", drafts)

    async def before_delete(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Keeps what contacts and leads have."""
        await refuse_used(context, drafts, ("contacts", "lifecycle_stage"), ("leads", "lifecycle_stage"))
