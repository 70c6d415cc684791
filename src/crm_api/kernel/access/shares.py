"""Single shares: access to one record for a user, a role, a team or a territory, given by those who have the record in full.

Whoever changes the shares of a record holds the record's lock. Each share has an id, a version and events of its own
(`share.created`, `share.updated`, `share.deleted`), found under the record too; the record's version stays. A share that has
expired, by the organisation's own time, gives nothing from that moment on; a timer then takes it away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import orjson

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import FieldError, LimitExceeded, NotFound, ValidationFailed
from crm_api.db.statement import Statement
from crm_api.kernel import audit, events
from crm_api.kernel.access.rights import FULL, LEVELS
from crm_api.kernel.context import Context
from crm_api.kernel.event_json import SHARES
from crm_api.kernel.references import Lookup
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.timers import clear_timers, set_timers
from crm_api.kernel.tombstones import absent
from crm_api.kernel.writes.locked import lock, lock_reached, unavailable
from crm_api.kernel.writes.shape import encode, shape_of

EXPIRE: Final = "shares.expire"
"""The kind of timer whose subject is a share; also the `cause.action` of the event."""

MAX_SHARES: Final = 1_000
"""Shares of one record that people may give."""

MANUAL: Final = "manual"
TERRITORY: Final = "territory"
GRANTEES: Final = {"user": "users", "role": "roles", "role_tree": "roles", "team": "teams", "territory": "territories"}
"""What records can be shared with, and the objects whose ids those are."""

Outcome = Literal["created", "updated", "unchanged", "deleted"]
_COLUMNS: Final = (
    "id, version, object, record_id, grantee_type, grantee_id, access, source, expires_at, created_at, created_by::text AS created_by"
)
_OF_RECORDS: Final = Statement(
    f"SELECT {_COLUMNS} FROM record_shares WHERE org_id = $1 AND record_id = ANY($2::uuid[]) AND object = $3 ORDER BY id",
    ("org_id", "ids", "object"),
)
_BY_ID: Final = Statement(f"SELECT {_COLUMNS} FROM record_shares WHERE org_id = $1 AND id = ANY($2::uuid[]) ORDER BY id", ("org_id", "ids"))
_STORE: Final = Statement(
    "INSERT INTO record_shares (org_id, id, version, object, record_id, grantee_type, grantee_id, access, source, expires_at,"
    " created_at, created_by) SELECT $1, u.* FROM json_to_recordset($2::json) AS u (id uuid, version bigint, object text, record_id uuid,"
    " grantee_type text, grantee_id uuid, access text, source text, expires_at timestamptz, created_at timestamptz, created_by jsonb)"
    " ON CONFLICT (org_id, object, grantee_id, record_id, grantee_type, source) DO UPDATE SET id = excluded.id,"
    " version = excluded.version, access = excluded.access, expires_at = excluded.expires_at",
    ("org_id", "rows"),
)
_REMOVE: Final = Statement("DELETE FROM record_shares WHERE org_id = $1 AND id = ANY($2::uuid[])", ("org_id", "ids"))
_FORGET: Final = Statement("DELETE FROM record_shares WHERE org_id = $1 AND record_id = ANY($2::uuid[]) RETURNING id", ("org_id", "ids"))
_FORGET_GRANTEES: Final = Statement(
    "DELETE FROM record_shares WHERE org_id = $1 AND grantee_id = ANY($2::uuid[]) RETURNING id", ("org_id", "ids")
)


@dataclass(frozen=True, slots=True)
class Share:
    """One record shared with somebody."""

    id: UUID
    version: int
    object: str
    record_id: UUID
    grantee_type: str
    grantee_id: UUID
    access: str
    source: str
    expires_at: datetime | None
    created_at: datetime
    created_by: Mapping[str, Any]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Share:
        """From a stored row."""
        return cls(**{**row, "created_by": orjson.loads(row["created_by"])})

    @property
    def grantee(self) -> dict[str, str]:
        """Whom it is for, as answers show it."""
        return {"type": self.grantee_type, "id": str(self.grantee_id)}

    def json(self) -> dict[str, Any]:
        """As answers show it."""
        return {
            "object": SHARES,
            "id": str(self.id),
            "version": self.version,
            "record": {"object": self.object, "id": str(self.record_id)},
            "grantee": self.grantee,
            "access": self.access,
            "source": self.source,
            "expires_at": None if self.expires_at is None else format_timestamp(self.expires_at),
            "created_at": format_timestamp(self.created_at),
            "created_by": self.created_by,
        }

    def row(self) -> dict[str, Any]:
        """As `_STORE` takes it."""
        return {
            "id": self.id,
            "version": self.version,
            "object": self.object,
            "record_id": self.record_id,
            "grantee_type": self.grantee_type,
            "grantee_id": self.grantee_id,
            "access": self.access,
            "source": self.source,
            "expires_at": None if self.expires_at is None else format_timestamp(self.expires_at),
            "created_at": format_timestamp(self.created_at),
            "created_by": self.created_by,
        }

    def in_force(self, now: datetime) -> bool:
        """Whether it gives anything at a moment."""
        return self.expires_at is None or self.expires_at > now


@dataclass(frozen=True, slots=True)
class Given:
    """A share as somebody asks for it."""

    grantee_type: str
    grantee_id: UUID
    access: str
    expires_at: datetime | None = None
    pointer: str = ""


async def listed(context: Context, resource: AnyResource, record_id: UUID) -> list[Share]:
    """The shares of a record that are in force, oldest first. Whether the caller may know of them was asked before."""
    return await _in_force(context, resource, record_id)


async def put(context: Context, resource: AnyResource, record_id: UUID, given: Given) -> tuple[Share, Outcome]:
    """Shares a record, or changes how it is shared with the same people.

    Raises NotFound, Deleted or Forbidden unless the caller has the live record in full; ValidationFailed for a grantee that isn't there,
    LimitExceeded for one share too many.
    """
    row = await _hold(context, resource, record_id)
    present = await _in_force(context, resource, record_id, tidy=True)
    lookup = Lookup(context, hold=True)
    lookup.ask(GRANTEES[given.grantee_type], "id", given.grantee_id)
    await lookup.run()
    if lookup.id_of(GRANTEES[given.grantee_type], "id", given.grantee_id) is None:
        raise ValidationFailed([FieldError("not_found_reference", pointer=given.pointer)])
    own = [share for share in present if share.source == MANUAL]
    old = next((s for s in own if (s.grantee_type, s.grantee_id) == (given.grantee_type, given.grantee_id)), None)
    if old is not None and (old.access, old.expires_at) == (given.access, given.expires_at):
        return old, "unchanged"
    if old is None and len(own) >= MAX_SHARES:
        raise LimitExceeded("shares_per_record", MAX_SHARES, len(own) + 1)
    uow = context.uow
    if old is None:
        new = Share(
            uow.new_id(), 1, resource.name, record_id, given.grantee_type, given.grantee_id, given.access, MANUAL, given.expires_at,
            uow.now, uow.actor.json(),
        )  # fmt: skip
    else:
        version = old.version + (0 if events.touched(uow, old.id) else 1)
        new = replace(old, access=given.access, expires_at=given.expires_at, version=version)
    await store(context, [new])
    if new.expires_at is not None:
        await set_timers(uow, EXPIRE, {new.id: new.expires_at})
    elif old is not None and old.expires_at is not None:
        await clear_timers(uow, EXPIRE, [new.id])
    tell(context, old, new, row.get("owner_id"))
    return new, "created" if old is None else "updated"


async def remove(context: Context, resource: AnyResource, record_id: UUID, wanted: UUID, *, co_owner: bool = False) -> Share:
    """Takes a share back, by its id or (`co_owner`) by the user who is the record's co-owner. Raises NotFound, and what `put` raises."""
    row = await _hold(context, resource, record_id)
    for share in await _in_force(context, resource, record_id):
        found = share.id == wanted
        if co_owner:
            found = share.access == "full" and (share.grantee_type, share.grantee_id) == ("user", wanted)
        if found and share.source == MANUAL:
            return (await _removed(context, [share], {record_id: row.get("owner_id")}))[0]
    raise NotFound()


async def expire(context: Context, ids: Sequence[UUID]) -> None:
    """Takes those of the shares away whose time is over."""
    uow = context.uow
    by_object: defaultdict[str, list[Share]] = defaultdict(list)
    for row in await uow.fetch(_BY_ID, {"org_id": uow.org_id, "ids": list(ids)}):
        by_object[row["object"]].append(Share.of(row))
    for name, shares in by_object.items():
        resource = context.whole.get(name)
        if resource is None:
            continue
        rows = await lock(context, shape_of(context, resource), {share.record_id for share in shares})
        again = await uow.fetch(_BY_ID, {"org_id": uow.org_id, "ids": [share.id for share in shares]})
        over = [share for share in map(Share.of, again) if not share.in_force(uow.now)]
        await _removed(context, over, {id: row.get("owner_id") for id, row in rows.items()})


async def move(context: Context, resource: AnyResource, losers: Sequence[UUID], winner: UUID, owner_id: UUID | None) -> int:
    """Makes the shares of merged records those of the record that stays, which keeps its own where both are shared with the same people.

    How many went over.
    """
    uow = context.uow
    found = await of_records(context, resource.name, [winner, *losers])
    taken = {(s.grantee_type, s.grantee_id, s.source) for s in found if s.record_id == winner}
    moved, dropped = [], []
    for share in found:
        key = (share.grantee_type, share.grantee_id, share.source)
        if share.record_id == winner:
            continue
        if key in taken or not share.in_force(uow.now):
            dropped.append(share)
        else:
            taken.add(key)
            moved.append(share)
    await _removed(context, dropped, {})
    after = [replace(s, record_id=winner, version=s.version + (0 if events.touched(uow, s.id) else 1)) for s in moved]
    if moved:
        await uow.fetch(_REMOVE, {"org_id": uow.org_id, "ids": [share.id for share in moved]})
        await store(context, after)
    for old, new in zip(moved, after, strict=True):
        tell(context, old, new, owner_id)
    return len(moved)


async def forget(context: Context, resource: AnyResource, ids: Sequence[UUID]) -> None:
    """Removes what was shared of purged records, and what was shared with them if they are people's groups."""
    uow = context.uow
    gone = []
    if resource.sharing == "owner":
        gone += await uow.fetch(_FORGET, {"org_id": uow.org_id, "ids": list(ids)})
    if resource.name in GRANTEES.values():
        gone += await uow.fetch(_FORGET_GRANTEES, {"org_id": uow.org_id, "ids": list(ids)})
    await clear_timers(uow, EXPIRE, [row["id"] for row in gone])


# --- pieces ---------------------------------------------------------------------------------------------------------------


async def of_records(context: Context, object_name: str, ids: Iterable[UUID]) -> list[Share]:
    """All shares of some records, expired ones too."""
    rows = await context.uow.fetch(_OF_RECORDS, {"org_id": context.uow.org_id, "ids": list(ids), "object": object_name})
    return [Share.of(row) for row in rows]


async def store(context: Context, shares: Sequence[Share]) -> None:
    """Writes shares, new ones and changed ones."""
    await context.uow.fetch(_STORE, {"org_id": context.uow.org_id, "rows": encode([share.row() for share in shares])})


async def _hold(context: Context, resource: AnyResource, record_id: UUID) -> Mapping[str, Any]:
    """The live record, locked, which the caller has in full."""
    row = (await lock_reached(context, shape_of(context, resource), [record_id], FULL)).get(record_id)
    if row is None:
        raise (await absent(context, resource, [record_id]))[record_id]
    problem = unavailable(resource, row)
    if problem is not None:
        raise problem
    return row


async def _in_force(context: Context, resource: AnyResource, record_id: UUID, *, tidy: bool = False) -> list[Share]:
    """The record's shares that give something now; `tidy` removes the others, whose timers are late."""
    found = await of_records(context, resource.name, [record_id])
    now = context.uow.now
    over = [share for share in found if not share.in_force(now)]
    if tidy and over:
        await _removed(context, over, {})
    return [share for share in found if share.in_force(now)]


async def _removed(context: Context, shares: Sequence[Share], owners: Mapping[UUID, UUID | None]) -> list[Share]:
    """The shares as they were told to be gone."""
    if not shares:
        return []
    uow = context.uow
    ids = [share.id for share in shares]
    await uow.fetch(_REMOVE, {"org_id": uow.org_id, "ids": ids})
    await clear_timers(uow, EXPIRE, [share.id for share in shares if share.expires_at is not None])
    last = [replace(s, version=s.version + (0 if events.touched(uow, s.id) else 1)) for s in shares]
    for share in last:
        tell(context, share, None, owners.get(share.record_id))
    return last


def tell(context: Context, old: Share | None, new: Share | None, owner_id: UUID | None) -> None:
    """Notes the event of a change, and the entry of the audit log."""
    share = new or old
    assert share is not None
    verb = "created" if old is None else "deleted" if new is None else "updated"
    before, after = _told(old), _told(new)
    changes = {
        name: {"old": before.get(name), "new": after.get(name)}
        for name in ("object", "record_id", "grantee", "access", "source", "expires_at")
        if before.get(name) != after.get(name)
    }
    related = tuple(str(id) for id in dict.fromkeys(s.record_id for s in (old, new) if s is not None))
    visibility = {"before": _visibility(old, owner_id), "after": _visibility(new, owner_id)}
    events.emit(context, events.PlainEvent(f"share.{verb}", SHARES, share.id, share.version, changes, related, visibility))
    details = {"share_id": str(share.id), "grantee": share.grantee, "access": share.access, "expires_at": (after or before)["expires_at"]}
    audit.record(context, f"share.{verb}", object=share.object, record_id=share.record_id, details=details)


def _told(share: Share | None) -> dict[str, Any]:
    if share is None:
        return {}
    json = share.json()
    return {**json, "object": share.object, "record_id": str(share.record_id)}


def _visibility(share: Share | None, owner_id: UUID | None) -> dict[str, Any] | None:
    """What decides who is told: the record's object and owner, and whom it is shared with."""
    if share is None:
        return None
    return {"object": share.object, "record_id": share.record_id, "owner_id": owner_id, "grantee": share.grantee}


__all__ = [
    "EXPIRE", "FULL", "GRANTEES", "LEVELS", "MANUAL", "MAX_SHARES", "TERRITORY", "Given", "Outcome", "Share", "expire", "forget", "listed",
    "move", "of_records", "put", "remove", "store", "tell",
]  # fmt: skip
