"""What is special about writing deals: stage and status, probability, the time of closing, and the history of moves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from crm_api.core.fractions import place_at_end
from crm_api.core.money import quantize
from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft, Row, Rules
from crm_api.kernel.stage_history import StageMove, remember_moves
from crm_api.kernel.stages import Asked, StageInfo, Stages, choose, hold, stages_of


class DealRules(Rules):
    """A deal is always in a stage of its pipeline; its status, probability and times follow the stage."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Finds the stage of each deal, and lets the deals that change theirs enter it."""
        for draft in drafts:
            if draft.old is None:
                draft.new["opened_at"] = draft.new["opened_at"] or draft.new["created_at"]
        concerned = [draft for draft in drafts if _concerns_stage(draft)]
        if concerned:
            await self._follow(context, concerned, await stages_of(context))
        for draft in drafts:
            _weigh(draft.new)
            if draft.new["status"] == "lost" and not draft.new["lost_reason"]:
                draft.fail("lost_reason", "required")

    async def after_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Remembers each move and how long the deal had been where it was."""
        moves = []
        for draft in drafts:
            if draft.operation not in ("create", "update", "restore") or not draft.changed("stage_id"):
                continue
            deal, at, left, seconds = draft.new, draft.new["stage_entered_at"], None, None
            if draft.old is not None:
                left, seconds = draft.old["stage_id"], int((at - draft.old["stage_entered_at"]).total_seconds())
            moves.append(StageMove(draft.id, deal["pipeline_id"], left, deal["stage_id"], at, seconds))
        await remember_moves(context, "deals", moves)

    async def _follow(self, context: Context, drafts: Sequence[Draft], stages: Stages) -> None:
        chosen = [(draft, stage) for draft in drafts if (stage := _choose(draft, stages)) is not None]
        held = await hold(context, (stage for _, stage in chosen))
        for count, (draft, wanted) in enumerate(chosen):
            stage = held.get(wanted.id)
            if stage is None:
                draft.fail("stage_id", "deleted_reference")
                continue
            draft.new["stage_id"], draft.new["pipeline_id"] = stage.id, stage.pipeline_id
            _inherit(draft, stage)
            if draft.old is None or draft.changed("stage_id"):
                _enter(draft, stage, context.uow.now)
                draft.new["board_position"] = place_at_end(context.uow.now, count)


def _concerns_stage(draft: Draft) -> bool:
    return (
        draft.old is None
        or draft.operation == "restore"
        or draft.changed("stage_id")
        or draft.changed("pipeline_id")
        or "probability" in draft.given
    )


def _choose(draft: Draft, stages: Stages) -> StageInfo | None:
    deal = draft.new
    asked = Asked(deal["pipeline_id"], deal["stage_id"], draft.changed("pipeline_id"), draft.changed("stage_id"))
    stage = choose(draft, stages, asked)
    if stage is None and draft.old is not None and not draft.errors:  # of a new deal the writer says that they are required
        draft.fail("stage_id", "required")
    return stage


def _enter(draft: Draft, stage: StageInfo, now: datetime) -> None:
    """Everything that changes with the stage."""
    deal, old = draft.new, draft.old
    for name in stage.required_fields:
        if _empty(deal, name):
            draft.fail(name, "required_on_enter")
    before = "open" if old is None else old["status"]
    deal["status"] = stage.category
    deal["stage_entered_at"] = now
    if stage.category == "open":
        if old is None and deal["closed_at"] is not None:
            draft.fail("closed_at", "invalid_combination", other="stage_id")
        deal["closed_at"] = None
        if before == "lost" and "lost_reason" not in draft.given:
            deal["lost_reason"] = None
    elif old is None:
        deal["closed_at"] = deal["closed_at"] or now
    elif before != stage.category:
        deal["closed_at"] = now
    if stage.category == "won":
        deal["lost_reason"] = None
    if old is None:  # an imported deal came into its stage when it was opened or closed there, not when it was imported
        deal["stage_entered_at"] = deal["closed_at"] or deal["opened_at"]


def _inherit(draft: Draft, stage: StageInfo) -> None:
    """The probability: the caller's own, else the stage's. A closed deal has its stage's; its own waits for a reopening."""
    deal, old = draft.new, draft.old
    own: Decimal | None = deal["probability"] if deal["probability_overridden"] or "probability" in draft.given else None
    if "probability" not in draft.given and old is not None and draft.changed("stage_id"):
        if stage.category != "open" and old["status"] == "open":
            deal["open_probability"], own = own, None
        elif stage.category == "open" and old["status"] != "open":
            own = own if own is not None else deal["open_probability"]
            deal["open_probability"] = None
    deal["probability_overridden"] = own is not None
    deal["probability"] = stage.probability if own is None else own


def _weigh(deal: Row) -> None:
    amount, probability = deal["amount"], deal["probability"]
    if amount is None or probability is None:
        deal["weighted_amount"] = None
    else:
        weighted = quantize(amount * probability, deal["currency"])
        if deal["weighted_amount"] != weighted:
            deal["weighted_amount"] = weighted


def _empty(deal: Row, name: str) -> bool:
    if name.startswith("custom_fields."):
        return deal["custom_fields"].get(name.removeprefix("custom_fields.")) in (None, "", [])
    return deal.get(name) in (None, "", [], {})
