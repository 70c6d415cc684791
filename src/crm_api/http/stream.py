"""GET /v1/events/stream: the journal as server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from fnmatch import fnmatchcase
from time import monotonic
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from crm_api.core.errors import BadRequest, CursorExpired, LimitExceeded, Problem, Unauthenticated
from crm_api.http.events import Asked, feeds_of, parse, position, reader_for
from crm_api.http.feed import PAGE, Feeds, Watch
from crm_api.http.routing import JOINED
from crm_api.http.services import Services
from crm_api.http.session import enter, enter_again, working
from crm_api.kernel.event_query import EventQuery, EventRow, Reader, read_events
from crm_api.kernel.journal import decode_events_cursor, encode_events_cursor, number
from crm_api.kernel.principal import Principal

QUIET_S: Final = 15.0
"""A comment is sent after this long without an event, so that proxies keep the connection; and the token is looked at again."""

HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}


async def stream_events(request: Request) -> Response:
    """The journal as it grows."""
    if JOINED in request.scope:
        raise BadRequest("A stream can't be part of a composite request.")
    services: Services = request.app.state.services
    principal = await enter(request, services)
    principal.require_scope("events", "read")
    feeds = feeds_of(request)
    limit = services.settings.streams_per_token
    if feeds.streams.get(principal.token_id, 0) >= limit:
        raise LimitExceeded("streams_per_token", limit, limit + 1)
    resumed = request.headers.get("last-event-id")
    async with working(services, principal) as context:
        asked = parse(request, context, services)
        start = asked.start
        if resumed:
            start = decode_events_cursor(principal.org_id, resumed, parameter="Last-Event-ID")
        head = (await number(context.uow)).head
        after = await position(context, start, head, default="now")
        reader = reader_for(request, context)
    stream = _Stream(request, services, feeds, principal, asked, reader, after)
    return StreamingResponse(stream.run(), media_type="text/event-stream", headers=HEADERS)


class _Stream:
    """One client's stream. `after` is the number up to which the journal has been looked at for it."""

    def __init__(
        self, request: Request, services: Services, feeds: Feeds, principal: Principal, asked: Asked, reader: Reader, after: int
    ) -> None:
        self.request = request
        self.services = services
        self.feeds = feeds
        self.principal = principal
        self.query = asked.query
        self.reader = reader
        self.after = after
        self.told = after
        """The number that the client would resume from."""

    def cursor(self, seq: int) -> str:
        """A cursor as the stream's `id:`."""
        return encode_events_cursor(self.principal.org_id, seq)

    async def run(self) -> AsyncIterator[bytes]:
        """The bytes of the stream, until the client goes or the token no longer holds."""
        streams, token = self.feeds.streams, self.principal.token_id
        streams[token] = streams.get(token, 0) + 1
        try:
            yield _control("ready", self._state(), self.cursor(self.after))
            async with self.feeds.watch(self.principal.org_id) as watch:
                async for part in self._follow(watch):
                    yield part
        except Problem as problem:
            # The answer has begun, so its status can't tell any more.
            yield _control(
                "end",
                {
                    "reason": problem.code,
                    **({"oldest_cursor": problem.extra["oldest_cursor"]} if isinstance(problem, CursorExpired) else {}),
                },
            )
        finally:
            streams[token] -= 1
            if not streams[token]:
                del streams[token]

    async def _follow(self, watch: Watch) -> AsyncIterator[bytes]:
        checked = monotonic()
        while True:
            if watch.head > self.after:
                for row in await self._next(watch):
                    yield b"id: " + self.cursor(row.seq).encode() + b"\ndata: " + row.json + b"\n\n"
                    self.told = row.seq
            left = QUIET_S - (monotonic() - checked)
            if left <= 0:
                checked = monotonic()
                # An id without data moves the client's place past events that its filter left out.
                yield b": \n" + (b"id: " + self.cursor(self.after).encode() + b"\n" if self.told != self.after else b"") + b"\n"
                self.told = self.after
                async for part in self._look_at_token():
                    yield part
            elif self.after >= watch.head:
                await watch.beyond(self.after, left)
                if watch.ended:
                    # The client comes back by itself, and finds another process or this one again.
                    yield _control("end", {"reason": "shutting_down"})
                    return

    async def _look_at_token(self) -> AsyncIterator[bytes]:
        """Ends the stream of a token that was revoked or has expired; tells of changed permissions."""
        try:
            present = await enter_again(self.request, self.services)
        except Unauthenticated:
            raise
        except Problem:
            return  # the database is away for a moment
        if present.organization.access_version != self.principal.organization.access_version:
            objects = sorted(self.reader.objects)
            self.principal = present
            yield _control("resync", {"objects": objects, "access_version": present.organization.access_version})
        self.principal = present

    async def _next(self, watch: Watch) -> list[EventRow]:
        """The next events for this stream; moves `after` as far as the journal has been looked at."""
        shareable = self.query.record_id is None and self.query.filter is None
        async with working(self.services, self.principal) as context:
            if shareable:
                found = await watch.page(context, self.reader, self.after)
                if found is not None:
                    rows = [row for row, event in found if self._wanted(event)]
                    self.after = max(self.after, watch.last_of(self.reader), *(row.seq for row, _ in found[-1:]))
                    return rows
            page = await read_events(context, self.reader, self.query, self.after, watch.head, PAGE)
        self.after = page.last
        return page.rows

    def _wanted(self, event: dict[str, Any]) -> bool:
        return matches(self.query, event, self.principal)

    def _state(self) -> dict[str, Any]:
        organization = self.principal.organization
        return {
            "cursor": self.cursor(self.after),
            "access_version": organization.access_version,
            "schema_version": organization.schema_version,
        }


def matches(query: EventQuery, event: dict[str, Any], principal: Principal) -> bool:
    """Whether a finished event passes a query without `record_id` and `filter`: what the journal's statement asks in SQL."""
    if query.object is not None and event["object"] != query.object:
        return False
    if query.types is not None:
        kind = event["type"]
        if not any(fnmatchcase(kind, pattern.replace("\\_", "_").replace("%", "*")) for pattern in query.types):
            return False
    if query.exclude_own:
        cause = event["cause"]
        own = cause.get("token_id") == str(principal.token_id)
        return not own and (principal.app_id is None or cause.get("app_id") != str(principal.app_id))
    return True


def _control(kind: str, data: dict[str, Any], cursor: str | None = None) -> bytes:
    place = b"" if cursor is None else b"id: " + cursor.encode() + b"\n"
    return b"event: " + kind.encode() + b"\n" + place + b"data: " + orjson.dumps(data) + b"\n\n"
