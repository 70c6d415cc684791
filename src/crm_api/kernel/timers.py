"""Setting timers: that something happens to a subject at a later time of the organisation's clock.

A timer is a row written in the transaction that decides on it, so it exists exactly if that decision does. Workers fire it
(`jobs/timers.py`), in production when the time has come and in a sandbox also when its clock is moved there. The subject is
whatever the kind is about; what the handler needs beside its id it reads from the subject itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from crm_api.db.statement import Statement
from crm_api.db.uow import Uow

_SET: Final = Statement(
    "INSERT INTO timers (org_id, kind, subject_id, due_at)"
    " SELECT $1, $2, u.id, u.due_at FROM unnest($3::uuid[], $4::timestamptz[]) AS u (id, due_at) ORDER BY u.id"
    " ON CONFLICT (org_id, kind, subject_id)"
    " DO UPDATE SET due_at = excluded.due_at, attempts = excluded.attempts, retry_at = excluded.retry_at",
    ("org_id", "kind", "ids", "times"),
)
_CLEAR: Final = Statement("DELETE FROM timers WHERE org_id = $1 AND kind = $2 AND subject_id = ANY($3::uuid[])", ("org_id", "kind", "ids"))


async def set_timers(uow: Uow, kind: str, due: Mapping[UUID, datetime]) -> None:
    """Sets a timer of this kind for each subject, in place of the one that it may have. A time that is past fires at once."""
    if due:
        await uow.fetch(_SET, {"org_id": uow.org_id, "kind": kind, "ids": list(due), "times": list(due.values())})


async def clear_timers(uow: Uow, kind: str, subjects: Collection[UUID]) -> None:
    """Takes back the timers of this kind; a subject that has none is left alone."""
    if subjects:
        await uow.fetch(_CLEAR, {"org_id": uow.org_id, "kind": kind, "ids": list(subjects)})
