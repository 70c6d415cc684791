"""Pipelines of an organisation's own objects: the fields by which their records are in a stage."""

from __future__ import annotations

from typing import Any, Final

from crm_api.core.errors import Conflict, Duplicate, ReservedName, ValidationFailed
from crm_api.flows.metadata.changes import begin, changed
from crm_api.flows.metadata.fields import create_field
from crm_api.kernel.context import Context
from crm_api.kernel.custom.staged import PIPELINE, STAGE
from crm_api.kernel.stages import on_pipeline

_FIELDS: Final = ((PIPELINE, "Pipeline", "pipelines"), (STAGE, "Stage", "stages"))


@on_pipeline
async def give_pipeline(context: Context, object_name: str) -> None:
    """Gives an object the reference fields `pipeline_id` and `stage_id`, once. Raises Conflict if it has others of these names."""
    schema = await begin(context)
    made = schema.object(object_name)
    if made is None or made.archived or made.properties.get("has_pipeline"):
        return
    for name, label, target in _FIELDS:
        properties: dict[str, Any] = {"target": target, "inverse": object_name}
        body = {"api_name": name, "label": label, "type": "reference", "indexed": True, "unique": False, "properties": properties}
        try:
            await create_field(schema, object_name, body)
        except (Duplicate, ValidationFailed, ReservedName) as problem:
            raise Conflict(f"{object_name} can't have the field {name} of a pipeline.", errors=problem.errors) from None
    await schema.put_object(made, properties={**made.properties, "has_pipeline": True})
    await changed(context, {object_name: {"old": {"has_pipeline": False}, "new": {"has_pipeline": True}}}, "meta.give_pipeline")
