"""What is special about writing cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from crm_api.db.statement import compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.locks import ORG, take_numbers
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.trees import refuse_cycles
from crm_api.models.platform import ExternalId, Tombstone
from crm_api.models.service import Case

NEXT: Final[Mapping[str, tuple[str, ...]]] = {
    "new": ("open", "pending", "resolved", "closed"),
    "open": ("pending", "resolved", "closed"),
    "pending": ("open", "resolved", "closed"),
    "resolved": ("open", "pending", "closed"),
    "closed": ("open",),
}
"""Which status may follow which. Nothing becomes new again, and a closed case is first reopened."""

_IDS: Final = sa.bindparam("ids", type_=ARRAY(PgUUID(as_uuid=True)))
_TAKEN: Final = compile_statement(
    sa.union_all(
        sa.select(sa.cast(Case.id, sa.Text).label("key")).where(Case.org_id == ORG, Case.id == sa.any_(_IDS)),
        sa.select(sa.cast(Tombstone.id, sa.Text)).where(Tombstone.org_id == ORG, Tombstone.id == sa.any_(_IDS)),
        sa.select(ExternalId.system + sa.literal_column("':'") + ExternalId.value).where(
            ExternalId.org_id == ORG,
            ExternalId.object == sa.literal_column("'cases'"),
            ExternalId.value == sa.any_(sa.bindparam("values", type_=ARRAY(sa.Text))),
        ),
    )
)


class CaseRules(Rules):
    """Cases are numbered without gaps; the times of their life follow their status."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Checks moves between states, stamps times, refuses circles of parents, and numbers new cases last."""
        for draft in drafts:
            _stamp(draft, context.uow.now)
        await refuse_cycles(context, "cases", drafts, "parent_id")
        new = [draft for draft in drafts if draft.operation == "create" and not draft.failed]
        if new:
            await _number(context, new)


def _stamp(draft: Draft, now: datetime) -> None:
    case = draft.new
    if draft.old is None:
        case["opened_at"] = case["opened_at"] or case["created_at"]
    before = None if draft.old is None else draft.old["status"]
    status = case["status"]
    if before is not None and status != before and status not in NEXT[before]:
        params: dict[str, Any] = {"from": before}
        draft.fail("status", "illegal_transition", allowed=NEXT[before], **params)
    elif status in ("resolved", "closed"):
        case["resolved_at"] = case["resolved_at"] or case["closed_at"] or now
        if status == "closed":
            case["closed_at"] = case["closed_at"] or now
        else:
            case["closed_at"] = None
    else:
        case["resolved_at"] = case["closed_at"] = None


async def _number(context: Context, drafts: Sequence[Draft]) -> None:
    """Takes numbers for all cases that will be stored.

    The counter's lock comes first: then no other case can appear in between, so a batch item whose id is taken already is
    known here and costs no number. It gets a number that no case has, and the writer refuses it for its id.
    """
    await take_numbers(context, "cases", 0)
    taken = await _taken_keys(context, drafts)
    numbered = []
    for draft in drafts:
        keys = {str(draft.id), *_external(draft)}
        if keys & taken:
            draft.new["number"] = -1 - len(taken)
        else:
            numbered.append(draft)
        taken |= keys
    if numbered:
        first = await take_numbers(context, "cases", len(numbered))
        for offset, draft in enumerate(numbered):
            draft.new["number"] = first + offset


async def _taken_keys(context: Context, drafts: Sequence[Draft]) -> set[str]:
    ids = [draft.id for draft in drafts if "id" in draft.given]
    values = [value for draft in drafts for value in draft.new["external_ids"].values()]
    if not ids and not values:
        return set()
    rows = await context.uow.fetch(_TAKEN, {"org_id": context.uow.org_id, "ids": ids, "values": values})
    return {row[0] for row in rows}


def _external(draft: Draft) -> list[str]:
    return [f"{system}:{value}" for system, value in draft.new["external_ids"].items()]
