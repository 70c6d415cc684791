"""Records that belong to another one, under its path: `/v1/pipelines/{id}/stages`, `/v1/cases/{id}/comments`.

Reading the list is the relation's own route; here are creating under the parent, and single records by both ids.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import FieldError, InvalidValue, NotFound, ValidationFailed
from crm_api.db.statement import compile_statement
from crm_api.http.records.answers import record_answer, write_answer
from crm_api.http.records.call import Call, Endpoint, raw
from crm_api.http.records.writes import CREATE_PARAMETERS
from crm_api.kernel.context import Context
from crm_api.kernel.locks import ORG
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource


def nesting(registry: Registry, resource: AnyResource) -> Relation | None:
    """The relation of its parent under which an object's records stand."""
    if resource.parent is None:
        return None
    for relation in registry.relations[resource.parent].values():
        if relation.kind == "to_many" and relation.target == resource.name:
            return relation
    raise ValueError(f"{resource.name} has no reference to its parent {resource.parent}")


def nested_create_endpoint(resource: AnyResource, relation: Relation) -> Endpoint:
    """POST /v1/{parent}/{id}/{relation}."""

    @raw
    async def create_nested(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "create")
        call.policy.require(relation.source, "read")
        options = call.answer_options(resource, CREATE_PARAMETERS)
        call.flag(options, "dry_run")
        parent, id_ = call.context.registry[relation.source], call.path_id()
        record_answer(call, parent, await call.engine.reader.one(call.context, parent, id_))
        body = await call.json()
        if not isinstance(body, dict):
            raise ValidationFailed(errors=[InvalidValue("invalid_body", expected="object").at(pointer="")])
        name = _field(relation)
        if body.get(name, str(id_)) != str(id_):
            raise ValidationFailed(errors=[FieldError("invalid_combination", pointer=f"/{name}", params={"other": "the path"})])
        outcomes = await call.engine.writer.create(call.context, resource, [{**body, name: str(id_)}])
        return await write_answer(call, resource, outcomes[0], options)

    return create_nested


def nested_endpoint(resource: AnyResource, relation: Relation, plain: Endpoint) -> Endpoint:
    """A route of a single record, reached through its parent: 404 unless it belongs to that."""

    @raw
    async def nested(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require_read((relation.source, resource.name))
        parent_id, id_ = call.path_id(), call.path_id("child_id")
        values = {"org_id": call.context.uow.org_id, "id": id_, "parent_id": parent_id}
        if await call.context.uow.fetch_row(_belongs(call.context, resource, _field(relation)), values) is None:
            raise NotFound()
        request.scope["path_params"] = {"id": str(id_)}
        return await plain(request)

    return nested


def _field(relation: Relation) -> str:
    assert relation.field is not None
    return relation.field.name


def _belongs(context: Context, resource: AnyResource, name: str) -> Any:
    table, uuid = resource.table, PgUUID(as_uuid=True)
    column = table.c[resource.fields[name].column]
    wanted = (table.c.org_id == ORG, table.c.id == sa.bindparam("id", type_=uuid), column == sa.bindparam("parent_id", type_=uuid))
    return context.statements.get(("belongs", table, name), lambda: compile_statement(sa.select(table.c.id).where(*wanted)))
