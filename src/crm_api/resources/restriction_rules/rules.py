"""What is special about writing restriction rules."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.core.errors import Forbidden
from crm_api.kernel.access.criteria import check_criteria
from crm_api.kernel.access.delegation import restricts
from crm_api.kernel.access.people import check_people
from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft, Rules


class RestrictionRuleRules(Rules):
    """A rule says which records are left to whom."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Checks object, people and criteria."""
        for draft in drafts:
            if draft.old is not None and restricts(context, draft.old["restricts"]):
                draft.problem = Forbidden("Nobody changes a rule that restricts themselves.")
            target = context.registry.get(draft.new["applies_to"]) if draft.new["applies_to"] is not None else None
            if target is None or target.sharing != "owner":
                if draft.old is None:
                    owned = [resource.name for resource in context.registry if resource.sharing == "owner"]
                    draft.fail("applies_to", "enum", allowed=owned)
                continue
            if draft.operation != "restore":
                check_criteria(context, target, draft)
        await check_people(context, drafts, "restricts")

    async def before_delete(self, context: Context, drafts: Sequence[Draft]) -> None:
        """The same for deletes."""
        for draft in drafts:
            if draft.old is not None and restricts(context, draft.old["restricts"]):
                draft.problem = Forbidden("Nobody deletes a rule that restricts themselves.")
