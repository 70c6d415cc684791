"""Live queries of the stream: `filter` with `object`, or `view_id`, as a condition that many streams share."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from crm_api.core.errors import BadRequest, FieldError, NotFound
from crm_api.core.ids import parse_uuid
from crm_api.kernel.context import Context
from crm_api.kernel.event_filter import EventFilterParser
from crm_api.kernel.event_query import EventQuery
from crm_api.kernel.preferences import preferences_of
from crm_api.kernel.principal import Principal
from crm_api.kernel.query.values import Locale
from crm_api.kernel.reader import Reader as RecordReader
from crm_api.kernel.saved_views import VIEWS, saved_view

MAX_LIVE: Final = 100
"""Different live queries that the streams of one organisation may ask for at once, in one process: each costs a statement per event."""


@dataclass(frozen=True, slots=True)
class Live:
    """A condition on the records of `object`, as JSON. `view` are the id and version of the saved view that it comes from."""

    object: str
    text: bytes
    view: tuple[UUID, int] | None = None

    def key(self, principal: Principal) -> Hashable:
        """What tells apart conditions that have to be looked at one by one: also in what zone a day begins for the caller."""
        preferences = preferences_of(principal)
        where = (preferences.zone.key, principal.organization.region, preferences.fiscal, preferences.week_start)
        return (self.object, self.text, *where)

    def query(self, context: Context, now: datetime) -> EventQuery:
        """The condition as of this moment. Raises BadRequest if it names what is no longer there."""
        resource = context.registry.get(self.object)
        if resource is None:
            raise NotFound()
        parser = EventFilterParser(context.registry, locale_of(context.principal, now), "query")
        node = parser.tree(orjson.loads(self.text), resource, {"parameter": "filter"})
        parser.finish()
        assert node is not None
        return EventQuery(object=self.object, filter=node, values=tuple(parser.values), live=True)


def locale_of(principal: Principal, now: datetime) -> Locale:
    """What relative and local values of a caller's filters depend on; `now` is the organisation's time."""
    preferences = preferences_of(principal)
    return Locale(now, preferences.zone, principal.organization.region, preferences.fiscal, preferences.week_start)


def of_filter(object_name: str, tree: Any) -> Live:
    """A filter, so written that equal ones are equal."""
    return Live(object_name, orjson.dumps(tree, option=orjson.OPT_SORT_KEYS))


async def of_view(context: Context, reader: RecordReader, text: str, object_name: str | None) -> tuple[str, Live | None, tuple[UUID, int]]:
    """A saved view: its object, its condition (None for one that shows every record), and its id and version.

    Raises NotFound if there is none for the caller, BadRequest if it is one of another object, ValidationFailed for one that names
    what is no longer there.
    """
    view_id = parse_uuid(text)
    if view_id is None:
        raise BadRequest(errors=[FieldError("invalid_uuid", parameter="view_id")])
    context.policy.require(VIEWS, "read")
    view: dict[str, Any] = orjson.loads((await reader.one(context, context.registry[VIEWS], view_id)).json)
    resource = context.registry.get(object_name or view["applies_to"])
    if resource is None:
        raise NotFound()
    context.policy.require(resource.name, "read")
    tree = (await saved_view(context, reader, resource, view_id)).query.filter
    place = (view_id, int(view["version"]))
    if tree is None:
        return resource.name, None, place
    return resource.name, Live(resource.name, of_filter(resource.name, tree).text, place), place
