"""What is special about writing restriction rules."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.kernel.access.criteria import check_criteria
from crm_api.kernel.context import Context
from crm_api.kernel.presentation import target_of
from crm_api.kernel.resource import Draft, Rules


class RestrictionRuleRules(Rules):
    """A rule says which records are left to whom."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Checks the criteria against the object's fields."""
        for draft in drafts:
            target = target_of(context, draft)
            if target is not None and draft.operation != "restore":
                check_criteria(context, target, draft)
