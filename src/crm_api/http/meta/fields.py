"""Fields under /v1/meta/{object}/fields."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from crm_api.core.errors import NotFound
from crm_api.flows.metadata.changes import Schema, begin, check_version
from crm_api.flows.metadata.describe import standard_field
from crm_api.flows.metadata.fields import (
    archive_field,
    create_field,
    describe_standard,
    found_field,
    purge_field,
    refuse_standard,
    restore_field,
    update_field,
)
from crm_api.flows.metadata.stored import count_values
from crm_api.flows.metadata.usage import uses_of
from crm_api.http.accepted import wake_workers
from crm_api.http.jobs import JobRead
from crm_api.http.meta.answers import grace_of, list_answer, object_of, read_answer, shown_field, shown_fields, written
from crm_api.http.meta.bodies import FieldBody, FieldPatch, field_values, patch_values
from crm_api.http.meta.shown import FieldList, FieldRead, Impact
from crm_api.http.records.call import Call
from crm_api.http.routing import KernelRoute
from crm_api.jobs import store
from crm_api.kernel.catalog import load
from crm_api.kernel.context import Context
from crm_api.kernel.endpoint import ContextDep

router = APIRouter(route_class=KernelRoute, prefix="/v1/meta", tags=["meta"])

Force = Annotated[bool, Query(description="Do it although other definitions use it.", examples=[False])]
Purge = Annotated[bool, Query(description="Remove the values for good, by a job.", examples=[False])]
ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": JobRead, "description": "With `purge=true`: the job that removes the values."},
}


async def schema_of(context: Context) -> Schema:
    """The definitions as they are, for reading."""
    return Schema(context, *await load(context.uow, context.uow.org_id))


async def changing(context: Context) -> Schema:
    """The definitions, for a caller who may change them."""
    context.policy.require("meta", "write")
    return await begin(context)


@router.get("/{object}/fields", response_model=FieldList, summary="List an object's fields", name="list_fields")
async def list_meta_fields(
    request: Request,
    object: str,
    context: ContextDep,
    archived: Annotated[
        Literal["exclude", "include", "only"], Query(description="What to do with archived fields.", examples=["exclude"])
    ] = "exclude",
) -> Response:
    """All fields of an object, standard ones and those that the organisation added, with everything that is said of them.

    The ETag changes with the schema. Needs the scope `meta:read`.
    """
    context.policy.require("meta", "read")
    schema = await schema_of(context)
    found = shown_fields(schema, object_of(schema, object), archived=archived != "exclude")
    return list_answer(Call.of(request), [field for field in found if archived != "only" or field["archived"]])


@router.get("/{object}/fields/{api_name}", response_model=FieldRead, summary="Get a field", name="get_field")
async def get_meta_field(request: Request, object: str, api_name: str, context: ContextDep) -> Response:
    """One field, archived or not. Needs the scope `meta:read`."""
    context.policy.require("meta", "read")
    shown = _shown(await schema_of(context), object, api_name)
    return read_answer(Call.of(request), shown["version"], shown)


def _shown(schema: Schema, object_name: str, api_name: str) -> dict[str, Any]:
    field = schema.field(object_name, api_name)
    if field is not None and not field.standard:
        return shown_field(schema, field)
    twin = next((f.twin for f in schema.of(object_name) if f.twin is not None and f.twin.api_name == api_name), None)
    if twin is not None:
        return shown_field(schema, twin)
    resource = object_of(schema, object_name)
    standard = resource.fields.get(api_name)
    if standard is None:
        raise NotFound()
    return standard_field(schema.context, resource, standard)


@router.post("/{object}/fields", status_code=201, response_model=FieldRead, summary="Add a field", name="create_field")
async def create_meta_field(request: Request, object: str, body: FieldBody, context: ContextDep) -> Response:
    """Adds a field to an object. It can be written, filtered, sorted and searched with the next request; no table is changed.

    `api_name` and `type` are for ever. A formula, roll-up or autonumber gives records that are there already their values by a
    job (`state`, `job_id`); formulas are worked out on reading until then. Needs the scope `meta:write`.
    """
    schema = await changing(context)
    field = await create_field(schema, object, field_values(body), grace_s=grace_of(request))
    wake_workers(request, context.uow)
    return written(shown_field(schema, field), "created", 201, f"/v1/meta/{object}/fields/{field.api_name}")


@router.patch("/{object}/fields/{api_name}", response_model=FieldRead, summary="Change a field", name="update_field")
async def update_meta_field(request: Request, object: str, api_name: str, body: FieldPatch, context: ContextDep) -> Response:
    """Changes what is said of a field. Honours `If-Match`.

    Looser properties hold at once. Stricter ones (`required`, `min`, `max_length`, `pattern`) hold for what is written from then
    on; stored values stay until somebody changes them. `unique: true` is refused with 409 `duplicate` while live records have the
    same value. An index, uniqueness or another formula is built by a job. Needs the scope `meta:write`.
    """
    schema = await changing(context)
    before = _shown(schema, object, api_name)
    check_version(Call.of(request).if_match(), before["version"], before)
    if before["standard"]:
        await describe_standard(schema, object_of(schema, object), api_name, patch_values(body))
    else:
        refuse_standard(object_of(schema, object), api_name)
        await update_field(schema, found_field(schema, object, api_name), patch_values(body), grace_s=grace_of(request))
        wake_workers(request, context.uow)
    after = _shown(schema, object, api_name)
    return written(after, "unchanged" if after == before else "updated")


@router.delete("/{object}/fields/{api_name}", response_model=FieldRead, responses=ACCEPTED, summary="Archive a field", name="delete_field")
async def delete_meta_field(
    request: Request, object: str, api_name: str, context: ContextDep, force: Force = False, purge: Purge = False
) -> Response:
    """Takes a field out of sight: answers, filters and sorts don't know it any more, its values are kept and can be restored.

    A field that something uses is 409 `conflict` with `used_by`, unless `force=true`. With `purge=true` a job removes the values
    and then the definition, whose name is free again: 202 with the job. A standard field is 403. Honours `If-Match`.
    Needs the scope `meta:write`.
    """
    schema = await changing(context)
    field = schema.field(object, api_name)
    if field is None or field.standard:
        refuse_standard(object_of(schema, object), api_name)
        raise NotFound()
    before = shown_field(schema, field)
    check_version(Call.of(request).if_match(), field.version, before)
    if purge:
        field = await purge_field(schema, field, force=force, grace_s=grace_of(request))
        return await job_answer(request, context, str(field.properties["job_id"]))
    after = shown_field(schema, await archive_field(schema, field, force=force, grace_s=grace_of(request)))
    wake_workers(request, context.uow)
    return written(after, "unchanged" if before["archived"] else "deleted")


async def job_answer(request: Request, context: Context, job_id: str) -> Response:
    """202 with the job."""
    wake_workers(request, context.uow)
    return Response(await store.shown(context, UUID(job_id)), 202, {"location": f"/v1/jobs/{job_id}"}, "application/json")


@router.post("/{object}/fields/{api_name}/restore", response_model=FieldRead, summary="Restore a field", name="restore_field")
async def restore_meta_field(request: Request, object: str, api_name: str, context: ContextDep) -> Response:
    """Brings an archived field back, with all its values. Needs the scope `meta:write`."""
    schema = await changing(context)
    field = found_field(schema, object, api_name)
    restored = await restore_field(schema, field, grace_s=grace_of(request))
    wake_workers(request, context.uow)
    return written(shown_field(schema, restored), "restored" if field.archived else "unchanged")


@router.get("/{object}/fields/{api_name}/impact", response_model=Impact, summary="See what uses a field", name="get_field_impact")
async def get_meta_field_impact(request: Request, object: str, api_name: str, context: ContextDep) -> Response:
    """Everything that would notice a change of the field: formulas, roll-ups, dependent picklists, views and boards, layouts,
    segments, widgets, links, stages; also by way of relations. Needs the scope `meta:read`.
    """
    context.policy.require("meta", "read")
    schema = await schema_of(context)
    field = found_field(schema, object, api_name)
    uses = [use.json() for use in await uses_of(schema, field)]
    records = await count_values(context, object_of(schema, object), field)
    return read_answer(Call.of(request), field.version, {"data": uses, "records": records})
