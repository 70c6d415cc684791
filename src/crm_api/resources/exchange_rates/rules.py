"""What is special about writing exchange rates: one for each currency and day, and amounts that follow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from crm_api.core.errors import Duplicate
from crm_api.db.statement import compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.exchange import LOCK, note_rates, revalue_later
from crm_api.kernel.locks import ORG, serialize
from crm_api.kernel.resource import Draft, Rules
from crm_api.models.base import table
from crm_api.models.exchange import ExchangeRate

_rates = table(ExchangeRate)
_TAKEN: Final = compile_statement(
    sa.select(_rates.c.id, _rates.c.currency, _rates.c.base_currency, _rates.c.valid_from).where(
        _rates.c.org_id == ORG,
        _rates.c.currency == sa.func.any(sa.bindparam("currencies", type_=ARRAY(sa.Text))),
        _rates.c.valid_from == sa.func.any(sa.bindparam("days", type_=ARRAY(sa.Date))),
        _rates.c.deleted_at.is_(None),
    )
)
_Key = tuple[str, str, date]


class ExchangeRateRules(Rules):
    """A currency has one rate for a day; whoever changes rates does so alone."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Refuses rates of the organisation's own currency and second ones for a day."""
        own = context.principal.organization.currency
        await serialize(context, LOCK)
        for draft in drafts:
            if draft.old is None:
                draft.new["base_currency"] = own
            if draft.new["currency"] == draft.new["base_currency"]:
                draft.fail("currency", "own_currency", currency=own)
        good = [draft for draft in drafts if not draft.failed]
        values = {
            "org_id": context.uow.org_id,
            "currencies": [draft.new["currency"] for draft in good],
            "days": [draft.new["valid_from"] for draft in good],
        }
        writing = {draft.id for draft in good}
        holders: dict[_Key, UUID] = {}
        for row in await context.uow.fetch(_TAKEN, values):
            if row["id"] not in writing:
                holders[row["currency"], row["base_currency"], row["valid_from"]] = row["id"]
        readable = context.principal.may("exchange_rates", "read")
        for draft in good:
            key = (draft.new["currency"], draft.new["base_currency"], draft.new["valid_from"])
            holder = holders.setdefault(key, draft.id)
            if holder != draft.id:
                draft.problem = Duplicate([{"object": "exchange_rates", "id": str(holder) if readable else None, "field": "valid_from"}])

    async def before_delete(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Rates that go take their amounts along, also those that go for good."""
        await serialize(context, LOCK)
        await revalue_later(context, {draft.old["currency"] for draft in drafts if draft.old is not None})

    async def after_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Has the amounts of these currencies valued anew, once this is committed."""
        moved = {
            draft.new["currency"]
            for draft in drafts
            if draft.operation != "delete" and any(draft.changed(name) for name in ("rate", "valid_from", "deleted_at"))
        }
        if moved:
            await note_rates(context)
            await revalue_later(context, moved)
