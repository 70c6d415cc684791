"""Reading the audit log: filters, pages, and an entry as the API shows it, made by PostgreSQL in one statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from crm_api.core.cursor import decode_cursor, encode_cursor, query_digest
from crm_api.core.errors import InvalidCursor
from crm_api.db.statement import Statement, StatementCache
from crm_api.db.uow import Uow

_KEY: Final = b"audit"  # numbers are no secret from those who may read the log: only tells a damaged cursor from a whole one
ACTION: Final = r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)?$"
"""How actions are asked for."""

_TIME: Final = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
_JSON: Final = f"""
    json_build_object(
        'id', a.id, 'seq', a.seq, 'occurred_at', to_char(a.occurred_at AT TIME ZONE 'UTC', {_TIME}), 'action', a.action,
        'actor', json_build_object('type', a.actor_type, 'id', a.actor_id),
        'object', a.object, 'record_id', a.record_id, 'request_id', a.request_id, 'ip', a.personal::json ->> 'ip',
        'cause', a.cause::json, 'details', a.details::json, 'personal', a.personal::json -> 'details',
        'erased_at', to_char(a.erased_at AT TIME ZONE 'UTC', {_TIME}),
        'commitment', encode(a.commitment, 'hex'), 'salt', encode(a.salt, 'hex'),
        'prev_hash', encode(a.prev_hash, 'hex'), 'hash', encode(a.hash, 'hex')
    )::text AS json
"""
_GET: Final = Statement(f"SELECT {_JSON} FROM audit_log a WHERE a.org_id = $1 AND a.id = $2", ("org_id", "id"))
_CONDITIONS: Final = {
    "actor_id": "a.actor_id = {}",
    "actor_type": "a.actor_type = {}",
    "action": "a.action = {}",
    "under": "a.action >= {}",
    "below": "a.action < {}",
    "object": "a.object = {}",
    "record_id": "a.record_id = {}",
    "since": "a.occurred_at >= {}",
    "until": "a.occurred_at < {}",
    "before": "a.seq < {}",
}


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which entries. `action` may end with `.*`; `until` is not included."""

    actor_id: UUID | None = None
    actor_type: str | None = None
    action: str | None = None
    object: str | None = None
    record_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def digest(self) -> str:
        """What a cursor belongs to."""
        return query_digest(*(str(getattr(self, name)) for name in self.__slots__))

    def values(self) -> dict[str, Any]:
        """The values of `_CONDITIONS` that are asked for."""
        found = {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}
        action: str | None = found.pop("action", None)
        if action is not None:
            if action.endswith(".*"):
                found |= {"under": action[:-1], "below": action[:-2] + "/"}  # the sign after the point
            else:
                found["action"] = action
        return found


async def page(
    uow: Uow, statements: StatementCache, query: AuditQuery, *, limit: int, cursor: str | None
) -> tuple[list[bytes], str | None]:
    """Entries as JSON, newest first, and the cursor of the next page. Raises InvalidCursor."""
    values: dict[str, Any] = query.values()
    if cursor is not None:
        (before,) = decode_cursor(_KEY, "audit", query.digest, cursor)
        if not isinstance(before, int):
            raise InvalidCursor("malformed")
        values["before"] = before
    statement = statements.get(("audit", *values), lambda: _list(values))
    rows = await uow.fetch(statement, {**values, "org_id": uow.org_id, "limit": limit + 1})
    more = len(rows) > limit
    following = encode_cursor(_KEY, "audit", query.digest, [rows[limit - 1]["seq"]]) if more else None
    return [row["json"].encode() for row in rows[:limit]], following


async def get(uow: Uow, id: UUID) -> bytes | None:
    """One entry as JSON, or None."""
    found: str | None = await uow.fetch_value(_GET, {"org_id": uow.org_id, "id": id})
    return None if found is None else found.encode()


def _list(values: Mapping[str, Any]) -> Statement:
    conditions = "".join(f" AND {_CONDITIONS[name].format(f'${place}')}" for place, name in enumerate(values, 2))
    limit = len(values) + 2
    return Statement(
        f"SELECT a.seq, {_JSON} FROM audit_log a WHERE a.org_id = $1{conditions} ORDER BY a.seq DESC LIMIT ${limit}",
        ("org_id", *values, "limit"),
    )
