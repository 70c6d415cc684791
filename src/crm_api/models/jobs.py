"""Jobs: work that outlives its request, the records that it was given, and what went wrong with some of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import TIMESTAMPTZ, Base, TenantMixin, reference_key


class Job(TenantMixin, Base):
    """A piece of work, how far it has come, and who asked for it.

    `attempt` rises each time a worker takes the job up (or somebody cancels it) and is the fencing token: whoever holds an
    older one may not write any more. `tries` counts the attempts since the last progress. `position` is the next chunk.
    `principal` is the caller as it was when the job was accepted, scopes included.
    """

    __tablename__ = "jobs"

    type: Mapped[str] = mapped_column(Text, nullable=False)
    status: Mapped[str] = mapped_column(Text, nullable=False, server_default=text("'queued'"))
    request: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)
    principal: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)
    user_id: Mapped[UUID] = mapped_column(nullable=False)
    created_by: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)
    done: Mapped[int] = mapped_column(Integer, nullable=False, server_default=text("0"))
    total: Mapped[int | None] = mapped_column(Integer)
    failed: Mapped[int] = mapped_column(Integer, nullable=False, server_default=text("0"))
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    position: Mapped[int] = mapped_column(Integer, nullable=False, server_default=text("0"))
    attempt: Mapped[int] = mapped_column(Integer, nullable=False, server_default=text("0"))
    tries: Mapped[int] = mapped_column(Integer, nullable=False, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    started_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    finished_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    expires_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)


class JobChunk(Base):
    """Some of the records that a job was given, in the order of its selection; gone when the job has ended."""

    __tablename__ = "job_chunks"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    ids: Mapped[list[UUID]] = mapped_column(ARRAY(PgUUID(as_uuid=True)), nullable=False)
    __table_args__ = (reference_key("job_chunks", "job_id", "jobs", ondelete="CASCADE"),)


class JobError(Base):
    """Why one record of a job was left as it was; `position` is the record's place in the selection."""

    __tablename__ = "job_errors"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    record_id: Mapped[UUID] = mapped_column(nullable=False)
    error: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)
    __table_args__ = (reference_key("job_errors", "job_id", "jobs", ondelete="CASCADE"),)


class JobDue(Base):
    """A job that has not ended: when a worker may take it up, at once or when the lease of the one that has it runs out.

    No row-level security: workers look here before they know an organisation. Times are PostgreSQL's own.
    """

    __tablename__ = "job_due"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    attempt: Mapped[int] = mapped_column(Integer, nullable=False, server_default=text("0"))
    __table_args__ = (Index("ix_job_due_due_at", "org_id", "due_at"),)
