"""Accounts, contacts, leads, pipelines with their stages, and deals."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Numeric, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import TIMESTAMPTZ, Base, RecordMixin, SearchMixin, TenantMixin
from crm_api.models.columns import (
    FieldSpec,
    FieldType,
    address_field,
    boolean_field,
    date_field,
    domain_field,
    email_field,
    integer_field,
    items_field,
    json_field,
    long_text_field,
    money_field,
    number_field,
    personal,
    phone_field,
    picklist_field,
    reference_field,
    text_field,
    timestamp_field,
    url_field,
)


class Account(RecordMixin, SearchMixin, Base):
    """A company or other organisation that one does business with."""

    __tablename__ = "accounts"

    name: Mapped[str] = text_field(required=True, indexed=True)
    domain: Mapped[str | None] = domain_field()
    website: Mapped[str | None] = url_field()
    phone: Mapped[str | None] = phone_field()
    industry: Mapped[str | None] = text_field(indexed=True)
    employees: Mapped[int | None] = integer_field(minimum=0, big=True, indexed=True)
    annual_revenue: Mapped[Decimal | None] = money_field(indexed=True)
    currency: Mapped[str] = mapped_column(Text, nullable=False, info={"field": FieldSpec(FieldType.TEXT, max_length=3)})
    parent_id: Mapped[UUID | None] = reference_field("accounts", inverse="children")
    type: Mapped[str | None] = text_field(60)
    billing_address: Mapped[dict[str, str | None] | None] = address_field()
    shipping_address: Mapped[dict[str, str | None] | None] = address_field()
    description: Mapped[str | None] = long_text_field()


class Contact(RecordMixin, SearchMixin, Base):
    """A person, or an organisation, that one talks to."""

    __tablename__ = "contacts"

    kind: Mapped[str] = picklist_field("person", "organization", required=True, default="person")
    first_name: Mapped[str | None] = personal(text_field(indexed=True))
    last_name: Mapped[str | None] = personal(text_field(indexed=True))
    email: Mapped[str | None] = personal(email_field(unique=True))
    emails: Mapped[list[dict[str, Any]]] = personal(items_field())
    phone: Mapped[str | None] = personal(phone_field())
    phones: Mapped[list[dict[str, Any]]] = personal(items_field())
    title: Mapped[str | None] = text_field()
    department: Mapped[str | None] = text_field()
    account_id: Mapped[UUID | None] = reference_field("accounts", inverse="contacts")
    lifecycle_stage: Mapped[str | None] = picklist_field(source="lifecycle_stages", indexed=True)
    rating: Mapped[str | None] = picklist_field("hot", "warm", "cold")
    source: Mapped[str | None] = text_field()
    birthdate: Mapped[date | None] = personal(date_field())
    address: Mapped[dict[str, str | None] | None] = personal(address_field())
    email_opt_out: Mapped[bool] = boolean_field()
    do_not_call: Mapped[bool] = boolean_field()
    description: Mapped[str | None] = personal(long_text_field())


class Lead(RecordMixin, SearchMixin, Base):
    """Somebody who may become a contact: not yet qualified, not yet in the address book."""

    __tablename__ = "leads"

    first_name: Mapped[str | None] = personal(text_field())
    last_name: Mapped[str | None] = personal(text_field(indexed=True))
    company: Mapped[str | None] = text_field(indexed=True)
    email: Mapped[str | None] = personal(email_field())
    phone: Mapped[str | None] = personal(phone_field())
    title: Mapped[str | None] = text_field()
    website: Mapped[str | None] = personal(url_field())
    source: Mapped[str | None] = text_field()
    status: Mapped[str] = picklist_field(source="lead_statuses", required=True, indexed=True)
    status_reason: Mapped[str | None] = text_field()
    lifecycle_stage: Mapped[str | None] = picklist_field(source="lifecycle_stages", indexed=True)
    rating: Mapped[str | None] = picklist_field("hot", "warm", "cold")
    score: Mapped[int | None] = integer_field(writable="never", indexed=True)
    qualification: Mapped[dict[str, Any] | None] = personal(json_field())
    description: Mapped[str | None] = personal(long_text_field())
    converted_at: Mapped[datetime | None] = timestamp_field(writable="never")
    converted_account_id: Mapped[UUID | None] = reference_field("accounts", writable="never")
    converted_contact_id: Mapped[UUID | None] = reference_field("contacts", writable="never")
    converted_deal_id: Mapped[UUID | None] = reference_field("deals", writable="never")


class Pipeline(RecordMixin, SearchMixin, Base):
    """An ordered set of stages that records of one object move through."""

    __tablename__ = "pipelines"

    name: Mapped[str] = text_field(required=True, indexed=True)
    applies_to: Mapped[str] = picklist_field(required=True, default="deals", writable="create")
    is_default: Mapped[bool] = boolean_field()
    __table_args__ = (
        Index("uq_pipelines_is_default", "org_id", "applies_to", unique=True, postgresql_where="is_default AND deleted_at IS NULL"),
    )


class Stage(RecordMixin, SearchMixin, Base):
    """One step of a pipeline."""

    __tablename__ = "stages"

    pipeline_id: Mapped[UUID] = reference_field("pipelines", inverse="stages", required=True, writable="create")
    name: Mapped[str] = text_field(required=True)
    position: Mapped[int] = integer_field(minimum=0, maximum=10_000, required=True, indexed=True)
    probability: Mapped[Decimal] = number_field(minimum=0, maximum=1)
    category: Mapped[str] = picklist_field("open", "won", "lost", required=True, default="open")
    forecast_category: Mapped[str | None] = picklist_field("pipeline", "best_case", "commit", "closed", "omitted")
    required_fields: Mapped[list[str]] = mapped_column(
        items_field().column.type, nullable=False, server_default="[]", info={"field": FieldSpec(FieldType.ITEMS)}
    )


class Deal(RecordMixin, SearchMixin, Base):
    """A possible sale, on its way through a pipeline."""

    __tablename__ = "deals"

    name: Mapped[str] = text_field(required=True, indexed=True)
    account_id: Mapped[UUID | None] = reference_field("accounts", inverse="deals")
    pipeline_id: Mapped[UUID] = reference_field("pipelines", inverse="deals", required=True)
    stage_id: Mapped[UUID] = reference_field("stages", inverse="deals", required=True)
    stage_entered_at: Mapped[datetime] = timestamp_field(writable="never")
    board_position: Mapped[str] = mapped_column(
        Text(collation="C"), nullable=False, server_default="", info={"field": FieldSpec(FieldType.TEXT, writable="never")}
    )
    amount: Mapped[Decimal | None] = money_field(indexed=True)
    currency: Mapped[str] = mapped_column(Text, nullable=False, info={"field": FieldSpec(FieldType.TEXT, max_length=3)})
    probability: Mapped[Decimal | None] = number_field(minimum=0, maximum=1)
    probability_overridden: Mapped[bool] = mapped_column(
        nullable=False, server_default="false", info={"field": FieldSpec(FieldType.BOOLEAN, writable="never")}
    )
    open_probability: Mapped[Decimal | None] = mapped_column(Numeric(asdecimal=True))
    weighted_amount: Mapped[Decimal | None] = mapped_column(
        Numeric(asdecimal=True), info={"field": FieldSpec(FieldType.CURRENCY, writable="never")}
    )
    close_date: Mapped[date | None] = date_field(indexed=True)
    opened_at: Mapped[datetime] = timestamp_field(writable="import", indexed=True)
    closed_at: Mapped[datetime | None] = timestamp_field(writable="import", indexed=True)
    status: Mapped[str] = picklist_field("open", "won", "lost", required=True, default="open", writable="never", indexed=True)
    lost_reason: Mapped[str | None] = text_field(500)
    source: Mapped[str | None] = text_field()
    type: Mapped[str | None] = text_field(60)
    next_step: Mapped[str | None] = text_field(500)
    description: Mapped[str | None] = long_text_field()
    __table_args__ = (Index("ix_deals_board", "org_id", "stage_id", "board_position", "id", postgresql_where="deleted_at IS NULL"),)


class StageChange(TenantMixin, Base):
    """One move of a record through a pipeline: `seconds` is the time it had spent in `from_stage_id`."""

    __tablename__ = "stage_changes"

    object: Mapped[str] = mapped_column(Text, nullable=False)
    record_id: Mapped[UUID] = mapped_column(nullable=False)
    pipeline_id: Mapped[UUID] = mapped_column(nullable=False)
    from_stage_id: Mapped[UUID | None] = mapped_column()
    to_stage_id: Mapped[UUID] = mapped_column(nullable=False)
    at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    seconds: Mapped[int | None] = mapped_column(BigInteger)
    actor: Mapped[dict[str, Any]] = mapped_column(json_field().column.type, nullable=False)
    __table_args__ = (
        Index("ix_stage_changes_record_id", "org_id", "object", "record_id", "at"),
        Index("ix_stage_changes_to_stage_id", "org_id", "to_stage_id"),
        Index("ix_stage_changes_from_stage_id", "org_id", "from_stage_id"),
    )
