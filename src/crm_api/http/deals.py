"""What one does with deals over HTTP: win, lose, reopen, move; the board and the history of stages."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import quote
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from crm_api.core.errors import BadRequest, FieldError, NotFound
from crm_api.core.ids import parse_uuid
from crm_api.http.records.answers import json_response, page_body, record_answer, write_answer
from crm_api.http.records.call import Call
from crm_api.http.records.story import page_limit
from crm_api.http.routing import KernelRoute
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.journal import encode_events_cursor
from crm_api.kernel.query.request import list_request
from crm_api.kernel.reader import ReadPage
from crm_api.kernel.writer import Outcome
from crm_api.resources.deals.actions import Category, enter_category, move, stage_history
from crm_api.resources.deals.board import Column, columns
from crm_api.resources.deals.schemas import Board, DealClose, DealMove, DealRead, StageHistory

router = APIRouter(route_class=KernelRoute, tags=["deals"])

CONTROL: Final = ("to", "from", "before_id", "after_id")
Fields = Annotated[str | None, Query(description="Only these fields of the record, by comma.", examples=["id,name,stage_id"])]
Expand = Annotated[str | None, Query(description="Related records to include, by comma.", examples=["account"])]
DryRun = Annotated[bool, Query(description="Check everything, store nothing.", examples=[False])]


async def _body(call: Call) -> dict[str, Any]:
    """The body as it came. FastAPI has checked its shape against the model; the writer does so again, field by field."""
    if not await call.request.body():
        return {}
    found: dict[str, Any] | None = await call.json()
    return found or {}  # FastAPI takes null for no body


async def _answer(call: Call, outcome: Outcome) -> Response:
    deals = call.context.registry["deals"]
    return await write_answer(call, deals, outcome, call.answer_options(deals, ("dry_run",)))


async def _enter(request: Request, category: Category) -> Response:
    call = Call.of(request)
    call.policy.require("deals", "write")
    options = call.answer_options(call.context.registry["deals"], ("dry_run",))
    call.flag(options, "dry_run")
    outcome = await enter_category(call.context, call.path_id(), category, await _body(call), call.expected_version())
    return await _answer(call, outcome)


@router.post("/v1/deals/{id}/win", response_model=DealRead, summary="Win a deal")
async def win_deal(
    request: Request, id: str, body: DealClose | None = None, dry_run: DryRun = False, fields: Fields = None, expand: Expand = None
) -> Response:
    """Moves the deal into its pipeline's first stage of category `won`, or into the one named by `stage_id`.

    The body may set other fields at once. `closed_at` is stamped. A deal that is won already stays as it is.
    """
    return await _enter(request, "won")


@router.post("/v1/deals/{id}/lose", response_model=DealRead, summary="Lose a deal")
async def lose_deal(
    request: Request, id: str, body: DealClose | None = None, dry_run: DryRun = False, fields: Fields = None, expand: Expand = None
) -> Response:
    """Moves the deal into its pipeline's first stage of category `lost`, or into the one named by `stage_id`.

    `lost_reason` is required. `closed_at` is stamped.
    """
    return await _enter(request, "lost")


@router.post("/v1/deals/{id}/reopen", response_model=DealRead, summary="Reopen a deal")
async def reopen_deal(
    request: Request, id: str, body: DealClose | None = None, dry_run: DryRun = False, fields: Fields = None, expand: Expand = None
) -> Response:
    """Moves a closed deal back into the open stage that it left last, or into the one named by `stage_id`.

    `closed_at` and `lost_reason` are cleared, and the probability is what it was when the deal was open.
    """
    return await _enter(request, "open")


@router.post("/v1/deals/{id}/move", response_model=DealRead, summary="Move a deal on the board")
async def move_deal(
    request: Request, id: str, body: DealMove, dry_run: DryRun = False, fields: Fields = None, expand: Expand = None
) -> Response:
    """Moves the deal into the stage `to`: in front of `before_id`, behind `after_id`, or to the end of the column.

    If `from` is given and the deal is no longer there: 409 `moved` with the record as it is. Fields that the stage requires
    and the deal lacks: 422 `required_on_enter`; send them along. Order stays stable whoever else moves cards.
    """
    call = Call.of(request)
    call.policy.require("deals", "write")
    options = call.answer_options(call.context.registry["deals"], ("dry_run",))
    call.flag(options, "dry_run")
    given = body.given()
    rest = {name: value for name, value in (await _body(call)).items() if name not in CONTROL}
    outcome = await move(
        call.context,
        call.path_id(),
        rest,
        to=given["to"],
        origin=given.get("from_"),
        before_id=given.get("before_id"),
        after_id=given.get("after_id"),
        if_match=call.expected_version(),
    )
    return await _answer(call, outcome)


@router.get("/v1/deals/{id}/stage_history", response_model=StageHistory, summary="Stage history of a deal")
async def get_stage_history(request: Request, id: str, context: ContextDep) -> Response:
    """Every move of the deal, newest first, with the time it had spent in the stage that it left."""
    call = Call.of(request)
    call.policy.require_read(("deals", "stages"))
    call.refuse_parameters()
    deals = context.registry["deals"]
    record_answer(call, deals, await call.engine.reader.one(context, deals, call.path_id()))
    page = {"next_cursor": None, "prev_cursor": None, "has_more": False}
    return json_response(orjson.dumps({"data": await stage_history(context, call.path_id()), "page": page}))


@router.get("/v1/deals/board", response_model=Board, summary="Board of deals")
async def get_board(
    request: Request,
    group_by: Annotated[str | None, Query(description="What makes the columns; deals have theirs by stage.", examples=["stage_id"])] = None,
    pipeline_id: Annotated[str | None, Query(description="The pipeline; the default one if left out.", examples=[None])] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Cards of each column.", examples=[50])] = 50,
    column: Annotated[str | None, Query(description="Only this column, by its key.", examples=[None])] = None,
    cursor: Annotated[str | None, Query(description="Where to go on in `column`.", examples=[None])] = None,
    fields: Fields = None,
    expand: Expand = None,
) -> Response:
    """The deals of a pipeline in columns, one for each stage, in the order in which people have put them.

    Each column has the number of its deals, sums in the organisation's currency (null if a deal has another one) and its
    first page; `column` and `cursor` give the next one. Follow `page.events_cursor` to keep the board up to date.
    """
    call = Call.of(request)
    call.policy.require_read(("deals", "pipelines", "stages"))
    given = call.refuse_parameters(("group_by", "pipeline_id", "limit", "column", "cursor", "fields", "expand"))
    if given.get("group_by", "stage_id") != "stage_id":
        raise BadRequest(errors=[FieldError("enum", parameter="group_by", allowed=["stage_id"])])
    if "cursor" in given and "column" not in given:
        raise BadRequest(errors=[FieldError("required", parameter="column")])
    found = await columns(call.context, _uuid(given, "pipeline_id"))
    if not found:
        raise NotFound("There is no such pipeline, or it has no stages.")
    if "column" in given:
        found = [one for one in found if str(one.stage_id) == given["column"]]
        if not found:
            raise BadRequest(errors=[FieldError("not_found_reference", parameter="column")])
    parts, heads = [], []
    for one in found:
        page = await _cards(call, one, given, page_limit(given))
        heads.append(page.head)
        parts.append(_column(call, one, page))
    cursor_text = encode_events_cursor(call.context.principal.org_id, min(heads)).encode()
    return json_response(b'{"columns":[' + b",".join(parts) + b'],"page":{"events_cursor":"' + cursor_text + b'"}}')


def _uuid(given: dict[str, str], name: str) -> UUID | None:
    if name not in given:
        return None
    found = parse_uuid(given[name])
    if found is None:
        raise BadRequest(errors=[FieldError("invalid_uuid", parameter=name)])
    return found


async def _cards(call: Call, column: Column, given: dict[str, str], limit: int) -> ReadPage:
    deals = call.context.registry["deals"]
    query = f"stage_id={column.stage_id}&sort=board_position&limit={limit}"
    for name in ("cursor", "fields", "expand"):
        if name in given:
            query += f"&{name}={quote(given[name], safe=',')}"
    asked = list_request(call.context.registry, deals, query, call.locale(), events_seq=call.events_seq)
    call.policy.require_read(asked.objects)
    return await call.engine.reader.page(call.context, deals, asked)


def _column(call: Call, column: Column, page: ReadPage) -> bytes:
    head = {
        "key": str(column.stage_id),
        "label": column.name,
        "count": column.count,
        "sums": {"amount_base": column.amount, "weighted_base": column.weighted},
    }
    return orjson.dumps(head)[:-1] + b"," + page_body(call.context.principal, page)[1:]
