"""Objects under /v1/meta/objects."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from crm_api.core.errors import Forbidden, LimitExceeded, Problem
from crm_api.flows.metadata.changes import Schema, check_version
from crm_api.flows.metadata.describe import described_object
from crm_api.flows.metadata.fields import create_field
from crm_api.flows.metadata.objects import archive_object, create_object, found_object, purge_object, restore_object, update_object
from crm_api.http.accepted import wake_workers
from crm_api.http.meta.answers import grace_of, list_answer, object_of, read_answer, shown_object, written
from crm_api.http.meta.bodies import FieldBody, ObjectBody, ObjectPatch, field_values, patch_values
from crm_api.http.meta.fields import ACCEPTED, Force, Purge, changing, job_answer, schema_of
from crm_api.http.meta.shown import ObjectList, ObjectRead
from crm_api.http.records.call import Call
from crm_api.http.routing import KernelRoute
from crm_api.kernel.custom.objects import NAME
from crm_api.kernel.endpoint import ContextDep

router = APIRouter(route_class=KernelRoute, prefix="/v1/meta/objects", tags=["meta"])


@router.get("", response_model=ObjectList, summary="List objects", name="list_objects")
async def list_meta_objects(
    request: Request,
    context: ContextDep,
    archived: Annotated[
        Literal["exclude", "include", "only"], Query(description="What to do with archived objects.", examples=["exclude"])
    ] = "exclude",
) -> Response:
    """All objects of the organisation's API: standard ones, then those that it made. Needs the scope `meta:read`."""
    context.policy.require("meta", "read")
    schema = await schema_of(context)
    standard = [] if archived == "only" else [described_object(r, None) for r in context.registry if r.made is None]
    wanted = {"exclude": (False,), "include": (False, True), "only": (True,)}[archived]
    return list_answer(Call.of(request), [*standard, *(shown_object(schema, made) for made in schema.objects if made.archived in wanted)])


@router.get("/{api_name}", response_model=ObjectRead, summary="Get an object", name="get_object")
async def get_meta_object(request: Request, api_name: str, context: ContextDep) -> Response:
    """One object, standard or made, archived or not. Needs the scope `meta:read`."""
    context.policy.require("meta", "read")
    schema = await schema_of(context)
    made = schema.object(api_name)
    shown = described_object(object_of(schema, api_name), None) if made is None else shown_object(schema, made)
    return read_answer(Call.of(request), shown["version"], shown)


@router.post("", status_code=201, response_model=ObjectRead, summary="Make an object", name="create_object")
async def create_meta_object(request: Request, body: ObjectBody, context: ContextDep) -> Response:
    """Makes an object. Its routes, relations, search, events and scopes are there with the next request.

    It begins with a text field `name`, unless `fields` has one of its own of that name; until there are records, a later field
    `name` takes its place too. Needs the scope `meta:write`.
    """
    schema = await changing(context)
    made = await create_object(
        schema,
        {
            "api_name": body.api_name,
            "singular": body.singular,
            "label": body.label,
            "plural_label": body.plural_label or f"{body.label}s",
            "properties": {} if body.description is None else {"description": body.description},
        },
    )
    if all(field.api_name != NAME for field in body.fields):
        named = FieldBody(api_name=NAME, type="text", label="Name", indexed=True)
        await create_field(schema, made.api_name, field_values(named), grace_s=grace_of(request))
    for index, field in enumerate(body.fields):
        try:
            await create_field(schema, made.api_name, field_values(field), grace_s=grace_of(request))
        except LimitExceeded:
            raise
        except Problem as problem:
            raise problem.under(f"/fields/{index}") from None
    wake_workers(request, context.uow)
    return written(shown_object(schema, made), "created", 201, f"/v1/meta/objects/{made.api_name}")


@router.patch("/{api_name}", response_model=ObjectRead, summary="Change an object", name="update_object")
async def update_meta_object(request: Request, api_name: str, body: ObjectPatch, context: ContextDep) -> Response:
    """Changes labels, description or `display_field` of an object that the organisation made. Honours `If-Match`.

    A job gives the records their names after another `display_field`, without new versions. A standard object is 403. Needs the scope
    `meta:write`.
    """
    schema = await changing(context)
    _refuse_standard(schema, api_name)
    made = found_object(schema, api_name)
    before = shown_object(schema, made)
    check_version(Call.of(request).if_match(), made.version, before)
    after = shown_object(schema, await update_object(schema, made, patch_values(body), grace_s=grace_of(request)))
    wake_workers(request, context.uow)
    return written(after, "unchanged" if after == before else "updated")


@router.delete("/{api_name}", response_model=ObjectRead, responses=ACCEPTED, summary="Archive an object", name="delete_object")
async def delete_meta_object(request: Request, api_name: str, context: ContextDep, force: Force = False, purge: Purge = False) -> Response:
    """Takes an object and its records out of sight; they are kept and can be restored. Honours `If-Match`.

    While fields of other objects refer to it, 409 `conflict` with `used_by`, unless `force=true`. With `purge=true` a job purges
    its records, then its fields and those that refer to it: 202 with the job. A standard object is 403.
    Needs the scope `meta:write`.
    """
    schema = await changing(context)
    _refuse_standard(schema, api_name)
    made = found_object(schema, api_name)
    check_version(Call.of(request).if_match(), made.version, shown_object(schema, made))
    if purge:
        return await job_answer(request, context, await purge_object(schema, made, force=force, grace_s=grace_of(request)))
    archived = await archive_object(schema, made, force=force)
    return written(shown_object(schema, archived), "unchanged" if made.archived else "deleted")


@router.post("/{api_name}/restore", response_model=ObjectRead, summary="Restore an object", name="restore_object")
async def restore_meta_object(api_name: str, context: ContextDep) -> Response:
    """Brings an archived object back with its fields and records. Needs the scope `meta:write`."""
    schema = await changing(context)
    made = found_object(schema, api_name)
    restored = await restore_object(schema, made)
    return written(shown_object(schema, restored), "restored" if made.archived else "unchanged")


def _refuse_standard(schema: Schema, api_name: str) -> None:
    if api_name in schema.context.registry.standard:
        raise Forbidden(f"{api_name} is a standard object; only objects that the organisation made can be changed.")
