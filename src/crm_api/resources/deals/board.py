"""The columns of the board: the stages of a pipeline with the number and the worth of what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from crm_api.core.money import money_text
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.locks import ORG
from crm_api.models.sales import Deal, Pipeline, Stage


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Sums are in the organisation's currency, None if a deal has another one."""

    stage_id: UUID
    name: str
    count: int
    amount: str | None
    weighted: str | None


async def columns(context: Context, pipeline_id: UUID | None) -> list[Column]:
    """The columns in order, of the default pipeline if none is named; empty if there is no such pipeline."""
    statement = context.statements.get(("deals.board", pipeline_id is None), lambda: _statement(pipeline_id is None))
    currency = context.principal.organization.currency
    values = {"org_id": context.uow.org_id, "pipeline_id": pipeline_id, "currency": currency}
    return [
        Column(
            row["id"],
            row["name"],
            row["count"],
            None if row["foreign"] else money_text(row["amount"], currency),
            None if row["foreign"] else money_text(row["weighted"], currency),
        )
        for row in await context.uow.fetch(statement, values)
    ]


def _statement(of_default: bool) -> Statement:
    wanted = Pipeline.is_default if of_default else Pipeline.id == sa.bindparam("pipeline_id", type_=PgUUID(as_uuid=True))
    zero = sa.literal_column("0", sa.Numeric())
    return compile_statement(
        sa.select(
            Stage.id,
            Stage.name,
            sa.func.count(Deal.id).label("count"),
            sa.func.coalesce(sa.func.sum(Deal.amount), zero).label("amount"),
            sa.func.coalesce(sa.func.sum(Deal.weighted_amount), zero).label("weighted"),
            sa.func.count(Deal.id)
            .filter(Deal.amount.is_not(None), Deal.currency != sa.bindparam("currency", type_=sa.Text))
            .label("foreign"),
        )
        .select_from(Pipeline)
        .join(Stage, sa.and_(Stage.org_id == ORG, Stage.pipeline_id == Pipeline.id, Stage.deleted_at.is_(None)))
        .outerjoin(Deal, sa.and_(Deal.org_id == ORG, Deal.stage_id == Stage.id, Deal.deleted_at.is_(None)))
        .where(Pipeline.org_id == ORG, Pipeline.deleted_at.is_(None), wanted)
        .group_by(Stage.id, Stage.name, Stage.position)
        .order_by(Stage.position, Stage.id)
    )
