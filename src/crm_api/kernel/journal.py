"""The journal's numbers: giving them out, and the cursors made of them.

Events commit in another order than their ids were made, so a reader who follows ids loses some. Each committed event
therefore gets the next number of its organisation, and readers follow the numbers. They are given out here and nowhere else,
under the lock of one counter row, by the relay and by whoever reads first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from crm_api.core.cursor import decode_cursor, encode_cursor
from crm_api.core.errors import InvalidCursor
from crm_api.core.ids import uuid7_floor
from crm_api.db.engine import Connection
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow

READABLE: Final = timedelta(days=34)
"""How long an event can be read from the journal. Rows are kept a day longer, because an old event may have a higher number
than a younger one whose transaction was quicker: what is readable has no gaps."""

# Numbers are no secret (each event shows its own), so this key only tells a damaged cursor from a whole one.
_KEY: Final = b"events"
_KIND: Final = "events"

_STATE: Final = Statement(
    """
    SELECT EXISTS (SELECT FROM outbox WHERE org_id = $1) AS waiting,
           coalesce((SELECT value FROM counters WHERE org_id = $1 AND name = 'journal'), 0) AS head
    """,
    ("org_id",),
)

_LOCK: Final = Statement("SELECT value FROM counters WHERE org_id = $1 AND name = 'journal' FOR NO KEY UPDATE", ("org_id",))

_START: Final = Statement(
    "INSERT INTO counters (org_id, name, value) VALUES ($1, 'journal', 0) ON CONFLICT (org_id, name) DO NOTHING", ("org_id",)
)

# The order: schema events first, then as made, but no event before an earlier version of its record (the clocks of two
# machines may differ). All earlier versions are in the outbox or have numbers already, since a record's writers wait for each
# other. A uuid is compared as text because max() takes no uuid before PostgreSQL 18.
_NUMBER: Final = Statement(
    """
    WITH taken AS (
        DELETE FROM outbox WHERE org_id = $1 RETURNING event_id
    ), placed AS (
        SELECT e.id, e.version, e.type LIKE 'schema.%' AS of_schema,
               max(e.id::text COLLATE "C") OVER (PARTITION BY e.record_id ORDER BY e.version, e.id) AS place
          FROM taken JOIN events e ON e.org_id = $1 AND e.id = taken.event_id
    ), numbered AS (
        INSERT INTO journal (org_id, seq, event_id)
        SELECT $1, $2 + row_number() OVER (ORDER BY of_schema DESC, place, version, id), id FROM placed
        RETURNING seq
    ), told AS (
        INSERT INTO journal_heads (org_id, seq) SELECT $1, $2 + count(*) FROM numbered
            ON CONFLICT (org_id) DO UPDATE SET seq = excluded.seq
    )
    UPDATE counters SET value = $2 + (SELECT count(*) FROM numbered) WHERE org_id = $1 AND name = 'journal' RETURNING value
    """,
    ("org_id", "last"),
)

_SINCE: Final = Statement("SELECT min(seq) FROM journal WHERE org_id = $1 AND event_id >= $2", ("org_id", "floor"))

# Where business time is not real time, ids don't tell when something happened there.
_SINCE_MOVED: Final = Statement(
    "SELECT min(j.seq) FROM journal j JOIN events e ON e.org_id = j.org_id AND e.id = j.event_id"
    " WHERE j.org_id = $1 AND e.org_id = $1 AND e.occurred_at >= $2",
    ("org_id", "at"),
)

_ORGANIZATIONS_WAITING: Final = Statement("SELECT DISTINCT org_id FROM outbox", ())


def encode_events_cursor(org_id: UUID, seq: int) -> str:
    """The cursor after the event numbered `seq`: reading from it gives what comes later."""
    return encode_cursor(_KEY, _KIND, org_id.hex[-12:], [seq])


def decode_events_cursor(org_id: UUID, text: str, *, parameter: str = "cursor") -> int:
    """The number in a cursor. Raises InvalidCursor, also for a cursor of another organisation."""
    (seq,) = decode_cursor(_KEY, _KIND, org_id.hex[-12:], text, parameter=parameter)
    if not isinstance(seq, int):
        raise InvalidCursor("malformed", parameter)
    return seq


@dataclass(frozen=True, slots=True)
class Numbered:
    """The journal's last number, and how many events got theirs just now."""

    head: int
    new: int


async def number(uow: Uow) -> Numbered:
    """Numbers all committed events of the uow's organisation that have no number yet.

    Everybody who reads the journal calls it first and so sees every event committed before, including its own. Costs one
    look at an (almost always empty) index when there is nothing to do. The counter stays locked until the transaction ends.
    """
    org = {"org_id": uow.org_id}
    state = await uow.fetch_row(_STATE, org)
    assert state is not None
    if not state["waiting"]:
        return Numbered(state["head"], 0)
    last = await uow.fetch_value(_LOCK, org)
    if last is None:
        await uow.fetch(_START, org)
        last = await uow.fetch_value(_LOCK, org)
    # A second statement, because only its snapshot is younger than the lock: the one before may still show rows that
    # another process has numbered meanwhile.
    head: int = await uow.fetch_value(_NUMBER, {**org, "last": last})
    return Numbered(head, head - int(last))


async def organizations_waiting(connection: Connection) -> list[UUID]:
    """The organisations with events that have no number yet. One of the few statements that look across organisations."""
    return [row["org_id"] for row in await connection.fetch(_ORGANIZATIONS_WAITING, {})]


async def oldest(uow: Uow, head: int) -> int:
    """The number to read after to get the oldest event that is still readable; `head` if none is.

    Events are kept for a number of real days, however far a sandbox's clock is ahead.
    """
    return await _after(uow, _SINCE, {"floor": uuid7_floor(uow.clock.now() - READABLE)}, head)


async def since(uow: Uow, at: datetime, head: int) -> int:
    """The number to read after to get every event since an instant of the organisation's time; `head` if there are none."""
    if uow.time.moved:
        return await _after(uow, _SINCE_MOVED, {"at": at}, head)
    return await _after(uow, _SINCE, {"floor": uuid7_floor(at)}, head)


async def too_old(uow: Uow, at: datetime, first: int) -> bool:
    """Whether events since an instant may be gone already; `first` is what `oldest` found."""
    if uow.time.moved:
        return await since(uow, at, first) <= first
    return at < uow.now - READABLE


async def _after(uow: Uow, statement: Statement, values: dict[str, Any], head: int) -> int:
    first: int | None = await uow.fetch_value(statement, {"org_id": uow.org_id, **values})
    return head if first is None else first - 1
