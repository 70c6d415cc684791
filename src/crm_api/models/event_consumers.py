"""How far readers of the journal have come, where they let us remember it for them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import TIMESTAMPTZ, Base

NO_APP = UUID(int=0)
"""What stands for the app where a token was made by hand; part of the key, which takes no null."""


class EventConsumer(Base):
    """A named place in the journal: `seq` is the number of the last event that its reader has dealt with.

    It is the user's whose token made it, or of that user's grant to an app: apps see their own only, and a grant to another
    user has others, since two users are not told the same events.
    """

    __tablename__ = "event_consumers"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    app_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, nullable=False)
    version: Mapped[int] = mapped_column(BigInteger, nullable=False)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
