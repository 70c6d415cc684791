"""What people have agreed to, how long data is kept, and which addresses must not come back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import TIMESTAMPTZ, Base, RecordMixin
from crm_api.models.columns import (
    FieldSpec,
    FieldType,
    boolean_field,
    integer_field,
    long_text_field,
    owned,
    personal,
    picklist_field,
    reference_field,
    text_field,
    timestamp_field,
)

CHANNELS = ("email", "phone", "sms", "post", "any")
CONSENT_STATES = ("granted", "withdrawn", "denied")
LEGAL_BASES = ("consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests")
RETENTION_ACTIONS = ("delete", "purge", "erase", "anonymize")


class Consent(RecordMixin, Base):
    """What a person said, at one time, about being addressed for a purpose over a channel. Never changed: the next one counts."""

    __tablename__ = "consents"

    contact_id: Mapped[UUID | None] = owned(reference_field("contacts", writable="create"))
    lead_id: Mapped[UUID | None] = owned(reference_field("leads", writable="create"))
    purpose: Mapped[str] = mapped_column(
        Text, nullable=False, info={"field": FieldSpec(FieldType.TEXT, max_length=60, indexed=True, writable="create")}
    )
    channel: Mapped[str] = picklist_field(*CHANNELS, required=True, default="any", writable="create")
    status: Mapped[str] = picklist_field(*CONSENT_STATES, required=True, writable="create", indexed=True)
    legal_basis: Mapped[str | None] = picklist_field(*LEGAL_BASES, writable="create")
    source: Mapped[str | None] = text_field()
    occurred_at: Mapped[datetime] = timestamp_field(writable="create", indexed=True)
    proof: Mapped[str | None] = personal(long_text_field())


class RetentionPolicy(RecordMixin, Base):
    """How long records of an object are kept after a date of theirs, and what becomes of them then."""

    __tablename__ = "retention_policies"

    name: Mapped[str] = text_field(required=True, unique=True, indexed=True)
    applies_to: Mapped[str] = mapped_column(
        Text, nullable=False, info={"field": FieldSpec(FieldType.TEXT, folded=True, max_length=80, indexed=True, writable="create")}
    )
    filter: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True), nullable=True, info={"field": FieldSpec(FieldType.ITEMS)}
    )
    date_field: Mapped[str] = mapped_column(Text, nullable=False, info={"field": FieldSpec(FieldType.TEXT, max_length=120)})
    after: Mapped[str] = mapped_column(Text, nullable=False, info={"field": FieldSpec(FieldType.TEXT, max_length=40)})
    action: Mapped[str] = picklist_field(*RETENTION_ACTIONS, required=True, default="delete")
    is_active: Mapped[bool] = boolean_field()
    last_run_at: Mapped[datetime | None] = timestamp_field(writable="never")
    last_run_count: Mapped[int | None] = integer_field(writable="never")


class Suppression(Base):
    """An address that was erased, as a keyed hash: nobody can read it, but it is known again when it comes back."""

    __tablename__ = "suppressions"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
