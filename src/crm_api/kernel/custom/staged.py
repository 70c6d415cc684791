"""Records of an organisation's own objects on their way through a pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from crm_api.kernel.context import Context
from crm_api.kernel.fields import Field
from crm_api.kernel.resource import Draft, Row, Rules
from crm_api.kernel.stage_history import StageMove, remember_moves
from crm_api.kernel.stages import Asked, StageInfo, choose, hold, stages_of

PIPELINE: Final = "pipeline_id"
STAGE: Final = "stage_id"


class StagedRules(Rules):
    """A new record is in a stage: the one it names, else the first open one of its pipeline, or of the default one.

    A record from before the first pipeline has none until somebody gives it one.
    """

    def __init__(self, object_name: str) -> None:
        self._object = object_name

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Finds the stage of each record that is new or changes its own, and checks what the stage asks for."""
        fields = context.whole[self._object].custom
        pipeline, stage = fields.get(PIPELINE), fields.get(STAGE)
        if pipeline is None or stage is None:
            return
        asked = {draft.id: _asked(draft, pipeline, stage) for draft in drafts}
        concerned = [
            draft for draft in drafts if draft.operation != "update" or asked[draft.id].stage_changed or asked[draft.id].pipeline_changed
        ]
        if not concerned:
            return
        stages = await stages_of(context, self._object)
        chosen = [(draft, found) for draft in concerned if (found := choose(draft, stages, asked[draft.id])) is not None]
        held = await hold(context, (found for _, found in chosen))
        for draft, wanted in chosen:
            found = held.get(wanted.id)
            if found is None:
                draft.fail(STAGE, "deleted_reference")
                continue
            pipeline.put(draft.new, found.pipeline_id)
            stage.put(draft.new, found.id)
            if draft.old is None or stage.get(draft.old) != found.id:
                _enter(draft, found, fields)

    async def after_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Remembers each move and how long the record had been where it was."""
        fields = context.whole[self._object].custom
        pipeline, stage = fields.get(PIPELINE), fields.get(STAGE)
        if pipeline is None or stage is None:
            return
        moves = []
        for draft in drafts:
            left = None if draft.old is None else stage.get(draft.old)
            entered = stage.get(draft.new)
            if draft.operation not in ("create", "update", "restore") or entered is None or entered == left:
                continue
            at = draft.new["created_at"] if draft.old is None else context.uow.now
            moves.append(StageMove(draft.id, pipeline.get(draft.new), left, entered, at))
        await remember_moves(context, self._object, moves)


def _asked(draft: Draft, pipeline: Field, stage: Field) -> Asked:
    pair = [field.get(draft.new) for field in (pipeline, stage)]
    before = [None if draft.old is None else field.get(draft.old) for field in (pipeline, stage)]
    return Asked(pair[0], pair[1], draft.old is None or pair[0] != before[0], draft.old is None or pair[1] != before[1])


def _enter(draft: Draft, stage: StageInfo, fields: Mapping[str, Field]) -> None:
    for name in stage.required_fields:
        if _value(draft.new, fields, name) in (None, "", [], {}):
            draft.fail(name, "required_on_enter")


def _value(row: Row, fields: Mapping[str, Field], name: str) -> Any:
    field = fields.get(name)
    return row.get(name) if field is None else field.get(row)
