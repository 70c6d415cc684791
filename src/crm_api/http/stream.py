"""GET /v1/events/stream: the journal as server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

from asyncio import sleep
from collections import Counter
from collections.abc import AsyncIterator
from fnmatch import fnmatchcase
from time import monotonic
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from crm_api.core.errors import BadRequest, CursorExpired, LimitExceeded, Problem, Unavailable
from crm_api.http.auth import bearer_hash
from crm_api.http.events import Asked, feeds_of, parse, position, reader_for
from crm_api.http.feed import PAGE, Feeds, Watch
from crm_api.http.routing import JOINED
from crm_api.http.services import Services
from crm_api.http.session import enter, enter_again, working
from crm_api.kernel.access.compare import changed_objects
from crm_api.kernel.context import Context
from crm_api.kernel.event_json import LINKS
from crm_api.kernel.event_query import EventQuery, EventRow, read_events, shared_by
from crm_api.kernel.journal import decode_events_cursor, encode_events_cursor, number
from crm_api.kernel.principal import Principal

QUIET_S: Final = 15.0
"""A comment is sent after this long without an event, so that proxies keep the connection; and the token is looked at again."""

AWAY_S: Final = 1.0
"""How long a stream waits while the database is away or busy."""

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
        stream = _Stream(request, services, feeds, context, asked, after)
    return StreamingResponse(stream.run(), media_type="text/event-stream", headers=HEADERS)


class _Stream:
    """One client's stream. `after` is the number up to which the journal has been looked at for it."""

    def __init__(self, request: Request, services: Services, feeds: Feeds, context: Context, asked: Asked, after: int) -> None:
        self.request = request
        self.services = services
        self.feeds = feeds
        self.query = asked.query
        self.after = after
        self.told = after
        """The number that the client would resume from."""
        self._see(context)

    def _see(self, context: Context) -> None:
        """Takes over the caller's rights as they are."""
        self.principal = context.principal
        self.policy = context.policy
        self.reader = reader_for(self.request, context)
        self.shared = shared_by(context, self.reader)

    def cursor(self, seq: int) -> str:
        """A cursor as the stream's `id:`."""
        return encode_events_cursor(self.principal.org_id, seq)

    async def run(self) -> AsyncIterator[bytes]:
        """The bytes of the stream, until the client goes or the token no longer holds."""
        streams, token = self.feeds.streams, self.principal.token_id
        streams[token] = streams.get(token, 0) + 1
        hash_ = bearer_hash(self.request)
        try:
            yield _control("ready", self._state(), self.cursor(self.after))
            async with self.feeds.watch(self.principal.org_id) as watch:
                watch.tokens[hash_] += 1
                try:
                    async for part in self._follow(watch):
                        yield part
                finally:
                    watch.tokens[hash_] -= 1
                    watch.tokens += Counter()  # without those that are zero
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
        checked, turn = monotonic(), -1
        while True:
            if watch.head > self.after or watch.turn != turn:
                turn = watch.turn
                for part in await self._next(watch):
                    yield part
            left = QUIET_S - (monotonic() - checked)
            if left <= 0:
                checked = monotonic()
                # An id without data moves the client's place past events that its filter left out.
                yield b": \n" + (b"id: " + self.cursor(self.after).encode() + b"\n" if self.told != self.after else b"") + b"\n"
                self.told = self.after
                turn = -1
            elif self.after >= watch.head:
                await watch.beyond(self.after, left, turn)
                if watch.ended:
                    # The client comes back by itself, and finds another process or this one again.
                    yield _control("end", {"reason": "shutting_down"})
                    return

    async def _next(self, watch: Watch) -> list[bytes]:
        """What is to be sent now: the next events, with the token and the rights as they are at this moment.

        Raises Unauthenticated once the token doesn't hold. While the database is away nothing comes.
        """
        try:
            present = await enter_again(self.request, self.services)
            async with working(self.services, present) as context:
                parts = self._look_at_rights(context)
                rows = await self._rows(context, watch) if watch.head > self.after else []
        except Unavailable:
            await sleep(AWAY_S)
            return []
        for row in rows:
            if row.json is not None:
                parts.append(b"id: " + self.cursor(row.seq).encode() + b"\ndata: " + row.json + b"\n\n")
                self.told = row.seq
        return parts

    def _look_at_rights(self, context: Context) -> list[bytes]:
        """Tells of changed permissions."""
        before, known = self.policy, self.principal.organization
        organization = context.principal.organization
        if (organization.access_version, organization.schema_version) == (known.access_version, known.schema_version):
            return []
        self._see(context)
        if organization.access_version == known.access_version:
            return []
        changed = changed_objects(before, self.policy)
        objects = sorted({*changed, LINKS} if changed else changed)
        return [_control("resync", {"objects": objects, "access_version": organization.access_version})]

    async def _rows(self, context: Context, watch: Watch) -> list[EventRow]:
        """The next events for this stream; moves `after` as far as the journal has been looked at."""
        until = watch.head
        if self.query.record_id is None and self.query.filter is None:
            found = await watch.page(context, self.shared, self.after)
            if found is not None:
                last = max(self.after, watch.last_of(self.shared), *(row.seq for row, _ in found[-1:]))
                if all(event is not None for _, event in found):
                    self.after = last
                    return [row for row, event in found if event is not None and self._wanted(event)]
                until = last  # among them are some that everybody has to look for alone
        page = await read_events(context, self.reader, self.query, self.after, until, PAGE)
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
