"""Options of picklists under /v1/meta/{object}/fields/{api_name}/options."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from crm_api.flows.metadata.fields import found_field
from crm_api.flows.metadata.options import Replacement, check_replacement, count, replace_option
from crm_api.http.jobs import JobRead
from crm_api.http.meta.answers import grace_of
from crm_api.http.meta.bodies import OptionReplacement
from crm_api.http.meta.fields import changing, job_answer
from crm_api.http.meta.shown import ReplacementPreview
from crm_api.http.records.answers import document
from crm_api.http.routing import KernelRoute
from crm_api.kernel.endpoint import ContextDep

router = APIRouter(route_class=KernelRoute, prefix="/v1/meta", tags=["meta"])


@router.post(
    "/{object}/fields/{api_name}/options/replace",
    status_code=202,
    response_model=JobRead,
    responses={200: {"model": ReplacementPreview, "description": "With `dry_run`: how many records would change."}},
    summary="Replace an option",
    name="replace_field_option",
)
async def replace_meta_option(request: Request, object: str, api_name: str, body: OptionReplacement, context: ContextDep) -> Response:
    """Puts one option of a picklist in the place of another, in all live records: a job, whose updates have versions and events
    like all others.

    The replaced option becomes inactive at once and stays in the list, since deleted records may hold it; PATCH without it removes
    it once nothing does. Needs the scope `meta:write`.
    """
    schema = await changing(context)
    field, wanted = found_field(schema, object, api_name), Replacement(body.from_, body.to)
    check_replacement(schema, field, wanted)
    if body.dry_run or context.uow.dry_run:
        context.uow.dry_run = True
        return document({"dry_run": True, "count": await count(schema, field, wanted)})
    field = await replace_option(schema, field, wanted, grace_s=grace_of(request))
    return await job_answer(request, context, str(field.properties["job_id"]))
