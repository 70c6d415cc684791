"""What is special about writing comments on cases: what they do to the case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from crm_api.db.statement import compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.locks import ORG
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.writer import Writer
from crm_api.models.service import Case

_CASES: Final = compile_statement(
    sa.select(Case.id, Case.status, Case.first_response_at)
    .where(Case.org_id == ORG, Case.id == sa.any_(sa.bindparam("ids", type_=ARRAY(PgUUID(as_uuid=True)))), Case.deleted_at.is_(None))
    .order_by(Case.id)
    .with_for_update(key_share=True)
)


class CaseCommentRules(Rules):
    """What a customer says is public; the first public answer of staff stops the clock, a customer's word reopens a solved case."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """A customer can only speak in public."""
        for draft in drafts:
            if draft.new["author_kind"] == "customer" and draft.new["visibility"] != "public":
                if "visibility" in draft.given:
                    draft.fail("visibility", "invalid_combination", other="author_kind")
                draft.new["visibility"] = "public"

    async def after_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Changes the cases that the new comments are on."""
        new = [draft for draft in drafts if draft.operation == "create" and draft.new["visibility"] == "public"]
        if not new:
            return
        ids = list({draft.new["case_id"] for draft in new})
        cases = {row["id"]: row for row in await context.uow.fetch(_CASES, {"org_id": context.uow.org_id, "ids": ids})}
        changes: dict[UUID, dict[str, Any]] = {}
        for draft in new:
            case = cases.get(draft.new["case_id"])
            if case is None:
                continue
            if draft.new["author_kind"] == "customer":
                if case["status"] in ("resolved", "pending"):
                    changes.setdefault(case["id"], {})["status"] = "open"
            elif case["first_response_at"] is None:
                changes.setdefault(case["id"], {}).setdefault("first_response_at", draft.new["created_at"])
        if changes:
            await Writer().update_rows(context, context.whole["cases"], changes)
