"""Activities: what people do with and note about records. Linked to any number of them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped

from crm_api.models.base import Base, RecordMixin, SearchMixin
from crm_api.models.columns import long_text_field, personal, picklist_field, reference_field, rich_text_field, text_field, timestamp_field


class Task(RecordMixin, SearchMixin, Base):
    """Something to be done by somebody by a certain time."""

    __tablename__ = "tasks"

    subject: Mapped[str] = personal(text_field(required=True, indexed=True))
    description: Mapped[str | None] = personal(long_text_field())
    status: Mapped[str] = picklist_field("open", "in_progress", "waiting", "done", "cancelled", required=True, default="open", indexed=True)
    priority: Mapped[str] = picklist_field("low", "normal", "high", required=True, default="normal")
    due_at: Mapped[datetime | None] = timestamp_field(indexed=True)
    remind_at: Mapped[datetime | None] = timestamp_field()
    reminded_at: Mapped[datetime | None] = timestamp_field(writable="never")
    completed_at: Mapped[datetime | None] = timestamp_field(writable="import")
    depends_on_id: Mapped[UUID | None] = reference_field("tasks", inverse="dependents")


class Note(RecordMixin, SearchMixin, Base):
    """A remark worth keeping."""

    __tablename__ = "notes"

    title: Mapped[str | None] = personal(text_field(indexed=True))
    body: Mapped[dict[str, str]] = personal(rich_text_field(required=True))
