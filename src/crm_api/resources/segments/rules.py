"""What is special about writing segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crm_api.kernel.context import Context
from crm_api.kernel.presentation import Checks, refuse_unless
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.timers import clear_timers, set_timers

REFRESH: Final = "segments.refresh"
"""The kind of timer whose subject is a dynamic segment; also the `cause.action` of what a refresh changes."""


class SegmentRules(Rules):
    """A dynamic segment has a filter that means something, a static one has none."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Checks object and filter. (Members come and go by `flows.segments`.)"""
        possible = [name for name, relations in context.registry.relations.items() if "segments" in relations]
        for draft in drafts:
            segment = draft.new
            if segment["applies_to"] not in possible:
                if segment["applies_to"] is not None and draft.changed("applies_to"):
                    draft.fail("applies_to", "enum", allowed=possible)
                continue
            dynamic = segment["kind"] == "dynamic"
            refuse_unless(draft, "filter", dynamic, "kind=static")
            if dynamic and segment["filter"] is None:
                draft.fail("filter", "required")
            elif dynamic and draft.changed("filter"):
                checks = Checks(context, context.registry[segment["applies_to"]])
                checks.tree(segment["filter"], "filter")
                draft.errors.extend(checks.errors)

    async def after_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Has a dynamic segment refreshed soon after its filter changed, and no more once it is deleted."""
        dynamic = [draft for draft in drafts if draft.new["kind"] == "dynamic"]
        gone = [draft.id for draft in dynamic if draft.new["deleted_at"] is not None]
        news = [draft for draft in dynamic if draft.id not in gone and (draft.changed("filter") or draft.changed("deleted_at"))]
        await set_timers(context.uow, REFRESH, {draft.id: context.uow.now for draft in news})
        await clear_timers(context.uow, REFRESH, gone)
