"""Pipelines: ordered sets of stages that records move through."""

from __future__ import annotations

from crm_api.kernel.resource import Resource
from crm_api.models.sales import Pipeline
from crm_api.resources.pipelines.rules import PipelineRules
from crm_api.resources.pipelines.schemas import PipelineCreate, PipelineRead, PipelineUpdate

pipelines = Resource[Pipeline, PipelineCreate, PipelineUpdate, PipelineRead](
    name="pipelines",
    singular="pipeline",
    model=Pipeline,
    create=PipelineCreate,
    update=PipelineUpdate,
    read=PipelineRead,
    display=lambda row: row["name"],
    description="Ordered sets of stages that deals move through. There may be any number; one is the default.",
    example={"name": "Partner business", "is_default": False},
    search=("name",),
    rules=PipelineRules(),
    owner_defaults_to_caller=False,
    configuration=("applies_to", "name"),
    sharing="none",
)
