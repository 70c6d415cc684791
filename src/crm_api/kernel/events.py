"""Events: what a transaction changed, collected while it runs and written in one statement just before it commits.

One transaction makes at most one event per record. Several changes of one record become the difference between its first and
its last state, and the type follows from those two states: a record that a transaction creates and deletes again is one
`deleted` event with version 1, one that it deletes and restores is `updated`, and so on.

`changes` holds one entry for each field whose API value differs, without what merely follows from a change (`version`,
`display_name`, `updated_at`, `updated_by`). External ids and custom fields are told apart member by member
(`external_ids.hubspot`); lists, addresses and bodies are one value.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from crm_api.core.clock import format_timestamp
from crm_api.core.failpoints import reach
from crm_api.db.statement import StatementCache, compile_statement
from crm_api.db.uow import Uow
from crm_api.kernel import audit_changes, event_rows
from crm_api.kernel.context import Context
from crm_api.kernel.resource import AnyResource, Draft, Row
from crm_api.kernel.writes.shape import Shape, encode, shape_of
from crm_api.models.base import table as table_of
from crm_api.models.columns import FieldType
from crm_api.models.tenancy import Organization

STATE: Final = "kernel.events"
LINKS: Final = "links"
GROUPS: Final = frozenset({"teams.users", "territories.users"})
"""Links that say who belongs to a group that records are shared with."""

Nudge = Callable[[UUID], Awaitable[None]]
"""Called with the organisation after a commit that made events."""


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one record so far: its state before the transaction (None: not there) and now (None: purged).

    `verb` is set where the two states do not tell (`merged` on a winner). `related` are further ids the event is found under.
    `action` is what the caller did when the record first changed, if it has a name of its own (`deals.win`).
    """

    shape: Shape
    id: UUID
    old: Row | None
    new: Row | None
    version: int
    verb: str | None = None
    related: tuple[str, ...] = ()
    action: str | None = None


@dataclass(frozen=True, slots=True)
class PlainEvent:
    """An event about something that is no record (links, the schema, jobs), finished by its maker.

    `snapshot` is the table whose row (org_id, record_id) is kept beside the event, if it has one.
    """

    type: str
    object: str
    record_id: UUID
    version: int
    changes: Mapping[str, Any]
    related: tuple[str, ...] = ()
    visibility: Mapping[str, Any] | None = None
    snapshot: sa.Table | None = None
    action: str | None = None


class Collected:
    """A transaction's changes, by record. Entries are replaced, never altered, so that a savepoint's copy is shallow."""

    __slots__ = ("changes", "plain", "settled", "statements")

    def __init__(self, statements: StatementCache, *, settled: bool = False) -> None:
        self.statements = statements
        self.settled = settled
        """Whether they are written already, so that nothing can be added."""
        self.changes: dict[UUID, Change] = {}
        self.plain: dict[UUID, PlainEvent] = {}

    def copy(self) -> Collected:
        """What a savepoint goes back to."""
        twin = Collected(self.statements, settled=self.settled)
        twin.changes = dict(self.changes)
        twin.plain = dict(self.plain)
        return twin


_nudges: Final[dict[asyncio.AbstractEventLoop, list[Nudge]]] = {}


def on_commit(nudge: Nudge) -> Callable[[], None]:
    """Has this called after commits with events, those of the running event loop, until what is returned is called. It must not raise.

    Of this loop only, since what it does belongs to it: connections, and whoever waits for news. Another loop of the process
    may have an application of its own, or none.
    """
    loop = asyncio.get_running_loop()
    _nudges.setdefault(loop, []).append(nudge)

    def end() -> None:
        _nudges[loop].remove(nudge)
        if not _nudges[loop]:
            del _nudges[loop]

    return end


def _collected(uow: Uow, statements: StatementCache) -> Collected:
    found: Collected | None = uow.state.get(STATE)
    if found is None:
        found = uow.state[STATE] = Collected(statements)
        uow.before_commit.append(flush)
        uow.after_commit.append(_after_commit)
    if found.settled:
        raise AssertionError("a write that was said to be the transaction's last was not")
    return found


async def _after_commit(uow: Uow) -> None:
    reach("committed")
    for nudge in _nudges.get(asyncio.get_running_loop(), ()):
        await nudge(uow.org_id)


def touched(uow: Uow, record_id: UUID) -> bool:
    """Whether the record's version has risen in this transaction already; it rises once."""
    found: Collected | None = uow.state.get(STATE)
    return found is not None and (record_id in found.changes or record_id in found.plain)


def collect(context: Context, resource: AnyResource, record_id: UUID, old: Row | None, new: Row | None, version: int) -> None:
    """Notes a change of a record; `old` and `new` must not be altered afterwards."""
    changes = _collected(context.uow, context.statements).changes
    earlier = changes.get(record_id)
    if earlier is None:
        changes[record_id] = Change(shape_of(context, resource), record_id, old, new, version, action=context.uow.cause.action)
    else:
        changes[record_id] = replace(earlier, new=new, version=version)


def mark(context: Context, record_id: UUID, verb: str, related: tuple[str, ...]) -> None:
    """Says what a collected change of a record was, and under which other records its event is found too."""
    changes = _collected(context.uow, context.statements).changes
    changes[record_id] = replace(changes[record_id], verb=verb, related=related)


def emit(context: Context, event: PlainEvent) -> None:
    """Notes an event that is finished. A second one about the same thing in this transaction joins the first."""
    emit_in(context.uow, context.statements, event)


def emit_in(uow: Uow, statements: StatementCache, event: PlainEvent) -> None:
    """The same in a unit of work that nobody's context belongs to. `statements` keeps the one that stores it."""
    plain = _collected(uow, statements).plain
    earlier = plain.get(event.record_id)
    if earlier is not None:
        changes = dict(earlier.changes)
        for name, change in event.changes.items():
            first = changes.get(name, change)
            changes[name] = {"old": first["old"], "new": change["new"]}
        kind = earlier.type if earlier.type.endswith(".created") and not event.type.endswith(".deleted") else event.type
        event = replace(event, type=kind, changes={name: change for name, change in changes.items() if change["old"] != change["new"]})
    plain[event.record_id] = replace(event, action=event.action or uow.cause.action)


def difference(shape: Shape, old: Row | None, new: Row | None) -> dict[str, dict[str, Any]]:
    """The changed fields as the API's JSON: `{"name": {"old": …, "new": …}}`."""
    changes: dict[str, dict[str, Any]] = {}
    if old is None:
        if new is None:
            return changes
        for name, column, _, convert in shape.compared:
            value = new[column]
            if value is not None:
                changes[name] = {"old": None, "new": value if convert is None else convert(value)}
    else:
        for name, column, digits, convert in shape.compared:
            before, after = old[column], None if new is None else new[column]
            if before == after and not (digits and str(before) != str(after)):
                continue
            if convert is not None:
                before, after = None if before is None else convert(before), None if after is None else convert(after)
            changes[name] = {"old": before, "new": after}
    for field in shape.memberwise:
        first = (old and old[field.column]) or {}
        last = (new and new[field.column]) or {}
        for key in (*first, *(key for key in last if key not in first)):
            if first.get(key) != last.get(key):
                flat = field.type is FieldType.CUSTOM_FIELDS and shape.resource.made is not None
                changes[key if flat else f"{field.name}.{key}"] = {"old": first.get(key), "new": last.get(key)}
    return changes


def verb_of(change: Change) -> str:
    """The event's verb, from the record's states at both ends of the transaction."""
    old, new = change.old, change.new
    if new is None:
        return "erased" if change.verb == "erased" else "purged"
    if new["deleted_at"] is not None and (old is None or old["deleted_at"] is None):
        return "merged" if new.get("merged_into") is not None else "deleted"
    if old is None:
        return "created"
    if old["deleted_at"] is not None and new["deleted_at"] is None:
        return change.verb or "restored"
    return change.verb or "updated"


def _visibility(row: Row | None) -> dict[str, Any] | None:
    return None if row is None else {"owner_id": row.get("owner_id")}


def quiet(context: Context) -> bool:
    """Whether nothing was noted yet in this transaction, and nothing waits for its end."""
    return STATE not in context.uow.state and not context.uow.before_commit


def settle(context: Context, shape: Shape, drafts: Sequence[Draft]) -> str:
    """The events of drafts as the statement that stores these takes them (`parts`); nothing can be noted after them."""
    uow = context.uow
    found = uow.state[STATE] = Collected(context.statements, settled=True)
    for draft in drafts:
        found.changes[draft.id] = Change(shape, draft.id, draft.old, draft.new, draft.new["version"], action=uow.cause.action)
    uow.after_commit.append(_after_commit)
    return encode(_rows(uow, found))


async def flush(uow: Uow) -> None:
    """Writes all collected events, their outbox rows and snapshots."""
    found: Collected | None = uow.state.pop(STATE, None)
    if found is None or not (found.changes or found.plain):
        return
    tables = {change.shape.resource.name: change.shape.table for change in found.changes.values() if change.new is not None}
    tables |= {event.object: event.snapshot for event in found.plain.values() if event.snapshot is not None}
    names = tuple(sorted(tables))
    statement = found.statements.get(("events", names), lambda: event_rows.statement([(name, tables[name]) for name in names]))
    rows = _rows(uow, found)
    await uow.fetch(statement, {"org_id": uow.org_id, "events": encode(rows)})
    for change, row in zip(found.changes.values(), rows, strict=False):
        audit_changes.note_record(uow, change.shape.resource, verb_of(change), row)
    for row in rows[len(found.changes) :]:
        audit_changes.note_plain(uow, GROUPS, row)
    if any(map(_changes_access, found.changes.values())) or any(map(_moves_people, found.plain.values())):
        await uow.fetch(_RAISE_ACCESS, {"org_id": uow.org_id})


def _changes_access(change: Change) -> bool:
    """Whether a change alters what people may do."""
    resource = change.shape.resource
    if not resource.governs_access:
        return False
    if change.old is None or change.new is None or not resource.access_fields:
        return True
    return any(change.old[name] != change.new[name] for name in (*resource.access_fields, "deleted_at"))


def _moves_people(event: PlainEvent) -> bool:
    """Whether an event is about a link that lets somebody into a group that records are shared with, or out of it."""
    relation = event.changes.get("relation")
    return event.object == LINKS and relation is not None and not GROUPS.isdisjoint(relation.values())


def _rows(uow: Uow, found: Collected) -> list[dict[str, Any]]:
    total = len(found.changes) + len(found.plain)
    base = {
        "occurred_at": format_timestamp(uow.now),
        "actor": uow.actor.json(),
        "transaction_id": uow.transaction_id,
    }
    rows: list[dict[str, Any]] = []
    for change in found.changes.values():
        verb = verb_of(change)
        resource = change.shape.resource
        rows.append(
            {
                **base,
                "id": uow.new_id(),
                "type": f"{resource.singular}.{verb}",
                "object": resource.name,
                "record_id": change.id,
                "version": change.version,
                "cause": _cause(uow, change.action or f"{resource.name}.{_VERBS.get(verb, verb)}"),
                "changes": {} if change.new is None else difference(change.shape, change.old, change.new),
                "visibility": {"before": _visibility(change.old), "after": _visibility(change.new)},
                "transaction_index": len(rows),
                "transaction_last": len(rows) == total - 1,
                "related": change.related,
            }
        )
    for event in found.plain.values():
        rows.append(
            {
                **base,
                "id": uow.new_id(),
                "type": event.type,
                "object": event.object,
                "record_id": event.record_id,
                "version": event.version,
                "cause": _cause(uow, event.action or f"{event.object}.{_plain_verb(event)}"),
                "changes": event.changes,
                "visibility": event.visibility or {"before": None, "after": None},
                "transaction_index": len(rows),
                "transaction_last": len(rows) == total - 1,
                "related": event.related,
            }
        )
    return rows


_VERBS: Final = {
    "created": "create",
    "updated": "update",
    "deleted": "delete",
    "restored": "restore",
    "purged": "purge",
    "erased": "erase",
    "merged": "merge",
}


def _plain_verb(event: PlainEvent) -> str:
    verb = event.type.partition(".")[2]
    return _VERBS.get(verb, verb)


def _cause(uow: Uow, action: str) -> dict[str, Any]:
    cause = uow.cause
    found: dict[str, Any] = {"action": action}
    for name in ("request_id", "idempotency_key", "app_id", "token_id", "job_id", "rule_id", "event_id"):
        value = getattr(cause, name)
        if value is not None:
            found[name] = value
    return found


_ORG: Final = sa.bindparam("org_id", type_=PgUUID(as_uuid=True))
_organizations = table_of(Organization)
_RAISE_ACCESS: Final = compile_statement(
    sa.update(_organizations)
    .where(_organizations.c.id == _ORG)
    .values(access_version=_organizations.c.access_version + sa.literal_column("1"))
)
"""Every process keeps what people may do by this number; it rises in the transaction that changes it."""
