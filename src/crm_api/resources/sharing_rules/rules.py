"""What is special about writing sharing rules."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.kernel.access.criteria import check_criteria
from crm_api.kernel.context import Context
from crm_api.kernel.presentation import target_of
from crm_api.kernel.resource import Draft, Rules


class SharingRuleRules(Rules):
    """A rule chooses records by their owner or by criteria."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Checks the criteria against the object's fields."""
        for draft in drafts:
            target = target_of(context, draft)
            if target is not None and draft.operation != "restore":
                check_criteria(context, target, draft)
