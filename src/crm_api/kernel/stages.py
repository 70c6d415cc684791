"""Pipelines as the records that move through them need them: which stages there are, and in which one a record belongs.

Deals and the records of an organisation's own objects follow the same rules.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from crm_api.db.statement import compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.locks import ORG
from crm_api.kernel.resource import Draft
from crm_api.models.sales import Pipeline, Stage


@dataclass(frozen=True, slots=True)
class StageInfo:
    """A live stage of a live pipeline."""

    id: UUID
    pipeline_id: UUID
    name: str
    probability: Decimal | None
    category: str
    required_fields: tuple[str, ...]
    of_default: bool


_STAGES: Final = compile_statement(
    sa.select(Stage.id, Stage.pipeline_id, Stage.name, Stage.probability, Stage.category, Stage.required_fields, Pipeline.is_default)
    .join(Pipeline, sa.and_(Pipeline.org_id == Stage.org_id, Pipeline.id == Stage.pipeline_id))
    .where(
        Stage.org_id == ORG,
        Pipeline.org_id == ORG,
        Stage.deleted_at.is_(None),
        Pipeline.deleted_at.is_(None),
        Pipeline.applies_to == sa.bindparam("object", type_=sa.Text),
    )
    .order_by(Stage.position, Stage.id)
)
# A stage changes and goes under locks that wait for this one, and that it waits for: no record enters a stage that is going
# away, or takes from it what is being changed.
_HOLD: Final = compile_statement(
    sa.select(Stage.id, Stage.probability, Stage.category, Stage.required_fields)
    .where(Stage.org_id == ORG, Stage.id == sa.any_(sa.bindparam("ids", type_=ARRAY(PgUUID(as_uuid=True)))), Stage.deleted_at.is_(None))
    .order_by(Stage.id)
    .with_for_update(read=True)
)


class Stages:
    """All stages of an object's pipelines, in order."""

    def __init__(self, stages: Iterable[StageInfo]) -> None:
        self._all = tuple(stages)
        self._by_id = {stage.id: stage for stage in self._all}

    def get(self, stage_id: UUID | None) -> StageInfo | None:
        """A stage by id."""
        return None if stage_id is None else self._by_id.get(stage_id)

    def of(self, pipeline_id: UUID) -> list[StageInfo]:
        """The stages of a pipeline."""
        return [stage for stage in self._all if stage.pipeline_id == pipeline_id]

    def first(self, category: str, pipeline_id: UUID | None = None) -> StageInfo | None:
        """The first stage of a category in a pipeline, or in the default one."""
        for stage in self._all:
            if stage.category == category and (stage.of_default if pipeline_id is None else stage.pipeline_id == pipeline_id):
                return stage
        return None


async def stages_of(context: Context, object_name: str = "deals") -> Stages:
    """Reads all stages that an object's records can be in."""
    rows = await context.uow.fetch(_STAGES, {"org_id": context.uow.org_id, "object": object_name})
    return Stages(
        StageInfo(
            row["id"],
            row["pipeline_id"],
            row["name"],
            row["probability"],
            row["category"],
            tuple(orjson.loads(row["required_fields"])),
            row["is_default"],
        )
        for row in rows
    )


async def hold(context: Context, stages: Iterable[StageInfo]) -> dict[UUID, StageInfo]:
    """Keeps stages from changing until the transaction ends; returns those that still live, as they are now."""
    known = {stage.id: stage for stage in stages}
    if not known:
        return {}
    rows = await context.uow.fetch(_HOLD, {"org_id": context.uow.org_id, "ids": list(known)})
    return {
        row["id"]: replace(
            known[row["id"]],
            probability=row["probability"],
            category=row["category"],
            required_fields=tuple(orjson.loads(row["required_fields"])),
        )
        for row in rows
    }


@dataclass(frozen=True, slots=True)
class Asked:
    """Pipeline and stage of a record as a write leaves them, and whether it changes them."""

    pipeline_id: UUID | None
    stage_id: UUID | None
    pipeline_changed: bool
    stage_changed: bool


def choose(draft: Draft, stages: Stages, asked: Asked) -> StageInfo | None:
    """The stage that a record belongs in after this write: the one it names, else the first open one of its pipeline, or of the
    default one. A mistake is noted in the draft."""
    named = draft.old is None or "stage_id" in draft.given or asked.stage_changed or not asked.pipeline_changed
    if not named or asked.stage_id is None:
        return stages.first("open", asked.pipeline_id)
    stage = stages.get(asked.stage_id)
    if stage is None:
        draft.fail("stage_id", "deleted_reference")
    elif asked.pipeline_changed and "pipeline_id" in draft.given and asked.pipeline_id not in (None, stage.pipeline_id):
        draft.fail("stage_id", "invalid_combination", other="pipeline_id")
        return None
    return stage


# --- objects that get a pipeline -------------------------------------------------------------------------------------------

FirstPipeline = Callable[[Context, str], Awaitable[None]]
_first: list[FirstPipeline] = []


def on_pipeline(prepare: FirstPipeline) -> FirstPipeline:
    """Registers what prepares an organisation's own object for its first pipeline; the schema is changed above the kernel."""
    _first[:] = [prepare]
    return prepare


async def prepare_for_pipeline(context: Context, object_name: str) -> None:
    """Sees to it that the object's records can be in a stage."""
    for prepare in _first:
        await prepare(context, object_name)
