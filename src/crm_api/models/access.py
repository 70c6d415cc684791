"""Who may do what: profiles, the role tree, teams, the rules that share or restrict records, territories, and single shares.

Everything but `record_shares` is what an organisation is set up to be: few rows, read as a whole by each process whenever
`organizations.access_version` has risen (`kernel/access/catalog.py`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import TIMESTAMPTZ, Base, RecordMixin, SearchMixin
from crm_api.models.columns import (
    FieldSpec,
    FieldType,
    boolean_field,
    integer_field,
    items_field,
    picklist_field,
    reference_field,
    text_field,
)

UNOWNED = {"unreferenced": ("owner_id",)}
"""Tables that members point to: a key from them to members would close a circle of foreign keys."""


def _object() -> Any:
    """The name of the object that a rule is about; it stays what it was made for."""
    spec = FieldSpec(FieldType.TEXT, folded=True, max_length=80, indexed=True, writable="create")
    return mapped_column(Text, nullable=False, info={"field": spec})


def _tree() -> Any:
    """A search tree, kept and replaced as one value."""
    return mapped_column(JSONB(none_as_null=True), nullable=True, info={"field": FieldSpec(FieldType.ITEMS)})


def _members() -> Any:
    """An object whose members are merged one by one when it is patched."""
    return mapped_column(JSONB, nullable=False, server_default=text("'{}'"), info={"field": FieldSpec(FieldType.JSON)})


class Profile(RecordMixin, SearchMixin, Base):
    """What its users may do with each object and each field, whosever the records are."""

    __tablename__ = "profiles"

    name: Mapped[str] = text_field(required=True, unique=True, indexed=True)
    key: Mapped[str | None] = mapped_column(
        Text, nullable=True, info={"field": FieldSpec(FieldType.TEXT, folded=True, max_length=60, unique=True, writable="create")}
    )
    description: Mapped[str | None] = text_field(2000)
    permissions: Mapped[dict[str, Any]] = _members()
    fields: Mapped[dict[str, Any]] = _members()
    is_default: Mapped[bool] = boolean_field()
    is_system: Mapped[bool] = mapped_column(
        Boolean, nullable=False, server_default=text("false"), info={"field": FieldSpec(FieldType.BOOLEAN, writable="never")}
    )
    __table_args__ = ({"info": UNOWNED},)


class Role(RecordMixin, SearchMixin, Base):
    """A place in the tree of roles: who has it sees what those below own."""

    __tablename__ = "roles"

    name: Mapped[str] = text_field(required=True, unique=True, indexed=True)
    parent_id: Mapped[UUID | None] = reference_field("roles", inverse="children")
    description: Mapped[str | None] = text_field(2000)
    __table_args__ = ({"info": UNOWNED},)


class Team(RecordMixin, SearchMixin, Base):
    """People whom records are shared with together; its members are links to users."""

    __tablename__ = "teams"

    name: Mapped[str] = text_field(required=True, unique=True, indexed=True)
    description: Mapped[str | None] = text_field(2000)


class SharingRule(RecordMixin, SearchMixin, Base):
    """Gives some people access to records of an object: those that others own, or those that meet criteria."""

    __tablename__ = "sharing_rules"

    applies_to: Mapped[str] = _object()
    name: Mapped[str] = text_field(required=True, indexed=True)
    owned_by: Mapped[dict[str, str] | None] = _tree()
    criteria: Mapped[dict[str, Any] | None] = _tree()
    share_with: Mapped[dict[str, str]] = mapped_column(JSONB, nullable=False, info={"field": FieldSpec(FieldType.ITEMS)})
    access: Mapped[str] = picklist_field("read", "write", required=True, default="read")
    is_active: Mapped[bool] = boolean_field(default=True)


class RestrictionRule(RecordMixin, SearchMixin, Base):
    """Confines some people to the records of an object that meet its criteria, whatever else gives them access."""

    __tablename__ = "restriction_rules"

    applies_to: Mapped[str] = _object()
    name: Mapped[str] = text_field(required=True, indexed=True)
    restricts: Mapped[list[dict[str, str]]] = items_field()
    criteria: Mapped[dict[str, Any] | None] = _tree()
    is_active: Mapped[bool] = boolean_field(default=True)


class Territory(RecordMixin, SearchMixin, Base):
    """A part of the market: who works in it sees the records that a run of the rules has put there, and those of parts below."""

    __tablename__ = "territories"

    name: Mapped[str] = text_field(required=True, unique=True, indexed=True)
    parent_id: Mapped[UUID | None] = reference_field("territories", inverse="children")
    description: Mapped[str | None] = text_field(2000)
    rules: Mapped[dict[str, Any]] = _members()
    access: Mapped[str] = picklist_field("read", "write", required=True, default="read")
    position: Mapped[int | None] = integer_field(minimum=0, maximum=10_000, indexed=True)


class RecordShare(Base):
    """One record shared with a user, role, team or territory. `source` tells who keeps it: people (`manual`) or a run (`territory`).

    `access` `full` makes a user a co-owner. `id` and `version` are those of its events; a share that comes again is another one.
    """

    __tablename__ = "record_shares"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    object: Mapped[str] = mapped_column(Text, primary_key=True)
    grantee_id: Mapped[UUID] = mapped_column(primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    grantee_type: Mapped[str] = mapped_column(Text, primary_key=True)
    source: Mapped[str] = mapped_column(Text, primary_key=True)
    id: Mapped[UUID] = mapped_column(nullable=False)
    version: Mapped[int] = mapped_column(BigInteger, nullable=False)
    access: Mapped[str] = mapped_column(Text, nullable=False)
    expires_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    created_by: Mapped[dict[str, str]] = mapped_column(JSONB, nullable=False)
    __table_args__ = (
        Index("ix_record_shares_record_id", "org_id", "record_id"),
        Index("uq_record_shares_id", "org_id", "id", unique=True),
    )
