"""Writing the audit log: sign-ins, administration, changes of who may do what, exports, purges.

`record` notes an entry in the caller's transaction; all of a transaction's entries are written at its very end, in one statement
that locks the end of the organisation's chain. So entries are durable exactly if what they tell of is, no chain forks, and
writers wait for each other no longer than a commit takes. `record_alone` is for what has to be known although the request fails.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import orjson

from crm_api.core.clock import Clock
from crm_api.db.engine import Database
from crm_api.db.statement import Statement
from crm_api.db.uow import SYSTEM, Actor, Cause, Uow, unit_of_work
from crm_api.kernel.audit_chain import GENESIS, HASHED, Value, body, commitment, head_of
from crm_api.kernel.context import Context

MAX_DETAILS: Final = 65_536
"""Bytes of an entry's details as JSON; of longer ones only the digest and the names of the members are kept."""

_STATE: Final = "kernel.audit"
_ACTION: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
_SECRET: Final = re.compile(r"crm_[a-z]{1,6}_[0-9A-Za-z_-]{20,}")
_TYPES: Final = {
    "id": "uuid",
    "occurred_at": "timestamptz",
    "actor_id": "uuid",
    "record_id": "uuid",
    "commitment": "bytea",
    "salt": "bytea",
}
_NUL: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
_COLUMNS: Final = (*HASHED, "salt", "personal")
_NAMES: Final = ", ".join(_COLUMNS)
_ARRAYS: Final = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate((_TYPES.get(name, "text") for name in _COLUMNS), 4))
# The lock is taken by reading the head, so that what is read is the newest state; each entry's hash is made from the one before.
APPEND: Final = Statement(
    f"""
    WITH RECURSIVE head AS MATERIALIZED (
        SELECT h.seq, h.hash FROM audit_heads h WHERE h.org_id = $1 FOR NO KEY UPDATE
    ), chain (place, seq, prev_hash, hash) AS (
        SELECT 0, head.seq, NULL::bytea, head.hash FROM head
        UNION ALL
        SELECT c.place + 1, c.seq + 1, c.hash,
               sha256($2::bytea || int4send(octet_length(c.hash)) || c.hash
                      || int4send(8) || int8send(c.seq + 1) || ($3::bytea[])[c.place + 1])
          FROM chain c WHERE c.place < cardinality($3::bytea[])
    ), written AS (
        INSERT INTO audit_log (org_id, seq, prev_hash, hash, {_NAMES})
        SELECT $1, c.seq, c.prev_hash, c.hash, {", ".join(f"g.{name}" for name in _COLUMNS)}
          FROM chain c JOIN unnest({_ARRAYS}) WITH ORDINALITY AS g ({_NAMES}, place) ON g.place = c.place
    )
    UPDATE audit_heads h SET seq = last.seq, hash = last.hash
      FROM (SELECT c.seq, c.hash FROM chain c ORDER BY c.place DESC LIMIT 1) AS last
     WHERE h.org_id = $1 RETURNING h.seq
    """,
    ("org_id", "head", "bodies", *_COLUMNS),
)
_BEGIN: Final = Statement(
    "INSERT INTO audit_heads (org_id, seq, hash) VALUES ($1, 0, $2) ON CONFLICT (org_id) DO NOTHING", ("org_id", "genesis")
)
_BLANK: Final = Statement(
    "WITH blanked AS (UPDATE audit_log a SET salt = NULL, personal = NULL, erased_at = $3 WHERE a.org_id = $1 AND a.personal IS NOT NULL"
    " AND (a.record_id = ANY($2::uuid[]) OR a.actor_id = ANY($2::uuid[]) OR EXISTS (SELECT FROM unnest($4::text[]) AS t (word)"
    " WHERE position(lower(t.word) IN lower(a.personal)) > 0)) RETURNING 1) SELECT count(*) FROM blanked",
    ("org_id", "ids", "now", "words"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that waits for the end of its transaction."""

    id: UUID
    occurred_at: datetime
    actor: Actor
    action: str
    object: str | None
    record_id: UUID | None
    request_id: str | None
    cause: str
    details: str
    personal: str | None


def record(
    at: Uow | Context,
    action: str,
    *,
    object: str | None = None,
    record_id: UUID | None = None,
    details: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
    actor: Actor | None = None,
) -> None:
    """Notes that `action` (`token.created`) is done in this transaction, by its actor unless another one is given.

    `details` stay for ever: nothing personal and no secret may be in them. What tells of a person (an address that was typed, a
    changed name) goes into `personal`, which erasing the person blanks; the caller's IP address is put there too.
    """
    uow = at.uow if isinstance(at, Context) else at
    if uow.read_only:
        raise AssertionError("a transaction that only reads can't be audited: await uow.writable() before")
    if not _ACTION.fullmatch(action):
        raise ValueError(f"an action is written like token.created, not {action!r}")
    waiting: list[Entry] | None = uow.state.get(_STATE)
    if waiting is None:
        waiting = uow.state[_STATE] = []
        uow.before_commit.append(_flush)
    cause = uow.cause
    kept: dict[str, Any] = {} if cause.ip is None else {"ip": cause.ip}
    if personal:
        kept["details"] = dict(personal)
    why = {name: value for name in ("token_id", "app_id", "job_id") if (value := getattr(cause, name)) is not None}
    waiting.append(
        Entry(
            uow.new_id(),
            uow.clock.now(),
            actor or uow.actor,
            action,
            object,
            record_id,
            cause.request_id,
            _text(why),
            _text(details or {}),
            _text(kept) if kept else None,
        )
    )


async def record_alone(
    database: Database,
    clock: Clock,
    org_id: UUID,
    action: str,
    *,
    object: str | None = None,
    record_id: UUID | None = None,
    details: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
    actor: Actor = SYSTEM,
    cause: Cause | None = None,
) -> None:
    """The same in a transaction of its own, for what must be kept although the request fails: sign-ins that failed, denied access.

    `cause` tells the request and the caller's IP address. To be called after the request's own transaction has ended and given
    its connection back: else requests that hold one and want a second could wait for each other.
    """
    async with unit_of_work(database, org_id, clock, actor=actor, cause=cause) as uow:
        record(uow, action, object=object, record_id=record_id, details=details, personal=personal)


async def blank(uow: Uow, ids: list[UUID], words: list[str]) -> int:
    """Erases what is personal in the entries about these records, by these users, or in which one of the words occurs.

    The entries stay, and the chain holds. How many there were.
    """
    found = [word for word in words if word.strip()]
    count: int = await uow.fetch_value(_BLANK, {"org_id": uow.org_id, "ids": ids, "now": uow.clock.now(), "words": found})
    return count


async def _flush(uow: Uow) -> None:
    """Writes what waits, after everything else that waits for the end: the chain's end stays locked until the commit."""
    if uow.before_commit:
        uow.before_commit.append(_flush)
        return
    waiting: list[Entry] = uow.state.pop(_STATE, [])
    if not waiting:
        return
    values = _values(uow.org_id, waiting)
    if await uow.fetch_value(APPEND, values) is None:
        await uow.fetch(_BEGIN, {"org_id": uow.org_id, "genesis": GENESIS})
        await uow.fetch(APPEND, values)


def _values(org_id: UUID, entries: list[Entry]) -> dict[str, Any]:
    rows: list[tuple[Value, ...]] = []
    for entry in entries:
        salt = None if entry.personal is None else os.urandom(32)
        rows.append(
            (
                entry.id,
                entry.occurred_at,
                entry.actor.type,
                entry.actor.id,
                entry.action,
                entry.object,
                entry.record_id,
                entry.request_id,
                entry.cause,
                entry.details,
                None if salt is None or entry.personal is None else commitment(salt, entry.personal),
                salt,
                entry.personal,
            )
        )
    columns = {name: list(column) for name, column in zip(_COLUMNS, zip(*rows, strict=True), strict=True)}
    return {"org_id": org_id, "head": head_of(org_id), "bodies": [body(row[: len(HASHED)]) for row in rows], **columns}


def _text(value: Mapping[str, Any]) -> str:
    """JSON with sorted names. A token's text never gets in, whatever a caller hands over."""
    encoded = orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    if len(encoded) > MAX_DETAILS:
        names = sorted(str(name) for name in value)[:100]
        encoded = orjson.dumps({"bytes": len(encoded), "left_out": names, "sha256": sha256(encoded).hexdigest()})
    text = _SECRET.sub("[secret]", encoded.decode())
    if "\\u0000" in text:  # PostgreSQL reads no JSON with NUL in it, and somebody may have typed one
        text = orjson.dumps(orjson.loads(_NUL.sub(r"\1\\ufffd", text)), option=orjson.OPT_SORT_KEYS).decode()
    return text
