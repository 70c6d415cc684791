"""GET /v1/events: the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.clock import parse_timestamp
from crm_api.core.errors import BadRequest, CursorExpired, FieldError, InvalidValue, NotFound, UnknownParameter
from crm_api.core.ids import parse_uuid
from crm_api.http.feed import Feeds
from crm_api.http.routing import JOINED
from crm_api.http.services import Services
from crm_api.http.session import enter, enter_again, working
from crm_api.http.state import VERSION
from crm_api.kernel import event_consumers
from crm_api.kernel.context import Context
from crm_api.kernel.event_catalog import SYSTEM_OBJECTS
from crm_api.kernel.event_filter import EventFilterParser
from crm_api.kernel.event_query import (
    EventPage,
    EventQuery,
    Reader,
    read_event,
    read_events,
    reader_of,
    type_patterns,
)
from crm_api.kernel.journal import decode_events_cursor, encode_events_cursor, number, oldest, since, too_old
from crm_api.kernel.preferences import preferences_of
from crm_api.kernel.principal import Principal
from crm_api.kernel.query.request import split_query
from crm_api.kernel.query.values import Locale
from crm_api.kernel.registry import Registry

MAX_LIMIT: Final = 1_000
DEFAULT_LIMIT: Final = 100
MAX_WAIT_S: Final = 20
FILTERS: Final = ("event_types", "object", "record_id", "filter", "exclude_own")
_PATIENCE_S: Final = 2.0
"""How long one request looks for events that match, before it answers with none and a cursor to go on from."""


def feeds_of(request: Request) -> Feeds:
    """The watches of this process."""
    feeds: Feeds = request.app.state.feeds
    return feeds


@dataclass(frozen=True, slots=True)
class Named:
    """The place where the caller's consumer of this name stands."""

    consumer: str


Start = int | datetime | str | Named | None
"""Where to begin: after a cursor's number, at an instant, at a consumer's place, `now`, `oldest`, or None for the default."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks of the journal."""

    query: EventQuery
    start: Start
    limit: int = DEFAULT_LIMIT
    wait: float = 0
    texts: Mapping[str, str] = field(default_factory=dict)
    """The parameters as they were given."""


async def list_events(request: Request) -> Response:
    """The next events of the journal, in the order of their numbers."""
    services: Services = request.app.state.services
    joined: Context | None = request.scope.get(JOINED)
    if joined is not None:  # inside a composite operation: its transaction, and no waiting
        asked = parse(request, joined, services, ("limit", "wait"))
        _require(joined.principal)
        return _answer(joined.principal, *await _read(joined, reader_for(request, joined), asked, None))
    principal = await enter(request, services)
    _require(principal)
    started = monotonic()
    async with working(services, principal) as context:
        asked = parse(request, context, services, ("limit", "wait"))
        reader = reader_for(request, context)
        page, head = await _read(context, reader, asked, None)
    while not page.rows and page.last >= head and (left := started + asked.wait - monotonic()) > 0:
        async with feeds_of(request).watch(principal.org_id) as watch:
            if not await watch.beyond(page.last, left):
                break
        principal = await enter_again(request, services)  # rights and the token as they are by now
        async with working(services, principal) as context:
            page, head = await _read(context, reader_for(request, context), asked, page.last)
    return _answer(principal, page, head)


async def get_event(request: Request) -> Response:
    """One event."""
    services: Services = request.app.state.services
    event_id = parse_uuid(request.path_params["id"])
    joined: Context | None = request.scope.get(JOINED)
    principal = await enter(request, services) if joined is None else joined.principal
    _require(principal)
    given = split_query(request.scope["query_string"].decode("latin-1"))
    if given:
        raise UnknownParameter(given[0][0], [])
    if event_id is None:
        raise NotFound()
    if joined is not None:
        found = await read_event(joined, reader_for(request, joined), event_id)
    else:
        async with working(services, principal) as context:
            await number(context.uow)
            found = await read_event(context, reader_for(request, context), event_id)
    if found is None:
        raise NotFound()
    return Response(found, media_type="application/json")


def _require(principal: Principal) -> None:
    principal.require_scope("events", "read")


def reader_for(request: Request, context: Context) -> Reader:
    """The caller's view, in the API version of the request. Raises Forbidden if the profile allows no look into the journal."""
    context.policy.require("events", "read")
    return reader_of(context, getattr(request.state, VERSION))


async def _read(context: Context, reader: Reader, asked: Asked, after: int | None) -> tuple[EventPage, int]:
    head = (await number(context.uow)).head
    if after is None:
        after = await position(context, asked.start, head, default="oldest")
    started = monotonic()
    page = await read_events(context, reader, asked.query, after, head, asked.limit)
    while not page.rows and page.last < head and monotonic() - started < _PATIENCE_S:
        page = await read_events(context, reader, asked.query, page.last, head, asked.limit)
    return page, head


async def position(context: Context, start: Start, head: int, *, default: str) -> int:
    """The number to read after. Raises CursorExpired if events between there and now are no longer kept, NotFound for a consumer
    that isn't there."""
    start = default if start is None else start
    if isinstance(start, Named):
        start = (await event_consumers.get(context, start.consumer)).seq
    if start == "now":
        return head
    if isinstance(start, int) and start == head:
        return start
    first = await oldest(context.uow, head)
    if start == "oldest":
        return first
    if isinstance(start, datetime):
        found = await since(context.uow, start, head)
        if first > 0 and await too_old(context.uow, start, first):
            raise CursorExpired(encode_events_cursor(context.principal.org_id, first))
        return found
    assert isinstance(start, int)
    # A number from the future: the database was set back to an older copy, so the reader knows what never happened.
    if start < first or start > head:
        raise CursorExpired(encode_events_cursor(context.principal.org_id, first))
    return start


def _answer(principal: Principal, page: EventPage, head: int) -> Response:
    org = principal.org_id
    envelope = {
        "next_cursor": encode_events_cursor(org, page.last),
        "prev_cursor": None,
        "has_more": page.last < head,
        "events_cursor": encode_events_cursor(org, head),
        "access_version": principal.organization.access_version,
    }
    body = b'{"data":[' + b",".join(row.json for row in page.rows if row.json is not None) + b'],"page":' + orjson.dumps(envelope) + b"}"
    return Response(body, media_type="application/json")


# --- parameters ----------------------------------------------------------------------------------------------------------


def parse(request: Request, context: Context, services: Services, more: tuple[str, ...] = ()) -> Asked:
    """What the query string asks for. Raises BadRequest or UnknownParameter naming every mistake."""
    return parse_query(request.scope["query_string"].decode("latin-1"), context, services, more)


def parse_query(text: str, context: Context, services: Services, more: tuple[str, ...] = ()) -> Asked:
    """The same for a query string."""
    names = ("cursor", "since", "consumer", *FILTERS, *more)
    given = dict(split_query(text))
    for name in given:
        if name not in names:
            raise UnknownParameter(name, list(names))
    texts = {name: ",".join(values) for name, values in given.items()}
    errors: list[FieldError] = []
    principal, registry = context.principal, context.registry
    organization = principal.organization
    now = organization.time.at(services.clock.now())
    preferences = preferences_of(principal)
    locale = Locale(now, preferences.zone, organization.region, preferences.fiscal, preferences.week_start)
    query = _query(registry, locale, texts, errors)
    start = _start(principal, texts, errors)
    limit = _whole(texts, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT, errors)
    wait = _whole(texts, "wait", 0, 0, MAX_WAIT_S, errors)
    if errors:
        raise BadRequest(errors=errors)
    return Asked(query, start, limit, wait, texts)


def _query(registry: Registry, locale: Locale, texts: Mapping[str, str], errors: list[FieldError]) -> EventQuery:
    query = EventQuery()
    if "event_types" in texts:
        try:
            query = replace(query, types=type_patterns(registry, [name for name in texts["event_types"].split(",") if name]))
        except InvalidValue as error:
            errors.append(error.at(parameter="event_types"))
    if "object" in texts:
        known = [*(resource.name for resource in registry), *SYSTEM_OBJECTS]
        if texts["object"] not in known:
            errors.append(InvalidValue("enum", allowed=known).at(parameter="object"))
        query = replace(query, object=texts["object"])
    if "record_id" in texts:
        record_id = parse_uuid(texts["record_id"])
        if record_id is None:
            errors.append(InvalidValue("invalid_uuid").at(parameter="record_id"))
        query = replace(query, record_id=record_id)
    own = texts.get("exclude_own", "false")
    if own not in ("true", "false"):
        errors.append(InvalidValue("invalid_boolean").at(parameter="exclude_own"))
    query = replace(query, exclude_own=own == "true")
    if "filter" in texts:
        query = _filtered(registry, locale, query, texts["filter"], errors)
    return query


def _filtered(registry: Registry, locale: Locale, query: EventQuery, text: str, errors: list[FieldError]) -> EventQuery:
    resource = registry.get(query.object or "")
    if resource is None:
        errors.append(FieldError("required", "A filter needs `object`, because it is about the fields of one.", parameter="object"))
        return query
    try:
        raw: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        errors.append(InvalidValue("invalid_json", reason=error.msg, position=error.pos).at(parameter="filter"))
        return query
    parser = EventFilterParser(registry, locale, "query")
    node = parser.tree(raw, resource, {"parameter": "filter"})
    errors += parser.errors
    return replace(query, filter=node, values=tuple(parser.values))


def _start(principal: Principal, texts: Mapping[str, str], errors: list[FieldError]) -> Start:
    cursor, instant, consumer = texts.get("cursor"), texts.get("since"), texts.get("consumer")
    if consumer is not None:
        if cursor is not None or instant is not None:
            errors.append(InvalidValue("invalid_combination", other="cursor" if cursor is not None else "since").at(parameter="consumer"))
        elif not event_consumers.is_name(consumer):
            errors.append(InvalidValue("pattern", pattern=event_consumers.NAME).at(parameter="consumer"))
        return Named(consumer)
    if cursor is not None and instant is not None:
        errors.append(InvalidValue("invalid_combination", other="cursor").at(parameter="since"))
        return None
    if instant is not None:
        try:
            return parse_timestamp(instant)
        except InvalidValue as error:
            errors.append(error.at(parameter="since"))
            return None
    if cursor is None or cursor in ("now", "oldest"):
        return cursor
    return decode_events_cursor(principal.org_id, cursor)


def _whole(texts: Mapping[str, str], name: str, default: int, low: int, high: int, errors: list[FieldError]) -> int:
    text = texts.get(name)
    if text is None:
        return default
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else -1
    if value < low:
        errors.append(InvalidValue("min", min=low).at(parameter=name))
    elif value > high:
        errors.append(InvalidValue("max", max=high).at(parameter=name))
    return value
