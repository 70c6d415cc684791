"""Lists that each organisation shapes itself: lead statuses, lifecycle stages, contact roles.

Records hold the `key`, which never changes; labels may. Logic looks at the `role`, never at a key or label, because
organisations differ in what they call a thing.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import Base, RecordMixin
from crm_api.models.columns import FieldSpec, FieldType, boolean_field, integer_field, picklist_field, text_field

LEAD_ROLES = ("open", "working", "qualified", "converted", "remarket", "junk", "dead")
LIFECYCLE_ROLES = ("subscriber", "lead", "mal", "mql", "sal", "sql", "opportunity", "customer", "evangelist", "other")


def _transitions() -> Any:
    """Keys that may follow this one; null means any."""
    from sqlalchemy.dialects.postgresql import JSONB

    return mapped_column(JSONB(none_as_null=True), nullable=True, info={"field": FieldSpec(FieldType.ITEMS)})


class LeadStatus(RecordMixin, Base):
    """A state of a lead. `role` says what it means to the product."""

    __tablename__ = "lead_statuses"

    key: Mapped[str] = mapped_column(
        nullable=False, info={"field": FieldSpec(FieldType.TEXT, folded=True, max_length=60, unique=True, writable="create")}
    )
    label: Mapped[str] = text_field(120, required=True)
    role: Mapped[str] = picklist_field(*LEAD_ROLES, required=True, default="open")
    position: Mapped[int] = integer_field(minimum=0, maximum=10_000, required=True, indexed=True)
    is_default: Mapped[bool] = boolean_field()
    reason_required: Mapped[bool] = boolean_field()
    transitions: Mapped[list[str] | None] = _transitions()


class LifecycleStage(RecordMixin, Base):
    """How far a person has come on the way to being a customer."""

    __tablename__ = "lifecycle_stages"

    key: Mapped[str] = mapped_column(
        nullable=False, info={"field": FieldSpec(FieldType.TEXT, folded=True, max_length=60, unique=True, writable="create")}
    )
    label: Mapped[str] = text_field(120, required=True)
    role: Mapped[str] = picklist_field(*LIFECYCLE_ROLES, required=True, default="other")
    position: Mapped[int] = integer_field(minimum=0, maximum=10_000, required=True, indexed=True)
    transitions: Mapped[list[str] | None] = _transitions()


class ContactRole(RecordMixin, Base):
    """What a contact is to a deal, a case or an account (decision maker, user, …)."""

    __tablename__ = "contact_roles"

    key: Mapped[str] = mapped_column(
        nullable=False, info={"field": FieldSpec(FieldType.TEXT, folded=True, max_length=60, unique=True, writable="create")}
    )
    label: Mapped[str] = text_field(120, required=True)
    position: Mapped[int] = integer_field(minimum=0, maximum=10_000, required=True, indexed=True)
