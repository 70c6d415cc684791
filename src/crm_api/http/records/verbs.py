"""Verbs of every object beside create, change and delete: merge, transfer, and single members of lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import FieldError, InvalidValue, ValidationFailed
from crm_api.core.ids import parse_uuid
from crm_api.http.records.answers import write_answer
from crm_api.http.records.call import Call, Endpoint, raw
from crm_api.kernel.members import delete_member, put_member
from crm_api.kernel.merge import Merger, MergeRequest
from crm_api.kernel.query.compiler import ReadCompiler
from crm_api.kernel.query.plan import And, Condition, Plan
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.tombstones import absent
from crm_api.kernel.writes.locked import lock_reached
from crm_api.kernel.writes.shape import shape_of
from crm_api.kernel.writes.types import Patch

MAX_LOSERS: Final = 20
MAX_CASCADE: Final = 5_000


def _object(body: Any, allowed: Sequence[str]) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise ValidationFailed(errors=[InvalidValue("invalid_body", expected="object").at(pointer="")])
    errors = [InvalidValue("unknown_field", allowed=list(allowed)).at(pointer=f"/{key}") for key in body if key not in allowed]
    if errors:
        raise ValidationFailed(errors=errors)
    return body


def _uuid(value: Any, pointer: str, errors: list[FieldError]) -> UUID:
    found = parse_uuid(value) if isinstance(value, str) else None
    if found is None:
        errors.append(FieldError("required" if value is None else "invalid_uuid", pointer=pointer))
        return UUID(int=0)
    return found


# --- merge -------------------------------------------------------------------------------------------------------------


def merge_endpoint(resource: AnyResource) -> Endpoint:
    """POST /v1/{object}/merge."""

    @raw
    async def merge_records(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "update")
        call.policy.require(resource.name, "delete")
        options = call.answer_options(resource, ("dry_run",))
        body = _object(await call.json(), ("winner_id", "loser_ids", "field_choices", "dry_run"))
        errors: list[FieldError] = []
        winner = _uuid(body.get("winner_id"), "/winner_id", errors)
        given = body.get("loser_ids")
        losers: list[UUID] = []
        if not isinstance(given, list) or not 1 <= len(given) <= MAX_LOSERS:
            errors.append(
                FieldError(
                    "too_many_items" if isinstance(given, list) and given else "required",
                    pointer="/loser_ids",
                    params={"max_items": MAX_LOSERS},
                )
            )
        else:
            losers = [_uuid(value, f"/loser_ids/{index}", errors) for index, value in enumerate(given)]
        choices = body.get("field_choices", {})
        chosen: dict[str, UUID] = {}
        if not isinstance(choices, dict):
            errors.append(FieldError("type", pointer="/field_choices", params={"expected": "object"}))
        else:
            chosen = {name: _uuid(value, f"/field_choices/{name}", errors) for name, value in choices.items()}
        dry_run = body.get("dry_run", False)
        if not isinstance(dry_run, bool):
            errors.append(FieldError("invalid_boolean", pointer="/dry_run"))
        if errors:
            raise ValidationFailed(errors=errors)
        call.context.uow.dry_run = call.context.uow.dry_run or dry_run
        result = await Merger(call.engine.writer).merge(call.context, resource, MergeRequest(winner, losers, chosen))
        answer = await write_answer(call, resource, result.winner, options)
        answer.headers["x-moved"] = orjson.dumps(dict(result.moved)).decode()
        return answer

    return merge_records


# --- transfer ----------------------------------------------------------------------------------------------------------


def transfer_endpoint(resource: AnyResource) -> Endpoint:
    """POST /v1/{object}/{id}/transfer."""

    @raw
    async def transfer_record(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "transfer")
        options = call.answer_options(resource, ("dry_run",))
        body = _object(await call.json(), ("to", "cascade"))
        errors: list[FieldError] = []
        to = _uuid(body.get("to"), "/to", errors)
        relations = call.context.registry.relations[resource.name]
        allowed = [
            name
            for name, relation in relations.items()
            if relation.kind == "to_many" and "owner_id" in call.context.registry[relation.target].fields
        ]
        cascade = body.get("cascade", [])
        if not isinstance(cascade, list):
            errors.append(FieldError("type", pointer="/cascade", params={"expected": "array"}))
            cascade = []
        errors += [
            FieldError("unknown_relation", pointer=f"/cascade/{i}", allowed=allowed)
            for i, name in enumerate(cascade)
            if name not in allowed
        ]
        if errors:
            raise ValidationFailed(errors=errors)
        context, id_ = call.context, call.path_id()
        context.uow.cause.action = f"{resource.name}.transfer"
        row = (await lock_reached(context, shape_of(context, resource), [id_])).get(id_)
        if row is None:
            raise (await absent(context, resource, [id_]))[id_]
        writer = call.engine.writer
        for name in dict.fromkeys(cascade):
            target = context.registry[relations[name].target]
            call.policy.require(target.name, "transfer")
            ids = await _owned_by(call, resource, name, id_, row["owner_id"])
            if len(ids) > MAX_CASCADE:
                raise ValidationFailed(errors=[FieldError("max", pointer="/cascade", params={"max": MAX_CASCADE})])
            for start in range(0, len(ids), 200):
                await writer.update(context, target, [Patch(child, {"owner_id": str(to)}) for child in ids[start : start + 200]])
        try:
            outcome = (await writer.update(context, resource, [Patch(id_, {"owner_id": str(to)}, call.expected_version())]))[0]
        except ValidationFailed as problem:
            problem.errors = [FieldError(e.code, e.message, "/to", params=e.params, allowed=e.allowed) for e in problem.errors]
            raise
        return await write_answer(call, resource, outcome, options)

    return transfer_record


async def _owned_by(call: Call, resource: AnyResource, relation: str, id_: UUID, owner_id: UUID | None) -> list[UUID]:
    """The live records of a relation that have the record's own owner: others belong to somebody on purpose."""
    found = call.context.registry.relations[resource.name][relation]
    assert found.field is not None
    here = Condition((found.field.name,), "eq", 0)
    owned = Condition(("owner_id",), "eq", 1) if owner_id is not None else Condition(("owner_id",), "is_null")
    plan = Plan(found.target, filter=And((here, owned)))
    context, policy = call.context, call.policy
    key = ("ids", context.registry.key, policy.shape, plan)
    statement = context.statements.get(key, lambda: ReadCompiler(context.registry, policy).matching_ids(plan))
    rows = await context.uow.fetch(statement, {**policy.values, "org_id": context.principal.org_id, "v0": id_, "v1": owner_id})
    return [row[0] for row in rows]


# --- members of lists --------------------------------------------------------------------------------------------------


def member_endpoint(resource: AnyResource, name: str, method: str) -> Endpoint:
    """PUT and DELETE /v1/{object}/{id}/{tags|emails|phones|addresses}/{key}."""

    @raw
    async def change_member(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "update")
        options = call.answer_options(resource, ("dry_run",))
        id_, key, version = call.path_id(), request.path_params["key"], call.expected_version()
        writer, context = call.engine.writer, call.context
        if method == "PUT":
            body = await call.json() if await request.body() else {}
            if not isinstance(body, dict):
                raise ValidationFailed(errors=[InvalidValue("invalid_body", expected="object").at(pointer="")])
            outcome = await put_member(writer, context, resource, id_, name, key, body, if_match=version)
        else:
            outcome = await delete_member(writer, context, resource, id_, name, key, if_match=version)
        return await write_answer(call, resource, outcome, options)

    return change_member
