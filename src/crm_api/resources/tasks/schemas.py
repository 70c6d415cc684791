"""What a task looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import MISSING

from crm_api.kernel.schema import (
    LongText,
    Name,
    Output,
    RecordCreate,
    RecordRead,
    RecordUpdate,
    Ref,
    Timestamp,
    about,
    create_of,
    update_of,
)

_TIME = "2026-11-22T03:31:00.000000Z"
_COMPLETED = about("When it was done; null while it isn't. Set with the `import` permission.", _TIME)
_REMINDED = about("When the reminder came: once for each `remind_at`, with a `task.updated` event whose action is `tasks.remind`.", _TIME)


class TaskFields(Output):
    """The fields of a task."""

    subject: Name = about("What is to be done.", "Send the offer")
    description: LongText | None = about("The details.", "With the discount we talked about.")
    status: Literal["open", "in_progress", "waiting", "done", "cancelled"] = about("How far it is.", "open")
    priority: Literal["low", "normal", "high"] = about("How much it matters.", "normal")
    due_at: Timestamp | None = about("When it must be done.", _TIME)
    remind_at: Timestamp | None = about("When to be reminded of it, unless it is done by then.", _TIME)
    depends_on_id: Ref | None = about(
        "The task that must be done first. A cycle is refused (422 `cycle`).", "01976f6e-8a00-7000-8000-0000000000f1"
    )


class TaskRead(TaskFields, RecordRead):
    """A task: something to be done by somebody by a certain time."""

    object: Literal["tasks"] = about("The object's name.", "tasks")
    completed_at: Annotated[Timestamp | None, _COMPLETED]
    reminded_at: Annotated[Timestamp | None, _REMINDED]


@create_of(TaskFields, required=("subject",))
class TaskCreate(RecordCreate):
    """A new task."""

    completed_at: Annotated[Timestamp | MISSING | None, _COMPLETED] = MISSING


@update_of(TaskFields)
class TaskUpdate(RecordUpdate):
    """Changes of a task, as a merge patch."""
