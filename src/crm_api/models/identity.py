"""What belongs to a person rather than to an organisation: sign-in sessions, second factors, links in mails, mails to be sent.

None of these tables has a fence of row-level security: they are looked at before any organisation is known, by a hash or by
the person's id. Secrets in them are hashes, or encrypted. Their times are real ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import TIMESTAMPTZ, Base
from crm_api.models.sealed import sealed_column

PERSONAL: Final[Mapping[str, str]] = {
    "sessions": "hash",
    "session_devices": "user_id",
    "failed_attempts": "subject",
    "second_factors": "user_id",
    "recovery_codes": "user_id",
    "mail_links": "hash",
    "mails": "id",
    "belongings": "user_id",
}
"""The tables of this module, and the column by which each is found (and spread over a cluster)."""


class Session(Base):
    """A browser in which somebody has signed in, found by the SHA-256 of its cookie.

    `level` tells how: `pending` (the password was right, the second factor is still to come), `password`, `totp`.
    """

    __tablename__ = "sessions"

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    id: Mapped[UUID] = mapped_column(nullable=False)
    user_id: Mapped[UUID] = mapped_column(nullable=False)
    level: Mapped[str] = mapped_column(Text, nullable=False)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    used_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    expires_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    __table_args__ = (Index("ix_sessions_user_id", "user_id", "id"),)


class SessionDevice(Base):
    """From where a session was opened, as its owner sees it in the list of sessions."""

    __tablename__ = "session_devices"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_agent: Mapped[str] = mapped_column(Text, nullable=False)
    address: Mapped[str] = mapped_column(Text, nullable=False)


class FailedAttempt(Base):
    """How often somebody has failed at something lately: signing in to an account, or from an address.

    `subject` is a keyed hash of both; it says nothing about whether the account exists.
    """

    __tablename__ = "failed_attempts"

    subject: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    count: Mapped[int] = mapped_column(Integer, nullable=False)
    since: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    __table_args__ = (Index("ix_failed_attempts_since", "since"),)


class SecondFactor(Base):
    """A person's secret for one-time codes (RFC 6238), encrypted; in force once `confirmed_at` is set.

    `last_step` is the time step of the last code taken: no code of that step or an earlier one is taken again.
    """

    __tablename__ = "second_factors"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    secret: Mapped[bytes] = sealed_column()
    last_step: Mapped[int] = mapped_column(BigInteger, nullable=False, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    confirmed_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)


class RecoveryCode(Base):
    """A code that stands in once for the second factor; what is stored is its SHA-256."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    used_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)


class MailLink(Base):
    """A link that was mailed to a person, found by the SHA-256 of what is secret in it, good for one use.

    `purpose` is `reset` or `activate`; the latter is an invitation into the organisation `org_id`.
    """

    __tablename__ = "mail_links"

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    purpose: Mapped[str] = mapped_column(Text, nullable=False)
    user_id: Mapped[UUID] = mapped_column(nullable=False)
    org_id: Mapped[UUID | None] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    expires_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    used_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    __table_args__ = (Index("ix_mail_links_user_id", "user_id"), Index("ix_mail_links_expires_at", "expires_at"))


class Mail(Base):
    """A mail to be sent. What is secret in it is made when it is sent, so none stands here.

    `due_at` (PostgreSQL's clock) is when a worker may take it, also again if the one that took it does not come back. `kind` is
    `reset` or `activate`; for `reset`, whether there is such a person is found out by whoever sends it, not by whoever asks.
    `body` is the text of a mail that could only be kept, since no mail server is configured.
    """

    __tablename__ = "mails"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text, nullable=False)
    recipient: Mapped[str] = mapped_column(Text, nullable=False)
    recipient_key: Mapped[str] = mapped_column(Text(collation="C"), nullable=False)
    user_id: Mapped[UUID | None] = mapped_column()
    org_id: Mapped[UUID | None] = mapped_column()
    language: Mapped[str] = mapped_column(Text, nullable=False)
    attempt: Mapped[int] = mapped_column(Integer, nullable=False, server_default=text("0"))
    due_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    body: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (Index("ix_mails_due_at", "due_at"), Index("ix_mails_recipient_key", "recipient_key", "created_at"))


class Belonging(Base):
    """Which organisations a person belongs to: what sign-in must know before there is an organisation to look into.

    A copy of the member's `status`, written in the same transaction.
    """

    __tablename__ = "belongings"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(Text, nullable=False)
