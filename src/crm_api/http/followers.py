"""The streams of one organisation in one process: whose rights are looked at, and who is sent what.

However many streams there are, news cost a handful of statements: one that looks at the rights and tokens of all, one per group of
streams that are sent the same, one more where something is about single persons. Nothing of that is done by the streams themselves;
they only write what their group has read.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import structlog

from crm_api.core.errors import Problem, UserSuspended
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow, unit_of_work
from crm_api.http.auth import Standing, authenticate_all
from crm_api.http.stream_group import KEPT_BYTES, LEAST_KEPT_BYTES, Group
from crm_api.kernel.access.rights import NOTHING
from crm_api.kernel.context import Context
from crm_api.kernel.event_query import EventQuery, Reader, reader_of
from crm_api.kernel.event_shared import ids_of, shared_by
from crm_api.kernel.policy import Policy
from crm_api.kernel.principal import Principal
from crm_api.kernel.registry import Registry

if TYPE_CHECKING:
    from crm_api.http.services import Services
    from crm_api.http.stream import Stream

QUIET_S: Final = 15.0
"""A comment is sent this often, so that proxies keep the connection, with the place that the client would resume from."""

BURST: Final = 50
"""Streams that are given something to write before others have their turn."""

SLOTS: Final = 15
"""The quiet streams are not all written to at the same moment, but by turns."""

RECENT: Final = 1_000
"""The first stream of a group that resumes with no more than so many numbers to catch up with has them read for all of the group."""

READING: Final = 4
"""Streams of one organisation that may read the journal by themselves at once."""

# A view that somebody follows is told by its version; a token that is no longer there has ended too. Tokens are looked up by their hash
# alone: with the organisation beside it a planner without statistics walks through all of its tokens for each.
_STANDING: Final = Statement(
    """
    SELECT o.access_version, o.schema_version, o.time_zone, o.region, o.settings::text AS settings, o.clock_offset_us, o.clock_frozen_at,
           coalesce((SELECT value FROM counters WHERE org_id = $1 AND name = 'removed_payloads'), 0) AS removed,
           ARRAY(SELECT h FROM unnest($2::bytea[]) AS h
                  WHERE NOT EXISTS (SELECT FROM tokens t WHERE t.hash = h AND t.revoked_at IS NULL AND NOT t.user_suspended
                                       AND (t.expires_at IS NULL OR t.expires_at > $3))) AS ended,
           ARRAY(SELECT v.id::text || ':' || v.version FROM views v
                  WHERE v.org_id = $1 AND v.id = ANY($4::uuid[]) AND v.deleted_at IS NULL) AS views
      FROM organizations o WHERE o.id = $1
    """,
    ("org_id", "hashes", "now", "views"),
)

log = structlog.get_logger("crm_api.stream")


@dataclass(frozen=True, slots=True)
class Look:
    """What may have changed for those who follow: the organisation's rights, schema and settings, tokens that have ended, views."""

    versions: tuple[Any, ...] = ()
    removed: int = 0
    ended: frozenset[bytes] = frozenset()
    views: frozenset[str] = frozenset()
    streams: frozenset[Stream] = frozenset()
    """Whom it is about: who comes later waits for the next one."""


@dataclass(slots=True)
class Caller:
    """A caller with the rights of one moment, without a transaction."""

    principal: Principal
    registry: Registry
    whole: Registry | None
    services: Services
    own: Reader
    shared: Reader
    ids: frozenset[str] | None
    networks: list[str] | None = None

    @classmethod
    def of(cls, context: Context, services: Services, networks: list[str] | None = None) -> Caller:
        """The caller of a context. Raises what keeps it from reading the journal."""
        if context.principal.rights is NOTHING:
            raise UserSuspended()
        context.policy.require("events", "read")
        own = reader_of(context, "")
        return cls(
            context.principal, context.registry, context.unnarrowed, services, own, shared_by(context, own), ids_of(context), networks
        )

    @property
    def policy(self) -> Policy:
        """What the caller may do."""
        return Policy(self.principal, self.registry if self.whole is None else self.whole)

    @property
    def versions(self) -> tuple[int, int]:
        """Of rights and schema."""
        return self.principal.organization.access_version, self.principal.organization.schema_version

    def reader(self, api_version: str, *, shared: bool = False) -> Reader:
        """The caller's own view of the journal, or the one that it shares with others, in an API version."""
        return replace(self.shared if shared else self.own, api_version=api_version)

    def context(self, uow: Uow) -> Context:
        """The caller in a transaction."""
        engine = self.services.engine
        return Context(self.principal, uow, self.registry, engine.statements, engine.keys, self.whole)


class Followers:
    """The streams that follow one organisation's journal here."""

    def __init__(self, org_id: UUID, services: Services) -> None:
        self.streams: set[Stream] = set()
        self.reading = asyncio.Semaphore(READING)
        self._org_id = org_id
        self._services = services
        self._callers: dict[bytes, Caller | Problem] = {}
        self._groups: dict[Hashable, Group] = {}
        self._look: Look = Look()
        self._slots: list[set[Stream]] = [set() for _ in range(SLOTS)]
        self._tokens: Counter[bytes] = Counter()
        self._ticking: asyncio.Task[None] | None = None

    # --- coming and going ---------------------------------------------------------------------------------------------------

    def add(self, stream: Stream) -> None:
        """A stream that is to be told of what comes, after the next look."""
        self.streams.add(stream)
        self._tokens[stream.hash] += 1
        stream.slot = min(self._slots, key=len)
        stream.slot.add(stream)
        if self._ticking is None:
            self._ticking = asyncio.create_task(self._tick(), name=f"ticks {self._org_id}")

    def discard(self, stream: Stream) -> None:
        """A stream that has gone."""
        self.streams.discard(stream)
        if stream.slot is not None:
            stream.slot.discard(stream)
        self._leave(stream)
        self._tokens[stream.hash] -= 1
        if self._tokens[stream.hash] <= 0:
            del self._tokens[stream.hash]
            self._callers.pop(stream.hash, None)

    def _leave(self, stream: Stream) -> None:
        group, stream.group = stream.group, None
        if group is not None:
            group.members.discard(stream)
            if not group.members and self._groups.get(group.key) is group:
                del self._groups[group.key]

    async def stop(self) -> None:
        """Ends what runs in the background."""
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.wait([self._ticking])

    async def end(self, reason: str) -> None:
        """Ends all streams."""
        await self._each(tuple(self.streams), lambda stream: stream.end(reason))

    async def _each(self, streams: Iterable[Stream], do: Any) -> None:
        for number, stream in enumerate(streams, 1):
            do(stream)
            if number % BURST == 0:
                await asyncio.sleep(0)

    async def _tick(self) -> None:
        turn = 0
        while True:
            await asyncio.sleep(QUIET_S / SLOTS)
            turn = (turn + 1) % SLOTS
            now = monotonic()
            await self._each(tuple(self._slots[turn]), lambda stream, now=now: stream.tick(now))

    # --- news -----------------------------------------------------------------------------------------------------------------

    async def look(self, uow: Uow) -> Look:
        """What may have changed; one statement for all streams. Its snapshot is younger than the journal's numbers that the uow has
        given out, so whatever took away a right before an event is seen with that event."""
        streams = frozenset(self.streams)
        views = {stream.view[0] for stream in self.streams if stream.view is not None}
        values = {"org_id": self._org_id, "hashes": list(self._tokens), "now": self._services.clock.now(), "views": list(views)}
        row = await uow.fetch_row(_STANDING, values)
        if row is None:
            return Look(ended=frozenset(self._tokens), streams=streams)
        names = ("access_version", "schema_version", "time_zone", "region", "settings", "clock_offset_us", "clock_frozen_at")
        ended = frozenset(map(bytes, row["ended"]))
        return Look(tuple(row[name] for name in names), row["removed"], ended, frozenset(row["views"]), streams)

    async def follow(self, head: int, look: Look) -> None:
        """Has everybody told what there is up to `head`, with the rights that `look` has found."""
        before, stale = self._look, set(look.ended)
        for hash_ in list(self._tokens):
            caller = self._callers.get(hash_)
            if caller is None or look.versions != before.versions:
                stale.add(hash_)
        await self._look_at_rights(stale, look)
        self._look = look
        if look.removed != before.removed:
            for group in self._groups.values():
                group.clear()  # what is kept may hold what was taken out of events
        await self._place(head, look)
        await self._read(head)

    async def _look_at_rights(self, hashes: set[bytes], look: Look) -> None:
        """Takes over what tokens and their callers may do now."""
        services = self._services
        fresh = {
            stream.hash: stream.caller
            for stream in self.streams
            if stream.group is None and stream.caller.versions == look.versions[:2] and stream.hash not in look.ended
        }
        if not self._look.versions or look.versions == self._look.versions:  # those who have just come were looked at when they came
            for hash_ in hashes & fresh.keys():
                self._callers[hash_] = fresh[hash_]
            hashes = hashes - fresh.keys()
        if not hashes:
            return
        async with services.database.connection() as connection:
            found = await authenticate_all(connection, hashes, services.clock.now())
        async with unit_of_work(services.database, self._org_id, services.clock) as uow:
            for number, (hash_, standing) in enumerate(found.items(), 1):
                self._callers[hash_] = await self._caller(uow, standing)
                if number % BURST == 0:
                    await asyncio.sleep(0)

    async def _caller(self, uow: Uow, standing: Standing) -> Caller | Problem:
        if standing.principal is None:
            assert standing.problem is not None
            return standing.problem
        try:
            return Caller.of(await self._services.engine.context(standing.principal, uow), self._services, standing.networks)
        except Problem as problem:
            return problem

    async def _place(self, head: int, look: Look) -> None:
        """Puts every stream into the group that it belongs to now; ends those that may not go on."""
        for stream in look.streams:
            if stream.view is not None and f"{stream.view[0]}:{stream.view[1]}" not in look.views:
                stream.end("view_changed")
        streams = [stream for stream in look.streams if stream.group is None or self._callers.get(stream.hash) is not stream.caller]
        await self._each(streams, lambda stream: self._put(stream, head))

    def _put(self, stream: Stream, head: int) -> None:
        caller = self._callers.get(stream.hash)
        if stream not in self.streams or caller is None:
            return
        if isinstance(caller, Problem):
            stream.end(caller.code)
            return
        stream.take(caller)
        if stream.ending:
            return
        reader = caller.reader(stream.version, shared=True)
        key: Hashable = (reader, None if stream.live is None else stream.live.key(caller.principal))
        group = self._groups.get(key)
        if group is None:
            at = min(max(stream.after, head - RECENT), head)
            group = self._groups[key] = Group(self._org_id, key, reader, at)
        if stream.group is not group:
            self._leave(stream)
            stream.group = group
            group.members.add(stream)
        stream.kick()

    async def _read(self, head: int) -> None:
        """Reads what is new, once for each group, and has it written."""
        due = [group for group in self._groups.values() if group.last < head]
        if not due:
            return
        services = self._services
        keep = max(LEAST_KEPT_BYTES, KEPT_BYTES // len(self._groups))
        told: list[Group] = []
        async with unit_of_work(services.database, self._org_id, services.clock) as uow:
            await uow.begin()
            await uow.connection.run(GENERIC)
            for group in due:
                member = next(iter(group.members), None)
                if member is None:
                    continue
                uow.keep_time(member.caller.principal.organization.time)
                context = member.caller.context(uow)
                try:
                    query = EventQuery() if member.live is None else member.live.query(context, uow.now)
                except Problem as problem:  # it names what has been removed since
                    for stream in tuple(group.members):
                        stream.end(problem.code)
                    continue
                if await group.read(context, member.caller.reader(member.version), query, head, keep):
                    told.append(group)
        for group in told:
            await self._each(tuple(group.members), lambda stream: stream.kick())


GENERIC: Final = "SET LOCAL plan_cache_mode = force_generic_plan"
"""Planning a statement over all days' partitions takes longer than running it; the plan for any values is as good."""
