"""What organisations add to the model: objects, fields, and the records of their own objects."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import TIMESTAMPTZ, Base, RecordMixin, SearchMixin, TenantMixin
from crm_api.models.columns import FieldSpec, FieldType


class CustomRecord(RecordMixin, SearchMixin, Base):
    """A record of an object that an organisation made; `object` says which, all values are in `custom_fields`, all money in `currency`."""

    __tablename__ = "custom_records"

    object: Mapped[str] = mapped_column(Text, nullable=False, sort_order=-96, info={"discriminator": True})
    currency: Mapped[str] = mapped_column(Text, nullable=False, info={"field": FieldSpec(FieldType.TEXT, max_length=3)})


class DefinitionMixin(TenantMixin):
    """What definitions have in common: a stable name, a version, and the archive in place of deletion."""

    api_name: Mapped[str] = mapped_column(Text, nullable=False)
    label: Mapped[str] = mapped_column(Text, nullable=False)
    properties: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False, server_default=text("'{}'"))
    version: Mapped[int] = mapped_column(BigInteger, nullable=False)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    created_by: Mapped[dict[str, str]] = mapped_column(JSONB, nullable=False)
    updated_by: Mapped[dict[str, str]] = mapped_column(JSONB, nullable=False)
    archived_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ)


class ObjectDefinition(DefinitionMixin, Base):
    """An object that an organisation made. `api_name` is plural and stands in paths, `singular` in event types."""

    __tablename__ = "object_definitions"
    __table_args__ = (
        Index("uq_object_definitions_api_name", "org_id", "api_name", unique=True),
        Index("uq_object_definitions_singular", "org_id", "singular", unique=True),
    )

    singular: Mapped[str] = mapped_column(Text, nullable=False)
    plural_label: Mapped[str] = mapped_column(Text, nullable=False)


class FieldDefinition(DefinitionMixin, Base):
    """A field that an organisation added to an object, or what it changed about a standard one (`standard`).

    `slot` and `unique_slot` are the reserved columns that hold its comparable value (see models/slots.py). `state` is
    `active`, or `building` while existing records still wait for their slot or formula value; reads then go by the JSON.
    """

    __tablename__ = "field_definitions"
    __table_args__ = (Index("uq_field_definitions_api_name", "org_id", "object", "api_name", unique=True),)

    object: Mapped[str] = mapped_column(Text, nullable=False)
    type: Mapped[str] = mapped_column(Text, nullable=False)
    position: Mapped[int] = mapped_column(Integer, nullable=False, server_default=text("0"))
    slot: Mapped[str | None] = mapped_column(Text)
    unique_slot: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, nullable=False, server_default=text("'active'"))


class SchemaVersion(Base):
    """The organisation's schema after each change, for the difference between two versions; kept by count."""

    __tablename__ = "schema_versions"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    changed_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    changed_by: Mapped[dict[str, str]] = mapped_column(JSONB, nullable=False)
    schema: Mapped[dict[str, Any]] = mapped_column(JSONB, nullable=False)
