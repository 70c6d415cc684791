"""From the journal to deliveries: a consumer with a place of its own, one transaction for each stretch of events.

Which events an endpoint is told of is asked of the journal itself, with the rights that the endpoint has at this moment; endpoints
that see alike share the answer. The delivery's id follows from event and endpoint, so repeating a stretch makes nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import orjson
import structlog

from crm_api.core.clock import Clock
from crm_api.core.failpoints import reach
from crm_api.db.engine import Connection, Database
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow, unit_of_work
from crm_api.flows.organizations import organization_info
from crm_api.flows.webhooks.endpoints import Endpoint, listening
from crm_api.flows.webhooks.ids import delivery_id
from crm_api.kernel.context import Context
from crm_api.kernel.engine import Engine
from crm_api.kernel.event_filter import EventFilterParser
from crm_api.kernel.event_query import EventMatch, EventQuery, Reader, match_events, reader_of
from crm_api.kernel.journal import number
from crm_api.kernel.presentation import locale_of
from crm_api.resources.webhook_endpoints.standing import CONSUMER, wake

STRETCH: Final = 1_000
"""Events that are looked at in one transaction."""

BATCH_WAIT_S: Final = 5
MAX_GATHERED: Final = 500
"""Changes that one delivery gathers; those after them go into another."""

OWN_NEWS: Final = ("webhook_endpoint.failing", "webhook_endpoint.recovered", "webhook_delivery.exhausted")
"""Events about an endpoint's deliveries, which that endpoint itself is not sent: they would never end."""

_WAITING: Final = Statement(
    "SELECT c.org_id FROM journal_consumers c JOIN journal_heads h ON h.org_id = c.org_id WHERE c.name = $1 AND c.seq < h.seq", ("name",)
)
_TAKE: Final = Statement("SELECT seq FROM journal_consumers WHERE org_id = $1 AND name = $2 FOR UPDATE SKIP LOCKED", ("org_id", "name"))
_MOVE: Final = Statement("UPDATE journal_consumers SET seq = $3 WHERE org_id = $1 AND name = $2", ("org_id", "name", "seq"))
_INSERT: Final = Statement(
    """
    WITH given AS (
        SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::uuid[], $8::float8[], $9::boolean[])
            AS u (id, endpoint_id, event_id, type, seq, record_id, wait, gathered)
    ), made AS (
        INSERT INTO webhook_deliveries (org_id, id, endpoint_id, event_id, event_type, seq, record_id, status, reason, created_at,
                                        next_attempt_at, finished_at)
        SELECT $1, id, endpoint_id, event_id, type, seq, record_id, CASE WHEN gathered THEN 'skipped' ELSE 'pending' END,
               CASE WHEN gathered THEN 'coalesced' END, now(), CASE WHEN NOT gathered THEN now() + make_interval(secs => wait) END,
               CASE WHEN gathered THEN now() END
          FROM given ORDER BY id
        ON CONFLICT (org_id, id) DO NOTHING RETURNING id
    )
    INSERT INTO webhook_queue (org_id, id, endpoint_id, seq, events, record_id, due_at)
    SELECT $1, g.id, g.endpoint_id, g.seq, ARRAY[g.event_id], g.record_id, now() + make_interval(secs => g.wait)
      FROM given g JOIN made m ON m.id = g.id WHERE NOT g.gathered
    """,
    ("org_id", "ids", "endpoints", "events", "types", "seqs", "records", "waits", "gathered"),
)
_GATHERING: Final = Statement(
    "SELECT id, record_id FROM webhook_queue WHERE org_id = $1 AND endpoint_id = $2 AND record_id = ANY($3::uuid[]) AND attempts = 0"
    " AND due_at > now() AND NOT manual AND cardinality(events) < $4 ORDER BY id FOR UPDATE",
    ("org_id", "endpoint_id", "records", "most"),
)
# The number stays the first one's: up to it, not to the last, everything has been delivered.
_GATHER: Final = Statement(
    """
    UPDATE webhook_queue q SET events = q.events || u.events
      FROM (SELECT id, array_agg(event_id ORDER BY place) AS events
              FROM unnest($2::uuid[], $3::uuid[]) WITH ORDINALITY AS t (id, event_id, place) GROUP BY id) AS u
     WHERE q.org_id = $1 AND q.id = u.id
    """,
    ("org_id", "ids", "events"),
)
_HURRY: Final = Statement("UPDATE webhook_queue SET due_at = now() WHERE org_id = $1 AND id = ANY($2::uuid[])", ("org_id", "ids"))

log = structlog.get_logger("crm_api.webhooks")


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What one stretch came to: for how many events and endpoints deliveries were made, and whether the journal was looked at at all."""

    deliveries: int = 0
    moved: bool = False


@dataclass(slots=True)
class _Rows:
    """Deliveries to be stored, column by column."""

    org_id: UUID
    ids: list[UUID] = field(default_factory=list)
    endpoints: list[UUID] = field(default_factory=list)
    events: list[UUID] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)
    records: list[UUID] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    gathered: list[bool] = field(default_factory=list)

    def add(self, endpoint: Endpoint, event: EventMatch, wait: float, *, gathered: bool = False) -> UUID:
        """One more; tells its id."""
        id = delivery_id(event.id, endpoint.id)
        row = (id, endpoint.id, event.id, event.type, event.seq, event.record_id, wait, gathered)
        for column, value in zip(_Rows.__slots__[1:], row, strict=True):
            getattr(self, column).append(value)
        return id

    def clear(self) -> None:
        """Forgets those that are stored."""
        for name in _Rows.__slots__[1:]:
            getattr(self, name).clear()

    def values(self) -> dict[str, Any]:
        """The parameters of the statement that stores them."""
        return {name: getattr(self, name) for name in _Rows.__slots__}


async def organizations_waiting(connection: Connection) -> list[UUID]:
    """The organisations with events that nobody has made deliveries of yet. One of the few statements that look across organisations."""
    return [row["org_id"] for row in await connection.fetch(_WAITING, {"name": CONSUMER})]


async def dispatch(database: Database, clock: Clock, engine: Engine, org_id: UUID, api_version: str) -> Dispatched:
    """Makes the deliveries of an organisation's next events; nothing if another worker is just doing that."""
    async with unit_of_work(database, org_id, clock) as uow:
        after: int | None = await uow.fetch_value(_TAKE, {"org_id": org_id, "name": CONSUMER})
        if after is None:
            return Dispatched()
        organization = await organization_info(uow)
        head = (await number(uow)).head
        until = min(head, after + STRETCH)
        if until <= after:
            return Dispatched()
        rows = _Rows(org_id)
        made = 0
        if organization.parent_id is None:  # nothing leaves a sandbox
            found = await listening(uow, until, clock.now())
            endpoints = [one for one in found if one.refusal is None]
            wanted: list[tuple[Endpoint, list[EventMatch]]] = []
            for _, alike in groupby(sorted(endpoints, key=lambda one: repr(one.eyes)), key=lambda one: repr(one.eyes)):
                group = list(alike)
                context = await engine.context(group[0].principal(organization), uow)
                reader = reader_of(context, group[0].api_version or api_version)
                matched = await match_events(context, reader, EventQuery(), after, until, STRETCH)
                for endpoint in group:
                    chosen = await chosen_by(context, reader, endpoint, matched, after, until)
                    if chosen:
                        wanted.append((endpoint, chosen))
            # Woken together, in the order of their ids, and before what waits for them is touched: as all do who lock these rows.
            # Those who may be told nothing any more are woken too, to be switched off.
            await wake(uow, [endpoint.id for endpoint, _ in wanted] + [one.id for one in found if one.refusal is not None])
            for endpoint, chosen in wanted:
                made += len(chosen)
                await _add(uow, rows, endpoint, chosen)
        if rows.ids:
            await uow.fetch(_INSERT, rows.values())
        await uow.fetch(_MOVE, {"org_id": org_id, "name": CONSUMER, "seq": until})
        if made:
            reach("dispatching")
        return Dispatched(made, moved=True)


async def chosen_by(
    context: Context, reader: Reader, endpoint: Endpoint, matched: Sequence[EventMatch], after: int, until: int
) -> list[EventMatch]:
    """Those of the events that an endpoint asks for."""
    found = [event for event in matched if event.seq > endpoint.after_seq and endpoint.wants(event.type) and not _is_own(endpoint, event)]
    if not found or not endpoint.filters:
        return found
    filtered = {entry["object"] for entry in endpoint.filters}
    if filtered.isdisjoint(event.object for event in found):
        return found
    passing = {event.id for event in found if event.object not in filtered}
    for entry in endpoint.filters:
        passing |= await _passing(context, reader, endpoint, entry["object"], entry["filter"], after, until)
    return [event for event in found if event.id in passing]


async def _passing(context: Context, reader: Reader, endpoint: Endpoint, object_name: str, tree: Any, after: int, until: int) -> set[UUID]:
    """The events of an object that meet a filter. One that names what the endpoint no longer knows of is met by none."""
    resource = context.registry.get(object_name)
    if resource is None:
        return set()
    parser = EventFilterParser(context.registry, locale_of(context), "body")
    node = parser.tree(tree, resource, {"pointer": ""})
    if parser.errors or parser.unknown:
        log.info("webhook_filter_without_meaning", org_id=str(context.uow.org_id), endpoint=str(endpoint.id), object=object_name)
        return set()
    query = EventQuery(object=object_name, filter=node, values=tuple(parser.values))
    return {event.id for event in await match_events(context, reader, query, after, until, STRETCH)}


def _is_own(endpoint: Endpoint, event: EventMatch) -> bool:
    """Whether an event tells of this endpoint's own deliveries, or was caused by who made it and is not wanted for that."""
    if event.type in OWN_NEWS and (event.record_id == endpoint.id or str(endpoint.id) in event.changes):
        return True
    if not endpoint.exclude_own:
        return False
    cause = orjson.loads(event.cause)
    if endpoint.token_id is not None and cause.get("token_id") == str(endpoint.token_id):
        return True
    return endpoint.app_id is not None and cause.get("app_id") == str(endpoint.app_id)


async def _add(uow: Uow, rows: _Rows, endpoint: Endpoint, events: Sequence[EventMatch]) -> None:
    if endpoint.debounce_s:
        await _add_gathering(uow, rows, endpoint, events)
        return
    wait = 0.0 if endpoint.batch is None else float(endpoint.batch.get("wait_s", BATCH_WAIT_S))
    for event in events:
        rows.add(endpoint, event, wait)


async def _add_gathering(uow: Uow, rows: _Rows, endpoint: Endpoint, events: Sequence[EventMatch]) -> None:
    """Updates of one record join the delivery that waits for them; what else happens to the record sends that off at once."""
    records = sorted({event.record_id for event in events})
    found = await uow.fetch(_GATHERING, {"org_id": uow.org_id, "endpoint_id": endpoint.id, "records": records, "most": MAX_GATHERED})
    stored = {row["record_id"]: row["id"] for row in found}
    fresh: dict[UUID, int] = {}
    joins: list[tuple[UUID, EventMatch]] = []
    hurried: list[UUID] = []
    for event in events:
        record = event.record_id
        if not event.type.endswith(".updated"):
            rows.add(endpoint, event, 0.0)
            if record in stored:
                hurried.append(stored.pop(record))
            if (place := fresh.pop(record, None)) is not None:
                rows.waits[place] = 0.0
        elif record in stored:
            joins.append((stored[record], event))
            rows.add(endpoint, event, 0.0, gathered=True)
        elif record in fresh:
            # The first one's row is only about to be stored; the window has begun with it.
            joins.append((rows.ids[fresh[record]], event))
            rows.add(endpoint, event, 0.0, gathered=True)
        else:
            fresh[record] = len(rows.ids)
            rows.add(endpoint, event, float(endpoint.debounce_s))
    if fresh or joins:
        # Stored now, so that what joins finds its row; the caller stores what other endpoints add.
        await uow.fetch(_INSERT, rows.values())
        rows.clear()
    if joins:
        values = {"ids": [id for id, _ in joins], "events": [event.id for _, event in joins]}
        await uow.fetch(_GATHER, {"org_id": uow.org_id, **values})
    if hurried:
        await uow.fetch(_HURRY, {"org_id": uow.org_id, "ids": hurried})
