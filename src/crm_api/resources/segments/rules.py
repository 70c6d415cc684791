"""What is special about writing segments."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.kernel.context import Context
from crm_api.kernel.presentation import Checks, refuse_unless
from crm_api.kernel.resource import Draft, Rules


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
