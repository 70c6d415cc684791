"""What is special about writing stages: their order, what deals inherit from them, and where deals go when one is deleted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from crm_api.core.errors import BadRequest, Conflict, FieldError
from crm_api.core.ids import parse_uuid
from crm_api.db.statement import compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.custom.staged import STAGE
from crm_api.kernel.locks import ORG, serialize
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.writer import Writer
from crm_api.models.sales import Deal, Pipeline, Stage

MOVE_TO: Final = "move_to"
"""Key in `Uow.state`: the stage that takes the deals of a stage to be deleted, as the text of `?move_to=`."""

_SHIFTS: Final = "stages.shifts"
_PROBABILITY: Final = {"won": Decimal(1), "lost": Decimal(0)}
_CHUNK: Final = 500

_IDS: Final = sa.bindparam("ids", type_=ARRAY(PgUUID(as_uuid=True)))
_POSITIONS: Final = compile_statement(
    sa.select(Stage.id, Stage.pipeline_id, Stage.position)
    .where(Stage.org_id == ORG, Stage.pipeline_id == sa.any_(_IDS), Stage.deleted_at.is_(None))
    .order_by(Stage.position, Stage.id)
)
_here = sa.select(Deal.id, Deal.stage_id).where(Deal.org_id == ORG, Deal.stage_id == sa.any_(_IDS), Deal.deleted_at.is_(None))
# Locked, so that a deal which moves away in the meantime is not taken for one that is still here.
_DEALS: Final = compile_statement(_here.order_by(Deal.id).with_for_update(key_share=True))
_HEIRS: Final = compile_statement(
    _here.where(Deal.probability_overridden.is_(sa.false())).order_by(Deal.id).with_for_update(key_share=True)
)
_CLOSE: Final = compile_statement(
    sa.select(Stage.id).where(Stage.org_id == ORG, Stage.id == sa.any_(_IDS)).order_by(Stage.id).with_for_update()
)
_APPLIES: Final = compile_statement(sa.select(Pipeline.id, Pipeline.applies_to).where(Pipeline.org_id == ORG, Pipeline.id == sa.any_(_IDS)))
_LIVE: Final = compile_statement(
    sa.select(Stage.id).where(Stage.org_id == ORG, Stage.id == sa.bindparam("id", type_=PgUUID(as_uuid=True)), Stage.deleted_at.is_(None))
)


class StageRules(Rules):
    """Stages of a pipeline stand in an order, and their deals follow what they say."""

    delete_parameters = (MOVE_TO,)

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Fills in probability and position, checks the required fields, and that a stage with deals keeps its category."""
        objects = await self._objects(context, drafts)
        for draft in drafts:
            moving = context.whole.get(objects.get(draft.new["pipeline_id"], "deals"))
            fields = {} if moving is None else moving.fields
            allowed = sorted(name for name, field in fields.items() if field.spec.writable == "always")
            stage = draft.new
            if stage["probability"] is None or (draft.changed("category") and "probability" not in draft.given):
                stage["probability"] = _PROBABILITY.get(stage["category"], stage["probability"])
            if draft.changed("required_fields"):
                for index, name in enumerate(stage["required_fields"]):
                    if name not in allowed and not name.startswith("custom_fields."):
                        draft.errors.append(FieldError("enum", pointer=f"/required_fields/{index}", allowed=allowed))
        recast = [draft for draft in drafts if draft.old is not None and draft.changed("category")]
        if recast:
            counts: defaultdict[UUID, int] = defaultdict(int)
            for row in await self._deals(context, [draft.id for draft in recast]):
                counts[row["stage_id"]] += 1
            for draft in recast:
                if counts[draft.id]:
                    error = FieldError("in_use", pointer="/category", params={"count": counts[draft.id]})
                    draft.problem = Conflict("Deals are in this stage; their status follows its category. Move them first.", errors=[error])
        await self._arrange(context, drafts)

    async def after_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Lets the stages behind make room, and the deals inherit a new probability."""
        shifts: dict[UUID, dict[str, Any]] = context.uow.state.pop(_SHIFTS, {})
        if shifts:
            await Writer().update_rows(context, context.whole["stages"], shifts)
        changed = [draft.id for draft in drafts if draft.old is not None and draft.changed("probability")]
        if changed:
            heirs = await context.uow.fetch(_HEIRS, {"org_id": context.uow.org_id, "ids": changed})
            for start in range(0, len(heirs), _CHUNK):
                # no value of their own: they take their stage's, and go on doing so
                values = {row["id"]: {"probability": None} for row in heirs[start : start + _CHUNK]}
                await Writer().update_rows(context, context.whole["deals"], values)

    async def before_delete(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Moves the deals to the stage named by `?move_to=`; without it, deals in the way are the kernel's `has_children`."""
        ids = [draft.id for draft in drafts]
        await context.uow.fetch(_CLOSE, {"org_id": context.uow.org_id, "ids": ids})
        named: str | None = context.uow.state.get(MOVE_TO)
        if named is None:
            return
        target = parse_uuid(named)
        if target is None or target in ids or await context.uow.fetch_row(_LIVE, {"org_id": context.uow.org_id, "id": target}) is None:
            raise BadRequest(errors=[FieldError("not_found_reference", parameter="move_to")])
        deals = await self._deals(context, ids)
        for start in range(0, len(deals), _CHUNK):
            values = {row["id"]: {"stage_id": target} for row in deals[start : start + _CHUNK]}
            await Writer().update_rows(context, context.whole["deals"], values)
        await self._move_others(context, ids, target)

    async def _objects(self, context: Context, drafts: Sequence[Draft]) -> dict[UUID, str]:
        """The objects whose records move through the drafts' pipelines, where that matters."""
        ids = {draft.new["pipeline_id"] for draft in drafts if draft.changed("required_fields") and draft.new["required_fields"]}
        rows = await context.uow.fetch(_APPLIES, {"org_id": context.uow.org_id, "ids": list(ids - {None})}) if ids - {None} else []
        return {row["id"]: row["applies_to"] for row in rows}

    async def _move_others(self, context: Context, ids: list[UUID], target: UUID) -> None:
        """Moves the records of the organisation's own objects out of stages."""
        for resource in context.whole:
            stage = None if resource.made is None else resource.custom.get(STAGE)
            if stage is None or stage.spec.target != "stages":
                continue
            table = resource.table
            query = sa.select(table.c.id).where(
                table.c.org_id == ORG, table.c.deleted_at.is_(None), stage.comparable(table) == sa.any_(_IDS), *resource.scope(table)
            )
            statement = context.statements.get(("in_stages", resource.key), partial(compile_statement, query.order_by(table.c.id)))
            rows = await context.uow.fetch(statement, {"org_id": context.uow.org_id, "ids": ids})
            for start in range(0, len(rows), _CHUNK):
                values = {row["id"]: {stage.address: target} for row in rows[start : start + _CHUNK]}
                await Writer().update_rows(context, resource, values)

    async def _deals(self, context: Context, stage_ids: list[UUID]) -> list[Any]:
        return await context.uow.fetch(_DEALS, {"org_id": context.uow.org_id, "ids": stage_ids})

    async def _arrange(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Gives each placed stage its position; those that stand there move up one."""
        for draft in drafts:
            if draft.new["pipeline_id"] is None:  # which the writer refuses; there is no order to find a place in
                draft.new["position"] = draft.new["position"] or 0
        placed = [draft for draft in drafts if draft.new["pipeline_id"] is not None and (draft.old is None or draft.changed("position"))]
        if not placed:
            return
        pipelines = sorted({draft.new["pipeline_id"] for draft in placed})
        for pipeline in pipelines:
            await serialize(context, f"stages.{pipeline}")
        moving = {draft.id: draft for draft in placed}
        standing: dict[UUID, dict[int, UUID]] = {pipeline: {} for pipeline in pipelines}
        for row in await context.uow.fetch(_POSITIONS, {"org_id": context.uow.org_id, "ids": pipelines}):
            if row["id"] not in moving:
                standing[row["pipeline_id"]].setdefault(row["position"], row["id"])
        shifts: dict[UUID, dict[str, Any]] = {}
        for draft in placed:
            at = standing[draft.new["pipeline_id"]]
            if draft.new["position"] is None:
                draft.new["position"] = max(at, default=-1) + 1
            who, position = draft.id, draft.new["position"]
            while True:
                displaced = at.get(position)
                at[position] = who
                if who in moving:
                    moving[who].new["position"] = position
                else:
                    shifts[who] = {"position": position}
                if displaced is None:
                    break
                who, position = displaced, position + 1
        if shifts:
            context.uow.state[_SHIFTS] = shifts
