"""Figures about a pipeline: what is in it, how much of it is won, and how fast.

One statement reads everything, so the figures agree with each other. All ratios are computed from exact sums and rounded
once, at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from crm_api.core.errors import Forbidden, NotFound
from crm_api.core.money import money_text
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.locks import ORG
from crm_api.kernel.schema import Output, about
from crm_api.models.base import table
from crm_api.models.sales import Deal, Pipeline, Stage, StageChange

_UUID: Final = PgUUID(as_uuid=True)
_DAY: Final = Decimal(86_400)
_DEALS: Final[sa.ColumnElement[str]] = sa.literal_column("'deals'")
_BASES: Final = [table(Deal).c[name] for name in ("amount_base", "weighted_amount_base")]  # the class doesn't spell its twins out


class StageFigures(Output):
    """One stage of the report."""

    stage_id: Annotated[str, about("The stage.", "01976f6e-8a00-7000-8000-0000000000d2")]
    name: Annotated[str, about("Its name.", "Negotiation")]
    entered: Annotated[int, about("Deals that ever came into it.", 120)]
    open: Annotated[int, about("Open deals that are in it now.", 35)]
    won: Annotated[int, about("Of those that came into it: won since.", 60)]
    lost: Annotated[int, about("Of those that came into it: lost since.", 25)]
    amount: Annotated[str | None, about("Sum of the amounts of the deals that are in it now; null if a rate is missing.", "84000.00")]
    weighted_amount: Annotated[str | None, about("The same, each amount times its probability.", "67200.00")]
    median_days: Annotated[str | None, about("Median of the days that deals stayed before they left it; null if none has.", "12.5000")]


class PipelineReport(Output):
    """The figures of one pipeline."""

    pipeline_id: Annotated[str, about("The pipeline.", "01976f6e-8a00-7000-8000-0000000000d1")]
    currency: Annotated[
        str | None,
        about(
            "Currency of all sums: the organisation's. Where a rate is missing it is that of the deals, or null if they have several, and "
            "then there are no sums.",
            "EUR",
        ),
    ]
    stages: Annotated[list[StageFigures], about("The stages in order.", [])]
    won: Annotated[int, about("Deals won.", 4238)]
    lost: Annotated[int, about("Deals lost.", 2473)]
    open: Annotated[int, about("Deals still open.", 2089)]
    win_rate: Annotated[str | None, about("won / (won + lost), six digits; null if none is closed.", "0.631501")]
    won_amount: Annotated[str | None, about("Sum of the amounts won.", "10005534.00")]
    mean_won_amount: Annotated[str | None, about("Mean amount of a won deal, four digits.", "2360.9094")]
    won_cycle_days: Annotated[str | None, about("Mean number of days from opening to closing of won deals, four digits.", "51.7820")]
    velocity_per_day: Annotated[
        str | None, about("Sales velocity: open deals × win rate × mean amount won ÷ days of a won cycle.", "60146.85")
    ]


@dataclass(frozen=True, slots=True)
class PipelineFilter:
    """Which deals count. Days are UTC and inclusive; they bound when deals were closed, and open deals always count."""

    pipeline_id: UUID | None = None
    closed_from: date | None = None
    closed_to: date | None = None
    tag: str | None = None


_AMOUNTS: Final = frozenset({"amount", "weighted_amount", "currency", "probability"})
_NEEDED: Final = frozenset({"stage_id", "pipeline_id", "status", "opened_at", "closed_at"})
"""Fields of deals that amounts are made of, and those without which there is nothing to tell."""


async def pipeline_report(context: Context, asked: PipelineFilter) -> PipelineReport:
    """The report of a pipeline over the deals that the caller sees, of the default one if none is named. There are no amounts for whom
    they are hidden. Raises NotFound, and Forbidden where other fields that the report is made of are hidden."""
    policy, hidden = context.policy, context.registry["deals"].hidden
    if not hidden.isdisjoint(_NEEDED) or (asked.tag is not None and "tags" in hidden):
        raise Forbidden("Your profile does not show the fields that this report is made of.")
    values: dict[str, Any] = {"org_id": context.uow.org_id}
    if asked.pipeline_id is not None:
        values["pipeline_id"] = asked.pipeline_id
    if asked.closed_from is not None:
        values["from"] = datetime.combine(asked.closed_from, time(), UTC)
    if asked.closed_to is not None:
        values["until"] = datetime.combine(asked.closed_to, time(), UTC) + timedelta(days=1)
    if asked.tag is not None:
        values["tag"] = asked.tag
    shape = frozenset(values)
    seen = policy.predicate(context.whole["deals"], table(Deal))
    key = ("pipeline_report", shape, None if seen is None else (context.whole.key, policy.shape))
    statement = context.statements.get(key, lambda: _statement(shape, seen))
    rows = await context.uow.fetch(statement, {**policy.values, **values})
    if not rows:
        raise NotFound("There is no such pipeline.")
    return _report(rows, context.principal.organization.currency, amounts=hidden.isdisjoint(_AMOUNTS))


def _report(rows: list[Any], own: str, *, amounts: bool) -> PipelineReport:
    """Amounts are in the organisation's currency where all have a rate, else in their own one if they share it."""
    head: Mapping[str, Any] = rows[0]
    in_base = head["currencies"] > 0 and not head["unvalued"]
    currency = own if in_base else head["currency"] if head["currencies"] == 1 else None
    if not amounts:
        currency = None
    suffix = "_base" if in_base else ""
    won, lost, open_ = head["won"], head["lost"], head["open"]
    amount: Decimal = head[f"won_amount{suffix}"] or Decimal(0)
    cycle = Decimal(head["won_days"]) / won if won else None
    mean = amount / won if won and currency else None
    rate = Decimal(won) / (won + lost) if won + lost else None
    velocity = open_ * rate * mean / cycle if rate is not None and mean is not None and cycle else None
    return PipelineReport(
        pipeline_id=str(head["pipeline_id"]),
        currency=currency,
        stages=[
            StageFigures(
                stage_id=str(row["stage_id"]),
                name=row["name"],
                entered=row["entered"],
                open=row["stage_open"],
                won=row["stage_won"],
                lost=row["stage_lost"],
                amount=_money(row[f"amount{suffix}"], currency),
                weighted_amount=_money(row[f"weighted_amount{suffix}"], currency),
                median_days=None if row["median_seconds"] is None else _digits(Decimal(row["median_seconds"]) / _DAY, 4),
            )
            for row in rows
            if row["stage_id"] is not None
        ],
        won=won,
        lost=lost,
        open=open_,
        win_rate=None if rate is None else _digits(rate, 6),
        won_amount=_money(amount, currency),
        mean_won_amount=None if mean is None else _digits(mean, 4),
        won_cycle_days=None if cycle is None else _digits(cycle, 4),
        velocity_per_day=None if velocity is None or currency is None else money_text(velocity, currency),
    )


def _money(amount: Decimal | None, currency: str | None) -> str | None:
    return None if currency is None else money_text(amount or Decimal(0), currency)


def _digits(value: Decimal, digits: int) -> str:
    return format(value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN), "f")


def _literal(text: str) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{text}'", sa.Text())


def _day(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.cast(column.op("AT TIME ZONE")(_literal("UTC")), sa.Date)


def _statement(given: frozenset[str], seen: sa.ColumnElement[bool] | None) -> Statement:
    instant = TIMESTAMP(timezone=True)
    wanted = Pipeline.id == sa.bindparam("pipeline_id", type_=_UUID) if "pipeline_id" in given else Pipeline.is_default
    pipeline = sa.select(Pipeline.id).where(Pipeline.org_id == ORG, wanted, Pipeline.deleted_at.is_(None)).cte("pipeline")
    closed = [Deal.closed_at >= sa.bindparam("from", type_=instant)] if "from" in given else []
    closed += [Deal.closed_at < sa.bindparam("until", type_=instant)] if "until" in given else []
    deals = (
        sa.select(
            Deal.id, Deal.stage_id, Deal.status, Deal.amount, Deal.weighted_amount, Deal.currency, Deal.opened_at, Deal.closed_at,
            *_BASES,
        )
        .join(pipeline, pipeline.c.id == Deal.pipeline_id)
        .where(Deal.org_id == ORG, Deal.deleted_at.is_(None))
    )  # fmt: skip
    if seen is not None:
        deals = deals.where(seen)
    if closed:
        deals = deals.where(sa.or_(Deal.status == _literal("open"), sa.and_(*closed)))
    if "tag" in given:
        deals = deals.where(Deal.tags.op("@>")(sa.func.array_append(sa.text("'{}'::text[]"), sa.bindparam("tag", type_=sa.Text))))
    d = deals.cte("d")
    is_open, is_won, is_lost = (d.c.status == _literal(status) for status in ("open", "won", "lost"))
    count = sa.func.count()
    totals = sa.select(
        count.filter(is_won).label("won"),
        count.filter(is_lost).label("lost"),
        count.filter(is_open).label("open"),
        sa.func.sum(d.c.amount).filter(is_won).label("won_amount"),
        sa.func.sum(d.c.amount_base).filter(is_won).label("won_amount_base"),
        count.filter(d.c.amount.is_not(None), d.c.amount_base.is_(None)).label("unvalued"),
        sa.func.sum(_day(d.c.closed_at) - _day(d.c.opened_at)).filter(is_won).label("won_days"),
        sa.func.count(d.c.currency.distinct()).filter(d.c.amount.is_not(None)).label("currencies"),
        sa.func.min(d.c.currency).filter(d.c.amount.is_not(None)).label("currency"),
    ).cte("totals")
    each = sa.func.count(d.c.id.distinct())
    came = (
        sa.select(
            StageChange.to_stage_id.label("stage_id"),
            each.label("entered"),
            each.filter(is_won).label("won"),
            each.filter(is_lost).label("lost"),
        )
        .join(d, d.c.id == StageChange.record_id)
        .where(StageChange.org_id == ORG, StageChange.object == _DEALS)
        .group_by(StageChange.to_stage_id)
        .cte("came")
    )  # fmt: skip
    left = (
        sa.select(
            StageChange.from_stage_id.label("stage_id"),
            sa.func.percentile_cont(sa.literal_column("0.5")).within_group(StageChange.seconds).label("seconds"),
        )
        .join(d, d.c.id == StageChange.record_id)
        .where(StageChange.org_id == ORG, StageChange.object == _DEALS, StageChange.from_stage_id.is_not(None))
        .group_by(StageChange.from_stage_id)
        .cte("gone")
    )
    here = (
        sa.select(
            d.c.stage_id,
            count.filter(is_open).label("open"),
            sa.func.sum(d.c.amount).label("amount"),
            sa.func.sum(d.c.weighted_amount).label("weighted_amount"),
            sa.func.sum(d.c.amount_base).label("amount_base"),
            sa.func.sum(d.c.weighted_amount_base).label("weighted_amount_base"),
        )
        .group_by(d.c.stage_id)
        .cte("here")
    )
    # A deleted stage is shown as long as its history counts.
    shown = sa.and_(
        Stage.org_id == ORG,
        Stage.pipeline_id == pipeline.c.id,
        sa.or_(Stage.deleted_at.is_(None), sa.select(came.c.stage_id).where(came.c.stage_id == Stage.id).correlate(Stage).exists()),
    )
    zero = sa.literal_column("0", sa.Integer())
    return compile_statement(
        sa.select(
            pipeline.c.id.label("pipeline_id"),
            *totals.c,
            Stage.id.label("stage_id"),
            Stage.name,
            sa.func.coalesce(came.c.entered, zero).label("entered"),
            sa.func.coalesce(here.c.open, zero).label("stage_open"),
            sa.func.coalesce(came.c.won, zero).label("stage_won"),
            sa.func.coalesce(came.c.lost, zero).label("stage_lost"),
            here.c.amount,
            here.c.weighted_amount,
            here.c.amount_base,
            here.c.weighted_amount_base,
            left.c.seconds.label("median_seconds"),
        )
        .select_from(pipeline)
        .join(totals, sa.true())
        .outerjoin(Stage, shown)
        .outerjoin(came, came.c.stage_id == Stage.id)
        .outerjoin(here, here.c.stage_id == Stage.id)
        .outerjoin(left, left.c.stage_id == Stage.id)
        .order_by(Stage.position, Stage.id)
    )
