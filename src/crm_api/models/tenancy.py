"""Organisations, the people in them, and what lets a caller in."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import TIMESTAMPTZ, Base, RecordMixin, SearchMixin
from crm_api.models.columns import FieldSpec, FieldType, email_field, personal, picklist_field, reference_field, text_field


class Organization(Base):
    """One customer of ours; the tenant. Read by every request and written almost never, so it holds nothing that changes often.

    A sandbox has the organisation that it was made from as `parent_id`, and a clock of its own: `clock_offset_us` microseconds
    ahead of real time, or standing still at `clock_frozen_at`. `suppression_key` is the key under which it remembers addresses that
    must not come back; null where it never had to.
    """

    __tablename__ = "organizations"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, nullable=False)
    environment: Mapped[str] = mapped_column(Text, nullable=False, server_default=text("'production'"))
    currency: Mapped[str] = mapped_column(Text, nullable=False, server_default=text("'USD'"))
    time_zone: Mapped[str] = mapped_column(Text, nullable=False, server_default=text("'UTC'"))
    locale: Mapped[str] = mapped_column(Text, nullable=False, server_default=text("'en'"))
    region: Mapped[str] = mapped_column(Text, nullable=False, server_default=text("'US'"))
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False, server_default=text("'{}'"))
    schema_version: Mapped[int] = mapped_column(BigInteger, nullable=False, server_default=text("1"))
    access_version: Mapped[int] = mapped_column(BigInteger, nullable=False, server_default=text("1"))
    clock_offset_us: Mapped[int] = mapped_column(BigInteger, nullable=False, server_default=text("0"))
    clock_frozen_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    parent_id: Mapped[UUID | None] = mapped_column()
    suppression_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)


class User(Base):
    """A person who can sign in; may belong to several organisations."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(Text, nullable=False)
    email_key: Mapped[str] = mapped_column(Text(collation="C"), nullable=False)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    __table_args__ = (Index("uq_users_email_key", "email_key", unique=True),)


class Credential(Base):
    """A user's password hash (argon2id), apart from the user so that no listing of users can reach it."""

    __tablename__ = "credentials"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    password_hash: Mapped[str] = mapped_column(Text, nullable=False)
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)


class Member(RecordMixin, SearchMixin, Base):
    """A user's membership of one organisation: what `/v1/users` shows and what `owner_id` points to; `id` is the user's id."""

    __tablename__ = "members"

    name: Mapped[str] = personal(text_field(required=True, indexed=True))
    email: Mapped[str] = personal(email_field(unique=True, writable="create"))
    status: Mapped[str] = picklist_field("active", "invited", "suspended", required=True, default="active", writable="never")
    kind: Mapped[str] = picklist_field("person", "service", required=True, default="person", writable="never")
    profile_id: Mapped[UUID] = reference_field("profiles", inverse="users", required=True)
    role_id: Mapped[UUID | None] = reference_field("roles", inverse="users")
    manager_id: Mapped[UUID | None] = reference_field("users", inverse="reports")
    time_zone: Mapped[str | None] = mapped_column(Text, info={"field": FieldSpec(FieldType.TEXT, max_length=64)})
    locale: Mapped[str | None] = mapped_column(Text, info={"field": FieldSpec(FieldType.TEXT, max_length=16)})
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False, server_default=text("'{}'"))


class Token(Base):
    """An API token, found by the SHA-256 of its text before any organisation is known; hence no row-level security here.

    `kind` is `personal` (it acts as the member who has it) or `service` (it acts as a member of its own); `maker_id` made it.
    `fields` are the only fields it knows of the objects named there, `networks` (CIDR) the only ones it is taken from.
    `preferences` is a copy of what the member has set (JSON), null for one who has set nothing.

    Tokens of OAuth have the kind `at` (access), `app` (access of an app that acts as itself) or `rt` (refresh), an `app_id`, and
    the id of their grant (`models/oauth.py`) as `id`. `audience` is what they are good for, null for this API. A refresh token is
    used once, at `used_at`; `parent` is the one that it was given for.
    """

    __tablename__ = "tokens"

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    id: Mapped[UUID] = mapped_column(nullable=False)
    org_id: Mapped[UUID] = mapped_column(nullable=False)
    user_id: Mapped[UUID] = mapped_column(nullable=False)
    kind: Mapped[str] = mapped_column(Text, nullable=False, server_default=text("'personal'"))
    name: Mapped[str] = mapped_column(Text, nullable=False)
    prefix: Mapped[str] = mapped_column(Text, nullable=False)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), nullable=False)
    fields: Mapped[dict[str, list[str]] | None] = mapped_column(JSONB(none_as_null=True))
    networks: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    maker_id: Mapped[UUID | None] = mapped_column()
    api_version: Mapped[str | None] = mapped_column(Text)
    app_id: Mapped[UUID | None] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    expires_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    last_used_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    revoked_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    preferences: Mapped[str | None] = mapped_column(Text)
    user_suspended: Mapped[bool] = mapped_column(Boolean, nullable=False, server_default=text("false"))
    audience: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    parent: Mapped[bytes | None] = mapped_column(LargeBinary)
    used_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    __table_args__ = (
        Index("ix_tokens_org_id", "org_id", "id"),
        Index("ix_tokens_id", "id"),
        Index("ix_tokens_app_id", "app_id", postgresql_where=text("app_id IS NOT NULL")),
    )
