"""Boards: the records of any object in columns, by a picklist or by a reference to records that stand in an order.

Here is what makes columns; `board_page` reads a board, `board_move` moves its cards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import ColumnElement, FromClause, Select

from crm_api.kernel.fields import Field
from crm_api.kernel.query.filters import ORG
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource
from crm_api.models.base import table as table_of
from crm_api.models.columns import FieldType
from crm_api.models.presentation import BoardPosition
from crm_api.models.sales import Pipeline

POSITIONS: Final = table_of(BoardPosition)
PIPELINES: Final = "pipelines"
MAX_COLUMNS: Final = 200
_MOST: Final[ColumnElement[int]] = sa.literal_column(str(MAX_COLUMNS))
NUMBERS: Final = (FieldType.INTEGER, FieldType.NUMBER, FieldType.DECIMAL, FieldType.CURRENCY)


@dataclass(frozen=True, slots=True)
class BoardColumns:
    """What makes the columns of a board.

    `options`: a picklist's own options. `keys`: the records of another object whose `key`s the picklist holds. `reference`: the
    records that a reference may point to, by their `position`; `parent` is then the reference by which they belong together
    (`pipeline_id`), of which a board shows one.
    """

    field: Field
    kind: Literal["options", "keys", "reference"]
    target: AnyResource | None = None
    parent: Field | None = None
    options: tuple[tuple[str, str], ...] = ()

    @property
    def type(self) -> sa.types.TypeEngine[Any]:
        """The type of a column's value."""
        return sa.Uuid() if self.kind == "reference" else sa.Text()

    def value(self, row: FromClause) -> ColumnElement[Any]:
        """The value of a record that says in which column it stands."""
        return self.field.comparable(row) if self.kind == "reference" else self.field.value(row)


@dataclass(frozen=True, slots=True)
class BoardDefaults:
    """What an object says of its own board: the field that is taken when none is named, the column that keeps the order of its
    cards there, and the sums above its columns (name → field)."""

    group_by: str
    rank: str
    sums: Mapping[str, str] = field(default_factory=dict)


DEFAULTS: Final[Mapping[str, BoardDefaults]] = {
    "deals": BoardDefaults("stage_id", "board_position", {"amount_base": "amount_base", "weighted_base": "weighted_amount_base"}),
}


def columns_of(registry: Registry, resource: AnyResource, name: str) -> BoardColumns | None:
    """The columns that a field makes; None if it makes none."""
    found = resource.field_named(name)
    if found is None:
        return None
    if found.type is FieldType.PICKLIST:
        if found.spec.option_object is not None:
            target = registry.get(found.spec.option_object)
            return None if target is None else BoardColumns(found, "keys", target)
        if found.definition is not None:
            return BoardColumns(found, "options", options=tuple((option.key, option.label) for option in found.definition.options))
        return BoardColumns(found, "options", options=tuple((key, key) for key in found.spec.options)) if found.spec.options else None
    if found.type is not FieldType.REFERENCE or found.spec.target is None:
        return None
    target = registry.get(found.spec.target)
    if target is None or target.fields.get("position") is None:
        return None
    parent = next((f for f in target.references.values() if f.spec.target == target.parent), None) if target.parent else None
    return BoardColumns(found, "reference", target, parent)


def groupable(registry: Registry, resource: AnyResource) -> list[str]:
    """The fields of which a board can be made."""
    return [name for name in resource.all_fields if columns_of(registry, resource, name) is not None]


def default_group(registry: Registry, resource: AnyResource) -> str | None:
    """The field that makes the columns when none is named: the object's own choice, else its first reference to records in an
    order, else its first picklist."""
    if resource.name in DEFAULTS:
        return DEFAULTS[resource.name].group_by
    names = groupable(registry, resource)
    references = [name for name in names if resource.all_fields[name].type is FieldType.REFERENCE]
    return next(iter([*references, *names]), None)


def is_summable(found: Field) -> bool:
    """Whether a field has sums."""
    return found.type in NUMBERS and found.name != "version"


def sums_of(resource: AnyResource, names: tuple[str, ...] | None) -> dict[str, Field]:
    """The sums above each column by name: those asked for, else the object's own, else of all its amounts."""
    fields = resource.all_fields
    if names is not None:
        return {name: fields[name] for name in names if name in fields and is_summable(fields[name])}
    if resource.name in DEFAULTS:
        return {name: fields[of] for name, of in DEFAULTS[resource.name].sums.items()}
    return {name: found for name, found in fields.items() if found.type is FieldType.CURRENCY}


def own_rank(resource: AnyResource, name: str) -> str | None:
    """The record's own column that keeps the order of the cards, where it has one for this board."""
    defaults = DEFAULTS.get(resource.name)
    return defaults.rank if defaults is not None and defaults.group_by == name else None


def column_rows(columns: BoardColumns, object_name: str, *, of_default: bool) -> Select[Any]:
    """The columns in order: `key`, `label`, `value` (what the field holds) and `place`.

    Takes `labels` and `keys` for options, `parent` for the records of one parent; `of_default`: of the default one.
    """
    if columns.kind == "options":
        array = ARRAY(sa.Text())
        given = (
            sa.func.unnest(sa.bindparam("keys", type_=array), sa.bindparam("labels", type_=array))
            .table_valued("key", "label", with_ordinality="place")
            .render_derived(name="opt")
        )
        key: ColumnElement[Any] = sa.type_coerce(given.c.key, sa.Text())
        return sa.select(
            key.label("key"), given.c.label.label("label"), key.label("value"), sa.cast(given.c.place, sa.BigInteger).label("place")
        )
    assert columns.target is not None
    row = columns.target.table.alias("opt")
    where = [row.c.org_id == ORG, row.c.deleted_at.is_(None), *columns.target.scope(row)]
    if columns.kind == "keys":
        shown = [row.c.key.label("key"), row.c.display_name.label("label"), row.c.key.label("value")]
        return (
            sa.select(*shown, sa.cast(row.c.position, sa.BigInteger).label("place"))
            .where(*where)
            .order_by(row.c.position, row.c.id)
            .limit(_MOST)
        )
    shown = [sa.cast(row.c.id, sa.Text).label("key"), row.c.display_name.label("label"), row.c.id.label("value")]
    found = sa.select(*shown, sa.cast(columns.target.fields["position"].value(row), sa.BigInteger).label("place")).where(*where)
    if columns.parent is not None and not of_default:
        found = found.where(columns.parent.comparable(row) == sa.bindparam("parent", type_=sa.Uuid()))
    elif columns.parent is not None and columns.parent.spec.target == PIPELINES:
        found = found.where(columns.parent.comparable(row).in_(_default_pipeline(object_name)))
    return found.order_by(sa.text("place"), row.c.id).limit(_MOST)


def _default_pipeline(object_name: str) -> Select[Any]:
    """The pipeline that is taken when none is named."""
    pipelines = table_of(Pipeline).alias("par")
    return sa.select(pipelines.c.id).where(
        pipelines.c.org_id == ORG,
        pipelines.c.deleted_at.is_(None),
        pipelines.c.is_default,
        pipelines.c.applies_to == sa.literal_column(f"'{object_name}'"),
    )


def position_join(
    columns: BoardColumns, object_name: str, row: FromClause, key: ColumnElement[Any]
) -> tuple[FromClause, ColumnElement[bool]]:
    """The ranks of cards that were put where they are by hand, and how they belong to the records of a column."""
    placed = POSITIONS.alias("bp")
    on = sa.and_(
        placed.c.org_id == ORG,
        placed.c.object == sa.literal_column(f"'{object_name}'"),
        placed.c.field == sa.literal_column(f"'{columns.field.name}'"),
        placed.c.record_id == row.c.id,
        placed.c.column_key == key,
    )
    return placed, on


__all__ = [
    "MAX_COLUMNS", "POSITIONS", "BoardColumns", "BoardDefaults", "column_rows", "columns_of", "default_group", "groupable",
    "is_summable", "own_rank", "position_join", "sums_of",
]  # fmt: skip
