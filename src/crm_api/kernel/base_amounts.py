"""Amounts in the organisation's currency: the read-only twin `<field>_base` of each amount.

A record is valued by the rate of its close date if it has one, else of the day (UTC) on which it was created. Without a rate
the twin is null. Twins follow in the same write; only records in another currency cost a look at the rates, one for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date
from decimal import Decimal
from typing import Any, Final

from crm_api.kernel.context import Context
from crm_api.kernel.exchange import Wanted, rates_of, worth
from crm_api.kernel.resource import Draft, Row
from crm_api.kernel.writes.shape import Shape

DAY: Final = "close_date"


def day_of(row: Mapping[str, Any]) -> date:
    """The day whose rate counts for a record."""
    day: date | None = row.get(DAY)  # not every object has one
    if day is not None:
        return day
    created: date = row["created_at"].astimezone(UTC).date()
    return created


async def value_in_base(context: Context, shape: Shape, drafts: Sequence[Draft]) -> None:
    """Sets the twins of drafts whose amounts, currency or day differ from what is stored."""
    concerned = [draft for draft in drafts if not draft.failed and _concerned(shape, draft)]
    if not concerned:
        return
    wanted = [_wanted(draft.new) for draft in concerned if any(draft.new[column] is not None for column, _ in shape.twins)]
    rates = await rates_of(context, wanted, held=True)
    own = context.principal.organization.currency
    for draft in concerned:
        for name, value in twins(shape, draft.new, rates.get(_wanted(draft.new)), own).items():
            draft.new[name] = value


def twins(shape: Shape, row: Mapping[str, Any], rate: Decimal | None, own: str) -> dict[str, Decimal | None]:
    """What a row's twins should be at a rate."""
    found: dict[str, Decimal | None] = {}
    for column, twin in shape.twins:
        amount = row[column]
        found[twin] = None if amount is None else worth(amount, rate, own)
    return found


def _wanted(row: Row) -> Wanted:
    return row["currency"], day_of(row)


def _concerned(shape: Shape, draft: Draft) -> bool:
    if draft.old is None or draft.operation == "restore":
        return True
    if draft.changed("currency") or draft.changed(DAY):
        return True
    return any(draft.changed(name) for pair in shape.twins for name in pair)
