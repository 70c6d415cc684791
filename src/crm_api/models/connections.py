"""Connections: how an organisation reaches the services of others, and the secrets for that."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import TIMESTAMPTZ, Base, RecordMixin, SearchMixin, reference_key
from crm_api.models.columns import (
    FieldSpec,
    FieldType,
    boolean_field,
    integer_field,
    items_field,
    picklist_field,
    text_field,
    timestamp_field,
    url_field,
)
from crm_api.models.sealed import sealed_column


def _derived_flag() -> Any:
    spec = FieldSpec(FieldType.BOOLEAN, writable="never")
    return mapped_column(Boolean, nullable=False, server_default=text("false"), info={"field": spec})


class Connection(RecordMixin, SearchMixin, Base):
    """A service of somebody else and how to sign in there. What is secret about it stands in `connection_secrets`, sealed."""

    __tablename__ = "connections"

    name: Mapped[str] = text_field(required=True, unique=True, indexed=True)
    provider: Mapped[str] = text_field(60, required=True, indexed=True)
    type: Mapped[str] = picklist_field("oauth2", "api_key", "basic", "bearer", "smtp", required=True, writable="create", indexed=True)
    base_url: Mapped[str | None] = url_field()
    host: Mapped[str | None] = text_field(253)
    port: Mapped[int | None] = integer_field(minimum=1, maximum=65_535)
    username: Mapped[str | None] = text_field()
    header_name: Mapped[str | None] = text_field(60)
    client_id: Mapped[str | None] = text_field()
    token_url: Mapped[str | None] = url_field()
    scopes: Mapped[list[str]] = items_field()
    is_active: Mapped[bool] = boolean_field(default=True)
    status: Mapped[str] = picklist_field(
        "no_secret", "ready", "working", "failing", required=True, default="no_secret", writable="never", indexed=True
    )
    has_secret: Mapped[bool] = _derived_flag()
    secret_set_at: Mapped[datetime | None] = timestamp_field(writable="never")
    expires_at: Mapped[datetime | None] = timestamp_field(writable="never")
    tested_at: Mapped[datetime | None] = timestamp_field(writable="never")
    last_error: Mapped[str | None] = mapped_column(
        Text, nullable=True, info={"field": FieldSpec(FieldType.LONG_TEXT, folded=True, max_length=1000, writable="never")}
    )


class ConnectionSecret(Base):
    """What is secret about a connection: a JSON object, sealed. Gone with the connection, also when that is only deleted softly."""

    __tablename__ = "connection_secrets"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    secret: Mapped[bytes] = sealed_column()
    set_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    __table_args__ = (reference_key("connection_secrets", "connection_id", "connections", ondelete="CASCADE"),)
