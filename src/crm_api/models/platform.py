"""What the kernel keeps beside the records: links between them, external ids, tombstones, and answers to repeated requests."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import TIMESTAMPTZ, Base, TenantMixin


class Link(TenantMixin, Base):
    """An edge of a many-to-many relation (`deals.contacts`), with attributes of its own (roles, is_primary)."""

    __tablename__ = "links"

    relation: Mapped[str] = mapped_column(Text, nullable=False)
    from_object: Mapped[str] = mapped_column(Text, nullable=False)
    from_id: Mapped[UUID] = mapped_column(nullable=False)
    to_object: Mapped[str] = mapped_column(Text, nullable=False)
    to_id: Mapped[UUID] = mapped_column(nullable=False)
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False, server_default=text("'{}'"))
    version: Mapped[int] = mapped_column(BigInteger, nullable=False)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    __table_args__ = (
        Index("uq_links_edge", "org_id", "relation", "from_id", "to_id", unique=True),
        Index("ix_links_to_id", "org_id", "relation", "to_id", "from_id"),
    )


class ExternalId(Base):
    """The id that a live record has in another system; one record per system and value."""

    __tablename__ = "external_ids"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    object: Mapped[str] = mapped_column(Text, primary_key=True)
    system: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[str] = mapped_column(Text, primary_key=True)
    record_id: Mapped[UUID] = mapped_column(nullable=False)
    __table_args__ = (Index("ix_external_ids_record_id", "org_id", "record_id"),)


class Tombstone(Base):
    """What is left of a purged record: its id never comes back and its version never restarts."""

    __tablename__ = "tombstones"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    object: Mapped[str] = mapped_column(Text, nullable=False)
    version: Mapped[int] = mapped_column(BigInteger, nullable=False)
    purged_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)


class IdempotencyKey(Base):
    """The stored answer to a write, committed with its effect; kept for a day."""

    __tablename__ = "idempotency_keys"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    principal_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    method: Mapped[str] = mapped_column(Text, nullable=False)
    path: Mapped[str] = mapped_column(Text, nullable=False)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    status: Mapped[int | None] = mapped_column(Integer)
    headers: Mapped[dict[str, str] | None] = mapped_column(JSONB(none_as_null=True))
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    __table_args__ = (Index("ix_idempotency_keys_created_at", "org_id", "created_at"),)
