"""What is special about writing tasks."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.trees import refuse_cycles
from crm_api.resources.tasks import reminders


class TaskRules(Rules):
    """`completed_at` follows the status, reminders come once, and tasks don't wait for each other in a circle."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Stamps or clears `completed_at`, refuses circles of dependencies."""
        for draft in drafts:
            task = draft.new
            reminders.prepare(draft)
            if task["status"] != "done":
                task["completed_at"] = None
            elif task["completed_at"] is None:
                task["completed_at"] = context.uow.now
        await refuse_cycles(context, "tasks", drafts, "depends_on_id")

    async def after_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Sets the timers of reminders."""
        await reminders.keep(context, drafts)
