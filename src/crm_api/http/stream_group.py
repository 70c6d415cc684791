"""Streams that are sent the same: their events are read from the journal once and made into bytes once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson

from crm_api.kernel.context import Context
from crm_api.kernel.event_query import EventQuery, EventRow, Reader, read_events
from crm_api.kernel.event_shared import Concern, anybody, concerning
from crm_api.kernel.journal import encode_events_cursor
from crm_api.kernel.principal import Principal

if TYPE_CHECKING:
    from crm_api.http.stream import Stream

PAGE: Final = 200
PIECE_BYTES: Final = 64 * 1024
"""What is handed to a connection at once, beyond which one more event is not added."""

KEPT_BYTES: Final = 32 * 1024 * 1024
"""What the groups of one organisation keep of past events, all together; who is further behind reads the journal."""

LEAST_KEPT_BYTES: Final = 16 * 1024
_NONE: Final = Concern()


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. `block` is what is sent, None where it is only for those who have a part in it; `people` are the ids of those."""

    seq: int
    block: bytes | None
    people: frozenset[str] | None
    object: str = ""
    type: str = ""
    records: frozenset[str] = frozenset()
    """Its record, and those at the ends of a link."""

    token_id: str | None = None
    app_id: str | None = None

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return 1_000 + len(self.block or b"")


class Group:
    """The latest events as one kind of reader sees them: everything after number `start`, up to `last`."""

    __slots__ = ("_joined", "_org_id", "_seqs", "_size", "entries", "key", "last", "members", "reader", "start")

    def __init__(self, org_id: UUID, key: Hashable, reader: Reader, at: int) -> None:
        self.key = key
        self.reader = reader
        self.start = self.last = at
        self.entries: list[Entry] = []
        self.members: set[Stream] = set()
        self._org_id = org_id
        self._seqs: list[int] = []
        self._size = 0
        self._joined: tuple[int, int, bytes] | None = None

    async def read(self, context: Context, whole: Reader, query: EventQuery, head: int, keep: int) -> bool:
        """Reads on up to `head`, as one of the members whose own view is `whole`; tells whether there is anything to send."""
        before = len(self.entries)
        while self.last < head:
            page = await read_events(context, self.reader, query, self.last, head, PAGE)
            for entry in await self._entries(context, whole, query, page.rows, self.last):
                self.entries.append(entry)
                self._seqs.append(entry.seq)
                self._size += entry.size
            self.last = page.last
            before -= self._forget(keep)
        return len(self.entries) > before

    def clear(self) -> None:
        """Forgets what is kept; whoever has not been sent it reads the journal."""
        self.start, self._size, self._joined = self.last, 0, None
        self.entries.clear()
        self._seqs.clear()

    def _forget(self, keep: int) -> int:
        gone = 0
        while self._size > keep and gone < len(self.entries):
            self._size -= self.entries[gone].size
            gone += 1
        if gone:
            self.start = self._seqs[gone - 1]
            del self.entries[:gone], self._seqs[:gone]
        return gone

    async def _entries(self, context: Context, whole: Reader, query: EventQuery, rows: list[EventRow], after: int) -> list[Entry]:
        if not rows:
            return []
        concerns = await concerning(context, self.reader.apart, after, rows[-1].seq)
        apart = [row.seq for row in rows if row.json is None]
        common: dict[int, bytes | None] = {}
        if apart:
            nobody, theirs = anybody(context, whole, self.reader)
            found = await read_events(nobody, theirs, query, apart[0] - 1, apart[-1], PAGE)
            common = {row.seq: row.json for row in found.rows}
        return [self._entry(row, row.json or common.get(row.seq), concerns.get(row.seq, _NONE)) for row in rows]

    def _entry(self, row: EventRow, json: bytes | None, concern: Concern) -> Entry:
        people = concern.people if row.json is None else None
        if json is None:
            return Entry(row.seq, None, people)
        event: dict[str, Any] = orjson.loads(json)
        cause = event["cause"]
        return Entry(
            row.seq,
            block(encode_events_cursor(self._org_id, row.seq), json),
            people,
            event["object"],
            event["type"],
            concern.related | {event["record_id"]},
            cause.get("token_id"),
            cause.get("app_id"),
        )

    def since(self, after: int) -> list[Entry] | None:
        """The events after number `after`; None if they are no longer kept."""
        if after < self.start:
            return None
        at = bisect_right(self._seqs, after)
        return self.entries[at:]

    def joined(self, after: int) -> tuple[int, bytes] | None:
        """One piece of the events after number `after`, the same for all who want everything, and the number it goes up to.

        None if some of them have to be looked at, or are no longer kept.
        """
        if self._joined is not None and self._joined[0] == after:
            return self._joined[1:]
        entries = self.since(after)
        if entries is None or any(entry.people is not None for entry in entries):
            return None
        blocks, size, last = [], 0, self.last
        for index, entry in enumerate(entries):
            blocks.append(entry.block or b"")
            size += len(blocks[-1])
            if size >= PIECE_BYTES and index + 1 < len(entries):
                last = entry.seq
                break
        piece = blocks[0] if len(blocks) == 1 else b"".join(blocks)
        self._joined = (after, last, piece)
        return last, piece


def block(cursor: str, json: bytes) -> bytes:
    """An event as it is sent."""
    return b"id: " + cursor.encode() + b"\ndata: " + json + b"\n\n"


def wanted(query: EventQuery, entry: Entry, principal: Principal) -> bool:
    """Whether an event that a group has read is one that a stream of it asks for: what the journal's statement says in SQL."""
    if entry.block is None:
        return False
    if query.object is not None and entry.object != query.object:
        return False
    if query.record_id is not None and str(query.record_id) not in entry.records:
        return False
    if query.types is not None and not _is_one(entry.type, query.types):
        return False
    if query.exclude_own:
        own = entry.token_id == str(principal.token_id)
        return not own and (principal.app_id is None or entry.app_id != str(principal.app_id))
    return True


@lru_cache(maxsize=4096)
def _is_one(kind: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(kind, pattern.replace("\\_", "_").replace("%", "*")) for pattern in patterns)
