"""What is special about writing territories."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.core.errors import join_pointer
from crm_api.kernel.access.criteria import check_tree
from crm_api.kernel.access.delegation import administers, refuse_opening, refuse_organising
from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.trees import refuse_cycles


class TerritoryRules(Rules):
    """Territories form a tree; their criteria are checked against the fields of the objects that they choose from."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Checks criteria and tree."""
        for draft in drafts:
            if draft.changed("parent_id") and (draft.old is not None or draft.new["parent_id"] is not None):
                draft.problem = draft.problem or refuse_organising(context)
            if not (draft.changed("rules") or draft.changed("access")) or draft.operation == "restore":
                continue
            for name, tree in draft.new["rules"].items():
                target = context.registry.get(name)
                if target is None or target.sharing != "owner":
                    owned = [resource.name for resource in context.registry if resource.sharing == "owner"]
                    draft.fail(f"rules.{name}", "enum", allowed=owned)
                    continue
                if draft.changed("rules"):
                    draft.errors.extend(check_tree(context, target, tree, join_pointer("rules", name)))
                if not administers(context):
                    draft.problem = draft.problem or refuse_opening(context, name, draft.new["access"])
        await refuse_cycles(context, "territories", drafts, "parent_id")
