"""What is special about recording consents: whose they are, and that `email_opt_out` of a contact follows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from crm_api.core.errors import FieldError
from crm_api.db.statement import compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.locks import ORG
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.writer import Writer
from crm_api.models.base import table
from crm_api.models.privacy import Consent

_consents = table(Consent)
_IDS: Final = sa.bindparam("ids", type_=ARRAY(PgUUID(as_uuid=True)))
_latest = (
    sa.select(_consents.c.contact_id, _consents.c.status)
    .ext(distinct_on(_consents.c.contact_id, _consents.c.purpose))
    .where(
        _consents.c.org_id == ORG,
        _consents.c.contact_id == sa.any_(_IDS),
        sa.or_(_consents.c.channel == sa.literal_column("'email'"), _consents.c.channel == sa.literal_column("'any'")),
        _consents.c.deleted_at.is_(None),
    )
    .order_by(_consents.c.contact_id, _consents.c.purpose, _consents.c.occurred_at.desc(), _consents.c.id.desc())
    .subquery("latest")
)
_MAILED: Final = compile_statement(
    sa.select(_latest.c.contact_id, sa.func.bool_or(_latest.c.status == sa.literal_column("'granted'")).label("granted")).group_by(
        _latest.c.contact_id
    )
)


class ConsentRules(Rules):
    """A consent is one person's, and was given at a time that has come."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Needs exactly one person; fills in the time."""
        for draft in drafts:
            consent = draft.new
            if (consent["contact_id"] is None) == (consent["lead_id"] is None):
                draft.errors.append(FieldError("exactly_one_of", pointer="", params={"fields": "contact_id, lead_id"}))
            if consent["occurred_at"] is None:
                consent["occurred_at"] = context.uow.now
            elif consent["occurred_at"] > context.uow.now and draft.changed("occurred_at"):
                draft.fail("occurred_at", "in_the_future")

    async def after_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """A contact who has said something about e-mail and grants no purpose over it at present has opted out."""
        said = {draft.new["contact_id"] for draft in drafts if draft.new["channel"] in ("email", "any")}
        said.discard(None)
        if not said:
            return
        rows = await context.uow.fetch(_MAILED, {"org_id": context.uow.org_id, "ids": list(said)})
        values = {row["contact_id"]: {"email_opt_out": not row["granted"]} for row in rows}
        if values:
            await Writer().update_rows(context, context.whole["contacts"], values)
