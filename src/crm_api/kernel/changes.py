"""What changed since a journal cursor: the present state of each record, and what is left of those that were purged.

Records come first, page by page like any list. A purged record has no row to list, only its id and last version; these follow
on the last page of the records and, where they are too many for it, on pages of their own. So do records that the caller could see
before one of these changes and can't see now.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from crm_api.core.cursor import decode_cursor, encode_cursor
from crm_api.core.errors import CursorExpired, InvalidCursor
from crm_api.core.json import dumps
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel import journal
from crm_api.kernel.context import Context
from crm_api.kernel.event_reach import NOWHERE, reach
from crm_api.kernel.labels import Labeller
from crm_api.kernel.query.request import ReadRequest
from crm_api.kernel.reader import Reader, ReadPage
from crm_api.kernel.resource import AnyResource
from crm_api.models.base import table
from crm_api.models.events import Event, JournalEntry
from crm_api.models.platform import Tombstone

_KEY: Final = b"changes"  # ids of purged records are shown anyway: only tells a damaged cursor from a whole one
_KIND: Final = "purged"


async def page_of_changes(
    context: Context, reader: Reader, resource: AnyResource, request: ReadRequest, *, labels: Labeller | None = None
) -> ReadPage:
    """One page of a list with `since`. Raises CursorExpired for a cursor that the journal no longer reaches back to."""
    uow = context.uow
    assert request.since is not None
    head = (await journal.number(uow)).head
    if request.since != head:
        first = await journal.oldest(uow, head)
        if not first <= request.since <= head:  # also a number from the future: the database was set back to an older copy
            raise CursorExpired(journal.encode_events_cursor(uow.org_id, first))
    after = None if request.cursor is None else _position(request, request.cursor)
    if after is None:
        page = await reader.page(context, resource, request, labels=labels)
        if request.plan.deleted == "exclude" or request.plan.parent is not None:
            return page
        if page.has_more:
            return replace(page, purged=b"")
    else:
        page = ReadPage(b"", None, None, False, head, None, False)
    found = await _gone(context, resource, request.since, after or UUID(int=0), request.limit + 1)
    shown = found[: request.limit]
    more = len(found) > len(shown)
    cursor = encode_cursor(_KEY, _KIND, request.digest, [shown[-1][0]]) if more else None
    listed = b",".join(dumps({"object": resource.name, "id": id_, "version": version, how: True}) for id_, version, how in shown)
    return replace(page, next_cursor=cursor, has_more=more, purged=listed)


def _position(request: ReadRequest, cursor: str) -> UUID | None:
    """The purged record after which a page starts; None for a cursor among the records."""
    try:
        values = decode_cursor(_KEY, _KIND, request.digest, cursor)
    except InvalidCursor as problem:
        if problem.reason == "mismatch":
            raise
        return None
    if len(values) != 1 or not isinstance(values[0], UUID):
        raise InvalidCursor("malformed")
    return values[0]


async def _gone(context: Context, resource: AnyResource, since: int, after: UUID, limit: int) -> list[tuple[UUID, int, str]]:
    """The records that the caller knew of and that are `purged` or `hidden` by now, with their last versions."""
    policy = context.policy
    closed = policy.looks_at(resource) != "nothing"

    def build() -> Statement:
        dead, entries, events = table(Tombstone).alias("d"), table(JournalEntry).alias("j"), table(Event).alias("e")
        org, name = sa.bindparam("org_id", type_=sa.Uuid()), sa.bindparam("object", type_=sa.Text())
        changed = sa.select(events.c.record_id).where(
            entries.c.org_id == org,
            entries.c.seq > sa.bindparam("since", type_=sa.BigInteger()),
            events.c.org_id == entries.c.org_id,
            events.c.id == entries.c.event_id,
            events.c.object == name,
        )
        if closed:
            told = reach(policy, context.registry, events, (resource.name,), own_jobs=False)
            changed = changed.where(told > sa.literal_column(str(NOWHERE)))
        purged: sa.Select[Any] = sa.select(dead.c.id, dead.c.version, sa.literal_column("'purged'").label("how")).where(
            dead.c.org_id == org, dead.c.object == name, dead.c.id.in_(changed)
        )
        found = purged.subquery("g")
        if closed:
            row = resource.table.alias("t")
            seen = policy.predicate(resource, row)
            assert seen is not None
            hidden: sa.Select[Any] = sa.select(row.c.id, row.c.version, sa.literal_column("'hidden'").label("how")).where(
                row.c.org_id == org, *resource.scope(row), row.c.id.in_(changed), sa.not_(sa.func.coalesce(seen, sa.false()))
            )
            found = sa.union_all(purged, hidden).subquery("g")
        return compile_statement(
            sa.select(found)
            .where(found.c.id > sa.bindparam("after", type_=sa.Uuid()))
            .order_by(found.c.id)
            .limit(sa.bindparam("limit", type_=sa.BigInteger()))
        )

    key = ("gone_since", (resource.key, context.registry.key, policy.shape) if closed else None)
    statement = context.statements.get(key, build)
    values = {**policy.values, "org_id": context.uow.org_id, "object": resource.name, "since": since, "after": after, "limit": limit}
    return [(row["id"], row["version"], row["how"]) for row in await context.uow.fetch(statement, values)]
