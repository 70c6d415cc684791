"""Create, change, delete, restore: single records, by id or by a unique field."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import BadRequest, InvalidValue, PreconditionRequired, ValidationFailed
from crm_api.http.records.answers import json_response, write_answer
from crm_api.http.records.call import AnswerOptions, Call, Endpoint, raw
from crm_api.http.routing import JOINED
from crm_api.kernel.lookup import body_with, find_by
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.writes.types import OnChildren, Outcome, Patch, Target, WriteOptions

ON_CHILDREN: Final[tuple[OnChildren, ...]] = ("block", "detach", "cascade")
CREATE_PARAMETERS: Final = ("dry_run", "allow_duplicates")
UPDATE_PARAMETERS: Final = ("dry_run", "conflict", "allow_duplicates")
DELETE_PARAMETERS: Final = ("dry_run", "on_children", "purge")


def _write_options(call: Call, options: AnswerOptions) -> WriteOptions:
    call.flag(options, "dry_run")
    return WriteOptions(
        conflict=call.choice(options, "conflict", ("record", "fields")),
        on_children=call.choice(options, "on_children", ON_CHILDREN),
        purge=call.flag(options, "purge"),
        last=JOINED not in call.request.scope,
    )


def _check_headers(call: Call, resource: AnyResource, *, existing: bool) -> None:
    """`X-Automation: skip` needs the `import` permission; an organisation may insist on `If-Match` for an object (428)."""
    automation = call.request.headers.get("x-automation")
    if automation is not None:
        if automation != "skip":
            raise BadRequest(errors=[InvalidValue("enum", allowed=["skip"]).at(header="X-Automation")])
        call.policy.require(resource.name, "import")
    required = call.context.principal.organization.settings.get("require_if_match", ())
    if existing and resource.name in required and call.if_match() is None:
        raise PreconditionRequired(f"Your organisation asks for If-Match on changes of {resource.name}.")


def create_endpoint(resource: AnyResource) -> Endpoint:
    """POST /v1/{object}."""

    @raw
    async def create_record(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "create")
        _check_headers(call, resource, existing=False)
        options = call.answer_options(resource, CREATE_PARAMETERS)
        outcomes = await call.engine.writer.create(call.context, resource, [await call.json()], options=_write_options(call, options))
        return await write_answer(call, resource, outcomes[0], options)

    return create_record


def update_endpoint(resource: AnyResource) -> Endpoint:
    """PATCH /v1/{object}/{id}."""

    @raw
    async def update_record(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "update")
        options = call.answer_options(resource, UPDATE_PARAMETERS)
        outcome = await _patched(call, resource, call.path_id(), await call.json(), options)
        return await write_answer(call, resource, outcome, options)

    return update_record


async def _patched(call: Call, resource: AnyResource, id: UUID, body: Any, options: AnswerOptions) -> Outcome:
    _check_headers(call, resource, existing=True)
    patch = Patch(id, body, call.expected_version())
    return (await call.engine.writer.update(call.context, resource, [patch], options=_write_options(call, options)))[0]


def delete_endpoint(resource: AnyResource) -> Endpoint:
    """DELETE /v1/{object}/{id}."""

    @raw
    async def delete_record(request: Request) -> Response:
        call = Call.of(request)
        return await _deleted(call, resource, call.path_id())

    return delete_record


async def _deleted(call: Call, resource: AnyResource, id: UUID) -> Response:
    _check_headers(call, resource, existing=True)
    options = call.answer_options(resource, (*DELETE_PARAMETERS, *resource.rules.delete_parameters))
    how = _write_options(call, options)
    call.policy.require(resource.name, "purge" if how.purge else "delete")
    target = Target(id, call.expected_version())
    for name in resource.rules.delete_parameters:
        if name in options.others:
            call.context.uow.state[name] = options.others[name]
    outcome = (await call.engine.writer.delete(call.context, resource, [target], options=how))[0]
    if how.purge:
        return Response(status_code=204, headers={"x-outcome": "deleted"})
    if call.minimal() or options.plain:
        return await write_answer(call, resource, outcome, options)
    return json_response(outcome.record.encode(), outcome.status, {"x-outcome": outcome.outcome})


def restore_endpoint(resource: AnyResource) -> Endpoint:
    """POST /v1/{object}/{id}/restore."""

    @raw
    async def restore_record(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "delete")
        options = call.answer_options(resource, ("dry_run",))
        target = Target(call.path_id(), call.expected_version())
        outcome = (await call.engine.writer.restore(call.context, resource, [target], options=_write_options(call, options)))[0]
        return await write_answer(call, resource, outcome, options)

    return restore_record


def _named(request: Request) -> tuple[str, str]:
    return request.path_params["unique_field"], request.path_params["value"]


def upsert_by_endpoint(resource: AnyResource) -> Endpoint:
    """PUT /v1/{object}/by/{unique_field}/{value}."""

    @raw
    async def upsert_record(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "create")
        call.policy.require(resource.name, "update")
        options = call.answer_options(resource, UPDATE_PARAMETERS)
        field, value = _named(request)
        body = await call.json()
        if not isinstance(body, dict):
            raise ValidationFailed(errors=[InvalidValue("invalid_body", expected="object").at(pointer="")])
        how = _write_options(call, options)
        outcomes = await call.engine.writer.upsert(call.context, resource, field, [body_with(resource, field, value, body)], options=how)
        return await write_answer(call, resource, outcomes[0], options)

    return upsert_record


def update_by_endpoint(resource: AnyResource) -> Endpoint:
    """PATCH /v1/{object}/by/{unique_field}/{value}."""

    @raw
    async def update_record_by(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "update")
        options = call.answer_options(resource, UPDATE_PARAMETERS)
        found = await find_by(call.context, resource, *_named(request))
        return await write_answer(call, resource, await _patched(call, resource, found, await call.json(), options), options)

    return update_record_by


def delete_by_endpoint(resource: AnyResource) -> Endpoint:
    """DELETE /v1/{object}/by/{unique_field}/{value}."""

    @raw
    async def delete_record_by(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "delete")
        found = await find_by(call.context, resource, *_named(request))
        return await _deleted(call, resource, found)

    return delete_record_by
