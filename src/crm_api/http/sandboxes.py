"""Sandboxes: copies of an organisation to try things out in."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import MISSING, Field
from starlette.responses import Response

from crm_api.core.errors import InvalidValue, ValidationFailed
from crm_api.flows.sandboxes import promotion, service
from crm_api.flows.sandboxes.selection import MAX_SAMPLE
from crm_api.http.accepted import wake_workers
from crm_api.http.admin import record_id, require_admin
from crm_api.http.configuration import ConfigChanges, ConfigDifference
from crm_api.http.idempotency import SECRET_HEADER
from crm_api.http.jobs import JobRead
from crm_api.http.routing import KernelRoute
from crm_api.http.services import services_of
from crm_api.jobs import store
from crm_api.kernel.context import Context
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.schema import Input, Name, Output

router = APIRouter(route_class=KernelRoute, tags=["sandboxes"])
_ID = "01a201b3-fa6b-7331-a786-3bbfe1908256"
_AT = "2026-11-22T05:21:41.958886Z"
_DEFAULT_SAMPLE = 100
_TOKEN = "crm_pat_1JRouMUn8QUhXdFyVOjBSZ1aH6GwwC6N4CpxUvJbzU02hkMAb"


class SandboxCreate(Input):
    """A new sandbox."""

    name: Annotated[Name, Field(description="What it is called.", examples=["Spring release"])]
    copy_: Annotated[
        Literal["metadata", "sample", "full"],
        Field(
            alias="copy",
            description="What it holds: the configuration and the people alone, also some records of each object with what they can't "
            "be without, or all records.",
            examples=["sample"],
        ),
    ] = "metadata"
    sample_size: Annotated[
        int | MISSING,
        Field(ge=1, le=MAX_SAMPLE, description="For a sample: how many of the newest records of each object.", examples=[100]),
    ] = MISSING
    mask: Annotated[
        bool | dict[str, str],
        Field(
            description="Whether personal data is masked: names, e-mail addresses, telephone numbers, addresses, free text, and fields "
            "marked as sensitive. Rules by field (`first_name`, `last_name`, `name`, `email`, `phone`, `address`, `text`, `date`, "
            "`clear`, `keep`) change what is done with single ones.",
            examples=[{"accounts.name": "name", "contacts.description": "clear"}],
        ),
    ] = True


class SandboxRead(Output):
    """A sandbox: an organisation of its own, made from this one."""

    object: Annotated[str, Field(description="Always `sandboxes`.", examples=["sandboxes"])]
    id: Annotated[UUID, Field(description="The sandbox's id, which is that of its organisation.", examples=[_ID])]
    name: Annotated[str, Field(description="What it is called.", examples=["Spring release"])]
    copy_: Annotated[str, Field(alias="copy", description="`metadata`, `sample` or `full`.", examples=["sample"])]
    mask: Annotated[bool | dict[str, str], Field(description="Whether and how personal data is masked.", examples=[True])]
    sample_size: Annotated[int | None, Field(description="Records of each object in a sample.", examples=[100])]
    status: Annotated[
        Literal["making", "ready", "refreshing", "deleting", "failed"],
        Field(
            description="`making`, `refreshing` or `deleting` while its job is at work; `ready`; `failed` if the job was.",
            examples=["ready"],
        ),
    ]
    job_id: Annotated[UUID, Field(description="The job that was last at work on it.", examples=[_ID])]
    outbound: Annotated[str, Field(description="Always `off`: no webhook and no mail leaves a sandbox.", examples=["off"])]
    created_at: Annotated[str, Field(description="When it was asked for.", examples=[_AT])]
    created_by: Annotated[dict[str, Any], Field(description="Who asked for it.", examples=[{"type": "user", "id": _ID}])]
    refreshed_at: Annotated[str | None, Field(description="As of when its records are.", examples=[_AT])]


class SandboxList(Output):
    """The organisation's sandboxes."""

    data: Annotated[list[SandboxRead], Field(description="Oldest first, at most five.")]
    page: Annotated[
        dict[str, Any],
        Field(description="They fit on one page.", examples=[{"next_cursor": None, "prev_cursor": None, "has_more": False}]),
    ]


class SandboxToken(Input):
    """A token for a sandbox."""

    name: Annotated[Name, Field(description="What the token is for.", examples=["Trying out the new pipeline"])] = "sandbox"


class SandboxTokenCreated(Output):
    """A token just made: the only answer that holds its secret."""

    object: Annotated[str, Field(description="Always `tokens`.", examples=["tokens"])]
    id: Annotated[UUID, Field(description="The token's id in the sandbox.", examples=[_ID])]
    name: Annotated[str, Field(description="What it is for.", examples=["Trying out the new pipeline"])]
    scopes: Annotated[list[str], Field(description="What it may do in the sandbox.", examples=[["admin"]])]
    user_id: Annotated[UUID, Field(description="The member of the sandbox that it acts for.", examples=[_ID])]
    token: Annotated[
        str | None,
        Field(
            description="The secret, shown this once. Null in an answer that is repeated for its `Idempotency-Key`.", examples=[_TOKEN]
        ),
    ]


class SandboxPromote(Input):
    """How to bring a sandbox's configuration over."""

    dry_run: Annotated[bool, Field(description="Whether only to tell what would change.", examples=[True])] = False
    prune: Annotated[bool, Field(description="Whether what the sandbox does not have is removed.", examples=[False])] = False


async def _accepted(request: Request, context: Context, job_id: UUID) -> Response:
    wake_workers(request, context.uow)
    return Response(await store.shown(context, job_id), 202, {"location": f"/v1/jobs/{job_id}"}, "application/json")


@router.post("/v1/sandboxes", status_code=202, response_model=JobRead, summary="Make a sandbox")
async def create_sandbox(context: ContextDep, request: Request, body: SandboxCreate) -> Response:
    """Makes an organisation of its own out of this one, to try things out in; the answer is the job that fills it.

    Nothing in it leads back: all ids are others, tokens and passwords are not copied, personal data is masked unless `mask` is
    false, and no webhook or mail leaves it. `request.sandbox_id` of the job is its id; once the job has succeeded,
    `POST /v1/sandboxes/{id}/tokens` lets the caller in. Its clock can be moved (`POST /v1/clock/advance`).

    Needs the scope `admin`; 403 `forbidden` in a sandbox, 403 `limit_exceeded` beyond five.
    """
    require_admin(context)
    given = body.given()
    if "sample_size" in given and body.copy_ != "sample":
        raise ValidationFailed([InvalidValue("invalid_combination", other=f"copy={body.copy_}").at(pointer="/sample_size")])
    size = given.get("sample_size", _DEFAULT_SAMPLE) if body.copy_ == "sample" else None
    job_id = await service.create(context, name=body.name, copy=body.copy_, mask=body.mask, sample_size=size)
    return await _accepted(request, context, job_id)


@router.get("/v1/sandboxes", response_model=SandboxList, summary="List sandboxes")
async def list_sandboxes(context: ContextDep) -> JSONResponse:
    """The sandboxes made from this organisation. Needs the scope `admin`."""
    require_admin(context)
    page = {"next_cursor": None, "prev_cursor": None, "has_more": False}
    return JSONResponse({"data": await service.listed(context), "page": page})


@router.get("/v1/sandboxes/{id}", response_model=SandboxRead, summary="Get a sandbox")
async def get_sandbox(context: ContextDep, id: str) -> JSONResponse:
    """One sandbox and how it stands. Needs the scope `admin`."""
    require_admin(context)
    return JSONResponse((await service.get(context.uow, record_id(id))).shown)


@router.delete("/v1/sandboxes/{id}", status_code=202, response_model=JobRead, summary="Delete a sandbox")
async def delete_sandbox(context: ContextDep, request: Request, id: str) -> Response:
    """Removes a sandbox with everything in it. Its tokens end at once; the answer is the job that does the rest.

    409 `conflict` while it is being made or refreshed. Needs the scope `admin`.
    """
    require_admin(context)
    return await _accepted(request, context, await service.begin(context, record_id(id), "delete"))


@router.post("/v1/sandboxes/{id}/refresh", status_code=202, response_model=JobRead, summary="Refresh a sandbox")
async def refresh_sandbox(context: ContextDep, request: Request, id: str) -> Response:
    """Empties a sandbox and fills it anew, as the organisation is now. Ids, tokens and the clock stay; its journal begins anew.

    Whatever was changed in it is gone: promote the configuration before. Needs the scope `admin`.
    """
    require_admin(context)
    return await _accepted(request, context, await service.begin(context, record_id(id), "refresh"))


@router.post("/v1/sandboxes/{id}/tokens", status_code=201, response_model=SandboxTokenCreated, summary="Make a token for a sandbox")
async def create_sandbox_token(context: ContextDep, id: str, body: SandboxToken) -> JSONResponse:
    """A token with the scope `admin` in the sandbox, for the caller as its member there. Its secret is shown this once.

    409 `conflict` while the sandbox is not ready. Needs the scope `admin`.
    """
    require_admin(context)
    text, made = await service.token(context, record_id(id), body.name)
    described = {name: made[name] for name in ("object", "id", "name", "scopes", "user_id")}
    return JSONResponse({**described, "token": text}, 201, {SECRET_HEADER: "token", "Cache-Control": "no-store"})


@router.get("/v1/sandboxes/{id}/diff", response_model=ConfigDifference, summary="Compare a sandbox's configuration")
async def diff_sandbox(context: ContextDep, request: Request, id: str) -> dict[str, Any]:
    """What would have to change here for the configuration to be that of the sandbox. Needs the scope `admin`."""
    require_admin(context)
    services = services_of(request)
    sandbox = await service.get(context.uow, record_id(id))
    changes = await promotion.difference(context, services.engine, services.database, services.clock, sandbox)
    return {"object": "config_diff", "changes": changes}


@router.post("/v1/sandboxes/{id}/promote", response_model=ConfigChanges, summary="Promote a sandbox's configuration")
async def promote_sandbox(context: ContextDep, request: Request, id: str, body: SandboxPromote) -> dict[str, Any]:
    """Makes the configuration of this organisation that of the sandbox, as `POST /v1/config/apply` does. Needs the scope `admin`."""
    require_admin(context)
    services = services_of(request)
    sandbox = await service.get(context.uow, record_id(id))
    found = (services.engine, services.database, services.clock, sandbox)
    return await promotion.promote(context, *found, prune=body.prune, dry_run=body.dry_run)
