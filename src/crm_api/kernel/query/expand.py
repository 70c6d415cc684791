"""Related records inside an answer: sub-selects beside the record's own columns.

The cursor of an expanded list goes on at the list's own route. Only the application can sign one, so where it belongs the
statement leaves a mark with the sort values of the last row shown, which the reader replaces.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.kernel.fields import timestamp_text
from crm_api.kernel.labels import RAW
from crm_api.kernel.query.abilities import MEMBER, Abilities
from crm_api.kernel.query.filters import LINKS, ORG, FilterCompiler, bind, live, related
from crm_api.kernel.query.labels import raw_labels
from crm_api.kernel.query.plan import Expansion, Path
from crm_api.kernel.query.projection import as_json, link_json, record_columns, stored_columns
from crm_api.kernel.query.sorting import Key, keys_of, order_by
from crm_api.kernel.registry import Relation
from crm_api.kernel.resource import AnyResource

MARK = f"~{secrets.token_hex(8)}"
"""Stands in JSON where an expanded list's cursor goes. Random, so no stored text imitates it."""

_text = sa.literal_column


class Expander:
    """Adds expansions to the columns of records. `marked` tells whether the JSON holds marks to be replaced.

    `labels` are the objects whose names may be shown, where records carry what their labels need; `abilities` tells what the caller may
    do with them, where they say that.
    """

    def __init__(self, filters: FilterCompiler, labels: frozenset[str] | None = None, abilities: Abilities | None = None) -> None:
        self.filters = filters
        self.labels = labels
        self.abilities = abilities
        self.registry = filters.registry
        self.marked = False

    def columns(
        self, resource: AnyResource, row: FromClause, fields: tuple[Path, ...] | None, expand: tuple[Expansion, ...]
    ) -> list[ColumnElement[Any]]:
        """The select list of a record with its expansions; `fields=account.name` is an expansion with one field."""
        own = None if fields is None else [name for path in fields if resource.field_named(name := ".".join(path)) is not None]
        columns: list[ColumnElement[Any]] = list(record_columns(resource, row, own))
        far = None if fields is None else tuple(path for path in fields if path[0] not in resource.fields)
        for name, expansion in _with_fields(far, expand).items():
            relation = self.registry.relations[resource.name][name]
            make = self._one if relation.kind == "to_one" else self._many
            columns.append(make(relation, row, expansion).label(name))
        if self.labels is not None:
            shown = resource.fields if own is None else own
            columns.append(raw_labels(self.filters, resource, row, shown, self.labels).label(RAW))
        if self.abilities is not None:
            columns.append(self.abilities.column(resource, row, self.filters.name("ab")).label(MEMBER))
        return columns

    def _one(self, relation: Relation, row: FromClause, expansion: Expansion) -> ColumnElement[Any]:
        target = self.registry[relation.target]
        far = self.filters.tables(target, self.filters.name("x"))
        assert relation.field is not None
        inner = (
            sa.select(*self.columns(target, far, expansion.fields, expansion.expand))
            .where(
                far.c.org_id == ORG,
                far.c.org_id == row.c.org_id,
                far.c.id == relation.field.value(row),
                *live(target, far, self.filters.visibility),
            )
            .correlate(row)
            .subquery(self.filters.name("r"))
        )
        return sa.select(sa.func.row_to_json(_text(inner.name))).select_from(inner).scalar_subquery()

    def _many(self, relation: Relation, row: FromClause, expansion: Expansion) -> ColumnElement[Any]:
        """The list envelope. One row more than is shown is picked, which tells whether there are more."""
        assert expansion.limit is not None
        picked, keys = self._picked(relation, row, expansion)
        target = self.registry[relation.target]
        shown = self.columns(target, picked, expansion.fields, expansion.expand)
        if "link" in picked.c:
            shown.append(picked.c.link)
        mark = self._mark(expansion, keys, picked)
        number = sa.func.row_number().over().label("n")
        rows = sa.select(as_json(shown, picked).label("j"), mark.label("m"), number).select_from(picked).subquery(self.filters.name("q"))
        limit: ColumnElement[int] = _text(str(expansion.limit))
        more = sa.func.count() > limit
        cursor = sa.case((more, sa.func.max(rows.c.m).filter(rows.c.n == limit)), else_=sa.null())
        page = sa.func.json_build_object(
            _text("'next_cursor'"), cursor, _text("'prev_cursor'"), sa.null(), _text("'has_more'"), more
        )  # fmt: skip
        data = sa.func.json_agg(aggregate_order_by(rows.c.j, rows.c.n)).filter(rows.c.n <= limit)
        envelope = sa.func.json_build_object(_text("'data'"), sa.func.coalesce(data, _text("'[]'::json")), _text("'page'"), page)
        return sa.select(envelope).select_from(rows).scalar_subquery()

    def _picked(self, relation: Relation, row: FromClause, expansion: Expansion) -> tuple[FromClause, list[Key]]:
        target = self.registry[relation.target]
        far = self.filters.tables(target, self.filters.name("x"))
        link = LINKS.alias(self.filters.name("xl")) if relation.kind == "many_to_many" else None
        source = self.filters.source(target, far, relation if link is not None else None, link, live=True)
        keys = keys_of(expansion.sort, None, source)
        where = [far.c.org_id == ORG, *related(relation, row, far, link), *live(target, far, self.filters.visibility)]
        if expansion.filter is not None:
            where.append(self.filters.node(expansion.filter, source))
        columns = stored_columns(far) + [key.expression.label(f"k{i}") for i, key in enumerate(keys)]
        columns.append(row.c.id.label("up"))
        if link is not None:
            columns.append(link_json(link).label("link"))
        assert expansion.limit is not None
        picked = (
            sa.select(*columns)
            .select_from(source.whole)
            .where(*where)
            .order_by(*order_by(keys, far.c.id, False, branched=False, last=keys[-1].descending))
            .limit(_text(str(expansion.limit + 1)))
            .correlate(row)
            .subquery(self.filters.name("p"))
        )
        return picked, keys

    def _mark(self, expansion: Expansion, keys: Sequence[Key], picked: FromClause) -> ColumnElement[str]:
        """`mark:kinds:digest:values in hex`: which list it is, whose, and where it stands."""
        self.marked = True
        assert expansion.digest is not None
        values = [_as_text(picked.c[f"k{i}"], key) for i, key in enumerate(keys)]
        packed = sa.cast(sa.func.json_build_array(picked.c.up, *values, picked.c.id), sa.Text)
        kinds = ",".join(_kind(key.type) for key in keys)
        head = _text(f"'{MARK}:{kinds}:'").concat(bind(expansion.digest, sa.Text())).concat(_text("':'"))
        return head.concat(sa.func.encode(sa.func.convert_to(packed, _text("'UTF8'")), _text("'hex'")))


def _with_fields(fields: tuple[Path, ...] | None, expand: tuple[Expansion, ...]) -> dict[str, Expansion]:
    """The expansions by relation, joined by those that dotted field names ask for."""
    wanted = {expansion.relation: expansion for expansion in expand}
    for path in fields or ():
        if len(path) < 2:
            continue
        held = wanted.get(path[0])
        if held is None:
            wanted[path[0]] = Expansion(path[0], (path[1:],))
        elif held.fields is not None and path[1:] not in held.fields:
            wanted[path[0]] = replace(held, fields=(*held.fields, path[1:]))
    return wanted


def _as_text(value: ColumnElement[Any], key: Key) -> ColumnElement[str]:
    return timestamp_text(value) if _kind(key.type) == "datetime" else sa.cast(value, sa.Text)


_KINDS = {datetime: "datetime", date: "date", Decimal: "number", int: "integer", UUID: "uuid", bool: "boolean"}


def _kind(type_: Any) -> str:
    return _KINDS.get(type_.python_type, "text")


def unpack_mark(kinds: str, packed: str) -> list[Any]:
    """The values of a mark: the id of the record whose list it is, sort values with their types, the id of the last row."""
    parent, *texts, last = orjson.loads(bytes.fromhex(packed))
    values = [_typed(kind, text) for kind, text in zip(kinds.split(","), texts, strict=True)]
    return [UUID(parent), *values, UUID(last)]


def _typed(kind: str, text: str | None) -> Any:
    if text is None:
        return None
    match kind:
        case "datetime":
            return datetime.fromisoformat(text)
        case "date":
            return date.fromisoformat(text)
        case "number":
            return Decimal(text)
        case "integer":
            return int(text)
        case "uuid":
            return UUID(text)
        case "boolean":
            return text == "true"
        case _:
            return text
