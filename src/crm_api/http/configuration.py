"""The organisation's configuration as one document: export, differences, apply, roll back."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import MISSING, ConfigDict, Field, JsonValue
from starlette.responses import JSONResponse, Response

from crm_api.core.errors import FieldError, NotFound, ValidationFailed
from crm_api.flows.configuration import document, history
from crm_api.flows.configuration.apply import check
from crm_api.flows.configuration.differences import compare
from crm_api.http.admin import record_id, require_admin
from crm_api.http.routing import KernelRoute, reads
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.schema import Input, Output, Uuid

router = APIRouter(route_class=KernelRoute, tags=["configuration"])
_ID = "01a201b3-fa6b-7331-a786-3bbfe1908256"
_AT = "2026-11-22T05:21:41.958886Z"
_PATH = "/stages/deals%2FSales~1Negotiation/probability"
_EXAMPLE: dict[str, JsonValue] = {
    "format": 1,
    "settings": {"currency": "EUR", "time_zone": "Europe/Berlin"},
    "contact_roles": [{"key": "legal", "label": "Legal counsel", "position": 8}],
}
Document = dict[str, JsonValue]


class ConfigRead(Output):
    """A configuration: beside the sections named here one for each object whose records are configuration, such as `pipelines`.

    It holds no ids and no times: what it refers to, it names.
    """

    model_config = ConfigDict(extra="allow")

    format: Annotated[int, Field(description="The document's form.", examples=[1])]
    settings: Annotated[dict[str, Any], Field(description="Settings of the organisation.", examples=[{"currency": "EUR"}])]
    objects: Annotated[
        list[dict[str, Any]], Field(description="Objects of one's own.", examples=[[{"api_name": "vessels", "label": "Vessel"}]])
    ]
    fields: Annotated[
        list[dict[str, Any]],
        Field(description="Fields of one's own.", examples=[[{"object": "accounts", "api_name": "tier", "type": "picklist"}]]),
    ]


class ConfigDiff(Input):
    """Which two configurations to compare."""

    from_: Annotated[
        Document | MISSING, Field(alias="from", description="The one to start from; the present one if left out.", examples=[_EXAMPLE])
    ] = MISSING
    to: Annotated[Document | MISSING, Field(description="The one to arrive at; the present one if left out.", examples=[_EXAMPLE])] = (
        MISSING
    )


class ConfigApply(Input):
    """A configuration to apply."""

    config: Annotated[
        Document,
        Field(
            description="The document, or some of its sections. Items and fields that it leaves out stay as they are.",
            examples=[_EXAMPLE],
        ),
    ]
    dry_run: Annotated[bool, Field(description="Whether only to tell what would change; everything is checked.", examples=[False])] = False
    prune: Annotated[bool, Field(description="Whether items that a section of the document leaves out are removed.", examples=[False])] = (
        False
    )


class ConfigRollback(Input):
    """Where to go back to."""

    to: Annotated[Uuid, Field(description="The id of a snapshot.", examples=[_ID])]
    dry_run: Annotated[bool, Field(description="Whether only to tell what would change.", examples=[False])] = False


class ConfigChange(Output):
    """One difference."""

    path: Annotated[str, Field(description="Where: a JSON pointer whose items are named by their natural keys.", examples=[_PATH])]
    op: Annotated[str, Field(description="`add`, `remove` or `change`.", examples=["change"])]
    old: Annotated[Any, Field(description="The value before; null where there was none.", examples=[0.8])]
    new: Annotated[Any, Field(description="The value after; null where there is none.", examples=[0.75])]


class ConfigDifference(Output):
    """What is different."""

    object: Annotated[str, Field(description="Always `config_diff`.", examples=["config_diff"])]
    changes: Annotated[list[ConfigChange], Field(description="In the order of their paths; empty if nothing differs.")]


class ConfigChanges(Output):
    """What was changed."""

    object: Annotated[str, Field(description="Always `config_changes`.", examples=["config_changes"])]
    changes: Annotated[list[ConfigChange], Field(description="In the order of their paths; empty if nothing differed.")]
    applied: Annotated[bool, Field(description="Whether anything was stored.", examples=[True])]
    dry_run: Annotated[bool, Field(description="Whether this was a trial.", examples=[False])]
    snapshot_id: Annotated[str | None, Field(description="The state before, to roll back to; null if nothing was stored.", examples=[_ID])]


class ConfigSnapshotItem(Output):
    """The state of the configuration before something was applied."""

    object: Annotated[str, Field(description="Always `config_snapshots`.", examples=["config_snapshots"])]
    id: Annotated[UUID, Field(description="The snapshot's id.", examples=[_ID])]
    reason: Annotated[str, Field(description="What was done after it: `apply`, `rollback` or `promote`.", examples=["apply"])]
    created_at: Annotated[str, Field(description="When.", examples=[_AT])]
    created_by: Annotated[dict[str, Any], Field(description="Who did it.", examples=[{"type": "user", "id": _ID}])]


class ConfigSnapshotRead(ConfigSnapshotItem):
    """A snapshot with its contents."""

    config: Annotated[dict[str, Any], Field(description="The configuration as it was.", examples=[_EXAMPLE])]


class ConfigSnapshotList(Output):
    """The snapshots that are kept."""

    data: Annotated[list[ConfigSnapshotItem], Field(description="Newest first, at most 100.")]
    page: Annotated[
        dict[str, Any],
        Field(description="They fit on one page.", examples=[{"next_cursor": None, "prev_cursor": None, "has_more": False}]),
    ]


@router.get("/v1/config/export", response_model=ConfigRead, summary="Export the configuration")
async def export_config(context: ContextDep) -> Response:
    """The configuration as one document: settings, objects and fields, pipelines with stages, lists of values, views, layouts.

    Equal configurations give equal bytes, whatever the organisation, so the document can be kept under version control.
    Views that only some people see are theirs and not part of it. Needs the scope `admin`.
    """
    require_admin(context)
    return Response(document.encode((await document.read(context)).document), media_type="application/json")


@router.post("/v1/config/diff", response_model=ConfigDifference, summary="Compare configurations")
@reads
async def diff_config(context: ContextDep, body: ConfigDiff) -> dict[str, Any]:
    """What is different between two configurations, or between one and the present one. Needs the scope `admin`."""
    require_admin(context)
    present = (await document.read(context)).document
    given = body.given()
    old, new = given.get("from_", present), given.get("to", present)
    for name in ("from_", "to"):
        if name in given:
            check(context.registry, given[name])
    return {"object": "config_diff", "changes": [change.json() for change in compare(context.registry, old, new)]}


@router.post("/v1/config/apply", response_model=ConfigChanges, summary="Apply a configuration")
async def apply_config(context: ContextDep, body: ConfigApply) -> dict[str, Any]:
    """Makes the configuration that of the document: all of it, or nothing and the problem of the first item that can't be.

    Every change goes the way of a single one, with its checks, versions and events. Applying the same document again changes
    nothing. The state before is kept, see `snapshot_id`. Needs the scope `admin`.
    """
    require_admin(context)
    return await history.change(context, body.config, "apply", prune=body.prune, dry_run=body.dry_run)


@router.post("/v1/config/rollback", response_model=ConfigChanges, summary="Roll the configuration back")
async def rollback_config(context: ContextDep, body: ConfigRollback) -> dict[str, Any]:
    """Makes the configuration what it was before something was applied; what was added since is removed.

    What records still use can't be removed: 409 `conflict` names it, and nothing is changed. Needs the scope `admin`.
    """
    require_admin(context)
    try:
        snapshot = await history.get(context, body.to)
    except NotFound:
        raise ValidationFailed([FieldError("not_found_reference", pointer="/to")]) from None
    return await history.change(context, snapshot["config"], "rollback", prune=True, dry_run=body.dry_run)


@router.get("/v1/config/snapshots", response_model=ConfigSnapshotList, summary="List snapshots of the configuration")
async def list_config_snapshots(context: ContextDep) -> JSONResponse:
    """The states before everything that was applied, newest first. Needs the scope `admin`."""
    require_admin(context)
    page = {"next_cursor": None, "prev_cursor": None, "has_more": False}
    return JSONResponse({"data": await history.listed(context), "page": page})


@router.get("/v1/config/snapshots/{id}", response_model=ConfigSnapshotRead, summary="Get a snapshot of the configuration")
async def get_config_snapshot(context: ContextDep, id: str) -> JSONResponse:
    """One state with the document that it was. Needs the scope `admin`."""
    require_admin(context)
    return JSONResponse(await history.get(context, record_id(id)))
