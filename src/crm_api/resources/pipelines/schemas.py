"""What a pipeline looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import MISSING

from crm_api.kernel.schema import (
    Name,
    Output,
    RecordCreate,
    RecordRead,
    RecordUpdate,
    Text60,
    about,
    create_of,
    update_of,
)

APPLIES_TO = about("The object whose records move through it: `deals`, or one that the organisation made; set once.", "deals")


class PipelineFields(Output):
    """The fields of a pipeline."""

    name: Name = about("What it is called.", "New business")
    is_default: bool = about("Whether new records take it when they name none. Making one the default ends that of the other.", False)


class PipelineRead(PipelineFields, RecordRead):
    """A pipeline: an ordered set of stages."""

    object: Literal["pipelines"] = about("The object's name.", "pipelines")
    applies_to: Annotated[str, APPLIES_TO]


@create_of(PipelineFields, required=("name",))
class PipelineCreate(RecordCreate):
    """A new pipeline. Its stages are made at `/v1/pipelines/{id}/stages`."""

    applies_to: Annotated[Text60 | MISSING, APPLIES_TO] = MISSING


@update_of(PipelineFields)
class PipelineUpdate(RecordUpdate):
    """Changes of a pipeline, as a merge patch."""
