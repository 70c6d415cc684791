"""What is special about writing pipelines."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.stages import prepare_for_pipeline
from crm_api.kernel.vocabulary import keep_default, keep_one_default


class PipelineRules(Rules):
    """One pipeline of each object is the default, and stays until another one is."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Checks the object that it is for; hands the default over."""
        allowed = ["deals", *(resource.name for resource in context.whole if resource.made is not None)]
        for draft in drafts:
            if draft.changed("applies_to") and draft.new["applies_to"] not in allowed:
                draft.fail("applies_to", "enum", allowed=allowed)
        await keep_one_default(context, "pipelines", [draft for draft in drafts if not draft.failed], within="applies_to")

    async def after_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Gives an object of the organisation's own what its first pipeline takes."""
        for name in sorted({draft.new["applies_to"] for draft in drafts if draft.operation == "create"}):
            if context.whole[name].made is not None:
                await prepare_for_pipeline(context, name)

    async def before_delete(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Keeps the default. (Stages and deals in the way are the kernel's `has_children`.)"""
        keep_default(drafts)
