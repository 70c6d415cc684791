"""Named consumers of the journal: places that are remembered for readers who have nowhere to keep a cursor of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import Conflict, LimitExceeded, NotFound, VersionConflict
from crm_api.core.etag import ETagCondition
from crm_api.db.statement import Statement
from crm_api.kernel.context import Context
from crm_api.kernel.journal import encode_events_cursor
from crm_api.kernel.locks import serialize
from crm_api.models.event_consumers import NO_APP

MAX_CONSUMERS: Final = 100
"""How many an organisation may have."""

NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$"
_NAME: Final = re.compile(NAME)
_LOCK: Final = "event_consumers"

_COLUMNS: Final = "user_id, app_id, name, seq, version, created_at, updated_at"
_KEY: Final = ("org_id", "user_id", "app_id", "name")
_MINE: Final = "org_id = $1 AND user_id = $2 AND app_id = $3 AND name = $4"
_GET: Final = Statement(f"SELECT {_COLUMNS} FROM event_consumers WHERE {_MINE}", _KEY)
_HOLD: Final = Statement(f"SELECT {_COLUMNS} FROM event_consumers WHERE {_MINE} FOR NO KEY UPDATE", _KEY)
_LIST: Final = Statement(
    f"SELECT {_COLUMNS} FROM event_consumers WHERE org_id = $1 AND ($4 OR (user_id = $2 AND app_id = $3)) ORDER BY name, user_id, app_id",
    ("org_id", "user_id", "app_id", "everyone"),
)
_COUNT: Final = Statement("SELECT count(*) FROM event_consumers WHERE org_id = $1", ("org_id",))
_INSERT: Final = Statement(
    "INSERT INTO event_consumers (org_id, user_id, app_id, name, seq, version, created_at, updated_at)"
    f" VALUES ($1, $2, $3, $4, $5, 1, $6, $6) RETURNING {_COLUMNS}",
    (*_KEY, "seq", "now"),
)
_MOVE: Final = Statement(
    f"UPDATE event_consumers SET seq = $5, version = version + 1, updated_at = $6 WHERE {_MINE} RETURNING {_COLUMNS}", (*_KEY, "seq", "now")
)
_DELETE: Final = Statement(f"DELETE FROM event_consumers WHERE {_MINE}", _KEY)

Outcome = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a consumer is: a user's, or that of a user's grant to an app."""

    user_id: UUID
    app_id: UUID | None

    @classmethod
    def of(cls, context: Context) -> Owner:
        """The caller."""
        return cls(context.principal.user_id, context.principal.app_id)


@dataclass(frozen=True, slots=True)
class Consumer:
    """A place in the journal. `seq` is the number of the last event that was dealt with; `updated_at` is real time."""

    owner: Owner
    name: str
    seq: int
    version: int
    created_at: datetime
    updated_at: datetime

    def cursor(self, org_id: UUID) -> str:
        """The cursor to read on from."""
        return encode_events_cursor(org_id, self.seq)

    def json(self, org_id: UUID, head: int, first: int) -> dict[str, Any]:
        """As the API shows it. `head` is the journal's last number, `first` the one before the oldest event that is still kept."""
        return {
            "object": "event_consumers",
            "name": self.name,
            "version": self.version,
            "cursor": self.cursor(org_id),
            "lag": max(head - self.seq, 0),
            "expired": self.seq != head and not first <= self.seq <= head,
            "user_id": str(self.owner.user_id),
            "app_id": None if self.owner.app_id is None else str(self.owner.app_id),
            "created_at": format_timestamp(self.created_at),
            "updated_at": format_timestamp(self.updated_at),
        }


def is_name(text: str) -> bool:
    """Whether a consumer may be called so: letters, digits, dots, dashes and underscores, at most 80."""
    return _NAME.fullmatch(text) is not None


async def get(context: Context, name: str, owner: Owner | None = None) -> Consumer:
    """A consumer of the caller, or of `owner`. Raises NotFound."""
    row = await context.uow.fetch_row(_GET, _values(context, name, owner))
    if row is None:
        raise NotFound(f"There is no consumer {name!r}; its first commit or seek makes it.")
    return _read(row)


async def listed(context: Context, *, everyone: bool = False) -> list[Consumer]:
    """The caller's consumers by name, or all of the organisation."""
    values = {**_values(context, "", None), "everyone": everyone}
    return [_read(row) for row in await context.uow.fetch(_LIST, values)]


async def move(
    context: Context, name: str, seq: int, *, backwards: bool, condition: ETagCondition | None = None
) -> tuple[Consumer, Outcome]:
    """Says that the caller's consumer has dealt with everything up to `seq`; the first time makes it.

    Raises Conflict, naming the present cursor, if it is further already and must not go `backwards`; VersionConflict if its version
    is none of the `condition`'s; LimitExceeded for one too many.
    """
    values = {**_values(context, name, None), "seq": seq, "now": context.uow.clock.now()}
    row = await context.uow.fetch_row(_HOLD, values)
    if row is None:
        # There is no row yet to wait at, so those who make one wait for each other: also for the limit.
        await serialize(context, _LOCK)
        row = await context.uow.fetch_row(_HOLD, values)
    _check(condition, row)
    if row is None:
        held = await context.uow.fetch_value(_COUNT, values)
        if held >= MAX_CONSUMERS:
            raise LimitExceeded("event_consumers", MAX_CONSUMERS, held + 1)
        return _read(await context.uow.fetch_row(_INSERT, values)), "created"
    present = _read(row)
    if seq == present.seq:
        return present, "unchanged"
    if seq < present.seq and not backwards:
        cursor = present.cursor(context.uow.org_id)
        raise Conflict("The consumer is further already; only `seek` goes back.", extra={"cursor": cursor, "version": present.version})
    return _read(await context.uow.fetch_row(_MOVE, values)), "updated"


async def forget(context: Context, name: str, owner: Owner | None = None, *, condition: ETagCondition | None = None) -> None:
    """Removes a consumer of the caller, or of `owner`. Raises NotFound, or VersionConflict as `move` does."""
    values = _values(context, name, owner)
    row = await context.uow.fetch_row(_HOLD, values)
    if row is None:
        raise NotFound()
    _check(condition, row)
    await context.uow.fetch(_DELETE, values)


def _check(condition: ETagCondition | None, row: Mapping[str, Any] | None) -> None:
    version = None if row is None else row["version"]
    if condition is not None and not condition.matches_version(version):
        raise VersionConflict(version=version or 0)


def _values(context: Context, name: str, owner: Owner | None) -> dict[str, Any]:
    whose = owner or Owner.of(context)
    return {"org_id": context.uow.org_id, "user_id": whose.user_id, "app_id": whose.app_id or NO_APP, "name": name}


def _read(row: Any) -> Consumer:
    owner = Owner(row["user_id"], None if row["app_id"] == NO_APP else row["app_id"])
    return Consumer(owner, row["name"], row["seq"], row["version"], row["created_at"], row["updated_at"])
