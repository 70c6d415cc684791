"""Cases (tickets) and the conversation on them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import Base, RecordMixin, SearchMixin
from crm_api.models.columns import (
    FieldSpec,
    FieldType,
    integer_field,
    json_field,
    long_text_field,
    personal,
    picklist_field,
    reference_field,
    rich_text_field,
    text_field,
    timestamp_field,
)


class Case(RecordMixin, SearchMixin, Base):
    """A customer's question, problem or request."""

    __tablename__ = "cases"

    number: Mapped[int] = integer_field(writable="never", required=True, big=True, indexed=True)
    subject: Mapped[str] = personal(text_field(required=True, indexed=True))
    description: Mapped[str | None] = personal(long_text_field())
    status: Mapped[str] = picklist_field("new", "open", "pending", "resolved", "closed", required=True, default="new", indexed=True)
    priority: Mapped[str] = picklist_field("low", "normal", "high", "urgent", required=True, default="normal", indexed=True)
    channel: Mapped[str | None] = picklist_field("email", "phone", "web", "chat", "api", "other")
    type: Mapped[str | None] = text_field(60)
    account_id: Mapped[UUID | None] = reference_field("accounts", inverse="cases")
    contact_id: Mapped[UUID | None] = reference_field("contacts", inverse="cases")
    queue_id: Mapped[UUID | None] = mapped_column(info={"field": FieldSpec(FieldType.UUID, writable="never")})
    parent_id: Mapped[UUID | None] = reference_field("cases", inverse="children")
    opened_at: Mapped[datetime] = timestamp_field(writable="import", indexed=True)
    first_response_at: Mapped[datetime | None] = timestamp_field(writable="import")
    resolved_at: Mapped[datetime | None] = timestamp_field(writable="import")
    closed_at: Mapped[datetime | None] = timestamp_field(writable="import")
    sla: Mapped[dict[str, Any] | None] = json_field()
    __table_args__ = (Index("uq_cases_number", "org_id", "number", unique=True),)


class CaseComment(RecordMixin, SearchMixin, Base):
    """One message on a case. An internal one is for staff only and never reaches the customer."""

    __tablename__ = "case_comments"

    case_id: Mapped[UUID] = reference_field("cases", inverse="comments", required=True, writable="create")
    body: Mapped[dict[str, str]] = personal(rich_text_field(required=True))
    visibility: Mapped[str] = picklist_field("public", "internal", required=True, default="internal", writable="create")
    author_kind: Mapped[str] = picklist_field("staff", "customer", required=True, default="staff", writable="create")
