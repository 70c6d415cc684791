"""What is special about writing pipelines."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.vocabulary import keep_default, keep_one_default


class PipelineRules(Rules):
    """One pipeline is the default, and stays until another one is."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Hands the default over."""
        await keep_one_default(context, "pipelines", drafts)

    async def before_delete(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Keeps the default. (Stages and deals in the way are the kernel's `has_children`.)"""
        keep_default(drafts)
