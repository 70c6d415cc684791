"""Tickets: short-lived addresses of the event stream, for those who can't send a token."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import TIMESTAMPTZ, Base

TICKETS: Final[Mapping[str, str]] = {"event_tickets": "hash"}
"""The tables of this module that are looked at before an organisation is known, and the column by which each is found."""


class EventTicket(Base):
    """Stands for a token, on the stream alone. Found by the SHA-256 of its text; no row-level security. Its times are real ones.

    It has to be used before `open_until`, and then lets the same client come back until `expires_at`, as long as the token holds.
    """

    __tablename__ = "event_tickets"

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    org_id: Mapped[UUID] = mapped_column(nullable=False)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    open_until: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    expires_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    used_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    __table_args__ = (Index("ix_event_tickets_token_hash", "token_hash"), Index("ix_event_tickets_expires_at", "expires_at"))
