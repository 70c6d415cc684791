"""What is special about writing leads."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.core.errors import FieldError, Locked
from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.states import State, check_transitions, states_of
from crm_api.kernel.suppression import refuse_suppressed

KNOWN_BY = ("first_name", "last_name", "email", "phone")


class LeadRules(Rules):
    """A lead is known by something, moves along the organisation's statuses, and is done with once it is converted."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Gives new leads the default status; checks moves, reasons, and that a converted lead stays as it is."""
        for draft in drafts:
            if not any(draft.new[name] for name in KNOWN_BY):
                draft.errors.append(FieldError("one_of_required", pointer="", params={"fields": ", ".join(KNOWN_BY)}))
            if draft.operation == "update" and draft.old is not None and draft.old["converted_at"] is not None:
                draft.problem = Locked("A converted lead can't be changed; change the records that it became.")
        await refuse_suppressed(context, drafts)
        moved = [draft for draft in drafts if draft.changed("status") or draft.new["status"] is None]
        if moved:
            await self._statuses(moved, await states_of(context, "lead_statuses"))
        moved = [draft for draft in drafts if draft.old is not None and draft.changed("lifecycle_stage")]
        if moved:
            check_transitions(moved, "lifecycle_stage", await states_of(context, "lifecycle_stages"))

    async def _statuses(self, drafts: Sequence[Draft], states: dict[str, State]) -> None:
        first = next((state.key for state in states.values() if state.is_default), None)
        for draft in drafts:
            lead = draft.new
            if lead["status"] is None and draft.old is None:
                lead["status"] = first
            state = states.get(lead["status"])
            if draft.old is not None and "status_reason" not in draft.given:
                lead["status_reason"] = None  # it was the reason of the status before
            if state is not None and state.reason_required and not lead["status_reason"]:
                draft.fail("status_reason", "required")
        check_transitions(drafts, "status", states)
