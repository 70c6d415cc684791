"""Sandboxes, and the earlier states of configurations."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import TIMESTAMPTZ, Base, TenantMixin


class ConfigSnapshot(TenantMixin, Base):
    """An organisation's configuration as it was before something was applied to it."""

    __tablename__ = "config_snapshots"

    reason: Mapped[str] = mapped_column(Text, nullable=False)
    config: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    created_by: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)


class Sandbox(TenantMixin, Base):
    """A sandbox as the organisation that it was made from knows it; `id` is the sandbox's own organisation.

    `secret` is the key under which ids and personal data become others; it stays outside the sandbox. `user_id` made it and
    is the one member who is the same person in both. `job_id` is what was last done with it.
    """

    __tablename__ = "sandboxes"

    name: Mapped[str] = mapped_column(Text, nullable=False)
    copy: Mapped[str] = mapped_column(Text, nullable=False)
    mask: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    sample_size: Mapped[int | None] = mapped_column()
    status: Mapped[str] = mapped_column(Text, nullable=False, server_default=text("'making'"))
    job_id: Mapped[UUID] = mapped_column(nullable=False)
    user_id: Mapped[UUID] = mapped_column(nullable=False)
    secret: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    refreshed_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    created_by: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)
    __table_args__ = (Index("ix_sandboxes_created_at", "org_id", "created_at"),)
