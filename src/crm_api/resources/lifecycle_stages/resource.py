"""Lifecycle stages: how far somebody has come on the way to being a customer."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, Resource
from crm_api.models.vocabulary import LifecycleStage
from crm_api.resources.lifecycle_stages.rules import LifecycleStageRules
from crm_api.resources.lifecycle_stages.schemas import LifecycleStageCreate, LifecycleStageRead, LifecycleStageUpdate

lifecycle_stages = Resource[LifecycleStage, LifecycleStageCreate, LifecycleStageUpdate, LifecycleStageRead](
    name="lifecycle_stages",
    singular="lifecycle_stage",
    model=LifecycleStage,
    create=LifecycleStageCreate,
    update=LifecycleStageUpdate,
    read=LifecycleStageRead,
    display=lambda row: row["label"],
    description="Stages of a customer's life, from subscriber to evangelist. `role` says what each means; keys and labels are yours.",
    example={"key": "trial", "label": "On trial", "role": "opportunity"},
    rules=LifecycleStageRules(),
    default_sort=("position",),
    verbs=ALL_VERBS - {"merge"},
    owner_defaults_to_caller=False,
    configuration=("key",),
    sharing="none",
)
