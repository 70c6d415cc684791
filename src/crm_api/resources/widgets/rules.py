"""What is special about writing widgets: each type has what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crm_api.kernel.context import Context
from crm_api.kernel.presentation import refuse_unless, target_of
from crm_api.kernel.resource import Draft, Rules

_OF_RECORDS: Final = ("list", "figure", "chart")


class WidgetRules(Rules):
    """A widget shows an object, a view, or a page."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Checks that type and what is shown go together."""
        for draft in drafts:
            widget, kind = draft.new, draft.new["type"]
            target_of(context, draft)
            if kind in _OF_RECORDS and widget["applies_to"] is None and widget["source_view_id"] is None:
                draft.fail("applies_to", "required")
            if kind == "web" and widget["url"] is None:
                draft.fail("url", "required")
            refuse_unless(draft, "url", kind == "web", f"type={kind}")
            refuse_unless(draft, "source_view_id", kind in _OF_RECORDS, f"type={kind}")
