"""Members of segments over HTTP: listing, naming and removing them, and bringing dynamic segments up to date."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from crm_api.core.errors import BadRequest, FieldError, NotFound, RepeatedItem, ValidationFailed
from crm_api.flows import segments
from crm_api.http.accepted import accepted
from crm_api.http.jobs import JobRead
from crm_api.http.records.answers import document, page_answer
from crm_api.http.records.batch import failed_item
from crm_api.http.records.call import Call, raw
from crm_api.http.routing import KernelRoute, charge, reads
from crm_api.jobs.segments import REFRESH_SEGMENT
from crm_api.kernel.presentation import Checks, refuse_masked
from crm_api.kernel.query.request import SavedQuery
from crm_api.kernel.schema import Input, JsonObject, Output, Uuid, about

router = APIRouter(route_class=KernelRoute, tags=["segments"])

MAX_ITEMS: Final = 1_000
_ID = "01976f6e-8a00-7000-8000-000000000001"


class Membership(Output):
    """A record in a segment."""

    segment_id: str = about("The segment.", _ID)
    record_id: str = about("The record.", _ID)


class MemberItem(Input):
    """One record."""

    id: Annotated[Uuid, about("The record.", _ID)]


class MemberBatch(Input):
    """Records to name, or to remove."""

    items: Annotated[list[MemberItem], Field(min_length=1, max_length=MAX_ITEMS), about("The records, up to 1,000.", [{"id": _ID}])]


class MemberResult(Output):
    """What became of one of them."""

    results: list[JsonObject] = about(
        "One for each item, in order: `index`, `status`, and `id` or `error`.", [{"index": 0, "status": 200, "id": _ID}]
    )


class SegmentPreview(Output):
    """What a refresh would bring."""

    count: int = about("How many members the segment has after it.", 1204)
    added: int = about("How many of them are not members yet.", 12)
    removed: int = about("How many are members and will not be.", 3)


class PreviewBody(Input):
    """A filter to try."""

    filter: Annotated[JsonObject | None, about("A search tree to try in place of the segment's own.", None)] = None


@raw
async def list_members(request: Request) -> Response:
    """GET /v1/segments/{id}/members."""
    call = Call.of(request)
    call.policy.require("segments", "read")
    context = call.context
    stored = await call.engine.reader.one(context, context.registry["segments"], call.path_id())
    segment: dict[str, Any] = segments.read(stored.json)
    target = context.registry.get(segment["applies_to"])
    if stored.deleted or target is None:
        raise NotFound()
    call.policy.require(target.name, "read")
    await refuse_masked(context, context.registry["segments"], call.path_id(), segment, ("filter",))
    tree = segment["filter"]
    if segment["kind"] == "static":
        tree = {"field": "segments", "any": {"field": "id", "value": segment["id"]}}
    checks = Checks(context, target)
    checks.tree(tree, "filter")
    if checks.errors:
        raise ValidationFailed(checks.errors, f"The segment “{segment['name']}” names what its object no longer has; change its filter.")
    saved = SavedQuery(tree)
    asked = call.engine.reader.list_request(context, target, call.query, call.locale(), events_seq=call.events_seq, saved=saved)
    call.policy.require_read(asked.objects)
    if asked.since is not None:
        raise BadRequest(errors=[FieldError("invalid_combination", parameter="since", params={"other": "segments"})])
    return page_answer(call, await call.engine.reader.page(context, target, asked))


router.add_api_route("/v1/segments/{id}/members", list_members, methods=["GET"], response_model=None, name="list_segment_members")


@router.put("/v1/segments/{id}/members/{record_id}", response_model=Membership, summary="Add a member")
async def add_segment_member(request: Request, id: str, record_id: str) -> Response:
    """Names a record as a member of a static segment; once more changes nothing. Scopes: `segments:write` and the object's read."""
    call = Call.of(request)
    call.policy.require("segments", "update")
    record = call.path_id("record_id")
    if (await segments.add_members(call.context, call.path_id(), [record]))[0] is None:
        raise NotFound()
    return document({"segment_id": str(call.path_id()), "record_id": str(record)})


@router.delete("/v1/segments/{id}/members/{record_id}", response_model=Membership, summary="Remove a member")
async def remove_segment_member(request: Request, id: str, record_id: str) -> Response:
    """Ends the membership of a record in a static segment. Scopes: `segments:write` and the object's read."""
    call = Call.of(request)
    call.policy.require("segments", "update")
    record = call.path_id("record_id")
    if (await segments.remove_members(call.context, call.path_id(), [record]))[0] is None:
        raise NotFound()
    return document({"segment_id": str(call.path_id()), "record_id": str(record)})


@router.post("/v1/segments/{id}/members/batch/put", status_code=207, response_model=MemberResult, summary="Add members")
async def add_segment_members(request: Request, id: str, body: MemberBatch) -> Response:
    """Names up to 1,000 records as members of a static segment. What is no live record of its object is 404 in its place."""
    return await _batch(Call.of(request), body, adding=True)


@router.post("/v1/segments/{id}/members/batch/delete", status_code=207, response_model=MemberResult, summary="Remove members")
async def remove_segment_members(request: Request, id: str, body: MemberBatch) -> Response:
    """Ends the membership of up to 1,000 records. What was no member is 404 in its place."""
    return await _batch(Call.of(request), body, adding=False)


async def _batch(call: Call, body: MemberBatch, *, adding: bool) -> Response:
    call.policy.require("segments", "update")
    await charge(call.request, len(body.items) // 20)
    ids = [item.id for item in body.items]
    change = segments.add_members if adding else segments.remove_members
    found = await change(call.context, call.path_id(), ids)
    parts = []
    for index, (id_, outcome) in enumerate(zip(ids, found, strict=True)):
        if id_ in ids[:index]:
            parts.append(failed_item(call, index, RepeatedItem(errors=[FieldError("repeated_item", pointer="/id")])))
        elif outcome is None:
            parts.append(failed_item(call, index, NotFound()))
        else:
            parts.append(b'{"index":%d,"status":200,"id":"%s"}' % (index, str(id_).encode()))
    return Response(b'{"results":[' + b",".join(parts) + b"]}", 207, media_type="application/json")


@router.post("/v1/segments/{id}/preview", response_model=SegmentPreview, summary="Preview a segment")
@reads
async def preview_segment(request: Request, id: str, body: PreviewBody | None = None) -> Response:
    """How many members the segment would have if it were refreshed now, and how many come and go. Changes nothing.

    With `filter` another one is tried than its own. Scopes: `segments:read` and the read of every object the filter looks at.
    """
    call = Call.of(request)
    call.policy.require("segments", "read")
    return document(await segments.preview(call.context, call.engine.reader, call.path_id(), None if body is None else body.filter))


@router.post("/v1/segments/{id}/refresh", status_code=202, response_model=JobRead, summary="Refresh a segment")
async def refresh_segment(request: Request, id: str) -> Response:
    """Brings a dynamic segment up to date, as a job. Each record that comes or goes is told by one event.

    Segments are refreshed by themselves soon after their filter changed and every 15 minutes. Scope: `segments:write`.
    """
    call = Call.of(request)
    call.policy.require("segments", "update")
    await segments.segment_row(call.context, call.path_id())
    return await accepted(request, call.context, REFRESH_SEGMENT, {"segment_id": str(call.path_id())})
