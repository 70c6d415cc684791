"""Live queries: the events of the records that meet a condition, and of those that met it until now.

A live query sees the journal as if nothing existed but the records that match. An event is told to it if the record matches after the
event or matched before it. Where the record only matched before, it is told as one that has gone out of sight (`<object>.hidden`
with `cause.action` `query.leave`): whoever shows a list takes the record away, as for any other `hidden`.

Conditions on related records are looked at as those are now.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.kernel import event_reach
from crm_api.kernel.context import Context
from crm_api.kernel.event_filter import EventFilter
from crm_api.kernel.event_json import row_of
from crm_api.kernel.query.plan import Node
from crm_api.kernel.resource import AnyResource

LEAVE: Final = "query.leave"
"""`cause.action` of an event that tells a live query that a record no longer matches."""

_ONE: Final[ColumnElement[Any]] = sa.literal_column("1")


def after_event(
    context: Context, resource: AnyResource, node: Node, event: FromClause, stored: ColumnElement[Any]
) -> tuple[FromClause, ColumnElement[bool]]:
    """What to join, and the condition on it, where a filter is about the record after the event alone; `stored` is the row beside it."""
    compiler = EventFilter(context.registry, context.policy, lambda target, name: target.table.alias(name), event)
    record = compiler.source(resource, row_of(resource.table, stored, "r"))
    condition = compiler.node(node, record)  # which may join more to the record
    return record.clause, condition


class Matched:
    """Whether an event's record meets a condition after the event, and met it before.

    `look` works both out, once for each event; `told` are the events that the query is told of, `left` those of them after which the
    record doesn't match. Events that carry nothing but ids (`purged`, `erased`) are told whatever the record was: what could tell
    is gone, and the id of a record that somebody never had says nothing to them.
    """

    def __init__(self, context: Context, resource: AnyResource, node: Node, event: FromClause) -> None:
        compiler = EventFilter(context.registry, context.policy, lambda target, name: target.table.alias(name), event)

        def holds(row: FromClause) -> ColumnElement[bool]:
            source = compiler.source(resource, row)
            condition = compiler.node(node, source)
            return sa.exists(sa.select(_ONE).select_from(source.clause).where(condition)).correlate(event)

        sides = [
            holds(row(resource, event)).label(name)
            for name, row in (("after", event_reach.row_after), ("before", event_reach.row_before_it))
        ]
        # a sub-select of its own, so that each side is worked out once, however often it is named
        self.look = sa.select(*sides).correlate(event).offset(sa.literal_column("0")).lateral("live")
        after, before = self.look.c.after, self.look.c.before
        verb = sa.func.split_part(event.c.type, sa.literal_column("'.'"), sa.literal_column("2"))
        gone = sa.or_(*(verb == sa.literal_column(f"'{name}'") for name in event_reach.GONE))
        self.told: ColumnElement[bool] = sa.or_(after, before, gone)
        self.left: ColumnElement[bool] = sa.and_(before, ~after, ~gone)


def instead(event: FromClause) -> dict[str, ColumnElement[Any]]:
    """What is told in place of an event's columns where its record no longer matches."""
    cause = sa.literal_column(f"""'{{"action": "{LEAVE}"}}'::jsonb""", type_=JSONB())
    return {**event_reach.instead(event), "cause": cause}
