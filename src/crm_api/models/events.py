"""The event log and what is derived from it.

`events` is only ever inserted into: it is the change history, the audit trail of data, the journal's content and what `as_of`
reads backwards. `outbox` holds the events that have no number yet, `journal` the per-organisation numbers, `event_snapshots`
the record after each event, so that it can be dropped by the day. All four are partitioned by the event's UUIDv7, i.e. by time.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import TIMESTAMPTZ, Base


class Event(Base):
    """One change of one record in one transaction."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_record_id", "org_id", "record_id", "id"),
        Index(
            "ix_events_related",
            "related",
            postgresql_using="gin",
            postgresql_ops={"related": "jsonb_path_ops"},
            postgresql_where=text("related <> '[]'::jsonb"),
        ),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(Text, nullable=False)
    object: Mapped[str] = mapped_column(Text, nullable=False)
    record_id: Mapped[UUID] = mapped_column(nullable=False)
    version: Mapped[int] = mapped_column(BigInteger, nullable=False)
    occurred_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    actor: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)
    cause: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)
    visibility: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)
    transaction_id: Mapped[UUID] = mapped_column(nullable=False)
    transaction_index: Mapped[int] = mapped_column(Integer, nullable=False)
    transaction_last: Mapped[bool] = mapped_column(Boolean, nullable=False)
    related: Mapped[list[str]] = mapped_column(JSONB, nullable=False, server_default=text("'[]'"))


class OutboxRow(Base):
    """An event that waits for its number. No row-level security: the relay reads it before it knows an organisation."""

    __tablename__ = "outbox"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)


class JournalEntry(Base):
    """The number that an event has in its organisation: gap-free, rising, per record in the order of versions."""

    __tablename__ = "journal"
    __table_args__ = (Index("ix_journal_event_id", "org_id", "event_id"), {"postgresql_partition_by": "RANGE (event_id)"})

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)


class JournalHead(Base):
    """The last number of an organisation's journal, for those who look for organisations with news; no row-level security."""

    __tablename__ = "journal_heads"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, nullable=False)


class JournalConsumer(Base):
    """How far something that the product does with every event has come in an organisation; no row-level security, like the heads."""

    __tablename__ = "journal_consumers"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, nullable=False)


class EventSnapshot(Base):
    """The record's row after the event (its columns as JSON, without what is derived from them)."""

    __tablename__ = "event_snapshots"
    __table_args__ = ({"postgresql_partition_by": "RANGE (event_id)"},)

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    row: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)


class Counter(Base):
    """A gap-free counter of an organisation (`journal`, `cases`, …); its row is locked until the transaction ends."""

    __tablename__ = "counters"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger, nullable=False)
