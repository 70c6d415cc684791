"""Webhooks: endpoints, what is still to be delivered to them, and the log of what was.

`webhook_endpoints` is what people write. `webhook_states` is how each endpoint stands (its lease, circuit, failures): changed all
the time, by the worker that serves the endpoint alone. `webhook_due` tells workers which endpoints have something to do; it is
looked at before an organisation is known, so it holds ids and times only and has no row-level security. `webhook_queue` holds what
is not delivered yet and is small; `webhook_deliveries` and `webhook_attempts` are the log, dropped by the day.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Index, Integer, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import TIMESTAMPTZ, Base, RecordMixin, SearchMixin, reference_key
from crm_api.models.columns import (
    FieldSpec,
    FieldType,
    boolean_field,
    integer_field,
    items_field,
    json_field,
    long_text_field,
    picklist_field,
    timestamp_field,
)
from crm_api.models.sealed import sealed_column

STATUSES = ("enabled", "paused", "disabled")
REASONS = ("manual", "failing", "gone", "grant_revoked", "user_inactive")
DELIVERY_STATUSES = ("pending", "retrying", "succeeded", "exhausted", "skipped", "cancelled")


def _derived_id() -> Any:
    return mapped_column(info={"field": FieldSpec(FieldType.UUID, writable="never")})


class WebhookEndpoint(RecordMixin, SearchMixin, Base):
    """Where events are sent. It sees the journal as `acts_as` says: as the organisation, as the user who made it, or as the grant of
    the app that made it; `scopes` and `token_fields` (of the token it was made with) bound what it is told."""

    __tablename__ = "webhook_endpoints"

    url: Mapped[str] = mapped_column(Text, nullable=False, info={"field": FieldSpec(FieldType.URL, folded=True, max_length=2048)})
    description: Mapped[str | None] = long_text_field(2000)
    event_types: Mapped[list[str]] = items_field()
    filters: Mapped[list[dict[str, Any]]] = items_field()
    payload: Mapped[str] = picklist_field("full", "thin", required=True, default="full")
    headers: Mapped[dict[str, str] | None] = json_field()
    rate_per_s: Mapped[int | None] = integer_field(minimum=1, maximum=1_000)
    max_concurrency: Mapped[int] = integer_field(minimum=1, maximum=100, required=True, default=10)
    ordering: Mapped[str] = picklist_field("none", "fifo", required=True, default="none")
    batch: Mapped[dict[str, Any] | None] = json_field()
    debounce_s: Mapped[int] = integer_field(minimum=0, maximum=3_600, required=True, default=0)
    exclude_own: Mapped[bool] = boolean_field()
    status: Mapped[str] = picklist_field(*STATUSES, required=True, default="enabled", indexed=True)
    disabled_reason: Mapped[str | None] = picklist_field(*REASONS, writable="never")
    disabled_at: Mapped[datetime | None] = timestamp_field(writable="never")
    api_version: Mapped[str | None] = mapped_column(Text, info={"field": FieldSpec(FieldType.TEXT, max_length=10)})
    metadata_: Mapped[dict[str, Any] | None] = mapped_column(
        "metadata", JSONB(none_as_null=True), nullable=True, info={"field": FieldSpec(FieldType.JSON)}
    )
    acts_as: Mapped[str] = picklist_field("organization", "user", "grant", required=True, default="organization", writable="never")
    acting_user_id: Mapped[UUID | None] = _derived_id()
    app_id: Mapped[UUID | None] = _derived_id()
    grant_id: Mapped[UUID | None] = _derived_id()
    last_delivered_cursor: Mapped[str | None] = mapped_column(
        Text, info={"field": FieldSpec(FieldType.TEXT, max_length=255, writable="never")}
    )
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), nullable=False, server_default=text("'{}'"))
    token_fields: Mapped[dict[str, list[str]] | None] = mapped_column(JSONB(none_as_null=True))
    token_id: Mapped[UUID | None] = mapped_column()
    __table_args__ = (Index("ix_webhook_endpoints_grant_id", "org_id", "grant_id", postgresql_where="grant_id IS NOT NULL"),)


class WebhookSecret(Base):
    """What is secret about an endpoint, sealed: keys that sign (`v1`: HMAC, `v1a`: Ed25519) and values of its custom headers (`header`).

    A key that was rotated out signs beside the new one until `expires_at`.
    """

    __tablename__ = "webhook_secrets"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    endpoint_id: Mapped[UUID] = mapped_column(nullable=False)
    kind: Mapped[str] = mapped_column(Text, nullable=False)
    name: Mapped[str | None] = mapped_column(Text)
    secret: Mapped[bytes] = sealed_column()
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    expires_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    __table_args__ = (
        reference_key("webhook_secrets", "endpoint_id", "webhook_endpoints", ondelete="CASCADE"),
        Index("ix_webhook_secrets_endpoint_id", "org_id", "endpoint_id", "id"),
    )


class WebhookState(Base):
    """How an endpoint stands. Times are PostgreSQL's own.

    `after_seq`: events up to this number are not for it. `lease_id` is the serving worker's until `lease_until`; every write of a worker
    asks for it, so that one that lost it changes nothing. `failing_since` is the first failure since the last success.
    The circuit counts attempts in a window; while it is open until `open_until` nothing is sent, then one delivery tries.
    """

    __tablename__ = "webhook_states"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    endpoint_id: Mapped[UUID] = mapped_column(primary_key=True)
    after_seq: Mapped[int] = mapped_column(BigInteger, nullable=False)
    lease_id: Mapped[UUID | None] = mapped_column()
    lease_until: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    circuit: Mapped[str] = mapped_column(Text, nullable=False, server_default=text("'closed'"))
    open_until: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    openings: Mapped[int] = mapped_column(Integer, nullable=False, server_default=text("0"))
    window_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    window_total: Mapped[int] = mapped_column(Integer, nullable=False, server_default=text("0"))
    window_failed: Mapped[int] = mapped_column(Integer, nullable=False, server_default=text("0"))
    failing_since: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    told_failing: Mapped[bool] = mapped_column(Boolean, nullable=False, server_default=text("false"))
    last_success_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    last_failure_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    __table_args__ = (reference_key("webhook_states", "endpoint_id", "webhook_endpoints", ondelete="CASCADE"),)


class WebhookDue(Base):
    """When a worker has to look at an endpoint next: when something is due, or when the lease of its server runs out."""

    __tablename__ = "webhook_due"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    endpoint_id: Mapped[UUID] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    __table_args__ = (Index("ix_webhook_due_due_at", "org_id", "due_at"),)


class WebhookQueueRow(Base):
    """A delivery that is not done: pending, or to be tried again. `id` is the delivery's; `events` are the events it tells of, the
    youngest last (more than one only where changes are gathered). `batch_id` is set once it was sent with others, and stays."""

    __tablename__ = "webhook_queue"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    endpoint_id: Mapped[UUID] = mapped_column(nullable=False)
    seq: Mapped[int] = mapped_column(BigInteger, nullable=False)
    events: Mapped[list[UUID]] = mapped_column(ARRAY(PgUUID(as_uuid=True)), nullable=False)
    record_id: Mapped[UUID] = mapped_column(nullable=False)
    due_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    attempts: Mapped[int] = mapped_column(SmallInteger, nullable=False, server_default=text("0"))
    manual: Mapped[bool] = mapped_column(Boolean, nullable=False, server_default=text("false"))
    batch_id: Mapped[UUID | None] = mapped_column()
    __table_args__ = (
        # First tries and repeated ones are picked apart, so that neither keeps the other waiting.
        Index("ix_webhook_queue_first", "org_id", "endpoint_id", "due_at", "seq", postgresql_where=text("attempts = 0")),
        Index("ix_webhook_queue_again", "org_id", "endpoint_id", "due_at", "seq", postgresql_where=text("attempts > 0")),
        Index("ix_webhook_queue_seq", "org_id", "endpoint_id", "seq"),
        Index("ix_webhook_queue_record_id", "org_id", "endpoint_id", "record_id"),
    )


class WebhookDelivery(Base):
    """One event for one endpoint, and what became of it. `id` is made of both (`flows/webhooks/ids.py`) and begins with the event's time,
    so there is never a second one, and it lies in the event's partition."""

    __tablename__ = "webhook_deliveries"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    endpoint_id: Mapped[UUID] = mapped_column(nullable=False)
    event_id: Mapped[UUID] = mapped_column(nullable=False)
    event_type: Mapped[str] = mapped_column(Text, nullable=False)
    seq: Mapped[int] = mapped_column(BigInteger, nullable=False)
    record_id: Mapped[UUID] = mapped_column(nullable=False)
    status: Mapped[str] = mapped_column(Text, nullable=False)
    reason: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(SmallInteger, nullable=False, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    next_attempt_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    finished_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    status_code: Mapped[int | None] = mapped_column(SmallInteger)
    error: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (
        Index("ix_webhook_deliveries_endpoint_id", "org_id", "endpoint_id", "id"),
        Index("ix_webhook_deliveries_event_id", "org_id", "event_id"),
        Index("ix_webhook_deliveries_status", "org_id", "status", "id"),
        {"postgresql_partition_by": "RANGE (id)"},
    )


class WebhookAttempt(Base):
    """One request that was made, and the answer. `deliveries` are those that it carried; none for a test. Times in milliseconds; the
    body of the answer is cut at 16 KB."""

    __tablename__ = "webhook_attempts"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    endpoint_id: Mapped[UUID] = mapped_column(nullable=False)
    delivery_id: Mapped[UUID | None] = mapped_column()
    message_id: Mapped[str] = mapped_column(Text, nullable=False)
    number: Mapped[int] = mapped_column(SmallInteger, nullable=False)
    trigger: Mapped[str] = mapped_column(Text, nullable=False)
    url: Mapped[str] = mapped_column(Text, nullable=False)
    started_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    succeeded: Mapped[bool] = mapped_column(Boolean, nullable=False)
    status_code: Mapped[int | None] = mapped_column(SmallInteger)
    error: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    timings: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)
    request_bytes: Mapped[int] = mapped_column(Integer, nullable=False)
    response_headers: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    response_body: Mapped[str | None] = mapped_column(Text)
    truncated: Mapped[bool] = mapped_column(Boolean, nullable=False, server_default=text("false"))
    __table_args__ = (
        Index("ix_webhook_attempts_delivery_id", "org_id", "delivery_id", "id"),
        Index("ix_webhook_attempts_endpoint_id", "org_id", "endpoint_id", "id"),
        {"postgresql_partition_by": "RANGE (id)"},
    )
