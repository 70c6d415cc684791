"""What is special about writing territories."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.core.errors import join_pointer
from crm_api.kernel.access.criteria import check_tree
from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.trees import refuse_cycles


class TerritoryRules(Rules):
    """Territories form a tree; their criteria are checked against the fields of the objects that they choose from."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Checks criteria and tree."""
        for draft in drafts:
            if not draft.changed("rules") or draft.operation == "restore":
                continue
            for name, tree in draft.new["rules"].items():
                target = context.registry.get(name)
                if target is None:
                    draft.fail("rules", "unknown_object", allowed=[resource.name for resource in context.registry])
                else:
                    draft.errors.extend(check_tree(context, target, tree, join_pointer("rules", name)))
        await refuse_cycles(context, "territories", drafts, "parent_id")
