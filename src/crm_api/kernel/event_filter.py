"""Filters of events: the search tree of records, with what an event changed beside what the record is after it."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.core.errors import InvalidValue
from crm_api.core.json import dumps
from crm_api.kernel.fields import Field
from crm_api.kernel.query.filters import FilterCompiler, Source, Visibility, bind
from crm_api.kernel.query.parse import Place, QueryParser
from crm_api.kernel.query.paths import resolve
from crm_api.kernel.query.plan import Condition, Node
from crm_api.kernel.query.values import compare_value
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

CHANGE_OPS: Final = ("changed", "changed_from", "changed_to")


class EventFilterParser(QueryParser):
    """The search tree of an event filter: conditions on the record after the event, and on what the event changed."""

    def condition(
        self, resource: AnyResource, path: tuple[str, ...], op: str, raw: Any, given: bool,
        at_field: Place, at_op: Place, at_value: Place, link: Relation | None = None,
    ) -> Node | None:  # fmt: skip
        """One comparison, or one of `changed`, `changed_from`, `changed_to`."""
        if op not in CHANGE_OPS:
            return super().condition(resource, path, op, raw, given, at_field, at_op, at_value, link)
        resolved = self._resolve(resource, path, at_field, link)
        if resolved is None:
            return None
        if resolved.steps or resolved.field is None:
            self.wrong(InvalidValue("unknown_field", allowed=list(resource.fields)), at_field)
            return None
        if op == "changed":
            return Condition(path, op)
        if not given:
            self.wrong(InvalidValue("required"), at_value)
            return None
        try:
            return Condition(path, op, self.slot(_change_value(resolved.field, raw, self)), shape="null" if raw is None else "")
        except InvalidValue as error:
            self.wrong(error, at_value)
            return None


_CAST: Final[dict[FieldType, Any]] = {
    FieldType.CURRENCY: sa.Numeric(), FieldType.DECIMAL: sa.Numeric(), FieldType.NUMBER: sa.Numeric(),
    FieldType.DATETIME: TIMESTAMP(timezone=True),
}  # fmt: skip
"""Types whose values have several spellings, so that comparing their JSON would not do."""


def _change_value(field_: Field, raw: Any, parser: QueryParser) -> Any:
    if raw is None:
        return None
    if field_.type in _CAST:
        return compare_value(field_, raw, parser.locale, from_text=False)
    return dumps(raw).decode()


class EventFilter(FilterCompiler):
    """Compiles an event filter; `event` is the event's row, the source's row is the record after it."""

    def __init__(self, registry: Registry, visibility: Visibility, tables: Any, event: FromClause) -> None:
        super().__init__(registry, visibility, tables)
        self._event = event

    def _condition(self, node: Condition, source: Source) -> ColumnElement[bool]:
        if node.op not in CHANGE_OPS:
            return super()._condition(node, source)
        field_ = resolve(self.registry, source.resource, node.path).field
        assert field_ is not None
        # The path was checked against the fields, so it holds no quote; external ids may be called anything.
        name = ".".join(node.path).replace("'", "''")
        change = self._event.c.changes.op("->", return_type=JSONB())(sa.literal_column(f"'{name}'"))
        if node.op == "changed":
            return change.is_not(None)
        assert isinstance(node.value, int)
        side: ColumnElement[Any] = sa.literal_column("'old'" if node.op == "changed_from" else "'new'")
        if node.shape == "null":
            # The parameter has to stand in the statement; a null of any type will do.
            return sa.and_(change.op("->>")(side).is_(None), change.is_not(None), bind(node.value, sa.Text()).is_(None))
        cast = _CAST.get(field_.type)
        if cast is not None:
            return sa.cast(change.op("->>", return_type=sa.Text())(side), cast) == bind(node.value, cast)
        return change.op("->", return_type=JSONB())(side) == bind(node.value, JSONB())
