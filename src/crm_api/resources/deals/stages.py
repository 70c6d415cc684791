"""The organisation's pipelines as deals need them: which stages there are, and which one a deal belongs in."""

from __future__ import annotations

from collections.abc import Iterable
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
        Pipeline.applies_to == sa.literal_column("'deals'"),
    )
    .order_by(Stage.position, Stage.id)
)
# A stage changes and goes under locks that wait for this one, and that it waits for: no deal enters a stage that is going
# away, or takes from it what is being changed.
_HOLD: Final = compile_statement(
    sa.select(Stage.id, Stage.probability, Stage.category, Stage.required_fields)
    .where(Stage.org_id == ORG, Stage.id == sa.any_(sa.bindparam("ids", type_=ARRAY(PgUUID(as_uuid=True)))), Stage.deleted_at.is_(None))
    .order_by(Stage.id)
    .with_for_update(read=True)
)


class Stages:
    """All stages of the organisation, in order."""

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


async def stages_of(context: Context) -> Stages:
    """Reads all stages."""
    rows = await context.uow.fetch(_STAGES, {"org_id": context.uow.org_id})
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
