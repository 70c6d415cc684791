"""What a person has agreed to at present, for each purpose and channel, and how it came to that."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from crm_api.db.statement import compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.query.projection import record_json
from crm_api.kernel.writes.statements import ORG

MAX_HISTORY: Final = 1_000
"""Consents of one person that are looked at, the latest first."""

_PERSON: Final = sa.bindparam("person", type_=sa.Uuid())


async def standing(context: Context, object_name: str, person: UUID) -> dict[str, Any]:
    """The present state of each purpose and channel, and every consent, the latest first.

    A contact has the consents of the leads that it came from too.
    """
    resource, leads = context.registry["consents"], context.whole["leads"].table
    row = resource.table.alias("t")
    whose = row.c.lead_id == _PERSON
    if object_name == "contacts":
        came_from = sa.select(leads.c.id).where(leads.c.org_id == ORG, leads.c.converted_contact_id == _PERSON)
        whose = sa.or_(row.c.contact_id == _PERSON, row.c.lead_id.in_(came_from))
    where = [row.c.org_id == ORG, whose, row.c.deleted_at.is_(None)]
    seen = context.policy.predicate(resource, row)
    if seen is not None:
        where.append(seen)
    found = sa.select(record_json(resource, row).label("json")).where(*where)
    statement = compile_statement(found.order_by(row.c.occurred_at.desc(), row.c.id.desc()).limit(sa.literal_column(str(MAX_HISTORY))))
    values = {"org_id": context.uow.org_id, "person": person, **context.policy.values}
    history = [orjson.loads(record["json"]) for record in await context.uow.fetch(statement, values)]
    present: dict[tuple[str, str], dict[str, Any]] = {}
    for consent in history:
        present.setdefault((consent["purpose"], consent["channel"]), consent)
    state = [
        {
            "purpose": purpose,
            "channel": channel,
            "status": consent["status"],
            "legal_basis": consent["legal_basis"],
            "since": consent["occurred_at"],
            "consent_id": consent["id"],
        }
        for (purpose, channel), consent in sorted(present.items())
    ]
    return {"state": state, "history": history}
