"""Amounts in the organisation's currency: the read-only twin `<field>_base` of each amount.

A record is valued by the rate of its close date if it has one, else of the day (UTC) on which it was created. Without a rate
the twin is null. Twins follow in the same write; only records in another currency cost a look at the rates, one for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date
from decimal import Decimal
from typing import Any, Final

from crm_api.core.money import decimal_text
from crm_api.kernel.context import Context
from crm_api.kernel.exchange import Wanted, rates_of, worth
from crm_api.kernel.fields import Field
from crm_api.kernel.resource import Draft
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
    own = context.principal.organization.currency
    wanted = [wanted_for(draft.new, own) for draft in concerned if any(field.get(draft.new) is not None for field, _ in shape.twins)]
    rates = await rates_of(context, wanted, held=True)
    for draft in concerned:
        for twin, value in twins(shape, draft.new, rates.get(wanted_for(draft.new, own)), own).items():
            if twin.member is None or twin.get(draft.new) != value:
                twin.put(draft.new, value)


def twins(shape: Shape, row: Mapping[str, Any], rate: Decimal | None, own: str) -> dict[Field, Any]:
    """What a row's twins should be at a rate, as they are stored."""
    found: dict[Field, Any] = {}
    for field, twin in shape.twins:
        amount = field.get(row)
        value = None if amount is None else worth(Decimal(amount), rate, own)
        found[twin] = value if twin.member is None or value is None else decimal_text(value)
    return found


def wanted_for(row: Mapping[str, Any], own: str) -> Wanted:
    """Which rate counts for a record: that of its currency (of objects that have none: the organisation's) on its day."""
    return row.get("currency") or own, day_of(row)


def _concerned(shape: Shape, draft: Draft) -> bool:
    if draft.old is None or draft.operation == "restore":
        return True
    if draft.changed("currency") or draft.changed(DAY):
        return True
    return any(field.get(draft.old) != field.get(draft.new) for pair in shape.twins for field in pair)
