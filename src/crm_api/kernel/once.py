"""Secrets that an answer shows beside the record it has just made, and nothing after it.

Rules make them while they write; they are in no event, no history and no later answer. A request that is only tried shows none, for
what it made is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from crm_api.db.uow import Uow

_STATE: Final = "kernel.once"


def show_once(uow: Uow, record_id: UUID, member: str, text: str) -> None:
    """Has the answer of this request show a secret of a record as one of its members; the resource names it in `shown_once`."""
    uow.state.setdefault(_STATE, {}).setdefault(record_id, {})[member] = text


def shown_once(uow: Uow, record_id: UUID | None) -> Mapping[str, str | None]:
    """What is to be shown beside a record."""
    found: Mapping[str, str] = uow.state.get(_STATE, {}).get(record_id, {})
    return dict.fromkeys(found) if uow.dry_run else found
