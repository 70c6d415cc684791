"""What is special about writing contacts."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.core.errors import FieldError
from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.states import check_transitions, states_of
from crm_api.kernel.suppression import refuse_suppressed

KNOWN_BY = ("first_name", "last_name", "email", "phone")


class ContactRules(Rules):
    """A contact is known by something, and moves along the organisation's lifecycle."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Needs one of the naming fields; checks moves between lifecycle stages."""
        for draft in drafts:
            if not any(draft.new[name] for name in KNOWN_BY):
                draft.errors.append(FieldError("one_of_required", pointer="", params={"fields": ", ".join(KNOWN_BY)}))
        await refuse_suppressed(context, drafts)
        moved = [draft for draft in drafts if draft.old is not None and draft.changed("lifecycle_stage")]
        if moved:
            check_transitions(moved, "lifecycle_stage", await states_of(context, "lifecycle_stages"))
