"""Routes under /v1/meta that change the schema."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from crm_api.flows.metadata.changes import begin
from crm_api.flows.metadata.fields import create_field
from crm_api.flows.metadata.objects import create_object
from crm_api.http.meta.bodies import FieldBody, ObjectBody, field_values
from crm_api.http.routing import KernelRoute
from crm_api.kernel.custom.definitions import CustomField, CustomObject
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.policy import Policy

router = APIRouter(route_class=KernelRoute, prefix="/v1/meta", tags=["meta"])


def described_field(field: CustomField) -> dict[str, Any]:
    """A field's definition as the API shows it."""
    return {
        "object": "fields",
        "id": str(field.id),
        "of": field.object,
        "api_name": field.api_name,
        "label": field.label,
        "type": field.type.value,
        "indexed": field.slot is not None,
        "unique": field.unique,
        "state": field.state,
        "version": field.version,
        **field.properties,
    }


def described_object(made: CustomObject) -> dict[str, Any]:
    """An object's definition as the API shows it."""
    return {
        "object": "objects",
        "id": str(made.id),
        "api_name": made.api_name,
        "singular": made.singular,
        "label": made.label,
        "plural_label": made.plural_label,
        "version": made.version,
    }


@router.post("/objects", status_code=201, name="create_objects")
async def create_meta_object(body: ObjectBody, context: ContextDep) -> JSONResponse:
    """Make an object. Its routes, relations, search and events are there with the next request."""
    Policy(context.principal).require("meta", "write")
    schema = await begin(context)
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
    fields = [FieldBody(api_name="name", type="text", label="Name", indexed=True), *body.fields]
    for field in fields:
        await create_field(schema, made.api_name, field_values(field))
    return JSONResponse(described_object(made), 201, {"location": f"/v1/meta/objects/{made.api_name}"})


@router.post("/{object}/fields", status_code=201, name="create_fields")
async def create_meta_field(object: str, body: FieldBody, context: ContextDep) -> JSONResponse:
    """Add a field to an object. It can be written, filtered, sorted and searched with the next request."""
    Policy(context.principal).require("meta", "write")
    field = await create_field(await begin(context), object, field_values(body))
    return JSONResponse(described_field(field), 201, {"location": f"/v1/meta/{object}/fields/{field.api_name}"})
