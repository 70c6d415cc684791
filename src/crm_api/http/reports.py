"""Reports over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from crm_api.core.clock import parse_date
from crm_api.core.errors import BadRequest, FieldError, InvalidValue
from crm_api.core.ids import parse_uuid
from crm_api.flows.reports import PipelineFilter, PipelineReport, pipeline_report
from crm_api.http.routing import KernelRoute
from crm_api.kernel.endpoint import ContextDep

router = APIRouter(route_class=KernelRoute)


class PipelineReportQuery(BaseModel):
    """What the report is about."""

    model_config = ConfigDict(extra="forbid")

    pipeline_id: Annotated[
        str | None, Field(description="The pipeline; the default one if left out.", examples=["01976f6e-8a00-7000-8000-0000000000d1"])
    ] = None
    from_: Annotated[
        str | None,
        Field(alias="from", description="Deals closed on this day (UTC) or later; open deals always count.", examples=["2026-01-01"]),
    ] = None
    to: Annotated[str | None, Field(description="Deals closed on this day (UTC) or earlier.", examples=["2026-03-31"])] = None
    tag: Annotated[str | None, Field(description="Only deals with this tag.", examples=["north"])] = None


@router.get("/v1/reports/pipeline", response_model=PipelineReport, summary="Pipeline report", tags=["reports"])
async def get_pipeline_report(context: ContextDep, query: Annotated[PipelineReportQuery, Query()]) -> PipelineReport:
    """Figures of one pipeline: what is in each stage, win rate, length of the sales cycle and sales velocity.

    Velocity is open deals × win rate × mean amount won ÷ days of a won cycle: the revenue a day that the pipeline yields.
    Sums are given only while all deals have one currency. Needs `deals:read`, `pipelines:read` and `stages:read`.
    """
    context.policy.require_read(("deals", "pipelines", "stages"))
    errors: list[FieldError] = []
    pipeline_id = None if query.pipeline_id is None else parse_uuid(query.pipeline_id)
    if query.pipeline_id is not None and pipeline_id is None:
        errors.append(FieldError("invalid_uuid", parameter="pipeline_id"))
    days = []
    for name, text in (("from", query.from_), ("to", query.to)):
        try:
            days.append(None if text is None else parse_date(text))
        except InvalidValue as error:
            errors.append(error.at(parameter=name))
    if errors:
        raise BadRequest(errors=errors)
    return await pipeline_report(context, PipelineFilter(pipeline_id, days[0], days[1], query.tag))
