"""What a stage looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import MISSING, Field, StringConstraints

from crm_api.kernel.schema import (
    Name,
    Output,
    Position,
    Probability,
    RecordCreate,
    RecordRead,
    RecordUpdate,
    Ref,
    Reference,
    about,
    create_of,
    update_of,
)

FieldNames = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=80)]], Field(max_length=20)]
_PIPELINE = about("The pipeline it belongs to.", "01976f6e-8a00-7000-8000-0000000000d1")


class StageFields(Output):
    """The fields of a stage."""

    name: Name = about("What it is called.", "Negotiation")
    position: Position = about("Its place in the pipeline, from 0. Defaults to the end; the stages behind make room.", 3)
    probability: Probability | None = about("Chance of winning a deal here. Defaults to 1 for won, 0 for lost; deals inherit it.", 0.75)
    category: Literal["open", "won", "lost"] = about("What being here means. A deal's `status` follows it.", "open")
    forecast_category: Literal["pipeline", "best_case", "commit", "closed", "omitted"] | None = about(
        "Where its deals count in forecasts.", "commit"
    )
    required_fields: FieldNames = about("Fields that a deal needs before it may enter (422 `required_on_enter`).", ["amount", "close_date"])


class StageRead(StageFields, RecordRead):
    """A stage: one step of a pipeline."""

    object: Literal["stages"] = about("The object's name.", "stages")
    pipeline_id: Annotated[Ref, _PIPELINE]


@create_of(StageFields, required=("name",))
class StageCreate(RecordCreate):
    """A new stage. Under `/v1/pipelines/{id}/stages` its pipeline is that of the path."""

    pipeline_id: Annotated[Reference | MISSING, _PIPELINE] = MISSING


@update_of(StageFields)
class StageUpdate(RecordUpdate):
    """Changes of a stage, as a merge patch."""
