"""The audit log: who did what that an auditor asks about, each entry chained to the one before by its hash.

Entries are only ever added. What is personal in them stands in columns of its own beside a commitment to it, so that it can be
blanked without breaking the chain. How hashes are made is `kernel/audit_chain.py`'s business.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import TIMESTAMPTZ, Base


class AuditEntry(Base):
    """One entry. `details`, `cause` and `personal` are JSON kept as the very text that was hashed.

    `commitment` is the salted digest of `personal`; `salt` and `personal` are null where there is nothing personal, and after it
    was erased (`erased_at`).
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("uq_audit_log_id", "org_id", "id", unique=True),
        Index("ix_audit_log_occurred_at", "org_id", "occurred_at", "seq"),
        Index("ix_audit_log_actor_id", "org_id", "actor_id", "seq"),
        Index("ix_audit_log_record_id", "org_id", "record_id", "seq"),
        Index("ix_audit_log_object", "org_id", "object", "seq"),
        Index("ix_audit_log_action", "org_id", "action", "seq"),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    id: Mapped[UUID] = mapped_column(nullable=False)
    occurred_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    actor_type: Mapped[str] = mapped_column(Text, nullable=False)
    actor_id: Mapped[UUID | None] = mapped_column()
    action: Mapped[str] = mapped_column(Text(collation="C"), nullable=False)
    object: Mapped[str | None] = mapped_column(Text)
    record_id: Mapped[UUID | None] = mapped_column()
    request_id: Mapped[str | None] = mapped_column(Text)
    cause: Mapped[str] = mapped_column(Text, nullable=False)
    details: Mapped[str] = mapped_column(Text, nullable=False)
    commitment: Mapped[bytes | None] = mapped_column(LargeBinary)
    prev_hash: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    salt: Mapped[bytes | None] = mapped_column(LargeBinary)
    personal: Mapped[str | None] = mapped_column(Text)
    erased_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)


class AuditHead(Base):
    """The end of an organisation's chain. Locked by whoever adds to it until their transaction ends, so that it can't fork."""

    __tablename__ = "audit_heads"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, nullable=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)


class AuditCheckpoint(Base):
    """A signed statement of how far the chain went at an instant; `number` counts an organisation's checkpoints without gaps."""

    __tablename__ = "audit_checkpoints"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, nullable=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    signed_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    key_id: Mapped[str] = mapped_column(Text, nullable=False)
    signature: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
