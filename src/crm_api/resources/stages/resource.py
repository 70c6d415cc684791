"""Stages: the steps of a pipeline, in order."""

from __future__ import annotations

from crm_api.kernel.resource import Resource
from crm_api.models.sales import Stage
from crm_api.resources.stages.rules import StageRules
from crm_api.resources.stages.schemas import StageCreate, StageRead, StageUpdate

stages = Resource[Stage, StageCreate, StageUpdate, StageRead](
    name="stages",
    singular="stage",
    model=Stage,
    create=StageCreate,
    update=StageUpdate,
    read=StageRead,
    display=lambda row: row["name"],
    description="The steps of a pipeline. Deleting one that holds deals is refused unless `?move_to=` names the stage that takes them.",
    example={"name": "Negotiation", "probability": 0.75, "category": "open", "required_fields": ["amount"]},
    search=("name",),
    rules=StageRules(),
    default_sort=("position",),
    parent="pipelines",
    owner_defaults_to_caller=False,
    configuration=("pipeline_id", "name"),
    sharing="none",
)
