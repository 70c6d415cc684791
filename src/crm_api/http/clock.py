"""The organisation's clock, which sandboxes can move."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import MISSING, Field

from crm_api.core.errors import FieldError, InvalidValue, ValidationFailed
from crm_api.core.relative import parse_duration
from crm_api.flows import clock
from crm_api.http.accepted import wake_workers
from crm_api.http.admin import require_admin
from crm_api.http.routing import KernelRoute
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.schema import Input, Output, Timestamp

router = APIRouter(route_class=KernelRoute)


class ClockRead(Output):
    """What time it is in the organisation."""

    object: Annotated[str, Field(description="Always `clock`.", examples=["clock"])]
    now: Annotated[
        str,
        Field(description="The organisation's time, which records, events and timers go by.", examples=["2026-12-22T05:21:41.958886Z"]),
    ]
    real_now: Annotated[
        str, Field(description="Real time, which tokens and the journal's retention go by.", examples=["2026-11-22T05:21:41.958886Z"])
    ]
    ahead_seconds: Annotated[
        float, Field(description="How far `now` is ahead of `real_now`; negative after a freeze.", examples=[2592000.0])
    ]
    frozen: Annotated[bool, Field(description="Whether it stands still.", examples=[False])]
    movable: Annotated[bool, Field(description="Whether it can be moved: only in a sandbox.", examples=[True])]
    due_timers: Annotated[int, Field(description="Timers that are due and have not fired yet; ask again until it is 0.", examples=[0])]


class ClockAdvance(Input):
    """How far the clock is moved: exactly one of the two."""

    by: Annotated[
        str | MISSING,
        Field(
            max_length=60,
            description="An ISO 8601 duration; months and days by the calendar of the organisation's time zone.",
            examples=["P30D"],
        ),
    ] = MISSING
    to: Annotated[
        Timestamp | MISSING,
        Field(description="An instant ahead of the organisation's time.", examples=["2027-01-31T00:00:00.000000Z"]),
    ] = MISSING


@router.get("/v1/clock", response_model=ClockRead, summary="Get the clock", tags=["sandboxes"])
async def get_clock(context: ContextDep) -> dict[str, Any]:
    """What time it is in the organisation. In a production organisation that is real time."""
    return await clock.read(context.uow)


@router.post("/v1/clock/advance", response_model=ClockRead, summary="Move the clock forwards", tags=["sandboxes"])
async def advance_clock(context: ContextDep, request: Request, body: ClockAdvance) -> dict[str, Any]:
    """Moves a sandbox's time forwards. All timers that are due by then fire, each once, as if that much time had passed.

    The answer comes at once and timers fire in the background: `due_timers` of `GET /v1/clock` tells how many are left. Time
    never goes backwards, and at most ten years ahead of real time (422). Needs the scope `admin`; 403 `forbidden` in a
    production organisation.
    """
    require_admin(context)
    given = body.given()
    if len(given) != 1:
        pointer = "/by" if not given else "/to"
        error = (
            FieldError("required", pointer=pointer) if not given else InvalidValue("invalid_combination", other="by").at(pointer=pointer)
        )
        raise ValidationFailed([error])
    if "to" in given:
        answer = await clock.advance(context.uow, to=given["to"])
    else:
        try:
            by = parse_duration(given["by"])
        except InvalidValue as error:
            raise ValidationFailed([error.at(pointer="/by")]) from None
        answer = await clock.advance(context.uow, by=by)
    wake_workers(request, context.uow)
    return answer


@router.post("/v1/clock/freeze", response_model=ClockRead, summary="Stop the clock", tags=["sandboxes"])
async def freeze_clock(context: ContextDep) -> dict[str, Any]:
    """Lets a sandbox's time stand still; it can still be moved. Needs the scope `admin`."""
    require_admin(context)
    return await clock.freeze(context.uow)


@router.post("/v1/clock/resume", response_model=ClockRead, summary="Let the clock go on", tags=["sandboxes"])
async def resume_clock(context: ContextDep) -> dict[str, Any]:
    """Lets a sandbox's time go on from where it was stopped, not from where it would be by now. Needs the scope `admin`."""
    require_admin(context)
    return await clock.resume(context.uow)
