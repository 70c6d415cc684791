"""GET /v1/events/stream: the journal as server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from random import randint
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from crm_api.core.errors import BadRequest, InvalidValue, Unavailable
from crm_api.core.networks import allows
from crm_api.http.auth import bearer_hash
from crm_api.http.events import feeds_of, parse, position
from crm_api.http.feed import Feeds
from crm_api.http.followers import Caller
from crm_api.http.protocol import ABORT
from crm_api.http.routing import JOINED, client_ip
from crm_api.http.services import Services
from crm_api.http.session import enter, working
from crm_api.http.state import VERSION
from crm_api.http.stream_group import PIECE_BYTES, Entry, Group, block, wanted
from crm_api.http.stream_live import Live, of_filter, of_view
from crm_api.http.stream_tickets import TICKET, token_behind
from crm_api.kernel.access.compare import changed_objects
from crm_api.kernel.event_json import LINKS
from crm_api.kernel.event_query import EventQuery, EventRow, read_events
from crm_api.kernel.journal import decode_events_cursor, encode_events_cursor, number

if TYPE_CHECKING:
    from crm_api.http.followers import Followers

AWAY_S: Final = 1.0
"""How long a stream that reads by itself waits while the database is away or busy."""

STALLED_S: Final = 60.0
"""A client that takes nothing for so long is let go; it finds its place again when it comes back."""

RETRY_MS: Final = (500, 3_000)
"""When a browser comes back after a break: not all at the same moment."""

HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
ALONE: Final = 50
"""Events that a stream reads at once by itself."""

_UNKNOWN: Final = -1
_COMMENT: Final = b": \n"

log = structlog.get_logger("crm_api.stream")


async def stream_events(request: Request) -> Response:
    """The journal as it grows."""
    if JOINED in request.scope:
        raise BadRequest("A stream can't be part of a composite request.")
    services: Services = request.app.state.services
    hash_ = await token_behind(request, services) or bearer_hash(request)
    principal = await enter(request, services, hash_=hash_)
    principal.require_scope("events", "read")
    feeds = feeds_of(request)
    resumed = request.headers.get("last-event-id")
    async with working(services, principal) as context:
        caller = Caller.of(context, services)
        asked = parse(request, context, services, ("view_id", TICKET))
        start = asked.start
        if resumed:
            start = decode_events_cursor(principal.org_id, resumed, parameter="Last-Event-ID")
        query, live, view = replace(asked.query, filter=None, values=()), None, None
        if "view_id" in asked.texts:
            if "filter" in asked.texts:
                raise BadRequest(errors=[InvalidValue("invalid_combination", other="filter").at(parameter="view_id")])
            name, live, view = await of_view(context, services.engine.reader, asked.texts["view_id"], query.object)
            query = replace(query, object=name)
        elif asked.query.filter is not None:
            assert query.object is not None
            live = of_filter(query.object, orjson.loads(asked.texts["filter"]))
        head = (await number(context.uow)).head
        after = await position(context, start, head, default="now")
    stream = Stream(services, hash_, caller, client_ip(request), getattr(request.state, VERSION), query, live, view, after)
    return EventStream(feeds, stream, feeds.admit(principal, None if live is None else live.key(principal)))


class EventStream(Response):
    """The answer: writes what its `Stream` has, for as long as the client stays."""

    def __init__(self, feeds: Feeds, stream: Stream, leave: Callable[[], None]) -> None:
        super().__init__()
        self.feeds = feeds
        self.stream = stream
        self.leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Waits for the client to go. What is written is written by tasks that live no longer than that takes."""
        stream = self.stream
        try:
            async with self.feeds.watch(stream.caller.principal.org_id) as watch:
                await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
                stream.begin(watch.followers, send, scope.get(ABORT))
                watch.wake()
                try:
                    while (await receive())["type"] != "http.disconnect":
                        pass
                finally:
                    stream.stop()
        finally:
            self.leave()


class Stream:
    """One client's stream. `after` is the number up to which the journal has been looked at for it, `told` the one that the client would
    resume from."""

    __slots__ = (
        "_abort", "_comment", "_followers", "_pending", "_send", "_since", "_writing", "address", "after", "caller", "ending", "group",
        "hash", "live", "plain", "query", "services", "slot", "told", "version", "view",
    )  # fmt: skip

    def __init__(
        self, services: Services, hash_: bytes, caller: Caller, address: str | None, version: str, query: EventQuery, live: Live | None,
        view: tuple[UUID, int] | None, after: int,
    ) -> None:  # fmt: skip
        self.services = services
        self.hash = hash_
        self.caller = caller
        self.address = address
        self.version = version
        self.query = query
        self.plain = query == EventQuery()
        self.live = live
        self.view = view
        self.after = self.told = after
        self.group: Group | None = None
        self.slot: set[Stream] | None = None
        self.ending: bytes | None = None
        self._comment = False
        self._pending: list[bytes] = []
        self._send: Send | None = None
        self._abort: Callable[[], None] | None = None
        self._followers: Followers | None = None
        self._writing: asyncio.Task[None] | None = None
        self._since = 0.0

    def cursor(self, seq: int) -> str:
        """A cursor as the stream's `id:`."""
        return encode_events_cursor(self.caller.principal.org_id, seq)

    def begin(self, followers: Followers, send: Send, abort: Callable[[], None] | None) -> None:
        """Joins those who are told."""
        self._followers, self._send, self._abort = followers, send, abort
        organization = self.caller.principal.organization
        cursor = self.cursor(self.after)
        state = {"cursor": cursor, "access_version": organization.access_version, "schema_version": organization.schema_version}
        self._pending.append(_control("ready", state, cursor, randint(*RETRY_MS)))
        followers.add(self)
        self.kick()

    def stop(self) -> None:
        """Leaves; the client has gone."""
        assert self._followers is not None
        self._followers.discard(self)
        if self._writing is not None:
            self._writing.cancel()

    # --- what others tell it ----------------------------------------------------------------------------------------------------

    def kick(self) -> None:
        """There may be something to write."""
        if self._writing is None and self._send is not None:
            self._since = monotonic()
            self._writing = asyncio.create_task(self._write(self._send))

    def end(self, reason: str, **more: Any) -> None:
        """Ends it, with what has been read so far left unsaid: the client resumes after the last thing it was told."""
        if self.ending is None:
            self.ending = _control("end", {"reason": reason, **more})
            self.kick()

    def tick(self, now: float) -> None:
        """It has been quiet for a while, or the client takes nothing."""
        if self._writing is None:
            self._comment = True
            self.kick()
        elif now - self._since > STALLED_S and self._abort is not None:
            self._abort()

    def take(self, caller: Caller) -> None:
        """Takes over the caller's rights as they are now, and tells of changed ones."""
        before, self.caller = self.caller, caller
        if caller.networks is not None and not allows(caller.networks, self.address):
            self.end("ip_not_allowed")
            return
        version = caller.principal.organization.access_version
        if version == before.principal.organization.access_version:
            return
        changed = changed_objects(before.policy, caller.policy)
        self._pending.append(_control("resync", {"objects": sorted({*changed, LINKS} if changed else changed), "access_version": version}))

    # --- what it writes -----------------------------------------------------------------------------------------------------------

    async def _write(self, send: Send) -> None:
        try:
            while self.ending is None:
                piece = await self._piece()
                if piece is None:
                    return
                if piece:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                    self._since = monotonic()
            await send({"type": "http.response.body", "body": self.ending, "more_body": False})
        except Exception:
            log.exception("stream_failed", org_id=str(self.caller.principal.org_id))
            self.ending = self.ending or _control("end", {"reason": "internal_error"})
            await send({"type": "http.response.body", "body": self.ending, "more_body": False})
        finally:
            self._writing = None

    async def _piece(self) -> bytes | None:
        """What is to be written next: nothing (empty) if it has only gone on, None if there is nothing to do."""
        if self._pending:
            piece = b"".join(self._pending)
            self._pending.clear()
            return piece
        group = self.group
        if group is not None and self.after < group.last:
            joined = group.joined(self.after) if self.plain else None
            if joined is not None:
                self.after, piece = joined
                self.told = _UNKNOWN if piece else self.told
                return piece
            entries = group.since(self.after)
            return await self._chosen(group, entries) if entries is not None else await self._behind(group.last)
        if not self._comment:
            return None
        self._comment = False
        # An id without data moves the client's place past events that its filter left out.
        place = b"" if self.told == self.after else b"id: " + self.cursor(self.after).encode() + b"\n"
        self.told = self.after
        return _COMMENT + place + b"\n"

    async def _chosen(self, group: Group, entries: list[Entry]) -> bytes:
        """Those of the group's events that are for this stream, as many as make a piece."""
        caller, last = self.caller, group.last
        blocks: list[bytes] = []
        size = 0
        for index, entry in enumerate(entries):
            found = entry.block if wanted(self.query, entry, caller.principal) else None
            if entry.people is not None and (caller.ids is None or not caller.ids.isdisjoint(entry.people)):
                found = b"".join(self._blocks((await self._read(entry.seq - 1, entry.seq))[0]))
            if found:
                blocks.append(found)
                size += len(found)
                self.told = entry.seq
            if size >= PIECE_BYTES and index + 1 < len(entries):
                last = entry.seq
                break
        self.after = max(self.after, last)
        return b"".join(blocks)

    async def _behind(self, until: int) -> bytes:
        """The next events of the journal, for one who is further behind than what is kept."""
        rows, last = await self._read(self.after, until)
        self.after = max(self.after, last)
        if rows:
            self.told = rows[-1].seq
        return b"".join(self._blocks(rows))

    async def _read(self, after: int, until: int) -> tuple[list[EventRow], int]:
        """Events read for this stream alone, and the number up to which was looked. While the database is away it waits."""
        assert self._followers is not None
        while True:
            try:
                async with self._followers.reading, working(self.services, self.caller.principal) as context:
                    query = self.query
                    if self.live is not None:
                        asked = self.live.query(context, context.uow.now)
                        query = replace(query, object=asked.object, filter=asked.filter, values=asked.values, live=True)
                    page = await read_events(context, self.caller.reader(self.version), query, after, until, ALONE)
                    return page.rows, page.last
            except Unavailable:
                await asyncio.sleep(AWAY_S)

    def _blocks(self, rows: list[EventRow]) -> list[bytes]:
        return [block(self.cursor(row.seq), row.json) for row in rows if row.json is not None]


def _control(kind: str, data: dict[str, Any], cursor: str | None = None, retry_ms: int | None = None) -> bytes:
    place = b"" if cursor is None else b"id: " + cursor.encode() + b"\n"
    retry = b"" if retry_ms is None else b"retry: %d\n" % retry_ms
    return b"event: " + kind.encode() + b"\n" + place + b"data: " + orjson.dumps(data) + b"\n" + retry + b"\n"
