"""Exchange rates: what one unit of a currency was worth in the organisation's own, from a day on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import Date, Index, Numeric, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import Base, RecordMixin
from crm_api.models.columns import FieldSpec, FieldType


class ExchangeRate(RecordMixin, Base):
    """`rate` units of `base_currency` for one of `currency`, from `valid_from` until the next rate of the pair."""

    __tablename__ = "exchange_rates"

    currency: Mapped[str] = mapped_column(Text, nullable=False, info={"field": FieldSpec(FieldType.TEXT, max_length=3, writable="create")})
    base_currency: Mapped[str] = mapped_column(
        Text, nullable=False, info={"field": FieldSpec(FieldType.TEXT, max_length=3, writable="never")}
    )
    rate: Mapped[Decimal] = mapped_column(Numeric(asdecimal=True), nullable=False, info={"field": FieldSpec(FieldType.DECIMAL)})
    valid_from: Mapped[date] = mapped_column(Date, nullable=False, info={"field": FieldSpec(FieldType.DATE, indexed=True)})
    __table_args__ = (
        Index(
            "uq_exchange_rates_currency",
            "org_id",
            "currency",
            "base_currency",
            "valid_from",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )
