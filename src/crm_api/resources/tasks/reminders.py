"""Reminders of tasks: a timer stands for each that is still to come, and firing it notes when that was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from crm_api.core.errors import Deleted, Merged, NotFound
from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft
from crm_api.kernel.timers import clear_timers, set_timers
from crm_api.kernel.writer import Writer
from crm_api.kernel.writes.types import WriteOptions

REMIND: Final = "tasks.remind"
"""The kind of timer whose subject is a task; also the `cause.action` of the event."""

_OVER: Final = ("done", "cancelled")


def prepare(draft: Draft) -> None:
    """A reminder that is moved is to come again."""
    if draft.changed("remind_at"):
        draft.new["reminded_at"] = None


async def keep(context: Context, drafts: Sequence[Draft]) -> None:
    """Sets the timers of tasks that are to be reminded of, and takes those back that aren't any more."""
    coming, over = {}, []
    for draft in drafts:
        task = draft.new
        if not any(draft.changed(name) for name in ("remind_at", "status", "deleted_at")):
            continue
        if task["remind_at"] is None or task["reminded_at"] is not None or task["deleted_at"] is not None or task["status"] in _OVER:
            if draft.old is not None and draft.old["remind_at"] is not None:
                over.append(draft.id)
        else:
            coming[draft.id] = task["remind_at"]
    await set_timers(context.uow, REMIND, coming)
    await clear_timers(context.uow, REMIND, over)


async def remind(context: Context, writer: Writer, ids: Sequence[UUID]) -> None:
    """Notes on each task that its reminder has come. A task that is gone meanwhile needs none."""
    values = {id_: {"reminded_at": context.uow.now} for id_ in ids}
    for outcome in await writer.update_rows(context, context.whole["tasks"], values, options=WriteOptions(atomic=False)):
        if outcome.problem is not None and not isinstance(outcome.problem, Deleted | Merged | NotFound):
            raise outcome.problem
