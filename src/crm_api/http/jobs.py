"""Jobs over HTTP, and the jobs that are no bulk change: snapshots with their files."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import FileResponse, Response

from crm_api.core.errors import FieldError, NotFound, ValidationFailed
from crm_api.core.ids import parse_uuid
from crm_api.flows.snapshots import job_folder, objects_of
from crm_api.http.accepted import accepted
from crm_api.http.records.story import envelope
from crm_api.http.routing import KernelRoute, other_media
from crm_api.http.services import services_of
from crm_api.jobs import store
from crm_api.jobs.store import STATUSES, Status
from crm_api.jobs.tasks import SNAPSHOT
from crm_api.kernel import audit
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.event_json import LINKS
from crm_api.kernel.query.plan import DEFAULT_PAGE, MAX_PAGE
from crm_api.kernel.schema import Input, Output

router = APIRouter(route_class=KernelRoute)
NDJSON: Final = "application/x-ndjson"
_ID: Final = "01a201b3-fa6b-7331-a786-3bbfe1908256"
_AT: Final = "2026-11-22T05:21:41.958886Z"
_JSON: Final = "application/json"


class JobProgress(Output):
    """How far a job has come."""

    done: Annotated[int, Field(description="Records that were looked after, with or without success.", examples=[1800])]
    total: Annotated[int | None, Field(description="Records in all; null until that is known.", examples=[12431])]
    failed: Annotated[int, Field(description="Records that were left as they are; `errors_url` says why.", examples=[2])]


class JobRead(Output):
    """Work that outlives its request."""

    object: Annotated[str, Field(description="Always `jobs`.", examples=["jobs"])]
    id: Annotated[UUID, Field(description="The job's id.", examples=[_ID])]
    type: Annotated[
        str,
        Field(
            description="`bulk`, `schema`, `snapshot`, `revalue`, `refresh_segment`, `hand_over_records`, `sandbox`, `rotate_keys`, "
            "`privacy_export`, "
            "`privacy_erase`, `replay_webhooks` and more.",
            examples=["bulk"],
        ),
    ]
    status: Annotated[
        Status,
        Field(
            description="`succeeded` if all went well, `partly_failed` if some records were left as they are, `failed` if all were or the "
            "job could not be done. These three and `cancelled` are final.",
            examples=["running"],
        ),
    ]
    progress: Annotated[JobProgress, Field(description="How far it has come.")]
    request: Annotated[
        dict[str, Any],
        Field(
            description="What was asked for.", examples=[{"object": "contacts", "action": "tag", "set": {"tags": ["fair"]}, "count": 12431}]
        ),
    ]
    result: Annotated[
        dict[str, Any] | None,
        Field(
            description="What came of it: a bulk job counts its outcomes, a snapshot names its cursor and files, a job that could not be "
            "done holds the problem as `error`.",
            examples=[{"updated": 12429, "unchanged": 0}],
        ),
    ]
    errors_url: Annotated[str, Field(description="Where the errors of single records are.", examples=[f"/v1/jobs/{_ID}/errors"])]
    undo_until: Annotated[str | None, Field(description="Until when the job can be undone; null if it can't.", examples=[None])]
    created_at: Annotated[str, Field(description="When it was accepted.", examples=[_AT])]
    started_at: Annotated[str | None, Field(description="When a worker first took it up.", examples=[_AT])]
    finished_at: Annotated[str | None, Field(description="When it ended.", examples=[None])]
    expires_at: Annotated[
        str | None,
        Field(description="When it is forgotten with its files: seven days after its end.", examples=["2026-11-29T05:21:41.958886Z"]),
    ]
    created_by: Annotated[dict[str, Any], Field(description="Who asked for it.", examples=[{"type": "user", "id": _ID}])]


class JobList(Output):
    """A page of jobs."""

    data: Annotated[list[JobRead], Field(description="Newest first.")]
    page: Annotated[
        dict[str, Any],
        Field(description="Where the list goes on.", examples=[{"next_cursor": None, "prev_cursor": None, "has_more": False}]),
    ]


class JobError(Output):
    """Why a job left one record as it was."""

    index: Annotated[int, Field(description="The record's place in the selection.", examples=[17])]
    id: Annotated[UUID, Field(description="The record's id.", examples=[_ID])]
    error: Annotated[
        dict[str, Any],
        Field(description="The problem, as a single write would have answered it.", examples=[{"status": 410, "code": "deleted"}]),
    ]


class JobErrorList(Output):
    """A page of errors."""

    data: Annotated[list[JobError], Field(description="In the order of the selection.")]
    page: Annotated[
        dict[str, Any],
        Field(description="Where the list goes on.", examples=[{"next_cursor": None, "prev_cursor": None, "has_more": False}]),
    ]


class PageQuery(BaseModel):
    """A page of a list that only goes forward."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE, description="Items of a page, 1 to 200.", examples=[50])] = DEFAULT_PAGE
    cursor: Annotated[str | None, Field(description="`page.next_cursor` of the page before.", examples=["3q2-7wAAAAAAAAAAAAAAAA"])] = None


class JobQuery(PageQuery):
    """Which jobs."""

    status: Annotated[Status | None, Field(description="Only jobs in this state.", examples=["running"])] = None
    type: Annotated[
        Literal[
            "bulk",
            "schema",
            "snapshot",
            "revalue",
            "refresh_segment",
            "run_territories",
            "sandbox",
            "privacy_export",
            "privacy_erase",
            "hand_over_records",
            "replay_webhooks",
        ]
        | None,
        Field(description="Only jobs of this type.", examples=["bulk"]),
    ] = None


class SnapshotCreate(Input):
    """Which objects to copy."""

    objects: Annotated[
        list[str],
        Field(
            min_length=1,
            max_length=100,
            description="Names of objects; `links` stands for the many-to-many links between records.",
            examples=[["contacts", "accounts", "links"]],
        ),
    ]
    deleted: Annotated[
        Literal["include", "exclude"], Field(description="Whether deleted records are in the files too.", examples=["include"])
    ] = "exclude"


def _found(text: str) -> UUID:
    found = parse_uuid(text)
    if found is None:
        raise NotFound()
    return found


@router.get("/v1/jobs", response_model=JobList, summary="List jobs", tags=["jobs"])
async def list_jobs(context: ContextDep, query: Annotated[JobQuery, Query()]) -> Response:
    """One's own jobs, newest first; for administrators everybody's. A job is kept for seven days after its end."""
    statuses = STATUSES if query.status is None else (query.status,)
    page = await store.page(context, limit=query.limit, cursor=query.cursor, statuses=statuses, kind=query.type)
    return Response(envelope(page.rows, page.next_cursor), media_type=_JSON)


@router.get("/v1/jobs/{id}", response_model=JobRead, summary="Get a job", tags=["jobs"])
async def get_job(context: ContextDep, id: str) -> Response:
    """How a job stands. Ask again every second or so, or wait for its `job.finished` event."""
    return Response(await store.shown(context, _found(id)), media_type=_JSON)


@router.post("/v1/jobs/{id}/cancel", response_model=JobRead, summary="Cancel a job", tags=["jobs"])
async def cancel_job(context: ContextDep, id: str) -> Response:
    """Ends a job. What it has done stays done; the chunk of records that it is at is finished first.

    Cancelling a cancelled job changes nothing; a job that has ended otherwise is 409 `conflict`.
    """
    job_id = _found(id)
    await store.cancel(context, job_id)
    return Response(await store.shown(context, job_id), media_type=_JSON)


@router.get("/v1/jobs/{id}/errors", response_model=JobErrorList, summary="List a job's errors", tags=["jobs"])
async def list_job_errors(context: ContextDep, id: str, query: Annotated[PageQuery, Query()]) -> Response:
    """The records that a job left as they are, each with its problem."""
    page = await store.errors(context, _found(id), limit=query.limit, cursor=query.cursor)
    return Response(envelope(page.rows, page.next_cursor), media_type=_JSON)


@router.post("/v1/events/snapshot", status_code=202, response_model=JobRead, summary="Take a snapshot", tags=["events"])
async def create_snapshot(context: ContextDep, request: Request, body: SnapshotCreate) -> Response:
    """Copies all records of some objects, as they are at one instant, into files to load a mirror from.

    The job's `result` is `{"cursor", "as_of", "files": [{"object", "url", "rows", "bytes", "sha256"}]}`; each file holds one
    record per line (NDJSON), as a GET shows it. To mirror exactly once in effect: load the files; read `GET /v1/events` from
    `cursor`; apply an event only if its `version` is greater than the stored one; keep rows and cursor in one transaction; on
    410 take a new snapshot. Needs `events:read` and `<object>:read` for each object.
    """
    policy = context.policy
    policy.require("events", "read")
    known = objects_of(context.registry)
    errors = [
        FieldError("enum", pointer=f"/objects/{index}", allowed=known) for index, name in enumerate(body.objects) if name not in known
    ]
    seen: set[str] = set()
    for index, name in enumerate(body.objects):
        if name in seen:
            errors.append(FieldError("repeated_item", pointer=f"/objects/{index}"))
        seen.add(name)
    if errors:
        raise ValidationFailed(errors=errors)
    policy.require_read(name for name in body.objects if name != LINKS)
    details = {"objects": body.objects, "deleted": body.deleted, "kind": SNAPSHOT}
    audit.record(context, "records.exported", details=details)
    return await accepted(request, context, SNAPSHOT, {"objects": body.objects, "deleted": body.deleted})


@router.get(
    "/v1/files/snapshots/{job_id}/{object}.ndjson",
    response_class=FileResponse,
    summary="Download a file of a snapshot",
    tags=["events"],
    responses={200: {"content": {NDJSON: {"schema": {"type": "string"}, "example": '{"object":"contacts","id":"…","version":3}\n'}}}},
)
@other_media
async def get_snapshot_file(context: ContextDep, request: Request, job_id: str, object: str) -> Response:
    """One object's records, one JSON document per line. `Range` continues a download that broke off.

    Needs `<object>:read`. Files go with their job, seven days after its end.
    """
    policy = context.policy
    if object not in objects_of(context.registry):
        raise NotFound()
    policy.require("events", "read")
    if object != LINKS:
        policy.require(object, "read")
    found = _found(job_id)
    attempt = await store.finished_attempt(context, found, SNAPSHOT)
    path = job_folder(services_of(request).settings.data_dir, context.principal.org_id, found) / str(attempt) / f"{object}.ndjson"
    if not path.is_file():
        raise NotFound()
    return FileResponse(path, media_type=NDJSON)
