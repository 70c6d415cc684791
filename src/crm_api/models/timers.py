"""Timers: what is to happen at a later time of the organisation's own clock."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import TIMESTAMPTZ, Base


class Timer(Base):
    """One thing that is due for one subject: a kind happens to a subject once, or is set anew.

    `due_at` is business time. `retry_at` is PostgreSQL's own time, before which an attempt that failed is not repeated. No
    row-level security: workers look here before they know an organisation, so a row holds nothing but ids and times.
    """

    __tablename__ = "timers"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    attempts: Mapped[int] = mapped_column(Integer, nullable=False, server_default=text("0"))
    retry_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False, server_default=text("'-infinity'"))
    __table_args__ = (Index("ix_timers_due_at", "org_id", "due_at", "kind", "subject_id"),)
