"""OAuth: apps, what was granted to them, and the codes that lead to tokens. The tokens themselves stand in `tokens`.

Apps belong to the whole installation, since the token endpoint meets them before it knows an organisation; they are written
almost never. Codes, pushed requests and device codes are found by the SHA-256 of what the client holds, have no fence of
row-level security, and hold ids, hashes, times and the parameters of the request. Their times are real ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Index, Integer, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import TIMESTAMPTZ, Base, TenantMixin

OAUTH: Final[Mapping[str, str]] = {"oauth_codes": "hash", "oauth_requests": "hash", "oauth_device_codes": "hash"}
"""The tables of this module that are looked at before an organisation is known, and the column by which each is found."""


class OAuthClient(Base):
    """An app that may ask for tokens; its id is its `client_id`.

    `owner_org_id` is the organisation that registered it, null for one that registered itself for all. In `client_credentials`
    it acts in that organisation with the rights of `run_as_user_id`. `previous_secret_hash` goes on working until
    `previous_secret_until`.
    """

    __tablename__ = "oauth_clients"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_org_id: Mapped[UUID | None] = mapped_column()
    name: Mapped[str] = mapped_column(Text, nullable=False)
    type: Mapped[str] = mapped_column(Text, nullable=False)
    redirect_uris: Mapped[list[str]] = mapped_column(ARRAY(Text), nullable=False)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), nullable=False)
    grant_types: Mapped[list[str]] = mapped_column(ARRAY(Text), nullable=False)
    auth_method: Mapped[str | None] = mapped_column(Text)
    first_party: Mapped[bool] = mapped_column(Boolean, nullable=False, server_default=text("false"))
    distribution: Mapped[str] = mapped_column(Text, nullable=False, server_default=text("'org'"))
    install: Mapped[str] = mapped_column(Text, nullable=False, server_default=text("'user'"))
    require_par: Mapped[bool] = mapped_column(Boolean, nullable=False, server_default=text("false"))
    logo_uri: Mapped[str | None] = mapped_column(Text)
    client_uri: Mapped[str | None] = mapped_column(Text)
    run_as_user_id: Mapped[UUID | None] = mapped_column()
    created_by: Mapped[UUID | None] = mapped_column()
    secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    secret_prefix: Mapped[str | None] = mapped_column(Text)
    previous_secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    previous_secret_until: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    version: Mapped[int] = mapped_column(BigInteger, nullable=False, server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    disabled_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    __table_args__ = (Index("ix_oauth_clients_owner_org_id", "owner_org_id", "id"),)


class OAuthGrant(TenantMixin, Base):
    """What an app was allowed by one consent: the family of all tokens that come from it, whose `id` is this one's.

    `kind` is `user` for an app that acts for `user_id`, `app` for one that acts as itself with that user's rights.
    """

    __tablename__ = "oauth_grants"

    app_id: Mapped[UUID] = mapped_column(nullable=False)
    user_id: Mapped[UUID] = mapped_column(nullable=False)
    kind: Mapped[str] = mapped_column(Text, nullable=False)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), nullable=False)
    audience: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    expires_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    revoked_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    revoked_because: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (Index("ix_oauth_grants_user_id", "org_id", "user_id", "id"), Index("ix_oauth_grants_app_id", "org_id", "app_id"))


class OAuthCode(Base):
    """An authorization code (RFC 6749 4.1.2), with all that it is bound to; good for one use."""

    __tablename__ = "oauth_codes"

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    org_id: Mapped[UUID] = mapped_column(nullable=False)
    user_id: Mapped[UUID] = mapped_column(nullable=False)
    app_id: Mapped[UUID] = mapped_column(nullable=False)
    grant_id: Mapped[UUID] = mapped_column(nullable=False)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), nullable=False)
    audience: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    redirect_uri: Mapped[str] = mapped_column(Text, nullable=False)
    redirect_uri_given: Mapped[bool] = mapped_column(Boolean, nullable=False)
    challenge: Mapped[str] = mapped_column(Text, nullable=False)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    expires_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    used_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    __table_args__ = (Index("ix_oauth_codes_expires_at", "expires_at"),)


class OAuthRequest(Base):
    """A pushed authorization request (RFC 9126): the parameters as a query string.

    Once a browser has opened it (`opened_at`), the person in front of it has some time to sign in and decide.
    """

    __tablename__ = "oauth_requests"

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    app_id: Mapped[UUID] = mapped_column(nullable=False)
    parameters: Mapped[str] = mapped_column(Text, nullable=False)
    expires_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    opened_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    used_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    __table_args__ = (Index("ix_oauth_requests_expires_at", "expires_at"),)


class OAuthDeviceCode(Base):
    """A device that waits for somebody to let it in elsewhere (RFC 8628). Both of its codes are stored as hashes.

    `interval` is the seconds between two polls, `polled_at` the last one. `status` is `pending`, `allowed` or `denied`; the
    organisation, the user and the grant are known once it is `allowed`.
    """

    __tablename__ = "oauth_device_codes"

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_code_hash: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    app_id: Mapped[UUID] = mapped_column(nullable=False)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), nullable=False)
    audience: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    status: Mapped[str] = mapped_column(Text, nullable=False, server_default=text("'pending'"))
    org_id: Mapped[UUID | None] = mapped_column()
    user_id: Mapped[UUID | None] = mapped_column()
    grant_id: Mapped[UUID | None] = mapped_column()
    interval: Mapped[int] = mapped_column(Integer, nullable=False)
    polled_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    hasty: Mapped[bool] = mapped_column(Boolean, nullable=False, server_default=text("false"))
    expires_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    used_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    __table_args__ = (
        Index("ix_oauth_device_codes_user_code", "user_code_hash"),
        Index("ix_oauth_device_codes_expires_at", "expires_at"),
    )
