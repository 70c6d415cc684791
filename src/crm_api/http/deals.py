"""What one does with deals over HTTP: win, lose, reopen, move."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from crm_api.core.errors import FieldError, ValidationFailed
from crm_api.core.ids import parse_uuid
from crm_api.http.records.answers import write_answer
from crm_api.http.records.board import moved
from crm_api.http.records.call import Call
from crm_api.http.routing import KernelRoute
from crm_api.kernel.writer import Outcome
from crm_api.resources.deals.actions import Category, enter_category, move
from crm_api.resources.deals.schemas import DealClose, DealMove, DealRead

router = APIRouter(route_class=KernelRoute, tags=["deals"])

CONTROL: Final = ("to", "from", "before_id", "after_id")
Fields = Annotated[str | None, Query(description="Only these fields of the record, by comma.", examples=["id,name,stage_id"])]
Expand = Annotated[str | None, Query(description="Related records to include, by comma.", examples=["account"])]
GroupBy = Annotated[str | None, Query(description="The field that makes the columns; `stage_id` if left out.", examples=["stage_id"])]
Include = Annotated[str | None, Query(description="`labels`: what people see for the values.", examples=["labels"])]
DryRun = Annotated[bool, Query(description="Check everything, store nothing.", examples=[False])]


async def _body(call: Call) -> dict[str, Any]:
    """The body as it came. FastAPI has checked its shape against the model; the writer does so again, field by field."""
    if not await call.request.body():
        return {}
    found: dict[str, Any] | None = await call.json()
    return found or {}  # FastAPI takes null for no body


async def _answer(call: Call, outcome: Outcome) -> Response:
    deals = call.context.registry["deals"]
    return await write_answer(call, deals, outcome, call.answer_options(deals, ("dry_run", "group_by")))


async def _enter(request: Request, category: Category) -> Response:
    call = Call.of(request)
    call.policy.require("deals", "update")
    options = call.answer_options(call.context.registry["deals"], ("dry_run",))
    call.flag(options, "dry_run")
    outcome = await enter_category(call.context, call.path_id(), category, await _body(call), call.expected_version())
    return await _answer(call, outcome)


@router.post("/v1/deals/{id}/win", response_model=DealRead, summary="Win a deal")
async def win_deal(
    request: Request,
    id: str,
    body: DealClose | None = None,
    dry_run: DryRun = False,
    fields: Fields = None,
    expand: Expand = None,
    include: Include = None,
) -> Response:
    """Moves the deal into its pipeline's first stage of category `won`, or into the one named by `stage_id`.

    The body may set other fields at once. `closed_at` is stamped. A deal that is won already stays as it is.
    """
    return await _enter(request, "won")


@router.post("/v1/deals/{id}/lose", response_model=DealRead, summary="Lose a deal")
async def lose_deal(
    request: Request,
    id: str,
    body: DealClose | None = None,
    dry_run: DryRun = False,
    fields: Fields = None,
    expand: Expand = None,
    include: Include = None,
) -> Response:
    """Moves the deal into its pipeline's first stage of category `lost`, or into the one named by `stage_id`.

    `lost_reason` is required. `closed_at` is stamped.
    """
    return await _enter(request, "lost")


@router.post("/v1/deals/{id}/reopen", response_model=DealRead, summary="Reopen a deal")
async def reopen_deal(
    request: Request,
    id: str,
    body: DealClose | None = None,
    dry_run: DryRun = False,
    fields: Fields = None,
    expand: Expand = None,
    include: Include = None,
) -> Response:
    """Moves a closed deal back into the open stage that it left last, or into the one named by `stage_id`.

    `closed_at` and `lost_reason` are cleared, and the probability is what it was when the deal was open.
    """
    return await _enter(request, "open")


@router.post("/v1/deals/{id}/move", response_model=DealRead, summary="Move a deal on the board")
async def move_deal(
    request: Request,
    id: str,
    body: DealMove,
    group_by: GroupBy = None,
    dry_run: DryRun = False,
    fields: Fields = None,
    expand: Expand = None,
    include: Include = None,
) -> Response:
    """Moves the deal into the stage `to`: in front of `before_id`, behind `after_id`, or to the end of the column.

    If `from` is given and the deal is no longer there: 409 `moved` with the record as it is. Fields that the stage requires
    and the deal lacks: 422 `required_on_enter`; send them along. Order stays stable whoever else moves cards.

    With `group_by` the columns are those of another field, as on any object's board; `to` and `from` are then its values.
    """
    call = Call.of(request)
    if group_by not in (None, "stage_id"):
        return await moved(call, call.context.registry["deals"], await _body(call))
    call.policy.require("deals", "update")
    options = call.answer_options(call.context.registry["deals"], ("dry_run", "group_by"))
    call.flag(options, "dry_run")
    given = body.given()
    rest = {name: value for name, value in (await _body(call)).items() if name not in CONTROL}
    outcome = await move(
        call.context,
        call.path_id(),
        rest,
        to=_stage(given["to"], "/to"),
        origin=_stage(given["from_"], "/from") if "from_" in given else None,
        before_id=given.get("before_id"),
        after_id=given.get("after_id"),
        if_match=call.expected_version(),
    )
    return await _answer(call, outcome)


def _stage(text: str, pointer: str) -> UUID:
    found = parse_uuid(text)
    if found is None:
        raise ValidationFailed([FieldError("invalid_uuid", pointer=pointer)])
    return found
