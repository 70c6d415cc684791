"""What the writer reads off a resource's table once: which columns rows hold, their defaults, their derived twins."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from crm_api.core.json import dumps
from crm_api.kernel.context import Context
from crm_api.kernel.custom.writing import used_slots
from crm_api.kernel.fields import converter, fields_of
from crm_api.kernel.resource import AnyResource, Row
from crm_api.models import slots
from crm_api.models.columns import FieldType

SEARCH_COLUMNS = frozenset({"search_text", "trigrams", "search", *slots.NAMES})
"""What only searches and sorts need; no snapshot keeps it."""
STAMPS = frozenset({"version", "updated_at", "updated_by", "display_name"})
"""What changes with a record rather than being changed by somebody: no difference in these alone is a change."""

MEMBERWISE = frozenset({FieldType.EXTERNAL_IDS, FieldType.CUSTOM_FIELDS})
"""Types whose members change one by one."""

_UNSAID = frozenset({"id", *STAMPS})


class Shape:
    """The columns of one resource, sorted by what the writer does with them."""

    def __init__(self, resource: AnyResource) -> None:
        table = resource.table
        fields = resource.fields
        own = [f for f in fields.values() if f.member is None]
        every = resource.all_fields.values()
        self.resource = resource
        self.key = resource.key
        self.table = table
        self.custom = tuple(resource.custom.values())
        """The organisation's own fields, whose values are members of `custom_fields`."""
        unused = slots.NAMES - used_slots(resource)
        self.columns = tuple(c.name for c in table.c if c.name != "org_id" and not c.info.get("derived"))
        """The columns of a `Row`."""
        self.stored = tuple(c.name for c in table.c if c.name != "org_id" and c.computed is None and c.name not in unused)
        """All columns that a write may set."""
        self.json_columns = tuple(name for name in self.columns if isinstance(table.c[name].type, JSONB))
        self.array_columns = tuple(name for name in self.columns if isinstance(table.c[name].type, ARRAY))
        self.not_null = tuple(name for name in self.columns if not table.c[name].nullable)
        defaults = {name: _default(table.c[name]) for name in self.columns}
        self._plain_defaults = {name: value for name, value in defaults.items() if not isinstance(value, (list, dict))}
        self._fresh_defaults = {name: value for name, value in defaults.items() if isinstance(value, (list, dict))}
        if resource.made is not None:
            self._plain_defaults["object"] = resource.name
        self.keyed = tuple(
            (f, f.column, f.key) for f in own if f.key != f.column and f.name != "display_name" and f.type is not FieldType.CUSTOM_FIELDS
        )
        """Fields with a folded twin: field, column, the twin's column."""
        self.has_display_key = "display_name_key" in table.c
        self.tracked = tuple(f for f in fields_of(table).values() if f.spec.tracked and f.name not in _UNSAID)
        self.compared = tuple(
            (f.name, f.column, f.type is FieldType.CURRENCY, converter(f)) for f in self.tracked if f.type not in MEMBERWISE
        )
        """What events compare: name, column, whether digits count, and how a value becomes JSON."""
        self.memberwise = tuple(f for f in self.tracked if f.type in MEMBERWISE)
        self.unique = tuple(f for f in every if f.spec.unique)
        self.references = tuple(f for f in every if f.type is FieldType.REFERENCE)
        self.picklists = tuple(f for f in own if f.spec.option_object is not None)
        self.amounts = tuple(f for f in own if f.type is FieldType.CURRENCY and f.spec.writable != "never")
        """The amounts that callers give; others are worked out by rules."""
        amounts = {f.member or f.name: f for f in every if f.type is FieldType.CURRENCY}
        self.money = tuple(f for f in own if f.type is FieldType.CURRENCY)
        self.priced = "currency" in table.c
        """Whether each record says in which currency its amounts are; else they are in the organisation's."""
        self.twins = tuple((amounts[f.spec.base_of], f) for f in every if f.spec.base_of is not None)
        """Amounts with their twins in the organisation's currency."""
        self.own_amounts = tuple(f for f, twin in self.twins if f.definition is not None)
        """Amounts that are custom fields."""
        self.search = tuple((fields[name].column, fields[name].type) for name in resource.search) if resource.has_search else ()
        self.pairs = tuple(
            (scalar, items)
            for items in own
            if items.type is FieldType.ITEMS
            and (scalar := fields.get(items.name.removesuffix("s")))
            and scalar.type in (FieldType.EMAIL, FieldType.PHONE)
        )
        """A scalar and the list whose primary entry it is: (`email`, `emails`), (`phone`, `phones`)."""

    def fresh(self) -> Row:
        """A row of defaults."""
        row = dict(self._plain_defaults)
        for name, value in self._fresh_defaults.items():
            row[name] = copy.copy(value)
        return row

    def row(self, record: Mapping[str, Any] | asyncpg.Record) -> Row:
        """A stored row as Python values."""
        row: Row = dict(record.items())
        for name in self.json_columns:
            value = row[name]
            if value is not None:
                row[name] = orjson.loads(value)
        return row


def shape_of(context: Context, resource: AnyResource) -> Shape:
    """The shape of the whole object, whatever of it the caller sees; made on first use."""
    whole = resource.whole
    return context.statements.get(("shape", whole.key), lambda: Shape(whole))


def encode(rows: object) -> str:
    """Rows as the JSON text that `json_to_recordset` reads."""
    return orjson.dumps(rows, default=_encodable).decode()


def _encodable(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return orjson.Fragment(dumps(value))


def plain_type(column: sa.Column[Any]) -> sa.types.TypeEngine[Any]:
    """A column's type without collation, for column definition lists."""
    return sa.Text() if isinstance(column.type, sa.Text) else column.type


def json_columns(name: str, parameter: str, columns: Mapping[str, sa.types.TypeEngine[Any]]) -> sa.TableValuedAlias:
    """`json_to_recordset($parameter) AS name(column type, …)`."""
    values = [sa.column(column, kind) for column, kind in columns.items()]
    source = sa.func.json_to_recordset(sa.bindparam(parameter, type_=sa.JSON()))
    return source.table_valued(*values).render_derived(name=name, with_types=True)


def _default(column: sa.Column[Any]) -> Any:
    """A column's server default as a Python value, so that rows are complete before they are stored."""
    default = column.server_default
    if default is None or not isinstance(default, sa.DefaultClause):
        return None
    argument = default.arg
    text = str(argument)
    if not isinstance(argument, str) and text.startswith("'"):
        text = text[1:-1].replace("''", "'")
    if isinstance(column.type, ARRAY):
        return []
    if isinstance(column.type, (JSONB, sa.Boolean, sa.Integer)):
        return orjson.loads(text)
    return text


def changed_columns(shape: Shape, old: Row, new: Row) -> list[str]:
    """Columns whose values differ, without the stamps."""
    found = [name for name in shape.columns if name not in STAMPS and old.get(name) != new.get(name)]
    if "currency" in found:  # an equal amount may have other digits now: 11 and 11.00
        found += [f.column for f in shape.money if f.column not in found and str(old[f.column]) != str(new[f.column])]
    return found
