"""What is special about writing sharing rules."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.core.errors import FieldError
from crm_api.kernel.access.criteria import check_criteria
from crm_api.kernel.access.delegation import refuse_opening
from crm_api.kernel.access.people import check_people
from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft, Rules

CHOOSING = ("owned_by", "criteria")


class SharingRuleRules(Rules):
    """A rule chooses records by their owner or by criteria."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Checks object, people and criteria."""
        for draft in drafts:
            target = context.registry.get(draft.new["applies_to"]) if draft.new["applies_to"] is not None else None
            if target is None or target.sharing != "owner":
                if draft.old is None:
                    owned = [resource.name for resource in context.registry if resource.sharing == "owner"]
                    draft.fail("applies_to", "enum", allowed=owned)
                continue
            if sum(draft.new[name] is not None for name in CHOOSING) != 1:
                place = "/owned_by" if draft.new["owned_by"] is None else "/criteria"
                draft.errors.append(FieldError("exactly_one_of", pointer=place, params={"fields": ", ".join(CHOOSING)}))
            if draft.operation != "restore":
                check_criteria(context, target, draft)
            draft.problem = draft.problem or refuse_opening(context, target.name, draft.new["access"])
        await check_people(context, drafts, "owned_by", "share_with")
