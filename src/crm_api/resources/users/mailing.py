"""Asking for a mail to a person, in the transaction that gives the reason for it. A worker sends it, see `jobs/mail.py`."""

from __future__ import annotations

from typing import Any, Final, Literal
from uuid import UUID

from crm_api.core.clock import Clock
from crm_api.core.email import Email
from crm_api.core.ids import uuid7
from crm_api.db.statement import Statement
from crm_api.resources.users.runs import Runs

Kind = Literal["reset", "activate"]

_ADD: Final = Statement(
    "INSERT INTO mails (id, kind, recipient, recipient_key, user_id, org_id, language, due_at, created_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, now(), $8)",
    ("id", "kind", "recipient", "key", "user_id", "org_id", "language", "now"),
)


async def ask(
    runs: Runs, clock: Clock, kind: Kind, to: Email, language: str, *, user_id: UUID | None = None, org_id: UUID | None = None
) -> None:
    """Stores a mail to be sent."""
    values: dict[str, Any] = {"id": uuid7(clock), "kind": kind, "recipient": to.display, "key": to.key, "user_id": user_id}
    await runs.fetch(_ADD, {**values, "org_id": org_id, "language": language, "now": clock.now()})
