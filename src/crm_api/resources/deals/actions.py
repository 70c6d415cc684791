"""What one does with deals beyond writing fields: winning, losing, reopening, moving them on the board.

Each is an update of the deal, so it obeys the same rules; its event names the action as its cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from crm_api.core.errors import Conflict, FieldError, Moved, ValidationFailed
from crm_api.core.fractions import place_after, place_at_end, place_between
from crm_api.core.ids import parse_uuid
from crm_api.db.statement import compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.locks import ORG, serialize
from crm_api.kernel.resource import Row
from crm_api.kernel.stage_history import stages_left
from crm_api.kernel.stages import StageInfo, Stages, stages_of
from crm_api.kernel.writer import Outcome, Patch, Writer
from crm_api.kernel.writes.locked import lock_reached, records
from crm_api.kernel.writes.shape import shape_of
from crm_api.models.sales import Deal

Category = Literal["won", "lost", "open"]
ACTIONS: Final[Mapping[Category, str]] = {"won": "deals.win", "lost": "deals.lose", "open": "deals.reopen"}

_ID: Final = sa.bindparam("id", type_=PgUUID(as_uuid=True))
_STAGE: Final = sa.bindparam("stage_id", type_=PgUUID(as_uuid=True))
_COLUMN: Final = (Deal.org_id == ORG, Deal.stage_id == _STAGE, Deal.deleted_at.is_(None))
_PLACE: Final = compile_statement(sa.select(Deal.board_position).where(*_COLUMN, Deal.id == _ID))
_HERE: Final = sa.tuple_(Deal.board_position, Deal.id)
_THERE: Final = sa.tuple_(sa.bindparam("place", type_=sa.Text), _ID)
_OTHERS: Final = (*_COLUMN, Deal.id != sa.bindparam("moved_id", type_=PgUUID(as_uuid=True)))
_ONE: Final = sa.literal_column("1", sa.Integer())
_ABOVE: Final = compile_statement(
    sa.select(Deal.board_position).where(*_OTHERS, _HERE < _THERE).order_by(Deal.board_position.desc(), Deal.id.desc()).limit(_ONE)
)
_BELOW: Final = compile_statement(
    sa.select(Deal.board_position).where(*_OTHERS, _HERE > _THERE).order_by(Deal.board_position, Deal.id).limit(_ONE)
)


async def enter_category(context: Context, deal_id: UUID, category: Category, body: Mapping[str, Any], if_match: int | None) -> Outcome:
    """Wins, loses or reopens a deal. `body` holds other fields to set, and may name one of the category's stages itself.

    A reopened deal goes back to the open stage that it left last. A deal that is there already stays in its stage. Raises
    Conflict if the pipeline has no such stage, and whatever an update raises.
    """
    context.uow.cause.action = ACTIONS[category]
    deal = await _locked(context, deal_id)
    patch = dict(body)
    if deal is not None and "stage_id" not in patch and deal["status"] != category:
        stages = await stages_of(context)
        stage = await _last_open(context, deal, stages) if category == "open" else None
        stage = stage or stages.first(category, deal["pipeline_id"])
        if stage is None:
            raise Conflict(f"The pipeline has no stage of the category {category}.")
        patch["stage_id"] = str(stage.id)
    elif deal is not None and "stage_id" in patch:
        named = parse_uuid(patch["stage_id"]) if isinstance(patch["stage_id"], str) else None
        found = (await stages_of(context)).get(named)
        if found is not None and found.category != category:
            raise ValidationFailed([FieldError("invalid_combination", pointer="/stage_id", params={"other": ACTIONS[category]})])
    return await _update(context, deal_id, patch, if_match)


async def move(
    context: Context,
    deal_id: UUID,
    fields: Mapping[str, Any],
    *,
    to: UUID,
    origin: UUID | None = None,
    before_id: UUID | None = None,
    after_id: UUID | None = None,
    if_match: int | None = None,
) -> Outcome:
    """Moves a deal into a stage, in front of or behind another deal there, else to the end of the column.

    `fields` are further fields to set, which the stage may ask for. Raises Moved if the deal is no longer in `origin`.
    """
    context.uow.cause.action = "deals.move"
    if before_id is not None and after_id is not None:
        raise ValidationFailed([FieldError("invalid_combination", pointer="/after_id", params={"other": "before_id"})])
    for name in ("stage_id", "pipeline_id"):
        if name in fields:
            raise ValidationFailed([FieldError("invalid_combination", pointer=f"/{name}", params={"other": "to"})])
    deal = await _locked(context, deal_id)
    if deal is not None and origin is not None and deal["stage_id"] != origin:
        record = await records(context, context.registry["deals"], [deal_id])
        raise Moved(orjson.loads(record[deal_id]))
    await serialize(context, f"deals.board.{to}")
    place = place_at_end(context.uow.now, 0)
    if before_id is not None or after_id is not None:
        place = await _between(context, deal_id, to, before_id, after_id)
    outcome = await _update(context, deal_id, {**fields, "stage_id": str(to)}, if_match)
    placed = await Writer().update_rows(context, context.whole["deals"], {deal_id: {"board_position": place}})
    placed[0].outcome = "updated" if outcome.outcome == "updated" else placed[0].outcome
    return placed[0]


async def _locked(context: Context, deal_id: UUID) -> Row | None:
    """The live deal; None where an update will say what is wrong."""
    row = (await lock_reached(context, shape_of(context, context.registry["deals"]), [deal_id])).get(deal_id)
    return None if row is None or row["deleted_at"] is not None else row


async def _update(context: Context, deal_id: UUID, body: Mapping[str, Any], if_match: int | None) -> Outcome:
    return (await Writer().update(context, context.registry["deals"], [Patch(deal_id, body, if_match)]))[0]


async def _last_open(context: Context, deal: Row, stages: Stages) -> StageInfo | None:
    for stage_id in await stages_left(context, "deals", deal["id"]):
        stage = stages.get(stage_id)
        if stage is not None and stage.category == "open" and stage.pipeline_id == deal["pipeline_id"]:
            return stage
    return None


async def _between(context: Context, deal_id: UUID, stage_id: UUID, before_id: UUID | None, after_id: UUID | None) -> str:
    neighbour = before_id or after_id
    values: dict[str, Any] = {"org_id": context.uow.org_id, "stage_id": stage_id, "id": neighbour, "moved_id": deal_id}
    place: str | None = await context.uow.fetch_value(_PLACE, values)
    if place is None or neighbour == deal_id:
        raise ValidationFailed([FieldError("not_found_reference", pointer="/before_id" if before_id is not None else "/after_id")])
    values["place"] = place
    above, below = before_id is not None, after_id is not None
    low: str | None = await context.uow.fetch_value(_ABOVE, values) if above else place
    high: str | None = await context.uow.fetch_value(_BELOW, values) if below else place
    low = low or ""
    if high is None:
        return place_after(low or None, context.uow.now)  # what is appended later must still come behind it
    # Two deals that were appended in the same microsecond may stand at one place; there is no room between those.
    return place_between(low, high if high > low else None)
