"""Runs of territories over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import MISSING, Field
from starlette.responses import Response

from crm_api.flows import territories
from crm_api.http.accepted import accepted
from crm_api.http.jobs import JobRead
from crm_api.http.records.answers import document
from crm_api.http.records.call import Call
from crm_api.http.routing import KernelRoute
from crm_api.jobs.territories import RUN_TERRITORIES
from crm_api.kernel.access.delegation import refuse_organising
from crm_api.kernel.schema import Input, Output, about
from crm_api.kernel.shapes import ObjectName

router = APIRouter(route_class=KernelRoute, tags=["territories"])

_ID = "01976f6e-8a00-7000-8000-000000000001"


class TerritoryRun(Input):
    """Which records to look at."""

    objects: Annotated[
        Annotated[list[ObjectName], Field(min_length=1, max_length=50)] | MISSING,
        about("Only records of these objects; those of all objects that territories choose from, if left out.", ["accounts"]),
    ] = MISSING


class TerritoryCount(Output):
    """What changes about one territory and object."""

    territory_id: str = about("The territory.", _ID)
    object: str = about("The object.", "accounts")
    added: int = about("Records that come.", 12)
    changed: int = about("Records that stay, with another access.", 0)
    removed: int = about("Records that go.", 3)


class TerritoryChange(Output):
    """One record that comes or goes."""

    object: str = about("The record's object.", "accounts")
    record_id: str = about("The record.", _ID)
    territory_id: str = about("The territory.", _ID)
    change: str = about("`added`, `changed` or `removed`.", "added")


class TerritoryPreview(Output):
    """What a run would change."""

    dry_run: bool = about("Always true: nothing was changed.", True)
    added: int = about("Records that would come, over all territories.", 12)
    changed: int = about("Records that would stay, with another access.", 0)
    removed: int = about("Records that would go.", 3)
    territories: list[TerritoryCount] = about(
        "The same for each territory and object.",
        [{"territory_id": _ID, "object": "accounts", "added": 12, "changed": 0, "removed": 3}],
    )
    changes: list[TerritoryChange] = about(
        "The first hundred of them.", [{"object": "accounts", "record_id": _ID, "territory_id": _ID, "change": "added"}]
    )


@router.post(
    "/v1/territories/run",
    status_code=202,
    response_model=JobRead,
    responses={200: {"model": TerritoryPreview, "description": "With `dry_run`: what it would change."}},
    summary="Put records into territories",
)
async def run_territories(
    request: Request,
    body: TerritoryRun | None = None,
    dry_run: Annotated[bool, Query(description="Only tell what would change.", examples=[False])] = False,
) -> Response:
    """Shares each record with every territory whose criteria it meets, and takes back what no longer does, as a job.

    Records stay in their territories until the next run. The users of a territory, and of those above it, get its `access`. With
    `dry_run` the answer tells what would change. For administrators; scope: `territories:write`.
    """
    call = Call.of(request)
    call.policy.require("territories", "update")
    problem = refuse_organising(call.context)
    if problem is not None:
        raise problem
    given = {} if body is None else body.given()
    objects = territories.check_objects(call.context, given.get("objects"))
    if dry_run:
        return document(await territories.preview(call.context, objects))
    return await accepted(request, call.context, RUN_TERRITORIES, {"objects": objects})
