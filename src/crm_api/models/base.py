"""The declarative base, the naming of constraints, and what every tenant table and every record has.

Rules that hold for each table here (see docs/architecture.md, "Tenancy"): `org_id` comes first in the primary key, in every
unique constraint, in every index and in every foreign key between tenant tables; ids are UUIDv7 made outside the database;
every constraint and index has a name of at most 50 characters.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Column, Computed, ForeignKeyConstraint, Index, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, TSVECTOR
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column

from crm_api.models.columns import FieldSpec, FieldType, base_field, key_type
from crm_api.models.slots import add_slots

NAMING = {
    "pk": "pk_%(table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

TIMESTAMPTZ = TIMESTAMP(timezone=True)


class Base(DeclarativeBase):
    """Adds the folded twin `<column>_key` of each text column that asks for one, and the twin `<column>_base` of each amount.

    The folded twin holds the NFKD, mark-free, case-folded text, written by the application and compared byte by byte, because the
    servers we run on differ in their collations and some have no ICU.
    """

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: TIMESTAMPTZ, UUID: PgUUID(as_uuid=True), str: Text()}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        columns = {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items() if isinstance(value, MappedColumn)}
        for name, value in columns.items():
            spec: FieldSpec | None = value.column.info.get("field")
            if spec is not None and spec.folded and not hasattr(cls, f"{name}_key"):
                setattr(cls, f"{name}_key", mapped_column(f"{name}_key", key_type(spec), nullable=True, info={"derived": True}))
            if spec is not None and spec.type is FieldType.CURRENCY and spec.base_of is None and not hasattr(cls, f"{name}_base"):
                setattr(cls, f"{name}_base", base_field(name))
        super().__init_subclass__(**kwargs)
        if issubclass(cls, RecordMixin):
            _complete_record_table(table(cls))


class TenantMixin:
    """A row of one organisation. No foreign key to organizations: each insert would lock and touch the parent's row."""

    org_id: Mapped[UUID] = mapped_column(PgUUID(as_uuid=True), primary_key=True, sort_order=-100)
    id: Mapped[UUID] = mapped_column(
        PgUUID(as_uuid=True), primary_key=True, sort_order=-99, info={"field": FieldSpec(FieldType.UUID, writable="create")}
    )


class RecordMixin(TenantMixin):
    """What every record has, standard or custom: the envelope of the API's records."""

    version: Mapped[int] = mapped_column(
        BigInteger, nullable=False, sort_order=-98, info={"field": FieldSpec(FieldType.INTEGER, writable="never")}
    )
    display_name: Mapped[str] = mapped_column(
        Text,
        nullable=False,
        server_default=text("''"),
        sort_order=-97,
        info={"field": FieldSpec(FieldType.TEXT, writable="never", folded=True)},
    )
    created_at: Mapped[datetime] = mapped_column(
        TIMESTAMPTZ, nullable=False, sort_order=-96, info={"field": FieldSpec(FieldType.DATETIME, writable="import")}
    )
    updated_at: Mapped[datetime] = mapped_column(
        TIMESTAMPTZ, nullable=False, sort_order=-95, info={"field": FieldSpec(FieldType.DATETIME, writable="never")}
    )
    deleted_at: Mapped[datetime | None] = mapped_column(
        TIMESTAMPTZ, sort_order=-94, info={"field": FieldSpec(FieldType.DATETIME, writable="never")}
    )
    created_by: Mapped[dict[str, str]] = mapped_column(
        JSONB, nullable=False, sort_order=-93, info={"field": FieldSpec(FieldType.ACTOR, writable="never")}
    )
    updated_by: Mapped[dict[str, str]] = mapped_column(
        JSONB, nullable=False, sort_order=-92, info={"field": FieldSpec(FieldType.ACTOR, writable="never")}
    )
    owner_id: Mapped[UUID | None] = mapped_column(
        PgUUID(as_uuid=True), sort_order=-91, info={"field": FieldSpec(FieldType.REFERENCE, target="users", indexed=True)}
    )
    merged_into: Mapped[UUID | None] = mapped_column(PgUUID(as_uuid=True), sort_order=90)
    tags: Mapped[list[str]] = mapped_column(
        ARRAY(Text), nullable=False, server_default=text("'{}'"), sort_order=91, info={"field": FieldSpec(FieldType.TAGS)}
    )
    external_ids: Mapped[dict[str, str]] = mapped_column(
        JSONB, nullable=False, server_default=text("'{}'"), sort_order=92, info={"field": FieldSpec(FieldType.EXTERNAL_IDS)}
    )
    custom_fields: Mapped[dict[str, Any]] = mapped_column(
        JSONB, nullable=False, server_default=text("'{}'"), sort_order=93, info={"field": FieldSpec(FieldType.CUSTOM_FIELDS, folded=True)}
    )


class SearchMixin:
    """Full text and `contains` over a record's search fields, with core PostgreSQL only.

    `search_text` is the folded text of the resource's search fields; words and prefixes are found by the generated
    `search` vector, substrings by `trigrams`, both made where the text is written.
    """

    search_text: Mapped[str] = mapped_column(Text, nullable=False, server_default=text("''"), sort_order=94, info={"derived": True})
    trigrams: Mapped[list[str]] = mapped_column(
        ARRAY(Text), nullable=False, server_default=text("'{}'"), sort_order=95, info={"derived": True}
    )
    search: Mapped[Any] = mapped_column(
        TSVECTOR, Computed("to_tsvector('simple', search_text)", persisted=True), sort_order=96, info={"derived": True, "generated": True}
    )


TABLE_OF = {"users": "members"}
"""Objects whose table has another name: what the API calls a user is a person's membership of one organisation."""


def table_of(object_name: str) -> str:
    """The table that holds the records of a standard object."""
    return TABLE_OF.get(object_name, object_name)


def short(name: str) -> str:
    """A constraint name within the house's 50 characters (some distributed servers append a shard number)."""
    return name if len(name) <= 50 else f"{name[:41]}_{hashlib.blake2b(name.encode(), digest_size=4).hexdigest()}"


def key_column(table: Table, column: Column[Any]) -> Column[Any]:
    """The column that is compared and sorted for a field: its folded twin where it has one."""
    return table.c.get(f"{column.name}_key", column)


def _complete_record_table(table: Table) -> None:
    """Gives a record table the constraints and indexes that its fields announce.

    Each reference becomes a composite foreign key (but those that the table names as `unreferenced`), each `indexed` field the index a
    keyset cursor walks, each `unique` field a unique index over the live records (a deleted record never blocks a value).
    """
    name = table.name
    lead = (table.c.org_id, *(column for column in table.columns if column.info.get("discriminator")))
    for column in list(table.columns):
        spec: FieldSpec | None = column.info.get("field")
        if spec is None:
            continue
        key = key_column(table, column)
        if spec.type is FieldType.REFERENCE and spec.target is not None and column.name not in table.info.get("unreferenced", ()):
            target = table_of(spec.target)
            table.append_constraint(
                ForeignKeyConstraint(["org_id", column.name], [f"{target}.org_id", f"{target}.id"], name=short(f"fk_{name}_{column.name}"))
            )
        if spec.indexed:
            Index(short(f"ix_{name}_{column.name}"), *lead, key, table.c.id)
        if spec.unique:
            Index(short(f"uq_{name}_{column.name}"), *lead, key, unique=True, postgresql_where=table.c.deleted_at.is_(None))
    for column_name in ("created_at", "updated_at"):
        Index(short(f"ix_{name}_{column_name}"), *lead, table.c[column_name], table.c.id)
    Index(short(f"ix_{name}_tags"), table.c.tags, postgresql_using="gin")
    if "search" in table.c:
        Index(short(f"ix_{name}_search"), table.c.search, postgresql_using="gin")
        Index(short(f"ix_{name}_trigrams"), table.c.trigrams, postgresql_using="gin")
    add_slots(table, lead)


def reference_key(table: str, column: str, target_table: str, *, ondelete: str | None = None) -> ForeignKeyConstraint:
    """The composite key (org_id, column) → (org_id, id) of a reference between two tenant tables."""
    return ForeignKeyConstraint(
        ["org_id", column], [f"{target_table}.org_id", f"{target_table}.id"], name=short(f"fk_{table}_{column}"), ondelete=ondelete
    )


def table(model: type[Base]) -> Table:
    """A model's table, typed as what it is: statements are written on tables, and SQLAlchemy's annotation is wider."""
    found = model.__table__
    assert isinstance(found, Table)
    return found
