"""How an organisation's people see their records: list views, layouts, navigation, themes, widgets, links; and segments.

What the first six hold is described by data, not by columns: paths, conditions, sections. They are checked against the object
they are about (`applies_to`) whenever they are written, and read again when they are used, since fields come and go.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm_api.models.base import TIMESTAMPTZ, Base, RecordMixin, SearchMixin
from crm_api.models.columns import (
    FieldSpec,
    FieldType,
    boolean_field,
    integer_field,
    items_field,
    json_field,
    picklist_field,
    reference_field,
    text_field,
    timestamp_field,
    url_field,
)

LAYOUT_TYPES = ("detail", "card", "edit", "list", "related", "canvas")


def _object(*, required: bool = True) -> Any:
    """The name of the object that this is about; it stays what it was made for."""
    spec = FieldSpec(FieldType.TEXT, folded=True, max_length=80, indexed=True, writable="create")
    return mapped_column(Text, nullable=not required, info={"field": spec})


def _key() -> Any:
    """A key of something that is not an object of its own, such as a profile."""
    return mapped_column(Text, nullable=True, info={"field": FieldSpec(FieldType.TEXT, folded=True, max_length=60)})


def _tree() -> Any:
    """A search tree, kept and replaced as one value."""
    return mapped_column(JSONB(none_as_null=True), nullable=True, info={"field": FieldSpec(FieldType.ITEMS)})


class View(RecordMixin, SearchMixin, Base):
    """A saved list or board: columns, order and numbered conditions."""

    __tablename__ = "views"

    applies_to: Mapped[str] = _object()
    name: Mapped[str] = text_field(required=True, indexed=True)
    kind: Mapped[str] = picklist_field("list", "board", required=True, default="list")
    visibility: Mapped[str] = picklist_field("private", "shared", required=True, default="private")
    shared_with: Mapped[list[dict[str, str]]] = items_field()
    columns: Mapped[list[str]] = items_field()
    sort: Mapped[list[str]] = items_field()
    criteria: Mapped[list[dict[str, Any]]] = items_field()
    pattern: Mapped[str | None] = text_field(1000)
    group_by: Mapped[str | None] = text_field(80)
    sums: Mapped[list[str]] = items_field()
    column_settings: Mapped[list[dict[str, Any]]] = items_field()


class Layout(RecordMixin, SearchMixin, Base):
    """How one record is shown or edited, for a profile or by default."""

    __tablename__ = "layouts"

    applies_to: Mapped[str] = _object()
    name: Mapped[str] = text_field(required=True, indexed=True)
    type: Mapped[str] = picklist_field(*LAYOUT_TYPES, required=True, default="detail", writable="create")
    profile_id: Mapped[str | None] = _key()
    is_default: Mapped[bool] = boolean_field()
    sections: Mapped[list[dict[str, Any]]] = items_field()
    related_lists: Mapped[list[dict[str, Any]]] = items_field()
    canvas: Mapped[dict[str, Any] | None] = json_field()


class NavigationMenu(RecordMixin, SearchMixin, Base):
    """What a user interface offers to go to: objects, views, pages, addresses, in groups."""

    __tablename__ = "navigation_menus"

    name: Mapped[str] = text_field(required=True, indexed=True)
    profile_id: Mapped[str | None] = _key()
    is_default: Mapped[bool] = boolean_field()
    entries: Mapped[list[dict[str, Any]]] = items_field()


class Theme(RecordMixin, SearchMixin, Base):
    """Colours, logo and density of a user interface."""

    __tablename__ = "themes"

    name: Mapped[str] = text_field(required=True, indexed=True)
    profile_id: Mapped[str | None] = _key()
    is_default: Mapped[bool] = boolean_field()
    mode: Mapped[str] = picklist_field("light", "dark", "auto", required=True, default="auto")
    density: Mapped[str] = picklist_field("comfortable", "compact", required=True, default="comfortable")
    colors: Mapped[dict[str, Any] | None] = json_field()
    logo_url: Mapped[str | None] = url_field()


class Widget(RecordMixin, SearchMixin, Base):
    """A piece of a page: a list, a figure, a chart or a page of somebody else's."""

    __tablename__ = "widgets"

    name: Mapped[str] = text_field(required=True, indexed=True)
    type: Mapped[str] = picklist_field("list", "figure", "chart", "text", "web", required=True, default="list")
    placement: Mapped[str] = picklist_field("home", "detail", "sidebar", required=True, default="home", indexed=True)
    applies_to: Mapped[str | None] = _object(required=False)
    source_view_id: Mapped[UUID | None] = reference_field("views", inverse="widgets")
    profile_id: Mapped[str | None] = _key()
    position: Mapped[int | None] = integer_field(minimum=0, maximum=10_000, indexed=True)
    url: Mapped[str | None] = url_field()
    settings: Mapped[dict[str, Any] | None] = json_field()


class CustomLink(RecordMixin, SearchMixin, Base):
    """A link beside a record whose address holds values of the record."""

    __tablename__ = "custom_links"

    applies_to: Mapped[str] = _object()
    name: Mapped[str] = text_field(required=True, indexed=True)
    url_template: Mapped[str] = mapped_column(Text, nullable=False, info={"field": FieldSpec(FieldType.TEXT, folded=True, max_length=2000)})
    placement: Mapped[str] = picklist_field("detail", "list", "related", required=True, default="detail", indexed=True)
    opens_in: Mapped[str] = picklist_field("new", "same", required=True, default="new")
    profile_id: Mapped[str | None] = _key()
    position: Mapped[int | None] = integer_field(minimum=0, maximum=10_000, indexed=True)


class Segment(RecordMixin, SearchMixin, Base):
    """A named set of records: chosen one by one, or by a filter."""

    __tablename__ = "segments"

    applies_to: Mapped[str] = _object()
    name: Mapped[str] = text_field(required=True, indexed=True)
    kind: Mapped[str] = picklist_field("static", "dynamic", required=True, default="static", writable="create")
    description: Mapped[str | None] = text_field(2000)
    filter: Mapped[dict[str, Any] | None] = _tree()
    member_count: Mapped[int | None] = integer_field(writable="never")
    members_changed_at: Mapped[datetime | None] = timestamp_field(writable="never")


class RecentItem(Base):
    """A record that a person looked at. Few for each person: those that were not looked at longest go."""

    __tablename__ = "recent_items"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    object: Mapped[str] = mapped_column(Text, primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    viewed_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)
    __table_args__ = (Index("ix_recent_items_viewed_at", "org_id", "user_id", "viewed_at"),)


class HomePage(Base):
    """What a person has put on the home page."""

    __tablename__ = "home_pages"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    widgets: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, nullable=False, server_default=text("'[]'"))
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ, nullable=False)


class BoardPosition(Base):
    """Where a card was put by hand: its rank among the cards of a column, as text that sorts byte by byte.

    Only cards that somebody has moved have one. It holds while the record is still in that column.
    """

    __tablename__ = "board_positions"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    object: Mapped[str] = mapped_column(Text, primary_key=True)
    field: Mapped[str] = mapped_column(Text, primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    column_key: Mapped[str] = mapped_column(Text, nullable=False)
    rank: Mapped[str] = mapped_column(Text(collation="C"), nullable=False)
    __table_args__ = (Index("uq_board_positions_rank", "org_id", "object", "field", "column_key", "rank", unique=True),)
